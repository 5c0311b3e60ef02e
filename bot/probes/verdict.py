"""From what the sources said to one reading. Pure; this is where the thresholds and the words live.

The rule that matters: one old node is that node's problem. A halt of the network is claimed only when two or more
independent operators are old and nobody is fresh; otherwise the sentence says which evidence is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.domain.probe_reading import Evidence, Reading, ReadingState

from .samples import SourceKind, SourceSample

#: A ledger closes every 5 to 7 s; Stellar RPC itself calls 30 s unhealthy
#: (https://developers.stellar.org/docs/data/apis/rpc/api-reference/methods/getHealth).
MAX_FRESH_AGE: Final = timedelta(seconds=30)
MAX_LATE_AGE: Final = timedelta(seconds=120)
#: Ledgers between a Horizon and its core, or between its history and its ingestion.
MAX_OK_LAG_LEDGERS: Final = 2
MAX_LATE_LAG_LEDGERS: Final = 12
#: A ledger cannot close in the future: beyond this our clock is the one that is wrong.
MAX_CLOCK_SKEW: Final = timedelta(seconds=10)

NETWORKS: Final[Mapping[str, str]] = {
    "Public Global Stellar Network ; September 2015": "the public network",
    "Test SDF Network ; September 2015": "the test network",
    "Test SDF Future Network ; October 2022": "futurenet",
    "Standalone Network ; February 2017": "a standalone network",
}


@dataclass(frozen=True)
class SampleVerdict:
    """One sample, judged. `age` is None when it could not be told or does not count (another network)."""

    sample: SourceSample
    state: ReadingState
    words: str
    age: timedelta | None = None
    #: this source's ledger is old and nothing at the source itself explains it: evidence of a halt
    points_to_network: bool = False
    #: our own clock has to be wrong for this to be true
    clock: bool = False

    @property
    def name(self) -> str:
        """The configured name."""
        return self.sample.source


def judge(samples: Sequence[SourceSample], now: datetime, network: str) -> Reading:
    """One reading over all samples. `now` is when the reading began (aware, UTC), `network` the passphrase expected.

    The verdict is about Horizon where one was asked, else about RPC; the other sources are evidence whether the
    network lives. Never raises.
    """
    findings = [finding(sample, now, network) for sample in samples]
    state, sentence = _verdict(findings)
    evidence = tuple(Evidence(f.name, f.state, f"{f.name} {f.words}.", round(f.sample.took, 3)) for f in findings)
    return Reading("horizon", state, sentence, now, evidence)


def finding(sample: SourceSample, now: datetime, network: str) -> SampleVerdict:
    """Judge one sample by itself: its troubles first, then its network, its clock, its age, its lag, its protocol."""
    unread = sample.ledger is None and sample.own_age is None
    broken = next((t for t in sample.troubles if t.state is not ReadingState.DEGRADED), None)
    if unread and broken is not None:
        return SampleVerdict(sample, broken.state, broken.words)
    if sample.passphrase is None:
        return SampleVerdict(sample, ReadingState.UNKNOWN, "does not say which network it serves")
    if sample.passphrase != network:
        other = NETWORKS.get(sample.passphrase, "another network")
        return SampleVerdict(sample, ReadingState.DOWN, f"serves {other}, not the configured one: take it out")
    if sample.ledger == 0:
        return SampleVerdict(sample, ReadingState.DOWN, "has no ledger yet")
    # A source gives its own age only to complain of it, so that it never counts as fresh.
    age = None if sample.own_age is None else max(sample.own_age, MAX_FRESH_AGE + timedelta(seconds=1))
    if age is None and sample.closed_at is not None:
        age = now + timedelta(seconds=sample.took) - sample.closed_at
    if age is None:
        return SampleVerdict(sample, ReadingState.UNKNOWN, "does not say when its last ledger closed")
    if sample.ledger is None and age <= MAX_FRESH_AGE:
        return SampleVerdict(sample, ReadingState.UNKNOWN, "does not say what its last ledger is")
    if age < -MAX_CLOCK_SKEW:
        words = f"has a ledger that closed {span(-age)} in the future"
        return SampleVerdict(sample, ReadingState.UNKNOWN, words, clock=True)
    if age > MAX_FRESH_AGE and _fresh_by_its_own_clock(sample, now):
        words = f"has a ledger {span(age)} old by this host's clock, but a fresh one by its own"
        return SampleVerdict(sample, ReadingState.UNKNOWN, words, clock=True)

    age = max(age, timedelta(0))
    lag = _lag(sample)
    remarks = [*((t.state, t.words) for t in sample.troubles), *_protocol(sample, age), *_behind(sample, age, lag)]
    if not remarks:
        return SampleVerdict(
            sample, ReadingState.OK, f"is healthy: ledger {sample.ledger:,} closed {span(age)} ago", age
        )
    state = max((state for state, _ in remarks), key=_GRAVITY.index)
    words = " and ".join(words for _, words in remarks)
    # A dead core or database, a lag or a missing upgrade explains an old ledger: the node's problem, no halt.
    by_itself = sample.kind is SourceKind.RPC or (lag is not None and lag <= MAX_OK_LAG_LEDGERS)
    unexplained = by_itself and broken is None and not _protocol(sample, age)
    return SampleVerdict(sample, state, words, age, points_to_network=age > MAX_FRESH_AGE and unexplained)


def _protocol(sample: SourceSample, age: timedelta) -> list[tuple[ReadingState, str]]:
    """The 2020 and 2024 outages: the network votes, and a Horizon that was not upgraded stops ingesting."""
    if sample.protocol is None or sample.supported is None or sample.protocol <= sample.supported:
        return []
    words = f"needs an upgrade (the network runs protocol {sample.protocol}, it knows up to {sample.supported})"
    return [(ReadingState.DEGRADED if age <= MAX_FRESH_AGE else ReadingState.DOWN, words)]


def _behind(sample: SourceSample, age: timedelta, lag: int | None) -> list[tuple[ReadingState, str]]:
    remarks = []
    if sample.kind is SourceKind.HORIZON and lag is None:
        remarks.append((ReadingState.DEGRADED, "does not say how far its core is"))
    if lag is not None and lag > MAX_OK_LAG_LEDGERS:
        remarks.append(
            (
                ReadingState.DEGRADED if lag <= MAX_LATE_LAG_LEDGERS else ReadingState.DOWN,
                f"is {lag:,} ledgers behind its core",
            )
        )
    if age > MAX_FRESH_AGE:
        words = f"has its last ledger from {span(age)} ago"
        remarks.append((ReadingState.DEGRADED if age <= MAX_LATE_AGE else ReadingState.DOWN, words))
    return remarks


_GRAVITY: Final = (ReadingState.OK, ReadingState.DEGRADED, ReadingState.UNKNOWN, ReadingState.DOWN)


def _fresh_by_its_own_clock(sample: SourceSample, now: datetime) -> bool:
    """Our clock may be fast: then every network looks halted. The server's `Date` tells."""
    if sample.server_time is None or sample.closed_at is None:
        return False
    apart = abs(sample.server_time - now - timedelta(seconds=sample.took))
    return apart > MAX_CLOCK_SKEW and -MAX_CLOCK_SKEW <= sample.server_time - sample.closed_at <= MAX_FRESH_AGE


def _lag(sample: SourceSample) -> int | None:
    """Ledgers behind, never negative: behind a balancer another stellar-core may answer, with a ledger of its own."""
    if sample.ledger is None or sample.core_ledger is None:
        return None
    ingested = sample.ledger if sample.ingested is None else sample.ingested
    return max(0, sample.core_ledger - sample.ledger, sample.ledger - ingested)


def _verdict(findings: Sequence[SampleVerdict]) -> tuple[ReadingState, str]:
    if not findings:
        return ReadingState.UNKNOWN, "Nothing was read: no Horizon and no RPC is configured."
    fine = [f for f in findings if f.state is ReadingState.OK]
    bad = [f for f in findings if f.state is not ReadingState.OK]
    if not bad:
        return ReadingState.OK, f"{_up(fine, len(findings))}."
    if not fine:
        return _clock_wrong(findings) or _nobody_fine(findings)

    asked = _asked(findings)
    about = asked[0].sample.kind
    usable = [f for f in asked if f.state is ReadingState.OK]
    if usable and not any(f.sample.kind is about for f in bad):
        return ReadingState.DEGRADED, f"{_up(fine, len(findings))}; {_told(bad)}."
    troubled = [f for f in asked if f.state is not ReadingState.OK]
    rest = [f for f in bad if f not in troubled]
    also = f"; {_told(rest)}" if rest else ""
    clock = " Check the clock of this host, too." if any(f.clock for f in bad) else ""
    alive = f"{_names(fine)} {'is' if len(fine) == 1 else 'are'} healthy, so the network is alive"
    if usable:
        return ReadingState.DEGRADED, f"{about} {_told(troubled)}{also}; {alive}: read from {_names(usable)}.{clock}"
    state = _without_a_fine_one(troubled)
    return state, f"{about} {_told(troubled)}{also}; {alive}: switch reading to another {about}.{clock}"


def _clock_wrong(findings: Sequence[SampleVerdict]) -> tuple[ReadingState, str] | None:
    """Nobody looks fresh and somebody's times cannot be: no claim about the network rests on such a clock."""
    for f in findings:
        if f.clock:
            sentence = f"The clock of this host may be wrong: {f.name} {f.words}. Set it right, then read again."
            return ReadingState.UNKNOWN, sentence
    return None


def _nobody_fine(findings: Sequence[SampleVerdict]) -> tuple[ReadingState, str]:
    """No source is fresh: a halt, an old node, a network of our own that is cut, or simply not enough known."""
    state = _without_a_fine_one(_asked(findings))
    aged = [f for f in findings if f.age is not None]
    old = _witnesses(aged)
    operators = sorted({f.sample.operator for f in old if f.sample.operator})
    fresh = [f for f in aged if f.age is not None and f.age <= MAX_FRESH_AGE]
    if old and not fresh:
        youngest = min(f.age for f in old if f.age is not None)
        if len(operators) >= 2 and youngest > MAX_LATE_AGE:
            return (
                ReadingState.DOWN,
                f"The network has halted: no ledger closed for {span(youngest)} on {len(operators)} independent "
                f"operators ({_names(old)}). Hold payouts and do not retry until ledgers close again.",
            )
        if len(operators) >= 2:
            return (
                ReadingState.DEGRADED,
                f"The network is slow: no ledger closed for {span(youngest)} on {len(operators)} independent "
                f"operators ({_names(old)}). Hold payouts and read again in a minute.",
            )
        others = [f for f in findings if f not in old]
        also = f"; {_told(others)}" if others else ""
        missing = "only one operator says so" if operators else "no operators are configured for the sources"
        return (
            state,
            f"{old[0].sample.kind} {_told(old)}{also}. The node or the network may be the reason: {missing}; "
            "read a second operator before calling it a halt.",
        )
    first = f"{findings[0].sample.kind} {_told(findings)}"
    if fresh:
        return state, f"{first}; ledgers still close, so the network is alive."
    if len(findings) > 1 and all(any(t.silent for t in f.sample.troubles) for f in findings):
        return (
            ReadingState.UNKNOWN,
            f"None of {len(findings)} sources can be read: {_told(findings)}. Check this host's own network first.",
        )
    return state, f"{first}. No source shows whether the network is alive: read another operator."


def _witnesses(aged: Sequence[SampleVerdict]) -> list[SampleVerdict]:
    """Whose old ledger points to the network: in a halt all stop at one ledger, so the ages are about the same.

    A node that stopped long before another stopped by itself, and so did all of them when some stellar-core knows of
    ledgers beyond theirs.
    """
    ages = [f.age for f in aged if f.age is not None]
    old = [f for f in aged if f.points_to_network and f.age is not None and f.age - min(ages) <= MAX_LATE_AGE]
    newest = max((f.sample.ledger or 0 for f in old), default=0)
    beyond = any((f.sample.core_ledger or 0) > newest + MAX_OK_LAG_LEDGERS for f in aged)
    return [] if newest and beyond else old


def _asked(findings: Sequence[SampleVerdict]) -> list[SampleVerdict]:
    """The findings that the verdict is about: Horizon's if there are any, else RPC's."""
    return [f for f in findings if f.sample.kind is SourceKind.HORIZON] or list(findings)


def _without_a_fine_one(findings: Iterable[SampleVerdict]) -> ReadingState:
    """What sources amount to when none is healthy: degraded if one still serves, else down if one is known to be."""
    states = {f.state for f in findings}
    return next((s for s in (ReadingState.DEGRADED, ReadingState.DOWN) if s in states), ReadingState.UNKNOWN)


def _up(fine: Sequence[SampleVerdict], asked: int) -> str:
    newest = max(fine, key=lambda f: f.sample.ledger or 0)
    kind = SourceKind.HORIZON if any(f.sample.kind is SourceKind.HORIZON for f in fine) else SourceKind.RPC
    count = f"{len(fine)} of {asked} source{'s' if asked != 1 else ''}"
    age = span(newest.age or timedelta(0))
    return f"{kind} is up: ledger {newest.sample.ledger:,} closed {age} ago on {count}"


def _told(findings: Sequence[SampleVerdict]) -> str:
    """ "a answers with errors (503), b is …": three at most, the rest is in the evidence."""
    told = [f"{f.name} {f.words}" for f in findings[:3]]
    more = len(findings) - len(told)
    return ", ".join(told) + (f", and {more} more" if more else "")


def _names(findings: Sequence[SampleVerdict]) -> str:
    names = [f.name for f in findings]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def span(age: timedelta) -> str:
    """A length of time in the largest unit that keeps it exact enough to act on: 45 s, 6 min, 3 h, 12 days."""
    seconds = int(age.total_seconds())
    for unit, size, below in (("s", 1, 120), ("min", 60, 7_200), ("h", 3_600, 172_800)):
        if seconds < below:
            return f"{seconds // size} {unit}"
    return f"{seconds // 86_400} days"
