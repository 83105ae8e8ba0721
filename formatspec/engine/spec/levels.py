"""Levels that a spec gives to codes: `levels: {BOX_EMPTY: error, BOX_OUTSIDE: {error: max(values) > 1.01}}`.

A condition is about `values`: the numbers as the file states them, in the file's order. For a finding without geometry,
it is about what the finding names, such as a missing subset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from formatspec.codecs.registry import Env, UnfitError
from formatspec.engine.resolve.codec_chain import Chain, build
from formatspec.engine.resolve.scope import Scope
from formatspec.findings.codes import LEVELS
from formatspec.findings.finding import Level
from formatspec.findings.table import CODES
from formatspec.language import expression
from formatspec.language.errors import Place, suggest
from formatspec.language.expression import ExpressionError, UnknownNameError
from formatspec.language.leaf import Bind, bindings
from formatspec.language.rules import Field, LeafRule, LineRule, MapRule, Rule, TableRule, inside, problem
from formatspec.model.flaws import JUDGED, Size
from formatspec.model.outlines import joined

VALUES = "values"
Holds = Callable[[Any], bool]


class Stated(NamedTuple):
    """A leaf that states a slot of geometry: its place in the spec, its slot, and its codecs."""

    place: Place
    name: str
    chain: Chain

    @property
    def slot(self) -> str:
        """The slot, by its name in objects."""
        return "polygons" if self.name == "polygon" else self.name

    def numbers(self, value: Any, size: Size | None) -> list[float] | None:
        """Return the numbers with which a file states a value; None if it cannot."""
        value = joined(value) if self.name == "polygon" and value else value
        try:
            made = (self.chain.unspelled or self.chain.encode)(value, Env(*size) if size else Env())
        except (UnfitError, ValueError, TypeError):
            return None
        return list(_flat(made))


def _flat(value: Any) -> Iterator[float]:
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, str):
        for word in value.replace(",", " ").split():
            try:
                yield float(word)
            except ValueError:
                continue
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _flat(part)
    elif isinstance(value, dict):
        yield from _flat(list(value.values()))


class Levels:
    """The levels of one format's codes."""

    def __init__(self, given: Mapping[str, Any], place: Place, stated: Callable[[], Iterable[Stated]]) -> None:
        """Parse the levels that a spec gives to codes.

        Args:
            given: For each code a level, or a mapping of levels to conditions.
            place: The place where the spec states them.
            stated: Gives the leaves of objects, which conditions may use; called when a condition is first evaluated.

        Raises:
            SpecError: A code or a level does not exist, or a condition cannot be parsed.
        """
        self._stated = stated
        self._leaves: tuple[Stated, ...] | None = None
        self._fixed: dict[str, Level] = {}
        self._asked: dict[str, list[tuple[Level, Holds]]] = {}
        for code, level in given.items():
            if code not in CODES:
                raise problem(f"levels: there is no code {code!r}", place, hint=suggest(code, CODES))
            if isinstance(level, str):
                self._fixed[code] = _level(code, level, place)
                continue
            if not isinstance(level, dict) or not level:
                raise problem(f"levels: {code} takes a level, or a mapping of levels to conditions", place)
            known = {_level(code, name, place): _condition(code, text, place) for name, text in level.items()}
            self._asked[code] = [(name, known[name]) for name in LEVELS if name in known]

    def __bool__(self) -> bool:
        """Return whether the format gives any code a level of its own."""
        return bool(self._fixed or self._asked)

    @property
    def leaves(self) -> tuple[Stated, ...]:
        """The leaves that state geometry."""
        if self._leaves is None:
            self._leaves = tuple(self._stated())
        return self._leaves

    def of(
        self, code: str, usual: Level, slot: str = "", value: Any = None, size: Size | None = None,
        place: Place | None = None,
    ) -> Level:  # fmt: skip
        """Return the level of a finding.

        Args:
            code: Its code.
            usual: The level if the spec states none.
            slot: The slot of geometry at fault, if any.
            value: The slot's value; without a slot, what the finding is about.
            size: The image's width and height.
            place: The leaf that stated the value; without one, all leaves of the slot are tried.
        """
        if code in self._fixed:
            return self._fixed[code]
        asked = self._asked.get(code)
        if asked is None or (not slot and value is None):
            return usual
        if not slot:
            return next((level for level, holds in asked if _holds(holds, [value])), usual)
        for leaf in self.leaves:
            if leaf.slot != slot or (place is not None and leaf.place != place):
                continue
            numbers = leaf.numbers(value, size)
            found = None if not numbers else next((level for level, holds in asked if _holds(holds, numbers)), None)
            if found is not None:
                return found
        return usual

    def stated(self, slot: str, value: Any, size: Size | None, place: Place | None) -> list[float] | None:
        """Return the numbers with which the leaf at `place` states a slot's value in its file; None if unknown."""
        leaf = next((one for one in self.leaves if one.slot == slot and one.place == place), None)
        return None if leaf is None else leaf.numbers(value, size)


def _level(code: str, level: object, place: Place) -> Level:
    for known in LEVELS:
        if known == level:
            return known
    raise problem(f"levels: {level!r} is no level of {code}", place, hint=suggest(str(level), LEVELS))


def _condition(code: str, text: object, place: Place) -> Holds:
    try:
        return expression.compile_condition(expression.parse(str(text)), _Values())
    except expression.ExpressionSyntaxError as error:
        raise problem(f"levels: {code}: {error}", place) from None
    except UnknownNameError as error:
        hint = f"did you mean '{VALUES}'?"
        raise problem(f"levels: {code}: {error.name!r} has no value here", place, hint=hint) from None


def _holds(condition: Holds, numbers: Sequence[Any]) -> bool:
    try:
        return bool(condition(numbers))
    except ExpressionError:
        return False


class _Values:
    """The one name that a condition may use."""

    def value(self, name: str) -> Callable[[Any], Any]:
        if name != VALUES:
            raise UnknownNameError(name)
        return lambda numbers: numbers

    def counts_zero(self, name: str) -> bool:
        return False

    def table(self, name: str) -> None:
        return None


def stated_by(rule: Rule, scope: Scope) -> Iterator[Stated]:
    """Yield the leaves of a rule that state an object's geometry."""
    if isinstance(rule, TableRule):
        scope = scope.inside(rule.each.table)
    if isinstance(rule, MapRule):
        for field in rule.fields:
            yield from _of_field(field, scope)
        for alternatives in rule.alternatives:
            yield from stated_by(alternatives, scope)
        return
    if isinstance(rule, LeafRule | LineRule):
        yield from _of_leaf(list(bindings(rule.leaf)), 1, rule.place, scope)
        return
    for one in inside(rule):
        yield from stated_by(one, scope)


def _of_field(field: Field, scope: Scope) -> Iterator[Stated]:
    if not isinstance(field.rule, LeafRule):
        yield from stated_by(field.rule, scope)
        return
    yield from _of_leaf(list(bindings(field.rule.leaf)), len(field.keys), field.rule.place, scope)


def _of_leaf(binds: list[Bind], keys: int, place: Place, scope: Scope) -> Iterator[Stated]:
    for bind in binds:
        meaning = scope.meaning(bind.names[0]) if len(bind.names) == 1 else None
        if meaning is None or meaning.where != "record" or scope.kind != "object":
            continue
        if meaning.name in (*JUDGED, "polygon"):
            yield Stated(place, meaning.name, build(bind, [meaning.value_type], keys, scope.textual, place))
