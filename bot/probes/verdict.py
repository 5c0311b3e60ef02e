"""From what the sources said to one reading. Pure; this is where the thresholds and the words live.

The rule that matters: one old node is that node's problem. A halt of the network is claimed only when two or more
independent operators are old and nobody is fresh; otherwise the sentence says which evidence is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.domain.reading import Evidence, Reading, State

from .samples import Kind, Sample

#: A ledger closes every 5 to 7 s; Stellar RPC itself calls 30 s unhealthy
#: (https://developers.stellar.org/docs/data/apis/rpc/api-reference/methods/getHealth).
FRESH: Final = timedelta(seconds=30)
LATE: Final = timedelta(seconds=120)
#: Ledgers between a Horizon and its core, or between its history and its ingestion.
LAG_OK: Final = 2
LAG_LATE: Final = 12
#: A ledger cannot close in the future: beyond this our clock is the one that is wrong.
AHEAD: Final = timedelta(seconds=10)

NETWORKS: Final[Mapping[str, str]] = {
    "Public Global Stellar Network ; September 2015": "the public network",
    "Test SDF Network ; September 2015": "the test network",
    "Test SDF Future Network ; October 2022": "futurenet",
    "Standalone Network ; February 2017": "a standalone network",
}


@dataclass(frozen=True)
class Finding:
    """One sample, judged. `age` is None when it could not be told or does not count (another network)."""

    sample: Sample
    state: State
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


def judge(samples: Sequence[Sample], now: datetime, network: str) -> Reading:
    """One reading over all samples. `now` is when the reading began (aware, UTC), `network` the passphrase expected.

    The verdict is about Horizon where one was asked, else about RPC; the other sources are evidence whether the
    network lives. Never raises.
    """
    findings = [finding(sample, now, network) for sample in samples]
    state, sentence = _verdict(findings)
    evidence = tuple(
        Evidence(f.name, f.state, f"{f.name} {f.words}.", round(f.sample.took, 3)) for f in findings
    )
    return Reading("horizon", state, sentence, now, evidence)


def finding(sample: Sample, now: datetime, network: str) -> Finding:
    """Judge one sample by itself: its troubles first, then its network, its clock, its age, its lag, its protocol."""
    unread = sample.ledger is None and sample.own_age is None
    blocking = next((t for t in sample.troubles if unread or t.state is not State.DEGRADED), None)
    if unread and blocking is not None:
        return Finding(sample, blocking.state, blocking.words)
    if sample.passphrase is None:
        return Finding(sample, State.UNKNOWN, "does not say which network it serves")
    if sample.passphrase != network:
        other = NETWORKS.get(sample.passphrase, "another network")
        return Finding(sample, State.DOWN, f"serves {other}, not the configured one: take it out")
    if sample.ledger == 0:
        return Finding(sample, State.DOWN, "has no ledger yet")
    age = sample.own_age
    if sample.closed_at is not None:
        age = now + timedelta(seconds=sample.took) - sample.closed_at
    if age is None:
        return Finding(sample, State.UNKNOWN, "does not say when its last ledger closed")
    if age < -AHEAD:
        words = f"has a ledger that closed {span(-age)} in the future"
        return Finding(sample, State.UNKNOWN, words, clock=True)
    if age > FRESH and _fresh_by_its_own_clock(sample, now):
        words = f"has a ledger {span(age)} old by this host's clock, but a fresh one by its own"
        return Finding(sample, State.UNKNOWN, words, clock=True)

    age = max(age, timedelta(0))
    lag = _lag(sample)
    remarks = [(trouble.state, trouble.words) for trouble in sample.troubles]
    needs_upgrade = (
        sample.protocol is not None and sample.supported is not None and sample.protocol > sample.supported
    )
    if needs_upgrade:
        # The 2020 and 2024 outages: the network votes, and a Horizon that was not upgraded stops ingesting.
        state = State.DEGRADED if age <= FRESH else State.DOWN
        remarks.append(
            (state, f"needs an upgrade: protocol {sample.protocol}, supports up to {sample.supported}")
        )
    if sample.kind is Kind.HORIZON and lag is None:
        remarks.append((State.DEGRADED, "does not say how far its core is"))
    if lag is not None and lag > LAG_OK:
        remarks.append((State.DEGRADED if lag <= LAG_LATE else State.DOWN, f"is {lag:,} ledgers behind its core"))
    if age > FRESH:
        remarks.append(
            (State.DEGRADED if age <= LATE else State.DOWN, f"has its last ledger from {span(age)} ago")
        )
    if not remarks:
        return Finding(sample, State.OK, f"is healthy: ledger {sample.ledger:,} closed {span(age)} ago", age)
    # A dead core or database, a lag or a missing upgrade explains an old ledger: the node's problem, no halt.
    explained = needs_upgrade or blocking is not None or (sample.kind is Kind.HORIZON and (lag is None or lag > LAG_OK))
    state = max((state for state, _ in remarks), key=_GRAVITY.index)
    words = " and ".join(words for _, words in remarks)
    return Finding(sample, state, words, age, points_to_network=age > FRESH and not explained)


_GRAVITY: Final = (State.OK, State.DEGRADED, State.UNKNOWN, State.DOWN)


def _fresh_by_its_own_clock(sample: Sample, now: datetime) -> bool:
    """Our clock may be fast: then every network looks halted. The server's `Date` tells."""
    if sample.server_time is None or sample.closed_at is None:
        return False
    apart = abs(sample.server_time - now - timedelta(seconds=sample.took))
    return apart > AHEAD and -AHEAD <= sample.server_time - sample.closed_at <= FRESH


def _lag(sample: Sample) -> int | None:
    """Ledgers behind, never negative: behind a balancer the core may be another one, and ahead or behind by itself."""
    if sample.ledger is None or sample.core_ledger is None:
        return None
    ingested = sample.ledger if sample.ingested is None else sample.ingested
    return max(0, sample.core_ledger - sample.ledger, sample.ledger - ingested)


def _verdict(findings: Sequence[Finding]) -> tuple[State, str]:
    if not findings:
        return State.UNKNOWN, "Nothing was read: no Horizon and no RPC is configured."
    wrong_clock = [f for f in findings if f.clock]
    if wrong_clock:
        first = wrong_clock[0]
        return (
            State.UNKNOWN,
            f"The clock of this host may be wrong: {first.name} {first.words}. "
            "No age can be judged until the clock is right.",
        )
    fine = [f for f in findings if f.state is State.OK]
    bad = [f for f in findings if f.state is not State.OK]
    if not bad:
        return State.OK, f"{_up(fine, len(findings))}."
    if not fine:
        return _nobody_fine(findings)

    about = Kind.HORIZON if any(f.sample.kind is Kind.HORIZON for f in findings) else Kind.RPC
    asked = [f for f in findings if f.sample.kind is about]
    usable = [f for f in asked if f.state is State.OK]
    if usable and not any(f.sample.kind is about for f in bad):
        return State.DEGRADED, f"{_up(fine, len(findings))}; {_told(bad)}."
    troubled = [f for f in asked if f.state is not State.OK]
    rest = [f for f in bad if f not in troubled]
    also = f"; {_told(rest)}" if rest else ""
    alive = f"{_names(fine)} {'is' if len(fine) == 1 else 'are'} healthy, so the network is alive"
    if usable:
        advice = f"read from {_names(usable)}"
        return State.DEGRADED, f"{about} {_told(troubled)}{also}; {alive}: {advice}."
    return _worst(troubled), f"{about} {_told(troubled)}{also}; {alive}: switch reading to another {about}."


def _nobody_fine(findings: Sequence[Finding]) -> tuple[State, str]:
    """No source is fresh: a halt, an old node, a network of our own that is cut, or simply not enough known."""
    aged = [f for f in findings if f.age is not None]
    old = [f for f in aged if f.points_to_network]
    operators = sorted({f.sample.operator for f in old if f.sample.operator})
    fresh = [f for f in aged if f.age is not None and f.age <= FRESH]
    if old and not fresh:
        youngest = min(f.age for f in old if f.age is not None)
        if len(operators) >= 2 and youngest > LATE:
            return (
                State.DOWN,
                f"The network has halted: no ledger closed for {span(youngest)} on {len(operators)} independent "
                f"operators ({_names(old)}). Hold payouts and do not retry until ledgers close again.",
            )
        if len(operators) >= 2:
            return (
                State.DEGRADED,
                f"The network is slow: no ledger closed for {span(youngest)} on {len(operators)} independent "
                f"operators ({_names(old)}). Hold payouts and read again in a minute.",
            )
        missing = "one operator was read" if operators else "the operators of the sources are not configured"
        others = [f for f in findings if f not in old]
        also = f"; {_told(others)}" if others else ""
        return (
            _worst(findings),
            f"{old[0].sample.kind} {_told(old)}{also}. Whether the node or the network stands is open: only {missing}; "
            "read a second operator before calling it a halt."
            if operators
            else f"{old[0].sample.kind} {_told(old)}{also}. Whether the node or the network stands is open: {missing}.",
        )
    first = f"{findings[0].sample.kind} {_told(findings)}"
    if fresh:
        return _worst(findings), f"{first}; ledgers still close, so the network is alive."
    if len(findings) > 1 and all(any(t.silent for t in f.sample.troubles) for f in findings):
        return (
            State.UNKNOWN,
            f"None of {len(findings)} sources can be read: {_told(findings)}. Check this host's own network first.",
        )
    return _worst(findings), f"{first}. No source shows whether the network is alive: read another operator."


def _worst(findings: Iterable[Finding]) -> State:
    """What a group without a healthy member amounts to: the best that its members can still do, or down, or unknown."""
    states = {f.state for f in findings}
    return next((s for s in (State.DEGRADED, State.DOWN) if s in states), State.UNKNOWN)


def _up(fine: Sequence[Finding], asked: int) -> str:
    newest = max(fine, key=lambda f: f.sample.ledger or 0)
    kind = Kind.HORIZON if any(f.sample.kind is Kind.HORIZON for f in fine) else Kind.RPC
    count = f"{len(fine)} of {asked} source{'s' if asked != 1 else ''}"
    age = span(newest.age or timedelta(0))
    return f"{kind} is up: ledger {newest.sample.ledger:,} closed {age} ago on {count}"


def _told(findings: Sequence[Finding]) -> str:
    """ "a answers with errors (503), b is …": three at most, the rest is in the evidence."""
    told = [f"{f.name} {f.words}" for f in findings[:3]]
    more = len(findings) - len(told)
    return ", ".join(told) + (f", and {more} more" if more else "")


def _names(findings: Sequence[Finding]) -> str:
    names = [f.name for f in findings]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def span(age: timedelta) -> str:
    """A length of time in the largest unit that keeps it exact enough to act on: 45 s, 6 min, 3 h, 12 days."""
    seconds = int(age.total_seconds())
    for unit, size, below in (("s", 1, 120), ("min", 60, 7_200), ("h", 3_600, 172_800)):
        if seconds < below:
            return f"{seconds // size} {unit}"
    return f"{seconds // 86_400} days"
