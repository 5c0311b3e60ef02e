"""Texts with blanks, from files: comms_templates/<audience>/<name>/<stage>.j2, YAML front matter and a Jinja2 body.

A body may print slots and fields of the incident, compare them, and leave out sentences; nothing else. That is
checked when the file is loaded, on Jinja's syntax tree, and once more by Jinja's sandbox when it is filled. Values
are data: they are never read as templates.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2 import Template as Compiled
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.comms.slots import KINDS, read
from bot.domain.customer_template import Slot, Template
from bot.domain.errors import Refused

AUDIENCES: tuple[str, ...] = ("customers", "status-page", "internal")
STAGES: tuple[str, ...] = ("investigating", "identified", "monitoring", "resolved")
#: fields of the incident that a body may print, by audience: a title is written in haste and for colleagues
INCIDENT_FIELDS: dict[str, frozenset[str]] = {
    "customers": frozenset({"ref"}),
    "status-page": frozenset({"ref"}),
    "internal": frozenset({"ref", "title", "severity", "status", "lead", "channel"}),
}
MAX_TEMPLATE_CHARS = 20_000
MAX_OUTPUT_CHARS = 50_000
#: of a front matter; the time that PyYAML takes grows with the square of how deep they stand in each other
MAX_NESTING = 300
_FILTERS = frozenset({"lower", "upper", "capitalize", "trim"})
_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.CondExpr, nodes.Compare,
    nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Filter, nodes.Getattr, nodes.List, nodes.Tuple,
)  # fmt: skip
_SLOT_KEYS = frozenset({"name", "label", "kind", "required", "hint", "choices", "max_length"})
_HEAD_KEYS = frozenset({"title", "slots"})


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        raise SecurityError("arithmetic is not part of a template")


def _environment() -> _Environment:
    environment = _Environment(  # plain text, never HTML: nothing to escape
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
    )
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in _FILTERS}
    environment.tests = {}
    return environment


class _Malformed(Exception):
    """A file that cannot serve: the line, and a sentence for its author."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line
        self.sentence = sentence


@dataclass(frozen=True)
class Library:
    """All templates that could be read, and "path:line: sentence" for every file that could not."""

    templates: tuple[Template, ...]
    problems: tuple[str, ...]
    _bodies: Mapping[Template, Compiled] = field(default_factory=dict, repr=False, compare=False)

    def names(self) -> list[str]:
        """The names, sorted."""
        return sorted({template.name for template in self.templates})

    def find(self, name: str, audience: str | None = None, stage: str | None = None) -> tuple[Template, ...]:
        """The templates of a name, of one audience and stage if given; in the order of audiences and stages."""
        return tuple(
            template
            for template in self.templates
            if template.name == name and audience in (None, template.audience) and stage in (None, template.stage)
        )

    def stages(self, name: str, audience: str) -> list[str]:
        """The stages that a name has a text for, in order."""
        return [template.stage for template in self.find(name, audience)]

    def nearest(self, word: str) -> list[str]:
        """Up to three names that are spelled like the word, or begin with it."""
        begin = [name for name in self.names() if word and name.startswith(word.lower())]
        return list(dict.fromkeys([*begin, *difflib.get_close_matches(word.lower(), self.names(), 3, 0.5)]))[:3]

    def read(self, template: Template, values: Mapping[str, str]) -> dict[str, str]:
        """Every slot's value as it will read. Refused, with field = the slot's name, at the first that does not fit."""
        known = {slot.name for slot in template.slots}
        for name in values:
            if name not in known:
                raise Refused("This template has no such blank.", field=name)
        return {slot.name: read(slot, values.get(slot.name, "")) for slot in template.slots}

    def fill(self, template: Template, values: Mapping[str, str], incident: Mapping[str, str]) -> str:
        """The text with its blanks filled in. Not scrubbed: see preview.

        Raises Refused for a missing or ill-typed value (field = the slot's name) and for a text that is too long.
        """
        return self.render(template, self.read(template, values), incident)

    def render(self, template: Template, said: Mapping[str, str], incident: Mapping[str, str]) -> str:
        """Like fill, with values that were read (and perhaps scrubbed) before."""
        fields = {key: str(incident[key]) for key in INCIDENT_FIELDS[template.audience] if key in incident}
        parts: list[str] = []
        length = 0
        try:
            for part in self._bodies[template].generate({**said, "incident": fields}):
                parts.append(part)
                length += len(part)
                if length > MAX_OUTPUT_CHARS:
                    raise Refused(f"The text is longer than {MAX_OUTPUT_CHARS:,} characters.")
        except TemplateError:
            # the message of the error may quote a value
            raise Refused(f"The template {template.name} could not be filled in for this incident.") from None
        # a sentence that was left out leaves no gap behind
        return re.sub(r"\n{3,}", "\n\n", "".join(parts)).strip()


def load(root: Path) -> Library:
    """Every template below `root`. Files that cannot serve become problems; the others serve."""
    environment = _environment()
    bodies: dict[Template, Compiled] = {}
    problems: list[str] = []
    for path in sorted(root.rglob("*.j2")):
        place = path.relative_to(root)
        try:
            template, body = _parse(environment, place, _source(path, root))
        except _Malformed as malformed:
            problems.append(f"{place.as_posix()}:{malformed.line}: {malformed.sentence}")
        else:
            bodies[template] = body
    if not root.is_dir():
        problems.append(f"{root.name}:1: There is no such folder.")
    ordered = sorted(bodies, key=lambda one: (one.name, AUDIENCES.index(one.audience), STAGES.index(one.stage)))
    return Library(tuple(ordered), tuple(problems), bodies)


def _source(path: Path, root: Path) -> str:
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(root.resolve()):
            raise _Malformed(1, "This link leads out of the folder, so it is not followed.")
        # asked before opening: opening a named pipe would wait for ever
        about = real.stat()
        if not stat.S_ISREG(about.st_mode):
            raise _Malformed(1, "This is not a file.")
        if about.st_size > MAX_TEMPLATE_CHARS:
            raise _Malformed(1, f"The file is larger than {MAX_TEMPLATE_CHARS:,} bytes.")
        return real.read_text(encoding="utf-8")
    except (OSError, RuntimeError, UnicodeDecodeError):  # RuntimeError: a loop of symbolic links
        raise _Malformed(1, "The file cannot be read as UTF-8.") from None


def _parse(environment: _Environment, place: Path, source: str) -> tuple[Template, Compiled]:
    if len(place.parts) != 3:
        raise _Malformed(1, "Templates live in <audience>/<name>/<stage>.j2.")
    audience, name, stage = place.parts[0], place.parts[1], place.stem
    if audience not in AUDIENCES:
        raise _Malformed(1, f"The audience is one of: {', '.join(AUDIENCES)}.")
    if stage not in STAGES:
        raise _Malformed(1, f"The stage is one of: {', '.join(STAGES)}.")
    head, body, first = _split(source)
    title, slots = _head(head)
    compiled = _body(environment, body, first, {slot.name for slot in slots}, audience)
    revision = hashlib.sha256(source.encode()).hexdigest()[:12]
    return Template(name, audience, stage, title, slots, revision), compiled


def _split(source: str) -> tuple[str, str, int]:
    """Front matter, body, and the body's first line number."""
    lines = source.splitlines(keepends=True)
    if not lines or lines[0].strip() != "---":
        raise _Malformed(1, "The file begins with a line of three dashes, the title and the slots.")
    for number, line in enumerate(lines[1:], 1):
        if line.strip() == "---":
            return "".join(lines[1:number]), "".join(lines[number + 1 :]), number + 2
    raise _Malformed(1, "The front matter is not closed by a line of three dashes.")


def _head(source: str) -> tuple[str, tuple[Slot, ...]]:
    if source.count("[") + source.count("{") > MAX_NESTING:
        raise _Malformed(2, f"The front matter has more than {MAX_NESTING} brackets.")
    try:
        node = yaml.compose(source, Loader=yaml.SafeLoader)
        head = yaml.safe_load(source)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _Malformed((mark.line if mark else 0) + 2, "The front matter is not YAML.") from None
    except (ValueError, RecursionError, OverflowError):
        # what looks like a date or a number and is none; thousands of brackets inside each other
        raise _Malformed(2, "The front matter is not YAML that can be read.") from None
    if not isinstance(head, dict) or not isinstance(node, yaml.MappingNode):
        raise _Malformed(2, "The front matter has a title and slots.")
    lines = {key.value: value.start_mark.line + 2 for key, value in node.value}
    for key in head:
        if key not in _HEAD_KEYS:
            raise _Malformed(lines.get(str(key), 2), f"'{key}' is not known here; title and slots are.")
    title = head.get("title")
    if not isinstance(title, str) or not title.strip():
        raise _Malformed(lines.get("title", 2), "The title is missing.")
    slots = head.get("slots") or []
    if not isinstance(slots, list):
        raise _Malformed(lines["slots"], "Slots are a list.")
    value = next((value for key, value in node.value if key.value == "slots"), None)
    marks = [item.start_mark.line + 2 for item in value.value] if isinstance(value, yaml.SequenceNode) else []
    read_slots = tuple(_slot(slot, line) for slot, line in zip(slots, marks, strict=True))
    for place, slot in enumerate(read_slots):
        if slot.name in {other.name for other in read_slots[:place]}:
            raise _Malformed(marks[place], f"The slot '{slot.name}' is there twice.")
    return title.strip(), read_slots


def _slot(slot: object, line: int) -> Slot:
    if not isinstance(slot, dict) or not all(isinstance(slot.get(key), str) for key in ("name", "label", "kind")):
        raise _Malformed(line, "A slot has a name, a label and a kind.")
    unknown = sorted(str(key) for key in slot if key not in _SLOT_KEYS)
    if unknown:
        raise _Malformed(line, f"A slot has no '{unknown[0]}'.")
    name, kind, choices = slot["name"], slot["kind"], slot.get("choices", [])
    if not name.isidentifier() or name.startswith("_") or name == "incident":
        raise _Malformed(line, "A slot's name is one plain word, and not 'incident'.")
    if kind not in KINDS:
        raise _Malformed(line, f"The kind is one of: {', '.join(KINDS)}.")
    if not isinstance(choices, list) or not all(isinstance(choice, str) and choice for choice in choices):
        raise _Malformed(line, "Choices are a list of texts.")
    if kind == "choice" and len(choices) < 2:
        raise _Malformed(line, "A choice needs two choices at least.")
    required, length = slot.get("required", True), slot.get("max_length", 280)
    if not isinstance(required, bool):
        raise _Malformed(line, "'required' is true or false.")
    if not isinstance(length, int) or not 1 <= length <= 1000:
        raise _Malformed(line, "'max_length' is a number from 1 to 1000.")
    return Slot(name, slot["label"], kind, required, str(slot.get("hint", "")), tuple(choices), length)


def _body(environment: _Environment, body: str, first: int, slots: Iterable[str], audience: str) -> Compiled:
    try:
        tree = environment.parse(body)
        _check(tree, first, frozenset(slots), INCIDENT_FIELDS[audience])
        compiled = environment.from_string(tree)
    except TemplateError as error:
        line = getattr(error, "lineno", None) or 1
        raise _Malformed(first + line - 1, "The text is not a template that can be read.") from None
    except (RecursionError, MemoryError, SyntaxError):  # the last two are what Python's own compiler says
        raise _Malformed(first, "The text is nested too deeply.") from None
    if not body.strip():
        raise _Malformed(first, "There is no text.")
    return compiled


def _check(node: nodes.Node, first: int, slots: frozenset[str], fields: frozenset[str]) -> None:
    """Only what a template needs: see the module's docstring."""
    line = first + (node.lineno or 1) - 1
    if not isinstance(node, _NODES):
        raise _Malformed(line, f"A template prints blanks and chooses sentences; '{type(node).__name__}' is more.")
    if isinstance(node, nodes.Getattr):
        if not (isinstance(node.node, nodes.Name) and node.node.name == "incident"):
            raise _Malformed(line, "Only the incident has fields.")
        if node.attr not in fields:
            raise _Malformed(line, f"The incident has no '{node.attr}' here; it has: {', '.join(sorted(fields))}.")
        return
    if isinstance(node, nodes.Name) and (node.name not in slots or node.ctx != "load"):
        raise _Malformed(line, f"'{node.name}' is not among the slots.")
    if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
        raise _Malformed(line, f"The filter '{node.name}' is not offered; these are: {', '.join(sorted(_FILTERS))}.")
    for child in node.iter_child_nodes():
        _check(child, first, slots, fields)
