"""users.*, usergroups.*, team.info"""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack, NotPossible
from localslack.tests.methods.asking import error_of


async def test_the_sample_people(client: AsyncWebClient) -> None:
    people = {user["name"]: user for user in (await client.users_list())["members"]}
    assert set(people) == {"ana", "ben", "carla", "dipo", "eve", "gus", "deploys", "tea-shop"}
    assert [name for name, user in people.items() if user["is_restricted"]] == ["gus"]
    assert [name for name, user in people.items() if user["is_bot"]] == ["deploys", "tea-shop"]
    assert (people["dipo"]["tz"], people["dipo"]["tz_offset"]) == ("Africa/Lagos", 3600)
    assert "email" not in people["ana"]["profile"]  # only with users:read.email


async def test_lists_come_in_pages(client: AsyncWebClient) -> None:
    names, cursor = [], ""
    while True:
        answer = await client.users_list(limit=3, cursor=cursor)
        names += [user["name"] for user in answer["members"]]
        cursor = answer["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert len(names) == len(set(names)) == 8


async def test_one_person(client: AsyncWebClient) -> None:
    assert (await client.users_info(user="U01BENOKAFO"))["user"]["real_name"] == "Ben Okafor"
    assert await error_of(client, "users.info", user="U0NOBODY") == "user_not_found"


async def test_user_groups(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    groups = {group["handle"]: group for group in (await client.usergroups_list(include_users=True))["usergroups"]}
    assert groups["payments-oncall"]["users"] == ["U01BENOKAFO", "U01CARLAROS"]
    sandbox.set_group("payments-oncall", ["eve"])
    listed = await client.usergroups_users_list(usergroup=groups["payments-oncall"]["id"])
    assert listed["users"] == ["U01EVELINDQ"]
    assert await error_of(client, "usergroups.users.list", usergroup="S0NONE") == "no_such_subteam"


async def test_user_groups_come_and_go(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    id = sandbox.create_group("@night", ["ana"], "The night shift")
    sandbox.rename_group("night", "nights")
    with pytest.raises(NotPossible):
        sandbox.rename_group("nights", "comms")
    with pytest.raises(NotPossible):
        sandbox.create_group("nights", [])

    async def listed(**more: bool) -> dict[str, Any]:
        return {
            group["id"]: group for group in (await client.usergroups_list(include_users=True, **more))["usergroups"]
        }

    assert (await listed())[id]["handle"] == "nights" and (await listed())[id]["users"] == ["U01ANASILVA"]
    sandbox.disable_group("nights")
    assert id not in await listed()
    assert (await listed(include_disabled=True))[id]["date_delete"] > 0
    sandbox.enable_group("nights")
    assert (await listed())[id]["date_delete"] == 0


async def test_the_team(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    assert (await client.team_info())["team"]["id"] == sandbox.team_id
