"""A trail behaves as the tuple of the same things would, and shares what it has with the one that it grew from."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.append_only import _MAX_CHUNK_ENTRIES, AppendOnlySequence, index_of_seq
from bot.domain.events import Entry

_SIZES = st.integers(min_value=0, max_value=3 * _MAX_CHUNK_ENTRIES + 1)


@given(_SIZES)
def test_grown_one_by_one_or_made_at_once(size: int) -> None:
    grown = AppendOnlySequence[int]()
    for number in range(size):
        grown = grown.appended(number)
    plain = tuple(range(size))
    assert (tuple(grown), tuple(reversed(grown)), len(grown)) == (plain, plain[::-1], size)
    assert (
        grown == AppendOnlySequence(plain)
        and hash(grown) == hash(AppendOnlySequence(plain))
        and bool(grown) is bool(plain)
    )
    assert grown != AppendOnlySequence((*plain, size)) and grown[-3:] == plain[-3:]


@given(st.data(), _SIZES.filter(bool))
def test_every_place_is_found_and_can_be_changed(data: st.DataObject, size: int) -> None:
    place = data.draw(st.integers(min_value=-size, max_value=size - 1))
    before = AppendOnlySequence(range(size))
    after = before.replaced(place % size, -1)
    assert before[place] == range(size)[place] and after[place] == -1
    assert [one for one in after if one != -1] == [one for one in before if one != place % size]


@given(_SIZES)
def test_there_is_nothing_beyond_its_ends(size: int) -> None:
    for place in (size, -size - 1, size + _MAX_CHUNK_ENTRIES):
        try:
            AppendOnlySequence(range(size))[place]
        except IndexError:
            continue
        raise AssertionError(place)


def test_what_it_has_is_shared_by_what_grows_from_it() -> None:
    before = AppendOnlySequence(range(2 * _MAX_CHUNK_ENTRIES + 5))
    one, other = before.appended(-1), before.appended(-2)
    assert one._full is before._full is other._full
    assert (one[-1], other[-1], len(before)) == (-1, -2, 2 * _MAX_CHUNK_ENTRIES + 5)


def test_a_thing_is_found_by_its_seq() -> None:
    trail = AppendOnlySequence(Entry(seq, None) for seq in range(3, 1000, 3))
    assert [index_of_seq(trail, seq) for seq in (2, 3, 4, 999, 1002)] == [None, 0, None, 332, None]
