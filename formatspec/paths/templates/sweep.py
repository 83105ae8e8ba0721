"""Matches without backtracking, for texts that are too long for the regular expression.

From right to left, every piece marks the positions from which it and everything after it can match. Then one walk from
left to right takes, at each field, the longest (or the shortest) marked end. Each piece reads the text once in each
direction, so the time is proportional to the text and to the number of pieces.
"""

from __future__ import annotations

from collections.abc import Sequence

from formatspec.paths.templates.finite import automaton
from formatspec.paths.templates.pattern import Piece, Var, run_of


def sweep(pieces: Sequence[Piece], text: str, *, shortest: bool = False) -> list[str | None] | None:
    """Return the text of every group (None for an absent optional field), or None if the text does not match.

    A repeated field must have the same text on the path that is taken; other paths are not tried.
    """
    marks = [bytearray(len(text)) + b"\1"]
    for piece in reversed(pieces):
        marks.append(_starts(piece, text, marks[-1]))
    marks.reverse()
    if not marks[0][0]:
        return None
    found: list[str | None] = [None] * max((p.group for p in pieces if isinstance(p, Var)), default=0)
    position = 0
    for piece, following in zip(pieces, marks[1:], strict=True):
        if isinstance(piece, str):
            position += len(piece)
            continue
        span = _choose(piece, text, position, following, found, shortest)
        if span is None:
            return None
        begin, end, position = span
        if end >= 0 and not piece.again:
            found[piece.group - 1] = text[begin:end]
    return found


def _choose(
    var: Var, text: str, position: int, following: bytearray, found: list[str | None], shortest: bool
) -> tuple[int, int, int] | None:
    """Return where a field begins and ends (-1: absent), and where the next piece begins."""
    absent = (position, -1, position) if var.field.optional and following[position] else None
    known = found[var.group - 1]
    if var.again and known is None:
        return absent
    if absent and shortest and not var.again:
        return absent
    begin = position + len(var.before)
    if not text.startswith(var.before, position):
        return absent
    closing = _before_literal(var.after, text, following)
    if var.again and known is not None:
        end = begin + len(known)
        fits = text.startswith(known, begin) and bool(closing[end])
        return (begin, end, end + len(var.after)) if fits else None
    chosen = automaton(var.field.pattern).ends(text, begin, closing, shortest)
    return (begin, chosen, chosen + len(var.after)) if chosen >= 0 else absent


def _starts(piece: Piece, text: str, following: bytearray) -> bytearray:
    if isinstance(piece, str):
        return _before_literal(piece, text, following)
    marked = _before_field(piece, text, _before_literal(piece.after, text, following))
    marked = _before_literal(piece.before, text, marked)
    if piece.field.optional:
        both = int.from_bytes(marked, "big") | int.from_bytes(following, "big")
        return bytearray(both.to_bytes(len(marked), "big"))
    return marked


def _before_literal(literal: str, text: str, following: bytearray) -> bytearray:
    if not literal:
        return following
    marked = bytearray(len(text) + 1)
    at = text.find(literal)
    while at >= 0:
        marked[at] = following[at + len(literal)]
        at = text.find(literal, at + 1)
    return marked


def _before_field(var: Var, text: str, following: bytearray) -> bytearray:
    run = run_of(var.field.pattern)
    if run is not None:
        marked = bytearray(len(text) + 1)
        for match in run.finditer(text):
            start, stop = match.span()
            end = following.rfind(1, start + 1, stop + 1)
            if end >= 0:
                marked[start:end] = b"\1" * (end - start)
        return marked
    return automaton(var.field.pattern).starts(text, following)
