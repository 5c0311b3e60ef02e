"""SR-BLK and SR-ELM: for each rule blocks at the limit, and blocks past it with the problem that is named."""

from __future__ import annotations

from typing import Any

import pytest

from localslack import blocks as kit
from localslack.block_checks import Out
from localslack.tests.rules.book import case, rule
from localslack.tests.rules.conftest import Try
from localslack.tests.shop import Json, button, mrkdwn, option, plain, section

DIVIDER: Json = {"type": "divider"}
TEXT: Json = {"type": "plain_text_input", "action_id": "t"}
SELECT: Json = {"type": "static_select", "action_id": "s", "options": [option("A", "a")]}
MANY: Json = {"type": "multi_static_select", "action_id": "m", "options": [option("A", "a"), option("B", "b")]}
BOXES: Json = {"type": "checkboxes", "action_id": "c", "options": [option("A", "a")]}
PICTURE: Json = {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "a"}
FEEDBACK: Json = {
    "type": "feedback_buttons",
    "positive_button": {"text": plain("Good"), "value": "1"},
    "negative_button": {"text": plain("Bad"), "value": "0"},
}
COUNT: Json = {"type": "number_input", "is_decimal_allowed": False}
MENU: Json = {"type": "overflow", "options": [option("A", "a")]}
CARD: Json = {"type": "card", "title": mrkdwn("T")}


def actions(*elements: Json) -> list[Json]:
    return [{"type": "actions", "elements": list(elements)}]


def beside(element: Json, **more: Any) -> list[Json]:
    return [section("x", accessory=element | more)]


def asking(element: Json, **more: Any) -> list[Json]:
    return [{"type": "input", "label": plain("L"), "element": element, **more}]


def pressed(**more: Any) -> list[Json]:
    return actions(button("x", "a") | more)


def sure(title: str, text: str, yes: str) -> Json:
    return {"title": plain(title), "text": plain(text), "confirm": plain(yes), "deny": plain("No")}


def options(count: int) -> list[Json]:
    return [option(f"{n}", f"{n}") for n in range(count)]


def rich(*parts: Json) -> list[Json]:
    return [{"type": "rich_text", "elements": list(parts)}]


def line(*pieces: Json) -> Json:
    return {"type": "rich_text_section", "elements": list(pieces)}


def raw(text: str = "x") -> Json:
    return {"type": "raw_text", "text": text}


def table(rows: int, columns: int = 1, **more: Any) -> list[Json]:
    return [{"type": "table", "rows": [[raw()] * columns] * rows, **more}]


def data(rows: int = 2, columns: int = 1, **more: Any) -> list[Json]:
    return [{"type": "data_table", "caption": "c", "rows": [[raw()] * columns] * rows, **more}]


def bars(series: int = 1, points: int = 1, title: str = "t", names: str = "") -> Json:
    labels = [f"{n}" for n in range(points)]
    plotted = [
        {"name": names or f"s{n}", "data": [{"label": label, "value": 1} for label in labels]} for n in range(series)
    ]
    return {
        "type": "data_visualization",
        "title": title,
        "chart": {"type": "bar", "series": plotted, "axis_config": {"categories": labels}},
    }


def pie(slices: int, worth: float = 1) -> list[Json]:
    segments = [{"label": f"{n}", "value": worth} for n in range(slices)]
    return [{"type": "data_visualization", "title": "t", "chart": {"type": "pie", "segments": segments}}]


def box(*children: Json, **more: Any) -> list[Json]:
    return [{"type": "container", "title": plain("T"), "child_blocks": list(children), **more}]


def task(status: str) -> Json:
    return {"type": "task_card", "task_id": "1", "title": "T", "status": status}


def plan(*tasks: Json) -> list[Json]:
    return [{"type": "plan", "title": "P", "tasks": list(tasks)}]


def alert(text: str = "x", **more: Any) -> list[Json]:
    return [{"type": "alert", "text": mrkdwn(text), **more}]


def video(**more: Any) -> list[Json]:
    urls = {"thumbnail_url": "https://x.example/t", "video_url": "https://x.example"}
    given = {"alt_text": "a", "title": plain("t"), **urls}
    return [{"type": "video", **given, **more}]


def provider(**more: Any) -> list[Json]:
    return [{"type": "auth_provider", "value": "v", "name": plain("N"), "is_connected": False, **more}]


def small(users: list[str]) -> list[Json]:
    """An icon button for some people."""
    icon = {"type": "icon_button", "icon": "trash", "text": plain("Delete"), "visible_to_user_ids": users}
    return [{"type": "context_actions", "elements": [icon]}]


MESSAGE = [
    case("SR-BLK-01", [DIVIDER] * 50, [DIVIDER] * 51, "no more than 50 items allowed"),
    case("SR-BLK-03", [section("x", "b" * 255)], [section("x", "b" * 256)], "must be less than 256 characters"),
    case(
        "SR-BLK-04",
        [section("x", "one"), *box(section("y", "two"))],
        [section("x", "one"), *box(section("y", "one"))],
        '`block_id` "one" already exists [json-pointer:/blocks/1/child_blocks/0/block_id]',
    ),
    case("SR-BLK-05", pressed(action_id="a" * 255), pressed(action_id="a" * 256), "must be less than 256 characters"),
    case(
        "SR-BLK-06",
        actions(button("x", "a"), button("y", "b")),
        actions(button("x", "a"), button("y", "a")),
        '`action_id` "a" already exists [json-pointer:/blocks/0/elements/1/action_id]',
    ),
    case("SR-BLK-07", [section("x" * 3000)], [section("x" * 3001)], "must be less than 3001 characters"),
    case(
        "SR-BLK-08",
        [{"type": "section", "fields": [mrkdwn("x")] * 10}],
        [{"type": "section", "fields": [mrkdwn("x")] * 11}],
        "no more than 10 items allowed",
    ),
    case(
        "SR-BLK-09",
        [{"type": "section", "fields": [mrkdwn("x" * 2000)]}],
        [{"type": "section", "fields": [mrkdwn("x" * 2001)]}],
        "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
    ),
    case(
        "SR-BLK-10",
        [{"type": "section", "fields": [plain("x")]}],
        [{"type": "section"}],
        "must define either `text` or `fields`",
    ),
    case(
        "SR-BLK-11",
        [{"type": "header", "text": plain("x" * 150)}],
        [{"type": "header", "text": plain("x" * 151)}],
        "must be less than 151 characters",
    ),
    case(
        "SR-BLK-12",
        [{"type": "context", "elements": [mrkdwn("x")] * 10}],
        [{"type": "context", "elements": [mrkdwn("x")] * 11}],
        "no more than 10 items allowed",
    ),
    case(
        "SR-BLK-13",
        actions(*[button("x", f"a{n}") for n in range(25)]),
        actions(*[button("x", f"a{n}") for n in range(26)]),
        "no more than 25 items allowed",
    ),
    case(
        "SR-BLK-14",
        [{"type": "context_actions", "elements": [FEEDBACK] * 5}],
        [{"type": "context_actions", "elements": [FEEDBACK, button("x", "a")]}],
        "unsupported type: button",
    ),
    case(
        "SR-BLK-14",
        [{"type": "context_actions", "elements": [FEEDBACK]}],
        [{"type": "context_actions", "elements": [FEEDBACK] * 6}],
        "no more than 5 items allowed",
    ),
    case(
        "SR-BLK-15",
        asking(TEXT, label=plain("x" * 2000), hint=plain("x" * 2000)),
        asking(TEXT, hint=plain("x" * 2001)),
        "must be less than 2001 characters [json-pointer:/blocks/0/hint/text]",
    ),
    case(
        "SR-BLK-16",
        [PICTURE | {"image_url": "h" * 3000, "alt_text": "x" * 2000}],
        [PICTURE | {"image_url": "h" * 3001}],
        "must be less than 3001 characters",
    ),
    case(
        "SR-BLK-17",
        [{"type": "markdown", "text": "x" * 6000}] * 2,
        [{"type": "markdown", "text": "x" * 6000}, {"type": "markdown", "text": "x" * 6001}],
        "no more than 12000 characters allowed in all markdown blocks",
    ),
    case(
        "SR-BLK-18",
        rich(
            line({"type": "text", "text": "x", "style": {"bold": True}}, {"type": "user", "user_id": "U1"}),
            {"type": "rich_text_list", "style": "bullet", "elements": [line({"type": "emoji", "name": "tea"})]},
        ),
        rich(line({"type": "text"})),
        "missing required field: text [json-pointer:/blocks/0/elements/0/elements/0]",
    ),
    case(
        "SR-BLK-18",
        rich({"type": "rich_text_quote", "elements": [{"type": "broadcast", "range": "here"}]}),
        rich({"type": "rich_text_poem", "elements": []}),
        "unsupported type: rich_text_poem",
    ),
    case("SR-BLK-19", table(100), table(101), "no more than 100 items allowed"),
    case("SR-BLK-20", table(1, 20), table(1, 21), "no more than 20 items allowed"),
    case(
        "SR-BLK-21",
        table(1, column_settings=[{"align": "right", "is_wrapped": True}, *[{}] * 19]),
        table(1, column_settings=[{"align": "middle"}]),
        "must be a valid enum value",
    ),
    case("SR-BLK-21", table(1, column_settings=[{}]), table(1, column_settings=[None]), "must provide an object"),
    case(
        "SR-BLK-18",
        rich({"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x"}]}),
        rich({"type": "rich_text_preformatted", "elements": [{"type": "user", "user_id": "U1"}]}),
        "unsupported type: user",
    ),
    case(
        "SR-BLK-59",
        table(2, 2),
        [{"type": "table", "rows": [[raw()], [raw(), raw()]]}],
        "all rows must have the same number of cells",
    ),
    case("SR-BLK-60", provider(), provider(auth_url="http://x.example"), "must be a valid HTTPS URL"),
    case("SR-BLK-60", provider(accessory=MENU), provider(accessory=SELECT), "unsupported type: static_select"),
    case("SR-BLK-22", data(201), data(202), "no more than 201 items allowed"),
    case("SR-BLK-22", data(2), data(1), "must provide at least 2 items"),
    case("SR-BLK-23", data(2, 20), data(2, 21), "no more than 20 items allowed"),
    case(
        "SR-BLK-23",
        data(),
        [{"type": "data_table", "caption": "c", "rows": [[raw()], [raw(), raw()]]}],
        "all rows must have the same number of cells",
    ),
    case("SR-BLK-24", data(page_size=100), data(page_size=101), "must be less than 101"),
    case(
        "SR-BLK-25",
        [{"type": "data_table", "caption": "c", "rows": [[raw()], [raw("x" * 19_999)]]}],
        [{"type": "data_table", "caption": "c", "rows": [[raw()], [raw("x" * 20_000)]]}],
        "no more than 20000 characters allowed in all cells",
    ),
    case(
        "SR-BLK-25",
        [{"type": "data_table", "caption": "c", "rows": [[raw()], [raw("x" * 9_999)]]}] * 2,
        [{"type": "data_table", "caption": "c", "rows": [[raw()], [raw("x" * 10_000)]]}] * 2,
        "no more than 20000 characters allowed in all data tables",
    ),
    case("SR-BLK-26", data(), [{"type": "data_table", "rows": [[raw()]] * 2}], "missing required field: caption"),
    case(
        "SR-BLK-27",
        [{"type": "data_table", "caption": "c", "rows": [[raw()], rich(line({"type": "text", "text": "x"}))]}],
        [{"type": "data_table", "caption": "c", "rows": [rich(line({"type": "text", "text": "x"})), [raw()]]}],
        "unsupported type: rich_text [json-pointer:/blocks/0/rows/0/0/type]",
    ),
    case("SR-BLK-28", [bars(title="x" * 50)], [bars(title="x" * 51)], "must be less than 51 characters"),
    case("SR-BLK-29", [bars(12, 20)], [bars(13)], "no more than 12 items allowed"),
    case("SR-BLK-29", [bars(1, 20)], [bars(1, 21)], "no more than 20 items allowed"),
    case("SR-BLK-29", [bars(2)], [bars(2, names="same")], "series names must be unique"),
    case("SR-BLK-29", [bars(names="x" * 20)], [bars(names="x" * 21)], "must be less than 21 characters"),
    case("SR-BLK-30", [bars(), bars()], [bars(), bars(), bars()], "no more than 2 data_visualization blocks allowed"),
    case(
        "SR-BLK-31",
        [CARD | {"title": mrkdwn("x" * 150), "subtitle": plain("x" * 150)}],
        [CARD | {"subtitle": plain("x" * 151)}],
        "must be less than 151 characters",
    ),
    case(
        "SR-BLK-32",
        [CARD | {"body": mrkdwn("x" * 200), "subtext": mrkdwn("x" * 200)}],
        [CARD | {"body": mrkdwn("x" * 201)}],
        "must be less than 201 characters",
    ),
    case(
        "SR-BLK-33",
        [CARD | {"actions": [button("x", f"a{n}") for n in range(3)]}],
        [CARD | {"actions": [button("x", f"a{n}") for n in range(4)]}],
        "no more than 3 items allowed",
    ),
    case(
        "SR-BLK-34",
        [{"type": "card", "body": mrkdwn("x")}],
        [{"type": "card", "subtitle": mrkdwn("x")}],
        "must provide at least one of: hero_image, title, actions, body",
    ),
    case(
        "SR-BLK-35",
        [{"type": "carousel", "elements": [CARD] * 10}],
        [{"type": "carousel", "elements": [CARD] * 11}],
        "no more than 10 items allowed",
    ),
    case(
        "SR-BLK-35",
        [{"type": "carousel", "elements": [CARD]}],
        [{"type": "carousel", "elements": []}],
        "must provide at least 1 items",
    ),
    case(
        "SR-BLK-36",
        box(DIVIDER, title=plain("x" * 150)),
        box(DIVIDER, title=plain("x" * 151)),
        "must be less than 151 characters",
    ),
    case("SR-BLK-37", box(*[DIVIDER] * 10), box(*[DIVIDER] * 11), "no more than 10 items allowed"),
    case("SR-BLK-38", box(section("x")), box(*box(DIVIDER)), "unsupported type: container"),
    case(
        "SR-BLK-39",
        box(DIVIDER, is_collapsible=True, default_collapsed=True),
        box(DIVIDER, default_collapsed=True),
        "requires is_collapsible",
    ),
    case(
        "SR-BLK-39",
        box(DIVIDER, has_header_divider=True),
        box(DIVIDER, is_collapsible=True, has_header_divider=True),
        "not supported with is_collapsible",
    ),
    case(
        "SR-BLK-39",
        box(DIVIDER, is_collapsible=True, has_header_divider=False),
        box(DIVIDER, has_header_divider="no"),
        "must be a boolean",
    ),
    case("SR-BLK-42", plan(*[task("complete")] * 50), plan(*[task("complete")] * 51), "no more than 50 items allowed"),
    case(
        "SR-BLK-43",
        plan({"task_id": "1", "title": "T"}),
        plan({"task_id": "1", "title": "T", "status": "completed"}),
        "must be a valid enum value",
    ),
    case("SR-BLK-43", plan(task("pending")), [task("pending")], "must be a valid enum value"),
    case("SR-BLK-47", [DIVIDER], [DIVIDER | {"colour": "red"}], "invalid additional property: colour"),
    case("SR-BLK-48", [section("x")], [section("")], "must be more than 0 characters"),
    case(
        "SR-BLK-49",
        [*[section("x" * 3000)] * 4, section("x" * 1200)],
        [*[section("x" * 3000)] * 4, section("x" * 1201)],
        "blocks are too long",
    ),
    case("SR-BLK-50", video(title=plain("x" * 200)), video(title=plain("x" * 201)), "must be less than 201 characters"),
    case("SR-BLK-50", video(author_name="x" * 50), video(author_name="x" * 51), "must be less than 51 characters"),
    case(
        "SR-BLK-51",
        [{"type": "file", "external_id": "1", "source": "remote"}],
        [{"type": "file", "external_id": "1", "source": "local"}],
        "must be a valid enum value",
    ),
    case("SR-BLK-50", video(alt_text="x" * 200), video(alt_text="x" * 201), "must be less than 201 characters"),
    case("SR-BLK-50", video(provider_name="x" * 50), video(provider_name="x" * 51), "must be less than 51 characters"),
    case("SR-BLK-50", video(), video(video_url="http://x.example"), "must be a valid HTTPS URL"),
    case("SR-BLK-52", pie(12), pie(13), "no more than 12 items allowed"),
    case("SR-BLK-52", pie(2), pie(2, worth=0), "must be more than 0"),
    case("SR-BLK-54", [section("x")], [section("x") | {"accessory": None}], "unsupported type: None"),
    case(
        "SR-BLK-54", pressed(), pressed(style=None), "must provide a string [json-pointer:/blocks/0/elements/0/style]"
    ),
    case("SR-BLK-54", beside(SELECT), beside(SELECT, initial_option=None), "must provide"),
    case(
        "SR-BLK-55",
        [CARD | {"slack_icon": {"type": "icon", "name": "rocket"}}],
        [CARD | {"slack_icon": {"type": "icon", "name": "unicorn"}}],
        "must be a valid enum value",
    ),
    case("SR-BLK-56", table(1), [*table(1), *box(*table(1))], "only_one_table_allowed"),
    case("SR-BLK-57", plan(), [*plan(), *plan()], "Cannot have more than 1 plan block"),
    case("SR-ELM-01", pressed(text=plain("x" * 75)), pressed(text=plain("x" * 76)), "must be less than 76 characters"),
    case("SR-ELM-02", pressed(value="x" * 2000), pressed(value="x" * 2001), "must be less than 2001 characters"),
    case("SR-ELM-03", pressed(url="x" * 3000), pressed(url="x" * 3001), "must be less than 3001 characters"),
    case("SR-ELM-04", pressed(style="danger"), pressed(style="default"), "must be a valid enum value"),
    case("SR-ELM-05", pressed(agent_prompt="x" * 4000), pressed(agent_prompt="x" * 4001), "must be less than 4001"),
    case("SR-ELM-06", beside(BOXES, options=options(10)), beside(BOXES, options=options(11)), "no more than 10 items"),
    case(
        "SR-ELM-06",
        beside(BOXES, type="radio_buttons", options=options(10)),
        beside(BOXES, type="radio_buttons", options=options(11)),
        "no more than 10 items",
    ),
    case(
        "SR-ELM-07",
        beside({"type": "overflow", "options": options(5)}),
        beside({"type": "overflow", "options": options(6)}),
        "no more than 5 items allowed",
    ),
    case("SR-ELM-08", beside(SELECT, options=options(100)), beside(SELECT, options=options(101)), "no more than 100"),
    case(
        "SR-ELM-09",
        beside({"type": "static_select", "option_groups": [{"label": plain("x" * 75), "options": options(1)}] * 100}),
        beside({"type": "static_select", "option_groups": [{"label": plain("x" * 76), "options": options(1)}]}),
        "must be less than 76 characters",
    ),
    case(
        "SR-ELM-10",
        beside(SELECT),
        beside(SELECT, option_groups=[{"label": plain("L"), "options": options(1)}]),
        "must provide exactly one of: options, option_groups",
    ),
    case(
        "SR-ELM-11",
        beside(SELECT, options=[option("x" * 75, "a")]),
        beside(SELECT, options=[option("x" * 76, "a")]),
        "must be less than 76 characters",
    ),
    case(
        "SR-ELM-12",
        beside(SELECT, options=[option("A", "x" * 150)]),
        beside(SELECT, options=[option("A", "x" * 151)]),
        "must be less than 151 characters",
    ),
    case(
        "SR-ELM-13",
        beside(BOXES, options=[option("A", "a") | {"description": mrkdwn("x" * 75)}]),
        beside(BOXES, options=[option("A", "a") | {"description": mrkdwn("x" * 76)}]),
        "must be less than 76 characters",
    ),
    case(
        "SR-ELM-14",
        beside(SELECT, placeholder=plain("x" * 150)),
        beside(SELECT, placeholder=plain("x" * 151)),
        "must be less than 151 characters",
    ),
    case(
        "SR-ELM-15",
        beside(SELECT, initial_option=option("A", "a")),
        beside(SELECT, initial_option=option("A.", "a")),
        "must match one of the provided options",
    ),
    case(
        "SR-ELM-16",
        beside(BOXES, initial_options=[option("A", "a")]),
        beside(BOXES, initial_options=[]),
        "must provide at least 1 items",
    ),
    case(
        "SR-ELM-17",
        pressed(confirm=sure("x" * 100, "x" * 300, "x" * 30)),
        pressed(confirm=sure("x", "x", "x" * 31)),
        "must be less than 31 characters",
    ),
    case(
        "SR-ELM-18", asking(TEXT | {"max_length": 3000}), asking(TEXT | {"max_length": 3001}), "must be less than 3001"
    ),
    case(
        "SR-ELM-19",
        asking({"type": "number_input", "is_decimal_allowed": False}),
        asking({"type": "number_input"}),
        "missing required field: is_decimal_allowed",
    ),
    case(
        "SR-ELM-21",
        beside({"type": "datepicker", "initial_date": "2026-11-20"}),
        beside({"type": "datepicker", "initial_date": "20.11.2026"}),
        "must be a date in the format YYYY-MM-DD",
    ),
    case(
        "SR-ELM-21",
        beside({"type": "datepicker", "initial_date": "2028-02-29"}),
        beside({"type": "datepicker", "initial_date": "2026-02-29"}),
        "must be a date in the format YYYY-MM-DD",
    ),
    case(
        "SR-ELM-22",
        beside({"type": "timepicker", "initial_time": "23:59"}),
        beside({"type": "timepicker", "initial_time": "24:00"}),
        "must be a time in the format HH:mm",
    ),
    case(
        "SR-ELM-23",
        actions({"type": "datetimepicker", "initial_date_time": 9_999_999_999}),
        actions({"type": "datetimepicker", "initial_date_time": 10_000_000_000}),
        "must be less than 10000000000",
    ),
    case("SR-ELM-24", pressed(text=plain("x")), pressed(text=mrkdwn("x")), "must be one of: plain_text"),
    case(
        "SR-ELM-25",
        beside({"type": "overflow", "options": [option("A", "a") | {"url": "https://x.example"}]}),
        beside(SELECT, options=[option("A", "a") | {"url": "https://x.example"}]),
        "invalid additional property: url",
    ),
    case("SR-ELM-26", beside(PICTURE), beside(TEXT), "unsupported type: plain_text_input"),
    case("SR-ELM-26", actions(SELECT), actions(PICTURE), "unsupported type: image"),
    case("SR-ELM-26", asking(TEXT), asking(button("x", "a")), "unsupported type: button"),
    case(
        "SR-ELM-27",
        [{"type": "image", "alt_text": "a", "slack_file": {"id": "F1"}}],
        [PICTURE | {"slack_file": {"id": "F1"}}],
        "must provide exactly one of: image_url, slack_file",
    ),
    case(
        "SR-ELM-28",
        pressed(accessibility_label="x" * 75),
        pressed(accessibility_label="x" * 76),
        "must be less than 76 characters",
    ),
    case("SR-ELM-29", beside(MANY, max_selected_items=1), beside(MANY, max_selected_items=0), "must be more than 0"),
    case(
        "SR-ELM-30",
        asking(TEXT, dispatch_action=True),
        asking({"type": "file_input"}, dispatch_action=True),
        "not supported with file_input",
    ),
    case(
        "SR-ELM-31",
        [*asking(TEXT | {"focus_on_load": True}), *asking(TEXT)],
        [*asking(TEXT | {"focus_on_load": True})] * 2,
        "only one element can have focus_on_load",
    ),
    case(
        "SR-ELM-32",
        asking(TEXT | {"dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]}}),
        asking(TEXT | {"dispatch_action_config": {"trigger_actions_on": ["on_blur"]}}),
        "must be a valid enum value",
    ),
    case(
        "SR-ELM-33",
        beside({"type": "conversations_select", "filter": {"include": ["im", "public"]}}),
        beside({"type": "conversations_select", "filter": {"include": ["secret"]}}),
        "must be a valid enum value",
    ),
    case(
        "SR-ELM-33",
        beside({"type": "conversations_select", "filter": {"exclude_bot_users": True}}),
        beside({"type": "conversations_select", "filter": {}}),
        "must provide at least one of: include",
    ),
    case(
        "SR-ELM-34",
        beside({"type": "workflow_button", "text": plain("x"), "workflow": {"trigger": {"url": "https://x.example"}}}),
        beside({"type": "workflow_button", "text": plain("x"), "workflow": {"trigger": {}}}),
        "missing required field: url",
    ),
    case(
        "SR-ELM-35",
        asking(COUNT | {"min_value": "3", "max_value": "3"}),
        asking(COUNT | {"min_value": "4", "max_value": "3"}),
        "must not be more than max_value",
    ),
    case("SR-ELM-35", asking(COUNT | {"initial_value": "-1"}), asking(COUNT | {"initial_value": "one"}), "a number"),
    case(
        "SR-ELM-35",
        asking(TEXT | {"min_length": 3, "max_length": 3}),
        asking(TEXT | {"min_length": 4, "max_length": 3}),
        "must not be more than max_length",
    ),
    case(
        "SR-ELM-36",
        asking({"type": "rich_text_input", "max_lines": 100}),
        asking({"type": "rich_text_input", "max_lines": 101}),
        "must be less than 101",
    ),
    case(
        "SR-ELM-36",
        asking({"type": "rich_text_input", "initial_value": rich(line())[0]}),
        asking({"type": "rich_text_input", "initial_value": "x"}),
        "unsupported type",
    ),
    case("SR-ELM-37", small(["U1"] * 10), small(["U1"] * 11), "no more than 10 items allowed"),
]


def named(problems: Out, problem: str) -> bool:
    return any(problem in each for each in problems)


@pytest.mark.parametrize(("taken", "refused", "problem"), MESSAGE)
def test_in_messages(taken: list[Json], refused: list[Json], problem: str) -> None:
    assert kit.problems(taken, "message") == []
    assert named(kit.problems(refused, "message"), problem), kit.problems(refused, "message")


@pytest.mark.parametrize(
    ("surface", "taken", "refused", "problem"),
    [
        case("SR-BLK-02", "modal", [DIVIDER] * 100, [DIVIDER] * 101, "no more than 100 items allowed"),
        case("SR-BLK-02", "home", [DIVIDER] * 100, [DIVIDER] * 101, "no more than 100 items allowed"),
        case(
            "SR-ELM-20",
            "modal",
            asking({"type": "file_input", "max_files": 10}),
            asking({"type": "file_input", "max_files": 11}),
            "must be less than 11",
        ),
        case(
            "SR-ELM-20",
            "modal",
            asking({"type": "file_input", "max_files": 1}),
            asking({"type": "file_input", "max_files": 0}),
            "must be more than 0",
        ),
        case("SR-BLK-40", "modal", alert("x" * 200), alert("x" * 201), "must be less than 201 characters"),
        case("SR-BLK-41", "modal", alert(level="success"), alert(level="panic"), "must be a valid enum value"),
    ],
)
def test_in_views(surface: str, taken: list[Json], refused: list[Json], problem: str) -> None:
    assert kit.problems(taken, surface) == []
    assert named(kit.problems(refused, surface), problem), kit.problems(refused, surface)


@pytest.mark.parametrize(
    ("blocks", "there", "not_there"),
    [
        case("SR-BLK-44", alert(), {"modal"}, {"message", "home"}),
        case("SR-BLK-45", box(DIVIDER), {"message", "home"}, {"modal"}),
        case("SR-BLK-45", [{"type": "carousel", "elements": [CARD]}], {"message", "home"}, {"modal"}),
        case("SR-BLK-45", table(1), {"message", "home"}, {"modal"}),
        case("SR-BLK-45", data(), {"message", "home"}, {"modal"}),
        case("SR-BLK-46", [{"type": "markdown", "text": "x"}], {"message"}, {"modal", "home"}),
        case("SR-BLK-46", plan(), {"message"}, {"modal", "home"}),
        case("SR-BLK-46", [task("error")], {"message"}, {"modal", "home"}),
        case("SR-BLK-46", [{"type": "context_actions", "elements": [FEEDBACK]}], {"message"}, {"modal", "home"}),
        case("SR-BLK-46", [{"type": "file", "external_id": "1", "source": "remote"}], {"message"}, {"modal", "home"}),
        case("SR-BLK-46", [bars()], {"message"}, {"modal", "home"}),
        case("SR-BLK-60", provider(), {"message", "modal", "home"}, set()),
    ],
)
def test_where_blocks_stand(blocks: list[Json], there: set[str], not_there: set[str]) -> None:
    for surface in there:
        assert kit.problems(blocks, surface) == []
    for surface in not_there:
        assert named(kit.problems(blocks, surface), f"unsupported type: {blocks[0]['type']}")


@pytest.mark.parametrize(
    ("element", "there", "not_there"),
    [
        case("SR-ELM-38", asking({"type": "file_input"}), {"modal"}, {"message", "home"}),
        case("SR-ELM-38", actions({"type": "datetimepicker"}), {"modal", "message"}, {"home"}),
        case(
            "SR-ELM-38",
            actions({"type": "workflow_button", "text": plain("x"), "workflow": {"trigger": {"url": "https://x"}}}),
            {"message"},
            {"modal", "home"},
        ),
    ],
)
def test_where_elements_stand(element: list[Json], there: set[str], not_there: set[str]) -> None:
    for surface in there:
        assert kit.problems(element, surface) == []
    for surface in not_there:
        assert named(kit.problems(element, surface), "unsupported type: ")


@rule("SR-BLK-56")
async def test_two_tables_have_a_code_of_their_own(slack: Try) -> None:
    await slack.takes("chat.postMessage", channel="#general", text="x", blocks=table(1))
    await slack.refuses("invalid_attachments", "chat.postMessage", channel="#general", text="x", blocks=table(1) * 2)


@rule("SR-BLK-49")
async def test_too_long_in_all_has_a_code_of_its_own(slack: Try) -> None:
    long = [section("x" * 3000)] * 4
    await slack.takes("chat.postMessage", channel="#general", text="x", blocks=[*long, section("x" * 1200)])
    await slack.refuses(
        "msg_blocks_too_long", "chat.postMessage", channel="#general", text="x", blocks=[*long, section("x" * 1201)]
    )


@rule("SR-BLK-53")
async def test_blocks_validate(slack: Try) -> None:
    form = {"type": "modal", "title": plain("T"), "blocks": [section("x")]}
    await slack.takes("blocks.validate", blocks=[section("x")])
    await slack.takes("blocks.validate", message={"blocks": [section("x")]})
    await slack.takes("blocks.validate", view=form)
    await slack.refuses("invalid_arguments", "blocks.validate")
    await slack.refuses("invalid_arguments", "blocks.validate", blocks=[], view=form)
    await slack.refuses("invalid_view", "blocks.validate", view=form | {"title": plain("x" * 25)})
    await slack.refuses("invalid_message", "blocks.validate", message={"blocks": alert()})
    refused = await slack.refuses("invalid_blocks", "blocks.validate", blocks=[section("")])
    assert refused["errors"] == [
        {"pointer": "/0/text/text", "code": "failed_constraint", "message": "must be more than 0 characters"}
    ]
    refused = await slack.refuses("invalid_blocks", "blocks.validate", blocks=[{"type": "header"}])
    assert refused["errors"] == [
        {"pointer": "/0", "code": "missing_field", "message": "missing required field: text", "field": "text"}
    ]
    slack.token = ""
    await slack.takes("blocks.validate", blocks=[section("x")])
