"""What people type, and what comes of it: a verb, a question back, a form, and never a guess."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from bot.domain.actor import Actor
from bot.probes import PROBES
from bot.slack.inbound.dispatch import BINDINGS
from bot.slack.requests.arguments import Arguments, MissingArguments, TimeWithoutZone, split_first_word
from bot.slack.requests.context import Request
from bot.slack.surfaces.acts import ACT_OF_WORD, ACTS
from localslack import Message, plain_text
from tests.world import World, world_at

#: the tables below ask one world, because none of their rows changes anything; conversations get one each
shared_loop = pytest.mark.asyncio(loop_scope="module")
NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
ANA, BEN = "U01ANASILVA", "U01BENOKAFO"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world with INC-1 open in #inc-1-withdrawals-are-stuck."""
    async with world_at(tmp_path_factory.mktemp("office")) as one:
        await one.declare()
        yield one


@dataclass
class Heard:
    """What a person sees after typing a command."""

    text: str
    labels: list[str] = field(default_factory=list)
    form: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


async def typed(world: World, text: str, channel: str = "#general", who: str = "ana") -> Heard:
    """Type the command; the form that it opened is closed again."""
    person = world.person(who)
    answer = await person.command(f"/incident {text}".strip(), channel=channel)
    await world.settle()
    assert not answer.failed, answer
    heard = Heard(answer.plain, plain_text.button_labels(answer.blocks))
    if person.view is not None:
        heard.form = person.view["title"]["text"]
        for block in person.view["blocks"]:
            element = block.get("element") or {}
            chosen = element.get("initial_option") or {}
            heard.fields[block.get("block_id", "")] = element.get("initial_value") or chosen.get("value")
        await person.close_view()
    return heard


@contextlib.asynccontextmanager
async def nothing_done(world: World) -> AsyncIterator[None]:
    """No incident begins, and no timeline grows."""
    before = await facts(world)
    yield
    await world.settle()
    assert await facts(world) == before


async def facts(world: World) -> list[Any]:
    rows = await world.bot.store.listing(world.slack.team_id, open_only=False)
    return [await world.bot.store.entries(row.id) for row in rows]


def private_words(world: World, who: str, channel: str) -> Message:
    """The last thing that only this person sees there."""
    found = [one for one in world.messages(who, channel) if one.ephemeral]
    assert found, "nothing was said privately"
    return found[-1]


# -- the table of verbs ---------------------------------------------------------------------------------


def test_no_word_means_two_verbs() -> None:
    assert len(ACT_OF_WORD) == sum(1 + len(declared.aliases) for declared in ACTS.values())
    assert all(word == word.lower() and " " not in word for word in ACT_OF_WORD)


READ: list[Any] = [
    pytest.param("declare", {"title": "", "severity": None}, id="declare alone: the form"),
    pytest.param("declare sev1 Payouts stuck", {"title": "Payouts stuck", "severity": "sev1"}, id="at once"),
    pytest.param("new p1 Payouts stuck", {"title": "Payouts stuck", "severity": "sev1"}, id="alias, and p1"),
    pytest.param("declare critical Payouts", {"title": "Payouts", "severity": "sev1"}, id="a severity's word"),
    pytest.param("declare sev 2 Payouts", {"title": "Payouts", "severity": "sev2"}, id="with a space"),
    pytest.param(
        "declare sev 2 hours stuck", {"title": "sev 2 hours stuck", "severity": None}, id="a length is no severity"
    ),
    pytest.param("declare 2 payouts lost", {"title": "2 payouts lost", "severity": None}, id="a count is none either"),
    pytest.param("declare p99 latency", {"title": "p99 latency", "severity": None}, id="nor is a latency"),
    pytest.param("backfill", {}, id="backfill"),
    pytest.param("backfill of payouts stands still", None, id="backfill: perhaps a title"),
    pytest.param("ack", {}, id="ack"),
    pytest.param("status", {}, id="status"),
    pytest.param("st", {}, id="st"),
    pytest.param("list", {}, id="list"),
    pytest.param("LS", {}, id="ls, loudly"),
    pytest.param("timeline", {}, id="timeline"),
    pytest.param("tl", {}, id="tl"),
    pytest.param("who", {}, id="who"),
    pytest.param("who is on call", None, id="who with more is a sentence"),
    pytest.param("check horizon", {"probe": "horizon", "target": ""}, id="check"),
    pytest.param("check HORIZON horizon-a", {"probe": "horizon", "target": "horizon-a"}, id="one endpoint"),
    pytest.param("check", MissingArguments(), id="check what"),
    pytest.param("check payouts failing", None, id="no such probe: perhaps a title"),
    pytest.param("check horizon a b", None, id="too much for a reading"),
    pytest.param("network", {}, id="network"),
    pytest.param("network down", None, id="perhaps a title"),
    pytest.param("sev 1", {"severity": "sev1", "reason": ""}, id="sev"),
    pytest.param("severity sev2 NG is back", {"severity": "sev2", "reason": "NG is back"}, id="alias and reason"),
    pytest.param("sev", MissingArguments(), id="sev what"),
    pytest.param("sev 2 hours stuck", None, id="perhaps a title"),
    pytest.param("sev 2 hours, stuck", None, id="with a comma"),
    pytest.param("sev payouts", None, id="a word is no severity, and no slip of one"),
    pytest.param("title Payouts slow", {"title": "Payouts slow"}, id="title"),
    pytest.param("title", MissingArguments(), id="title what"),
    pytest.param("impact NG and KE", {"impact": "NG and KE"}, id="impact"),
    pytest.param("impact", MissingArguments(), id="impact what"),
    pytest.param("started 13:40 UTC", {"at": NOW - timedelta(minutes=20)}, id="started"),
    pytest.param("started 20 min ago", {"at": NOW - timedelta(minutes=20)}, id="started, in words"),
    pytest.param("started", MissingArguments(), id="started when"),
    pytest.param("started yesterday", None, id="no time"),
    pytest.param("started 13:40 UTC or so", None, id="more than a time"),
    pytest.param("started 13:40", TimeWithoutZone(13, 40, before="started"), id="whose 13:40"),
    pytest.param("started 13:40 or so", None, id="more than a time without a zone"),
    pytest.param("lead me", {"who": ANA, "role": "lead"}, id="lead"),
    pytest.param("ic <@U01BENOKAFO|ben>", {"who": BEN, "role": "lead"}, id="ic"),
    pytest.param("lead", MissingArguments(), id="lead who"),
    pytest.param("lead times are long", None, id="perhaps a title"),
    pytest.param("lead @ben and @carla", None, id="two are too many"),
    pytest.param("comms-lead me", {"who": ANA, "role": "comms-lead"}, id="comms-lead"),
    pytest.param("scribe me", {"who": ANA, "role": "scribe"}, id="scribe"),
    pytest.param("handover @ben", {"who": "@ben"}, id="handover"),
    pytest.param("page @ben", {"who": "@ben"}, id="page"),
    pytest.param("page is blank", None, id="perhaps a title: the page of customers"),
    pytest.param("add @ben", {"who": "@ben"}, id="add"),
    pytest.param("add funds fails", None, id="perhaps a title"),
    pytest.param("escalate", {"reason": ""}, id="escalate"),
    pytest.param("escalate nobody answers", {"reason": "nobody answers"}, id="escalate, with a reason"),
    pytest.param("update", {"text": ""}, id="update: the form"),
    pytest.param("update NG is back", {"text": "NG is back"}, id="update"),
    pytest.param("note seen at the bank", {"text": "seen at the bank", "at": None}, id="note"),
    pytest.param("n at 13:40 UTC seen", {"text": "seen", "at": NOW - timedelta(minutes=20)}, id="an earlier note"),
    pytest.param(
        "note at 13:40 seen", TimeWithoutZone(13, 40, before="note at", after="seen"), id="whose 13:40, in a note"
    ),
    pytest.param("note at the bank", {"text": "at the bank", "at": None}, id="at is a word like any other"),
    pytest.param("note", MissingArguments(), id="note what"),
    pytest.param("note at 13:40 UTC", MissingArguments(), id="a time is no note"),
    pytest.param("note at 13:40", MissingArguments(), id="nor without a zone"),
    pytest.param("task write the test", {"text": "write the test", "assignee": ""}, id="task"),
    pytest.param(
        "task @ben write it by Friday",
        {"text": "write it by Friday", "assignee": "@ben"},
        id="for whom; the day is read afterwards",
    ),
    pytest.param(
        "task sort by amount before you send it out",
        {"text": "sort by amount before you send it out", "assignee": ""},
        id="by is not always a day",
    ),
    pytest.param("task", MissingArguments(), id="task what"),
    pytest.param("task @ben", MissingArguments(), id="task for whom, and what"),
    pytest.param("waiting for the bank", {"what": "the bank", "until": None}, id="waiting"),
    pytest.param(
        "waiting for the bank until 15:00 UTC", {"what": "the bank", "until": NOW + timedelta(hours=1)}, id="until when"
    ),
    pytest.param(
        "waiting for the bank until 13:00 UTC",
        {"what": "the bank", "until": NOW + timedelta(hours=23)},
        id="a moment to wait for lies ahead",
    ),
    pytest.param(
        "waiting for {} until 15:00", TimeWithoutZone(15, 0, before="waiting for {} until"), id="braces are words"
    ),
    pytest.param("waiting for us until we wake", {"what": "us until we wake", "until": None}, id="until is a word too"),
    pytest.param("waiting over", {"what": "", "until": None}, id="over"),
    pytest.param("waiting", MissingArguments(), id="waiting for what"),
    pytest.param("waiting for", MissingArguments(), id="waiting for, and what"),
    pytest.param("waiting payouts", None, id="perhaps a title"),
    pytest.param("comms", {"name": "", "rest": ()}, id="comms: the list"),
    pytest.param(
        "comms payment-delays customers", {"name": "payment-delays", "rest": ("customers",)}, id="with an audience"
    ),
    pytest.param("comms are down in Kenya today", None, id="perhaps a title"),
    pytest.param("runbook", {"name": ""}, id="runbook: the list"),
    pytest.param("rb horizon-outage", {"name": "horizon-outage"}, id="rb"),
    pytest.param("runbook was wrong", None, id="perhaps a title"),
    pytest.param("step 2.3 done", {"which": "2.3", "what": "done", "text": ""}, id="step"),
    pytest.param(
        "step db 2.3 skip not ours", {"which": "db 2.3", "what": "skip", "text": "not ours"}, id="of two runbooks"
    ),
    pytest.param("step 2.3 stopped at 14:00", {"which": "2.3", "what": "done", "text": "at 14:00"}, id="stopped"),
    pytest.param("step", MissingArguments(), id="step which"),
    pytest.param("step 2.3", MissingArguments(), id="step, and what"),
    pytest.param("step by step all fails", None, id="perhaps a title"),
    pytest.param("mitigate", {"note": ""}, id="mitigate"),
    pytest.param("mitigated moved to the second bank", {"note": "moved to the second bank"}, id="mitigated"),
    pytest.param("resolve", {"note": ""}, id="resolve"),
    pytest.param("fixed all paid", {"note": "all paid"}, id="fixed"),
    pytest.param("reopen", {"reason": ""}, id="reopen"),
    pytest.param("false-alarm a test", {"reason": "a test"}, id="false-alarm"),
    pytest.param("duplicate INC-40", {"number": 40}, id="duplicate"),
    pytest.param("duplicate", MissingArguments(), id="duplicate of what"),
    pytest.param("duplicate payouts", None, id="perhaps a title: and one about money"),
    pytest.param("close", {"note": ""}, id="close"),
    pytest.param("postmortem", {}, id="postmortem"),
    pytest.param("pm", {}, id="pm"),
    pytest.param("help", {"verb": ""}, id="help"),
    pytest.param("help SEV", {"verb": "sev"}, id="help on a verb"),
    pytest.param("help us with payouts", None, id="perhaps a title"),
    pytest.param("join INC-40", {"number": 40}, id="join"),
    pytest.param("join", MissingArguments(), id="join which"),
    pytest.param("join flow is broken", None, id="perhaps a title"),
    pytest.param("more", {}, id="more"),
    pytest.param("menu", {}, id="menu"),
    pytest.param("menu of the app is empty", None, id="perhaps a title"),
    pytest.param("catch-up", {}, id="catch-up"),
    pytest.param("catchup", {}, id="catchup"),
    pytest.param("follow", {}, id="follow"),
    pytest.param("follow INC-1", None, id="follow works where the incident is"),
    pytest.param("accept", {"role": ""}, id="accept the only one"),
    pytest.param("accept comms lead", {"role": "comms-lead"}, id="accept, with a blank"),
    pytest.param("accept button is grey", None, id="perhaps a title"),
    pytest.param("keep lead", {"role": "lead"}, id="keep"),
    pytest.param("not-yet", {"role": ""}, id="not-yet"),
    pytest.param("keep getting errors", None, id="perhaps a title"),
    pytest.param("here", {}, id="here"),
    pytest.param("here is the problem", None, id="perhaps a title"),
    pytest.param("handover", {}, id="handover: the form"),
    pytest.param("nothing-new", {"tried": ""}, id="nothing-new"),
    pytest.param("nothing-new waiting for the bank", {"tried": "waiting for the bank"}, id="and what was tried"),
    pytest.param("undo", {}, id="undo"),
    pytest.param("undo button broken", None, id="perhaps a title"),
    pytest.param("snooze", {}, id="snooze"),
    pytest.param("hold", {}, id="hold: the form"),
    pytest.param(
        "hold until 15:00 UTC @ben", {"until": NOW + timedelta(hours=1), "watcher": "@ben"}, id="until when, and who"
    ),
    pytest.param("hold until 13:00 UTC me", {"until": NOW + timedelta(hours=23), "watcher": ANA}, id="lies ahead"),
    pytest.param("hold until 15:00 UTC", MissingArguments(), id="and who watches"),
    pytest.param("hold until 15:00 @ben", TimeWithoutZone(15, 0, before="hold until", after="@ben"), id="whose 15:00"),
    pytest.param("hold music plays", None, id="perhaps a title"),
    pytest.param("task-done", {}, id="task-done: the only one"),
    pytest.param("task-done 2", {"number": 2}, id="task-done"),
    pytest.param("task-done is never shown", None, id="perhaps a title"),
    pytest.param("comms-edit", {"name": ""}, id="comms-edit"),
    pytest.param("approve", {"name": ""}, id="approve: the only one"),
    pytest.param("approve 12ab34", {"name": "12ab34"}, id="approve one"),
    pytest.param("approve queue is stuck", None, id="perhaps a title"),
    pytest.param("discard", {"name": ""}, id="discard"),
    pytest.param("discard fails", None, id="perhaps a title"),
    pytest.param("published yes", {"public": "yes", "name": ""}, id="published"),
    pytest.param("published no 12AB34", {"public": "no", "name": "12ab34"}, id="which is not"),
    pytest.param("published", MissingArguments(), id="published or not"),
    pytest.param("published rates are wrong", None, id="perhaps a title"),
    pytest.param("steps", {"runbook": ""}, id="steps"),
    pytest.param("steps horizon", {"runbook": "horizon"}, id="of which runbook"),
    pytest.param("steps do not load", None, id="perhaps a title"),
    pytest.param("agree", {}, id="agree"),
    pytest.param("stand-down", {}, id="stand-down"),
]


@shared_loop
@pytest.mark.parametrize(("text", "read"), READ)
async def test_a_verb_is_one_only_if_the_rest_are_its_arguments(office: World, text: str, read: Any) -> None:
    services = office.bot.token_workspace.services
    call = Request(services, Actor(services.directory.team, ANA, "ana"), office.channel().id, idempotency_key="")
    first, rest = split_first_word(text)
    found = BINDINGS[ACT_OF_WORD[first.lower()]].read(rest, call)
    assert (dict(found.values) if isinstance(found, Arguments) else found) == read


@shared_loop
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("declare sev9 Payouts stuck", id="sev9"),
        pytest.param("declare P-7 Payouts stuck", id="p-7"),
        pytest.param("sev 9", id="sev 9"),
        pytest.param("sev sev-4 worse", id="sev sev-4"),
        pytest.param("sev9", id="without a verb"),
        pytest.param("sev9 Payouts stuck", id="without a verb, with a title"),
    ],
)
async def test_a_severity_that_does_not_exist(office: World, text: str) -> None:
    async with nothing_done(office):
        heard = await typed(office, text, office.channel().name)
    assert heard.text.startswith("There is no severity “")
    assert "Use one of sev1, sev2, sev3." in heard.text
    assert not heard.form


#: what the bot offers for "check …": each probe, three at most
READINGS = [f"{name.capitalize()} reading" for name in sorted(PROBES)][:3]


# -- nothing happens, and buttons say what it may have meant --------------------------------------------------


@shared_loop
@pytest.mark.parametrize(
    ("text", "elsewhere", "inside"),
    [
        pytest.param(
            "check payouts failing",
            ["Declare “check payouts failing”", *READINGS],
            ["Declare “check payouts failing”", *READINGS],
            id="a verb's word before a title",
        ),
        pytest.param(
            "network down",
            ["Declare “network down”", "Network reading"],
            ["Declare “network down”", "Network reading"],
            id="network down",
        ),
        pytest.param(
            "sev 2 hours stuck",
            ["Declare “sev 2 hours stuck”", "How to type sev"],
            ["Declare “sev 2 hours stuck”", "How to type sev"],
            id="a length is no severity",
        ),
        pytest.param(
            "duplicate payouts",
            ["Declare “duplicate payouts”", "How to type duplicate"],
            ["Declare “duplicate payouts”", "How to type duplicate"],
            id="a title about money must not end an incident",
        ),
        pytest.param(
            "notte the bank called",
            ["Declare “notte the bank called”", "note: A line for the timeline."],
            ["Declare “notte the bank called”", "note: A line for the timeline."],
            id="a slip, and what it would be",
        ),
        pytest.param(
            "stauts are wrong",
            ["Declare “stauts are wrong”", "How to type status"],
            ["Declare “stauts are wrong”", "How to type status"],
            id="a slip whose rest does not fit",
        ),
        pytest.param(
            "stauts",
            ["Declare “stauts”", "status: Where it stands; elsewhere: what is open."],
            ["Declare “stauts”", "status: Where it stands; elsewhere: what is open."],
            id="a slip alone",
        ),
        pytest.param(
            "help xyz", ["Declare “help xyz”", "How to type help"], ["Declare “help xyz”", "How to type help"],
            id="help on what is no verb",
        ),
        pytest.param(
            "update prices are wrong",
            ["Declare “update prices are wrong”", "How to type update"],
            ["Post", "Edit"],
            id="a verb with words, perhaps a title; inside it is the verb, previewed",
        ),
    ],
)  # fmt: skip
async def test_what_is_not_clear_does_nothing_and_offers(
    office: World, text: str, elsewhere: list[str], inside: list[str]
) -> None:
    for where, labels in (("#general", elsewhere), (office.channel().name, inside)):
        async with nothing_done(office):
            heard = await typed(office, text, where)
        assert heard.labels == labels
        assert not heard.form
        if labels != ["Post", "Edit"]:
            assert "Nothing was done" in heard.text


async def test_both_buttons_do_what_they_say(world: World) -> None:
    await typed(world, "network down")
    answer = private_words(world, "ana", "#general")
    async with nothing_done(world):
        await world.person("ana").click(answer, label="Declare “network down”")
        await world.settle()
    view = world.person("ana").view
    assert view is not None and view["title"]["text"] == "Declare an incident"
    assert (await world.person("ana").submit()).ok
    await world.settle()
    assert (await world.incident()).title == "network down"
    assert private_words(world, "ana", "#general").plain.startswith("INC-1 is open: <#")

    await world.person("ana").click(answer, label="Network reading")
    await world.settle()
    assert "horizon" in private_words(world, "ana", "#general").plain.lower()


# -- a severity without a verb ------------------------------------------------------------------------------


@shared_loop
async def test_a_severity_and_a_title_without_a_verb(office: World) -> None:
    async with nothing_done(office):
        form = await typed(office, "sev1 Payouts stuck")
        assert (form.form, form.fields["title"], form.fields["severity"]) == (
            "Declare an incident", "Payouts stuck", "sev1",
        )  # fmt: skip
        inside = await typed(office, "sev2 Payouts stuck", office.channel().name)
        assert inside.labels == ["Declare SEV-2 “Payouts stuck”", "Make INC-1 SEV-2"]
        alone = await typed(office, "sev2", office.channel().name)
        assert alone.labels == ["Make INC-1 SEV-2"]


# -- free text, and nothing at all ------------------------------------------------------------------------------


@shared_loop
@pytest.mark.parametrize(
    ("text", "title"),
    [
        pytest.param("Withdrawals are slow", "Withdrawals are slow", id="free text is a title"),
        pytest.param("Fees < 3 & rising", "Fees < 3 & rising", id="Slack's escaping is undone"),
        pytest.param("", None, id="nothing: an empty form"),
        pytest.param("declare", None, id="declare alone"),
    ],
)
async def test_an_ordinary_channel_opens_the_form(office: World, text: str, title: str | None) -> None:
    async with nothing_done(office):
        heard = await typed(office, text)
    assert heard.form == "Declare an incident"
    assert heard.fields["title"] == title
    assert heard.text == ""


@shared_loop
async def test_in_an_incident_nothing_typed_asks_what_next(office: World) -> None:
    async with nothing_done(office):
        heard = await typed(office, "", office.channel().name)
    assert heard.text.startswith("*Next for you:*")
    assert len(heard.labels) == 6 and (heard.labels[0], heard.labels[-1]) == ("Post update", "More")
    assert not heard.form


async def test_in_an_incident_free_text_is_a_note_or_a_new_incident(world: World) -> None:
    place = (await world.declare()).name
    async with nothing_done(world):
        heard = await typed(world, "the bank says < 5 min & counting", place)
    assert heard.labels == ["Note it in INC-1", "New incident"]
    assert "&lt; 5 min &amp; counting" in heard.text
    answer = private_words(world, "ana", place)
    await world.person("ana").click(answer, label="New incident")
    await world.settle()
    view = world.person("ana").view
    assert view is not None and view["blocks"][0]["element"]["initial_value"] == "the bank says < 5 min & counting"
    await world.person("ana").close_view()
    for _ in range(2):  # pressed twice: noted once
        await world.person("ana").click(answer, label="Note it in INC-1")
        await world.settle()
    notes = [entry.event for entry in (await facts(world))[0] if type(entry.event).__name__ == "Noted"]
    assert [one.text for one in notes] == ["the bank says < 5 min & counting"]  # type: ignore[attr-defined]


# -- usage, help ------------------------------------------------------------------------------------------


@shared_loop
@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(
            "sev", "Type `/incident sev sev1|sev2|sev3 [reason]`. Raise, lower or confirm the severity.", id="sev"
        ),
        pytest.param("note", "Type `/incident note [at 13:40 UTC] text`. A line for the timeline.", id="note"),
        pytest.param("lead", "Type `/incident lead @who | me`. Hand the lead over.", id="lead"),
        pytest.param("started", "Type `/incident started 13:40 UTC`. Correct when it began.", id="started"),
        pytest.param("duplicate", "Type `/incident duplicate INC-40`. The same as another incident.", id="duplicate"),
        pytest.param("check", "Type `/incident check horizon [endpoint]`. A reading; nothing is changed anywhere.",
                     id="check"),
        pytest.param("title", "Type `/incident title what is broken`. Correct the title.", id="title"),
    ],
)  # fmt: skip
async def test_a_missing_argument_is_answered_with_one_line(office: World, text: str, line: str) -> None:
    async with nothing_done(office):
        heard = await typed(office, text, office.channel().name)
    assert heard.text == line


@shared_loop
async def test_help_names_every_verb_and_alias(office: World) -> None:
    async with nothing_done(office):
        for where in ("#general", office.channel().name):
            heard = await typed(office, "help", where)
            for act, declared in ACTS.items():
                assert f"`/incident {act}" in heard.text
                assert all(alias in heard.text for alias in declared.aliases)


@shared_loop
@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(
            "help sev",
            "Type `/incident sev sev1|sev2|sev3 [reason]`. Raise, lower or confirm the severity. Also: severity.",
            id="a verb, with its alias",
        ),
        pytest.param("help ack", "Type `/incident ack`. Say that you answer for it.", id="a verb without arguments"),
        pytest.param(
            "help pm",
            "Type `/incident postmortem`. A draft from the timeline, as a file in the channel. Also: pm.",
            id="by its alias",
        ),
    ],
)
async def test_help_on_one_verb(office: World, text: str, line: str) -> None:
    assert (await typed(office, text)).text == line


# -- a verb outside an incident ---------------------------------------------------------------------------------


@shared_loop
@pytest.mark.parametrize("text", ["ack", "sev 1", "lead me", "timeline", "resolve", "note seen", "step 1.1 done"])
async def test_a_verb_outside_an_incident_says_where_it_works(office: World, text: str) -> None:
    async with nothing_done(office):
        heard = await typed(office, text)
    verb = split_first_word(text)[0]
    assert heard.text.startswith(f"`{verb}` works in an incident's channel. Nothing was done. Open now: <#")
    assert not heard.form


# -- times without a zone ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "text", "labels", "pressed", "at"),
    [
        pytest.param(
            "ana", "note at 13:40 queue seen", ["13:40 UTC", "13:40 mine (13:40 UTC)"], 0, "2026-03-02 13:40", id="UTC"
        ),
        pytest.param(
            "carla", "note at 13:40 queue seen", ["13:40 UTC", "13:40 mine (12:40 UTC)"], 1, "2026-03-02 12:40",
            id="mine, in Rome",
        ),
        pytest.param(
            "carla", "note at 00:20 queue seen", ["00:20 UTC", "00:20 mine (23:20 UTC)"], 1, "2026-03-01 23:20",
            id="mine, over midnight: what happened is in the past",
        ),
        pytest.param(
            "carla", "note at 2026-03-01 00:20 queue seen",
            ["2026-03-01 00:20 UTC", "2026-03-01 00:20 mine (2026-02-28 23:20 UTC)"], 1, "2026-02-28 23:20",
            id="mine, over midnight, with the day",
        ),
    ],
)  # fmt: skip
async def test_a_time_without_a_zone_is_asked_back(
    world: World, who: str, text: str, labels: list[str], pressed: int, at: str
) -> None:
    place = (await world.declare()).name
    await world.advance(minutes=1)
    async with nothing_done(world):
        heard = await typed(world, text, place, who)
    assert heard.text.startswith("Which zone is that time in? Nothing was done yet.")
    assert heard.labels == labels
    await world.person(who).click(private_words(world, who, place), label=labels[pressed])
    await world.settle()
    noted = [entry.event for entry in (await facts(world))[0] if type(entry.event).__name__ == "Noted"]
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert [(one.text, one.happened) for one in noted] == [("queue seen", moment)]  # type: ignore[attr-defined]


async def test_started_and_waiting_are_asked_back_too(world: World) -> None:
    place = (await world.declare()).name
    assert (await typed(world, "started 13:30", place)).labels == ["13:30 UTC", "13:30 mine (13:30 UTC)"]
    await world.person("ana").click(private_words(world, "ana", place), label="13:30 UTC")
    await world.settle()
    assert (await world.incident()).started == datetime(2026, 3, 2, 13, 30, tzinfo=UTC)
    await typed(world, "waiting for the bank until 16:00", place)
    await world.person("ana").click(private_words(world, "ana", place), label="16:00 UTC")
    await world.settle()
    incident = await world.incident()
    assert (incident.waiting, incident.look_again) == ("the bank", datetime(2026, 3, 2, 16, 0, tzinfo=UTC))


# -- mentions ------------------------------------------------------------------------------------------------


async def mention(world: World, who: str, channel: str, text: str, thread: str | None = None) -> str:
    ts = await world.person(who).post(channel, f"@incident-commander {text}".strip(), thread)
    await world.settle()
    return ts


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param("note the bank called", "Noted.", id="a verb"),
        pytest.param(": n the bank called", "Noted.", id="with a colon, and an alias"),
        pytest.param("status", "*INC-1 · SEV-1 · Investigating*", id="a private look"),
        pytest.param("sev 2 hours stuck", "That may be a title or `sev`. Nothing was done.", id="no guess here either"),
        pytest.param("thanks all", "Shall that be a note in INC-1, or a new incident?", id="free text"),
        pytest.param("", "*Next for you:*", id="nothing but the name: what next"),
        pytest.param("sev", "Type `/incident sev sev1|sev2|sev3 [reason]`.", id="usage"),
        pytest.param("update", "`update` takes a form. Nothing was done yet.", id="a form needs a click"),
        pytest.param("step 9.9 done", "No runbook is attached", id="a refusal"),
    ],
)
async def test_a_mention_in_a_thread_is_the_same_table(world: World, text: str, answer: str) -> None:
    place = (await world.declare()).name
    card = next(one for one in world.messages("ana", place) if one.blocks)
    await mention(world, "ana", place, text, card.ts)
    said = [one for one in world.messages("ana", place, card.ts) if one.ephemeral]
    assert said and said[-1].plain.startswith(answer)
    assert not [one for one in world.messages("ben", place, card.ts) if answer in one.plain and one.ephemeral]


async def test_a_mention_in_a_channel_and_in_a_thread_open_forms_by_a_button(world: World) -> None:
    place = (await world.declare()).name
    await mention(world, "ana", place, "update")
    await world.person("ana").click(private_words(world, "ana", place), label="Open the form")
    await world.settle()
    view = world.person("ana").view
    assert view is not None and view["title"]["text"] == "Update INC-1"


async def test_a_mention_in_an_ordinary_channel_declares_or_asks(world: World) -> None:
    await world.person("ana").invite("#payments", "incident-commander")
    await mention(world, "ana", "#payments", "")
    assert private_words(world, "ana", "#payments").labels == ["Declare an incident"]
    async with nothing_done(world):
        await mention(world, "ana", "#payments", "payouts to NG fail")
    assert private_words(world, "ana", "#payments").labels == ["Declare “payouts to NG fail”"]
    await mention(world, "ana", "#payments", "declare sev2 Payouts to NG fail")
    assert (await world.incident()).title == "Payouts to NG fail"
    async with nothing_done(world):
        await mention(world, "ana", "#payments", "note seen")
    assert "`note` works in an incident's channel" in private_words(world, "ana", "#payments").plain


# -- one like it, private or public ------------------------------------------------------------------------------


async def test_one_like_it_was_opened_lately(world: World) -> None:
    await world.declare()
    async with nothing_done(world):
        heard = await typed(world, "declare sev1 withdrawals stuck", who="dipo")
    assert "INC-1 is open and sounds alike: Withdrawals are stuck." in heard.text
    assert heard.labels == ["Go to INC-1", "Declare anyway"]
    answer = private_words(world, "dipo", "#general")

    await world.person("dipo").click(answer, label="Go to INC-1")
    await world.settle()
    assert world.person("dipo").id in world.channel(1).members
    for _ in range(2):  # pressed twice: declared once
        await world.person("dipo").click(answer, label="Declare anyway")
        await world.settle()
    assert (await world.incident(2)).title == "withdrawals stuck"
    assert len(await facts(world)) == 2


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        pytest.param("declare sev1 Cards declined in KE", 0, id="another matter"),
        pytest.param("declare sev1 Withdrawals are stuck", 61, id="the same words an hour later"),
    ],
)
async def test_what_is_not_like_it_is_declared(world: World, text: str, minutes: int) -> None:
    await world.declare()
    await world.jump(minutes=minutes)
    assert (await typed(world, text, who="dipo")).labels == []
    assert len(await facts(world)) == 2


@pytest.mark.parametrize(
    ("pressed", "private"), [pytest.param("Private", True, id="private"), pytest.param("Public", False, id="public")]
)
async def test_delicate_words_are_asked_about_before_any_channel_exists(
    world: World, pressed: str, private: bool
) -> None:
    before = set(world.slack.world.channels)
    async with nothing_done(world):
        heard = await typed(world, "declare sev1 Signing key leaked")
    assert set(world.slack.world.channels) == before
    assert heard.labels == ["Private", "Public"]
    assert "a channel cannot be made private later" in heard.text
    answer = private_words(world, "ana", "#general")
    for _ in range(2):  # pressed twice: declared once
        await world.person("ana").click(answer, label=pressed)
        await world.settle()
    incident = await world.incident()
    assert len(await facts(world)) == 1
    assert incident.private is private
    assert world.channel().name == ("inc-1" if private else "inc-1-signing-key-leaked")
    assert world.channel().is_private is private


@shared_loop
async def test_the_form_knows_delicate_words_too(office: World) -> None:
    assert (await typed(office, "Signing key leaked")).fields["private"] == "private"
    assert (await typed(office, "Withdrawals slow")).fields["private"] == "public"


def test_the_table_reads_calmly() -> None:
    for verb in ACTS.values():
        assert verb.description.endswith(".") and "!" not in verb.description
