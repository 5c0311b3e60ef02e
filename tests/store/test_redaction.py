"""Words that are taken out are out: of every row, of the log, of the free space; and the chain tells who takes more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain import events as e
from bot.domain.actor import Actor, ActorKind
from bot.domain.effect import EffectKind, EffectState
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.domain.redaction import FREE_TEXT_FIELDS as WORDS_OF
from bot.domain.redaction import REDACTION_MARK, RedactedWords
from bot.store import SqlStore, SqlTransaction, codec, dump, engines, migrate
from bot.store.redaction import RedactionResult, purge_free_space, redact

from .acts import KEY, NOW, TEAM, after, append, declare, effect, note
from .raw import Raw
from .timeline import amounts_to, story

WORDS = "hunter2-correct horse"
CLI = Actor(team="", user="cli:ops", name="ops", kind=ActorKind.CLI)


def take_out(
    text: str = WORDS, id: str = "one", minutes: float = 10, reason: str = "pasted by accident", by: Actor = CLI
) -> Callable[[SqlTransaction], RedactionResult]:
    return lambda tx: redact(tx, id, RedactedWords(text), reason=reason, public_too=False, by=by, now=after(minutes))


@pytest.fixture
async def told(store: SqlStore) -> SqlStore:
    """An incident that holds the words in its title, a note, a skip reason and a draft, and beside the timeline."""
    draft = e.CommsDrafted(
        by="U1", at=after(4), draft="d1", template="delays", audience="customers", stage="first", revision="1",
        text=f"Use {WORDS}.", text_hash="old hash", slots=(("what", WORDS),), expires=after(60),
    )  # fmt: skip
    await store.write(declare("one", f"Login {WORDS} fails"))
    await store.write(declare("two", "Another"))
    await store.write(
        append(
            "one",
            e.ChannelOpened(by="bot", at=after(1), channel="C1", name="inc-1-login-hunter2-correct-horse-fails"),
            note(f"I typed {WORDS}, sorry", after(2)),
            e.RoleTaken(by="U1", at=after(2), role="lead", user="U1"),
            e.SeverityChanged(by="U1", at=after(3), old="sev1", new="sev2", reason=f"{WORDS} is only for staging"),
            draft,
            e.Mitigated(by="U1", at=after(5), note="fine"),
        )
    )

    def beside(tx: SqlTransaction) -> None:
        tx.save_delivery(TEAM, "k", "one", f"I heard {WORDS}", NOW)
        tx.save_effect(effect("card", error=f"refused: {WORDS}", state=EffectState.PARKED))
        tx.save_effect(effect("channel", kind=EffectKind.CHANNEL, hash="inc-1-login-hunter2-correct-horse-fails"))
        tx.save_person(TEAM, "U9", {"name": WORDS}, NOW)

    await store.write(beside)
    return store


def everything(raw: Raw) -> str:
    tables = ("incidents", "events", "effects", "deliveries", "people", "teams")
    return "\n".join(repr(raw.rows(f"SELECT * FROM {table}")) for table in tables)


async def test_the_words_go_and_the_facts_stay(told: SqlStore, raw: Raw, url: str) -> None:
    before = await told.incident("one")
    assert before is not None and "hunter2" in everything(raw)
    done = await told.write(take_out())
    assert [hit.seq for hit in done.hits] == [1, 2, 3, 5, 6]
    assert done.rows == {"effects": 2, "deliveries": 1, "people": 1}
    await asyncio.to_thread(purge_free_space, url)
    assert "hunter2" not in everything(raw) and "hunter2" not in repr(await told.incident("one"))
    assert await told.verify() == []

    now = await told.incident("one")
    assert now is not None
    assert (now.title, now.channel_name, now.renamed) == (
        f"Login {REDACTION_MARK} fails", "inc-1-login-redacted-fails", True,
    )  # fmt: skip
    assert (now.severity, now.status, now.lead) == (before.severity, before.status, "U1")
    assert now.notes[0].noted == replace(before.notes[0].noted, text=f"I typed {REDACTION_MARK}, sorry")
    assert now.drafts["d1"].state == "lapsed" and now.drafts["d1"].drafted.text == f"Use {REDACTION_MARK}."
    assert (await told.listing(TEAM))[-1].title == f"Login {REDACTION_MARK} fails"
    mark = (await told.entries("one"))[7].event
    assert isinstance(mark, e.Redacted) and (mark.by, mark.at, mark.reason) == (
        "cli:ops", after(10), "pasted by accident",
    )  # fmt: skip
    assert [(one.seq, one.type) for one in mark.kept][:2] == [(1, "Declared"), (2, "ChannelOpened")]
    gone = raw.rows("SELECT seq FROM events WHERE incident_id='one' AND body IS NULL AND salt IS NULL ORDER BY seq")
    assert gone == [(1,), (2,), (3,), (5,), (6,)]
    assert raw.rows("SELECT hash FROM effects WHERE key='channel'") == [("inc-1-login-redacted-fails",)]
    (due,) = raw.rows("SELECT count(*) FROM incidents WHERE id='one' AND due_at IS NOT NULL")
    assert due == (1,)

    # a process that knows nothing of before, and one that goes on from what it knows, see the same
    await told.write(append("one", note("more", after(11))))
    fresh = SqlStore.open(url, KEY)
    assert await fresh.incident("one") == await told.incident("one")
    assert await fresh.entries("one") == await told.entries("one")
    await fresh.close()
    assert (await told.write(take_out(minutes=12))).hits == ()


async def test_another_process_sees_it_at_once(told: SqlStore, url: str) -> None:
    other = SqlStore.open(url, KEY)
    assert "hunter2" in repr(await other.incident("one"))
    await told.write(take_out())
    assert "hunter2" not in repr(await other.incident("one"))
    await other.write(append("one", note("more", after(11))))
    assert await told.incident("one") == await other.incident("one")
    assert await other.verify() == []
    await other.close()


async def test_what_was_left_can_be_redacted_again(told: SqlStore, raw: Raw) -> None:
    await told.write(take_out())
    # the first redaction kept the other words of these entries
    done = await told.write(take_out("sorry", minutes=11, reason="no excuses"))
    assert [hit.seq for hit in done.hits] == [3, 8]
    assert "sorry" not in everything(raw) and await told.verify() == []
    incident = await told.incident("one")
    assert incident is not None and incident.notes[0].noted.text == f"I typed {REDACTION_MARK}, {REDACTION_MARK}"
    assert incident.title == f"Login {REDACTION_MARK} fails" and incident.channel_name == "inc-1-login-redacted-fails"


async def test_the_reason_of_a_redaction_can_go_too(told: SqlStore, raw: Raw) -> None:
    await told.write(take_out(reason="the key of Ana Silva"))
    await told.write(take_out("Ana Silva", minutes=11, reason="names nobody"))
    assert "Ana Silva" not in everything(raw) and await told.verify() == []
    mark = (await told.entries("one"))[7].event
    assert isinstance(mark, e.Redacted) and mark.reason == f"the key of {REDACTION_MARK}"
    incident = await told.incident("one")
    assert incident is not None and incident.notes[0].noted.text == f"I typed {REDACTION_MARK}, sorry"


@pytest.mark.databases("sqlite")
async def test_the_words_are_nowhere_in_the_files(told: SqlStore, url: str) -> None:
    path = Path(url.removeprefix("sqlite:///"))
    log = path.with_name(path.name + "-wal")
    assert b"hunter2" in log.read_bytes() + path.read_bytes()
    await told.write(take_out())
    assert "emptied" in await asyncio.to_thread(purge_free_space, url)
    assert log.stat().st_size == 0 and b"hunter2" not in path.read_bytes()


@pytest.mark.parametrize(
    ("script", "found"),
    [
        pytest.param("UPDATE events SET body=NULL, salt=NULL WHERE incident_id='one' AND seq=7",
                     "lost its body, and was not redacted", id="a body nulled by hand"),
        pytest.param("UPDATE events SET body=NULL, salt=NULL, redacted=(SELECT redacted FROM events WHERE "
                     "incident_id='one' AND seq=3) WHERE incident_id='one' AND seq=7", "did not make",
                     id="a mark used for another"),
        pytest.param("DELETE FROM events WHERE incident_id='one' AND seq=8", "event 8 is missing",
                     id="what says it taken away"),
        pytest.param("DELETE FROM events WHERE incident_id='one' AND seq>=8; UPDATE incidents SET seq=7 WHERE id='one'",
                     "not the one that was written last", id="and the index row adjusted"),
        pytest.param("UPDATE events SET body=replace(body, 'sorry', 'happy') WHERE incident_id='one' AND seq=8",
                     "has another body", id="what was kept, changed"),
        pytest.param("UPDATE incidents SET redactions=4 WHERE id='one'", "counts 4 redactions", id="the count changed"),
    ],
)  # fmt: skip
async def test_what_somebody_else_takes_out_is_told(told: SqlStore, raw: Raw, script: str, found: str) -> None:
    await told.write(take_out())
    raw(script)
    assert any(found in problem for problem in await told.verify())


async def test_words_put_back_from_a_backup_are_told(told: SqlStore, raw: Raw) -> None:
    ((body, salt),) = raw.rows("SELECT body, salt FROM events WHERE incident_id='one' AND seq=3")
    await told.write(take_out())
    raw(
        f"UPDATE events SET redacted=NULL, salt='{salt}', body='{body}' WHERE incident_id='one' AND seq=3; "
        "UPDATE incidents SET redactions=4 WHERE id='one'"
    )
    (problem,) = await told.verify()
    assert "event 3 was redacted, and its mark was taken away" in problem


async def test_an_export_keeps_what_was_kept(told: SqlStore, url: str, tmp_path: Path) -> None:
    await told.write(take_out())
    file, target = tmp_path / "all.jsonl", f"sqlite:///{tmp_path / 'other.sqlite'}"
    with file.open("wb") as out:
        await asyncio.to_thread(
            engines.run_in_transaction, engines.parse_url(url), lambda c: dump.write(c, out), write=False
        )
    assert b"hunter2" not in file.read_bytes()
    await asyncio.to_thread(migrate, target)
    with file.open("rb") as source:
        await asyncio.to_thread(
            engines.run_in_transaction, engines.parse_url(target), lambda c: dump.read(c, source), write=True
        )
    other = SqlStore.open(target, KEY)
    assert await other.incident("one") == await told.incident("one") and await other.verify() == []
    await other.close()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param({"by": Actor(team=TEAM, user="U1", name="Ana")}, "on its command line", id="somebody in Slack"),
        pytest.param({"reason": f"it was {WORDS}"}, "contains the words", id="the reason holds the words"),
        pytest.param({"reason": " "}, "Say why", id="no reason"),
        pytest.param({"id": "nowhere"}, "no such incident", id="no incident"),
    ],
)
async def test_refusals_change_nothing(told: SqlStore, raw: Raw, change: dict[str, object], sentence: str) -> None:
    before = everything(raw)
    with pytest.raises(Refused, match=sentence):
        await told.write(take_out(**change))  # type: ignore[arg-type]
    assert everything(raw) == before


def texts() -> list[str]:
    """The free text of every event of a whole incident."""
    found = [getattr(event, name) for event in story() for name in WORDS_OF.get(type(event), ())]
    return sorted({one for one in found if isinstance(one, str) and len(one) >= 4})


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("words", texts())
async def test_whatever_is_taken_out_of_a_whole_incident_its_facts_stay(store: SqlStore, raw: Raw, words: str) -> None:
    first, *rest = story()

    def begin(tx: SqlTransaction) -> None:
        incident = Incident(team=TEAM, id="one")
        number = tx.next_number(TEAM)
        incident = tx.append(incident, [replace(first, number=number)], NOW)  # type: ignore[call-arg]
        tx.append(incident, rest, NOW)

    await store.write(begin)
    before = amounts_to(await incident_of(store))
    done = await store.write(take_out(words, minutes=1000))
    assert done.hits and await store.verify() == []
    after_ = amounts_to(await incident_of(store))
    lapsed = {name for name, state in before["drafts"].items() if after_["drafts"][name] != state}
    assert all(before["drafts"][name] in ("drafted", "approved") for name in lapsed)
    for changes in ("title", "drafts", "seq"):
        del before[changes], after_[changes]
    assert after_ == before
    bodies = [codec.encode(hit.left)[0].body for hit in done.hits]
    assert not any(RedactedWords(words).found_in(text) for body in bodies for text in body.split('"'))


async def incident_of(store: SqlStore) -> Incident:
    incident = await store.incident("one")
    assert incident is not None
    return incident
