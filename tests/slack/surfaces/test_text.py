from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.surfaces import text

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        pytest.param("a < b & c > d", "a &lt; b &amp; c &gt; d", id="exactly the three characters"),
        pytest.param("<!channel> help", "&lt;!channel&gt; help", id="cannot notify a channel"),
        pytest.param("&lt;!here&gt;", "&amp;lt;!here&amp;gt;", id="already escaped stays what it is"),
        pytest.param("<!subteam^S1|@oncall>", "&lt;!subteam^S1|@oncall&gt;", id="cannot notify a group"),
        pytest.param("<@U1|ben> has it", "@ben has it", id="a mention that arrives reads as a name"),
        pytest.param("<#C1|payments>", "#payments", id="so does a channel"),
        pytest.param("<https://x.example/a?b&c|there>", "there (https://x.example/a?b&amp;c)", id="and a link"),
        pytest.param("<https://x.example>", "https://x.example", id="a bare link"),
        pytest.param("a\x00b\u202ec", "abc", id="control characters and turned text go"),
        pytest.param("family 👨\u200d👩\u200d👧", "family 👨\u200d👩\u200d👧", id="joined emoji stay"),
    ],
)
def test_what_people_wrote_is_only_words(written: str, shown: str) -> None:
    assert text.escape(written) == shown


def test_a_line_cannot_pose_as_the_bots_next_line() -> None:
    assert text.escape_line("stuck\n*Go-ahead from Ben*") == "stuck *Go-ahead from Ben*"
    assert text.quoted("one\ntwo") == "> one\n> two"


@given(st.text(max_size=200), st.integers(min_value=1, max_value=60))
def test_cutting_keeps_entities_whole(written: str, limit: int) -> None:
    cut = text.clip(text.escape(written), limit)
    assert len(cut) <= limit
    rest = cut.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    assert not set("&<>") & set(rest)


@pytest.mark.parametrize(
    ("whole", "limit", "cut"),
    [
        pytest.param("a&lt;b", 6, "a&lt;b", id="fits exactly"),
        pytest.param("a&lt;bc", 6, "a&lt;…", id="the entity just fits"),
        pytest.param("a&lt;bc", 5, "a…", id="half an entity is left off"),
        pytest.param("by <@U123> now", 8, "by …", id="half a mention is left off"),
    ],
)
def test_cut(whole: str, limit: int, cut: str) -> None:
    assert text.clip(whole, limit) == cut


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        pytest.param(NOON, "12:00 UTC (<!date^1795176000^{time} yours|12:00 UTC>)", id="today"),
        pytest.param(
            NOON + timedelta(days=1),
            "Sat 12:00 UTC (<!date^1795262400^{date_short_pretty} {time} yours|12:00 UTC>)",
            id="another day has its weekday, and the reader's own day, which may differ",
        ),
    ],
)
def test_times_are_utc_first_then_the_readers_own(at: datetime, shown: str) -> None:
    assert text.when(at, NOON) == shown
    assert text.without_date_markup(shown) == shown[: shown.index(" (")]


@pytest.mark.parametrize(
    ("id", "shown"),
    [
        pytest.param("U1", "Ana &lt;3", id="a name notifies nobody"),
        pytest.param("U2", "<@U2>", id="without a name a reader still sees who"),
        pytest.param("bot", "the bot", id="this bot"),
        pytest.param("", "somebody", id="whoever stood in a redacted entry"),
        pytest.param("cli:root", "root (command line)", id="a shell"),
    ],
)
def test_people(id: str, shown: str) -> None:
    assert text.person_name(id, {"U1": "Ana <3"}) == shown


def test_mentions() -> None:
    assert text.mentions(["U1", "S2", "U3"]) == "<@U1>, <!subteam^S2> and <@U3>"


@pytest.mark.parametrize(
    ("address", "link"),
    [
        pytest.param("https://a.example/x?y=1&z=2", "<https://a.example/x?y=1&amp;z=2|a.example>", id="an address"),
        pytest.param("https://good.example@evil.example/", "<https://good.example@evil.example/|evil.example>",
                     id="a name before the host is not where it leads"),
        pytest.param("https://[redacted]@a.example/", "", id="redacted before the host"),
        pytest.param("https://[redacted]/", "", id="redacted host"),
        pytest.param("https://a.example/|https://good.example", "", id="words of its own"),
        pytest.param("javascript:alert(1)", "", id="no address"),
    ],
)  # fmt: skip
def test_a_link_shows_where_it_leads(address: str, link: str) -> None:
    assert text.link(address) == link
