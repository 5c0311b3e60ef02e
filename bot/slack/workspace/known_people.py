"""The people and groups of a workspace that are known: looked up, and nobody is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from bot.domain.actor import ActorKind
from bot.slack.workspace import directory_store
from bot.slack.workspace.directory_store import SlackUser, UserGroups

log = structlog.get_logger(__name__)

_USER_ID = re.compile(r"[UW][A-Z0-9]{6,}")
_MENTION = re.compile(r"<(?:@|!subteam\^)(?P<id>[A-Z0-9]+)(?:\|[^>]*)?>")


class KnownPeople:
    """By id, and by what policy and people call them."""

    def __init__(self) -> None:
        self.team = ""
        self._people: dict[str, SlackUser] = {}
        self._groups: UserGroups = {}  # id -> (handle, members)
        self._deactivated: dict[str, None] = {}  # whose accounts were deactivated since somebody asked
        self._unlisted: dict[str, None] = {}  # people whom somebody asked for and nobody has told of yet
        self._absent: set[str] = set()  # names of policy that led to nobody when `appeared` was asked last
        self._not_found: set[str] = set()  # ids of whom Slack says that they are nobody's

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

    def deactivated_users(self) -> tuple[str, ...]:
        """Whose accounts were deactivated and not `deactivations_handled` yet, also while the bot did not run."""
        return tuple(self._deactivated)

    def deactivations_handled(self, users: Iterable[str]) -> None:
        """What these people held is free."""
        for user in users:
            self._deactivated.pop(user, None)

    def replace_mentions(self, text: str) -> str:
        """The text with names instead of mentions, for where Slack shows none (the errors of a form)."""

        def called(match: re.Match[str]) -> str:
            id = match["id"]
            return f"@{self._groups[id][0]}" if id in self._groups else self.name(id)

        return _MENTION.sub(called, text)

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
        for one in ids:
            found = self._users_of(one)
            if found is None:
                log.warning("directory.nobody", wanted=one.lstrip("@"))
            people += found or ()
        return tuple(user for user in dict.fromkeys(people) if self.may_act(user))

    def nobody(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Those of these users and groups that lead to no user or group now, each once."""
        return tuple(dict.fromkeys(one for one in ids if self._users_of(one) is None))

    def appeared(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Those of these users and groups that led to nobody when this was asked before, and lead to people now."""
        known = self._people.keys() | self._not_found
        names = dict.fromkeys(ids)
        present = [one for one in names if (users := self._users_of(one)) and known.issuperset(users)]
        found = tuple(one for one in present if one in self._absent)
        self._absent = names.keys() - set(present)
        return found

    def not_appeared(self, ids: Iterable[str]) -> None:
        """What `appeared` has answered could not be attended: it answers so once more."""
        self._absent |= set(ids)

    def _users_of(self, one: str) -> tuple[str, ...] | None:
        """The users of a user or group (id or @handle), in order; None where there is no such user or group."""
        wanted = one.lstrip("@")
        handles = {handle: id for id, (handle, _) in self._groups.items()}
        group = self._groups.get(wanted) or self._groups.get(handles.get(wanted, ""))
        if group is not None:
            self._want(group[1])
            return tuple(sorted(group[1]))
        if wanted in self._people:
            return (wanted,)
        if (person := self.by_handle(wanted)) is not None and person.handle.lower() == wanted.lower():
            return (person.id,)
        if _USER_ID.fullmatch(wanted):
            self._want((wanted,))
        return None

    def _want(self, users: Iterable[str]) -> None:
        """Ask for these people with the next look, if Slack has not listed them."""
        self._unlisted |= dict.fromkeys(user for user in users if user not in self._people.keys() | self._not_found)

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
