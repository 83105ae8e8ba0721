"""Turns the parts of a template into a regular expression whose cost is known.

Matching backtracks, so the worst case of a template is a power of the text's length: one factor for every place where a
field could end at several positions. `degree` counts them. `sealed` blocks (the text between two slashes, if no field
there can contain a slash) are atomic groups and do not multiply.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from formatspec.paths.templates.finite import TOKEN, goes_on
from formatspec.paths.templates.syntax import TemplateField

_WIDE = 64


class Var(msgspec.Struct, frozen=True):
    """A field at its place in a template.

    Attributes:
        field: The field.
        group: The number of its group in the regular expression, from 1.
        again: Whether the field repeats the text of its group, which an earlier field captured.
        before: Literal text before it that is absent together with an optional field.
        after: Literal text after it, in the same way.
    """

    field: TemplateField
    group: int
    again: bool = False
    before: str = ""
    after: str = ""


Piece = str | Var


class _Block(msgspec.Struct, frozen=True):
    items: tuple[Piece, ...]
    cuts: tuple[bool, ...]  # for each item, whether it could end at several positions with the rest still matching
    sealed: bool


def pieces_of(parts: Sequence[str | TemplateField]) -> tuple[Piece, ...]:
    """Merge neighbouring literals, number the groups, and give optional fields their separators.

    An optional field takes the slash after it. Without one, it takes the blank before it, or else the blank or the
    dashes after it. At the end of the text, where only optional fields follow, it also takes the comma or other
    separator before it.
    """
    merged: list[str | TemplateField] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    pieces: list[Piece] = []
    groups: dict[tuple[str, str, bool], int] = {}
    taken = 0  # characters of the next literal that belong to the optional field before it
    for i, part in enumerate(merged):
        if isinstance(part, str):
            if part[taken:]:
                pieces.append(part[taken:])
            taken = 0
            continue
        before = after = ""
        if part.optional:
            coming = merged[i + 1] if i + 1 < len(merged) else ""
            follower = coming[:1] if isinstance(coming, str) else ""
            previous = pieces[-1] if pieces else ""
            if follower == "/":
                after = "/"
            elif isinstance(previous, str) and (separator := _separator(previous)) and _ends_optional(merged[i + 1 :]):
                before = separator
                pieces[-1:] = [previous.removesuffix(separator)] if previous != separator else []
            elif isinstance(previous, str) and previous[-1:] in {" ", "\t"}:
                before = previous[-1]
                pieces[-1:] = [previous[:-1]] if previous[:-1] else []
            elif follower in {" ", "\t"}:
                after = follower
            elif follower == "-" and isinstance(coming, str):
                after = coming[: len(coming) - len(coming.lstrip("-"))]
            taken = len(after)
        key = (part.name, part.pattern, part.optional)
        again = key in groups
        group = groups.setdefault(key, len(groups) + 1)
        pieces.append(Var(part, group, again, before, after))
    return tuple(pieces)


_SEPARATOR = re.compile(r"[ \t]*[,;|][ \t]*\Z")


def _separator(text: str) -> str:
    """Return the separator at the end of a literal text, if it is more than blanks; otherwise an empty text."""
    found = _SEPARATOR.search(text)
    return found[0] if found else ""


def _ends_optional(rest: Sequence[str | TemplateField]) -> bool:
    """Return whether only optional fields with separators before them follow."""
    return all(part.optional if isinstance(part, TemplateField) else _SEPARATOR.fullmatch(part) for part in rest)


def source(pieces: Sequence[Piece], *, lazy: bool = False) -> str:
    """Return the regular expression of the whole template, for a full match.

    With `lazy`, every choice is made in the opposite order.
    """
    text = []
    for block in _blocks(pieces if lazy else _held(pieces)):
        body = "".join(piece_source(item, lazy=lazy) for item in block.items)
        text.append(f"(?>{body})" if block.sealed else body)
    return "".join(text)


_HELD = {r"[^/]+": r"[^/]++", r"[^/]+(?:/[^/]+)*": r"[^/]++(?:/[^/]++)*"}
"""Patterns of whole segments, each with its possessive form."""


def _held(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return the pieces with possessive fields where a slash must follow a whole segment."""
    following = [
        piece.after if isinstance(piece, Var) and piece.after else then for piece, then in pairwise((*pieces, ""))
    ]
    return tuple(
        replace(piece, field=replace(piece.field, pattern=_HELD[piece.field.pattern]))
        if isinstance(piece, Var) and piece.field.pattern in _HELD and isinstance(then, str) and then[:1] == "/"
        else piece
        for piece, then in zip(pieces, following, strict=True)
    )


def piece_source(piece: Piece, *, lazy: bool = False) -> str:
    """Return the regular expression of one piece."""
    if isinstance(piece, str):
        return re.escape(piece)
    before, after = re.escape(piece.before), re.escape(piece.after)
    if piece.again:
        if piece.field.optional:
            return rf"(?({piece.group}){before}(?:\{piece.group}){after}|)"
        return rf"(?:\{piece.group})"
    body = f"({reversed_order(piece.field.pattern) if lazy else piece.field.pattern})"
    if piece.field.optional:
        return f"(?:{before}{body}{after})?{'?' if lazy else ''}"
    return body


def degree(pieces: Sequence[Piece]) -> int:
    """Return the power of the text's length that bounds the cost of a match."""
    worst, carried = 1, 0
    crossings = [i for i, piece in enumerate(pieces) if isinstance(piece, Var) and crosses(piece)]
    last_crossing = pieces[crossings[-1]] if crossings else None
    for block in _blocks(pieces):
        cuts, tail = 0, 0
        for item, cut in zip(block.items, block.cuts, strict=True):
            if isinstance(item, str) or not (item.again or unbounded(item.field.pattern)):
                continue
            # After the last field that can contain a slash, each of its ends leaves only one folder's name to search
            # before the next slash: these costs are added, not multiplied.
            if cut and not (item is last_crossing and _ends_block(item, block)):
                cuts, tail = cuts + 1, 0
            else:
                tail = 1
        worst = max(worst, carried + cuts + tail)
        if not block.sealed:
            carried += cuts
    return worst


def _ends_block(var: Var, block: _Block) -> bool:
    return var is block.items[-1] or (block.items[-1] == "/" and var is block.items[-2])


def open_fields(pieces: Sequence[Piece]) -> tuple[TemplateField, ...]:
    """Return the fields that leave a choice: without them, no text has two parses."""
    return tuple(
        item.field
        for block in _blocks(pieces)
        for item, cut in zip(block.items, block.cuts, strict=True)
        if isinstance(item, Var) and (cut or item.field.optional)
    )


def crosses(var: Var) -> bool:
    """Return whether a field, with its separators, may contain a slash."""
    return "/" in var.before + var.after or accepts(var.field.pattern, "/")


def _blocks(pieces: Sequence[Piece]) -> Iterator[_Block]:
    flat: list[Piece] = []
    for piece in pieces:
        flat.extend([piece] if isinstance(piece, Var) else [t for t in re.split("(/)", piece) if t])
    cuts = [_cut(flat, i) for i in range(len(flat))]
    start = 0
    for i, item in enumerate(flat):
        final = i + 1 == len(flat)
        ends = item == "/" or (isinstance(item, Var) and item.after == "/")
        if not (ends or final):
            continue
        items = tuple(flat[start : i + 1])
        variables = [v for v in items if isinstance(v, Var)]
        later = {v.group for v in flat[i + 1 :] if isinstance(v, Var)}
        sealed = not final and any(cuts[start : i + 1]) and not any(crosses(v) or v.group in later for v in variables)
        yield _Block(items, tuple(cuts[start : i + 1]), sealed)
        start = i + 1


def _cut(flat: Sequence[Piece], i: int) -> bool:
    item = flat[i]
    if isinstance(item, str) or item.again:
        return False
    if item.after:
        return goes_on(item.field.pattern, item.after[0])
    rest = flat[i + 1 :]
    if not rest or all(isinstance(other, str) for other in rest):
        return False  # it ends at the end of the text
    following = rest[0]
    return isinstance(following, Var) or goes_on(item.field.pattern, following[0])


@lru_cache(maxsize=4096)
def accepts(pattern: str, char: str) -> bool:
    """Return whether a text that the pattern matches may contain this character (never wrongly false)."""
    atoms = {m[0] for m in TOKEN.finditer(pattern) if m.lastgroup == "atom"}
    return any(re.fullmatch(atom, char, re.IGNORECASE | re.DOTALL) for atom in atoms)


@lru_cache(maxsize=1024)
def unbounded(pattern: str) -> bool:
    """Return whether the pattern may match a text of any length."""
    for token in TOKEN.finditer(pattern):
        if token.lastgroup == "quantifier" and token[0] != "?":
            upper = token[0].strip("{}").split(",")[-1]
            if not upper.isdigit() or int(upper) > _WIDE:
                return True
    return False


@lru_cache(maxsize=1024)
def branches(pattern: str) -> bool:
    """Return whether the pattern has alternatives, whose order `reversed_order` cannot change."""
    return any(m[0] == "|" for m in TOKEN.finditer(pattern) if m.lastgroup == "structure")


def reversed_order(pattern: str) -> str:
    """Return the same pattern with lazy quantifiers in place of greedy ones."""
    tokens = list(TOKEN.finditer(pattern))
    text: list[str] = []
    modified = False
    for i, token in enumerate(tokens):
        text.append(token[0])
        if token.lastgroup != "quantifier" or modified:
            modified = False
            continue
        modified = i + 1 < len(tokens) and tokens[i + 1][0] in {"?", "+"}
        if not modified:
            text.append("?")
    return "".join(text)


@lru_cache(maxsize=1024)
def run_of(pattern: str) -> re.Pattern[str] | None:
    """Return the compiled pattern if it is one class of characters repeated at least once; otherwise None.

    Every non-empty part of a match of such a pattern is a match too.
    """
    tokens = list(TOKEN.finditer(pattern))
    plain = len(tokens) == 2 and tokens[0].lastgroup == "atom" and tokens[1][0] == "+"
    return re.compile(pattern) if plain else None
