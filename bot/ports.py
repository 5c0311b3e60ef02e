"""What the bot needs of the world outside, one Protocol each; each has a real thing and a fake today."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from bot.domain.effect import Effect
from bot.domain.events import Entry, Event
from bot.domain.incident import Incident, Status
from bot.domain.probe_reading import Reading
from bot.domain.subject import WorkspaceSubject

#: a Block Kit block, as Slack takes it
Block = Mapping[str, Any]

T = TypeVar("T")


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""

    async def sleep_until(self, at: datetime) -> None:
        """Return when `at` (aware) has come; at once when it has passed."""


class Probe(Protocol):
    """Something that can be looked at. Looking changes nothing, anywhere."""

    @property
    def name(self) -> str:
        """The name that people and runbooks use: `horizon`."""

    @property
    def targets(self) -> Sequence[str]:
        """The names of what it can look at one by one."""

    async def read(self, target: str, at: datetime) -> Reading:
        """Look once. `target` is the probe's own ("" is everything it knows), `at` the present, aware, UTC.

        Never raises for what the other side does: what could not be read is a reading that says so.
        """


class IncidentListItem(Protocol):
    """One line of a list of incidents, read without folding."""

    @property
    def id(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def title(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def status(self) -> Status: ...
    @property
    def private(self) -> bool: ...
    @property
    def channel(self) -> str: ...
    @property
    def seq(self) -> int: ...


class DeliveryRecord(Protocol):
    """What was done for a delivery."""

    @property
    def incident_id(self) -> str: ...


class WorkspaceRows(Protocol):
    """Workspaces as subjects of the reconciler, within a transaction: when each is due, who attends it, its calls."""

    def touch(self, team: str, now: datetime) -> None:
        """The workspace is to be looked at, now."""

    def open_home(self, team: str, user: str, now: datetime) -> None:
        """Somebody opened their Home: it is published, and kept up to date for a while."""

    def claim(self, team: str, seconds: float) -> bool:
        """Claim the workspace for so many seconds; False while another process attends it."""

    def save_effects(self, one: WorkspaceSubject, effects: Sequence[Effect]) -> None:
        """Write down how its calls stand. Raises LeaseLost where another process attends it by now."""

    def finish(self, one: WorkspaceSubject, due_at: datetime | None, before: datetime) -> None:
        """Give it back, and look again at `due_at`, unless something was asked of it since. Messages of `before` are
        forgotten. Raises LeaseLost.
        """


class Transaction(Protocol):
    """What a job may do while nobody else writes. Synchronous: nothing in it waits for the world."""

    def delivery(self, team: str, key: str) -> DeliveryRecord | None:
        """What was done for this delivery; None for one never seen."""

    def save_delivery(self, team: str, key: str, incident_id: str, answer: str, at: datetime) -> None:
        """Keep a delivery's key. Raises Conflict when somebody else has just done so."""

    def forget_deliveries(self, before: datetime) -> int:
        """Forget the keys of before that moment."""

    def next_number(self, team: str) -> int:
        """The team's next incident number, from 1, without gaps."""

    def incident(self, id: str) -> Incident | None:
        """The incident as it stands in this transaction."""

    def incident_by_alert_group(self, team: str, group: str) -> Incident | None:
        """The incident of this group of alerts: the one that is open, else the latest; of a duplicate the other one."""

    def cached(self, id: str) -> Incident | None:
        """The incident as this process last knew it, nothing asked; None where it does not know it."""

    def append(
        self, incident: Incident, new: Sequence[Event], due_at: datetime | None,
        delivery: tuple[str, datetime] | None = None, effects: Sequence[Effect] | None = None,
    ) -> Incident:  # fmt: skip
        """Write what happened, when to look again, the delivery's key, its calls; the incident. Raises Conflict."""

    def save_effect(self, effect: Effect) -> None:
        """Write a call down as it stands."""

    def save_effects_and_reschedule(
        self, id: str, seq: int, due_at: datetime | None, ended: Sequence[Effect], leave: bool
    ) -> bool:
        """`save_effects_fenced`, and look again at `due_at`; False where something has happened after `seq`. `leave`:
        let it go.
        """

    def save_effects_fenced(self, id: str, ended: Sequence[Effect]) -> None:
        """Write down how calls stand, unless another process attends the incident by now. Raises LeaseLost."""

    def recheck_effect(self, incident_id: str, key: str, now: datetime) -> None:
        """A call was made late, after somebody else had taken over: look at what stands there."""

    def rearm(self, now: datetime | None = None, *, team: str = "", channel: str = "") -> list[str]:
        """Let what was given up be tried again, of this workspace or channel only if one is named; the incidents."""

    def reconsider_open(self, now: datetime, team: str, deleted_channels: Collection[str] = ()) -> list[str]:
        """Look at every open incident of this workspace, and let what was given up there be tried; the incidents.
        Messages of open ones in `deleted_channels` count as never sent."""

    @property
    def workspaces(self) -> WorkspaceRows:
        """What can be done to workspaces in this transaction."""

    def fence(self, id: str) -> None:
        """Let nothing be written about an incident that another process attends by now. Raises LeaseLost."""


class Leases(Protocol):
    """Which incidents this process may attend. Alone on its database it may attend all."""

    #: seconds between two renewals; None: nothing has to be renewed
    renew_every_seconds: float | None
    #: what falls due within this time is claimed ahead of its moment (`claim_upcoming`); zero where nothing has to be
    #: claimed
    claim_ahead: timedelta

    def holds(self, id: str) -> bool:
        """Whether a call about this incident may be begun now."""

    async def claim_due(
        self, due: datetime, limit: int, but: Collection[str], worst: tuple[str, ...] = ()
    ) -> list[str]:
        """Claim incidents that are due and free, none of `but`; their ids, the longest overdue first.

        `worst`: in the order of these severities instead; of what is long past the latest first.
        """

    async def claim(self, id: str) -> bool:
        """Claim this incident; False while another process attends it."""

    async def claim_upcoming(self, after: datetime, limit: int) -> Mapping[str, datetime]:
        """Claim what is free and falls due after that moment and within `claim_ahead`; ids and their moments."""

    async def renew(self) -> None:
        """Hold on to everything that is held; what was taken over meanwhile is let go."""

    async def release(self, id: str, last: Callable[[], Awaitable[bool]] | None = None) -> None:
        """Let others have it. `last`: a write that gives it back by itself; False when it did not."""

    async def release_all(self) -> None:
        """Let others have everything, also what was claimed and never heard of."""


class Store(Protocol):
    """Everything the bot remembers: one way to write, many to read."""

    async def write(self, job: Callable[[Transaction], T], *, append_to: str = "", one_statement: bool = False) -> T:
        """Run `job(transaction)` in one transaction. Raises StoreUnavailable, or what the job raises.

        `append_to`: all it does is to glance at this incident and to append to it; `one_statement`: one call of the
        transaction's.
        """

    async def incident(self, id: str) -> Incident | None:
        """The incident as it stands."""

    async def cached(self, id: str) -> Incident | None:
        """The incident as this process last knew it: for looking around before an act."""

    async def entries(self, id: str) -> list[Entry]:
        """The whole timeline, in order."""

    async def find(self, team: str, number: int) -> str | None:
        """The id of INC-`number`."""

    async def by_channel(self, team: str, channel: str) -> str | None:
        """The id of the incident whose channel that is."""

    def cached_id_by_alert_group(self, team: str, group: str) -> str | None:
        """The id of the open incident of this group of alerts, where this process knows one; nothing is asked."""

    async def listing(
        self, team: str, *, open_only: bool = True, limit: int = 100, severity_order: tuple[str, ...] = ()
    ) -> Sequence[IncidentListItem]:
        """Incidents, the latest first, private ones among them; of open ones those of the worst severities before."""

    async def count_open(self, team: str) -> int:
        """How many incidents are open; private ones are not counted."""

    @property
    def leases(self) -> Leases:
        """Which incidents this process may attend."""

    async def next_due(self, after: datetime | None = None) -> datetime | None:
        """The earliest moment (`after` that one) at which any incident is to be looked at."""

    async def effects(self, id: str) -> Sequence[Effect]:
        """Every call of this incident that was begun."""

    @property
    def is_listening(self) -> bool:
        """Whether it is known at once what other processes change."""

    async def incidents(self, seqs: Mapping[str, int]) -> Mapping[str, Incident]:
        """Each of these incidents, no older than the seq beside its id; damaged ones are left out."""

    async def load_many(self, ids: Sequence[str]) -> Mapping[str, tuple[Incident, Mapping[str, Effect]]]:
        """Each of these incidents with its calls by their keys, as far as changes of others are heard of."""

    async def workspace(self, team: str) -> WorkspaceSubject | None:
        """The workspace as something that is attended; None for one that never was."""

    async def workspace_effects(self, one: WorkspaceSubject) -> Sequence[Effect]:
        """Every call of this workspace that was begun."""

    async def has_homes(self, team: str) -> bool:
        """Whether anybody of this workspace has opened their Home."""

    async def due_workspaces(self, now: datetime) -> Sequence[str]:
        """Workspaces that are to be looked at by now."""

    async def next_workspace_due(self, after: datetime) -> datetime | None:
        """The earliest moment after that one at which any workspace is to be looked at."""

    async def parked(self) -> Sequence[Effect]:
        """Calls that were given up and wait for somebody."""


class CallRefused(Exception):
    """Slack certainly did not do it; `code` is its own word for why."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


class RetryAfter(Exception):
    """Certainly not done, and welcome again in so many seconds; 0: nobody said when, it was not even reached."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(f"try again in {seconds:g} s" if seconds else "not reached")
        self.seconds = seconds


class OutcomeUnknown(Exception):
    """It may have been done and may not: look before doing it again."""


class Room(Protocol):
    """Slack, as far as the bot acts in it. A call raises CallRefused, RetryAfter, OutcomeUnknown and nothing else.

    `id` marks a message for ever (in its metadata), so that a later look can tell whether it was sent.
    """

    async def open_channel(self, name: str, private: bool) -> tuple[str, str]:
        """Open a channel; the answer is its id and the name that Slack gave it."""

    async def find_channel(self, name: str, since: datetime) -> str | None:
        """The id of a channel of exactly that name that this bot made after `since`."""

    async def invite(self, channel: str, users: Sequence[str]) -> dict[str, str]:
        """Bring people in; the answer holds Slack's code for each who could not be (empty: all are in)."""

    async def set_topic(self, channel: str, topic: str) -> None:
        """Say in the header what this is."""

    async def rename(self, channel: str, name: str) -> None:
        """Call the channel so; called so already is fine."""

    async def direct(self, user: str) -> str:
        """The channel id of the conversation with one person."""

    async def publish_home(self, user: str, blocks: Sequence[Block]) -> None:
        """Show this in the person's Home, in place of what stood there."""

    async def post(self, channel: str, thread: str, text: str, blocks: Sequence[Block], id: str) -> str:
        """Send a message (`thread` empty: top level); the answer is its ts."""

    async def find(self, channel: str, thread: str, id: str, since: datetime) -> list[str]:
        """The ts of every message marked `id` that stands there, oldest first; more than one is one too many."""

    async def edit(self, channel: str, ts: str, text: str, blocks: Sequence[Block]) -> None:
        """Change a message in place; nobody is notified."""

    async def delete(self, channel: str, ts: str) -> None:
        """Take a message away; one that is gone already is fine."""

    async def pin(self, channel: str, ts: str) -> None:
        """Pin a message; pinned already is fine."""

    async def bookmark(self, channel: str, title: str, ts: str, look: bool) -> None:
        """Put a link to a message into the channel's bookmarks; `look`: one of that title may stand there already."""

    async def upload(self, name: str, content: str) -> str:
        """Hand a text file over, seen by nobody yet; the answer is its id."""

    async def share(self, channel: str, thread: str, file: str, title: str) -> str:
        """Put the file into the channel; its address, empty where Slack tells none."""

    async def discard(self, file: str) -> None:
        """Delete a file of the bot's; one that is gone already is fine."""

    async def find_file(self, channel: str, file: str, since: datetime) -> str | None:
        """The address of the file that stands in the channel, empty where Slack tells none; None where none stands."""


@dataclass(frozen=True)
class Publication:
    """Where a public text stands now."""

    where: str
    reference: str = ""
    link: str = ""


class Publisher(Protocol):
    """A place where customers read. A post there cannot be taken back."""

    name: str

    async def publish(self, text: str, id: str) -> Publication:
        """Make it public. Raises CallRefused, RetryAfter or OutcomeUnknown."""

    async def find(self, id: str, since: datetime) -> Publication | None:
        """Where the text marked `id` stands, if it does. Raises CallRefused or RetryAfter where that cannot be told."""


@dataclass(frozen=True)
class Installation:
    """One workspace that let the bot in. `installed_at` tells it from an earlier installation there."""

    team: str
    token: str = field(repr=False)  # empty once it is revoked
    bot_user: str
    scopes: str
    installed_by: str
    installed_at: datetime
    enterprise: str = ""
    revoked_at: datetime | None = None


class Installations(Protocol):
    """Who let the bot in, with tokens that are encrypted where they are kept."""

    async def all(self) -> Sequence[Installation]:
        """Every workspace that ever did, the revoked ones among them. Raises where a token cannot be decrypted."""

    async def one(self, team: str) -> Installation | None:
        """That of one workspace, revoked or not."""

    async def save(self, installation: Installation) -> None:
        """Keep it in place of any earlier one; what waits for that workspace goes on at `installed_at`."""

    async def revoke(self, installation: Installation, at: datetime) -> bool:
        """Forget the token. False where it was revoked already, or the workspace has installed the bot anew."""

    async def save_oauth_state(self, state: str, cookie: str, team: str, now: datetime) -> bool:
        """Remember that somebody was sent to Slack; False where too many have not come back yet."""

    async def consume_oauth_state(self, state: str, cookie: str, now: datetime) -> str | None:
        """The workspace that was asked for ("": any), once; None where nobody was sent so, or too long ago."""
