"""The figures of Block Kit, each on both sides: `make(limit)` is taken, and one step past it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from localslack import blocks as kit
from localslack.tests.rules.book import case
from localslack.tests.rules.test_block_rules import (
    BOXES,
    CARD,
    DIVIDER,
    FEEDBACK,
    MENU,
    PICTURE,
    SELECT,
    TEXT,
    asking,
    bars,
    beside,
    box,
    data,
    line,
    options,
    pie,
    pressed,
    provider,
    raw,
    rich,
    small,
    sure,
    task,
    video,
)
from localslack.tests.shop import Json, mrkdwn, option, plain

Make = Callable[[int], list[Json]]


def words(count: int) -> Json:
    return plain("x" * count)


def opinion(**more: Any) -> list[Json]:
    return [{"type": "context_actions", "elements": [FEEDBACK | {"positive_button": {"text": plain("x"), **more}}]}]


def trash(**more: Any) -> list[Json]:
    [block] = small(["U1"])
    return [block | {"elements": [block["elements"][0] | more]}]


def part(kind: str, **more: Any) -> list[Json]:
    inner = [line()] if kind == "rich_text_list" else []
    style = {"style": "bullet"} if kind == "rich_text_list" else {}
    return rich({"type": kind, "elements": inner, **style, **more})


def grouped(groups: int, count: int = 1) -> list[Json]:
    several = [{"label": plain("L"), "options": options(count)}] * groups
    return beside({"type": "static_select", "option_groups": several})


def chart(**axes: str) -> list[Json]:
    whole = bars()
    whole["chart"]["axis_config"] |= axes
    return [whole]


def labelled(label: str) -> list[Json]:
    """A bar of this name in a category of this name."""
    whole = bars()
    whole["chart"]["axis_config"]["categories"] = [label]
    whole["chart"]["series"][0]["data"][0]["label"] = label
    return [whole]


def address(length: int) -> str:
    return "https://x.example/".ljust(length, "x")


def workflow(label: int) -> list[Json]:
    trigger = {"trigger": {"url": "https://x.example"}}
    return beside({"type": "workflow_button", "text": words(label), "workflow": trigger})


def lines(**more: int) -> list[Json]:
    return asking({"type": "rich_text_input", **more})


MOST: list[Any] = [
    case("SR-BLK-11", 4, lambda n: [{"type": "header", "text": plain("x"), "level": n}]),
    case("SR-BLK-15", 2000, lambda n: asking(TEXT) if n < 1 else [asking(TEXT)[0] | {"label": words(n)}]),
    case("SR-BLK-15", 2000, lambda n: asking(TEXT, hint=words(n))),
    case("SR-BLK-16", 3000, lambda n: [PICTURE | {"image_url": "x" * n}]),
    case("SR-BLK-16", 2000, lambda n: [PICTURE | {"alt_text": "x" * n}]),
    case("SR-BLK-16", 2000, lambda n: [PICTURE | {"title": words(n)}]),
    case("SR-BLK-16", 3000, lambda n: beside(PICTURE, image_url="x" * n)),
    case("SR-BLK-16", 2000, lambda n: beside(PICTURE, alt_text="x" * n)),
    case("SR-BLK-18", 8, lambda n: part("rich_text_list", indent=n)),
    case("SR-BLK-18", 1, lambda n: part("rich_text_list", border=n)),
    case("SR-BLK-18", 1, lambda n: part("rich_text_quote", border=n)),
    case("SR-BLK-18", 1, lambda n: part("rich_text_preformatted", border=n)),
    case("SR-BLK-21", 20, lambda n: [{"type": "table", "rows": [[raw()]], "column_settings": [{}] * n}]),
    case("SR-BLK-23", 19, lambda n: data(row_header_column_index=n)),
    case("SR-BLK-29", 20, lambda n: labelled("x" * n)),
    case("SR-BLK-29", 50, lambda n: chart(x_label="x" * n)),
    case("SR-BLK-29", 50, lambda n: chart(y_label="x" * n)),
    case("SR-BLK-31", 150, lambda n: [CARD | {"title": words(n)}]),
    case("SR-BLK-32", 200, lambda n: [CARD | {"subtext": words(n)}]),
    case("SR-BLK-36", 150, lambda n: box(DIVIDER, subtitle=words(n))),
    case("SR-BLK-48", 3000, lambda n: [{"type": "context", "elements": [mrkdwn("x" * n)]}]),
    case("SR-BLK-50", 200, lambda n: video(description=words(n))),
    case("SR-BLK-58", 10_000, lambda n: [{"type": "table", "rows": [[raw("x" * (n - 1)), raw()]]}]),
    case("SR-BLK-60", 150, lambda n: provider(value="x" * n)),
    case("SR-BLK-60", 75, lambda n: provider(name=words(n))),
    case("SR-BLK-60", 150, lambda n: provider(description=words(n))),
    case("SR-BLK-60", 75, lambda n: provider(connected_identity=words(n))),
    case("SR-BLK-60", 75, lambda n: provider(connected_context=words(n))),
    case("SR-BLK-60", 3000, lambda n: provider(icon_url=address(n))),
    case("SR-BLK-60", 3000, lambda n: provider(auth_url=address(n))),
    case("SR-BLK-60", 3000, lambda n: provider(disconnect_url=address(n))),
    case("SR-BLK-61", 3000, lambda n: [task("error") | {"sources": [{"type": "url", "url": "x" * n, "text": "t"}]}]),
    case("SR-ELM-01", 75, workflow),
    case("SR-ELM-01", 75, lambda n: opinion(value="v", text=words(n))),
    case("SR-ELM-01", 75, lambda n: trash(text=words(n))),
    case("SR-ELM-02", 2000, lambda n: opinion(value="x" * n)),
    case("SR-ELM-02", 2000, lambda n: trash(value="x" * n)),
    case("SR-ELM-08", 100, lambda n: beside(SELECT, options=options(n))),
    case("SR-ELM-09", 100, lambda n: grouped(n)),
    case("SR-ELM-09", 100, lambda n: grouped(1, n)),
    case("SR-ELM-17", 100, lambda n: pressed(confirm=sure("x" * n, "x", "x"))),
    case("SR-ELM-17", 300, lambda n: pressed(confirm=sure("x", "x" * n, "x"))),
    case("SR-ELM-17", 30, lambda n: pressed(confirm=sure("x", "x", "x") | {"deny": words(n)})),
    case("SR-ELM-18", 3000, lambda n: asking(TEXT | {"min_length": n})),
    case("SR-ELM-25", 3000, lambda n: beside(MENU, options=[option("A", "a") | {"url": "x" * n}])),
    case("SR-ELM-36", 100, lambda n: lines(min_lines=n)),
]


@pytest.mark.parametrize(("most", "make"), MOST)
def test_the_most(most: int, make: Make) -> None:
    assert kit.problems(make(most), "message") == []
    assert kit.problems(make(most + 1), "message") != []


LEAST: list[Any] = [
    case("SR-BLK-11", 1, lambda n: [{"type": "header", "text": plain("x"), "level": n}]),
    case("SR-BLK-24", 1, lambda n: data(page_size=n)),
    case("SR-BLK-52", 1, pie),
    case("SR-ELM-06", 1, lambda n: beside(BOXES, options=options(n))),
    case("SR-ELM-07", 1, lambda n: beside(MENU, options=options(n))),
    case("SR-ELM-18", 1, lambda n: asking(TEXT | {"max_length": n})),
    case("SR-ELM-23", 1_000_000_000, lambda n: asking({"type": "datetimepicker", "initial_date_time": n})),
    case("SR-ELM-36", 1, lambda n: lines(min_lines=n)),
    case("SR-ELM-36", 1, lambda n: lines(max_lines=n)),
]


@pytest.mark.parametrize(("least", "make"), LEAST)
def test_the_least(least: int, make: Make) -> None:
    assert kit.problems(make(least), "message") == []
    assert kit.problems(make(least - 1), "message") != []
