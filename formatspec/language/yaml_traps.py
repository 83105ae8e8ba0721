"""What YAML reads otherwise than it was meant, recognised by its shape and named: commas, `?` and `{` in
`{…}`, comments inside templates, tabs, and the characters that no unquoted text may begin with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec
import yaml

from formatspec.language.yaml_core import PLAIN

_CLOSED_QUOTES = re.compile(r"'[^']*'|\"[^\"]*\"")
_COMMENT = re.compile(r"\s+#\s*(.*)")


class Trap(msgspec.Struct, frozen=True):
    """Something read otherwise than it was meant, at the node where it shows."""

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
    """The runs of neighbours that were one text with parentheses before a comma split them."""
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
    """The text of an entry that may be a piece of an expression: its value, or its key where it has none."""
    return (key, _text(key)) if _is_missing(value) else (value, _text(value))


def mapping_traps(node: yaml.MappingNode) -> Iterator[Trap]:
    """The traps of a mapping in `{…}`; none elsewhere."""
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
    """The traps of a list in `[…]`; none elsewhere."""
    if node.flow_style:
        yield from (trap for _, trap in _split_at_commas([(item, _text(item)) for item in node.value]))


def scalar_traps(node: yaml.ScalarNode, lines: Sequence[str]) -> Iterator[Trap]:
    """The trap of a plain text that ` #` ends too early, in the lines of its source."""
    end = node.end_mark
    if not _is_plain(node) or node.value == "" or end.line >= len(lines):
        return
    found = _COMMENT.match(lines[end.line], end.column)
    if found is None:
        return
    unclosed = _balance(node.value, "{", "}") > 0 or _balance(node.value, "(", ")") > 0
    if unclosed or ("{" in node.value and found[1].startswith("{")):
        yield Trap(node, f"'{node.value}' ends where ' #' begins a comment", "quote the text: '#' is part of it")


_LINE_HINTS = (
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
    """What probably helps against a syntax error, judged by its message and the lines near it, or ""."""
    for pattern, hint in _LINE_HINTS:
        if any(pattern.search(line) for line in near):
            return hint
    return next((hint for part, hint in _MESSAGE_HINTS if part in message), "")
