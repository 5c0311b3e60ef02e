"""What all workspaces share, and how one workspace is furnished with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from bot.alerts import Intake
from bot.comms import offer as texts
from bot.domain.alert import Alert
from bot.domain.desired_message import Message
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.reading import Reading
from bot.domain.runbook import Runbook
from bot.ports import Installation
from bot.reconciler import Caretaker, Ground
from bot.reports import postmortem
from bot.runbooks import Shelf
from bot.service import Service
from bot.slack.outbound.room import Client, SlackPublisher, SlackRoom
from bot.slack.surfaces.message_cache import MadeLately
from bot.slack.surfaces.messages import messages
from bot.slack.surfaces.messages.parked import parked
from bot.slack.surfaces.render_context import Setup
from bot.slack.workspace.directory import Directory
from bot.slack.workspace.services import Desk
from bot.slack.workspace.workspace import Workspace


@dataclass(frozen=True)
class House:
    """`policy` names groups; each workspace's own, in `service.policies`, has them as that workspace's people."""

    service: Service
    caretaker: Caretaker
    policy: Policy
    shelf: Shelf
    library: texts.Library
    probes: Mapping[str, Callable[[str, datetime], Awaitable[Reading]]]
    command: str
    made: MadeLately = field(default_factory=MadeLately)

    def furnish(self, client: Client, directory: Directory, installation: Installation | None) -> Workspace:
        """A workspace whose people are known: its policy is in force from here on."""
        self.expand(directory)
        directory.on_change = partial(self.expand, directory)
        room = SlackRoom(client, directory.bot_user, directory.url)
        publishers = {
            "customers": SlackPublisher(room, directory.channel(self.policy.customer_comms)),
            "internal": SlackPublisher(room, directory.channel(self.policy.announcements)),
        }
        return Workspace(
            team=directory.team,
            client=client,
            directory=directory,
            room=room,
            publishers=publishers,
            desk=self._desk(client, directory, room),
            ground=Ground(
                room,
                partial(self._render, directory),
                partial(self._postmortem, directory),
                publishers,
                partial(self._channel_of, directory),
                parked,
            ),
            installation=installation,
        )

    def expand(self, directory: Directory) -> None:
        """The policy with its levels as people: groups are expanded from the directory, so that rules never ask it."""
        levels = tuple(people for level in self.policy.levels if (people := directory.expand(level)))
        self.service.policies[directory.team] = replace(self.policy, levels=levels)

    def intake(self, team: str, workspace: Callable[[], Workspace | None]) -> Intake:
        """What takes alerts for a workspace; `workspace` is that one as it is served now."""

        def people(named: Sequence[str]) -> tuple[str, ...]:
            one = workspace()
            return one.directory.expand(named) if one is not None else ()

        def runbook(one: Alert) -> Runbook | None:
            return self.shelf.for_alert(one.name) or self.shelf.runbooks.get(one.runbook_slug)

        return Intake(self.service, team, runbook, people, lambda text: texts.secret_in(text, "")[0])

    def _desk(self, client: Client, directory: Directory, room: SlackRoom) -> Desk:
        return Desk(
            service=self.service,
            caretaker=self.caretaker,
            directory=directory,
            client=client,
            room=room,
            runbooks=self.shelf,
            texts=texts.Texts(self.library),
            probes=self.probes,
            secret=texts.secret_in,
            command=self.command,
        )

    def _render(self, directory: Directory, incident: Incident, now: datetime) -> list[Message]:
        setup = Setup(
            policy=self.service.policy_of(incident.team),
            names=directory.names,
            runbooks={slug: one.title for slug, one in self.shelf.runbooks.items()},
            command=self.command,
        )
        return messages(incident, now, setup, self.made.of(incident.id))

    async def _postmortem(self, directory: Directory, incident: Incident) -> tuple[str, str]:
        entries = await self.service.store.entries(incident.id)
        through = incident.postmortem.through if incident.postmortem else incident.seq
        name = incident.postmortem.name if incident.postmortem else f"{incident.name.lower()}-postmortem.md"
        covered: Sequence[Any] = [entry for entry in entries if entry.seq <= through]
        at = incident.postmortem.at if incident.postmortem else self.service.clock.now()
        return name, postmortem.write(incident, covered, directory.names, self.policy, at, base_url=directory.url)

    def _channel_of(self, directory: Directory, kind: str) -> str:
        names = {"announcements": self.policy.announcements, "customers": self.policy.customer_comms}
        return directory.channel(names.get(kind, ""))
