"""A folder of Markdown files -> runbooks that can be found, guessed, listed and checked.

`load` reads the folder and never fails as a whole; `lint` looks for what is allowed but unwise;
`index` writes the table of the folder's README. The format is described in `parse` and `front_matter`.
"""

from __future__ import annotations

from bot.runbooks.index import index, refresh
from bot.runbooks.lint import lint
from bot.runbooks.load import load
from bot.runbooks.problems import Problem
from bot.runbooks.shelf import RunbookSource, Shelf

__all__ = ["RunbookSource", "Problem", "Shelf", "index", "lint", "load", "refresh"]
