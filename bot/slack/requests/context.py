"""One delivery as a call: who said what, where, and what it is answered with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from bot.domain import notes
from bot.domain.actor import Actor
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.service import ActResult, Rule
from bot.slack.outbound.web_api import api_call
from bot.slack.workspace.services import Services

#: seconds within which Slack has to take a form
VIEWS_OPEN_TIMEOUT_SECONDS = 2.2

log = structlog.get_logger(__name__)

ViewPayload = Mapping[str, Any]


class NoTriggerId(Refused):
    """A form is needed, and nothing was clicked or typed that lets Slack open one."""


@dataclass(frozen=True)
class Reply:
    """A private answer: only whoever asked sees it."""

    text: str
    blocks: tuple[Mapping[str, Any], ...] = ()
    #: says what no message shows, so that it is said also where a click shows in place what came of it
    is_news: bool = False


@dataclass(frozen=True)
class PushView:
    """The form is followed by another one on top of it."""

    view: ViewPayload


#: what a handler answers with; None: nothing to say, or a form was opened
Outcome = Reply | PushView | None


@dataclass
class Request:
    """One thing that a person said or clicked, with everything needed to act on it and to answer."""

    services: Services
    actor: Actor
    channel: str
    idempotency_key: str
    incident: Incident | None = None
    thread_ts: str = ""
    trigger_id: str = ""
    response_url: str = ""
    view: ViewPayload = field(default_factory=dict)  # the form in which something was clicked
    command_text: str = ""  # the text after the command, as typed
    message_ts: str = ""  # the ts of the message in which something was clicked
    is_form: bool = False  # a form was submitted
    next_view: ViewPayload | None = None  # the form that is to take the place of the submitted one
    opened_view: bool = False  # a form was opened
    #: set by handlers that answer later than the acknowledgement
    after_ack_jobs: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    @property
    def required_incident(self) -> Incident:
        """The incident of this channel; Refused where there is none."""
        if self.incident is None:
            raise Refused(
                f"This works in an incident's channel. `{self.services.command} list` shows those that are open, "
                f"`{self.services.command} declare` begins one."
            )
        return self.incident

    async def incident_named(self, number: int) -> Incident:
        """INC-`number` of this workspace. Raises Refused where there is none that this person may see."""
        store = self.services.service.store
        id = await store.find(self.actor.team, number)
        found = await store.incident(id) if id else None
        if found is None or not self.services.policy.may_see(found, self.actor):
            raise Refused(
                f"There is no INC-{number} here. `{self.services.command} list` shows what is open.", field="number"
            )
        return found

    def once_per_message_key(self, what: str) -> str:
        """A key for what a message's buttons may bring about one time, however often they are pressed."""
        return (
            f"once:{self.channel}:{self.message_ts}:{self.actor.user}:{what}"
            if self.message_ts
            else self.idempotency_key
        )

    async def act(self, verb: str, rule: Rule, *, key: str | None = None) -> ActResult:
        """Apply a rule of the domain to this channel's incident, in this person's name."""
        done = await self.services.service.act(
            self.required_incident.id, verb, rule, self.actor, key=self.idempotency_key if key is None else key
        )
        self.incident = done.incident
        return done

    async def refuse_secrets(self, text: str, where: str) -> str:
        """The text, unless it holds a secret: then nothing is stored but the fact, and its author is told."""
        if not text:
            return text
        kind, refusal = self.services.detect_secret(text, where)
        if not refusal:
            return text
        if self.incident is not None and self.incident.seq:
            refused = partial(notes.refuse_secret, kind=kind, where=where)
            await self.services.service.act(
                self.incident.id,
                "secret",
                refused,
                self.actor,
                key=f"{self.idempotency_key}:secret" if self.idempotency_key else "",
            )
        raise Refused(refusal, field=where)

    async def open_view(self, view: ViewPayload) -> None:
        """Open a form. Raises Refused where Slack does not take it any more, and to those who may not act at all."""
        self.services.policy.require_right("open a form", self.actor)
        if self.is_form:
            self.next_view = view
            return
        if not self.trigger_id:
            raise NoTriggerId("Forms open from a button or the command, not from here.")
        try:
            # Slack shows an error of its own where nothing is answered within 3 seconds.
            async with asyncio.timeout(VIEWS_OPEN_TIMEOUT_SECONDS):
                # What is pressed in a form opens another one on top of it; a Home is no form.
                method = "views.push" if self.view.get("type") == "modal" else "views.open"
                await api_call(self.services.client, method, trigger_id=self.trigger_id, view=dict(view))
            self.opened_view = True
        except CallRefused as refusal:
            if refusal.code in ("expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id"):
                raise Refused("Slack gave us too little time to open the form. Please ask for it again.") from None
            log.error("form.refused", code=refusal.code, detail=refusal.detail, view=view.get("callback_id"))
            raise Refused(
                f"Slack refused the form ({refusal.code}). Type it instead: `{self.services.command} help`."
            ) from None
        except (RetryAfter, OutcomeUnknown, TimeoutError):
            raise Refused("Slack did not answer. Please ask for the form again.") from None

    async def resolve_member(self, word: str) -> str:
        """The id of a member of the workspace named by mention or @handle; Refused says why not."""
        directory = self.services.directory
        found = directory.by_handle(word) if word.startswith("@") else await directory.user(word)
        if found is None:
            raise Refused(
                f"{word if word.startswith('@') else 'That person'} is not in this workspace. Nothing was done."
            )
        actor = await directory.actor(found.id)
        try:
            self.services.policy.require_right("hold a role", actor)
        except Refused:
            if found.id == self.actor.user:
                raise
            raise Refused(f"<@{found.id}> cannot act on incidents here, so nothing was done. Name a member.") from None
        return found.id

    def confirmers(self, verb: str = "go") -> tuple[str, ...]:
        """Who may be the second person here: members in the channel whom policy lets do `verb`, the asker apart."""
        incident = self.required_incident
        directory = self.services.directory
        right = self.services.policy.right(verb)
        allowed = directory.expand(right) if right else None
        people = [user for user in incident.wanted if user in incident.invited or user == incident.declared_by]
        people += [user for user in sorted(incident.invited) if user not in people]
        if allowed is not None:
            # Policy names who may: they are asked wherever they are, unless the incident is private.
            people = [user for user in allowed if not incident.private or user in incident.invited]
        return tuple(user for user in people if user != self.actor.user and directory.may_act(user))

    def after_ack(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do this once the answer is out."""
        self.after_ack_jobs.append(work)
