"""Who is who: people, groups and channels of the workspace, from a cache that is filled before anyone asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.actor import Actor, ActorKind
from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.slack.outbound.web_api import api_call, next_cursor, pages
from bot.slack.workspace import directory_store, policy_channels
from bot.slack.workspace.directory_store import BOT_ROW_ID, DirectoryStore, RowBody, SlackUser
from bot.slack.workspace.known_people import KnownPeople
from bot.slack.workspace.method_reads import MethodReads
from bot.slack.workspace.policy_channels import PolicyChannels

log = structlog.get_logger(__name__)

IDENTITY_METHOD, PEOPLE_METHOD, GROUPS_METHOD = "auth.test", "users.list", "usergroups.list"
#: seconds for which a start, and each look after it, waits for Slack's lists; reading them goes on after that
READ_WAIT_SECONDS = 2.0
#: people who are asked about one by one in one look, while Slack does not list them
MAX_PEOPLE_ASKED = 50


def _unknown(user: str) -> SlackUser:
    """Somebody about whom Slack could not be asked; not kept, so that they are asked about again."""
    return SlackUser(user, "", user, ActorKind.UNKNOWN)


async def nobody_told(gone: frozenset[str]) -> bool:
    """Nobody waits to be told."""
    return True


class Directory(KnownPeople):
    """The cache. `warm` fills it; a miss asks Slack once; while Slack is away what is known stays in force.

    Only `auth.test` has to answer: what Slack does not list is learned later, each list by itself (`retry_unread`).
    With a `store` it outlives a restart: `warm_or_restore` then does without Slack. What one replica is told it keeps
    there, and the others `reload_stored` it.
    """

    def __init__(self, client: AsyncWebClient, store: DirectoryStore | None = None) -> None:
        super().__init__()
        self._client = client
        self._store = store
        self._stored_rows: dict[str, RowBody] = {}  # the rows as they stand in the memory
        self.reads = MethodReads(client)
        self._channels = PolicyChannels(client, self.reads)
        #: whether Slack has said in this life who we are
        self._identified = False
        self._receiving = False  # whether deliveries are heard
        self._cursor = ""  # the page of people that Slack did not give yet
        self._reading: asyncio.Task[None] | None = None
        self._groups_lock = asyncio.Lock()
        #: what is learned and what stands in the memory change together
        self._lock = asyncio.Lock()
        #: told when people or groups may be others than they were
        self.on_change: Callable[[], None] = lambda: None
        #: told when a channel of policy was found, and which ones were deleted; again until it answers that this was
        #: attended
        self.on_channels_change: Callable[[frozenset[str]], Awaitable[bool]] = nobody_told
        self.bot_user = ""
        self.bot_id = ""
        self.app_id = ""
        self.workspace_url = ""
        self._groups_updated: dict[str, int] = {}  # id -> Slack's time of the last change that is known
        self._lookups: dict[str, asyncio.Task[SlackUser | None]] = {}

    # -- the start ----------------------------------------------------------------------------------

    async def warm(self, channels: Iterable[str] = ()) -> None:
        """Learn who we are, and then all that Slack tells of the people, the groups and the channels of these names.

        Raises RetryAfter or OutcomeUnknown where Slack does not say who we are, CallRefused where it refuses us.
        """
        self._channels.names = frozenset(channels)
        await self._identify()
        await self._catch_up(self._methods)

    async def warm_or_restore(self, channels: Iterable[str] = ()) -> None:
        """Learn who we are, and wait shortly for the rest; while Slack is away, be as things were when it last told.

        Raises RetryAfter or OutcomeUnknown where we were never told who we are, CallRefused where Slack refuses us.
        """
        self._channels.names = frozenset(channels)
        try:
            await self._identify()
        except (RetryAfter, OutcomeUnknown) as error:
            if not await self._restore():
                raise
            log.warning("directory.recalled", team=self.team, people=len(self._people), error=str(error))
        else:
            await self._read_within(READ_WAIT_SECONDS, self._methods)

    async def _identify(self) -> None:
        me = await self.reads.call(IDENTITY_METHOD)
        self.team, self.bot_user, self.bot_id = me["team_id"], me["user_id"], me.get("bot_id", "")
        self.workspace_url = me.get("url", "")
        if not self._stored_rows:
            await self._load()
        await self._save_all()
        self._identified = True

    async def _restore(self) -> bool:
        if self._store is None:
            return False
        found = (await self._store.load("")).get(directory_store.token_row_id(self._client.token or ""), {})
        self.team = str(found.get("team", ""))
        if self.team:
            await self._load()
        me = self._stored_rows.get(BOT_ROW_ID)
        if me is None:
            return False
        self.bot_user, self.bot_id, self.workspace_url = str(me["bot_user"]), str(me["bot_id"]), str(me["url"])
        return True

    async def _load(self) -> None:
        """People, groups and channels as they were."""
        if self._store is None:
            return
        rows = self._stored_rows = dict(await self._store.load(self.team))
        self._people = directory_store.users_in(rows) | self._people
        self._groups = self._groups or directory_store.groups_in(rows)
        if (me := rows.get(BOT_ROW_ID)) is not None:
            self.app_id = self.app_id or str(me.get("app", ""))
            self._channels.ids = dict(me.get("channels") or {})
            # Before this was written down, nothing was kept until all had been read.
            self.reads.known |= set(me.get("read", self._methods))

    async def _save_all(self) -> None:
        """Keep everything in the memory that differs from what stands there."""
        async with self._lock:
            rows: dict[str, RowBody] = {id: {} for id in self._stored_rows if id.startswith("S")}  # those no more
            rows |= {id: directory_store.group_row(*group) for id, group in self._groups.items()}
            rows |= {id: directory_store.user_row(person) for id, person in self._people.items()}
            await self._save(rows | self._bot_row())

    def _bot_row(self) -> dict[str, RowBody]:
        row = {
            "bot_user": self.bot_user, "bot_id": self.bot_id, "app": self.app_id, "url": self.workspace_url,
            "channels": dict(self._channels.ids), "read": sorted(self.reads.known),
        }  # fmt: skip
        return {BOT_ROW_ID: row}

    async def _save(self, rows: Mapping[str, RowBody]) -> None:
        """Never raises: the cache itself is in force."""
        if self._store is None or not self.team:
            return
        new = {id: body for id, body in rows.items() if self._stored_rows.get(id) != body}
        try:
            if new.keys() & {BOT_ROW_ID}:
                await self._store.save(
                    "", {directory_store.token_row_id(self._client.token or ""): {"team": self.team}}
                )
            if new:
                await self._store.save(self.team, new)
                self._stored_rows |= new
        except Exception as error:
            # Away, or another replica keeps the same rows at this moment: the next look keeps them.
            log.warning("directory.not_kept", error=type(error).__name__)

    async def reload_stored(self) -> None:
        """Another replica was told something by Slack, and kept it: be as it stands there."""
        if self._store is None or not self.team:
            return
        async with self._lock:
            rows = dict(await self._store.load(self.team))
            changed = {id for id in rows.keys() | self._stored_rows.keys() if rows.get(id) != self._stored_rows.get(id)}
            self._stored_rows = rows
            for person in directory_store.users_in({id: rows[id] for id in changed & rows.keys()}).values():
                self._put(person)
            if any(id.startswith("S") for id in changed):
                self._groups = directory_store.groups_in(rows)
            if BOT_ROW_ID in changed and (me := rows.get(BOT_ROW_ID)) is not None:
                self._channels.restore(me.get("channels") or {})
                self.app_id = self.app_id or str(me.get("app", ""))
                self.reads.known |= set(me.get("read") or ())
        if changed:
            self.on_change()
            await self._attend_channels()

    async def close(self) -> None:
        """Ask Slack nothing more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    # -- reading ------------------------------------------------------------------------------------

    @property
    def _methods(self) -> tuple[str, ...]:
        return PEOPLE_METHOD, GROUPS_METHOD, policy_channels.LIST_METHOD

    async def refresh(self) -> None:
        """Read people and groups anew, and look for channels of policy that are missing; what cannot be read stays as
        it was, and `retry_unread` reads it."""
        self._not_found.clear()
        due = self._methods if self._channels.needs_reading else (PEOPLE_METHOD, GROUPS_METHOD)
        await self._read_within(READ_WAIT_SECONDS, due)

    async def retry_unread(self) -> None:
        """Ask again for what Slack could not tell, and do what is left to do about channels."""
        due = tuple(method for method in self._methods if method in self.reads.failures)
        if due or not self._identified or self._unlisted or self._channels.needs_attention:
            await self._read_within(READ_WAIT_SECONDS, due)

    async def join_channels(self) -> None:
        """Be in the channels of policy. Slack tells of it at once, so this is for when its deliveries are heard."""
        self._receiving = True
        await self._read_within(READ_WAIT_SECONDS, ())

    async def _read_within(self, seconds: float, methods: Iterable[str]) -> None:
        """Read with these methods, and wait so long for it; what takes longer goes on."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=seconds)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._catch_up(methods), name="read the workspace")
        await asyncio.wait({self._reading}, timeout=max(0.0, until - loop.time()))

    async def _catch_up(self, methods: Iterable[str]) -> None:
        """Read with these methods, all at the same time, and do what follows from it. Never raises."""
        try:
            if not self._identified:
                await self._identify()
                methods = self._methods
            readers = {
                PEOPLE_METHOD: self._read_people,
                GROUPS_METHOD: self._read_groups,
                policy_channels.LIST_METHOD: self._read_channels,
            }
            await asyncio.gather(*(readers[method]() for method in methods))
            await self._ask_unlisted()
            await self._attend_channels()
            await self._save_all()
        except (CallRefused, RetryAfter, OutcomeUnknown) as error:
            log.warning("directory.not_read", method=IDENTITY_METHOD, error=str(error))
        except Exception:
            log.exception("directory.failed")

    async def _read_people(self) -> None:
        """Page by page; after a pause from the page on that Slack did not give, as it gives so many a minute."""

        async def read() -> None:
            try:
                async for page in pages(self.reads.call, PEOPLE_METHOD, cursor=self._cursor, limit=200):
                    async with self._lock:
                        people = [self.put_user(user) for user in page["members"]]
                        await self._save({one.id: directory_store.user_row(one) for one in people})
                    for user in page["members"]:
                        self._learn_app(user)
                    self._cursor = next_cursor(page)
            except CallRefused:
                self._cursor = ""
                raise
            finally:
                self.on_change()

        await self.reads.attempt(PEOPLE_METHOD, read)

    def _learn_app(self, user: Mapping[str, Any]) -> None:
        if user.get("id") == self.bot_user:
            self.app_id = str((user.get("profile") or {}).get("api_app_id") or self.app_id)

    async def _read_groups(self) -> None:
        async with self._groups_lock:
            await self.reads.attempt(GROUPS_METHOD, self._list_groups)
        self.on_change()

    async def _list_groups(self) -> None:
        answer = await self.reads.call(GROUPS_METHOD, include_users=True)
        self._groups = directory_store.groups_from_payload(answer["usergroups"])
        self._groups_updated = {str(one["id"]): int(one.get("date_update") or 0) for one in answer["usergroups"]}

    async def _read_channels(self) -> None:
        await self.reads.attempt(policy_channels.LIST_METHOD, self._channels.read)

    async def _ask_unlisted(self) -> None:
        """Ask for people one by one: those who were asked for and are in no list yet, and our own app's user."""
        asked = [self.bot_user] if not self.app_id and PEOPLE_METHOD in self.reads.failures else []
        asked += [user for user in self._unlisted if user not in self._people]
        self._unlisted.clear()
        learned = False
        for number, user in enumerate(asked[: MAX_PEOPLE_ASKED + 1]):
            person = await self._ask(user)
            if person is not None and person.kind is ActorKind.UNKNOWN:  # Slack does not tell; the next look asks
                self._unlisted |= dict.fromkeys(one for one in asked[number:] if one != self.bot_user)
                break
            if person is None:
                self._not_found.add(user)
            learned = True
        self._unlisted |= dict.fromkeys(asked[MAX_PEOPLE_ASKED + 1 :])
        if learned:
            self.on_change()

    async def _attend_channels(self) -> None:
        """Be in the channels of policy, and tell of those that were found."""
        if not self._receiving:
            return
        await self._channels.join()
        if not self._channels.changed:
            return
        gone, self._channels.gone, self._channels.changed = self._channels.gone, frozenset(), False
        if await self.on_channels_change(gone):
            await self._save_all()  # after that: a crash in between tells of it once more
        else:
            self._channels.gone, self._channels.changed = self._channels.gone | gone, True

    # -- what Slack tells ---------------------------------------------------------------------------

    async def apply_channel_event(self, id: str, name: str = "") -> None:
        """A channel was made, renamed, unarchived or entered; `name` where the event says it."""
        await self._channels.learn(id, name)
        await self._attend_channels()

    async def apply_channel_deleted(self, id: str) -> None:
        """A channel is gone for good."""
        self._channels.deleted(id)
        await self._attend_channels()

    async def apply_group_event(self, event: Mapping[str, Any]) -> None:
        """A user group was made or changed. Slack is asked for all of them, unless the event says what is known;
        while it does not answer, the event counts."""
        async with self._groups_lock:
            told = directory_store.apply_group_event(self._groups, event)
            if told == self._groups:
                return
            if not await self.reads.attempt(GROUPS_METHOD, self._list_groups) and told is not None:
                id, updated = directory_store.group_update_of(event)
                if updated >= self._groups_updated.get(id, 0):  # else it comes late, and more is known by now
                    self._groups, self._groups_updated[id] = told, updated
        self.on_change()
        await self._ask_unlisted()
        await self._save_all()

    async def apply_user_event(self, user: Mapping[str, Any]) -> None:
        """Learn what an event says, for after a restart and for other replicas too."""
        async with self._lock:
            known = self._people.get(str(user.get("id", "")))
            person = self.put_user(user)
            await self._save({person.id: directory_store.user_row(person)})
        if person != known:
            self.on_change()

    @property
    def missing_channels(self) -> tuple[str, ...]:
        """The names of policy that no channel bears, as far as is known."""
        return self._channels.missing

    def channel(self, name: str) -> str:
        """The id of a channel of policy, or empty where there is none."""
        return self._channels.id_of(name)

    async def user(self, user: str) -> SlackUser | None:
        """A person by id, from the cache or from Slack; None where there is no such person."""
        if (known := self._people.get(user)) is not None:
            return known
        if user not in self._lookups:
            self._lookups[user] = asyncio.create_task(self._ask(user))
        try:
            return await asyncio.shield(self._lookups[user])
        finally:
            self._lookups.pop(user, None)

    async def _ask(self, user: str) -> SlackUser | None:
        try:
            answer = await api_call(self._client, "users.info", form_encoded=True, user=user)
        except CallRefused as refusal:
            return None if refusal.code in ("user_not_found", "user_not_visible") else _unknown(user)
        except (RetryAfter, OutcomeUnknown):
            return _unknown(user)
        found = answer.get("user")
        if not isinstance(found, Mapping):
            return _unknown(user)
        self._learn_app(found)
        return self.put_user(found)

    async def actor(self, user: str, team: str = "") -> Actor:
        """Who acts, for policy. Nobody knows them: a stranger, who may do nothing."""
        person = self._people.get(user) or await self.user(user)
        if person is None:
            return Actor(team=self.team, user=user, name=user, kind=ActorKind.STRANGER)
        kind = person.kind
        # On Enterprise Grid a home may be another workspace of the organisation: `user_from_payload` has judged that.
        if team and team not in (self.team, person.team) and kind not in (ActorKind.BOT, ActorKind.UNKNOWN):
            kind = ActorKind.STRANGER
        return Actor(
            team=self.team,
            user=user,
            name=person.name,
            kind=kind,
            groups=self.groups_of(user),
            groups_known=GROUPS_METHOD in self.reads.known,
            tz_offset=person.tz_offset,
        )
