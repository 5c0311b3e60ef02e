"""Who is who: people, groups and channels of the workspace, from a cache that is filled before anyone asks."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.actor import Actor, ActorKind
from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.slack.outbound.web_api import api_call, next_cursor, pages
from bot.slack.workspace import directory_store
from bot.slack.workspace.directory_store import BOT_ROW_ID, DirectoryStore, RowBody, SlackUser, UserGroups

log = structlog.get_logger(__name__)

_MENTION = re.compile(r"<(?:@|!subteam\^)(?P<id>[A-Z0-9]+)(?:\|[^>]*)?>")


def _unknown(user: str) -> SlackUser:
    """Somebody about whom Slack could not be asked; not kept, so that they are asked about again."""
    return SlackUser(user, "", user, ActorKind.UNKNOWN)


class Directory:
    """The cache. `warm` fills it; a miss asks Slack once; while Slack is away what is known stays in force.

    With a `store` it outlives a restart: `warm_or_restore` then does without Slack. What one replica is told it keeps
    there, and the others `reload_stored` it.
    """

    def __init__(self, client: AsyncWebClient, store: DirectoryStore | None = None) -> None:
        self._client = client
        self._store = store
        self._stored_rows: dict[str, RowBody] = {}  # the rows as they stand in the memory
        self._wanted: frozenset[str] | None = None  # channels that `warm_or_restore` was to learn
        self._warm = False
        self._unjoined: dict[str, str] = {}  # id -> name of channels that we are to be in
        self._incomplete = False  # whether Slack could not tell something when it was last asked
        self._retry_at = 0.0  # the loop's time before which Slack wants to hear nothing
        self._cursor = ""  # the page of people that Slack did not give yet
        #: what is learned and what stands in the memory change together
        self._lock = asyncio.Lock()
        #: told when people or groups may be others than they were
        self.on_change: Callable[[], None] = lambda: None
        self._deactivated: dict[str, None] = {}  # whose accounts were deactivated since somebody asked
        self.team = ""
        self.bot_user = ""
        self.bot_id = ""
        self.app_id = ""
        self.workspace_url = ""
        self._people: dict[str, SlackUser] = {}
        self._groups: UserGroups = {}  # id -> (handle, members)
        self._channels: dict[str, str] = {}  # name -> id
        self._lookups: dict[str, asyncio.Task[SlackUser | None]] = {}

    async def warm(self, channels: Iterable[str] = ()) -> None:
        """Learn who we are, the people, the groups, and the channels of these names.

        Raises RetryAfter or OutcomeUnknown where that is not known from before either, and CallRefused where Slack
        refuses us.
        """
        me = await self._call("auth.test")
        self.team, self.bot_user, self.bot_id = me["team_id"], me["user_id"], me.get("bot_id", "")
        self.workspace_url = me.get("url", "")
        if not self._stored_rows:
            await self._load()
        await self._read()
        await self._learn_channels(frozenset(channels))
        async with self._lock:
            await self._save_all()
        self._warm = True

    async def warm_or_restore(self, channels: Iterable[str] = ()) -> None:
        """`warm`, or, while Slack is away, be as things were when it last told; `refresh` then catches up.

        Raises RetryAfter or OutcomeUnknown where nothing is known from before, CallRefused where Slack refuses us.
        """
        self._wanted = frozenset(channels)
        try:
            await self.warm(self._wanted)
        except (RetryAfter, OutcomeUnknown) as error:
            if not await self._restore():
                raise
            log.warning("directory.recalled", team=self.team, people=len(self._people), error=str(error))

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
        self.bot_user, self.bot_id = str(me["bot_user"]), str(me["bot_id"])
        self.app_id, self.workspace_url = str(me["app"]), str(me["url"])
        self._channels = dict(me["channels"])
        return True

    async def _load(self) -> None:
        """People and groups as they were. Who we are, and which channels there are, `warm` asks Slack itself."""
        if self._store is None:
            return
        rows = self._stored_rows = dict(await self._store.load(self.team))
        self._people = directory_store.users_in(rows) | self._people
        self._groups = self._groups or directory_store.groups_in(rows)

    async def _save_all(self) -> None:
        """Keep everything in the memory that differs from what stands there."""
        me = {
            "bot_user": self.bot_user, "bot_id": self.bot_id, "app": self.app_id, "url": self.workspace_url,
            "channels": self._channels,
        }  # fmt: skip
        rows: dict[str, RowBody] = {id: {} for id in self._stored_rows if id.startswith("S")}  # those that are no more
        rows |= {id: directory_store.group_row(*group) for id, group in self._groups.items()}
        rows |= {id: directory_store.user_row(person) for id, person in self._people.items()}
        rows[BOT_ROW_ID] = me
        await self._save(rows)

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
            # Away, or another replica keeps the same rows at this moment: the next refresh keeps them.
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
        if changed:
            self.on_change()

    def deactivated_users(self) -> tuple[str, ...]:
        """Whose accounts were deactivated and not `deactivations_handled` yet, also while the bot did not run."""
        return tuple(self._deactivated)

    def deactivations_handled(self, users: Iterable[str]) -> None:
        """What these people held is free."""
        for user in users:
            self._deactivated.pop(user, None)

    async def refresh(self) -> None:
        """Read people and groups anew; what cannot be read stays as it was, and `retry_unread` reads it."""
        with contextlib.suppress(CallRefused, RetryAfter, OutcomeUnknown):
            if self._wanted is not None and not self._warm:
                await self.warm(self._wanted)
                await self.join_channels()
                return
            await self._read()
            async with self._lock:
                await self._save_all()

    async def retry_unread(self) -> None:
        """Ask again for what Slack could not tell, once it wants to hear of us again."""
        if self._incomplete or (self._wanted is not None and not self._warm):
            await self.refresh()
        elif self._unjoined:
            await self.join_channels()

    async def _call(self, method: str, **arguments: Any) -> Any:
        """A call that reads; while Slack wants to hear nothing there is none.

        Raises CallRefused, RetryAfter, OutcomeUnknown.
        """
        loop = asyncio.get_running_loop()
        if (wait := self._retry_at - loop.time()) > 0:
            raise RetryAfter(wait)
        try:
            return await api_call(self._client, method, form_encoded=True, **arguments)
        except RetryAfter as error:
            self._retry_at = loop.time() + error.seconds
            raise

    @property
    def _known(self) -> bool:
        """Whether people and groups were read once, now or before a restart."""
        return self._warm or BOT_ROW_ID in self._stored_rows

    async def _read(self) -> None:
        """People, then groups. Raises RetryAfter or OutcomeUnknown where nothing is known from before."""
        self._incomplete = False
        try:
            await self._read_people()
            await self._read_groups()
        except CallRefused as refusal:  # a scope is missing: `bot doctor` says so
            log.warning("directory.not_read", error=refusal.code)
        except (RetryAfter, OutcomeUnknown) as error:
            self._incomplete = True
            if not self._known:
                raise
            log.warning("directory.not_read", error=str(error))
        self.on_change()

    async def _read_people(self) -> None:
        """Page by page; after a pause from the page on that Slack did not give, as it gives so many a minute."""
        try:
            async for page in pages(self._call, "users.list", cursor=self._cursor, limit=200):
                async with self._lock:
                    people = [self.put_user(user) for user in page["members"]]
                    await self._save({one.id: directory_store.user_row(one) for one in people})
                ours = (user for user in page["members"] if user["id"] == self.bot_user)
                for user in ours:
                    self.app_id = (user.get("profile") or {}).get("api_app_id") or self.app_id
                self._cursor = next_cursor(page)
        except CallRefused as refusal:
            self._cursor = ""
            log.warning("directory.people_not_read", error=refusal.code)

    async def _read_groups(self) -> None:
        answer = await self._call("usergroups.list", include_users=True)
        self._groups = {
            one["id"]: (one["handle"], frozenset(one.get("users") or ()))
            for one in answer["usergroups"]
            if not one.get("date_delete")
        }

    async def _learn_channels(self, names: frozenset[str]) -> None:
        if not (left := set(names)):
            return
        types = "public_channel,private_channel"
        found = pages(self._call, "conversations.list", types=types, exclude_archived=True, limit=200)
        async with contextlib.aclosing(found) as channels:
            async for page in channels:
                for one in page["channels"]:
                    if one["name"] in left:
                        left.discard(one["name"])
                        self._channels[one["name"]] = one["id"]
                        if not one.get("is_member"):
                            self._unjoined[one["id"]] = one["name"]
                if not left:
                    return

    async def join_channels(self) -> None:
        """Be in the channels that were learned: bots read and are told only of those. Slack tells of it at once, so
        this is for when its deliveries are heard."""
        for id, name in tuple(self._unjoined.items()):
            try:
                await api_call(self._client, "conversations.join", channel=id)
            except (CallRefused, RetryAfter, OutcomeUnknown) as error:
                log.warning("directory.not_joined", channel=name, error=str(error))
                if not isinstance(error, CallRefused):
                    continue
            self._unjoined.pop(id, None)

    def put_user(self, user: Mapping[str, Any]) -> SlackUser:
        """Keep what an event or an answer says about a person."""
        person = directory_store.user_from_payload(user, self.team)
        self._put(person)
        return person

    def _put(self, person: SlackUser) -> None:
        known = self._people.get(person.id)
        if person.kind is ActorKind.GONE and known is not None and known.kind is not ActorKind.GONE:
            self._deactivated[person.id] = None
        self._people[person.id] = person

    async def apply_user_event(self, user: Mapping[str, Any]) -> None:
        """Learn what an event says, for after a restart and for other replicas too."""
        async with self._lock:
            known = self._people.get(str(user.get("id", "")))
            person = self.put_user(user)
            await self._save({person.id: directory_store.user_row(person)})
        if person != known:
            self.on_change()

    def replace_mentions(self, text: str) -> str:
        """The text with names instead of mentions, for where Slack shows none (the errors of a form)."""

        def called(match: re.Match[str]) -> str:
            id = match["id"]
            return f"@{self._groups[id][0]}" if id in self._groups else self.name(id)

        return _MENTION.sub(called, text)

    def channel(self, name: str) -> str:
        """The id of a channel of policy, or empty where there is none."""
        return self._channels.get(name.lstrip("#"), "")

    def cached_user(self, user: str) -> SlackUser | None:
        """What the cache holds, without asking."""
        return self._people.get(user)

    def name(self, user: str) -> str:
        """A name for people to read; the id where nothing is known."""
        if user == "bot":
            return "Incident Commander"
        person = self._people.get(user)
        return person.name if person else user

    @property
    def names(self) -> Mapping[str, str]:
        """id -> name of everybody known."""
        return {id: person.name for id, person in self._people.items()}

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
        return self.put_user(answer["user"])

    def by_handle(self, handle: str) -> SlackUser | None:
        """A person by @handle, for texts in which Slack did not resolve it; else by a name that nobody else bears.

        People choose their names, and could choose somebody else's.
        """
        wanted = handle.lstrip("@").lower()
        people = sorted(self._people.values(), key=lambda one: one.kind is ActorKind.GONE)
        called = [one for one in people if one.handle.lower() == wanted]
        named = [one for one in people if one.name.lower() == wanted]
        return called[0] if called else named[0] if len(named) == 1 else None

    def expand(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Users for users and groups (ids or @handles): members only, each once, in order."""
        people: list[str] = []
        handles = {handle: id for id, (handle, _) in self._groups.items()}
        for one in ids:
            wanted = one.lstrip("@")
            group = self._groups.get(wanted) or self._groups.get(handles.get(wanted, ""))
            if group is not None:
                people.extend(sorted(group[1]))
            elif wanted in self._people:
                people.append(wanted)
            elif (person := self.by_handle(wanted)) is not None and person.handle.lower() == wanted.lower():
                people.append(person.id)
            else:
                log.warning("directory.nobody", wanted=wanted)
        return tuple(user for user in dict.fromkeys(people) if self.may_act(user))

    def may_act(self, user: str) -> bool:
        """Whether this person is a member who may act at all."""
        person = self._people.get(user)
        return person is not None and person.kind is ActorKind.MEMBER

    def groups_of(self, user: str) -> frozenset[str]:
        """Ids and handles of the groups that a person is in."""
        return frozenset(
            key
            for id, (handle, members) in self._groups.items()
            if user in members
            for key in (id, handle, f"@{handle}")
        )

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
            tz_offset=person.tz_offset,
        )
