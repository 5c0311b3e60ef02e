"""The sample workspace: its people, groups and channels. Replaceable as a whole (`LocalSlack(people=…)`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from localslack.records import User, UserGroup

TEAM_ID = "T01SANDBOX1"
TEAM_NAME = "Sandbox"
TEAM_DOMAIN = "sandbox"
APP_ID = "A01SANDBOX1"
BOT_USER = "U01BOTUSER1"
BOT_ID = "B01SANDBOX1"

SLACKBOT = User(id="USLACKBOT", handle="slackbot", real_name="Slackbot", is_bot=True)
"""Slack's own voice, the same in every workspace. Not one of the people: nobody writes to it here."""


@dataclass(frozen=True)
class Team:
    """A workspace's own ids and names. The app is the same in each; its bot user is not."""

    id: str = TEAM_ID
    name: str = TEAM_NAME
    domain: str = TEAM_DOMAIN
    bot_user: str = BOT_USER
    bot_id: str = BOT_ID


@dataclass(frozen=True)
class Place:
    """A channel that exists from the start; `guests` says whether guests are in it."""

    id: str
    name: str
    purpose: str
    guests: bool = False
    general: bool = False


@dataclass(frozen=True)
class Sample:
    people: tuple[User, ...]
    groups: tuple[UserGroup, ...]
    places: tuple[Place, ...]


def another_team(number: int, name: str) -> tuple[Team, Sample]:
    """A further workspace: the same cast under ids of its own (U02ANASILVA …), as ids differ between workspaces."""

    def other(an_id: str) -> str:
        return an_id.replace("01", f"{number:02}", 1)

    domain = "".join(sign for sign in name.lower() if sign.isalnum()) or f"team{number}"
    first = sample()
    there = Sample(
        tuple(
            replace(user, id=other(user.id), bot_id=user.bot_id and other(user.bot_id)) for user in first.people
        ),
        tuple(
            UserGroup(other(group.id), group.handle, group.name, [other(user) for user in group.users])
            for group in first.groups
        ),
        tuple(replace(place, id=other(place.id)) for place in first.places),
    )  # fmt: skip
    return Team(other(TEAM_ID), name, domain, other(BOT_USER), other(BOT_ID)), there


def sample() -> Sample:
    """A fresh copy of the sample workspace's people, groups and channels."""
    people = (
        _user(
            "U01ANASILVA",
            "ana",
            "Ana Silva",
            "Europe/Lisbon",
            "Western European Time",
            0,
            "9f69e7",
            "Head of payments",
            admin=True,
        ),
        _user(
            "U01BENOKAFO", "ben", "Ben Okafor", "Europe/London", "Greenwich Mean Time", 0, "e7392d", "Platform engineer"
        ),
        _user(
            "U01CARLAROS",
            "carla",
            "Carla Rossi",
            "Europe/Rome",
            "Central European Time",
            3600,
            "674b1b",
            "Payments engineer",
        ),
        _user(
            "U01DIPOADEY",
            "dipo",
            "Dipo Adeyemi",
            "Africa/Lagos",
            "West Africa Time",
            3600,
            "e96699",
            "Customer communications",
        ),
        _user(
            "U01EVELINDQ",
            "eve",
            "Eve Lindqvist",
            "Europe/Stockholm",
            "Central European Time",
            3600,
            "4bbe2e",
            "Customer support lead",
        ),
        _user(
            "U01GUSMARTE",
            "gus",
            "Gus Marten",
            "America/New_York",
            "Eastern Standard Time",
            -18000,
            "2b6836",
            "Auditor",
            guest=True,
        ),
        User(
            id="U01DEPLOYSB",
            handle="deploys",
            real_name="deploys",
            is_bot=True,
            bot_id="B01DEPLOYSB",
            app_id="A01DEPLOYSB",
            color="5b89d5",
        ),
    )
    groups = (
        UserGroup("S01PAYONCAL", "payments-oncall", "Payments on call", ["U01BENOKAFO", "U01CARLAROS"]),
        UserGroup("S01COMMSTEA", "comms", "Customer communications", ["U01DIPOADEY", "U01EVELINDQ"]),
        UserGroup("S01INCLEADS", "incident-leads", "Incident leads", ["U01ANASILVA", "U01BENOKAFO", "U01EVELINDQ"]),
    )
    places = (
        Place("C01GENERAL1", "general", "Company-wide news and talk", guests=True, general=True),
        Place("C01INCIDENT", "incidents", "Announcements of incidents"),
        Place("C01CUSTCOMM", "customer-comms", "What customers are told"),
        Place("C01PAYMENTS", "payments", "The payments team"),
    )
    return Sample(people, groups, places)


def _user(
    user_id: str, handle: str, name: str, tz: str, tz_label: str, offset: int, color: str, title: str,
    guest: bool = False, admin: bool = False,
) -> User:  # fmt: skip
    return User(
        id=user_id, handle=handle, real_name=name, tz=tz, tz_label=tz_label, tz_offset=offset, color=color, title=title,
        is_guest=guest, is_admin=admin, email=f"{handle}@sandbox.example",
    )  # fmt: skip
