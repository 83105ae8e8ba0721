"""Options that stand in keys of documents, chosen from the keys that the documents of a dataset have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any

from formatspec.engine.base.faults import Fault
from formatspec.engine.dataset.document_shape import differs
from formatspec.engine.resolve.discriminators import keys_of
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.spec.compiled import Format, Role, compile_format
from formatspec.engine.spec.option_keys import KeyOption, key_options, key_pattern, option_of, options_in_keys
from formatspec.language.errors import Problem, SpecError
from formatspec.language.leaf import Bind
from formatspec.language.rules import Field, LeafRule, ListRule, MapRule, OneOf, Rule, TableRule

FILES = 16
"""Files of a role whose keys are looked at."""

Documents = Callable[[Role], Iterable[Any]]
"""Gives some documents of a role."""


def with_names(form: Format, given: Mapping[str, Any], documents: Documents) -> Format:
    """A format with the options that stand in keys chosen: as given, else as the documents' keys have it.

    Of the names in the documents that is taken which the option prefers most, else the only one. Where there are
    several others, an option whose keys may be absent has no value, and any other the first.  The format's `names`
    holds the names that were found.  Raises SpecError.
    """
    options = options_in_keys(form.layout)
    if not options:
        return form
    found = _names_in(form, documents)
    chosen = dict(form.options)
    for name, option in options.items():
        if given.get(name) is None:
            chosen[name] = _choice(option, found.get(name, ()), form)
    return compile_format(form.source, form.layout, chosen, {name: found.get(name, ()) for name in options})


def _choice(option: KeyOption, names: tuple[str, ...], form: Format) -> str | None:
    stated = form.spec.options[option.name]
    preferred = (*((stated.default,) if stated.default is not None else ()), *stated.prefers)
    best = next((name for name in preferred if name in names), None)
    if best is not None:
        return str(best)
    if not names:
        return None if stated.initial is None else str(stated.initial)
    return names[0] if len(names) == 1 or not option.optional else None


def undecided(form: Format, given: Mapping[str, Any]) -> Iterator[Fault]:
    """What there is to say of options whose keys the documents do not decide.

    Raises SpecError where the dataset cannot be read without a choice, or where what is given is in no document.
    """
    for name, names in form.names.items():
        stated, about = form.spec.options[name], form.spec.options[name].about
        listed = ", ".join(sorted(names))
        asked = given.get(name)
        if asked is not None:
            if names and asked not in names and asked != stated.initial:
                message = f"the documents have no {asked!r} where the option {name} names a key"
                raise SpecError((Problem(message, None, f"one of {listed}"),))
            continue
        if len(names) < 2 or {stated.default, *stated.prefers} & set(names):
            continue
        option = options_in_keys(form.layout)[name]
        told = f": {about}" if about else ""
        if not option.optional:
            message = f"the option {name} is not stated, and the documents have several{told}"
            raise SpecError((Problem(message, option.place, f"-O {name}=NAME, where NAME is one of {listed}"),))
        message = f"the option {name} is left open, since the documents have several{told}"
        yield Fault("OPTION_OPEN", "", (), option.place, message, f"-O {name}=NAME, where NAME is one of {listed}")


def _names_in(form: Format, documents: Documents) -> dict[str, tuple[str, ...]]:
    """The names that the documents have where options stand in keys."""
    found: dict[str, dict[str, None]] = {}
    for name, role in form.roles.items():
        rule = form.layout.rules.get(name)
        if rule is None or role.kind == "pixels" or not _holds_options(rule):
            continue
        for document in documents(role):
            _collect(rule, role.scope, document, frozenset(), found)
    return {name: tuple(names) for name, names in found.items()}


def _holds_options(rule: Rule) -> bool:
    return bool(key_options({"": rule}))


def _collect(rule: Rule, scope: Scope, value: Any, known: Set[str], found: dict[str, dict[str, None]]) -> None:
    """Note the names that a value has where its rule has options in keys.  known: keys that the rule names itself."""
    if isinstance(rule, OneOf):
        for choice in rule.alternatives:
            _collect(choice, scope, value, known, found)
    elif isinstance(rule, TableRule):
        rows: Iterable[Any] = value if isinstance(value, list) else ()
        if isinstance(value, dict):
            rows = value.values() if rule.keyed else (value,)
        for row in rows:
            _collect(rule.row, scope.inside(rule.each.table), row, frozenset(), found)
    elif isinstance(rule, ListRule):
        for one, part in zip(rule.rules, value if isinstance(value, list) else (), strict=False):
            _collect(one, scope, part, frozenset(), found)
    elif isinstance(rule, MapRule) and isinstance(value, dict):
        _collect_in_mapping(rule, scope, value, known, found)


def _collect_in_mapping(
    rule: MapRule, scope: Scope, value: dict[str, Any], known: Set[str], found: dict[str, dict[str, None]]
) -> None:
    inner, named = scope.below(), known | keys_of(rule)
    required: dict[str, list[Field]] = {}
    for field in rule.fields:
        option = option_of(field)
        if option is None:
            for key in field.keys:
                if key in value:
                    _collect(field.rule, inner, value[key], frozenset(), found)
        elif field.optional:
            found.setdefault(option, {}).update(dict.fromkeys(_matching(field, inner, value, named)))
        else:
            required.setdefault(option, []).append(field)
    for option, fields in required.items():
        first, *others = ([*_matching(field, inner, value, named)] for field in fields)
        names = [name for name in first if all(name in other for other in others)]
        found.setdefault(option, {}).update(dict.fromkeys(names))
    for choice in rule.alternatives:
        _collect(choice, scope, value, named, found)


def _matching(field: Field, scope: Scope, value: dict[str, Any], named: Set[str]) -> Iterator[str]:
    """The names by which an option would make a field's key one of a mapping's, under which stands what fits."""
    pattern = key_pattern(field)
    for key, part in value.items():
        matched = pattern.fullmatch(key) if isinstance(key, str) and key not in named else None
        if matched is not None and part is not None and _fits(field.rule, scope, part):
            yield matched[1]


def _fits(rule: Rule, scope: Scope, value: Any) -> bool:
    if not isinstance(rule, LeafRule):
        return not differs(rule, scope, value)
    leaf = rule.leaf
    if not isinstance(leaf, Bind):
        return True
    meaning = scope.meaning(leaf.names[0]) if len(leaf.names) == 1 and not leaf.calls else None
    if meaning is not None and meaning.value_type == "text":
        return isinstance(value, str)
    return isinstance(value, str | int | float) and not isinstance(value, bool) if meaning is not None else True
