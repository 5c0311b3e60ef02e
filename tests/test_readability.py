"""Sentences that people read are short, and use the words of docs/glossary.md.

The check takes passages: (where it stands, text). `markdown` reads those of a page, `catalogue` those of a Python file
that holds sentences for people, `documentation` its docstrings. `long_sentences` and `old_words` say what is wrong with
them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.test_names import ROOT, retired

#: words that a sentence may have; code and addresses count as one word
LONGEST = 30
PAGES = [
    *(ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(ROOT / name for name in ("localslack/README.md", "runbooks/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
#: the section that lists the words which are not used any more
RETIRED_HEADING = "## Words that are not ours any more"

_FENCE = re.compile(r"^\s*(```|~~~)")
_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.)\s+")
_CELLS = re.compile(r"(?<!\\)\|")
_RULER = re.compile(r"^\|[\s:|-]+\|$")
_CODE = re.compile(r"``.+?``|`[^`]+`")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ADDRESS = re.compile(r"<?https?://[^\s>)]+>?")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
#: a full stop ends a sentence where a space follows it, not in 3.11 or bot.example
_END = re.compile(r"(?<=[.!?…])[\"”’)\]*_]*\s+")
_WORD = re.compile(r"[^\W_]+(?:[’'./:-][^\W_]+)*")

#: a line of a table or of an example
_COLUMNS = re.compile(r"^\s*\||^ {4}|\S {2,}\S")
#: what may begin with a docstring
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

Passage = tuple[str, str]


def sentences(text: str) -> list[str]:
    """The sentences of a passage of Markdown or of Slack's markup; code and addresses stand in it as one word."""
    text = _LINK.sub(r"\1", _CODE.sub("CODE", text))
    text = _ADDRESS.sub("ADDRESS", text)
    return [one.strip() for one in _END.split(text) if _WORD.search(one)]


def too_long(found: Iterable[str], longest: int = LONGEST) -> list[str]:
    """Those with too many words, with their number."""
    counted = [(len(_WORD.findall(one)), one) for one in found]
    return [f"{words} words: {one}" for words, one in counted if words > longest]


def long_sentences(passages: Iterable[Passage]) -> list[str]:
    return [f"{where}: {one}" for where, text in passages for one in too_long(sentences(text))]


def old_words(passages: Iterable[Passage]) -> list[str]:
    """Every use of a word that is not ours any more, in any of its forms; "Block Kit" is Slack's."""
    forms = {form: word for word in retired() if word.isalpha() for form in _forms(word)}
    return [
        f"{where}: {found[0]} (see docs/glossary.md): {one}"
        for where, text in passages
        for one in sentences(text)
        for found in _WORD.finditer(one.replace("Block Kit", ""))
        if found[0].lower() in forms
    ]


def _forms(word: str) -> set[str]:
    """The forms of a verb, given as its infinitive or its past participle."""
    if word.endswith("ed"):
        return {word, word[:-1], f"{word[:-1]}s", f"{word[:-2]}ing"}
    return {word, f"{word}s", f"{word}ed", f"{word}ing"}


def markdown(path: Path) -> Iterator[Passage]:
    """The paragraphs, headings, list items and cells of a page. A clause of a cell ends at its semicolon."""
    name, block, began, fenced = path.name, list[str](), 0, False
    page = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), path.read_text(encoding="utf-8"))
    for number, line in enumerate([*page.split(RETIRED_HEADING)[0].splitlines(), ""], start=1):
        fence = _FENCE.match(line)
        alone = fenced or fence or not line.strip() or line.startswith(("#", "|"))
        if block and (alone or _ITEM.match(line)):
            yield f"{name}:{began}", " ".join(block)
            block = []
        if fence:
            fenced = not fenced
        elif fenced or not line.strip() or _RULER.match(line):
            continue
        elif line.startswith("|"):
            for cell in _CELLS.split(line.strip().strip("|")):
                yield from ((f"{name}:{number}", clause) for clause in _CODE.sub("`code`", cell).split("; "))
        elif line.startswith("#"):
            yield f"{name}:{number}", line.lstrip("# ")
        else:
            began = began if block else number
            block.append(_ITEM.sub("", line).strip())


def catalogue(path: Path) -> Iterator[Passage]:
    """The texts of a Python file, documentation apart; what a text fills in stands in it as one word."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, DOCUMENTED) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        where = f"{path.name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(one) for one in ast.walk(node) if one is not node}
            parts = [str(one.value) if isinstance(one, ast.Constant) else "WORD" for one in node.values]
            yield from _lines(where, "".join(parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield from _lines(where, node.value)


def documentation(path: Path) -> Iterator[Passage]:
    """The paragraphs of the docstrings of a Python file; tables and examples apart, whose lines hold columns."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
            where = f"{path.name}:{getattr(node, 'lineno', 1)}"
            for paragraph in text.split("\n\n"):
                lines = [line for line in paragraph.splitlines() if not _COLUMNS.search(line)]
                if lines:
                    yield where, " ".join(" ".join(lines).split())


def _lines(where: str, text: str) -> Iterator[Passage]:
    """A line of a message is a sentence of its own; a single word is a name, not a sentence."""
    yield from ((where, line) for line in text.splitlines() if " " in line.strip())


# -- the pages -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_sentences_are_short(path: Path) -> None:
    assert long_sentences(markdown(path)) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_word_that_is_not_ours_any_more(path: Path) -> None:
    assert old_words(markdown(path)) == []


#: files whose texts somebody reads in Slack: catalogues, rules that refuse, private answers, forms
CATALOGUES = [
    path
    for folder in ("domain", "slack/surfaces", "slack/handlers", "slack/requests", "slack/inbound", "reports")
    for path in sorted((ROOT / "bot" / folder).rglob("*.py"))
]


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_stands_in_slack_is_short_and_ours(path: Path) -> None:
    assert long_sentences(catalogue(path)) == []
    assert old_words(catalogue(path)) == []


@pytest.mark.parametrize("folder", ["bot", "localslack", "tests", "bench"])
def test_docstrings_are_short_and_ours(folder: str) -> None:
    found = [one for path in sorted((ROOT / folder).rglob("*.py")) for one in documentation(path)]
    assert long_sentences(found) == []
    assert old_words(found) == []


# -- the check itself --------------------------------------------------------------------------------------

LONG = " ".join(["word"] * (LONGEST + 1))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("Tick a box. The bot stores it! Does it?", 3, id="three ends"),
        pytest.param("Python 3.11 at bot.example takes 0.5 s.", 1, id="stops inside words"),
        pytest.param("It says “Done.” Then it stops.", 2, id="a quotation ends"),
        pytest.param("`a. b. c.`", 1, id="code is a word"),
        pytest.param("[Read this. Now.](x.md) It ends", 3, id="a link's words"),
        pytest.param("…", 0, id="no word"),
    ],
)
def test_sentences(text: str, found: int) -> None:
    assert len(sentences(text)) == found


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        pytest.param(f"{LONG}.", 1, id="a long paragraph"),
        pytest.param(f"- Fine.\n- {LONG}\n- Fine.", 1, id="a long item"),
        pytest.param(f"word\n{LONG}", 1, id="a sentence over two lines"),
        pytest.param(f"| a | {LONG} |", 1, id="a long cell"),
        pytest.param(f"# {LONG}", 1, id="a long heading"),
        pytest.param("| a | one; " + "word " * LONGEST + "; two |", 0, id="clauses of a cell"),
        pytest.param(f"```\n{LONG}\n```", 0, id="code"),
        pytest.param(f"`{LONG}`", 0, id="code in a line"),
        pytest.param(f"<!-- {LONG} -->", 0, id="a comment"),
        pytest.param("- " + "word " * LONGEST + "\n- more", 0, id="items end"),
    ],
)
def test_a_long_sentence_is_found(text: str, problems: int, page: Path) -> None:
    page.write_text(text, encoding="utf-8")
    assert len(long_sentences(markdown(page))) == problems


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("The caretaker is on its way.", 1, id="as it stands in the table"),
        pytest.param("Caretakers visited; a request lapses.", 3, id="other forms"),
        pytest.param("Block Kit is Slack's, and a kitten is no kit.", 1, id="Block Kit"),
        pytest.param("`bot/caretaker.py` and Alertmanager", 0, id="code, and names that hold one"),
        pytest.param(f"{RETIRED_HEADING}\n\n| caretaker | reconciler |", 0, id="the table itself"),
    ],
)
def test_an_old_word_is_found(text: str, found: int, page: Path) -> None:
    page.write_text(text, encoding="utf-8")
    assert len(old_words(markdown(page))) == found


def test_texts_of_a_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "words.py"
    path.write_text(
        f'"""Documentation: {LONG}."""\n'
        "def text(name):\n"
        f'    """More of it: {LONG}."""\n'
        f'    return f"Ask {{name}}.\\nThe caretaker {LONG}", "word"\n',
        encoding="utf-8",
    )
    passages = list(catalogue(path))
    assert [text for _, text in passages] == ["Ask WORD.", f"The caretaker {LONG}"]
    assert len(long_sentences(passages)) == len(old_words(passages)) == 1


def test_docstrings(tmp_path: Path) -> None:
    """Paragraphs are joined over their lines; what stands in columns is left out."""
    path = tmp_path / "module.py"
    path.write_text(
        f'"""A head.\n\nOne sentence\nover two lines.\n\n    code  {LONG}\n| a table | {LONG} |\n"""\n'
        f'def f():\n    """The caretaker {LONG}."""\n    return "{LONG}"\n',
        encoding="utf-8",
    )
    passages = list(documentation(path))
    assert [text for _, text in passages] == ["A head.", "One sentence over two lines.", f"The caretaker {LONG}."]
    assert len(long_sentences(passages)) == len(old_words(passages)) == 1


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "page.md"
