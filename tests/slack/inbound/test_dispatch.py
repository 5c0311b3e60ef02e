"""The table of acts: each can be typed and clicked, its readers fit its handler, and no title is taken for it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.slack.inbound.dispatch import BINDINGS, BUTTONS, FORMS
from bot.slack.surfaces.acts import ACT_OF_WORD, ACTS, Act, FieldKind, Group, StepAct
from bot.slack.surfaces.button_values import IncidentValue, UnreadableValue, decode, encode
from bot.slack.surfaces.words.forms import STEP_ACTS
from localslack import plain_text
from tests.slack.inbound.titles import TITLES
from tests.world import World, world_at

shared_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world with INC-1 open, and a runbook attached."""
    async with world_at(tmp_path_factory.mktemp("office")) as one:
        await one.declare()
        await one.say("ana", "/incident runbook horizon-outage", one.channel().name)
        yield one


def test_both_halves_have_the_same_keys() -> None:
    assert set(ACTS) == set(BINDINGS) == set(Act)
    assert list(ACTS) == list(Act) and list(BINDINGS) == list(Act)  # and the same order, which help shows
    assert {row.act for row in (*BUTTONS.values(), *FORMS.values())} <= set(Act)
    assert set(STEP_ACTS) == set(StepAct)
    assert {declared.group for declared in ACTS.values()} == set(Group)


@pytest.mark.parametrize("act", Act)
def test_every_act_has_a_clicked_way_or_a_reason(act: Act) -> None:
    """Typed ways all have: the table's key is the word. Clicked ones stand in [More] or in a message."""
    declared = ACTS[act]
    assert declared.label and declared.description.endswith(".")
    assert not declared.not_clicked or declared.not_clicked.endswith(".")


@pytest.mark.parametrize("act", Act)
def test_what_a_form_asks_is_what_the_handler_takes(act: Act) -> None:
    """By form or bare, an act calls its handler with arguments that it has."""
    takes = inspect.signature(BINDINGS[act].handler).parameters
    names = {one.name for one in ACTS[act].fields}
    assert names <= set(takes), act
    given = names | ({"role"} if act in (Act.LEAD, Act.COMMS_LEAD, Act.SCRIBE) else set())
    needed = {
        name
        for name, one in takes.items()
        if one.default is one.empty and name != "call" and one.kind is not one.VAR_KEYWORD
    }
    if not ACTS[act].not_clicked:
        assert needed <= given, act


def test_a_person_a_severity_and_a_time_are_chosen_or_read_never_guessed() -> None:
    kinds = {one.name: one.kind for declared in ACTS.values() for one in declared.fields}
    assert kinds["who"] is kinds["assignee"] is FieldKind.PERSON
    assert kinds["severity"] is FieldKind.SEVERITY
    assert kinds["until"] is FieldKind.FUTURE_TIME


@pytest.mark.parametrize("kind", sorted({one.value for one in BUTTONS.values()}, key=lambda one: one.__name__))
def test_what_a_button_carries_comes_back(kind: type[IncidentValue]) -> None:
    types = {name: one.type for name, one in kind.__dataclass_fields__.items()}
    value = kind(**{name: 7 if "int" in str(of) else f"so {name}" for name, of in types.items()})
    assert decode(kind, encode(value)) == value


@pytest.mark.parametrize(
    "raw", ["", "{}", "[]", '{"r": 5, "s": "1.1"}', '{"r": "x"}', '{"r": "x", "s": "1", "v": true}']
)
def test_what_no_button_carries_is_refused(raw: str) -> None:
    with pytest.raises(UnreadableValue):
        decode(BUTTONS["inc:tick"].value, raw)


# -- titles -----------------------------------------------------------------------------------------------


def test_every_word_has_three_titles() -> None:
    """All but "declare": what follows it is a title, and the person has said so."""
    assert set(TITLES) == set(ACT_OF_WORD) - {Act.DECLARE}
    assert all(len(set(three)) == 3 for three in TITLES.values())


async def facts(world: World) -> list[Any]:
    rows = await world.bot.store.listing(world.slack.team_id, open_only=False)
    return [await world.bot.store.entries(row.id) for row in rows]


async def asked_back(world: World, text: str, channel: str) -> str:
    """What is wrong with how the title was taken; empty where it led to the declare form or to its question."""
    before = await facts(world)
    person = world.person("ana")
    answer = await person.command(f"/incident {text}", channel=channel)
    await world.settle()
    form = person.view["callback_id"] if person.view is not None else ""
    if person.view is not None:
        await person.close_view()
    if await facts(world) != before:
        return "it was recorded"
    offers = [one for one in plain_text.button_labels(answer.blocks) if one.startswith("Declare “")]
    return "" if form == "inc:declare" or offers else f"{answer.plain[:200]!r}, {form or 'no form'}"


@shared_loop
@pytest.mark.parametrize("word", sorted(TITLES))
async def test_a_title_is_never_a_command(office: World, word: str) -> None:
    """Said where no incident is: it leads to the form of a declaration, or to the question whether it is one."""
    wrong = [(one, await asked_back(office, f"{word} {one}", "#general")) for one in TITLES[word]]
    assert not [one for one in wrong if one[1]]


@shared_loop
@pytest.mark.parametrize("word", sorted(word for word in TITLES if not ACTS[ACT_OF_WORD[word]].takes_free_text))
async def test_nor_in_an_incidents_channel(office: World, word: str) -> None:
    """But for verbs that take a person's own words there: "note payouts fail" is a note."""
    wrong = [(one, await asked_back(office, f"{word} {one}", office.channel().name)) for one in TITLES[word]]
    assert not [one for one in wrong if one[1]]
