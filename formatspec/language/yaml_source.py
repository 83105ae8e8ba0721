"""YAML files read by the rules of YAML 1.2: specs with every value's place, data files plain and fast.

Explicit tags, merge keys and duplicate keys are refused, with line and column. Scalars follow `yaml_core`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import yaml

from formatspec.language.errors import Place, Problem, SpecError
from formatspec.language.words.indentation import indentation_fault
from formatspec.language.yaml_core import (
    LINE_BREAK,
    LIST,
    MAPPING,
    PLAIN,
    QUOTED,
    YamlError,
    compose,
    fault_at,
    hint_for,
    mapping_traps,
    open_quote,
    scalar_of,
    scalar_traps,
    sequence_traps,
)

_LOOKED_AT = 300
"""How many characters of a line hints look at, so that hostile lines cost little."""

_TAGS = frozenset({PLAIN, QUOTED, LIST, MAPPING})


class Node(msgspec.Struct, frozen=True, eq=False):
    """A value of a spec and the place where it begins (a quoted text at its quote).

    `value` is a dict[str, Node] in the order of the file, a list[Node], or a str, int, float, bool or None. A scalar
    has its own text in `raw`; `quoted` is true if it can only be text. A mapping has the places of its keys in `keys`.
    An alias is the same Node as the one that it names.
    """

    value: Any
    place: Place
    raw: str = ""
    quoted: bool = False
    keys: Mapping[str, Place] = msgspec.field(default_factory=dict)


def load(text: str, file: str) -> Node:
    """The document of a spec; an empty one is null. `file` is what places call it. Keys are text as written.

    Raises SpecError with all problems, in the order of the file: what is not YAML, what a spec may not use
    (tags, merge keys, duplicate keys), and what YAML reads otherwise than it was meant (`yaml_core.Trap`).
    """
    lines = LINE_BREAK.split(text.removeprefix("\ufeff"))
    try:
        root = compose(text)
    except YamlError as fault:
        near = [lines[at - 1][:_LOOKED_AT] for at in (fault.line, fault.line - 1, fault.begun) if 0 < at <= len(lines)]
        place = Place(file, fault.line, fault.column)
        seen = indentation_fault(fault.message, lines, fault.line, fault.column)
        if seen is not None:
            raise SpecError([Problem(f"not YAML: {seen[0]}", place, hint=seen[1])]) from None
        hint = open_quote(lines, fault.line) or hint_for(fault.message, near)
        raise SpecError([Problem(fault.message, place, fault.expected, hint)]) from None
    if root is None:
        return Node(None, Place(file, 1, 1))
    reader = _Reader(file, lines)
    node = reader.read(root)
    if reader.problems:
        raise SpecError(sorted(reader.problems, key=lambda problem: problem.place or node.place))
    return node


class _Reader:
    """Converts composed nodes to Nodes, each once; problems are gathered instead of stopping at the first."""

    def __init__(self, file: str, lines: Sequence[str]) -> None:
        self._file = file
        self._lines = lines
        self._done: dict[int, Node] = {}
        self.problems: list[Problem] = []

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _refuse(self, node: yaml.Node, message: str, expected: str = "", hint: str = "") -> None:
        self.problems.append(Problem(message, self._place(node), expected, hint))

    def read(self, node: yaml.Node) -> Node:
        known = self._done.get(id(node))
        if known is not None:
            return known
        if node.tag not in _TAGS:
            self._refuse(node, f"the tag {_shown_tag(node.tag)} is not allowed", hint=_tag_hint(node))
        if isinstance(node, yaml.MappingNode):
            read = self._mapping(node)
            traps = mapping_traps(node)
        elif isinstance(node, yaml.SequenceNode):
            read = Node([self.read(item) for item in node.value], self._place(node))
            traps = sequence_traps(node)
        else:
            assert isinstance(node, yaml.ScalarNode)
            read = self._scalar(node)
            traps = scalar_traps(node, self._lines)
        for trap in traps:
            self._refuse(trap.node, trap.message, hint=trap.hint)
        self._done[id(node)] = read
        return read

    def _scalar(self, node: yaml.ScalarNode) -> Node:
        try:
            value = scalar_of(node)
        except YamlError as fault:
            self._refuse(node, fault.message)
            value = None
        return Node(value, self._place(node), node.value, node.tag != PLAIN)

    def _mapping(self, node: yaml.MappingNode) -> Node:
        entries: dict[str, Node] = {}
        places: dict[str, Place] = {}
        for key, value in node.value:
            read = self.read(value)
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(key, "a key is a list or mapping", "text", "quote a key that begins with '{' or '['")
                continue
            if key.tag not in _TAGS:
                self._refuse(key, f"the tag {_shown_tag(key.tag)} is not allowed", hint=_tag_hint(key))
            name: str = key.value
            if _is_merge(key):
                self._refuse(key, "'<<' is not YAML 1.2", hint="write the keys out, or use `extends` or `like`")
            elif name in entries:
                self._refuse(key, f"duplicate key '{name}'", hint=f"it is first on line {places[name].line}")
            else:
                entries[name] = read
                places[name] = self._place(key)
        return Node(entries, self._place(node), keys=places)


def _is_merge(key: yaml.ScalarNode) -> bool:
    return key.tag == PLAIN and key.value == "<<"


def _shown_tag(tag: str) -> str:
    standard = "tag:yaml.org,2002:"
    return f"!!{tag.removeprefix(standard)}" if tag.startswith(standard) else tag


def _tag_hint(node: yaml.Node) -> str:
    is_text = _shown_tag(node.tag) == "!!str"
    return "quote the text" if is_text else "a text that begins with '!' is quoted"


def to_plain(node: Node) -> Any:
    """The values alone: dict, list and scalars. What an alias names is one object wherever it stands."""
    done: dict[int, Any] = {}

    def plain(part: Node) -> Any:
        if id(part) in done:
            return done[id(part)]
        value = part.value
        if isinstance(value, dict):
            value = {key: plain(item) for key, item in value.items()}
        elif isinstance(value, list):
            value = [plain(item) for item in value]
        done[id(part)] = value
        return value

    return plain(node)


def load_plain_12(data: bytes | str) -> object:
    """The document of a data file: dict (keys of any scalar type), list and scalars; an empty one is None.

    Bytes are UTF-8, or UTF-16 with a byte order mark. Raises ValueError, which begins with its place.
    """
    try:
        root = compose(data)
        return None if root is None else _plain(root, {})
    except YamlError as fault:
        expected = f"; expected {fault.expected}" if fault.expected else ""
        raise ValueError(f"line {fault.line}, column {fault.column}: {fault.message}{expected}") from None


def _plain(node: yaml.Node, done: dict[int, object]) -> object:
    tag = node.tag
    if tag in (PLAIN, QUOTED):
        assert isinstance(node, yaml.ScalarNode)
        return scalar_of(node)
    if id(node) in done:
        return done[id(node)]
    value: object
    if tag == LIST:
        value = [_plain(item, done) for item in node.value]
    elif tag == MAPPING:
        value = dict(_plain_entries(node, done))
    else:
        raise fault_at(node, f"the tag {_shown_tag(tag)} is not allowed")
    done[id(node)] = value
    return value


def _plain_entries(node: yaml.Node, done: dict[int, object]) -> Iterator[tuple[object, object]]:
    lines: dict[object, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise fault_at(key, "a key is a list or mapping")
        if _is_merge(key):
            raise fault_at(key, "'<<' is not YAML 1.2")
        name = _plain(key, done)
        if name in lines:
            raise fault_at(key, f"duplicate key {name!r}, first on line {lines[name]}")
        lines[name] = key.start_mark.line + 1
        yield name, _plain(value, done)
