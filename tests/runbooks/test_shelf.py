"""Finding a runbook by a word, an alert or a title."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.runbooks import Shelf, index, refresh

from .writing import shelf_of, titled


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return shelf_of(
        tmp_path_factory.mktemp("runbooks"),
        horizon_outage=titled("Horizon outage", "alerts: [HorizonDown]\nwords: [horizon, stellar down]\n"),
        db_failover=titled("Database failover", "words: [db down, database]\nowner: a|b\nseverity: sev1\n"),
        db_restore=titled("Restore", "words: [database, backup, restore the database]\nreviewed: 2026-11-20\n"),
    )


@pytest.mark.parametrize(
    ("word", "slug"),
    [
        pytest.param("horizon-outage", "horizon-outage", id="the slug"),
        pytest.param("horizon", "horizon-outage", id="how one begins"),
        pytest.param("DB_Failover ", "db-failover", id="as people type"),
        pytest.param("Database failover", "db-failover", id="the title"),
        pytest.param("restore", "db-restore", id="a title of one word"),
        pytest.param("db", None, id="how two begin"),
        pytest.param("outage", None, id="not the beginning"),
        pytest.param("", None, id="nothing"),
        pytest.param("-", None, id="nothing but a dash"),
        pytest.param("../../etc/passwd", None, id="a path"),
    ],
)
def test_find(shelf: Shelf, word: str, slug: str | None) -> None:
    found = shelf.find(word)
    assert (found.slug if found else None) == slug


@pytest.mark.parametrize(
    ("word", "slugs"),
    [
        pytest.param("db", ["db-failover", "db-restore"], id="several begin so"),
        pytest.param("outage", ["horizon-outage"], id="inside"),
        pytest.param("horzon", ["horizon-outage"], id="a letter missing"),
        pytest.param("failovr", ["db-failover"], id="a letter missing in a part"),
        pytest.param("zzz", [], id="nothing like it"),
        pytest.param("", ["db-failover", "db-restore", "horizon-outage"], id="everything there is"),
    ],
)
def test_nearest(shelf: Shelf, word: str, slugs: list[str]) -> None:
    assert shelf.close_matches(word) == slugs


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        pytest.param("HorizonDown", "horizon-outage", id="named"),
        pytest.param("horizondown", "horizon-outage", id="in another case"),
        pytest.param("Horizon", None, id="part of a name"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_for_alert(shelf: Shelf, name: str, slug: str | None) -> None:
    found = shelf.for_alert(name)
    assert (found.slug if found else None) == slug


@pytest.mark.parametrize(
    ("title", "slugs"),
    [
        pytest.param("HORIZON answers 503", ["horizon-outage"], id="one word"),
        pytest.param("Stellar-down!", ["horizon-outage"], id="two words with a dash"),
        pytest.param("the database is slow", ["db-failover", "db-restore"], id="two runbooks"),
        pytest.param("restore the database", ["db-restore", "db-failover"], id="the longer words first"),
        pytest.param("horizon and database", ["db-failover", "db-restore"], id="at most two"),
        pytest.param("horizons", [], id="whole words only"),
        pytest.param("Checkout is slow", [], id="none"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_guess(shelf: Shelf, title: str, slugs: list[str]) -> None:
    assert [runbook.slug for runbook in shelf.guess(title)] == slugs


@settings(deadline=None)
@given(st.text())
def test_any_word_may_be_asked(shelf: Shelf, word: str) -> None:
    found = shelf.find(word)
    assert found is None or found.slug in shelf.runbooks
    assert set(shelf.close_matches(word)) <= set(shelf.runbooks)
    assert len(shelf.guess(word)) <= 2
    shelf.for_alert(word)


def test_index(shelf: Shelf) -> None:
    lines = index(shelf).splitlines()
    assert lines[2] == (
        "| [Database failover](db-failover.md) | About Database failover. | sev1 | – | 1 | a\\|b | never |"
    )
    assert lines[3].endswith("| nobody | 2026-11-20 |")


def test_refresh(shelf: Shelf) -> None:
    once = refresh("# Runbooks\n", shelf)
    assert once.startswith("# Runbooks\n")
    assert index(shelf) in once
    assert refresh(once, shelf) == once, "again changes nothing"
    moved = refresh(once + "\nAfter.\n", Shelf({}))
    assert "Database" not in moved
    assert moved.endswith("\nAfter.\n")


def test_an_empty_shelf(tmp_path: Path) -> None:
    empty = Shelf({})
    assert empty.find("x") is None
    assert empty.close_matches("x") == []
    assert empty.guess("x") == []
