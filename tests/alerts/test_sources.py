"""What senders post, as alerts: captured payloads, our own format, and everything that is neither."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alerts import SOURCES
from bot.alerts.payload import MAX_LINK_CHARS, MAX_NAME_CHARS, MAX_TITLE_CHARS, parse_json
from bot.domain.alert import Alert
from bot.domain.errors import InvalidPayload

FIXTURES = Path(__file__).parent / "fixtures"


def read(source: str, body: bytes | str) -> tuple[Alert, ...]:
    return SOURCES[source].read(
        source, parse_json(body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass"))
    )


def fixture(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIXTURES / name).read_text())
    return found


# -- Alertmanager ---------------------------------------------------------------------------------------


def test_a_group_that_fires() -> None:
    first, second = read("alertmanager", (FIXTURES / "alertmanager_firing.json").read_bytes())
    assert first.name == second.name == "HorizonDown" and first.firing and second.firing
    assert first.group == second.group and first.group_key == second.group_key and first.key != second.key
    assert first.title == "Horizon root returns 503 for 3m"
    assert first.since == datetime(2026, 3, 2, 13, 57, 40, 486548, tzinfo=UTC)
    assert (first.severity, first.runbook_slug) == ("critical", "horizon-outage")
    assert first.link == "http://prom.example:9090/graph?g0.expr=probe_success" and second.link == ""
    # what tells it from its neighbour comes first, what is shown elsewhere is left out
    assert first.labels == (
        ("instance", "https://horizon.example"), ("network", "public"), ("service", "settlement"),
    )  # fmt: skip


def test_a_group_of_which_one_has_ended() -> None:
    first, second = read("alertmanager", (FIXTURES / "alertmanager_mixed.json").read_bytes())
    assert (first.firing, second.firing) == (True, False)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"version": "3"}, "version 4", id="an older version"),
        pytest.param({"alerts": []}, "alerts", id="no alerts"),
        pytest.param({"alerts": {"a": 1}}, "alerts", id="alerts of another shape"),
        pytest.param({"alerts": ["HorizonDown"]}, "an alert", id="an alert of another shape"),
        pytest.param({"alerts": [{"labels": "x"}]}, "labels", id="labels of another shape"),
        pytest.param({"groupKey": ""}, "groupKey", id="no group"),
    ],
)
def test_what_is_not_its_webhook(change: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidPayload, match=why):
        read("alertmanager", json.dumps({**fixture("alertmanager_firing.json"), **change}))


def test_the_least_that_it_may_send() -> None:
    """A rule without annotations, a time that cannot be read, no fingerprint: still an alert."""
    (one,) = read(
        "alertmanager",
        json.dumps({"version": "4", "groupKey": "g", "alerts": [{"labels": {"alertname": "X"}, "startsAt": "?"}]}),
    )
    assert (one.name, one.title, one.firing, one.since, one.severity) == ("X", "", True, None, "")
    assert one.id


# -- our own format -------------------------------------------------------------------------------------


def test_only_a_name_is_needed() -> None:
    (one,) = read("generic", '{"name": "BackupFailed"}')
    assert (one.name, one.group, one.firing, one.title, one.since) == ("BackupFailed", "BackupFailed", True, "", None)


def test_everything_said() -> None:
    (one,) = read("generic", json.dumps({
        "name": "BackupFailed", "title": "Nightly backup failed", "status": "resolved", "severity": 2,
        "group": "backups", "id": "ledger", "since": "2026-03-02T14:40:00+01:00", "runbook": "db-failover",
        "link": "https://ci.example/1", "labels": {"host": "db1", "tries": 3}, "what else": "is ignored",
    }))  # fmt: skip
    assert one.since == datetime(2026, 3, 2, 13, 40, tzinfo=UTC)
    assert (one.firing, one.severity, one.runbook_slug) == (False, "2", "db-failover")
    assert one.labels == (("host", "db1"), ("tries", "3"))


def test_what_names_it() -> None:
    """Without an id the name and the labels do; a group is a group whatever else differs."""
    (one,) = read("generic", '{"name": "Disk", "labels": {"host": "a", "zone": "x"}}')
    (same,) = read("generic", '{"name": "Disk", "labels": {"zone": "x", "host": "a"}, "title": "90 %"}')
    (other,) = read("generic", '{"name": "Disk", "labels": {"host": "b", "zone": "x"}}')
    assert one.key == same.key != other.key
    assert one.group_key == other.group_key


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param("", "not JSON", id="nothing"),
        pytest.param("[]", "not an object", id="a list"),
        pytest.param('"x"', "not an object", id="a text"),
        pytest.param("{}", "name is missing", id="no name"),
        pytest.param('{"name": ""}', "name is missing", id="an empty name"),
        pytest.param('{"name": {"a": 1}}', "name is missing", id="a name of another shape"),
        pytest.param('{"name": "X", "status": "ok"}', "status", id="another status"),
        pytest.param('{"name": "X", "status": []}', "status", id="a status of another shape"),
        pytest.param('{"name": "X", "since": "yesterday"}', "since", id="no time"),
        pytest.param('{"name": "X", "since": "2026-03-02T13:40:00"}', "since", id="a time without a zone"),
        pytest.param('{"name": "X", "since": 1772458800}', "since", id="seconds"),
        pytest.param('{"name": "X", "labels": ["a"]}', "labels", id="labels of another shape"),
    ],
)
def test_what_is_not_our_format(body: str, why: str) -> None:
    with pytest.raises(InvalidPayload, match=why):
        read("generic", body)


# -- hands that mean ill --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b'{"name": ' + b"[" * 100_000, "not JSON", id="brackets without end"),
        pytest.param(
            b'{"name": "X", "labels": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "not JSON", id="100,000 levels"
        ),
        pytest.param(b'{"name": "X", "severity": NaN}', "no number", id="NaN"),
        pytest.param(b'{"name": "X", "severity": -Infinity}', "no number", id="infinity"),
        pytest.param(b'{"name": "X", "severity": ' + b"9" * 5000 + b"}", "not JSON", id="a number of 5,000 digits"),
        pytest.param(b'{"name": "X", "name": "Y"}', "twice", id="a key twice"),
        pytest.param(b'{"name": "X", "labels": {"a": 1, "a": 2}}', "twice", id="a key twice, deep inside"),
        pytest.param(b'{"name": "\xff\xfe"}', "not JSON", id="no UTF-8"),
        pytest.param('{"name": "X"}'.encode("utf-16"), "not JSON", id="UTF-16"),
    ],
)
@pytest.mark.parametrize("source", SOURCES)
def test_what_is_no_honest_json(source: str, body: bytes, why: str) -> None:
    with pytest.raises(InvalidPayload, match=why) as refused:
        read(source, body)
    assert len(str(refused.value)) < 100  # our words, nothing of theirs


def test_texts_are_one_line_and_cut() -> None:
    (one,) = read("generic", json.dumps({
        "name": "X" * 10_000, "title": "a\n\ud800b\u202ec\x00 " + "y" * 800_000, "severity": "\t ",
        "labels": {f"l{number}": "v" * 5000 for number in range(500)},
    }))  # fmt: skip
    assert len(one.name) == MAX_NAME_CHARS and len(one.title) == MAX_TITLE_CHARS and one.title.startswith("a b c y")
    assert one.severity == "" and len(one.labels) == 20 and all(len(value) <= 200 for _, value in one.labels)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("javascript:alert(1)", id="a script"),
        pytest.param("https://evil|https://good", id="one that would look like another"),
        pytest.param("https://a.example/<!channel>", id="markup"),
        pytest.param("https://a.example/ b", id="a blank"),
        pytest.param("https://[", id="none"),
        pytest.param("https://a.example/" + "x" * MAX_LINK_CHARS, id="endless"),
        pytest.param(7, id="a number"),
    ],
)
def test_addresses_that_are_not_shown(address: object) -> None:
    (one,) = read("generic", json.dumps({"name": "X", "link": address}))
    assert one.link == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
PARTS = (
    "name", "title", "status", "since", "labels", "group", "id", "severity", "link", "runbook", "version", "groupKey",
    "alerts", "commonLabels", "annotations", "startsAt", "fingerprint",
)  # fmt: skip
LIKE = st.dictionaries(st.sampled_from(PARTS), JSON)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SOURCES)), LIKE, LIKE)
def test_whatever_it_is_it_is_read_or_refused(source: str, outer: dict[str, Any], inner: dict[str, Any]) -> None:
    payload = {"version": "4", "groupKey": "g", "name": "X", "alerts": [inner]} | outer
    try:
        alerts = read(source, json.dumps(payload))
    except InvalidPayload:
        return
    assert alerts and all(isinstance(one, Alert) and one.id for one in alerts)
    assert len({one.group_key for one in alerts}) == 1


# -- payloads of other programs, where a machine has them -----------------------------------------------


def _recorded() -> list[Path]:
    folder = os.environ.get("EXTRA_FIXTURES", "")
    return sorted(Path(folder, "alerts", "alertmanager").glob("*.json")) if folder else []


@pytest.mark.skipif(not _recorded(), reason="EXTRA_FIXTURES names no folder with alerts")
def test_recorded_payloads_of_alertmanager() -> None:
    for path in _recorded():
        alerts = read("alertmanager", path.read_bytes())
        assert len(alerts) == len(json.loads(path.read_bytes())["alerts"])
        assert all(one.name and one.title and one.since and one.severity for one in alerts), path.name
