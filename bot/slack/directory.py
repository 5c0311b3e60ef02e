"""Who is who: people, groups and channels of the workspace, from a cache that is filled before anyone asks."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.actor import Actor, Kind
from bot.ports import NotDone, TryLater, Unsure
from bot.slack.remembered import ME, Body, Groups, Memory, Person, group_row, groups_in, key_of, people_in, person_row
from bot.slack.room import call

log = structlog.get_logger(__name__)

_MENTION = re.compile(r"<(?:@|!subteam\^)(?P<id>[A-Z0-9]+)(?:\|[^>]*)?>")


def person_from(user: Mapping[str, Any], team: str) -> Person:
    """A person from Slack's user object (https://docs.slack.dev/reference/objects/user-object)."""
    profile = user.get("profile") or {}
    if user.get("deleted"):
        kind = Kind.GONE
    elif user.get("is_bot") or user.get("id") == "USLACKBOT" or user.get("is_workflow_bot"):
        kind = Kind.BOT
    elif user.get("is_stranger") or not _of(team, user):
        kind = Kind.STRANGER
    elif user.get("is_restricted") or user.get("is_ultra_restricted"):
        kind = Kind.GUEST
    else:
        kind = Kind.MEMBER
    # The full name: what an auditor reads a year later, and what Slack shows by default.
    name = profile.get("real_name") or user.get("real_name") or profile.get("display_name") or user.get("name") or ""
    return Person(
        id=str(user.get("id", "")),
        handle=str(user.get("name", "")),
        name=str(name),
        kind=kind,
        tz_offset=int(user.get("tz_offset") or 0),
        team=str(user.get("team_id") or team),
    )


def _of(team: str, user: Mapping[str, Any]) -> bool:
    """Whether somebody belongs to the workspace: by home, or (Enterprise Grid) as one of several of theirs."""
    if user.get("team_id", team) == team:
        return True
    grid = user.get("enterprise_user") or {}
    return bool(grid) and team in (grid.get("teams") or (team,))


def _unknown(user: str) -> Person:
    """Somebody about whom Slack could not be asked; not kept, so that they are asked about again."""
    return Person(user, "", user, Kind.UNKNOWN)


class Directory:
    """The cache. `warm` fills it; a miss asks Slack once; while Slack is away what is known stays in force.

    With a `memory` it outlives a restart: `meet` then does without Slack.
    """

    def __init__(self, client: AsyncWebClient, memory: Memory | None = None) -> None:
        self._client = client
        self._memory = memory
        self._kept: dict[str, Body] = {}  # the rows as they stand in the memory
        self._wanted: frozenset[str] | None = None  # channels that `meet` was to learn
        self._warm = False
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
        """Learn who we are, the people, the groups, and the channels of these names (joining those)."""
        me = await call(self._client, "auth.test")
        self.team, self.bot_user, self.bot_id = me["team_id"], me["user_id"], me.get("bot_id", "")
        self.url = me.get("url", "")
        if not self._kept:
            await self._load()
        await self._read()
        await self._learn_channels(frozenset(channels))
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
        found = (await self._memory.load("")).get(key_of(self._client.token or ""), {})
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
        self._people = people_in(rows) | self._people
        self._groups = self._groups or groups_in(rows)

    async def _keep(self) -> None:
        """Keep everything in the memory that differs from what stands there."""
        me = {
            "bot_user": self.bot_user, "bot_id": self.bot_id, "app": self.app, "url": self.url,
            "channels": self._channels,
        }  # fmt: skip
        rows: dict[str, Body] = {id: {} for id in self._kept if id.startswith("S")}  # those that are no more
        rows |= {id: group_row(*group) for id, group in self._groups.items()}
        rows |= {id: person_row(person) for id, person in self._people.items()}
        rows[ME] = me
        await self._save(rows)

    async def _save(self, rows: Mapping[str, Body]) -> None:
        """Never raises: the cache itself is in force."""
        if self._memory is None or not self.team:
            return
        new = {id: body for id, body in rows.items() if self._kept.get(id) != body}
        try:
            if new.keys() & {ME}:
                await self._memory.save("", {key_of(self._client.token or ""): {"team": self.team}})
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
        rows = self._kept = dict(await self._memory.load(self.team))
        self._people |= people_in(rows)
        self._groups = groups_in(rows) or self._groups

    def left(self) -> tuple[str, ...]:
        """Whose accounts were deactivated and not `seen_off` yet, also while the bot did not run."""
        return tuple(self._left)

    def seen_off(self, users: Iterable[str]) -> None:
        """What these people held is free."""
        for user in users:
            self._left.pop(user, None)

    async def refresh(self) -> None:
        """Read people and groups anew; what cannot be read stays as it was."""
        if self._wanted is not None and not self._warm:
            with contextlib.suppress(NotDone, TryLater, Unsure):
                await self.warm(self._wanted)
            return
        await self._read()
        await self._keep()

    async def _read(self) -> None:
        try:
            async for page in await self._client.users_list(limit=200):
                for user in page["members"]:
                    self.learn(user)
                    if user["id"] == self.bot_user:
                        self.app = (user.get("profile") or {}).get("api_app_id") or self.app
        except Exception as error:
            log.warning("directory.people_not_read", error=type(error).__name__)
        try:
            groups = (await self._client.usergroups_list(include_users=True))["usergroups"]
            self._groups = {
                one["id"]: (one["handle"], frozenset(one.get("users") or ()))
                for one in groups
                if not one.get("date_delete")
            }
        except Exception as error:
            log.warning("directory.groups_not_read", error=type(error).__name__)

    async def _learn_channels(self, names: frozenset[str]) -> None:
        cursor, left = "", set(names)
        while left:
            page = await call(
                self._client,
                "conversations.list",
                form=True,
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
                        await self._join(one)
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def _join(self, channel: Mapping[str, Any]) -> None:
        """Bots read and are told only of channels that they are in."""
        try:
            await call(self._client, "conversations.join", channel=channel["id"])
        except (NotDone, TryLater, Unsure) as error:
            log.warning("directory.not_joined", channel=channel["name"], error=str(error))

    def learn(self, user: Mapping[str, Any]) -> Person:
        """Keep what an event or an answer says about a person."""
        person = person_from(user, self.team)
        known = self._people.get(person.id)
        if person.kind is Kind.GONE and known is not None and known.kind is not Kind.GONE:
            self._left[person.id] = None
        self._people[person.id] = person
        return person

    async def told(self, user: Mapping[str, Any]) -> None:
        """Learn what an event says, for after a restart too."""
        person = self.learn(user)
        await self._save({person.id: person_row(person)})

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
        """A person by @handle or display name, for texts in which Slack did not resolve it."""
        wanted = handle.lstrip("@").lower()
        return next(
            (one for one in self._people.values() if wanted in (one.handle.lower(), one.name.lower())),
            None,
        )

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
            elif (person := self.by_handle(wanted)) is not None:
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
