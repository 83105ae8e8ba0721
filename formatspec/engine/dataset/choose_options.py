"""Chooses the options that stand in documents by the keys and values that a dataset's documents have."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import msgspec

from formatspec.engine.base.faults import Fault
from formatspec.engine.dataset.document_shape import differs
from formatspec.engine.resolve.discriminators import keys_of, row_test
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.text_template import text_template
from formatspec.engine.spec.compiled import Format, Role, compile_format
from formatspec.engine.spec.option_keys import (
    KeyOption,
    key_options,
    key_pattern,
    option_of,
    option_value,
    options_in_keys,
)
from formatspec.engine.spec.path_options import options_in_paths
from formatspec.language.errors import Problem, SpecError
from formatspec.language.leaf import Bind, Text
from formatspec.language.rules import Field, LeafRule, ListRule, MapRule, OneOf, Rule, TableRule
from formatspec.language.schema import OptionSpec

FILES = 16
"""How many files of a role are looked at for keys."""

Documents = Callable[[Role], Iterable[Any]]
"""Gives some documents of a role."""


def with_names(form: Format, given: Mapping[str, Any], documents: Documents) -> Format:
    """Choose those options of a format that stand in documents: the given value, or what the documents have.

    An option in a key gets the name that it prefers most among those in the documents, or the only one. If there are
    several names and none is preferred, an optional key has no value and a required one has the first. An option that
    stands as a value gets none.

    Args:
        form: The format.
        given: The options that the user gives.
        documents: Gives some documents of a role.

    Returns:
        The format. Its `names` holds the names that were found; of options that stand as values, only those of which
            one
        list has several.

    Raises:
        SpecError: A given option is wrong.
    """
    form = _as_told(form, given, documents)
    options, in_paths = options_in_keys(form.layout), options_in_paths(form.spec)
    if not options:
        return form
    found = _found_in(form, documents)
    chosen = dict(form.options)
    names = {name: form.names[name] for name in in_paths if name in form.names}
    for name, option in options.items():
        names[name] = tuple(found.names.get(name, ()))
        if option.value:
            asked = given.get(name)
            chosen[name] = next((one for one in names[name] if str(one) == str(asked)), asked)
            names[name] = names[name] if asked is not None or name in found.together else ()
        elif given.get(name) is None:
            chosen[name] = _choice(option, names[name], form)
    return compile_format(form.source, form.layout, chosen, names)


def _as_told(form: Format, given: Mapping[str, Any], documents: Documents) -> Format:
    """Set the options that are not given and whose choice a document states, as `told_by` says."""
    told: dict[str, Any] = {}
    for name, option in form.spec.options.items():
        for role, keys in option.told_by.items() if given.get(name) is None else ():
            first = next(iter(documents(form.roles[role])), None) if role in form.roles else None
            stated = _value_at(first, keys.split("."))
            is_count = bool(option.counts) and type(stated) is int and stated > 0
            if is_count or any(one == stated and type(one) is type(stated) for one in option.choices):
                told[name] = stated
    if not told or all(form.options.get(name) == value for name, value in told.items()):
        return form
    chosen = {name: value for name, value in form.options.items() if value is not None}
    return compile_format(form.source, form.layout, {**chosen, **told}, form.names)


def _value_at(document: Any, keys: Sequence[str]) -> Any:
    """Return the value below some keys of a document, or below positions of a list; None if there is none."""
    for key in keys:
        if isinstance(document, dict):
            document = document.get(key)
        elif isinstance(document, list) and key.isdecimal() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document


def _choice(option: KeyOption, names: tuple[Any, ...], form: Format) -> str | None:
    stated = form.spec.options[option.name]
    best = next((name for name in _preferred(stated) if name in names), None)
    if best is not None:
        return str(best)
    if not names:
        return None if stated.initial is None else str(stated.initial)
    return names[0] if len(names) == 1 or not option.optional else None


def _preferred(option: OptionSpec) -> tuple[Any, ...]:
    """Return the names that an option prefers, the most preferred first."""
    return (*((option.default,) if option.default is not None else ()), *option.prefers)


def _as_argument(name: str, choice: Any) -> str:
    """Return a choice as a user types it."""
    return f"-O {shlex.quote(f'{name}={choice}')}"


def undecided(form: Format, given: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield faults about options that the documents' keys do not decide.

    Raises:
        SpecError: The dataset cannot be read without a choice, or no document has what is given.
    """
    for name in (name for name in options_in_paths(form.spec) if len(form.names.get(name, ())) > 1):
        told = f": {form.spec.options[name].about}" if form.spec.options[name].about else ""
        listed = " and ".join(map(str, form.names[name]))
        message = f"the option {name} is not stated, and files of several of its choices stand side by side{told}"
        raise SpecError(
            (Problem(f"{message}; they are {listed}", None, f"{_as_argument(name, form.names[name][0])}, or another"),)
        )
    for name, names in form.names.items():
        if name not in options_in_keys(form.layout):
            continue
        stated, option = form.spec.options[name], options_in_keys(form.layout)[name]
        listed = ", ".join(sorted(map(str, names)))
        expected = f"-O {name}=NAME, where NAME is one of {listed}"
        asked = given.get(name)
        told = f": {stated.about}" if stated.about else ""
        if asked is not None:
            if names and str(asked) not in map(str, names) and asked != stated.initial:
                message = f"the documents have no {asked!r} for the option {name}{told}"
                raise SpecError((Problem(message, None, f"one of {listed}"),))
        elif option.value and names:
            message = f"the option {name} is not stated, and rows of several stand in one list{told}"
            raise SpecError((Problem(message, option.place, expected),))
        elif len(names) < 2 or set(_preferred(stated)) & set(names):
            continue
        elif not option.optional:
            message = f"the option {name} is not stated, and the documents have several{told}"
            raise SpecError((Problem(message, option.place, expected),))
        else:
            message = f"the option {name} is left open, since the documents have several{told}"
            yield Fault("OPTION_OPEN", "", (), option.place, message, expected)


class _Found(msgspec.Struct, eq=False):
    """What documents contain in the places of options.

    Attributes:
        names: The names of each option, in the order in which they were found.
        together: Options that stand as a value and of which one list has several values.
        here: The values of those options in the current list.
        told: How many names were noted.
    """

    names: dict[str, dict[Any, None]] = {}
    together: set[str] = set()
    here: dict[str, dict[Any, None]] = {}
    told: int = 0

    def note(self, option: str, names: Iterable[Any]) -> None:
        """Note names of an option."""
        known = dict.fromkeys(names)
        self.told += len(known)
        self.names.setdefault(option, {}).update(known)


def _found_in(form: Format, documents: Documents) -> _Found:
    """Return what the documents of a dataset contain in the places of options."""
    found = _Found()
    for name, role in form.roles.items():
        rule = form.layout.rules.get(name)
        if rule is None or role.kind == "pixels" or not key_options({"": rule}):
            continue
        for document in documents(role):
            _collect(rule, role.scope, document, frozenset(), found)
    return found


def _collect(rule: Rule, scope: Scope, value: Any, known: Set[str], found: _Found) -> None:
    """Note what a value contains in the places of options; `known` are the keys that the rule names itself."""
    tables = rule.choices
    if all(isinstance(one, TableRule) for one in tables):
        _collect_in_rows(tuple(one for one in tables if isinstance(one, TableRule)), scope, value, found)
    elif isinstance(rule, OneOf):
        for choice in rule.alternatives:
            if not key_options({"": choice}) and not differs(choice, scope, value) and _has_texts(choice, scope, value):
                break  # this alternative reads the value, so the options of later ones do not matter
            _collect(choice, scope, value, known, found)
    elif isinstance(rule, ListRule):
        for one, part in zip(rule.rules, value if isinstance(value, list) else (), strict=False):
            _collect(one, scope, part, frozenset(), found)
    elif isinstance(rule, MapRule) and isinstance(value, dict):
        _collect_in_mapping(rule, scope, value, known, found)


def _collect_in_rows(tables: tuple[TableRule, ...], scope: Scope, value: Any, found: _Found) -> None:
    """Note what rows contain: each is read with the first table that fits, or with all if none fits."""
    rows: Iterable[Any] = value if isinstance(value, list) else ()
    if isinstance(value, dict):
        rows = value.values() if tables[0].keyed else (value,)
    choices = [(one, scope.inside(one.each.table)) for one in tables]
    tests = [row_test(one.row, inner) for one, inner in choices]
    around, found.here = found.here, {}
    for row in rows:
        fitting = [choice for choice, test in zip(choices, tests, strict=True) if test(row)]
        for table, inner in fitting or choices:
            told = found.told
            _collect(table.row, inner, row, frozenset(), found)
            if fitting and (found.told > told or not key_options({"": table.row})):
                break
    found.together.update(name for name, values in found.here.items() if len(values) > 1)
    found.here = around


def _collect_in_mapping(rule: MapRule, scope: Scope, value: dict[str, Any], known: Set[str], found: _Found) -> None:
    inner, named = scope.below(), known | keys_of(rule)
    required: dict[str, list[Field]] = {}
    for field in rule.fields:
        option, as_value = option_of(field), option_value(field.rule)
        stated = value.get(field.keys[0])
        if as_value is not None:
            if isinstance(stated, str | int) and not isinstance(stated, bool):
                found.note(as_value, (stated,))
                found.here.setdefault(as_value, {})[stated] = None
        elif option is None:
            for key in field.keys:
                if key in value:
                    _collect(field.rule, inner, value[key], frozenset(), found)
        elif field.optional:
            found.note(option, _matching(field, inner, value, named))
        else:
            required.setdefault(option, []).append(field)
    for option, fields in required.items():
        first, *others = ([*_matching(field, inner, value, named)] for field in fields)
        found.note(option, [name for name in first if all(name in other for other in others)])
    for choice in rule.alternatives:
        _collect(choice, scope, value, named, found)


def _matching(field: Field, scope: Scope, value: dict[str, Any], named: Set[str]) -> Iterator[str]:
    """Yield the names with which an option would turn a field's key into a key of the mapping with a fitting value."""
    pattern = key_pattern(field)
    for key, part in value.items():
        matched = pattern.fullmatch(key) if isinstance(key, str) and key not in named else None
        if matched is not None and part is not None and _fits(field.rule, scope, part):
            yield matched[1]


def _fits(rule: Rule, scope: Scope, value: Any) -> bool:
    if not isinstance(rule, LeafRule):
        return not differs(rule, scope, value) and _has_texts(rule, scope, value)
    leaf = rule.leaf
    if not isinstance(leaf, Bind):
        return _has_texts(rule, scope, value)
    meaning = scope.meaning(leaf.names[0]) if len(leaf.names) == 1 and not leaf.calls else None
    if meaning is not None and meaning.value_type == "text":
        return isinstance(value, str)
    return isinstance(value, str | int | float) and not isinstance(value, bool) if meaning is not None else True


def _has_texts(rule: Rule, scope: Scope, value: Any) -> bool:
    """Return whether a value has the texts that a rule requires, in the form that its templates state."""
    if isinstance(rule, OneOf):
        return any(_has_texts(choice, scope, value) for choice in rule.alternatives)
    if isinstance(rule, LeafRule):
        if not isinstance(rule.leaf, Text) or option_value(rule) is not None:
            return True
        return isinstance(value, str) and text_template(rule.leaf, scope, rule.place).match(value) is not None
    if not isinstance(rule, MapRule) or not isinstance(value, dict):
        return True
    inner = scope.below()
    return all(_has_texts(choice, scope, value) for choice in rule.alternatives) and all(
        _has_texts(field.rule, inner, value.get(field.keys[0]))
        for field in rule.fields
        if not field.optional and len(field.keys) == 1 and option_of(field) is None
    )
