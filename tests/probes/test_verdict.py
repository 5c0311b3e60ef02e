"""The verdict: thresholds, who is to blame, and what may not be claimed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.probe_reading import ReadingState
from bot.probes.samples import SourceKind, SourceSample, Trouble
from bot.probes.verdict import judge, span

NOW = datetime(2026, 3, 2, 14, 32, tzinfo=UTC)
PUBLIC = "Public Global Stellar Network ; September 2015"
TESTNET = "Test SDF Network ; September 2015"
OK, DEGRADED, DOWN, UNKNOWN = ReadingState.OK, ReadingState.DEGRADED, ReadingState.DOWN, ReadingState.UNKNOWN


def horizon(source: str = "horizon-a", operator: str = "ours", age: float = 4, **more: object) -> SourceSample:
    sample = SourceSample(
        source,
        operator,
        SourceKind.HORIZON,
        ledger=51_234_567,
        closed_at=NOW - timedelta(seconds=age),
        core_ledger=51_234_567,
        ingested=51_234_567,
        passphrase=PUBLIC,
        protocol=27,
        supported=28,
    )
    return replace(sample, **more)  # type: ignore[arg-type]


def rpc(source: str = "rpc", operator: str = "sdf", age: float = 4, **more: object) -> SourceSample:
    sample = SourceSample(
        source,
        operator,
        SourceKind.RPC,
        ledger=51_234_567,
        closed_at=NOW - timedelta(seconds=age),
        passphrase=PUBLIC,
    )
    return replace(sample, **more)  # type: ignore[arg-type]


def dead(sample: SourceSample, state: ReadingState, words: str, silent: bool = False) -> SourceSample:
    return SourceSample(sample.source, sample.operator, sample.kind, troubles=(Trouble(state, words, silent),))


E503 = (DOWN, "answers with errors (503)")
SLOW = (UNKNOWN, "did not answer within 5 s", True)


@pytest.mark.parametrize(
    ("sample", "state", "words"),
    [
        # -- age: 30 s and 120 s are the last good seconds
        pytest.param(horizon(age=0), OK, "closed 0 s ago", id="age 0"),
        pytest.param(horizon(age=30), OK, "closed 30 s ago", id="age 30"),
        pytest.param(horizon(age=31), DEGRADED, "last ledger from 31 s ago", id="age 31"),
        pytest.param(horizon(age=120), DEGRADED, "last ledger from 2 min ago", id="age 120"),
        pytest.param(horizon(age=121), DOWN, "last ledger from 2 min ago", id="age 121"),
        pytest.param(rpc(age=30), OK, "closed 30 s ago", id="rpc age 30"),
        pytest.param(rpc(age=31), DEGRADED, "31 s ago", id="rpc age 31"),
        pytest.param(rpc(age=121), DOWN, "2 min ago", id="rpc age 121"),
        # -- the reading took time: the age is as of the answer
        pytest.param(horizon(age=28, took=3.0), DEGRADED, "31 s ago", id="age counts the wait"),
        # -- lag: 2 and 12 ledgers, whichever of the two kinds is larger
        pytest.param(horizon(core_ledger=51_234_569), OK, "is healthy", id="lag 2"),
        pytest.param(horizon(core_ledger=51_234_570), DEGRADED, "3 ledgers behind", id="lag 3"),
        pytest.param(horizon(core_ledger=51_234_579), DEGRADED, "12 ledgers behind", id="lag 12"),
        pytest.param(horizon(core_ledger=51_234_580), DOWN, "13 ledgers behind", id="lag 13"),
        pytest.param(horizon(ingested=51_234_554), DOWN, "13 ledgers behind", id="ingestion 13"),
        pytest.param(horizon(ingested=None), OK, "is healthy", id="an old version does not name ingestion"),
        pytest.param(horizon(core_ledger=51_234_000), OK, "is healthy", id="core behind: another core"),
        pytest.param(horizon(core_ledger=None), DEGRADED, "how far its core is", id="core unknown"),
        # -- the network
        pytest.param(horizon(passphrase=TESTNET), DOWN, "serves the test network", id="testnet"),
        pytest.param(horizon(passphrase="<!channel>"), DOWN, "serves another network", id="some network"),
        pytest.param(horizon(passphrase=None), UNKNOWN, "which network", id="no passphrase"),
        pytest.param(rpc(passphrase=None), UNKNOWN, "which network", id="rpc hides getNetwork"),
        # -- protocol
        pytest.param(horizon(protocol=28), OK, "is healthy", id="the newest protocol it knows"),
        pytest.param(horizon(protocol=29), DEGRADED, "needs an upgrade", id="upgrade, still fresh"),
        pytest.param(horizon(protocol=29, age=40), DOWN, "needs an upgrade", id="upgrade, stopped"),
        pytest.param(horizon(supported=None), OK, "is healthy", id="an old version does not name it"),
        # -- zeros and gaps
        pytest.param(horizon(ledger=0, closed_at=None), DOWN, "has no ledger yet", id="fresh database"),
        pytest.param(horizon(closed_at=None), UNKNOWN, "when its last ledger closed", id="year 1"),
        pytest.param(rpc(ledger=None), UNKNOWN, "what its last ledger is", id="no number"),
        # -- the clock: 10 s ahead is allowed
        pytest.param(horizon(age=-10), OK, "closed 0 s ago", id="10 s ahead"),
        pytest.param(horizon(age=-11), UNKNOWN, "11 s in the future", id="11 s ahead"),
        # -- its own health report
        pytest.param(
            horizon(troubles=(Trouble(DOWN, "has lost its database"),)), DOWN, "lost its database", id="no database"
        ),
        pytest.param(
            horizon(age=50, troubles=(Trouble(DOWN, "has lost its core"),)),
            DOWN,
            "has lost its core and has its last ledger from 50 s ago",
            id="all that is wrong is said",
        ),
        # -- RPC's own word about its age
        pytest.param(
            rpc(ledger=None, closed_at=None, own_age=timedelta(seconds=70)), DEGRADED, "70 s ago", id="own word"
        ),
        pytest.param(rpc(ledger=None, closed_at=None, own_age=timedelta(hours=3)), DOWN, "3 h ago", id="own word, old"),
        # -- not read at all
        pytest.param(dead(horizon(), *E503), DOWN, "answers with errors (503)", id="503"),
        pytest.param(dead(horizon(), *SLOW), UNKNOWN, "did not answer within 5 s", id="hung"),
    ],
)
def test_one_source(sample: SourceSample, state: ReadingState, words: str) -> None:
    reading = judge([sample], NOW, PUBLIC)
    assert (reading.state, reading.evidence[0].state) == (state, state)
    assert words in reading.evidence[0].sentence
    assert words.removeprefix("is healthy") in reading.sentence


A, B = horizon("horizon-a", "ours"), horizon("horizon-b", "lobstr")
R = rpc("rpc", "sdf")
OLD_A, OLD_B = horizon("horizon-a", "ours", 300), horizon("horizon-b", "lobstr", 310)


@pytest.mark.parametrize(
    ("samples", "state", "sentence"),
    [
        pytest.param([], UNKNOWN, "Nothing was read: no Horizon and no RPC is configured.", id="nothing configured"),
        # -- everything fine
        pytest.param([A, R], OK, "Horizon is up: ledger 51,234,567 closed 4 s ago on 2 of 2 sources.", id="both fine"),
        pytest.param([A], OK, "Horizon is up: ledger 51,234,567 closed 4 s ago on 1 of 1 source.", id="one fine"),
        pytest.param([R], OK, "RPC is up: ledger 51,234,567 closed 4 s ago on 1 of 1 source.", id="no Horizon"),
        # -- one node's problem
        pytest.param(
            [dead(A, *E503), R],
            DOWN,
            "Horizon horizon-a answers with errors (503); rpc is healthy, so the network is alive: "
            "switch reading to another Horizon.",
            id="the only Horizon is down, RPC lives",
        ),
        pytest.param(
            [OLD_A, R],
            DOWN,
            "Horizon horizon-a has its last ledger from 5 min ago; rpc is healthy, so the network is alive: "
            "switch reading to another Horizon.",
            id="old Horizon, RPC lives",
        ),
        pytest.param(
            [OLD_A, B, R],
            DEGRADED,
            "Horizon horizon-a has its last ledger from 5 min ago; horizon-b and rpc are healthy, "
            "so the network is alive: read from horizon-b.",
            id="one old Horizon of two",
        ),
        pytest.param(
            [dead(A, *SLOW), R],
            UNKNOWN,
            "Horizon horizon-a did not answer within 5 s; rpc is healthy, so the network is alive: "
            "switch reading to another Horizon.",
            id="a hung Horizon is not a dead one",
        ),
        pytest.param(
            [A, dead(R, *SLOW)],
            DEGRADED,
            "Horizon is up: ledger 51,234,567 closed 4 s ago on 1 of 2 sources; rpc did not answer within 5 s.",
            id="only RPC hangs",
        ),
        pytest.param(
            [dead(A, *E503), horizon("horizon-b", age=60), R],
            DEGRADED,
            "Horizon horizon-a answers with errors (503), horizon-b has its last ledger from 60 s ago; "
            "rpc is healthy, so the network is alive: switch reading to another Horizon.",
            id="one Horizon still serves, late",
        ),
        # -- a halt needs two independent operators
        pytest.param(
            [OLD_A, OLD_B],
            DOWN,
            "The network has halted: no ledger closed for 5 min on 2 independent operators "
            "(horizon-a and horizon-b). Hold payouts and do not retry until ledgers close again.",
            id="two operators old",
        ),
        pytest.param(
            [OLD_A, rpc("rpc", "sdf", 300), dead(B, *SLOW)],
            DOWN,
            "The network has halted: no ledger closed for 5 min on 2 independent operators "
            "(horizon-a and rpc). Hold payouts and do not retry until ledgers close again.",
            id="two operators old, a third is silent",
        ),
        pytest.param(
            [horizon("horizon-a", "ours", 50), horizon("horizon-b", "lobstr", 160)],
            DEGRADED,
            "The network is slow: no ledger closed for 50 s on 2 independent operators (horizon-a and horizon-b). "
            "Hold payouts and read again in a minute.",
            id="the youngest ledger decides",
        ),
        pytest.param(
            [OLD_A],
            DOWN,
            "Horizon horizon-a has its last ledger from 5 min ago. The node or the network may be the reason: "
            "only one operator says so; read a second operator before calling it a halt.",
            id="one old source proves nothing",
        ),
        pytest.param(
            [OLD_A, horizon("horizon-b", "ours", 300)],
            DOWN,
            "Horizon horizon-a has its last ledger from 5 min ago, horizon-b has its last ledger from 5 min ago. "
            "The node or the network may be the reason: only one operator says so; "
            "read a second operator before calling it a halt.",
            id="two nodes of one operator are one witness",
        ),
        pytest.param(
            [replace(OLD_A, operator=""), replace(OLD_B, operator="")],
            DOWN,
            "Horizon horizon-a has its last ledger from 5 min ago, horizon-b has its last ledger from 5 min ago. "
            "The node or the network may be the reason: no operators are configured for the sources; "
            "read a second operator before calling it a halt.",
            id="unknown operators are no witnesses",
        ),
        pytest.param(
            [OLD_A, replace(OLD_B, core_ledger=51_234_667)],
            DOWN,
            "Horizon horizon-a has its last ledger from 5 min ago, horizon-b is 100 ledgers behind its core and has "
            "its last ledger from 5 min ago. No source shows whether the network is alive: read another operator.",
            id="a core that knows later ledgers speaks against a halt",
        ),
        pytest.param(
            [OLD_A, replace(OLD_B, ledger=51_234_500, core_ledger=51_234_567)],
            DOWN,
            "Horizon horizon-a has its last ledger from 5 min ago; horizon-b is 67 ledgers behind its core and has "
            "its last ledger from 5 min ago. The node or the network may be the reason: only one operator says so; "
            "read a second operator before calling it a halt.",
            id="a node that lags behind its core is no witness",
        ),
        pytest.param(
            [OLD_A, horizon("horizon-b", "lobstr", 3600)],
            DOWN,
            "Horizon horizon-a has its last ledger from 5 min ago; horizon-b has its last ledger from 60 min ago. "
            "The node or the network may be the reason: only one operator says so; "
            "read a second operator before calling it a halt.",
            id="two nodes that stopped at different times: the older one stopped by itself",
        ),
        pytest.param(
            [OLD_A, replace(OLD_B, protocol=29)],
            DOWN,
            "Horizon horizon-a has its last ledger from 5 min ago; horizon-b needs an upgrade (the network runs "
            "protocol 29, it knows up to 28) and has its last ledger from 5 min ago. The node or the network may be "
            "the reason: only one operator says so; read a second operator before calling it a halt.",
            id="a node that was not upgraded is no witness",
        ),
        pytest.param(
            [OLD_A, replace(OLD_B, passphrase=TESTNET)],
            DOWN,
            "Horizon horizon-a has its last ledger from 5 min ago; horizon-b serves the test network, not the "
            "configured one: take it out. The node or the network may be the reason: only one operator says so; "
            "read a second operator before calling it a halt.",
            id="a node of another network is no witness",
        ),
        # -- nobody is fine, and it is no halt
        pytest.param(
            [dead(A, *E503), dead(R, *SLOW)],
            DOWN,
            "Horizon horizon-a answers with errors (503), rpc did not answer within 5 s. "
            "No source shows whether the network is alive: read another operator.",
            id="no evidence",
        ),
        pytest.param(
            [dead(A, *SLOW), dead(R, *SLOW)],
            UNKNOWN,
            "None of 2 sources can be read: horizon-a did not answer within 5 s, rpc did not answer within 5 s. "
            "Check this host's own network first.",
            id="nothing answers: perhaps it is us",
        ),
        pytest.param(
            [horizon(troubles=(Trouble(DOWN, "has lost its database"),)), dead(R, *SLOW)],
            DOWN,
            "Horizon horizon-a has lost its database, rpc did not answer within 5 s; "
            "ledgers still close, so the network is alive.",
            id="a broken node can still show that ledgers close",
        ),
        # -- our own clock
        pytest.param(
            [horizon("horizon-a", age=-40), rpc(age=-40)],
            UNKNOWN,
            "The clock of this host may be wrong: horizon-a has a ledger that closed 40 s in the future. "
            "Set it right, then read again.",
            id="our clock is slow",
        ),
        pytest.param(
            [
                replace(OLD_A, server_time=NOW - timedelta(seconds=296)),
                replace(OLD_B, server_time=NOW - timedelta(seconds=296)),
            ],
            UNKNOWN,
            "The clock of this host may be wrong: horizon-a has a ledger 5 min old by this host's clock, "
            "but a fresh one by its own. Set it right, then read again.",
            id="our clock is fast: no halt is claimed",
        ),
        pytest.param(
            [replace(OLD_A, server_time=NOW), replace(OLD_B, server_time=NOW)],
            DOWN,
            "The network has halted: no ledger closed for 5 min on 2 independent operators "
            "(horizon-a and horizon-b). Hold payouts and do not retry until ledgers close again.",
            id="the servers' clocks agree with ours: it is a halt",
        ),
        pytest.param(
            [horizon("horizon-a", age=-40), B],
            DEGRADED,
            "Horizon horizon-a has a ledger that closed 40 s in the future; horizon-b is healthy, "
            "so the network is alive: read from horizon-b. Check the clock of this host, too.",
            id="one source in the future",
        ),
        # -- many
        pytest.param(
            [*(dead(horizon(f"h{n}"), *E503) for n in range(5)), R],
            DOWN,
            "Horizon h0 answers with errors (503), h1 answers with errors (503), h2 answers with errors (503), "
            "and 2 more; rpc is healthy, so the network is alive: switch reading to another Horizon.",
            id="a sentence stays a sentence",
        ),
    ],
)
def test_all_sources(samples: list[SourceSample], state: ReadingState, sentence: str) -> None:
    reading = judge(samples, NOW, PUBLIC)
    assert (reading.state, reading.sentence) == (state, sentence)
    assert reading.probe == "horizon"
    assert reading.at == NOW
    assert [e.source for e in reading.evidence] == [s.source for s in samples]


maybe_number = st.none() | st.integers(0, 2**32 - 1) | st.sampled_from([51_234_560, 51_234_567])
some_samples = st.builds(
    SourceSample,
    source=st.sampled_from(["a", "b", "c"]),
    operator=st.sampled_from(["", "ours", "sdf", "lobstr"]),
    kind=st.sampled_from(SourceKind),
    took=st.floats(0, 5),
    ledger=maybe_number,
    closed_at=st.none() | st.integers(-100, 1000).map(lambda s: NOW - timedelta(seconds=s)),
    own_age=st.none() | st.integers(0, 10_000).map(lambda s: timedelta(seconds=s)),
    core_ledger=maybe_number,
    ingested=maybe_number,
    passphrase=st.sampled_from([PUBLIC, PUBLIC, PUBLIC, TESTNET, None]),
    protocol=st.none() | st.integers(20, 30),
    supported=st.none() | st.integers(20, 30),
    server_time=st.none() | st.integers(-1000, 1000).map(lambda s: NOW - timedelta(seconds=s)),
    troubles=st.lists(
        st.builds(Trouble, st.sampled_from([DEGRADED, DOWN, UNKNOWN]), st.just("is odd"), st.booleans()), max_size=2
    ).map(tuple),
)


@settings(deadline=None)  # a slow machine is no failure
@given(st.lists(some_samples, max_size=5))
def test_whatever_the_samples_say(samples: list[SourceSample]) -> None:
    """A verdict always comes; ok needs all fresh and untroubled; a halt needs two operators and nobody fresh."""
    reading = judge(samples, NOW, PUBLIC)
    assert reading.sentence.endswith(".")
    assert "None " not in reading.sentence.removeprefix("None of")
    ages = [NOW + timedelta(seconds=s.took) - s.closed_at for s in samples if s.closed_at is not None]
    if reading.state is OK:
        assert samples
        assert len(ages) == len(samples)
        assert max(ages) <= timedelta(seconds=30)
        assert not any(s.troubles or s.passphrase != PUBLIC for s in samples)
    if "halted" in reading.sentence:
        assert len({s.operator for s in samples if s.operator and s.passphrase == PUBLIC}) >= 2
        assert not any(e.state is OK for e in reading.evidence)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.9, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (172_799, "47 h"),
        (172_800, "2 days"),
    ],
)
def test_span(seconds: float, told: str) -> None:
    assert span(timedelta(seconds=seconds)) == told
