"""The table of the folder's README, written from front matter."""

from __future__ import annotations

from bot.runbooks.shelf import Shelf

BEGIN = "<!-- index: written from the front matter of the files -->"
END = "<!-- end of index -->"


def index(shelf: Shelf) -> str:
    """A Markdown table, one line a runbook, ending in a newline."""
    rows = [
        "| Runbook | When | Severity | Alerts | Steps | Owner | Reviewed |",
        "|---|---|---|---|---|---|---|",
    ]
    for slug, runbook in sorted(shelf.runbooks.items()):
        cells = (
            f"[{_cell(runbook.title)}]({slug}.md)",
            _cell(runbook.summary),
            _cell(runbook.severity or "–"),
            ", ".join(f"`{_cell(alert)}`" for alert in runbook.alerts) or "–",
            str(len(runbook.steps)),
            _cell(runbook.owner or "nobody"),
            runbook.reviewed.isoformat() if runbook.reviewed else "never",
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def refresh(readme: str, shelf: Shelf) -> str:
    """The README with the table between its two comments renewed; at the end where it has none yet."""
    table = f"{BEGIN}\n\n{index(shelf)}\n{END}"
    before, begin, rest = readme.partition(BEGIN)
    if not begin:
        return f"{readme.rstrip()}\n\n{table}\n"
    _, _, after = rest.partition(END)
    return f"{before}{table}{after}"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[")
