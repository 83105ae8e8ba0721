"""Compiles a whole spec, so that every mistake in its rules is found before data is read."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from formatspec.engine.dataset.checks import Check
from formatspec.engine.read.categories import table_of
from formatspec.engine.read.leaf_reader import ReadContext
from formatspec.engine.resolve.held_slots import BITS
from formatspec.engine.resolve.questions.tables import tables_within, up_to_tables
from formatspec.engine.spec.compiled import Format, compile_format, everything
from formatspec.engine.spec.names_join import unjoined
from formatspec.engine.spec.option_keys import key_options, options_in_keys
from formatspec.engine.spec.required_slots import required_slots
from formatspec.language.errors import Place, Problem, SpecError, suggest
from formatspec.language.leaf import Bind, names_of
from formatspec.language.load import Layout, Source, place_at
from formatspec.language.rules import Rule, within
from formatspec.language.schema import CategoryList, CategoryTable, OptionSpec
from formatspec.model.slots import SLOTS, find_slot

PALETTES = ("bits", "category.color")
MOST_CHOICES = 1000
"""The most combinations of option values that are compiled."""
_UNFORESEEN = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, AssertionError)
"""Errors that nobody foresaw. The author of the spec still learns which rule raised one."""
_ALL = ReadContext(everything, compares=True)


def compile_whole(source: Source) -> None:
    """Compile every layout of a spec with every combination of its options, for reading and for writing.

    Raises:
        SpecError: The spec has mistakes; it lists each one once.
    """
    problems: dict[Problem, None] = {}

    def attempt(act: Callable[[], object], place: Place) -> Any:
        try:
            return act()
        except SpecError as error:
            problems.update(dict.fromkeys(error.problems))
        except _UNFORESEEN as error:
            said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            problems[Problem(f"this rule cannot be compiled, which is a fault of formatspec ({said})", place)] = None
        return None

    for layout in source.layouts:
        problems.update(dict.fromkeys(_entries(source, layout)))
        for options in attempt(partial(choices, layout.spec.options), layout.node.place) or ():
            form = attempt(partial(compile_format, source, layout, options), layout.node.place)
            if form is None:
                break
            for role in form.documents:
                if role.kind == "pixels":
                    attempt(partial(role.raster, _ALL), role.place)
                    attempt(role.painter, role.place)
                else:
                    attempt(partial(role.reader, _ALL), role.place)
                    attempt(role.writer, role.place)
            attempt(partial(getattr, form, "levels"), layout.node.place)
            for role in form.roles.values():
                attempt(partial(getattr, role, "schema"), role.place)
            for code, check in form.spec.checks.items():
                attempt(partial(Check, form, code, check), place_at(layout.node, "checks", code))
            problems.update(dict.fromkeys(_twice(form)))
            problems.update(dict.fromkeys(attempt(partial(list, unjoined(form)), layout.node.place) or ()))
    if problems:
        raise SpecError(_worded_once(problems))


def forms(source: Source) -> Iterator[Format]:
    """Yield the layouts of a spec, each with every combination of its options."""
    for layout in source.layouts:
        for options in choices(layout.spec.options):
            yield compile_format(source, layout, options)


def choices(options: Mapping[str, OptionSpec]) -> list[dict[str, Any]]:
    """Return every combination of the choices of options. Raises SpecError if there are too many."""
    found: list[dict[str, Any]] = [{}]
    for name, option in options.items():
        tried = option.choices or option.prefers[:2]
        if tried:
            found = [{**known, name: choice} for known in found for choice in tried]
            if len(found) > MOST_CHOICES:
                raise SpecError((Problem(f"the options have more than {MOST_CHOICES} combinations", None),))
    return found


def notes(source: Source) -> tuple[Problem, ...]:
    """Return notes on what is no mistake in a spec but seldom intended, each once."""
    found = [note for form in forms(source) for note in required_slots(form)]
    for layout in source.layouts:
        for name, rule in layout.rules.items():
            found += _parted_by_blanks(rule)
            found += _category_by_attribute(rule) if "{category." not in layout.spec.files[name].path else ()
    return tuple(dict.fromkeys(found))


def _category_by_attribute(whole: Rule) -> Iterator[Problem]:
    """Yield notes on rows that give an attribute of their category but nothing that identifies the category."""
    for rule in tables_within(whole):
        if rule.each.table not in ("objects", "children", "labels", "areas"):
            continue
        told = [(name, one.place) for one in up_to_tables(rule.row) for name in names_of(one.leaf)]
        names = [(name, place) for name, place in told if name.startswith("category.")]
        if names and not rule.each.by and all(name.startswith("category.attributes.") for name, _ in names):
            name, place = names[0]
            message = f"no category is found by `{name}`, so that the rows have none"
            hint = "a code may be an `id`, be it a text: bind it as `id` in the list of classes, as `category.id` here"
            yield Problem(message, place, hint=hint)


_PARTS = {"bbox": 4, "rotated": 5, "circle": 3, "ellipse": 5}
"""Slots with a fixed number of values, which may stand under several keys."""


def _parted_by_blanks(rule: Rule) -> Iterator[Problem]:
    """Yield notes on a key of as many words as its slot has numbers: it is one key, but several were probably meant."""
    for field in (field for one in within(rule) for field in one.fields):
        leaf = field.rule.leaf
        words = field.keys[0].split()
        if len(field.keys) == 1 and isinstance(leaf, Bind) and _PARTS.get(leaf.names[0]) == len(words):
            hint = f"part them by commas if each is a key: `{', '.join(words)}`"
            yield Problem(f"`{field.keys[0]}` is one key, whose name has blanks", field.place, hint=hint)


def _worded_once(problems: Mapping[Problem, None]) -> list[Problem]:
    """Keep one problem for each place, since the reader and the writer report the same mistake in different words."""
    by_place: dict[Place | str, Problem] = {}
    for problem in problems:
        by_place.setdefault(problem.place or problem.message, problem)
    return list(by_place.values())


def _twice(form: Format) -> Iterator[Problem]:
    """Yield problems for roles with equal paths, whose files could not be told apart."""
    seen: dict[Any, str] = {}
    for name, role in form.roles.items():
        mark = (role.folder, *(p if isinstance(p, str) else (p.name, p.pattern) for p in role.template.parts))
        other = seen.setdefault(mark, name)
        if other != name:
            hint = "make one of the templates more specific, or put both documents' rules into one role"
            yield Problem(f"{other} and {name} claim the same path", role.place, "a path of its own", hint)


def _entries(source: Source, layout: Layout) -> Iterator[Problem]:
    """Yield problems for names in a spec that refer to nothing."""
    spec, node = layout.spec, layout.node
    for position, entry in enumerate(spec.categories):
        place = place_at(node, "categories", position)
        if isinstance(entry, CategoryTable):
            yield from _problems(partial(table_of, source, layout, entry))
            continue
        name = entry.list if isinstance(entry, CategoryList) else entry
        if name not in spec.files:
            yield Problem(f"`categories` names no role: {name!r}", place, hint=suggest(name, spec.files))
    for name, option in spec.options.items():
        allowed = [*option.choices] if option.choices else None
        given = [(option.default, ("default",)), *((v, ("follows", k)) for k, v in option.follows.items())]
        for value, path in given:
            if value is not None and allowed is not None and value not in allowed:
                hint = suggest(str(value), map(str, allowed))
                place = place_at(node, "options", name, *path)
                yield Problem(f"{value!r} is no choice of the option {name}", place, hint=hint)
        stands = name in options_in_keys(layout)
        if stands and option.initial is None:
            message = f"nothing says what the option {name} is where nobody states it"
            yield Problem(message, place_at(node, "options", name), "`default: NAME`, or `prefers: [NAME, …]`")
        if option.prefers and not stands:
            message = f"the option {name} prefers names, but stands in no key"
            yield Problem(message, place_at(node, "options", name), f'`"{{option.{name}}}": …` in a document')
        for slot in option.follows:
            if slot not in BITS:
                place = place_at(node, "options", name, "follows", slot)
                yield Problem(f"{slot!r} is no slot of an object", place, hint=suggest(slot, BITS))
    for name, stated in key_options(layout.rules).items():
        if name not in spec.options:
            yield Problem(f"{spec.name} has no option {name!r}", stated.place, hint=suggest(name, spec.options))
    for position, example in enumerate(spec.examples):
        at = place_at(node, "examples", position)
        yield from _problems(partial(source.beside, example, at))
    for rule in layout.rules.values():
        yield from _turned_round(rule)
    for name, role in spec.files.items():
        for encoding in role.encoding:
            if not _is_encoding(encoding):
                place = place_at(node, "files", name, "encoding")
                yield Problem(f"there is no text encoding {encoding!r}", place, hint=suggest(encoding, _ENCODINGS))
        if role.palette is not None and role.palette not in PALETTES:
            place = place_at(node, "files", name, "palette")
            yield Problem(f"there is no palette {role.palette!r}", place, hint=suggest(role.palette, PALETTES))


def _turned_round(rule: Rule) -> Iterator[Problem]:
    """Yield problems for leaves whose key is a slot and whose text is not: the two are probably swapped."""
    for field in (field for one in within(rule) for field in one.fields):
        leaf, key = field.rule.leaf, field.keys[0]
        if isinstance(leaf, Bind) and "." in key and _is_slot(key) and not any(map(_is_slot, leaf.names)):
            message = f"`{key}` is a slot, and stands where the key of the document belongs"
            turned = f"`{', '.join(leaf.names)}: {', '.join(field.keys)}`"
            yield Problem(message, field.place, f"the document's key on the left, what it means on the right: {turned}")


def _is_slot(name: str) -> bool:
    return any(find_slot(kind, name) is not None for kind in SLOTS)


def _problems(act: Callable[[], object]) -> tuple[Problem, ...]:
    try:
        act()
    except SpecError as error:
        return error.problems
    return ()


_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252", "ascii")


def _is_encoding(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


__all__ = ["choices", "compile_whole", "forms", "notes"]
