"""What was said in the course of an incident, in order: a sequence that grows at its end."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")

#: things that lie together; only the last of these is copied when one more is added
_MAX_CHUNK_ENTRIES = 64


class AppendOnlySequence(Sequence[T], Generic[T]):
    """Never changes. One more on top of 10,000 costs what one more on top of ten does: what is full is shared."""

    __slots__ = ("_full", "_last")
    _full: tuple[tuple[T, ...], ...]
    _last: tuple[T, ...]

    def __init__(self, things: Iterable[T] = ()) -> None:
        every = tuple(things)
        whole = len(every) - len(every) % _MAX_CHUNK_ENTRIES
        self._full = tuple(every[start : start + _MAX_CHUNK_ENTRIES] for start in range(0, whole, _MAX_CHUNK_ENTRIES))
        self._last = every[whole:]

    @classmethod
    def _from_chunks(cls, full: tuple[tuple[T, ...], ...], last: tuple[T, ...]) -> AppendOnlySequence[T]:
        made = cls.__new__(cls)
        made._full, made._last = full, last
        return made

    def appended(self, thing: T) -> AppendOnlySequence[T]:
        """This and one more."""
        last = (*self._last, thing)
        return (
            self._from_chunks((*self._full, last), ())
            if len(last) == _MAX_CHUNK_ENTRIES
            else self._from_chunks(self._full, last)
        )

    def replaced(self, place: int, thing: T) -> AppendOnlySequence[T]:
        """This with another thing at that place (from 0)."""
        which, where = divmod(place, _MAX_CHUNK_ENTRIES)
        if which == len(self._full):
            return self._from_chunks(self._full, (*self._last[:where], thing, *self._last[where + 1 :]))
        old = self._full[which]
        new = (*old[:where], thing, *old[where + 1 :])
        return self._from_chunks((*self._full[:which], new, *self._full[which + 1 :]), self._last)

    def __len__(self) -> int:
        return len(self._full) * _MAX_CHUNK_ENTRIES + len(self._last)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[T, ...]: ...
    def __getitem__(self, place: int | slice) -> T | tuple[T, ...]:
        if isinstance(place, slice):
            return tuple(self)[place]
        at = place + len(self) if place < 0 else place
        which, where = divmod(at, _MAX_CHUNK_ENTRIES)
        if which < 0 or which > len(self._full):
            raise IndexError(place)
        return (self._last if which == len(self._full) else self._full[which])[where]

    def __iter__(self) -> Iterator[T]:
        return chain(chain.from_iterable(self._full), self._last)

    def __reversed__(self) -> Iterator[T]:
        return chain(reversed(self._last), chain.from_iterable(map(reversed, reversed(self._full))))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AppendOnlySequence):
            return NotImplemented
        return self._full == other._full and self._last == other._last

    def __hash__(self) -> int:
        return hash((self._full, self._last))

    def __repr__(self) -> str:
        return f"Trail({list(self)!r})"


def index_of_seq(trail: AppendOnlySequence[Any], seq: int) -> int | None:
    """Where the thing of that seq stands in a trail that has them in order; None where there is none."""
    at = bisect_left(trail, seq, key=lambda one: one.seq)
    return at if at < len(trail) and trail[at].seq == seq else None
