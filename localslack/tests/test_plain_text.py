"""Reading blocks: visible words, mentions, typed names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localslack import LocalSlack, messages, plain_text
from localslack.tests.shop import Json, card, section


def test_all_words_of_a_card_in_reading_order() -> None:
    assert plain_text.visible("fallback", card("green")) == "New order\n*green*\nDone\nServe\nBroken\nSmall\nLarge"
    assert plain_text.visible("only text", []) == "only text"


RICH: Json = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "text", "text": "hi "},
                {"type": "user", "user_id": "U1"},
                {"type": "emoji", "name": "tea"},
            ],
        }
    ],
}


@pytest.mark.parametrize(
    ("text", "blocks", "users", "groups", "everybody"),
    [
        pytest.param("<@U1> and <@U2|ben>", [], {"U1", "U2"}, set(), False, id="people"),
        pytest.param("<!subteam^S1|@comms>", [], set(), {"S1"}, False, id="a group"),
        pytest.param("<!channel> <!here|here>", [], set(), set(), True, id="everybody"),
        pytest.param("&lt;@U1&gt; <#C1> <https://x|y>", [], set(), set(), False, id="nobody"),
        pytest.param("<@U1>", [section("x")], set(), set(), False, id="blocks count, not the fallback"),
        pytest.param("", [section("<@U3>")], {"U3"}, set(), False, id="in a section"),
        pytest.param("", [RICH], {"U1"}, set(), False, id="in rich text"),
        pytest.param(
            "",
            [{"type": "header", "text": {"type": "plain_text", "text": "<@U1>"}}],
            set(),
            set(),
            False,
            id="plain text",
        ),
    ],
)
def test_mentions(text: str, blocks: list[Json], users: set[str], groups: set[str], everybody: bool) -> None:
    assert plain_text.mentions(text, blocks) == (users, groups, everybody)


@pytest.mark.parametrize(
    ("line", "stored"),
    [
        pytest.param("@ben, look", "<@U01BENOKAFO>, look", id="a name and a comma"),
        pytest.param("thanks @ben.", "thanks <@U01BENOKAFO>.", id="a name and a full stop"),
        pytest.param("@tea-shop @tea", "<@U01BOTUSER1> <@U01BOTUSER1>", id="the bot, by its first word too"),
        pytest.param("@payments-oncall now", "<!subteam^S01PAYONCAL> now", id="a group"),
        pytest.param("#payments", "<#C01PAYMENTS|payments>", id="a channel"),
        pytest.param("@here", "<!here>", id="everybody here"),
        pytest.param("@nobody a@ben.example", "@nobody a@ben.example", id="neither a name nor an address"),
        pytest.param("a < b & c", "a &lt; b &amp; c", id="escaped"),
        pytest.param("<@U01ANASILVA> <!here>", "<@U01ANASILVA> <!here>", id="already in Slack's form"),
        pytest.param("<script>", "&lt;script&gt;", id="not in Slack's form"),
    ],
)
async def test_what_people_type(sandbox: LocalSlack, line: str, stored: str) -> None:
    assert messages.typed(sandbox.world, line) == stored


@given(st.text())
def test_escaping_can_be_undone(text: str) -> None:
    assert plain_text.unescape(plain_text.escape(text)) == text
    assert not set("<>") & set(plain_text.escape(text))
