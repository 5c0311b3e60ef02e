"""The workspace's state: team, people, channels, messages, views, files, and how to find them."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterable

from localslack import sample
from localslack.app_manifest import AppManifest
from localslack.clock import WorkspaceClock
from localslack.errors import NotPossible
from localslack.records import Channel, File, Json, Message, User, UserGroup, View

_ALPHABET = string.ascii_uppercase + string.digits

MESSAGE_EVENTS = {
    "channel": "message.channels",
    "group": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}
"""channel_type -> the name that an app subscribes to."""

Tell = Callable[[Json, Iterable[str] | None], None]
"""Takes a change for the page and whom it concerns (user ids; None: everybody)."""

Announce = Callable[[Json, "Channel | None"], None]
"""Takes an Events API event and the channel that it happened in."""


def _nobody_listens(change: Json, whom: object) -> None:
    return None


def _nobody_watches() -> bool:
    return False


class World:
    """One workspace with one app installed. Holds and finds; messages.py, conversations.py and views.py change it."""

    def __init__(
        self, app: AppManifest, clock: WorkspaceClock, people: sample.Sample | None = None,
        team: sample.Team | None = None,
    ) -> None:  # fmt: skip
        start = people or sample.sample()
        team = team or sample.Team()
        self.app = app
        self.clock = clock
        self.team_id = team.id
        self.team_name = team.name
        self.team_domain = team.domain
        self.app_id = sample.APP_ID
        self.url = "http://127.0.0.1"
        self.installed = True
        self.tell: Tell = _nobody_listens
        self.watched: Callable[[], bool] = _nobody_watches
        self.announce: Announce = _nobody_listens
        self._random = random.Random()
        self._last_ts = 0

        handle = "".join(c if c.isalnum() else "-" for c in app.bot_name.lower()).strip("-") or "app"
        self.bot = User(
            id=team.bot_user, handle=handle, real_name=app.bot_name, is_bot=True, bot_id=team.bot_id,
            app_id=self.app_id, color="7a1f1f",
        )  # fmt: skip
        self.users: dict[str, User] = {user.id: user for user in start.people}
        self.users[self.bot.id] = self.bot
        self.groups: dict[str, UserGroup] = {group.id: group for group in start.groups}
        self.channels: dict[str, Channel] = {}
        self.names: dict[str, str] = {}
        self.ims: dict[tuple[str, str], str] = {}
        self.files: dict[str, File] = {}
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        # What people entered in a message's elements: (channel, ts) -> person -> block_id -> action_id -> state.
        self.local_state: dict[tuple[str, str], dict[str, dict[str, dict[str, Json]]]] = {}
        self.notifications: dict[str, list[Json]] = {}
        for place in start.places:
            self._open_place(place, start.people)

    def _open_place(self, place: sample.Place, people: Iterable[User]) -> None:
        humans = [user for user in people if not user.is_bot]
        members = [user.id for user in humans if place.guests or not user.is_guest]
        channel = Channel(
            id=place.id, name=place.name, creator=members[0], created=int(self.clock.now()), members=members,
            is_general=place.general, purpose=place.purpose, purpose_by=members[0],
        )  # fmt: skip
        self.keep(channel)

    # --- identity and time -------------------------------------------------------------------------------------

    def new_id(self, prefix: str) -> str:
        return prefix + "0" + "".join(self._random.choices(_ALPHABET, k=9))

    def short_id(self) -> str:
        """Five characters, as Slack gives blocks without a block_id."""
        return "".join(self._random.choices(_ALPHABET + string.ascii_lowercase, k=5))

    def hex(self, digits: int = 32) -> str:
        return f"{self._random.getrandbits(digits * 4):0{digits}x}"

    def new_ts(self) -> str:
        """A message timestamp: from the clock, unique in the workspace and rising."""
        micros = max(int(self.clock.now() * 1_000_000), self._last_ts + 1)
        self._last_ts = micros
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    def seconds(self) -> int:
        return int(self.clock.now())

    # --- finding ----------------------------------------------------------------------------------------------

    def keep(self, channel: Channel) -> None:
        self.channels[channel.id] = channel
        if channel.name and not channel.is_im:
            self.names[channel.name] = channel.id

    def user(self, who: str) -> User:
        """By id, handle (with or without @) or bot id. Raises NotPossible."""
        found = self.users.get(who)
        if found is not None:
            return found
        bare = who.removeprefix("@").lower()
        for user in self.users.values():
            if user.handle == bare or user.bot_id == who:
                return user
        raise NotPossible(f"nobody here is called {who}")

    def group(self, which: str) -> UserGroup:
        """By id or handle (with or without @), disabled ones too. Raises NotPossible."""
        for group in self.groups.values():
            if which.removeprefix("@") in (group.handle, group.id):
                return group
        raise NotPossible(f"there is no group {which}")

    def enabled_groups(self) -> list[UserGroup]:
        return [group for group in self.groups.values() if not group.deleted]

    def channel(self, where: str) -> Channel:
        """By id or name (with or without #). Raises NotPossible."""
        found = self.channels.get(where)
        if found is None:
            found = self.channels.get(self.names.get(where.removeprefix("#"), ""))
        if found is None:
            raise NotPossible(f"there is no channel {where}")
        return found

    def visible(self, channel: Channel, user: User) -> bool:
        """Whether the person can look into the channel (SR-CHN-16): public ones are open to all but guests."""
        if user.id in channel.members:
            return True
        return channel.kind == "channel" and not user.is_guest

    def direct(self, one: str, other: str) -> Channel:
        """The direct-message channel of two users, opened when there is none yet."""
        first, second = sorted((one, other))
        channel_id = self.ims.get((first, second))
        if channel_id is None:
            channel = Channel(
                id=self.new_id("D"), name="", creator=one, created=self.seconds(), is_im=True, members=[one, other]
            )
            self.channels[channel.id] = channel
            self.ims[first, second] = channel_id = channel.id
        return self.channels[channel_id]

    def message(self, channel: Channel, ts: str) -> Message | None:
        found = channel.by_ts.get(ts)
        return None if found is None or found.deleted else found

    def view(self, view_id: str) -> View | None:
        for stack in self.stacks.values():
            for view in stack:
                if view.id == view_id:
                    return view
        for view in self.homes.values():
            if view.id == view_id:
                return view
        return None

    def hears(self, event: str, channel: Channel | None, user: str | None = None) -> bool:
        """Whether the app is sent this event (SR-DLV-08): subscribed, and the bot is there (or is whom it is about).

        Public channels' life cycle is heard everywhere.
        """
        if event == "message" and channel is not None:
            event = MESSAGE_EVENTS[channel.kind]
        if event not in self.app.events:
            return False
        if channel is None or (channel.kind == "channel" and event.startswith("channel_")):
            return True
        return self.bot.id in channel.members or user == self.bot.id
