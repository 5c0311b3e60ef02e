"""pytest's hooks for the tests of both packages: the event loop, what is left to CI, the search for secrets."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest

from tests import written
from tests.steady import SteadyLoop
from tests.thorough import sorted_out

#: test files that a whole run names at its end
SLOWEST_SHOWN = 20

# -- how tests run (tests/steady.py) -------------------------------------------------------------------------


def pytest_asyncio_loop_factories() -> dict[str, type[SteadyLoop]]:
    return {"steady": SteadyLoop}


# -- what is left to CI (tests/thorough.py) ------------------------------------------------------------------


def pytest_xdist_auto_num_workers() -> int:
    """Two for each processor: half of the time a conversation waits for the other side."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    named = [argument for argument in config.args if "::" in argument]  # asked for by name: run whatever it takes
    run, left = (items, []) if named else sorted_out(items)
    if left:
        config.hook.pytest_deselected(items=left)
    items[:] = run


# -- no secret is ever written (tests/written.py) -----------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "prints_secrets(why): what this test prints may hold secrets, as `why` says")
    written.listen()


def pytest_runtest_setup(item: pytest.Item) -> None:
    written.listen()  # a command of the bot's, run in this process, may have turned logs elsewhere
    written.READ.clear()


@pytest.fixture
def capfd(capfd: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    """pytest's own; what is read of it is looked through as well."""
    read = capfd.readouterr

    def readouterr() -> Any:
        found = read()
        written.READ.extend(found)
        return found

    capfd.readouterr = readouterr  # type: ignore[method-assign]
    return capfd


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    if call.when != "teardown":
        return report
    printed = "\n".join([*(text for name, text in report.sections if "log" not in name), *written.READ])
    logged = written.PAPER.taken()
    if item.get_closest_marker("prints_secrets"):
        printed = ""
    found = list(dict.fromkeys(written.secrets_in(f"{logged}\n{printed}")))
    if found:
        report.outcome = "failed"
        report.longrepr = "A secret was written:\n" + "\n".join(found)
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Which files took longest, and how much was tried where that differs from run to run (tests/durability)."""
    took: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            took[str(getattr(report, "nodeid", "")).partition("::")[0]] += getattr(report, "duration", 0.0)
    slowest = [(seconds, name) for name, seconds in took.most_common(SLOWEST_SHOWN) if seconds >= 1]
    if len(took) > SLOWEST_SHOWN:  # a whole run, not a file or two
        terminalreporter.section(f"the {len(slowest)} slowest test files")
        for seconds, name in slowest:
            terminalreporter.write_line(f"{seconds:7.1f} s  {name}")
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, said in getattr(report, "user_properties", ()):
                if name == "tried":
                    terminalreporter.write_line(f"tried: {said}")
