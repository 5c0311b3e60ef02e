"""The README's table of what people can say, drawn from the table of acts: `python -m tests.verbs` writes it."""

from __future__ import annotations

from bot.config import ROOT
from bot.domain.policy import Policy
from bot.probes import PROBES
from bot.slack.surfaces.acts import ACTS

README = ROOT / "README.md"
HEAD = "| verb | what it does |"


def table() -> str:
    """Every act by its word, with the default policy's severities and every probe."""
    rows = [HEAD, "|---|---|"]
    for act, declared in ACTS.items():
        typed = f"{act} {declared.usage_with(Policy(), PROBES)}".strip().replace("|", "\\|")
        also = f" ({', '.join(f'`{one}`' for one in declared.aliases)})" if declared.aliases else ""
        rows.append(f"| `{typed}`{also} | {declared.description} |")
    return "\n".join(rows)


if __name__ == "__main__":
    before, rest = README.read_text(encoding="utf-8").split(HEAD, 1)
    README.write_text(f"{before}{table()}\n\n{rest.split(chr(10) * 2, 1)[1]}", encoding="utf-8")
