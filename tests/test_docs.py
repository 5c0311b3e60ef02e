"""What is not in the documents is not there: every name that people type or set has to be explained somewhere."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
import typer.main

from bot.alerts import SOURCES
from bot.comms.slots import KINDS
from bot.comms.templates import AUDIENCES, STAGES
from bot.comms.templates import load as load_templates
from bot.config import Settings
from bot.domain.policy import AlertPolicy, Policy, Severity
from bot.policies import PROFILES
from bot.probes import PROBES
from bot.runbooks.front_matter import CHECKS
from tests import verbs

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "localslack" / "README.md"]

#: `| NAME | default | what it is |`
_ROW = re.compile(r"^\| `([A-Z0-9_]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def everything() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in PAGES if path.exists())


def missing(names: list[str], pattern: str, text: str) -> list[str]:
    """The names for which the pattern, with NAME in it, does not stand in the text."""
    return [name for name in names if not re.search(pattern.replace("NAME", re.escape(name)), text)]


def test_there_is_a_readme() -> None:
    assert (ROOT / "README.md").is_file()


def test_the_readme_has_every_verb() -> None:
    """`make verbs` writes it."""
    assert verbs.table() in page("README.md")


def test_every_command_of_the_command_line() -> None:
    from bot.cli import cli

    command = typer.main.get_command(cli)
    names = list(getattr(command, "commands", {}))
    assert names
    assert missing(names, r"\bbot NAME\b", everything()) == []


def test_every_make_target() -> None:
    targets = re.findall(r"^([a-z]+):.*## ", page("Makefile"), re.MULTILINE)
    assert missing(targets, r"\bmake NAME\b", everything() + page("CONTRIBUTING.md")) == []


# -- settings -----------------------------------------------------------------------------------------


def test_every_setting_with_its_default_and_its_description() -> None:
    rows = {name: (default, what) for name, default, what in _ROW.findall(page("docs/settings.md"))}
    assert rows == {name.upper(): (_default(name), field.description) for name, field in Settings.model_fields.items()}


def _default(name: str) -> str:
    field = Settings.model_fields[name]
    if field.is_required():
        return "required"
    if isinstance(field.default, Path):
        return f"`{field.default.relative_to(ROOT)}`"
    return f"`{field.default}`" if field.default not in (None, "") else "none"


# -- content ------------------------------------------------------------------------------------------


def test_every_runbook() -> None:
    slugs = [path.stem for path in (ROOT / "runbooks").glob("*.md") if path.stem != "README"]
    assert slugs
    assert missing(slugs, r"`NAME`", page("docs/runbooks.md")) == []


def test_every_template() -> None:
    names = load_templates(ROOT / "comms_templates").names()
    assert names
    assert missing(names, r"`NAME`", page("docs/templates.md")) == []


@pytest.mark.parametrize(
    ("document", "names"),
    [
        pytest.param("docs/policy.md", [one.name for one in fields(Policy)], id="keys of a policy"),
        pytest.param("docs/policy.md", [one.name for one in fields(Severity)], id="keys of a severity"),
        pytest.param("docs/policy.md", [one.name for one in fields(AlertPolicy)], id="keys of what alerts do"),
        pytest.param("docs/alerts.md", list(SOURCES), id="who may send alerts"),
        pytest.param("docs/policy.md", [f"{one}.toml" for one in PROFILES], id="shipped policies"),
        pytest.param("docs/runbooks.md", list(CHECKS), id="keys of a runbook"),
        pytest.param("docs/runbooks.md", list(PROBES), id="probes that a step can name"),
        pytest.param("docs/templates.md", list(KINDS), id="kinds of blanks"),
        pytest.param("docs/templates.md", [*AUDIENCES, *STAGES], id="audiences and stages"),
    ],
)
def test_every_name_of_a_format(document: str, names: list[str]) -> None:
    assert missing(names, r"`NAME`", page(document)) == []


def test_links_lead_somewhere() -> None:
    dead = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
        if path.exists()
        for target in _LINK.findall(path.read_text(encoding="utf-8"))
        if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists()
    ]
    assert dead == []


def test_files_named_to_contributors_are_there() -> None:
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", page("CONTRIBUTING.md"))
    assert named
    assert [path for path in named if not path.startswith(("/", ".venv/")) and not (ROOT / path).exists()] == []


def test_the_changelog_knows_this_version() -> None:
    from bot import __version__

    assert f"## {__version__}" in page("CHANGELOG.md")
