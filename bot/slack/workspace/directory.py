"""Who is who: people, groups and channels of the workspace, from a cache that is filled before anyone asks."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.actor import Actor, Kind
from bot.ports import NotDone, TryLater, Unsure
from bot.slack.outbound.room import call
from bot.slack.workspace import directory_store
from bot.slack.workspace.directory_store import ME, Body, Groups, Memory, Person

log = structlog.get_logger(__name__)

_MENTION = re.compile(r"<(?:@|!subteam\^)(?P<id>[A-Z0-9]+)(?:\|[^>]*)?>")


def _unknown(user: str) -> Person:
    """Somebody about whom Slack could not be asked; not kept, so that they are asked about again."""
    return Person(user, "", user, Kind.UNKNOWN)


class Directory:
    """The cache. `warm` fills it; a miss asks Slack once; while Slack is away what is known stays in force.

    With a `memory` it outlives a restart: `meet` then does without Slack. What one replica is told it keeps there, and
    the others `reread` it.
    """

    def __init__(self, client: AsyncWebClient, memory: Memory | None = None) -> None:
        self._client = client
        self._memory = memory
        self._kept: dict[str, Body] = {}  # the rows as they stand in the memory
        self._wanted: frozenset[str] | None = None  # channels that `meet` was to learn
        self._warm = False
        self._unjoined: dict[str, str] = {}  # id -> name of channels that we are to be in
        self._behind = False  # whether Slack could not tell something when it was last asked
        self._later = 0.0  # the loop's time before which Slack wants to hear nothing
        self._cursor = ""  # the page of people that Slack did not give yet
        #: what is learned and what stands in the memory change together
        self._turn = asyncio.Lock()
        #: told when people or groups may be others than they were
        self.on_change: Callable[[], None] = lambda: None
        self._left: dict[str, None] = {}  # whose accounts were deactivated since somebody asked
        self.team = ""
        self.bot_user = ""
        self.bot_id = ""
        self.app = ""
        self.url = ""
        self._people: dict[str, Person] = {}
        self._groups: Groups = {}  # id -> (handle, members)
        self._channels: dict[str, str] = {}  # name -> id
        self._asking: dict[str, asyncio.Task[Person | None]] = {}

    async def warm(self, channels: Iterable[str] = ()) -> None:
        """Learn who we are, the people, the groups, and the channels of these names.

        Raises TryLater or Unsure where that is not known from before either, NotDone where Slack refuses us.
        """
        me = await self._call("auth.test")
        self.team, self.bot_user, self.bot_id = me["team_id"], me["user_id"], me.get("bot_id", "")
        self.url = me.get("url", "")
        if not self._kept:
            await self._load()
        await self._read()
        await self._learn_channels(frozenset(channels))
        async with self._turn:
            await self._keep()
        self._warm = True

    async def meet(self, channels: Iterable[str] = ()) -> None:
        """`warm`, or, while Slack is away, be as things were when it last told; `refresh` then catches up.

        Raises TryLater or Unsure where nothing is known from before, NotDone where Slack refuses us.
        """
        self._wanted = frozenset(channels)
        try:
            await self.warm(self._wanted)
        except (TryLater, Unsure) as error:
            if not await self._recall():
                raise
            log.warning("directory.recalled", team=self.team, people=len(self._people), error=str(error))

    async def _recall(self) -> bool:
        if self._memory is None:
            return False
        found = (await self._memory.load("")).get(directory_store.key_of(self._client.token or ""), {})
        self.team = str(found.get("team", ""))
        if self.team:
            await self._load()
        me = self._kept.get(ME)
        if me is None:
            return False
        self.bot_user, self.bot_id = str(me["bot_user"]), str(me["bot_id"])
        self.app, self.url = str(me["app"]), str(me["url"])
        self._channels = dict(me["channels"])
        return True

    async def _load(self) -> None:
        """People and groups as they were. Who we are, and which channels there are, `warm` asks Slack itself."""
        if self._memory is None:
            return
        rows = self._kept = dict(await self._memory.load(self.team))
        self._people = directory_store.people_in(rows) | self._people
        self._groups = self._groups or directory_store.groups_in(rows)

    async def _keep(self) -> None:
        """Keep everything in the memory that differs from what stands there."""
        me = {
            "bot_user": self.bot_user, "bot_id": self.bot_id, "app": self.app, "url": self.url,
            "channels": self._channels,
        }  # fmt: skip
        rows: dict[str, Body] = {id: {} for id in self._kept if id.startswith("S")}  # those that are no more
        rows |= {id: directory_store.group_row(*group) for id, group in self._groups.items()}
        rows |= {id: directory_store.person_row(person) for id, person in self._people.items()}
        rows[ME] = me
        await self._save(rows)

    async def _save(self, rows: Mapping[str, Body]) -> None:
        """Never raises: the cache itself is in force."""
        if self._memory is None or not self.team:
            return
        new = {id: body for id, body in rows.items() if self._kept.get(id) != body}
        try:
            if new.keys() & {ME}:
                await self._memory.save("", {directory_store.key_of(self._client.token or ""): {"team": self.team}})
            if new:
                await self._memory.save(self.team, new)
                self._kept |= new
        except Exception as error:
            # Away, or another replica keeps the same rows at this moment: the next refresh keeps them.
            log.warning("directory.not_kept", error=type(error).__name__)

    async def reread(self) -> None:
        """Another replica was told something by Slack, and kept it: be as it stands there."""
        if self._memory is None or not self.team:
            return
        async with self._turn:
            rows = dict(await self._memory.load(self.team))
            changed = {id for id in rows.keys() | self._kept.keys() if rows.get(id) != self._kept.get(id)}
            self._kept = rows
            for person in directory_store.people_in({id: rows[id] for id in changed & rows.keys()}).values():
                self._put(person)
            if any(id.startswith("S") for id in changed):
                self._groups = directory_store.groups_in(rows)
        if changed:
            self.on_change()

    def left(self) -> tuple[str, ...]:
        """Whose accounts were deactivated and not `seen_off` yet, also while the bot did not run."""
        return tuple(self._left)

    def seen_off(self, users: Iterable[str]) -> None:
        """What these people held is free."""
        for user in users:
            self._left.pop(user, None)

    async def refresh(self) -> None:
        """Read people and groups anew; what cannot be read stays as it was, and `catch_up` reads it."""
        with contextlib.suppress(NotDone, TryLater, Unsure):
            if self._wanted is not None and not self._warm:
                await self.warm(self._wanted)
                await self.join()
                return
            await self._read()
            async with self._turn:
                await self._keep()

    async def catch_up(self) -> None:
        """Ask again for what Slack could not tell, once it wants to hear of us again."""
        if self._behind or (self._wanted is not None and not self._warm):
            await self.refresh()
        elif self._unjoined:
            await self.join()

    async def _call(self, method: str, **arguments: Any) -> Any:
        """A call that reads; while Slack wants to hear nothing there is none. Raises NotDone, TryLater, Unsure."""
        loop = asyncio.get_running_loop()
        if (wait := self._later - loop.time()) > 0:
            raise TryLater(wait)
        try:
            return await call(self._client, method, form=True, **arguments)
        except TryLater as error:
            self._later = loop.time() + error.seconds
            raise

    @property
    def _known(self) -> bool:
        """Whether people and groups were read once, now or before a restart."""
        return self._warm or ME in self._kept

    async def _read(self) -> None:
        """People, then groups. Raises TryLater or Unsure where nothing is known from before."""
        self._behind = False
        try:
            await self._read_people()
            await self._read_groups()
        except NotDone as refusal:  # a scope is missing: `bot doctor` says so
            log.warning("directory.not_read", error=refusal.code)
        except (TryLater, Unsure) as error:
            self._behind = True
            if not self._known:
                raise
            log.warning("directory.not_read", error=str(error))
        self.on_change()

    async def _read_people(self) -> None:
        """Page by page; after a pause from the page on that Slack did not give, as it gives so many a minute."""
        try:
            while True:
                page = await self._call("users.list", limit=200, cursor=self._cursor)
                async with self._turn:
                    people = [self.learn(user) for user in page["members"]]
                    await self._save({one.id: directory_store.person_row(one) for one in people})
                ours = (user for user in page["members"] if user["id"] == self.bot_user)
                for user in ours:
                    self.app = (user.get("profile") or {}).get("api_app_id") or self.app
                self._cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
                if not self._cursor:
                    return
        except NotDone as refusal:
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
        cursor, left = "", set(names)
        while left:
            page = await self._call(
                "conversations.list",
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=200,
                cursor=cursor,
            )
            for one in page["channels"]:
                if one["name"] in left:
                    left.discard(one["name"])
                    self._channels[one["name"]] = one["id"]
                    if not one.get("is_member"):
                        self._unjoined[one["id"]] = one["name"]
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def join(self) -> None:
        """Be in the channels that were learned: bots read and are told only of those. Slack tells of it at once, so
        this is for when its deliveries are heard."""
        for id, name in tuple(self._unjoined.items()):
            try:
                await call(self._client, "conversations.join", channel=id)
            except (NotDone, TryLater, Unsure) as error:
                log.warning("directory.not_joined", channel=name, error=str(error))
                if not isinstance(error, NotDone):
                    continue
            self._unjoined.pop(id, None)

    def learn(self, user: Mapping[str, Any]) -> Person:
        """Keep what an event or an answer says about a person."""
        person = directory_store.person_from(user, self.team)
        self._put(person)
        return person

    def _put(self, person: Person) -> None:
        known = self._people.get(person.id)
        if person.kind is Kind.GONE and known is not None and known.kind is not Kind.GONE:
            self._left[person.id] = None
        self._people[person.id] = person

    async def told(self, user: Mapping[str, Any]) -> None:
        """Learn what an event says, for after a restart and for other replicas too."""
        async with self._turn:
            known = self._people.get(str(user.get("id", "")))
            person = self.learn(user)
            await self._save({person.id: directory_store.person_row(person)})
        if person != known:
            self.on_change()

    def plainly(self, text: str) -> str:
        """The text with names instead of mentions, for where Slack shows none (the errors of a form)."""

        def called(match: re.Match[str]) -> str:
            id = match["id"]
            return f"@{self._groups[id][0]}" if id in self._groups else self.name(id)

        return _MENTION.sub(called, text)

    def channel(self, name: str) -> str:
        """The id of a channel of policy, or empty where there is none."""
        return self._channels.get(name.lstrip("#"), "")

    def known(self, user: str) -> Person | None:
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

    async def person(self, user: str) -> Person | None:
        """A person by id, from the cache or from Slack; None where there is no such person."""
        if (known := self._people.get(user)) is not None:
            return known
        if user not in self._asking:
            self._asking[user] = asyncio.create_task(self._ask(user))
        try:
            return await asyncio.shield(self._asking[user])
        finally:
            self._asking.pop(user, None)

    async def _ask(self, user: str) -> Person | None:
        try:
            answer = await call(self._client, "users.info", form=True, user=user)
        except NotDone as refusal:
            return None if refusal.code in ("user_not_found", "user_not_visible") else _unknown(user)
        except (TryLater, Unsure):
            return _unknown(user)
        return self.learn(answer["user"])

    def by_handle(self, handle: str) -> Person | None:
        """A person by @handle, for texts in which Slack did not resolve it; else by a name that nobody else bears.

        People choose their names, and could choose somebody else's.
        """
        wanted = handle.lstrip("@").lower()
        people = sorted(self._people.values(), key=lambda one: one.kind is Kind.GONE)
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
        return tuple(user for user in dict.fromkeys(people) if self.acts(user))

    def acts(self, user: str) -> bool:
        """Whether this person is a member who may act at all."""
        person = self._people.get(user)
        return person is not None and person.kind is Kind.MEMBER

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
        person = self._people.get(user) or await self.person(user)
        if person is None:
            return Actor(team=self.team, user=user, name=user, kind=Kind.STRANGER)
        kind = person.kind
        # On Enterprise Grid a home may be another workspace of the organisation: `person_from` has judged that.
        if team and team not in (self.team, person.team) and kind not in (Kind.BOT, Kind.UNKNOWN):
            kind = Kind.STRANGER
        return Actor(
            team=self.team,
            user=user,
            name=person.name,
            kind=kind,
            groups=self.groups_of(user),
            tz_offset=person.tz_offset,
        )
