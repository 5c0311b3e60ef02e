"""Every kind of block can be read, and what stands in it can be used."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Locator, expect

from localslack import LocalSlack
from localslack.messages import post
from localslack.tests.page.desk import Desk, Tab

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def rich(text: str, kind: str = "rich_text_section") -> Json:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": [{"type": "text", "text": text}]}]}


def button(label: str) -> Json:
    return {"type": "button", "action_id": f"press-{label}", "text": plain(label)}


def raw(text: str) -> Json:
    return {"type": "raw_text", "text": text}


def row(country: str, payouts: int) -> list[Json]:
    count = {"type": "raw_number", "value": payouts, "text": f"{payouts:,}"}
    return [raw(country), count, {"type": "action", "element": button(f"Look at {country}")}]


def say(slack: LocalSlack, *blocks: Json) -> str:
    """The app says these blocks; the message's ts."""
    return post(slack.world, slack.channel("#general"), slack.world.bot, "blocks", blocks=list(blocks)).ts


async def shown(desk: Desk, slack: LocalSlack, *blocks: Json) -> tuple[Tab, Locator]:
    """The message with these blocks, on Ana's screen."""
    ts = say(slack, *blocks)
    ana = await desk.tab(slack, "ana", "#general")
    return ana, ana.centre.locator(f'.message[data-ts="{ts}"]')


TABLE = {
    "type": "data_table", "caption": "Waiting payouts", "page_size": 2, "row_header_column_index": 0,
    "rows": [[raw("Country"), raw("Payouts"), raw("Do")], row("NG", 1204), row("KE", 87), row("GH", 3)],
}  # fmt: skip
TASKS = {
    "type": "plan", "title": "Bring it back",
    "tasks": [
        {"task_id": "1", "title": "Read the network", "status": "complete", "output": rich("3 of 3 answer"),
         "sources": [{"type": "url", "url": "https://example.com/", "text": "Horizon"}]},
        {"task_id": "2", "title": "Resume", "status": "error", "details": rich("with the new address")},
    ],
}  # fmt: skip
CARD = {
    "type": "card", "title": plain("Horizon A"), "subtitle": plain("health"), "body": plain("Answers with 503"),
    "subtext": plain("checked 14:02"), "slack_icon": {"type": "icon", "name": "warning"}, "actions": [button("Check")],
}  # fmt: skip
BARS = {
    "type": "data_visualization", "title": "Payouts an hour",
    "chart": {
        "type": "bar", "axis_config": {"categories": ["12", "13"], "x_label": "Hour"},
        "series": [{"name": "NG", "data": [{"label": "12", "value": 10}, {"label": "13", "value": 4}]}],
    },
}  # fmt: skip
PIE = {
    "type": "data_visualization", "title": "By country",
    "chart": {"type": "pie", "segments": [{"label": "NG", "value": 60}, {"label": "KE", "value": 20}]},
}  # fmt: skip
VIDEO = {
    "type": "video", "alt_text": "A film", "title": plain("How it went"), "video_url": "https://example.com/v",
    "thumbnail_url": "https://example.com/t.png", "author_name": "Ana", "description": plain("Ten minutes"),
}  # fmt: skip


THOUGHT = {
    "type": "feedback_buttons", "action_id": "was",
    "positive_button": {"text": plain("Good"), "value": "y"}, "negative_button": {"text": plain("Bad"), "value": "n"},
}  # fmt: skip


#: a block, and what of it can be read; what kind of block it is
READ: list[tuple[str, Json, list[str]]] = [
    ("a table of data", TABLE, ["Waiting payouts", "Country", "NG", "1,204", "1 to 2 of 3"]),
    ("a plan", TASKS, ["complete", "3 of 3 answer", "From Horizon", "failed", "new address"]),
    ("a card", CARD, ["Horizon A", "health", "Answers with 503", "checked 14:02", "Check"]),
    ("bars as figures", BARS, ["Payouts an hour", "Hour", "12", "10", "13", "4"]),
    ("parts of a whole as figures", PIE, ["By country", "60", "75 %", "25 %"]),
    ("a film", VIDEO, ["How it went", "Ana", "Ten minutes", "Video: A film"]),
    ("a kind that nobody knows", {"type": "of tomorrow", "text": plain("words")}, ["of tomorrow block", "words"]),
]


async def test_what_can_be_read(desk: Desk, slack: LocalSlack) -> None:
    ana = await desk.tab(slack, "ana", "#general")
    for kind, block, words in READ:
        message = ana.centre.locator(f'.message[data-ts="{say(slack, block)}"]')
        for each in words:
            await expect(message, kind).to_contain_text(each)


async def test_a_quoted_text_keeps_its_lines(desk: Desk, slack: LocalSlack) -> None:
    """What an approver reads stands as it will be public, paragraph for paragraph."""
    _, message = await shown(desk, slack, rich("Payouts are late.\n\nDo not pay again.", "rich_text_quote"))
    assert await message.locator("blockquote").inner_text() == "Payouts are late.\n\nDo not pay again."


#: where a button stands, its words, and what the app is told of it
PRESSED: list[tuple[str, Json, str, Json]] = [
    ("a table of data", TABLE, "Look at NG", {"action_id": "press-Look at NG"}),
    ("a card", CARD, "Check", {"action_id": "press-Check"}),
    ("a carousel", {"type": "carousel", "elements": [CARD]}, "Check", {"type": "button"}),
    (
        "a container",
        {"type": "container", "title": plain("More"),
         "child_blocks": [{"type": "actions", "elements": [button("Press")]}]},
        "Press", {"action_id": "press-Press"},
    ),
    (
        "what one thinks of it",
        {"type": "context_actions", "elements": [THOUGHT]},
        "Bad", {"action_id": "was", "type": "feedback_buttons", "value": "n"},
    ),
]  # fmt: skip


async def test_a_button_wherever_it_stands(desk: Desk, slack: LocalSlack) -> None:
    """Nobody is connected, so that the press itself fails; what the app would have been told is in the journal."""
    ana = await desk.tab(slack, "ana", "#general")
    for number, (where, block, label, told) in enumerate(PRESSED, 1):
        message = ana.centre.locator(f'.message[data-ts="{say(slack, block)}"]')
        async with ana.page.expect_response("**/_sandbox/act"):
            await message.get_by_role("button", name=label, exact=True).click()
        action = slack.journal.of("delivery:block_actions")[number - 1].args["actions"][0]
        assert action == action | told, where


async def test_pages_of_data_and_what_is_folded_stay_so_when_the_message_changes(desk: Desk, slack: LocalSlack) -> None:
    fold = {
        "type": "container", "title": plain("Details"), "is_collapsible": True, "default_collapsed": True,
        "child_blocks": [{"type": "section", "text": plain("inside")}],
    }  # fmt: skip
    ana, message = await shown(desk, slack, TABLE, fold)
    await expect(message.get_by_text("inside")).to_be_hidden()
    await message.get_by_text("Details").click()
    await message.get_by_role("button", name="Next").press("Enter")
    await expect(message).to_contain_text("3 to 3 of 3")
    await expect(message).to_contain_text("GH")
    await slack.person("ben").react("#general", str(await message.get_attribute("data-ts")), "eyes")
    await expect(message.locator(".reaction")).to_be_visible()
    await expect(message).to_contain_text("3 to 3 of 3")
    await expect(message.get_by_text("inside")).to_be_visible()
    await ana.page.keyboard.press("Shift+Tab")
    assert await ana.page.evaluate("document.activeElement.closest('.message') !== null")
