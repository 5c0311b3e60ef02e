"""`bot redact`: words that were pasted by accident are taken out of an incident's record and of what shows it.

It prints what it did, and everything that it could not do and a person has to: whatever is not the bot's to change.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import typer
from sqlalchemy import select

from bot.clock import SystemClock
from bot.config import Settings
from bot.domain import redaction
from bot.domain.actor import Actor
from bot.domain.effect import Effect, EffectKind
from bot.domain.errors import Conflict, Refused
from bot.domain.events import CommsDrafted, Entry
from bot.domain.incident import DraftState, Incident
from bot.domain.policy import Policy
from bot.domain.redaction import RedactedWords, RedactionMatch
from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.reconciler.plan import publish_key
from bot.reports.timeline import format_entry
from bot.slack.outbound.web_api import web_client
from bot.slack.workspace.message_search import ExposedMessage, MessageSearch
from bot.store import SqlStore, StoreRefused, backup
from bot.store.redaction import RedactionResult, purge_free_space, redact
from bot.store.tables import incidents
from bot.token_commands import list_installations

EXIT_OK, EXIT_NOT_DONE = 0, 2
#: characters of an entry that are shown before the question
MAX_PREVIEW_CHARS = 160


@dataclass(frozen=True)
class RedactRequest:
    """What is asked for. `agreed` asks a person who has seen where the words stand."""

    number: int
    secret: RedactedWords
    reason: str
    by: Actor
    team: str = ""
    public_too: bool = False
    backups: Path | None = None
    agreed: Callable[[], bool] = field(default=lambda: True)


@dataclass(frozen=True)
class SlackMatches:
    """Where the words stand in Slack, as far as could be looked."""

    ours: tuple[ExposedMessage, ...] = ()
    theirs: tuple[ExposedMessage, ...] = ()
    notices: tuple[ExposedMessage, ...] = ()
    public: tuple[ExposedMessage, ...] = ()
    blind: tuple[str, ...] = ()
    #: why nothing could be looked for
    away: str = ""


def read_request(
    incident: str, find: str, reason: str, by: Actor, team: str, public_too: bool, backups: Path | None, yes: bool
) -> RedactRequest:
    """What was typed, and the words: from standard input, or asked for without showing them.

    Raises typer.BadParameter for what cannot be.
    """
    if not (number := incident.upper().removeprefix("INC-")).isdecimal():
        raise typer.BadParameter("Name the incident: INC-7.")
    if find not in ("", "-"):
        # A shell keeps what was typed, and everybody on the machine sees a process's arguments.
        raise typer.BadParameter("The words are not taken from the command line: leave --find out, or pipe into -.")
    if find and not yes:
        raise typer.BadParameter("With --find - nobody can be asked: add --yes.")
    text = sys.stdin.read() if find else typer.prompt("The words to take out (not shown)", hide_input=True)
    try:
        secret = RedactedWords(text)
    except Refused as refused:
        raise typer.BadParameter(str(refused)) from None
    agreed = (lambda: True) if yes else lambda: typer.confirm("Redact them for good?")
    return RedactRequest(int(number), secret, reason, by, team, public_too, backups, agreed)


def run(settings: Settings, wish: RedactRequest) -> int:
    """Do it; the exit status. Raises StoreRefused."""
    try:
        left = asyncio.run(_run(settings, wish))
    except Refused as refused:
        print(str(refused), file=sys.stderr)
        return EXIT_NOT_DONE
    if left is None:
        return EXIT_OK
    print(purge_free_space(settings.database_url))
    if left:
        print("Left for you:")
        for one in left:
            print(f"  - {one}")
    return EXIT_OK


async def _run(settings: Settings, wish: RedactRequest) -> list[str] | None:
    """What is left for a person; None where they said no."""
    store = SqlStore.open(settings.database_url, settings.chain_key.get_secret_value().encode())
    try:
        id = await _find(store, wish)
        incident = await store.incident(id)
        assert incident is not None
        entries = await store.entries(id)
        effects = await store.effects(id)
        hits = redaction.find_matches(incident, entries, wish.secret)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            looker = await _looker(settings, session, await _token(settings, incident.team))
            seen = await _seen(looker, incident, entries, effects, wish.secret)
            _show(incident, hits, seen)
            if hits and not wish.agreed():
                print("Nothing was changed.")
                return None
            _tell(await _write(store, id, wish))
            seen = await _without_digests(looker, store, incident.team, seen)
            public, gone = await _public(looker, incident, effects, hits, seen, wish.public_too)
        for link in gone:
            print(f"Taken back: {link}")
        left = [*_left(incident, seen, public, bool(hits))]
        if hits:
            left += _backups(min(hit.event.at for hit in hits), wish.backups or settings.backup_dir)
            left.append("Replace the secret itself where it is used: whoever read the channel has read it.")
        return left
    finally:
        await store.close()


async def _find(store: SqlStore, wish: RedactRequest) -> str:
    """The incident's id. Raises StoreRefused where it is not there, or where several workspaces have that number."""
    wanted = select(incidents.c.id, incidents.c.team_id).where(incidents.c.number == wish.number)
    if wish.team:
        wanted = wanted.where(incidents.c.team_id == wish.team)
    rows = await store.write(lambda tx: tx.connection.execute(wanted).all())
    if not rows:
        raise StoreRefused(f"There is no INC-{wish.number} in this database.")
    if len(rows) > 1:
        raise StoreRefused(f"Say which workspace with --team: {', '.join(row.team_id for row in rows)}.")
    return str(rows[0].id)


async def _write(store: SqlStore, id: str, wish: RedactRequest) -> RedactionResult:
    for attempt in range(5):
        try:
            return await store.write(
                lambda tx: redact(
                    tx, id, wish.secret, reason=wish.reason, public_too=wish.public_too, by=wish.by,
                    now=SystemClock().now(),
                )
            )  # fmt: skip
        except Conflict:  # the running bot wrote first: look again
            if attempt == 4:
                raise
    raise AssertionError("unreachable")


# -- Slack ----------------------------------------------------------------------------------------------


async def _token(settings: Settings, team: str) -> str:
    """The token of a workspace; empty where there is none (any more)."""
    if settings.slack_bot_token is not None:
        return settings.slack_bot_token.get_secret_value()
    return next((one.token for one in await list_installations(settings) if one.team == team), "")


async def _looker(settings: Settings, session: aiohttp.ClientSession, token: str) -> MessageSearch | None:
    if not token:
        return None
    looker = MessageSearch(web_client(token, settings.slack_api_url, session))
    try:
        await looker.auth_test()
    except (CallRefused, RetryAfter, OutcomeUnknown):
        return None
    return looker


async def _seen(
    looker: MessageSearch | None,
    incident: Incident,
    entries: Sequence[Entry],
    effects: Sequence[Effect],
    secret: RedactedWords,
) -> SlackMatches:
    if looker is None:
        return SlackMatches(away="Slack did not answer")
    places: dict[str, set[str]] = {incident.channel: set()} if incident.channel else {}
    for one in effects:
        if one.channel:
            places.setdefault(one.channel, set()).update(filter(None, (one.ts, one.thread_ts)))
    moments = [one.noted.happened for one in incident.notes]
    moments += [one.event.at for one in entries[:1] if one.event]
    since = min(moments, default=incident.declared_at or SystemClock().now())
    found, blind = await looker.search(
        places,
        since,
        lambda said: secret.found_in(said) or secret.found_in_channel_name(said),
        whole_channels={incident.channel},
    )
    published = {(one.channel, one.ts) for one in effects if one.kind is EffectKind.PUBLISH}
    public = [one for one in found if (one.channel, one.ts) in published]
    rest = [one for one in found if one not in public]
    return SlackMatches(
        ours=tuple(one for one in rest if one.by_bot and not one.is_channel_notice),
        theirs=tuple(one for one in rest if not one.by_bot and not one.is_channel_notice),
        notices=tuple(one for one in rest if one.is_channel_notice),
        public=tuple(public),
        blind=tuple(blind),
    )


async def _without_digests(
    looker: MessageSearch | None, store: SqlStore, team: str, seen: SlackMatches
) -> SlackMatches:
    """Digests that told the words are deleted: they tell of a day that is over, so nobody edits them."""
    workspace = await store.workspace(team)
    if looker is None or workspace is None:
        return seen
    rows = await store.workspace_effects(workspace)
    digests = {(one.channel, one.ts) for one in rows if one.kind is EffectKind.MESSAGE and one.ts}
    told = [one for one in seen.ours if (one.channel, one.ts) in digests]
    gone = [one for one in told if await looker.delete(one.channel, one.ts)]
    for one in gone:
        print(f"Taken back: {one.link}, a digest")
    return replace(seen, ours=tuple(one for one in seen.ours if one not in gone))


async def _public(
    looker: MessageSearch | None,
    incident: Incident,
    effects: Sequence[Effect],
    hits: Sequence[RedactionMatch],
    seen: SlackMatches,
    too: bool,
) -> tuple[list[str], list[str]]:
    """What customers can read: (what still stands, what was taken back), by address."""
    told = {hit.event.draft for hit in hits if isinstance(hit.event, CommsDrafted)}
    places = {(one.channel, one.ts): one.link for one in seen.public}
    standing: list[str] = []
    for name in told:
        draft = incident.drafts.get(name)
        if draft is None or draft.state not in (DraftState.PUBLISHED, DraftState.UNCERTAIN):
            continue
        sent = next((one for one in effects if one.key == publish_key(name) and one.ts), None)
        if sent is None:
            standing.append(draft.link or draft.where or f"the text {name}, wherever it was posted")
        else:
            places.setdefault((sent.channel, sent.ts), draft.link)
    gone: list[str] = []
    for (channel, ts), link in places.items():
        taken = too and looker is not None and await looker.delete(channel, ts)
        (gone if taken else standing).append(link)
    return standing, gone


# -- words ----------------------------------------------------------------------------------------------


def _show(incident: Incident, hits: Sequence[RedactionMatch], seen: SlackMatches) -> None:
    if not hits:
        print(f"No entry of {incident.name} holds these words.")
    else:
        print(f"{incident.name} holds these words in {_many(len(hits), 'entry', 'entries')}:")
    for hit in hits:
        said = format_entry(Entry(hit.seq, hit.left), {}, policy=Policy()) or type(hit.event).__name__
        print(f"  {hit.seq:>4}  {hit.event.at:%Y-%m-%d %H:%M} UTC  {said[:MAX_PREVIEW_CHARS]}")
    if seen.away:
        print(f"In Slack nothing was looked for: {seen.away}.")
        return
    print(
        f"In Slack they stand in {_many(len(seen.ours), 'message', 'messages')} of the bot and in "
        f"{_many(len(seen.theirs), 'message', 'messages')} of people."
    )


def _tell(blanked: RedactionResult) -> None:
    rows = sum(blanked.rows.values())
    beside = f", and {_many(rows, 'row', 'rows')} beside them" if rows else ""
    if blanked.hits or rows:
        print(f"Redacted {_many(len(blanked.hits), 'entry', 'entries')} of {blanked.incident.name}{beside}.")
    if not blanked.hits:
        return
    follows = ["edits its messages"]
    if blanked.redacted is not None:
        if blanked.redacted.channel_name:
            follows.append(f"renames the channel to #{blanked.redacted.channel_name}")
        if blanked.redacted.files:
            follows.append("replaces the postmortem's file")
    print(f"The running bot {', '.join(follows)} now. Run this again in a minute to see that nothing is left.")


def _left(incident: Incident, seen: SlackMatches, public: Sequence[str], redacted: bool) -> Iterator[str]:
    if incident.channel_lost and seen.ours:
        yield f"The bot cannot edit in #{incident.channel_name} ({incident.channel_lost}): unarchive it, or let it in."
    elif not redacted:  # what was redacted now is edited in a moment
        for one in seen.ours:
            yield f"{one.link} is the bot's and still shows the words: delete it if that stays so."
    for one in seen.theirs:
        yield f"{one.link} is somebody's own message: its author or an administrator deletes it."
    for one in seen.notices:
        yield f"{one.link} is Slack's own notice about the channel: an administrator deletes it."
    for link in public:
        yield f"{link} was published to customers and still stands; --public-too takes back what stands in Slack."
    for channel in seen.blind:
        yield f"The bot cannot read {channel}: look there yourself."
    if seen.away:
        yield f"Look in Slack yourself, or run this again: {seen.away}."


def _backups(since: datetime, folder: Path | None) -> Iterator[str]:
    """Backups from between the first entry with the words and now."""
    if folder is None:
        yield (
            f"Every backup and export made since {since:%Y-%m-%d %H:%M} UTC holds the words (--backups FOLDER names "
            "them), and so does what `restore` moved aside."
        )
        return
    for one in sorted(backup.backups(folder)):
        if datetime.fromtimestamp(one.stat().st_mtime, UTC) >= since:
            yield f"{one} holds the words: delete it, or redact again after restoring it."
    yield f"So does every copy made since {since:%Y-%m-%d %H:%M} UTC elsewhere, exports and what `restore` moved aside."


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
