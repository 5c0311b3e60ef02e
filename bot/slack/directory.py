"""Who is who: people, groups and channels of the workspace, from a cache that is filled before anyone asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.actor import Actor, Kind
from bot.ports import NotDone, TryLater, Unsure
from bot.slack.room import call

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Person:
    """What the bot keeps of a Slack user."""

    id: str
    handle: str
    name: str
    kind: Kind
    tz_offset: int = 0
    team: str = ""


def person_from(user: Mapping[str, Any], team: str) -> Person:
    """A person from Slack's user object (https://docs.slack.dev/reference/objects/user-object)."""
    profile = user.get("profile") or {}
    if user.get("deleted"):
        kind = Kind.GONE
    elif user.get("is_bot") or user.get("id") == "USLACKBOT" or user.get("is_workflow_bot"):
        kind = Kind.BOT
    elif user.get("is_stranger") or (user.get("team_id", team) != team and not user.get("enterprise_user")):
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


class Directory:
    """The cache. `warm` fills it; a miss asks Slack once; while Slack is away what is known stays in force."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self.team = ""
        self.bot_user = ""
        self.bot_id = ""
        self.url = ""
        self._people: dict[str, Person] = {}
        self._groups: dict[str, tuple[str, frozenset[str]]] = {}  # id -> (handle, members)
        self._channels: dict[str, str] = {}  # name -> id
        self._asking: dict[str, asyncio.Task[Person | None]] = {}

    async def warm(self, channels: Iterable[str] = ()) -> None:
        """Learn who we are, the people, the groups, and the channels of these names (joining those)."""
        me = await call(self._client, "auth.test")
        self.team, self.bot_user, self.bot_id = me["team_id"], me["user_id"], me.get("bot_id", "")
        self.url = me.get("url", "")
        await self.refresh()
        await self._learn_channels(frozenset(channels))

    async def refresh(self) -> None:
        """Read people and groups anew; what cannot be read stays as it was."""
        try:
            async for page in await self._client.users_list(limit=200):
                for user in page["members"]:
                    self.learn(user)
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
        self._people[person.id] = person
        return person

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
            answer = await self._client.users_info(user=user)
        except Exception:
            return None
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
        if team and team != self.team and kind is not Kind.BOT:
            kind = Kind.STRANGER
        return Actor(
            team=self.team,
            user=user,
            name=person.name,
            kind=kind,
            groups=self.groups_of(user),
            tz_offset=person.tz_offset,
        )
