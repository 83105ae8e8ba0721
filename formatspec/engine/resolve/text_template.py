"""Text with placeholders, for reading and writing: a template like those of paths, whose fields are leaves."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

import msgspec

from formatspec.engine.resolve.codec_chain import NUMBER, WHOLE_NUMBER, build, spell
from formatspec.engine.resolve.scope import Scope
from formatspec.language.errors import Place
from formatspec.language.leaf import Bind, Computed, Keep, Text
from formatspec.language.rules import problem
from formatspec.model.amounts import amounts
from formatspec.paths.templates import formats
from formatspec.paths.templates.template import Template, TemplateField, TemplateSyntaxError, compile_template

_COUNTED = re.compile(r"\{(\d+)\}$")
"""The repetition in a pattern of several numbers: how often the part after the first number repeats."""
_BLANKS = re.compile(r"[ \t]+")
_TEXTS = {str}
_WORDS = 256
"""The longest line, in words, whose fit is remembered; longer lines are always matched."""


_FAR = {
    one: rf"(?:(?:[A-Za-z][A-Za-z0-9+.-]{{0,15}}:)?//?(?:[^/]+/)*)?{one}"
    for one in (formats.field("x").pattern, formats.field("x", "path").pattern)
}
"""The patterns of file names, and the same with the leading part of an absolute path or an address."""


class TextTemplate(msgspec.Struct, frozen=True):
    """A compiled text: its fields' raw texts by name, and the leaf of each field."""

    template: Template
    leaves: Mapping[str, Bind | Keep | Computed]
    optional: frozenset[str]
    numbers: re.Pattern[str] | None = None
    """For lines of only numbers, their pattern. No blank is part of a number, so matching takes linear time."""
    literals: tuple[str, ...] = ()
    """The texts before, between and behind the fields, if each field takes any text and must be there."""
    fitting_words: dict[int, bool] | None = None
    """For lines of numbers with one blank between them, whether a number of words can fit, as far as known.

    It is None for any other template.
    """
    counts: Mapping[str, int] | None = None
    """For lines with a fixed count of numbers and one blank between them, how many numbers each field has.

    It is None for any other template.
    """

    def may_fit(self, words: int) -> bool:
        """Return whether a line of this many words, with one blank between them, can match.

        The number of words decides for lines of numbers. For any other template the answer is True.
        """
        known = self.fitting_words
        if known is None or self.numbers is None or words > _WORDS:
            return True
        if words not in known:
            known[words] = self.numbers.fullmatch(" ".join(["1"] * words)) is not None  # 1 fits each kind
        return known[words]

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the text with these values.

        Raises:
            MissingValueError: A field has no value.
            ValueError: A field cannot render its value.
        """
        if self.literals and len(values) == len(self.leaves):
            text = self.literals[0]
            for name, literal in zip(self.leaves, self.literals[1:]):  # noqa: B905  # as many as there are
                text += spell(values[name]) + literal
            return text
        return self.template.render({name: spell(value) for name, value in values.items()})

    def match(self, text: str) -> dict[str, Any] | None:
        """Return the raw text of each field. If a line does not match, runs of blanks are first made one blank."""
        if self.numbers is not None:
            fitting = self.numbers.fullmatch(text)
            if fitting is None and _has_runs_of_blanks(text):
                fitting = self.numbers.fullmatch(_BLANKS.sub(" ", text).strip())
            return None if fitting is None else fitting.groupdict()
        found = self.template.match(text)
        if _has_runs_of_blanks(text) and (
            found is None or (" " in text and any(p[:1] == " " or p[-1:] == " " for p in found.values() if p))
        ):
            found = self.template.match(_BLANKS.sub(" ", text).strip()) or found
        if found is None or not self.optional:
            return found
        return {name: None if name in self.optional and part == "" else part for name, part in found.items()}


def names_captures(template: TextTemplate, scope: Scope) -> bool:
    """Return whether each field of a text is a name of the file's path."""
    meanings = (scope.meaning(one.names[0]) if isinstance(one, Bind) else None for one in template.leaves.values())
    return all(meaning is not None and meaning.where == "capture" for meaning in meanings)


def restating(template: TextTemplate) -> Callable[[Any, Mapping[str, Any]], bool] | None:
    """Return whether a text says just what some names say, which are known already; None where this is not asked.

    The function takes the text and the known names by what the fields bind. It is quicker than to take the text apart
    and to compare each part, and False only means that this must be done.
    """
    names = [part.names[0] for part in template.leaves.values() if isinstance(part, Bind) and not part.calls]
    if not template.literals or len(names) < len(template.leaves):
        return None
    form, known = "%s".join(one.replace("%", "%%") for one in template.literals), itemgetter(*names, names[0])

    def restates(text: Any, captures: Mapping[str, Any]) -> bool:
        try:
            told = known(captures)
        except KeyError:
            return False
        return bool(form % told[:-1] == text) and set(map(type, told)) == _TEXTS

    return restates


_PART = re.compile(r"p[0-9]+")


def is_part(key: object) -> bool:
    """Return whether a key of a document is that of a part of a line, as `text_template` names its fields."""
    return isinstance(key, str) and _PART.fullmatch(key) is not None


def text_template(leaf: Text, scope: Scope, place: Place) -> TextTemplate:
    """Compile a text of the spec to a template and the leaves of its fields.

    Fields are named p0, p1, …; fields whose text is kept are named text, text2, …. Each field matches what its leaf can
    hold.

    Raises:
        SpecError: The text cannot be taken apart again, or a leaf has no meaning in `scope`.
    """
    parts: list[str | TemplateField] = []
    leaves: dict[str, Bind | Keep | Computed] = {}
    optional: set[str] = set()
    seen: dict[str, str] = {}
    kept = 0
    for number, part in enumerate(leaf.parts):
        if isinstance(part, str):
            parts.append(part)
            continue
        if isinstance(part, Bind) and part.format is not None:
            _refuse_unknown_format(part, place)
        name = f"p{len(leaves)}"
        if isinstance(part, Keep):  # the loss report uses this name
            kept += 1
            name = "text" if kept == 1 else f"text{kept}"
        if isinstance(part, Bind) and not part.calls and len(part.names) == 1:
            name = seen.setdefault(part.names[0], name)
        leaves.setdefault(name, part)
        pattern = _pattern(part, scope, place)
        if not parts and pattern in _FAR:
            pattern = _FAR[pattern]
        absent = isinstance(part, Bind) and part.optional
        if absent:
            optional.add(name)
        render = formats.line_field("x", "words").render if getattr(part, "format", None) == "words" else str
        mark = _mark_behind(leaf.parts, number)
        if pattern == r".+" and mark:
            # An optional field ends at the mark that follows it, so it cannot contain this mark.
            pattern, render = rf"[^{re.escape(mark)}]+", partial(_without, mark)
        label = ", ".join(part.names) if isinstance(part, Bind) else ""
        wants = _wants(pattern) or _format_wants(part, scope)
        parts.append(TemplateField(name, pattern, str, render, wants=wants, optional=absent, label=label))
    try:
        template = compile_template(parts, limit=1 << 22)
    except ValueError as error:
        raise problem(f"in {leaf.source!r}: {error}", place) from None
    numbers = _only_numbers(parts)
    by_words = (
        amounts().generates
        and numbers is not None
        and all(part == " " if isinstance(part, str) else _is_parted_by_blanks(part.pattern) for part in parts)
    )
    counts = {part.name: _count_of(part.pattern) for part in parts if isinstance(part, TemplateField)}
    blanks = all(part == " " for part in parts if isinstance(part, str))
    return TextTemplate(
        template,
        leaves,
        frozenset(optional),
        numbers,
        _literals(parts),
        fitting_words={} if by_words else None,
        counts=counts if by_words and blanks and all(counts.values()) else None,
    )


def _count_of(pattern: str) -> int:
    """Return how many numbers a field of only numbers has; 0 if this varies."""
    if not pattern.startswith(f"(?:{NUMBER})"):
        return 1
    counted = _COUNTED.search(pattern)
    return int(counted[1]) + 1 if counted else 0


def _refuse_unknown_format(leaf: Bind, place: Place) -> None:
    """Raise SpecError for an unknown format after the colon of a placeholder."""
    try:
        formats.field("x", leaf.format)
    except TemplateSyntaxError as error:
        name, format = ", ".join(leaf.names), str(leaf.format)
        other = re.fullmatch(r"(0?)([0-9]*)([xXob])", format)
        hint, expected = "", " or ".join(f"`{one}`" for one in error.expected)
        if other:
            base = {"x": 16, "o": 8, "b": 2}[other[3].lower()]
            width = f", {other[2]}{', upper' if other[3] == 'X' else ''}" if other[2] else ""
            hint = f"for a number in base {base} say {{{name} | in_base({base}{width})}}"
        raise problem(f"{{{name}:{format}}}: {error}", place, expected, hint) from None


def _has_runs_of_blanks(text: str) -> bool:
    """Return whether a text has runs of blanks, or blanks at its ends."""
    return "  " in text or "\t" in text or text != text.strip()


def _mark_behind(parts: Sequence[object], place: int) -> str:
    """Return the comma or other mark between a field and an optional one after it; an empty text if there is none."""
    between, then = (*parts[place + 1 : place + 3], None, None)[:2]
    optional = isinstance(then, Bind) and then.optional and isinstance(between, str)
    return between.strip() if optional and isinstance(between, str) and between.strip() in {",", ";", "|"} else ""


def _without(mark: str, value: Any) -> str:
    text = str(value)
    if mark in text:
        raise ValueError(f"{text!r} holds {mark!r}, which parts it from what follows")
    return text


def _literals(parts: Sequence[str | TemplateField]) -> tuple[str, ...]:
    """Return the texts between fields that take any text, each once; empty if some fields do not."""
    fields = [part for part in parts if isinstance(part, TemplateField)]
    once = len({part.name for part in fields}) == len(fields)
    if not once or any(part.optional or part.render is not str for part in fields):
        return ()
    found = [""]
    for part in parts:
        found[-1:] = [found[-1] + part] if isinstance(part, str) else [found[-1], ""]
    return tuple(found)


def _only_numbers(parts: Sequence[str | TemplateField]) -> re.Pattern[str] | None:
    """Return the pattern of a template whose fields are numbers with fixed text between them; None otherwise."""
    fields = [part for part in parts if isinstance(part, TemplateField)]
    apart = all(isinstance(a, str) or isinstance(b, str) for a, b in itertools.pairwise(parts))
    once = len({part.name for part in fields}) == len(fields)
    if not fields or not apart or not once or any(f.optional or not _is_number(f.pattern) for f in fields):
        return None
    if sum(f.pattern.endswith(")*") for f in fields) > 1:
        return None  # there are several ways to split such a line
    shown = [re.escape(part) if isinstance(part, str) else f"(?P<{part.name}>{part.pattern})" for part in parts]
    if shown[-1].endswith(")*)"):
        shown[-1] = shown[-1][:-1] + "+)"  # the last number is possessive, so that matching never backtracks
    return re.compile("".join(shown))


def _is_number(pattern: str) -> bool:
    """Return whether a field's pattern is that of a number, a whole number, or several numbers."""
    return pattern in (NUMBER, formats.field("x", "d").pattern, WHOLE_NUMBER) or pattern.startswith(f"(?:{NUMBER})")


def _is_parted_by_blanks(pattern: str) -> bool:
    """Return whether a field's numbers are separated only by blanks."""
    whole = formats.field("x", "d").pattern
    return not re.search(r"\[ \]\*|,", pattern.replace(NUMBER, "").replace(whole, ""))


def _wants(pattern: str) -> str:
    """Return in words what a field of numbers takes; an empty text for other fields."""
    if pattern == NUMBER:
        return "a number"
    if pattern.startswith(f"(?:{formats.field('x', 'd').pattern})"):
        return "a whole number"
    if not pattern.startswith(f"(?:{NUMBER})"):
        return ""
    count = _count_of(pattern)
    return f"{count} numbers" if count else "numbers"


def _format_wants(part: Bind | Keep | Computed, scope: Scope) -> str:
    """Return in words what a field takes whose form the image's path gives; an empty text if the path gives none."""
    if not isinstance(part, Bind) or part.calls or len(part.names) != 1:
        return ""
    name = part.names[0]
    stated = part.format or (scope.captures.get(name) if scope.is_captured(name) else None)
    return formats.line_field("x", stated).wants if stated else ""


def _pattern(part: Bind | Keep | Computed, scope: Scope, place: Place) -> str:
    if isinstance(part, Computed | Keep):
        return r".*"
    meanings = [scope.resolve(name, place) for name in part.names]
    named = len(meanings) == 1 and scope.is_captured(part.names[0])
    if part.format in (None, "word") and not part.calls and named:
        return formats.field("x", scope.captures.get(meanings[0].name)).pattern
    pattern = build(part, [meaning.value_type for meaning in meanings], 1, True, place).pattern
    return pattern or r".+"
