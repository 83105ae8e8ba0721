"""How the alternative is chosen by which a row or a mapping is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from formatspec.engine.base.faults import MISSING
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting, getter
from formatspec.engine.resolve.discriminators import keys_of, row_test
from formatspec.engine.resolve.held_slots import names_within, slot_bits
from formatspec.engine.resolve.questions.tables import tables_within
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.write.geometry_choice import chooser_of
from formatspec.engine.write.mark_written import hold, hold_mark, refuse
from formatspec.engine.write.print_leaf import NO_SOURCE, LackingError, Writer
from formatspec.language.leaf import Keep
from formatspec.language.rules import MapRule, OneOf, Rule
from formatspec.model.plain.same_value import same_value
from formatspec.model.records import Object
from formatspec.model.slots import TABLES


def _attributes_apart(rule: OneOf) -> list[frozenset[str]]:
    """Return, for each alternative, the single attributes that it names and that not all alternatives name."""
    named = [
        frozenset(name for name in names_within(choice) if name.removeprefix("item.").startswith("attributes."))
        for choice in rule.alternatives
    ]
    of_all = frozenset.intersection(*named)
    return [names - of_all for names in named]


def _keeps(choice: Rule) -> bool:
    """Whether a mapping requires a value that only a source can give, since it is kept and has no default."""
    return any(
        not field.optional and isinstance(field.rule.leaf, Keep) and field.rule.leaf.default is None
        for field in choice.fields
    )


def first_written(
    fitting: Sequence[int],
    others: Sequence[int],
    setting: WriteSetting,
    writers: Sequence[Callable[..., Any]],
    arguments: tuple[Any, ...],
) -> tuple[Any, int]:
    """Write the first of several alternatives that can be written; return what it writes and its position.

    An alternative that fits and writes something is preferred, then any that writes something, then any. Notes in the
    setting that other alternatives left are removed.

    Args:
        fitting: The positions of the alternatives that hold the geometry as it is stated.
        others: The positions of all others.
        setting: Where the writers note what they wrote.
        writers: Writes each alternative; they raise LackingError.
        arguments: What the writers take.

    Raises:
        LackingError: None of them can be written.
    """
    best: tuple[Any, int] | None = None
    before, claims = setting.claims, 0
    start, refused = len(setting.refused) if setting.refused else 0, []
    reason: LackingError | None = None
    for place in (*fitting, *others):
        setting.claims = before
        del setting.refused[start:]
        try:
            document = writers[place](*arguments)
        except LackingError as lacking:
            if reason is None or lacking.why or not reason.why:  # a value that does not fit tells more
                reason = lacking
            continue
        if place in fitting and document:
            return document, place
        if best is None or (document and not best[0]):
            best, claims, refused = (document, place), setting.claims, setting.refused[start:]
    setting.claims = claims or before
    setting.refused[start:] = refused
    if best is None:
        raise reason or LackingError("none of the alternatives")
    return best


PlainAlternative = Callable[[Object, int, int, WriteContext], dict[str, Any]]
"""Takes an object without a source, its index, the count of rows and the context around it; gives the keys of one
alternative, or raises LackingError."""


def can_be_plain(rule: OneOf, scope: Scope) -> bool:
    """Return whether an object's geometry alone decides in which order alternatives are tried."""
    return scope.kind == "object" and not any(_attributes_apart(rule))


def chooser_of_plain(rule: OneOf, scope: Scope, writers: Sequence[PlainAlternative]) -> PlainAlternative:
    """Return a fast form of `alternatives_writer` for objects without a source whose alternatives `can_be_plain`."""
    fits = chooser_of(rule.alternatives, _kept_places(rule))
    bits = [slot_bits(choice, scope) for choice in rule.alternatives]

    def choose(record: Object, index: int, rows: int, context: WriteContext) -> dict[str, Any]:
        _, fitting, others = fits(context, record, False)
        setting = context.setting
        document, place = first_written(fitting, others, setting, writers, (record, index, rows, context))
        hold_mark(context, id(record), bits[place])
        return document  # type: ignore[no-any-return]

    return choose


def _kept_places(rule: OneOf) -> frozenset[int]:
    """Return the alternatives that no object of another format can be written by, as their positions."""
    return frozenset(place for place, choice in enumerate(rule.alternatives) if _keeps(choice))


def alternatives_writer(rule: OneOf, scope: Scope, compile_writer: Callable[[Rule, Scope], Writer]) -> Writer:
    """Return a writer that writes a record by the first alternative that fits.

    Alternatives whose slots the record states come first, then those whose slots have computed values, then any other
    that can be written. If alternatives name different attributes, those that name more of the record's attributes come
    first. An alternative that requires kept values is never used for an object of another format.
    """
    writers = [compile_writer(choice, scope) for choice in rule.alternatives]
    bits_of = [slot_bits(choice, scope) for choice in rule.alternatives]
    keys = keys_of(rule)
    tests = [row_test(choice, scope) for choice in rule.alternatives]
    fits = chooser_of(rule.alternatives, _kept_places(rule) if scope.kind == "object" else frozenset())
    told = _attributes_apart(rule)
    apart = {name: getter(scope.resolve(name, rule.place), scope) for name in sorted(frozenset().union(*told))}
    plain = not all(isinstance(choice, MapRule) for choice in rule.alternatives)
    nests = next(iter(tables_within(rule)), None) is not None
    lists = any(TABLES[table.each.table] == "category" for table in tables_within(rule))

    def classes_differ(context: WriteContext, before: WriteContext) -> bool:
        """Whether the rows list classes, and those of the dataset have changed since it was read."""
        return lists and before.setting.categories.listed != context.setting.categories.listed

    def is_value(source: Any) -> bool:
        """Whether a source is null, a scalar or a list, and some alternative is one, too."""
        return plain and source not in (NO_SOURCE, MISSING)

    def stated_apart(context: WriteContext) -> frozenset[str]:
        """Return the attributes of a record that some alternatives name and others do not."""
        return frozenset(name for name, get in apart.items() if get(context) is not None)

    def choose(context: WriteContext, is_read: bool) -> tuple[Any, int, int]:
        _, fitting, others = fits(context, context.record, is_read)
        if apart and (stated := stated_apart(context)):
            fitting = tuple(sorted(fitting, key=lambda place: -len(told[place] & stated)))
        document, place = first_written(fitting, others, context.setting, writers, (context, NO_SOURCE))
        return document, bits_of[place], place

    def write(context: WriteContext, source: Any) -> Any:
        now, bits, place = choose(context, context.as_read is not None)
        hold(context, bits)
        if apart and (missed := stated_apart(context) - told[place]):
            refuse(context, sorted(name.removeprefix("item.") for name in missed))
        if context.as_read is None or not (isinstance(source, dict) or is_value(source)):
            return now
        try:
            then, _, before = choose(context.as_read, True)
        except LackingError:
            return now
        if not isinstance(source, dict):
            return source if same_value(now, then) else now
        if (
            same_value(now, then)
            and (not nests or _are_as_long(now, source))  # otherwise several rows of the source become one
            and not classes_differ(context, context.as_read)
        ):
            return {key: source[key] for key in source if key in keys}
        return _as_source(context, source, place) if place == before else now

    def _as_source(context: WriteContext, source: dict[str, Any], place: int) -> Any:
        """Write a record again by the alternative that its source fits.

        If the source fits several alternatives, the first is used, provided that it is chosen now too.
        """
        fitting = [writer for writer, test in zip(writers, tests, strict=True) if test(source)]
        if fitting and fitting[0] is writers[place]:
            fitting = fitting[:1]
        if len(fitting) == 1:
            try:
                written = fitting[0](context, source)
                return {key: part for key, part in written.items() if key in keys}
            except LackingError:
                pass
        return choose(context, True)[0]

    return write


def _are_as_long(now: Any, source: Any) -> bool:
    """Return whether the lists of a document are as long as those under the same keys of its source."""
    if isinstance(now, dict) and isinstance(source, dict):
        return all(_are_as_long(now[key], source[key]) for key in now.keys() & source.keys())
    return not isinstance(now, list) or not isinstance(source, list) or len(now) == len(source)
