"""What every handler has at hand in one workspace: the parts of the program, handed in once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.customer_template import Template
from bot.domain.policy import Policy
from bot.domain.runbook import Runbook
from bot.domain.sentences import Sentence
from bot.ports import Probe
from bot.reconciler import Scheduler
from bot.service import Service
from bot.slack.outbound.room import SlackRoom
from bot.slack.surfaces.render_context import RenderEnvironment
from bot.slack.surfaces.words.sentences import say_in_slack
from bot.slack.workspace.directory import Directory


class Runbooks(Protocol):
    """The shelf of runbooks, as the app hands it in."""

    def find(self, word: str) -> Runbook | None: ...
    def close_matches(self, word: str) -> list[str]: ...
    def guess(self, title: str) -> list[Runbook]: ...
    def for_alert(self, name: str) -> Runbook | None: ...
    @property
    def runbooks(self) -> Mapping[str, Runbook]: ...


class PreparedText(Protocol):
    """A customer text that passed the scrubber."""

    @property
    def text(self) -> str: ...
    @property
    def removed(self) -> str: ...
    @property
    def findings(self) -> tuple[str, ...]: ...
    @property
    def tone(self) -> tuple[str, ...]: ...
    @property
    def values(self) -> Mapping[str, str]: ...


class CustomerTexts(Protocol):
    """The customer texts, as the app hands them in. Methods raise Refused with the slot in question."""

    def names(self) -> Sequence[str]: ...
    def close_matches(self, word: str) -> list[str]: ...
    def audiences(self, name: str) -> Sequence[str]: ...
    def stages(self, name: str, audience: str) -> Sequence[str]: ...
    def template(self, name: str, audience: str, stage: str) -> Template: ...
    def prepare(self, template: Template, values: Mapping[str, str], incident: Mapping[str, str]) -> PreparedText: ...


@dataclass(frozen=True)
class Services:
    """Everything that handlers use. `detect_secret` answers with a refusal where a text holds a secret, else empty."""

    service: Service
    scheduler: Scheduler
    directory: Directory
    client: AsyncWebClient
    room: SlackRoom
    runbooks: Runbooks
    texts: CustomerTexts
    probes: Mapping[str, Probe]
    detect_secret: Callable[[str, str], tuple[str, str]]  # (text, where) -> (kind, refusal), or ("", "")
    command: str = "/incident"

    @property
    def policy(self) -> Policy:
        """The team's policy."""
        return self.service.policy_of(self.directory.team)

    @property
    def render_environment(self) -> RenderEnvironment:
        """What a message or a form needs to know besides the incident."""
        return RenderEnvironment(
            policy=self.policy,
            names=self.directory.names,
            runbooks={slug: one.title for slug, one in self.runbooks.runbooks.items()},
            command=self.command,
        )

    def say(self, sentence: Sentence) -> str:
        """A rule's sentence in this workspace's words."""
        return say_in_slack(sentence, self.command, self.policy)

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        return self.service.clock.now()
