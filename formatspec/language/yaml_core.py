"""YAML text to composed nodes and scalars by the core schema of YAML 1.2 (section 10.3).

At most 100 values nest, aliases followed; an alias inside the node that it names is refused.

What YAML reads otherwise than it was meant is recognised by its shape and named (`Trap`): commas, `?` and `{` in `{…}`,
comments inside templates, tabs, and the characters that no unquoted text may begin with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from formatspec.model.plain.core_scalars import core_scalar as core_scalar

if TYPE_CHECKING:
    from yaml import SafeLoader as _Loader
else:
    _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_DEPTH = 100
MAX_EXPANDED = 1_000_000

PLAIN, QUOTED, LIST, MAPPING = "plain", "quoted", "list", "mapping"
"""The tags of composed nodes. They are our own, so that an explicit tag in the text can be recognised."""

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

_REWORDED = {
    "second occurrence": "duplicate anchor",
    "but found another document": "another document begins here",
    "found character that cannot start any token": "no text begins with this character",
    "found unexpected end of stream": "the file ends inside a quoted text",
    "exceeded maximum nesting depth": f"nested more than {MAX_DEPTH} deep",  # newer parsers refuse it first
}


class YamlError(Exception):
    """A text is not valid YAML: a message, line and column (from 1), and what was expected."""

    def __init__(self, message: str, line: int, column: int, expected: str = "", begun: int = 0) -> None:
        """Take the message and the place; see the class."""
        super().__init__(message, line, column, expected, begun)
        self.message = message
        self.line = line
        self.column = column
        self.expected = expected
        self.begun = begun
        """The line where the unfinished construct began; 0 if YAML does not say."""


def fault_at(node: yaml.Node, message: str, expected: str = "") -> YamlError:
    """Return a fault at the beginning of a composed node."""
    return YamlError(message, node.start_mark.line + 1, node.start_mark.column + 1, expected)


def scalar_of(node: yaml.ScalarNode) -> str | int | float | bool | None:
    """Return the value of a composed scalar. Raises YamlError for a number that is too long."""
    raw: str = node.value
    if node.tag != PLAIN:
        return raw
    try:
        return core_scalar(raw)
    except ValueError as error:
        raise fault_at(node, str(error)) from None


class _CoreLoader(_Loader):
    # The composer in C overflows its stack on deep nesting. These hooks are the only calls that it makes meanwhile.

    def __init__(self, stream: str | bytes) -> None:
        super().__init__(stream)
        self._nested = 0

    def descend_resolver(self, parent: yaml.Node | None, index: object) -> None:
        self._nested += 1
        if self._nested > MAX_DEPTH and parent is not None:
            raise fault_at(parent, f"nested more than {MAX_DEPTH} deep")

    def ascend_resolver(self) -> None:
        self._nested -= 1

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            return PLAIN if implicit[0] else QUOTED
        return LIST if kind is yaml.SequenceNode else MAPPING


def compose(source: str | bytes) -> yaml.Node | None:
    """Return the document of a source as nodes, None if there is none. Raises YamlError, and nothing else."""
    try:
        loader = _CoreLoader(source)
        try:
            root: yaml.Node | None = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _syntax_fault(error) from None
    except yaml.reader.ReaderError as error:
        raise _reader_fault(error, source) from None
    except UnicodeError as error:
        raise YamlError("not valid Unicode", *_position(source[: getattr(error, "start", 0)])) from None
    if root is not None and (b"&" in source if isinstance(source, bytes) else "&" in source):  # no anchor, no alias
        _check_shape(root)
    return root


def _syntax_fault(error: yaml.MarkedYAMLError) -> YamlError:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    begun = error.context_mark.line + 1 if error.context_mark else 0
    message = _REWORDED.get(str(error.problem), str(error.problem or error.context or "not YAML"))
    parsing = error.context if error.context and error.context.startswith("while parsing") else ""
    around = f" {parsing}" if parsing else ""
    if around and 0 < begun < line:
        around += f" that begins on line {begun}"
    expected = ""
    if message.startswith("did not find expected "):
        message, expected = "not YAML", message.removeprefix("did not find expected ")
    return YamlError(f"{message}{around}", line, column, expected, begun)


def _reader_fault(error: yaml.reader.ReaderError, source: str | bytes) -> YamlError:
    # libyaml counts bytes of the encoded text; the reader in Python counts characters.
    in_bytes = hasattr(yaml, "CSafeLoader") and isinstance(source, str)
    counted = source.encode() if in_bytes and isinstance(source, str) else source
    code = f" (0x{error.character:02x})" if isinstance(error.character, int) else ""
    return YamlError(f"{error.reason}{code}", *_position(counted[: error.position]))


def _position(before: str | bytes) -> tuple[int, int]:
    lines = LINE_BREAK.split(before if isinstance(before, str) else before.decode("utf-8", "replace"))
    return len(lines), len(lines[-1]) + 1


def children(node: yaml.Node) -> Iterable[yaml.Node]:
    """Yield the items of a list, or the keys and values of a mapping in turn; nothing for a scalar."""
    if isinstance(node, yaml.MappingNode):
        return (part for entry in node.value for part in entry)
    return node.value if isinstance(node, yaml.SequenceNode) else ()


def _check_shape(root: yaml.Node) -> None:
    """Refuse what aliases make endless, too deep, or too large to walk through.

    A node is visited once, however many aliases name it, so this costs time in proportion to the text.
    """
    shapes: dict[int, tuple[int, int]] = {}  # for each node its depth, and its size with aliases expanded
    unfinished: set[int] = set()

    def visit(node: yaml.Node) -> tuple[int, int]:
        key = id(node)
        if key in shapes:
            return shapes[key]
        if key in unfinished:
            raise fault_at(node, "an alias stands inside the node that it names")
        unfinished.add(key)
        below = [visit(child) for child in children(node)]
        unfinished.discard(key)
        height = 1 + max((shape[0] for shape in below), default=0)
        if height > MAX_DEPTH:
            raise fault_at(node, f"nested more than {MAX_DEPTH} deep, its aliases followed")
        shapes[key] = height, 1 + sum(shape[1] for shape in below)
        return shapes[key]

    size = visit(root)[1]
    if size > MAX_EXPANDED and size > 10 * len(shapes):
        raise fault_at(root, f"its aliases expand to more than {MAX_EXPANDED} values")


_CLOSED_QUOTES = re.compile(r"'[^']*'|\"[^\"]*\"")
_COMMENT = re.compile(r"\s+#\s*(.*)")


class Trap(msgspec.Struct, frozen=True):
    """A text that YAML reads differently than it was meant, at the node where this shows."""

    node: yaml.Node
    message: str
    hint: str


def _balance(text: str, opening: str, closing: str) -> int:
    bare = _CLOSED_QUOTES.sub("", text)
    return bare.count(opening) - bare.count(closing)


def _is_plain(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == PLAIN and not node.style


def _is_missing(node: yaml.Node) -> bool:
    return _is_plain(node) and node.value == ""


def _double_quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(node: yaml.Node) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else "…"


def _split_at_commas(texts: Sequence[tuple[yaml.Node, str]]) -> Iterator[tuple[range, Trap]]:
    """Yield the runs of neighbours that were one text with parentheses before a comma split them."""
    start = 0
    while start < len(texts):
        node, whole = texts[start]
        end = start + 1
        if _is_plain(node) and (missing := _balance(whole, "(", ")")):
            while missing > 0 and end < len(texts):
                whole = f"{whole}, {texts[end][1]}"
                missing = _balance(whole, "(", ")")
                end += 1
            message = f"a comma splits an expression at '{texts[start][1]}'"
            if missing:
                message = f"a parenthesis has no other in '{texts[start][1]}'"
            yield range(start, end), Trap(node, message, f"quote it: {_double_quoted(whole)}")
        start = end


def _entry(key: yaml.Node, value: yaml.Node) -> tuple[yaml.Node, str]:
    """Return the text of an entry that may be a piece of an expression: its value, or its key if it has none."""
    return (key, _text(key)) if _is_missing(value) else (value, _text(value))


def mapping_traps(node: yaml.MappingNode) -> Iterator[Trap]:
    """Yield the traps of a mapping in `{…}`; none in other mappings."""
    if not node.flow_style:
        return
    entries: list[tuple[yaml.Node, yaml.Node]] = node.value
    split: set[int] = set()
    for run, trap in _split_at_commas([_entry(key, value) for key, value in entries]):
        split.update(run)
        yield trap
    for place, (key, value) in enumerate(entries):
        if _is_missing(value) and place not in split:
            yield _valueless(node, key)
        elif _is_plain(key) and key.value.endswith("?"):
            yield Trap(key, f"'{key.value}' stands unquoted in {{…}}", f'quote the key: "{key.value}"')


def _valueless(node: yaml.MappingNode, key: yaml.Node) -> Trap:
    text = f"{{{_text(key)}}}"
    if len(node.value) == 1:
        return Trap(node, f"{text} is read as a mapping", f"a text that begins with '{{' is quoted: '{text}'")
    hint = "in {…} a comma ends a value: quote the text that holds it, or give the key a value"
    return Trap(key, f"'{_text(key)}' has no value", hint)


def sequence_traps(node: yaml.SequenceNode) -> Iterator[Trap]:
    """Yield the traps of a list in `[…]`; none in other lists."""
    if node.flow_style:
        yield from (trap for _, trap in _split_at_commas([(item, _text(item)) for item in node.value]))


def scalar_traps(node: yaml.ScalarNode, lines: Sequence[str]) -> Iterator[Trap]:
    """Yield the trap of a plain text that ` #` ends too early in its source, or that has curly quotes."""
    end = node.end_mark
    if _is_plain(node) and node.value[:1] in _CURLY and node.value:
        quoted = _double_quoted(node.value.strip("".join(_CURLY)))
        yield Trap(node, f"{node.value[0]} is no quote of YAML, and would be part of the text", f"write {quoted}")
        return
    if not _is_plain(node) or node.value == "" or end.line >= len(lines):
        return
    found = _COMMENT.match(lines[end.line], end.column)
    if found is None:
        return
    unclosed = _balance(node.value, "{", "}") > 0 or _balance(node.value, "(", ")") > 0
    if unclosed or ("{" in node.value and found[1].startswith("{")):
        yield Trap(node, f"'{node.value}' ends where ' #' begins a comment", "quote the text: '#' is part of it")


_CURLY = ("\u201c", "\u201d", "\u201e", "\u2018", "\u2019", "\u00ab", "\u00bb")
"""Quotes as word processors type them."""
_OPEN_QUOTE = re.compile(r'^\s*(?:- +)*(?:[^"\'#]*[:{,\[-] +)?"(?:[^"\\]|\\.)*$')


def open_quote(lines: Sequence[str], line: int) -> str:
    """Return a hint if a double quote opens above the line of a syntax error and is not closed on its own line."""
    at = next((at for at, text in enumerate(lines[: line - 1], 1) if _OPEN_QUOTE.match(text)), None)
    return f"the quote that opens on line {at} is not closed there: {lines[at - 1].strip()[:60]}" if at else ""


_LINE_HINTS = (
    (
        re.compile(r":\s+\|\s*[a-z_]"),
        "a leaf begins with a slot, and codecs stand behind it: `bbox | xywh`",
    ),
    (re.compile(r"^ *\t"), "indent with spaces: YAML allows no tabs there"),
    (
        re.compile(r"[{,]\s*[^\s\"',{}\[\]:?]+\?\s*:"),
        "in {…} a key that ends with '?' is quoted: {\"key?\": …}",
    ),
    (re.compile(r"(?:^\s*|[:,-]\s+)\*(?:\s*:|\s|$)"), 'the key * is quoted: "*"'),
    (re.compile(r"(?:^\s*|[:,{-]\s*)[@`%]"), 'a text that begins with @, ` or % is quoted, as in "@"'),
    (
        re.compile(r"(?:^|[:-])\s+\{[^{}]*\}\s*[^\s,}\]#:]"),
        "a text that begins with '{' is quoted: '{name}.txt'",
    ),
    (
        re.compile(r"[{\[][^()]*\([^()]*,|[{\[].*[\w\])]\["),
        "in {…} and […] a comma or bracket ends a text: quote the expression",
    ),
)
_MESSAGE_HINTS = (
    ("unknown escape character", r"between double quotes `\` begins an escape; paths are written with `/`"),
    ("undefined alias", "'*' begins an alias: quote a text that starts with it"),
    ("anchor", "'&' begins an anchor, and its name is given once"),
    (
        "mapping values are not allowed",
        "quote a text that holds ': ', and indent the keys of one mapping alike",
    ),
    ("quoted text", "close the quote; in {…} an expression that holds quotes is quoted as a whole"),
    ("another document", "a file holds one document: remove the '---'"),
)


def hint_for(message: str, near: Sequence[str]) -> str:
    """Return what probably helps against a syntax error, by its message and the lines near it; "" if unknown."""
    for pattern, hint in _LINE_HINTS:
        if any(pattern.search(line) for line in near):
            return hint
    return next((hint for part, hint in _MESSAGE_HINTS if part in message), "")
