"""Two-way text templates, for paths and lines alike: one declaration that matches a text and renders it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from formatspec.model.plain.same_value import same_value
from formatspec.paths.templates.finite import automaton
from formatspec.paths.templates.pattern import (
    Piece,
    Var,
    branches,
    degree,
    open_fields,
    piece_source,
    pieces_of,
    source,
)
from formatspec.paths.templates.sweep import sweep
from formatspec.paths.templates.syntax import (
    LiteralText,
    MissingValueError,
    Placeholder,
    TemplateField,
    TemplateSyntaxError,
    split,
)

__all__ = [
    "PATH_LIMIT",
    "LiteralText",
    "MissingValueError",
    "Placeholder",
    "Template",
    "TemplateField",
    "TemplateSyntaxError",
    "compile_template",
    "split",
]

PATH_LIMIT = 4096
"""Characters. PATH_MAX of Linux (limits.h); a longer path matches nothing."""

_STEPS, _STEPS_OF_LINES = 22, 20
"""Binary logarithms: so many steps a regular expression may take at most for a path, and for a line, of which a file
has many. Texts that could take more are matched by automata, whose time grows with the text."""
_SHOWN = 40


@dataclass(frozen=True)
class Template:
    """A compiled template; made by `compile_template`, pickled by its parts.

    Where a text has several parses, the earlier field takes as much as it can.
    """

    parts: tuple[str | TemplateField, ...]
    limit: int
    names: tuple[str, ...] = field(compare=False)
    """The names of the fields in order, each once."""
    literal_count: int = field(compare=False)
    """How many characters lie outside placeholders: of two templates that match a text, more means more specific."""
    prefix: str = field(compare=False)
    """The text with which every match begins."""
    suffix: str = field(compare=False)
    """The text with which every match ends."""
    _pieces: tuple[Piece, ...] = field(compare=False, repr=False)
    _slots: tuple[TemplateField, ...] = field(compare=False, repr=False)
    _plain: bool = field(compare=False, repr=False)
    _budget: int = field(compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the parts, which are compiled again."""
        return compile_template, (self.parts, self.limit)

    def match(self, text: str) -> dict[str, Any] | None:
        """Return the values of the fields, or None if the text does not match.

        A text does not match if its form differs, if a value does not parse, or if a repeated name has two values. An
        absent optional field has the value `parse("")`, or None if that raises.
        """
        if not text.endswith(self.suffix) or not text.startswith(self.prefix) or self._inner not in text:
            return None
        if len(text) <= self._budget:
            found = self._regex.fullmatch(text)
            if found is None:
                return None
            if len(self.names) < len(self._slots):
                return self._values(found.groups())
            # There are as many names as groups; checking it (`strict`) would cost as much as the zip itself.
            values: dict[str, Any] = dict(zip(self.names, found.groups()))  # noqa: B905
            return values if self._plain else self._parsed(values)
        raw = self._groups(text)
        return None if raw is None else self._values(raw)

    def may_match(self, texts: str) -> bool:
        """Whether any of several texts may match, as far as what stands in every match tells, at one look.

        texts: them all, with a line break before and behind each.
        """
        return f"\n{self.prefix}" in texts and f"{self.suffix}\n" in texts and self._inner in texts

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the text of these values; other keys are ignored.

        None means no value; so does "" for an optional field.

        Raises:
            MissingValueError: A required field has no value.
            ValueError: A field cannot render its value.
        """
        text = ""
        for name, before, render, after, optional in self._steps:
            if render is None:
                text += before
                continue
            value = values.get(name)
            if optional and (value is None or (isinstance(value, str) and not value)):
                continue
            if value is None:
                raise MissingValueError(name)
            text += before + render(value) + after
        return text

    def ambiguous(self, text: str) -> bool:
        """Return whether the text matches in two ways that give the fields different values.

        The longest and the shortest way are compared. If one of them fails because a repeated field differs, another
        way may exist between them, and the text counts as ambiguous.
        """
        if not self._open:
            return False
        first = self._groups(text)
        if first is None:
            return False
        if len(text) <= self._budget:
            found = self._lazy.fullmatch(text)
            if found is not None and found.groups() != tuple(first):
                return True
            if not self._branching:
                return False
        others = (sweep(self._pieces, text), sweep(self._pieces, text, shortest=True))
        return any(other is None or tuple(other) != tuple(first) for other in others)

    def explain(self, text: str) -> str:
        """Return why the text does not match; "" if it does."""
        return self.explained(text)[1]

    def explained(self, text: str) -> tuple[int, str]:
        """Return how many characters of the text match, and why no more do; "" if all do."""
        if self.match(text) is not None:
            return len(text), ""
        if len(text) > self.limit:
            return 0, f"it is longer than {self.limit} characters"
        raw = self._groups(text)
        if raw is not None:
            return len(text), self._misfit(raw)
        if not text.startswith(self.prefix):
            return 0, f"it must begin with {self.prefix!r}"
        failed, position, known = self._reach(text[: self._budget])
        piece = self._pieces[failed] if failed < len(self._pieces) else ""
        rest = text[position:]
        before = f"after {_short(text[:position])!r}, " if position else ""
        if isinstance(piece, Var):
            following = self._pieces[failed + 1] if failed + 1 < len(self._pieces) else ""
            many = piece.field.wants.endswith("numbers")
            if isinstance(following, str) and following and following in rest and not many:
                rest = rest[: rest.index(following)]
            if piece.again:
                wanted = f"must be {known[piece.group - 1]!r} again"
            else:
                pattern = piece.field.pattern
                wanted = f"wants {piece.field.wants or _PATTERNS.get(pattern, f'text like {pattern}')}"
            found = f"{_counted(rest, piece.field.wants)}{_short(rest)!r}"
            said = f"{before}`{piece.field.label or piece.field.name}` {wanted}, found {found}"
            return position, f"{said}{self._fitting_end(text)}"
        if not text.endswith(self.suffix):
            return position, f"it must end with {self.suffix!r}"
        if not piece:
            return position, f"{before}nothing more may follow, found {_short(rest)!r}"
        wanted = "a blank" if piece.isspace() else repr(piece)
        other = "; its parts stand between '\\\\', and '/' is expected" if piece == "/" and "\\" in text else ""
        return position, f"{before}{wanted} must follow" + (f", found {_short(rest)!r}" if rest else "") + other

    def _fitting_end(self, text: str) -> str:
        """Return a hint for a path whose end matches while the part before it does not."""
        ends = [at + 1 for at, sign in enumerate(text[: self._budget]) if sign == "/"]
        fits = next((text[at:] for at in ends if self.match(text[at:]) is not None), None)
        return f"; its end {fits!r} fits: leave out what stands before it" if fits else ""

    @cached_property
    def _steps(self) -> tuple[tuple[str, str, Callable[[Any], str] | None, str, bool], ...]:
        """The pieces to render: name, text before, function, text after, whether optional."""
        return tuple(
            ("", piece, None, "", False)
            if isinstance(piece, str)
            else (piece.field.name, piece.before, piece.field.render, piece.after, piece.field.optional)
            for piece in self._pieces
        )

    @cached_property
    def _inner(self) -> str:
        """The longest text that every match contains; looking for it is faster than failing to match."""
        return max((piece for piece in self._pieces if isinstance(piece, str)), key=len, default="")

    @cached_property
    def _open(self) -> tuple[TemplateField, ...]:
        return open_fields(self._pieces)

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        """The regular expression, compiled for the first text with the right beginning and end."""
        return re.compile(source(self._pieces))

    @cached_property
    def _lazy(self) -> re.Pattern[str]:
        return re.compile(source(self._pieces, lazy=True))

    @cached_property
    def _branching(self) -> bool:
        """Whether the lazy expression may miss the shortest match, because alternatives have a fixed order."""
        return any(branches(one.pattern) for one in self._open)

    def _groups(self, text: str) -> Sequence[str | None] | None:
        if len(text) <= self._budget:
            found = self._regex.fullmatch(text)
            return None if found is None else found.groups()
        return None if len(text) > self.limit else sweep(self._pieces, text)

    @cached_property
    def _odd(self) -> tuple[tuple[str, Callable[[str], Any], Any], ...]:
        """The fields whose text is not their value: name, parser, and the value when absent."""
        odd = [slot for slot in self._slots if slot.parse is not str or slot.optional]
        return tuple((slot.name, slot.parse, _parse(slot, None) if slot.optional else None) for slot in odd)

    def _parsed(self, values: dict[str, Any]) -> dict[str, Any] | None:
        """Return the values of fields without repeated names, from their texts."""
        try:
            for name, parse, absent in self._odd:
                text = values[name]
                values[name] = absent if text is None else parse(text)
        except ValueError:
            return None
        return values

    def _values(self, raw: Sequence[str | None]) -> dict[str, Any] | None:
        values: dict[str, Any] = {}
        for slot, text in zip(self._slots, raw):  # noqa: B905  # one slot to a group
            value: Any = text
            if slot.parse is not str or text is None:
                try:
                    value = _parse(slot, text)
                except ValueError:
                    return None
            name = slot.name
            if name in values and not same_value(values[name], value):
                return None
            values[name] = value
        return values

    def _misfit(self, raw: Sequence[str | None]) -> str:
        values: dict[str, Any] = {}
        for slot, text in zip(self._slots, raw, strict=True):
            try:
                value = _parse(slot, text)
            except ValueError as error:
                return f"`{slot.name}` does not take {text!r}: {error}"
            first = values.setdefault(slot.name, value)
            if not same_value(first, value):
                return f"`{slot.name}` is {first!r} and {value!r}"
        return ""

    def _reach(self, text: str) -> tuple[int, int, Sequence[str | None]]:
        """Return the first piece that fails, the position in the text where it was tried, and the groups before it."""
        for count in range(len(self._pieces), 0, -1):
            beginning = "".join(piece_source(piece) for piece in self._pieces[:count])
            found = re.match(beginning, text)
            if found is not None:
                return count, found.end(), found.groups()
        return 0, 0, ()


def compile_template(parts: Sequence[str | TemplateField], limit: int = PATH_LIMIT) -> Template:
    """Compile literals and fields, in order. Texts longer than `limit` characters match nothing.

    An optional field followed by "/" is absent together with that slash; otherwise together with the blank before it,
    or the blank after it. A repeated name must have one value. A match takes time proportional to the text, if a text
    matches a field's own pattern in only one way.

    Raises:
        ValueError: A field's pattern is no regular expression, captures groups, or has anchors, lookarounds or atomic
            groups.
    """
    for part in parts:
        if isinstance(part, TemplateField):
            _check_pattern(part)
    pieces = pieces_of(parts)
    fields = [part for part in parts if isinstance(part, TemplateField)]
    slots = tuple(piece.field for piece in pieces if isinstance(piece, Var) and not piece.again)
    names = tuple(dict.fromkeys(one.name for one in fields))
    power, steps = degree(pieces), _STEPS if limit <= PATH_LIMIT else _STEPS_OF_LINES
    return Template(
        parts=tuple(parts),
        limit=limit,
        names=names,
        literal_count=sum(len(part) for part in parts if isinstance(part, str)),
        prefix=pieces[0] if pieces and isinstance(pieces[0], str) else "",
        suffix=pieces[-1] if pieces and isinstance(pieces[-1], str) else "",
        _pieces=pieces,
        _slots=slots,
        _plain=len(slots) == len(names) and all(s.parse is str and not s.optional for s in slots),
        _budget=limit if power == 1 else min(limit, int(2 ** (steps / power))),
    )


def _check_pattern(one: TemplateField) -> None:
    try:
        groups = re.compile(one.pattern).groups
    except re.error as error:
        raise ValueError(f"the pattern of `{one.name}` is no regular expression: {error}") from error
    if groups:
        raise ValueError(f"the pattern of `{one.name}` captures groups: {one.pattern}")
    automaton(one.pattern)


def _parse(slot: TemplateField, text: str | None) -> Any:
    if text is not None:
        return slot.parse(text)
    try:
        return slot.parse("")
    except ValueError:
        return None


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


_PATTERNS = {"[^/]+": "one part of a path, without '/'"}
"""Words for patterns of fields that have no words of their own."""


def _counted(text: str, wants: str) -> str:
    """Return how many numbers a text has if a certain count is wanted and it has another."""
    words = text.split()
    try:
        [float(word) for word in words]
    except ValueError:
        return ""
    return (
        f"{len(words)}, " if wants.endswith(" numbers") and wants != f"{len(words)} numbers" and len(words) > 1 else ""
    )
