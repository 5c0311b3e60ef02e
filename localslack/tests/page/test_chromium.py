"""Where no Chromium is found the tests of the page are skipped, unless this is CI."""

from __future__ import annotations

import pytest

from localslack.tests.page import chromium


@pytest.mark.parametrize(
    ("environment", "installed", "found"),
    [
        pytest.param({}, {"chromium": "/usr/bin/chromium"}, "/usr/bin/chromium", id="debian"),
        pytest.param({}, {"google-chrome": "/opt/chrome"}, "/opt/chrome", id="another name"),
        pytest.param({"CHROMIUM": "mine"}, {"mine": "/x/mine", "chromium": "/y"}, "/x/mine", id="the named one first"),
        pytest.param({"CHROMIUM": "gone"}, {"chromium": "/y"}, None, id="a name that leads nowhere is not replaced"),
        pytest.param({}, {}, None, id="none"),
    ],
)
def test_which_one_is_taken(environment: dict[str, str], installed: dict[str, str], found: str | None) -> None:
    assert chromium.find(environment, installed.get) == found


@pytest.mark.parametrize(
    ("environment", "must"),
    [
        pytest.param({"CI": "true"}, True, id="CI"),
        pytest.param({"CI": ""}, False, id="empty"),
        pytest.param({}, False, id="somebody's own machine"),
    ],
)
def test_only_ci_insists(environment: dict[str, str], must: bool) -> None:
    assert chromium.must_be_there(environment) is must
