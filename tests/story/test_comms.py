"""Customer texts: what may not leave, what is masked, who approves exactly what, and a post whose end nobody knows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from localslack import Message
from tests.story.acts import (
    SEED,
    bot_messages,
    direct,
    direct_message,
    heard,
    in_comms,
    last,
    plain,
    press,
    refused,
    submit,
    write_text,
)
from tests.world import World, test_policy, world_at

SLOTS = {"what": "bank payouts to Nigeria", "since": "13:40 UTC", "next_update": "15:00 UTC"}
PUBLIC = "#customer-comms"


async def incident(world: World, *people: str) -> str:
    """An incident of Ana's with these people in it; the channel."""
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    for who in people or ("dipo",):
        await world.say("ana", f"/incident add @{who}", room)
    return room


async def drafted(world: World, room: str, who: str = "ana", **more: Any) -> Message:
    """A draft of theirs; the message that asks Dipo."""
    await write_text(world, who, room, {**SLOTS, **more})
    return direct_message(world, "dipo", "asks you to approve a text")


async def approve(world: World, who: str, asked: Message) -> None:
    """Press [Approve] in one's own message."""
    await world.person(who).click(asked, label="Approve")
    await world.settle()


def public(world: World) -> list[str]:
    """What customers can read."""
    return [one for one in bot_messages(world, PUBLIC) if "joined" not in one]


def everything(world: World, folder: Path) -> str:
    """All that the bot keeps, said or was told to log: the database's bytes, every message, every call it made."""
    files = b"\n".join(path.read_bytes() for path in sorted(folder.glob("incidents.sqlite*")))
    calls = [str(call.args) for call in world.slack.journal if not call.method.startswith("delivery:")]
    said = [f"{one.text} {one.blocks}" for channel in world.slack.world.channels.values()
            for one in channel.by_ts.values() if one.user == world.slack.bot_user_id]  # fmt: skip
    assert b"SQLite format 3" in files
    return files.decode("latin-1") + "\n".join([*calls, *said])


CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    ("secret", "noun"),
    [
        pytest.param(SEED, "Stellar secret seed", id="a seed"),
        pytest.param(f"{SEED[:28]} {SEED[28:]}", "Stellar secret seed", id="a seed with a gap"),
        pytest.param(CARD, "card number", id="a card"),
        pytest.param("sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", "key", id="a payment provider's key"),
    ],
)
async def test_a_secret_in_a_slot_is_refused_and_never_kept(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], secret: str, noun: str
) -> None:
    """The form stays open with its author; nothing else holds the value, not even the log."""
    async with world_at(tmp_path) as world:
        room = await incident(world)
        await world.say("dipo", "/incident comms payment-delays", room)
        errors = await refused(world, "dipo", {**SLOTS, "todo": f"Send it to {secret} today"})
        assert list(errors) == ["todo"]
        assert "Nothing was stored" in errors["todo"] and noun in errors["todo"]
        assert secret not in errors["todo"]
        assert world.person("dipo").view is not None, "what was typed stays with its author"
        assert (await world.incident()).drafts == {}
        assert "Dipo Adeyemi" in direct(world, "ana") and "Nothing of it was stored" in direct(world, "ana")
        kept = everything(world, tmp_path)
    out, err = capfd.readouterr()
    kept += out + err + b"\n".join(path.read_bytes() for path in tmp_path.glob("incidents.sqlite*")).decode("latin-1")
    assert secret not in kept and secret.replace(" ", "") not in kept
    assert "SecretRefused" in kept


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("/incident update moved to {}", id="update"),
        pytest.param("/incident note the key was {}", id="note"),
        pytest.param("/incident title {} leaked", id="title"),
        pytest.param("/incident impact {}", id="impact"),
        pytest.param("/incident task @ben rotate {}", id="task"),
        pytest.param("/incident waiting for {}", id="waiting"),
        pytest.param("/incident sev 2 {}", id="severity"),
        pytest.param("/incident mitigate {}", id="mitigate"),
        pytest.param("/incident step 3.2 skip {}", id="skip"),
        pytest.param("/incident step 3.2 note {}", id="remark"),
        pytest.param("/incident resolve {}", id="resolve"),
        pytest.param("/incident reopen {}", id="reopen"),
        pytest.param("/incident false-alarm {}", id="false alarm"),
        pytest.param("/incident escalate {}", id="escalate"),
        pytest.param("/incident declare sev1 {} is out", id="declare"),
        pytest.param("/incident {}", id="free text"),
        pytest.param("/incident runbook {}", id="a name of a runbook"),
        pytest.param("/incident comms {}", id="a name of a template"),
        pytest.param("/incident check {}", id="a name of a probe"),
        pytest.param("/incident step {} done", id="a step"),
        pytest.param("/incident note at 13:40 {}", id="a time without a zone, asked back"),
    ],
)
async def test_no_verb_keeps_a_secret(tmp_path: Path, capfd: pytest.CaptureFixture[str], said: str) -> None:
    async with world_at(tmp_path) as world:
        room = await incident(world)
        await world.say("ana", "/incident runbook horizon-outage", room)
        await world.say("dipo", said.format(SEED), room)
        kept = everything(world, tmp_path)
        heard_of_it = last(world, "dipo", room)
    out, err = capfd.readouterr()
    kept += out + err + b"\n".join(path.read_bytes() for path in tmp_path.glob("incidents.sqlite*")).decode("latin-1")
    assert SEED not in kept
    assert "Stellar secret seed" in heard_of_it and "Nothing was stored" in heard_of_it


async def test_a_pinned_message_with_a_secret_stays_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async with world_at(tmp_path) as world:
        room = await incident(world)
        ts = await world.person("dipo").post(room, f"this is the seed: {SEED}")
        await world.person("ana").react(room, ts, "pushpin")
        await world.settle()
        await world.person("ana").shortcut("Add to timeline", ts, room)
        await world.settle()
        kept = everything(world, tmp_path)
        assert not (await world.incident()).notes
    out, err = capfd.readouterr()
    assert SEED not in kept + out + err


@pytest.mark.parametrize(
    ("typed", "masked"),
    [
        pytest.param("write to help@example.com", "an e-mail address", id="e-mail"),
        pytest.param("call +234 803 555 0142", "a phone number", id="phone"),
        pytest.param("to DE89 3704 0044 0532 0130 00", "", id="IBAN"),
        pytest.param("account 0123456789", "", id="account"),
        pytest.param("from GAIH3ULLFQ4DGSECF2AR555KZ4KNDGEKN4AFI4SU2M7B43MGK3QJZNSR", "", id="address of the chain"),
        pytest.param("<!channel> all of you", "", id="everybody"),
        pytest.param("ask @here", "", id="here"),
    ],
)
async def test_what_names_a_person_or_an_account_is_masked(tmp_path: Path, typed: str, masked: str) -> None:
    """Masked in the preview with what was removed; the value is nowhere, not even in what the form opens with again."""
    value = typed.split(" ", 1)[1] if not typed.startswith("<") else "<!channel>"
    async with world_at(tmp_path) as world:
        room = await incident(world)
        asked = await drafted(world, room, todo=typed)
        assert value not in asked.plain and masked in asked.plain
        await approve(world, "dipo", asked)
        assert len(public(world)) == 1 and value not in public(world)[0]
        assert not [
            note for note in world.person("eve").notifications if note.channel == world.slack.channel(PUBLIC).id
        ]
        assert value not in str([one.drafted.slots for one in (await world.incident()).drafts.values()])
        in_store = everything(world, tmp_path)
    assert value not in in_store


async def test_what_was_removed_is_said(world: World) -> None:
    room = await incident(world)
    asked = await drafted(world, room, todo="write to a@example.com or b@example.com")
    assert "2 e-mail addresses removed" in asked.plain
    assert "2 e-mail addresses removed" in in_comms(world, "ana", room, "removed").plain


async def test_exactly_the_approved_text_is_public_and_said_last(world: World) -> None:
    room = await incident(world)
    asked = await drafted(world, room)
    assert public(world) == []
    await approve(world, "dipo", asked)
    draft = (await world.incident()).last_published_draft
    assert draft is not None and public(world) == [draft.drafted.text]
    said = plain(in_comms(world, "ana", room, "This is what was said last."))
    assert "written by Ana Silva, approved by Dipo Adeyemi" in said and "14:00 UTC" in said
    await world.say("ana", "/incident comms payment-delays", room)
    form = world.person("ana").view
    assert form is not None and "Said last:" in str(form["blocks"]) and draft.drafted.text[:40] in str(form["blocks"])


async def test_the_drafter_cannot_approve(world: World) -> None:
    room = await incident(world)
    await drafted(world, room)
    await world.person("ana").click(in_comms(world, "ana", room, "by Ana Silva"), label="Approve")
    await world.settle()
    assert "You wrote this text, so somebody else has to approve it" in heard(
        world, "ana", room, world.find("ana", room, "*Comms*").ts
    ) + heard(world, "ana", room)
    assert public(world) == []


async def test_an_approver_who_edits_becomes_the_drafter_and_the_drafter_may_approve(world: World) -> None:
    room = await incident(world)
    asked = await drafted(world, room)
    await world.person("dipo").click(asked, label="Edit")
    await world.settle()
    await submit(world, "dipo", {"count": "1,200"}, "Draft")
    newer = direct_message(world, "ana", "Dipo Adeyemi asks you to approve a text")
    assert "Payments waiting: 1,200." in newer.plain
    assert "asks you to approve" not in direct(world, "dipo"), "the request for the old text is gone"
    await world.person("dipo").click(in_comms(world, "dipo", room, "by Dipo Adeyemi"), label="Approve")
    await world.settle()
    assert public(world) == []
    await approve(world, "ana", newer)
    assert len(public(world)) == 1 and "Payments waiting: 1,200." in public(world)[0]


async def test_an_approval_of_a_text_that_changed_is_refused(world: World) -> None:
    """Dipo's message with the old text is still on his screen after Ana's edit: Slack did not delete it at once."""
    room = await incident(world)
    asked = await drafted(world, room)
    world.slack.faults.add("chat.delete", "429:600", times=5)
    await world.person("ana").click(in_comms(world, "ana", room, "by Ana Silva"), label="Edit")
    await world.settle()
    await submit(world, "ana", {"count": "9"}, "Draft")
    assert not asked.deleted
    await approve(world, "dipo", asked)
    assert "Not approved: the text has changed since you saw it" in direct(world, "dipo")
    assert public(world) == []
    await approve(world, "dipo", direct_message(world, "dipo", "Payments waiting: 9."))
    assert len(public(world)) == 1 and "Payments waiting: 9." in public(world)[0]


async def test_the_diff_to_what_one_approved_last(world: World) -> None:
    room = await incident(world)
    await approve(world, "dipo", await drafted(world, room))
    await world.advance(minutes=20)
    asked = await drafted(world, room, count="40")
    assert "New since you last approved: “" in asked.plain and "“Payments waiting: 40.”" in asked.plain
    assert "No longer in it: “Since 13:40 UTC" in asked.plain


@pytest.mark.parametrize(
    ("minutes", "says"),
    [
        pytest.param(61, "the next update that it promises, 15:00 UTC, is not ahead any more", id="its promise passed"),
        pytest.param(62, "", id="or nobody approved it in time"),
    ],
)
async def test_a_draft_that_nobody_approves_lapses(world: World, minutes: int, says: str) -> None:
    room = await incident(world)
    await drafted(world, room, **({} if says else {"next_update": "16:30 UTC"}))
    await world.advance(minutes=minutes)
    says = says or "nobody approved it in time"
    assert f"expired: {says}" in plain(in_comms(world, "ana", room, "expired"))
    assert "asks you to approve" not in direct(world, "dipo")
    assert public(world) == []


async def test_a_draft_is_void_when_the_severity_or_status_changes(world: World) -> None:
    room = await incident(world)
    asked = await drafted(world, room)
    await world.say("ana", "/incident mitigate the worker is back", room)
    assert asked.deleted
    assert "expired: severity or status changed since it was written" in plain(in_comms(world, "ana", room, "expired"))


async def test_a_post_whose_end_nobody_knows_is_shown_to_a_person_and_not_repeated(world: World) -> None:
    room = await incident(world)
    asked = await drafted(world, room)
    world.slack.faults.add("chat.postMessage", "cut_before", times=1)
    world.slack.faults.add("conversations.history", "error:fatal_error", times=20)
    await approve(world, "dipo", asked)
    await world.advance(minutes=2)
    world.slack.faults.clear()
    assert "it may be public and may not. I do not repeat it." in heard(world, "ana", room)
    assert public(world) == []
    await press(world, "ana", room, "it may be public and may not", "It is not there")
    assert "certainly not sent" in heard(world, "ana", room)
    await press(world, "ana", room, "certainly not sent", "Edit")
    await submit(world, "ana", {}, "Draft")
    await approve(world, "dipo", direct_message(world, "dipo", "asks you to approve"))
    assert len(public(world)) == 1


async def test_a_post_of_which_only_the_answer_was_lost_is_found_and_counted_once(world: World) -> None:
    room = await incident(world)
    asked = await drafted(world, room)
    world.slack.faults.add("chat.postMessage", "cut_after", times=1)
    await approve(world, "dipo", asked)
    await world.advance(minutes=2)
    assert len(public(world)) == 1
    assert (await world.incident()).last_published_draft is not None


async def test_a_refused_post_says_why_and_can_be_written_again(world: World) -> None:
    room = await incident(world)
    asked = await drafted(world, room)
    world.slack.faults.add("chat.postMessage", "error:is_archived", times=1)
    await approve(world, "dipo", asked)
    assert (await world.incident()).last_published_draft is None
    assert "certainly not sent: is_archived" in heard(world, "ana", room)


async def test_a_double_click_on_approve_sends_once(world: World) -> None:
    room = await incident(world)
    asked = await drafted(world, room)
    await world.person("dipo").click(asked, label="Approve")
    if not asked.deleted and asked.labels:
        await world.person("dipo").click(asked, label="Approve")
    await world.settle()
    assert len(public(world)) == 1


@pytest.mark.parametrize(
    ("audience", "where"),
    [
        pytest.param("internal", "#incidents", id="colleagues read the announcements"),
        pytest.param("status-page", None, id="no status page is connected: a person posts it"),
    ],
)
async def test_each_audience_has_its_place(world: World, audience: str, where: str | None) -> None:
    """A text for colleagues never reaches customers."""
    room = await incident(world)
    await write_text(world, "ana", room, SLOTS, f"payment-delays {audience}")
    await approve(world, "dipo", direct_message(world, "dipo", "asks you to approve"))
    assert public(world) == []
    if where:
        assert "bank payouts to Nigeria" in heard(world, "eve", where)
    else:
        await press(world, "ana", room, "Please post exactly this by hand", "It is there")
    said = (await world.incident()).last_published_draft
    assert said is not None and said.drafted.audience == audience


async def test_only_those_whom_policy_names_approve(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=test_policy(may_approve=("@comms",))) as world:
        room = await incident(world, "ben")
        await write_text(world, "ana", room, SLOTS)
        await world.person("ben").click(in_comms(world, "ben", room, "by Ana Silva"), label="Approve")
        await world.settle()
        assert "Ask somebody of @comms." in heard(world, "ben", room, world.find("ben", room, "*Comms*").ts) + heard(
            world, "ben", room
        )
        await approve(world, "eve", direct_message(world, "eve", "asks you to approve"))
        assert len(public(world)) == 1
        assert re.search(r"approved by Eve Lindqvist", plain(in_comms(world, "ana", room, "approved by")))


@pytest.mark.parametrize(
    ("slot", "value", "says"),
    [
        pytest.param("count", "many", "number", id="a count is a number"),
        pytest.param("since", "a while ago", "UTC", id="a time is a time"),
        pytest.param("what", "", "", id="a slot that is missing"),
    ],
)
async def test_a_slot_that_does_not_fit_is_said_beside_it(world: World, slot: str, value: str, says: str) -> None:
    room = await incident(world)
    await world.say("ana", "/incident comms payment-delays", room)
    errors = await refused(world, "ana", {**SLOTS, slot: value})
    assert list(errors) == [slot] and says in errors[slot]


async def test_an_unknown_template_names_the_nearest(world: World) -> None:
    room = await incident(world)
    assert "Did you mean `payment-delays`?" in await world.say("ana", "/incident comms payment-delay", room)
