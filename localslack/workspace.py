"""One workspace in which the app is installed or can be: its world, and everything that belongs to it alone."""

from __future__ import annotations

from localslack.app_manifest import AppManifest
from localslack.clock import WorkspaceClock
from localslack.delivery import Delivery
from localslack.faults import Faults
from localslack.interactivity import Interactivity
from localslack.journal import Journal
from localslack.people import Person
from localslack.records import Channel
from localslack.sample import Sample, Team
from localslack.sockets import Sockets
from localslack.user_actions import UserActions
from localslack.world import World


class Workspace:
    """A team with its people and channels. All workspaces share the app's sockets, journal and faults."""

    def __init__(
        self, app: AppManifest, clock: WorkspaceClock, journal: Journal, faults: Faults, sockets: Sockets,
        signing_secret: str, people: Sample | None = None, team: Team | None = None,
    ) -> None:  # fmt: skip
        self.world = World(app, clock, people, team)
        self.interactivity = Interactivity(self.world)
        self.delivery = Delivery(self.world, journal, faults, sockets, signing_secret)
        self.user_actions = UserActions(self.world, self.interactivity, self.delivery)
        self.world.announce = self.delivery.event
        self.interactivity.spawn = self.delivery.spawn
        self.interactivity.event_contexts = self.delivery.contexts

    @property
    def team_id(self) -> str:
        return self.world.team_id

    @property
    def bot_user_id(self) -> str:
        return self.world.bot.id

    def person(self, who: str) -> Person:
        """Somebody of this workspace, by handle or id. Raises NotPossible."""
        return Person(self.user_actions, self.world.user(who))

    def channel(self, where: str) -> Channel:
        """A channel of this workspace, by id or name. Raises NotPossible."""
        return self.world.channel(where)
