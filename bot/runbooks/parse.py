"""One file's text -> sections of steps, or what is wrong with it and on which line.

    ---
    title: Horizon outage
    summary: Horizon is unreachable or answers errors.
    alerts: [HorizonDown]
    ---
    ## 3. Immediate mitigation
    Text for whoever reads it first.
    - [ ] Pause payouts; expect "paused". {two-people: after} {probe: horizon}
      ```sh
      the commands of this step
      ```

Some Markdown would not be seen in Slack's checklist, or not where it was written. Each such place is a finding and no
silent loss, because somebody who trusts the runbook follows it at night.
"""

from __future__ import annotations

import html
import unicodedata
from dataclasses import dataclass, field, replace

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.front_matter import front_matter_plugin

from bot.domain.runbook import Section, Step
from bot.runbooks import front_matter, plain_text, secrets, step_marks
from bot.runbooks.front_matter import FrontMatter
from bot.runbooks.problems import LineProblem

MAX_STEPS = 100
#: a section block of Slack holds 3,000 characters; number, mark and "Ana, 14:07 UTC" need some of them
MAX_TEXT_CHARS = 2_800
MAX_HEADING_CHARS = 100
MAX_FINDINGS = 20


@dataclass(frozen=True)
class ParsedRunbook:
    """A file's content. With findings it is not to be served. `lines`: step id -> line of the file."""

    matter: FrontMatter
    sections: tuple[Section, ...] = ()
    lines: dict[str, int] = field(default_factory=dict)
    findings: tuple[LineProblem, ...] = ()


def parse(text: str, known_probes: frozenset[str]) -> ParsedRunbook:
    """Never raises, whatever the text."""
    findings = [*_hidden_characters(text), *secrets.find(text)]
    if findings:
        return ParsedRunbook(FrontMatter(), findings=_first(findings))
    # enough of a blank line that the front matter's rule never looks past the end
    tree = SyntaxTreeNode(_markdown().parse(text + "\n"))
    nodes = list(tree.children)
    if not nodes or nodes[0].type != "front_matter":
        return ParsedRunbook(
            FrontMatter(), findings=(LineProblem(1, "There is no front matter: begin with --- and end it with ---."),)
        )
    matter, wrong = front_matter.read(nodes[0].content, first_line=2)
    body = _Body(known_probes)
    for node in nodes[1:]:
        body.take(node)
    body.finish()
    findings = sorted([*wrong, *body.findings], key=lambda finding: finding.line)
    return ParsedRunbook(matter, tuple(body.sections), body.lines, _first(findings))


def _first(findings: list[LineProblem]) -> tuple[LineProblem, ...]:
    """As many as somebody would read; a file that is no runbook at all has one in every line."""
    if len(findings) <= MAX_FINDINGS:
        return tuple(findings)
    more = LineProblem(findings[MAX_FINDINGS].line, f"And {len(findings) - MAX_FINDINGS} more from here on.")
    return (*findings[:MAX_FINDINGS], more)


def has_front_matter(text: str) -> bool:
    """Whether the text begins as a runbook does."""
    return text.startswith("---")


def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table").use(front_matter_plugin)


def _hidden_characters(text: str) -> list[LineProblem]:
    """What a terminal or a reader would take for something else: control characters, turned directions."""
    findings = []
    for number, line in enumerate(text.split("\n"), 1):
        for character in line.rstrip("\r"):
            if character == "\t" or (character.isascii() and character.isprintable()):
                continue
            bidirectional = unicodedata.bidirectional(character) in _BIDI_CONTROLS
            if bidirectional or unicodedata.category(character) in ("Cc", "Zl", "Zp"):
                findings.append(LineProblem(number, f"There is a hidden character here, U+{ord(character):04X}."))
                break
    return findings


_BIDI_CONTROLS = frozenset({"LRE", "LRO", "RLE", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


class _Body:
    """Collects sections and findings, node by node."""

    def __init__(self, known_probes: frozenset[str]) -> None:
        self.sections: list[Section] = []
        self.lines: dict[str, int] = {}
        self.findings: list[LineProblem] = []
        self._probes = known_probes
        self._count = 0
        self._numbers: set[int] = set()

    def take(self, node: SyntaxTreeNode) -> None:
        """Place one block of the file."""
        line = _line(node)
        match node.type:
            case "heading" if node.tag == "h2":
                self._open(plain_text.prose(node), line)
            case "heading" if node.tag == "h1" and not self.sections:
                pass  # the title, for those who read the file where it lies
            case "heading":
                self._find(line, "Only ## headings are read. Use one, or make it a sentence.")
            case "bullet_list" | "ordered_list" if any(_is_task(item) for item in node.children):
                self._steps(node)
            case "table":
                self._find(line, "A table cannot be shown in Slack. Use a list.")
            case "html_block" if node.content.strip().startswith("<!--"):
                if "-->" not in node.content or node.content.rsplit("-->", 1)[1].strip():
                    self._find(line, "A comment has to end, and to stand alone.")
            case "html_block":
                self._find(line, "HTML is not shown. Write Markdown, and <placeholders> in `code`.")
            case "hr":
                pass
            case _:
                self._text(plain_text.prose(node), line)

    def finish(self) -> None:
        """Look at what can only be seen at the end."""
        if not self._count:
            self._find(1, "There are no steps. Write them as “- [ ] Do this.”")
        if self._count > MAX_STEPS:
            self._find(1, f"There are {self._count} steps; at most {MAX_STEPS} can be followed.")

    def _find(self, line: int, sentence: str) -> None:
        self.findings.append(LineProblem(line, sentence))

    def _open(self, heading: str, line: int) -> None:
        number, dot, title = heading.partition(".")
        if not (dot and number.isascii() and number.isdigit() and len(number) <= 3 and title.strip()):
            self._find(line, "A section's heading is “## 1. Overview”: a number, a dot, a title.")
            number = str(self.sections[-1].number + 1 if self.sections else 1)
            title = heading
        elif self.sections and int(number) <= self.sections[-1].number:
            how = "stands here twice" if int(number) in self._numbers else "comes too late"
            self._find(line, f"Section {number} {how}: numbers have to rise.")
            number = str(self.sections[-1].number + 1)
        if len(title) > MAX_HEADING_CHARS:
            self._find(line, f"A section's title has at most {MAX_HEADING_CHARS} characters.")
        self._numbers.add(int(number))
        self.sections.append(Section(int(number), title.strip()))

    def _text(self, text: str, line: int) -> None:
        if not text:
            return
        if not self.sections:
            self._find(line, "Text before the first section is not shown. Move it under “## 1. Overview”.")
            return
        section = self.sections[-1]
        if section.steps:
            self._find(line, "Text after a step would be shown above it. Make it part of a step, or a step.")
            return
        whole = f"{section.text}\n\n{text}".strip()
        if shown_length(whole) > MAX_TEXT_CHARS >= shown_length(section.text):
            self._find(line, f"The text of a section has at most {MAX_TEXT_CHARS} characters.")
        self.sections[-1] = replace(section, text=whole)

    def _steps(self, node: SyntaxTreeNode) -> None:
        for item in node.children:
            line = _line(item)
            if not self.sections:
                self._find(line, "A step has to stand in a section: “## 1. Overview”.")
                return
            if not _is_task(item):
                self._find(line, "This stands between steps without “[ ]”, so nobody could tick it.")
                continue
            section = self.sections[-1]
            step = self._step(item, f"{section.number}.{len(section.steps) + 1}")
            self._count += 1
            self.lines[step.id] = line
            self.sections[-1] = replace(section, steps=(*section.steps, step))

    def _step(self, item: SyntaxTreeNode, name: str) -> Step:
        line = _line(item)
        paragraph, *rest = item.children
        pieces = list(paragraph.children[0].children)
        if paragraph.children[0].content[:3] != "[ ]":
            self._find(line, "A step of a runbook is not ticked yet: write “[ ]”.")
        tail = ""
        while pieces and pieces[-1].type in ("text", "softbreak"):
            last = pieces.pop()
            tail = (last.content if last.type == "text" else " ") + tail
        tail, found = step_marks.split(tail)
        meaning, wrong = step_marks.read(found, self._probes)
        for sentence in wrong:
            self._find(line, sentence)
        before = plain_text.inline(pieces)
        # inline() trims; the space between `code` and the words after it is part of the tail
        text = " ".join(f"{before}{tail}".split())
        text = text[3:].strip() if text[:1] == "[" else text
        if not text:
            self._find(line, "This step has no text.")
        if shown_length(text) > MAX_TEXT_CHARS:
            self._find(line, f"The sentence of a step has at most {MAX_TEXT_CHARS} characters.")
        plain = tail + "".join(piece.content for piece in pieces if piece.type == "text")
        if step_marks.misplaced(plain):
            self._find(line, "A mark stands inside the sentence. Marks stand at its end.")
        commands = tuple(self._command(node) for node in rest)
        return Step(name, text, tuple(filter(None, commands)), meaning.two_people, meaning.probe, meaning.target)

    def _command(self, node: SyntaxTreeNode) -> str:
        line = _line(node)
        if node.type not in ("fence", "code_block"):
            self._find(line, "A step is one paragraph and its code blocks. Make this a step of its own.")
            return ""
        command = node.content.strip("\n").rstrip()
        if not command:
            self._find(line, "This code block is empty.")
        if shown_length(command) > MAX_TEXT_CHARS:
            self._find(line, f"A code block has at most {MAX_TEXT_CHARS} characters. Put a script where it can run.")
        return command


def shown_length(text: str) -> int:
    """Characters that Slack counts: it counts &amp; for &."""
    return len(html.escape(text, quote=False))


def _is_task(item: SyntaxTreeNode) -> bool:
    if not item.children or item.children[0].type != "paragraph" or not item.children[0].children:
        return False
    start = item.children[0].children[0].content[:4]
    return start.lower() in ("[ ]", "[x]") or (start[:3].lower() in ("[ ]", "[x]") and start[3:4].isspace())


def _line(node: SyntaxTreeNode) -> int:
    """1-based. A node without a place of its own stands where its parent does."""
    while node.map is None and node.parent is not None:
        node = node.parent
    return node.map[0] + 1 if node.map else 1
