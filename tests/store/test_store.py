"""The store's contract: what is acknowledged is kept, whole, in order; what failed left nothing behind."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import StatementError

from bot.domain import events as e
from bot.domain.effect import EffectState
from bot.domain.errors import Conflict, NewerThanThisProgram, Refused
from bot.domain.incident import Incident, Status
from bot.store import SqlStore, SqlTransaction
from bot.store.rows import PersonRow
from bot.store.store import MAX_READ_TOGETHER

from .acts import KEY, NOW, TEAM, Job, after, append, count_up, declare, effect, held_up, note
from .raw import Raw
from .timeline import story

pytestmark = pytest.mark.databases("sqlite", "postgres18", "postgres16")


async def test_what_was_written_is_read(url: str, store: SqlStore) -> None:
    events = [replace(story()[0], number=1), *story()[1:]]  # type: ignore[call-arg]
    await store.write(declare("first"))
    await store.write(lambda tx: (tx.next_number("T0TEAM2"), tx.append(Incident("T0TEAM2", "one"), events, None))[1])
    again = SqlStore.open(url, KEY)
    assert await again.entries("one") == [e.Entry(seq, event) for seq, event in enumerate(events, 1)]
    assert await again.incident("one") == await store.incident("one")
    assert await again.write(lambda tx: tx.incident("one")) == await store.incident("one")
    assert await again.verify() == []
    await again.close()


async def test_what_is_not_there(store: SqlStore) -> None:
    assert await store.incident("none") is None
    assert await store.entries("none") == []
    assert await store.find(TEAM, 1) is None
    assert await store.by_channel(TEAM, "") is None
    assert await store.write(lambda tx: tx.incident("none")) is None
    assert await store.write(lambda tx: tx.delivery(TEAM, "none")) is None
    assert await store.next_due() is None
    assert await store.verify() == []


async def test_many_are_read_together(url: str, store: SqlStore) -> None:
    """More than fit into one statement; what another program changed is read anew."""
    names = [f"case-{number}" for number in range(MAX_READ_TOGETHER + 5)]
    for name in names:
        await store.write(declare(name))
    other = SqlStore.open(url, KEY)
    seqs = dict.fromkeys(names, 1)
    assert await other.incidents({**seqs, "none": 1}) == {name: await store.incident(name) for name in names}
    await store.write(append("case-3", note("changed since")))
    found = await other.incidents({**seqs, "case-3": 2})
    assert found["case-3"] == await store.incident("case-3") and found["case-3"].seq == 2
    assert await other.incidents({}) == {}
    await other.close()


async def test_a_thousand_read_modify_writes_lose_none(store: SqlStore) -> None:
    await store.write(declare("one", title="0"))
    await asyncio.gather(*(store.write(count_up("one")) for _ in range(1000)))
    incident = await store.incident("one")
    assert incident is not None and (incident.title, incident.seq) == ("1000", 1001)
    assert await store.verify() == []


async def test_two_programs_on_one_database_lose_none(url: str, store: SqlStore) -> None:
    await store.write(declare("one", title="0"))
    other = SqlStore.open(url, KEY)

    async def count(one: SqlStore) -> None:
        for _ in range(25):  # one after the other, so that the two take turns and do not commit all at once
            await one.write(count_up("one"))

    await asyncio.gather(*(count(one) for one in (store, other) * 4))
    incident = await other.incident("one")
    assert incident is not None and incident.title == "200"
    assert incident == await store.incident("one")
    assert await store.verify() == []
    await other.close()


async def test_a_stale_incident_is_a_conflict(store: SqlStore) -> None:
    before = await store.write(declare("one"))
    await store.write(append("one", note("first")))
    with pytest.raises(Conflict):
        await store.write(lambda tx: tx.append(before, [note("second")], NOW))
    with pytest.raises(Conflict):  # declared twice
        await store.write(declare("one"))
    assert [entry.event for entry in await store.entries("one")][1:] == [note("first")]
    # the number of the second declaration was given back
    assert (await store.write(declare("two"))).number == 2


async def test_a_state_that_was_never_written_is_a_conflict(store: SqlStore) -> None:
    await store.write(declare("one"))
    kept: list[Incident] = []

    def fails(tx: SqlTransaction) -> None:
        kept.append(append("one", note("never"))(tx))
        raise Refused("no")

    with pytest.raises(Refused):
        await store.write(fails)
    await store.write(append("one", note("first")))
    assert kept[0].seq == 2  # the same place in the chain, another past
    with pytest.raises(Conflict):
        await store.write(lambda tx: tx.append(kept[0], [note("second")], NOW))
    with pytest.raises(Conflict):
        await store.write(lambda tx: (tx.incident("one"), tx.append(kept[0], [note("second")], NOW)))


async def test_what_is_appended_at_a_glance_stands_on_what_is_there(url: str, store: SqlStore) -> None:
    """Decided on what this process knows: written, with the delivery's key, if it still stands so, or not at all."""

    def at_a_glance(text: str, key: str) -> Job:
        def job(tx: SqlTransaction) -> Incident:
            known = tx.cached("one")
            assert known is not None
            return tx.append(known, [note(text)], after(5), delivery=(key, NOW))

        return job

    await store.write(declare("one"))
    assert (await store.write(at_a_glance("first", "k1"), append_to="one")).seq == 2
    assert (await store.write(at_a_glance("second", "k2"), append_to="one")).seq == 3
    with pytest.raises(Conflict):  # a delivery counts once
        await store.write(at_a_glance("again", "k1"), append_to="one")
    other = SqlStore.open(url, KEY)
    await other.write(append("one", note("of somebody else")))
    await other.close()
    with pytest.raises(Conflict):  # it has changed, and nobody has said so yet
        await store.write(at_a_glance("too late", "k3"), append_to="one")
    assert await store.write(lambda tx: [tx.delivery(TEAM, one) is not None for one in ("k1", "k2", "k3")]) == [
        True, True, False,
    ]  # fmt: skip
    incident = await store.incident("one")
    assert incident is not None
    assert [one.noted.text for one in incident.notes] == ["first", "second", "of somebody else"]
    assert await store.next_due() == NOW
    assert await store.verify() == []


async def test_glances_side_by_side_lose_nothing(store: SqlStore) -> None:
    """Each stands on the one before, though all are asked for at once."""

    def count(tx: SqlTransaction) -> Incident:
        known = tx.cached("one")
        assert known is not None
        return tx.append(known, [e.TitleChanged(by="U1", at=NOW, title=str(int(known.title) + 1))], NOW)

    await store.write(declare("one", "0"))
    await asyncio.gather(*(store.write(count, append_to="one") for _ in range(50)))
    incident = await store.incident("one")
    assert incident is not None and (incident.title, incident.seq) == ("50", 51)
    assert await store.verify() == []


async def test_a_job_that_raises_undoes_itself_alone(store: SqlStore) -> None:
    await store.write(declare("one"))

    def fails(tx: SqlTransaction) -> None:
        append("one", note("bad"))(tx)
        tx.save_delivery(TEAM, "bad", "one", "", NOW)
        tx.next_number(TEAM)
        raise Refused("no")

    async with held_up(store):
        jobs = [
            asyncio.ensure_future(store.write(append("one", note("a")))),
            asyncio.ensure_future(store.write(fails)),
            asyncio.ensure_future(store.write(append("one", note("b")))),
            asyncio.ensure_future(store.write(declare("two"))),
        ]
    answers = await asyncio.gather(*jobs, return_exceptions=True)
    assert isinstance(answers[1], Refused)
    kept = await store.incident("one")
    assert kept is not None and kept in answers
    # on PostgreSQL the two may have changed places
    events = [entry.event for entry in await store.entries("one")]
    assert events[1:] in ([note("a"), note("b")], [note("b"), note("a")])
    assert await store.write(lambda tx: tx.delivery(TEAM, "bad")) is None
    assert getattr(answers[3], "number", None) == 2
    assert await store.verify() == []


async def test_one_who_went_away_does_not_disturb_the_rest(store: SqlStore) -> None:
    await store.write(declare("one"))
    async with held_up(store):
        jobs = [asyncio.ensure_future(store.write(append("one", note(text)))) for text in "abc"]
        await asyncio.sleep(0)
        jobs[1].cancel()
    assert sorted([(await jobs[n]).seq for n in (0, 2)]) == [2, 3]  # who comes first is the database's to say


@pytest.mark.databases("sqlite")  # where jobs share a commit
async def test_one_who_goes_away_while_it_is_written_does_not_disturb_the_rest(store: SqlStore) -> None:
    await store.write(declare("one"))
    loop = asyncio.get_running_loop()

    def leaves(tx: SqlTransaction) -> None:  # its loop hears of that before it hears of the commit
        loop.call_soon_threadsafe(jobs[1].cancel)

    async with held_up(store):
        jobs = [asyncio.ensure_future(store.write(job)) for job in (leaves, append("one", note("x")), count_nothing)]
        await asyncio.sleep(0)
    await asyncio.gather(jobs[0], jobs[2])
    assert jobs[1].cancelled()
    assert len(await store.entries("one")) == 2  # nobody waited for it; it was written all the same


def count_nothing(tx: SqlTransaction) -> None:
    """A job that does nothing."""


async def test_deliveries(store: SqlStore) -> None:
    await store.write(declare("one"))
    await store.write(lambda tx: tx.save_delivery(TEAM, "k", "one", "done", NOW))
    known = await store.write(lambda tx: tx.delivery(TEAM, "k"))
    assert known is not None and (known.incident_id, known.answer, known.at) == ("one", "done", NOW)
    assert await store.write(lambda tx: tx.delivery("T0OTHER", "k")) is None
    with pytest.raises(Conflict):
        await store.write(lambda tx: tx.save_delivery(TEAM, "k", "one", "", NOW))
    assert await store.write(lambda tx: tx.forget_deliveries(NOW)) == 0
    assert await store.write(lambda tx: tx.forget_deliveries(after(1))) == 1


async def test_numbers_are_counted_per_team_without_gaps(store: SqlStore) -> None:
    def refused(tx: SqlTransaction) -> None:
        tx.next_number(TEAM)
        raise Refused("no")

    for team in ("T1", "T2"):  # two that are a team's first at once: one is a Conflict, and tries again
        await store.write(declare(f"{team} 0", team=team))
    jobs = [store.write(declare(f"{team} {n}", team=team)) for n in range(1, 20) for team in ("T1", "T2")]
    jobs += [store.write(refused) for _ in range(5)]  # type: ignore[misc]
    await asyncio.gather(*jobs, return_exceptions=True)
    for team in ("T1", "T2"):
        listed = await store.listing(team, open_only=False)
        assert [row.number for row in listed] == list(range(20, 0, -1))
        assert await store.find(team, 20) == listed[0].id


async def test_the_index_row_follows_the_timeline(store: SqlStore) -> None:
    await store.write(declare("one"))
    await store.write(declare("two"))
    await store.write(append("one", e.ChannelOpened(by="bot", at=NOW, channel="C1", name="inc-1")))
    await store.write(append("two", e.Resolved(by="U1", at=after(1)), due=None))
    assert await store.by_channel(TEAM, "C1") == "one"
    assert await store.by_channel("T0OTHER", "C1") is None
    assert [row.id for row in await store.listing(TEAM, open_only=True)] == ["one"]
    two, one = await store.listing(TEAM, open_only=False)
    assert (two.name, two.status, two.seq, two.due_at) == ("INC-2", Status.RESOLVED, 2, None)
    assert (one.channel, one.declared_at, one.due_at, one.private) == ("C1", NOW, NOW, False)
    assert [row.id for row in await store.listing(TEAM, open_only=False, limit=1)] == ["two"]


async def test_due(store: SqlStore) -> None:
    for id, minutes in (("a", 3), ("b", 1), ("c", 2)):
        await store.write(declare(id, due=after(minutes)))
    await store.write(declare("never", due=None))
    assert await store.next_due() == after(1)
    assert await store.due_ids(NOW, 10) == [] and await store.oldest_overdue(NOW) is None
    assert await store.due_ids(after(2), 10) == ["b", "c"] and await store.due_ids(after(9), 2) == ["b", "c"]
    assert await store.oldest_overdue(after(9)) == after(1)
    assert await store.write(lambda tx: tx.set_due("b", 1, None)) is True
    assert await store.write(lambda tx: tx.set_due("c", 0, None)) is False  # something has happened since
    assert await store.next_due() == after(2)


@pytest.mark.parametrize(
    "question",
    [
        pytest.param("SELECT due_at FROM incidents WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1", id="next due"),
        pytest.param("SELECT id FROM incidents WHERE due_at <= '2026-11-20' ORDER BY due_at LIMIT 9", id="due"),
        pytest.param("SELECT id FROM incidents WHERE team_id = 'T' AND channel = 'C' LIMIT 1", id="by channel"),
        pytest.param("SELECT id FROM incidents WHERE team_id = 'T' AND number = 1", id="by number"),
        pytest.param("SELECT * FROM effects WHERE state = 'parked'", id="parked"),
        pytest.param("SELECT * FROM events WHERE incident_id = 'x' ORDER BY seq", id="timeline"),
    ],
)
def test_nothing_asked_often_reads_a_whole_table(raw: Raw, question: str) -> None:
    if raw.shared:  # an empty table is read from end to end, index or not, unless that is forbidden
        raw(f'ALTER DATABASE "{make_url(raw.url).database}" SET enable_seqscan = off')
        plan = [row[0] for row in raw.rows(f"EXPLAIN {question}")]
        assert any("Index" in step for step in plan) and not any("Seq Scan" in step for step in plan), plan
    else:
        plan = [row[3] for row in raw.rows(f"EXPLAIN QUERY PLAN {question}")]
        assert all("USING INDEX" in step or "USING COVERING INDEX" in step for step in plan), plan


async def test_effects(store: SqlStore) -> None:
    await store.write(declare("one"))
    first = effect("card", channel="C1")
    await store.write(lambda tx: [tx.save_effect(one) for one in (first, effect("digest", started_at=after(1)))])
    sent = replace(first, id="another id", state=EffectState.SENT, ts="1.2", hash="h", attempts=1, next_try_at=after(2))
    await store.write(lambda tx: tx.save_effect(sent))
    assert [one.key for one in await store.effects("one")] == ["card", "digest"]
    assert (await store.effects("one"))[0] == sent
    assert await store.write(lambda tx: tx.effects("one")) == await store.effects("one")
    assert await store.parked() == []
    parked = replace(sent, state=EffectState.PARKED, error="restricted_action")
    await store.write(lambda tx: tx.save_effect(parked))
    assert await store.parked() == [parked]


async def test_what_was_given_up_is_due_again(store: SqlStore) -> None:
    for id, team, channel in (("one", TEAM, "C1"), ("two", TEAM, "C2"), ("three", "T0OTHER", "C1")):
        await store.write(declare(id, team=team, due=after(99)))
        parked = effect("card", id, id=f"card of {id}", team=team, channel=channel, state=EffectState.PARKED)
        sent = effect("sent", id, id=f"sent of {id}", state=EffectState.SENT)
        await store.write(lambda tx, one=(parked, sent): [tx.save_effect(each) for each in one])
    assert await store.write(lambda tx: tx.rearm(after(5), team=TEAM, channel="C1")) == ["one"]
    assert await store.due_ids(after(5), 9) == ["one"]
    assert {one.key: one.next_try_at for one in await store.effects("one")} == {"card": NOW, "sent": None}
    assert sorted(await store.write(lambda tx: tx.rearm(after(6)))) == ["one", "three", "two"]
    assert sorted(await store.due_ids(after(6), 9)) == ["one", "three", "two"]
    assert await store.due_ids(after(5), 9) == ["one"], "what is due already stays so"
    assert await store.write(lambda tx: tx.rearm(after(7), team="T0NOBODY")) == []


async def test_people(store: SqlStore) -> None:
    one = PersonRow(TEAM, "U1", {"name": "Zoë", "groups": ["S1"], "tz": 3600}, NOW)
    await store.save_people([one, PersonRow(TEAM, "U2", {}, NOW)])
    await store.save_people([replace(one, body={"name": "Zoe"}, at=after(1))])
    assert await store.person(TEAM, "U1") == replace(one, body={"name": "Zoe"}, at=after(1))
    assert await store.person(TEAM, "U9") is None
    assert [person.user for person in await store.people(TEAM)] == ["U1", "U2"]


async def test_a_timeline_of_a_newer_program_is_read_and_not_written(url: str, store: SqlStore, raw: Raw) -> None:
    await store.write(declare("one"))
    await store.write(append("one", note("x")))
    raw("UPDATE events SET type = 'Teleported' WHERE seq = 2")
    later = SqlStore.open(url, KEY)
    assert [type(entry.event) for entry in await later.entries("one")] == [e.Declared, e.Unknown]
    with pytest.raises(NewerThanThisProgram, match="newer version"):
        await later.write(append("one", note("y")))
    await later.close()


async def test_half_a_character_does_not_stop_anybody(store: SqlStore) -> None:
    """JSON from outside may hold a lone surrogate, which no database takes."""
    await store.write(declare("one", title="half \ud83d of an emoji"))
    incident = await store.incident("one")
    assert incident is not None and incident.title == "half \ufffd of an emoji"
    assert (await store.listing(TEAM))[0].title == incident.title


async def test_a_moment_without_a_zone_is_not_stored(store: SqlStore) -> None:
    with pytest.raises(StatementError, match="time zone"):
        await store.write(declare("one", due=NOW.replace(tzinfo=None)))
    assert await store.incident("one") is None


async def test_nothing_is_written_after_the_end_and_nothing_before_it_is_lost(url: str) -> None:
    store = SqlStore.open(url, KEY)
    await store.write(declare("one", title="0"))
    jobs = [asyncio.ensure_future(store.write(count_up("one"))) for _ in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert max([int((await job).title) for job in jobs]) == 50
    with pytest.raises(Exception, match="closed"):
        await store.write(count_up("one"))
