"""What all workspaces share, and how one workspace is furnished with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from bot.alerts import Intake
from bot.comms import catalogue
from bot.config import Settings
from bot.domain.alert import Alert
from bot.domain.desired_message import DesiredMessage
from bot.domain.errors import StoreUnavailable
from bot.domain.fold import fold
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.runbook import Runbook
from bot.ports import Installation, Probe
from bot.reconciler import Scheduler, WorkspaceContext
from bot.reconciler.publish_effector import publish_effectors
from bot.reports import postmortem
from bot.reports.overview import Overview
from bot.runbooks import Shelf
from bot.service import Service
from bot.slack.outbound.effectors import slack_effectors
from bot.slack.outbound.publisher import SlackPublisher
from bot.slack.outbound.room import SlackRoom
from bot.slack.outbound.web_api import SlackClient
from bot.slack.surfaces.digest import render_digest
from bot.slack.surfaces.home import render_home
from bot.slack.surfaces.message_cache import MessageCache
from bot.slack.surfaces.messages import messages
from bot.slack.surfaces.messages.parked import parked
from bot.slack.surfaces.render_context import RenderEnvironment
from bot.slack.surfaces.topic import channel_topic
from bot.slack.workspace.directory import Directory
from bot.slack.workspace.services import Services
from bot.slack.workspace.workspace import InstalledWorkspace


@dataclass(frozen=True)
class WorkspaceFactory:
    """`policy` names groups; each workspace's own, in `service.policies`, has them as that workspace's people."""

    service: Service
    scheduler: Scheduler
    policy: Policy
    shelf: Shelf
    library: catalogue.Library
    probes: Mapping[str, Probe]
    settings: Settings
    message_cache: MessageCache = field(default_factory=MessageCache)

    def create_workspace(
        self, client: SlackClient, directory: Directory, installation: Installation | None
    ) -> InstalledWorkspace:
        """A workspace whose people are known: its policy is in force from here on."""
        self.expand_policy(directory)
        self.scheduler.workspaces.opened(directory.team)
        directory.on_change = partial(self.expand_policy, directory)
        directory.on_channels_change = partial(self._on_channels_change, directory)
        room = SlackRoom(client, directory.bot_user, directory.workspace_url)
        publishers = {
            "customers": SlackPublisher(room, partial(self._channel_of, directory, "customers")),
            "internal": SlackPublisher(room, partial(self._channel_of, directory, "announcements")),
        }
        return InstalledWorkspace(
            team=directory.team,
            client=client,
            directory=directory,
            room=room,
            services=self._services(client, directory, room),
            context=WorkspaceContext(
                effectors=slack_effectors(room, partial(self._postmortem, directory)) | publish_effectors(publishers),
                render_messages=partial(self._render, directory),
                render_topic=partial(self._topic, directory),
                channel_for=partial(self._channel_of, directory),
                render_parked=parked,
                render_digest=partial(self._digest, directory),
                render_home=partial(self._home, directory),
            ),
            installation=installation,
        )

    async def _on_channels_change(self, directory: Directory, gone: frozenset[str]) -> bool:
        """Channels of policy were found, or are gone: what open incidents could not say there is said now, and what
        stood in a deleted one is said anew. False: not yet."""
        now = self.service.clock.now()
        try:
            ids = await self.service.store.write(lambda tx: tx.reconsider_open(now, directory.team, gone))
        except StoreUnavailable:
            return False
        for id in ids:
            self.scheduler.effects_changed_elsewhere(id)
        return True

    def expand_policy(self, directory: Directory) -> None:
        """The policy with its levels as people: groups are expanded from the directory, so that rules never ask it."""
        directory.nobody(self.policy.named)  # whoever of them is not known yet is asked for
        levels = tuple(people for level in self.policy.levels if (people := directory.expand(level)))
        self.service.policies[directory.team] = replace(self.policy, levels=levels)

    def intake(self, team: str, workspace: Callable[[], InstalledWorkspace | None]) -> Intake:
        """What takes alerts for a workspace; `workspace` is that one as it is served now."""

        def people(named: Sequence[str]) -> tuple[str, ...]:
            one = workspace()
            return one.directory.expand(named) if one is not None else ()

        def runbook(one: Alert) -> Runbook | None:
            return self.shelf.for_alert(one.name) or self.shelf.runbooks.get(one.runbook_slug)

        return Intake(self.service, team, runbook, people, lambda text: catalogue.secret_in(text, "")[0])

    def _services(self, client: SlackClient, directory: Directory, room: SlackRoom) -> Services:
        return Services(
            service=self.service,
            scheduler=self.scheduler,
            directory=directory,
            client=client,
            room=room,
            runbooks=self.shelf,
            texts=catalogue.TemplateCatalogue(self.library),
            probes=self.probes,
            detect_secret=catalogue.secret_in,
            command=self.settings.slack_command,
        )

    def _render(self, directory: Directory, incident: Incident, now: datetime) -> list[DesiredMessage]:
        return messages(incident, now, self._environment(directory), self.message_cache.for_incident(incident.id))

    def _topic(self, directory: Directory, incident: Incident) -> str:
        return channel_topic(incident, self.service.policy_of(directory.team))

    def _environment(self, directory: Directory) -> RenderEnvironment:
        return RenderEnvironment(
            policy=self.service.policy_of(directory.team),
            names=directory.names,
            runbooks={slug: one.title for slug, one in self.shelf.runbooks.items()},
            command=self.settings.slack_command,
        )

    def _digest(self, directory: Directory, view: Overview) -> DesiredMessage | None:
        shelf = tuple(self.shelf.runbooks.values())
        return render_digest(replace(view, runbooks=shelf), self._environment(directory))

    async def _home(self, directory: Directory, view: Overview, user: str) -> DesiredMessage:
        """What this person may see and act on: of private incidents those that they are in."""
        reader, policy = await directory.actor(user), view.policy

        def shown(incidents: Sequence[Incident]) -> list[Incident]:
            return [one for one in incidents if policy.may_see(one, reader) and policy.may_act_on(one, reader)]

        seen = replace(view, open=shown(view.open), ended=shown(view.ended))
        return render_home(seen, user, self._environment(directory))

    async def _postmortem(self, directory: Directory, incident: Incident) -> tuple[str, str]:
        """The file's name, and its text: as the timeline stood when it was asked for."""
        through = incident.postmortem.through if incident.postmortem else incident.seq
        entries = await self.service.store.entries(incident.id)
        name = incident.postmortem.name if incident.postmortem else f"{incident.name.lower()}-postmortem.md"
        covered: Sequence[Any] = [entry for entry in entries if entry.seq <= through]
        at = incident.postmortem.at if incident.postmortem else self.service.clock.now()
        then = fold(incident.team, incident.id, covered)
        return name, postmortem.render_postmortem(
            then, covered, directory.names, self.policy, at, base_url=directory.workspace_url
        )

    def _channel_of(self, directory: Directory, kind: str) -> str:
        names = {"announcements": self.policy.announcements, "customers": self.policy.customer_comms}
        return directory.channel(names.get(kind, ""))
