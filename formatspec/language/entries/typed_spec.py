"""Checks the types of a spec's entries, and words what is wrong in the terms of the language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from formatspec.language.errors import Place, Problem, SpecError, nearest
from formatspec.language.schema import DOCUMENTS, FileSpec, Spec
from formatspec.language.words.other_names import word_hint
from formatspec.language.yaml_source import Node, to_plain

_SHOWN = 60
_PLAIN_TYPES = {str: "a text", int: "a whole number", bool: "true or false", float: "a number"}


def typed(node: Node) -> Spec:
    """Return a spec's entries with their types. Raises SpecError with the place of every entry of a wrong type."""
    try:
        spec = Spec.model_validate(to_plain(node))
    except ValidationError as error:
        raise SpecError(tuple(_problems(node, error.errors()))) from None
    doubled = tuple(_two_documents(node, spec))
    if doubled:
        raise SpecError(doubled)
    return spec


def _two_documents(node: Node, spec: Spec) -> Iterator[Problem]:
    for name, role in spec.files.items():
        kinds = [kind for kind in DOCUMENTS if getattr(role, "json_" if kind == "json" else kind) is not None]
        if len(kinds) > 1:
            entry = node.value["files"].value[name]
            place = entry.keys.get(kinds[1], entry.value[kinds[1]].place)
            message = f"files.{name} has two documents: {' and '.join(kinds)}"
            yield Problem(message, place, "one for each role", "make a role of its own for the other")


class _Spot(NamedTuple):
    """A place in a spec: its entry, its keys from the top, and what may stand there."""

    node: Node
    path: tuple[str, ...]
    allowed: Any
    about: str
    place: Place

    @property
    def where(self) -> str:
        return ".".join(self.path)


def _problems(node: Node, details: Sequence[Any]) -> Iterator[Problem]:
    """Yield one problem for each mistake; if an entry may be of several kinds, the most similar one is assumed."""
    unions: set[tuple[str, ...]] = set()
    strange = {_parent(detail): str(detail["loc"][-1]) for detail in details if detail["type"] == "extra_forbidden"}
    for detail in details:
        spot, rest, kind = _followed(node, detail["loc"])
        if kind is not None and not isinstance(kind, str):
            chosen = _resembled(spot)
            if chosen is None or not isinstance(spot.node.value, dict):
                if spot.path not in unions:
                    unions.add(spot.path)
                    yield _another(spot)
                continue
            if kind is not chosen:
                continue
            spot = spot._replace(allowed=chosen)
        word = str(rest[-1]) if rest else ""
        if detail["type"] == "missing":
            lacked = strange.get(_parent(detail))
            if lacked is None or nearest(lacked, [word]) is None:
                yield _missing(spot, word)
        elif detail["type"] == "extra_forbidden":
            yield _strange(spot, word)
        else:
            yield _unfit(spot, detail)


def _parent(detail: Any) -> tuple[Any, ...]:
    return tuple(detail["loc"][:-1])


def _followed(node: Node, loc: Sequence[Any]) -> tuple[_Spot, tuple[Any, ...], Any]:
    """Return the entry that a location leads to, the rest of the location, and its kind if there are several."""
    spot = _Spot(node, (), Spec, "", node.place)
    kind: Any = None
    for at, part in enumerate(loc):
        kinds = _kinds(spot.allowed)
        if len(kinds) > 1 and kind is None and (tagged := _tagged(kinds, part)) is not None:
            kind = tagged
            continue
        value = spot.node.value
        inner: Node | None = None
        place = None
        if isinstance(value, dict) and str(part) in value:
            inner = value[str(part)]
            place = spot.node.keys.get(str(part))
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            inner = value[part]
        elif isinstance(part, int) and not isinstance(value, list | dict):
            inner = spot.node  # a value in place of a list with that one value
        is_strange = place is not None and not any(_named(one, str(part)) for one in _models(kind or spot.allowed))
        if inner is None or (is_strange and at == len(loc) - 1 and _models(kind or spot.allowed)):
            return spot._replace(place=place or spot.place), tuple(loc[at:]), kind
        allowed, about = _inside(kind if kind is not None else spot.allowed, part)
        steps = (*spot.path, str(part)) if inner is not spot.node else spot.path
        spot, kind = _Spot(inner, steps, allowed, about or spot.about, inner.place), None
    return spot, (), kind


def _kinds(allowed: Any) -> tuple[Any, ...]:
    """Return the kinds of values that an annotation allows, without null."""
    origin = get_origin(allowed)
    if origin in (Union, UnionType):
        return tuple(kind for one in get_args(allowed) for kind in _kinds(one) if kind is not NoneType)
    if hasattr(allowed, "__metadata__"):
        return (allowed,) if _own_words(allowed) else _kinds(get_args(allowed)[0])
    return (allowed,)


def _own_words(allowed: Any) -> str:
    """Return the language's name for what an annotation allows, if the annotation states one."""
    told = (getattr(one, "description", None) for one in getattr(allowed, "__metadata__", ()))
    return next((one for one in told if one), "")


def _tagged(kinds: Sequence[Any], part: Any) -> Any:
    """Return the kind that a step of a location names."""
    bare = [(get_args(one)[0] if hasattr(one, "__metadata__") else one, one) for one in kinds]
    names = {getattr(one, "__name__", str(one)) if get_origin(one) is None else str(one): whole for one, whole in bare}
    return names.get(str(part))


def _models(allowed: Any) -> list[Any]:
    return [one for one in _kinds(allowed) if isinstance(one, type) and issubclass(one, BaseModel)]


def _named(model: Any, word: str) -> Any:
    return next((field for name, field in model.model_fields.items() if word == (field.alias or name)), None)


def _inside(allowed: Any, part: Any) -> tuple[Any, str]:
    """Return what an annotation allows under a key or at a position, and what it is for."""
    for one in _kinds(allowed):
        if isinstance(one, type) and issubclass(one, BaseModel):
            field = _named(one, str(part))
            if field is not None:
                return field.annotation, field.description or ""
        elif get_args(one):
            return get_args(one)[1 if get_origin(one) is dict else 0], ""
    return Any, ""


def _words(model: Any) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _resembled(spot: _Spot) -> Any:
    """Return the kind of mapping whose words an entry has or nearly has; None if there is none."""
    if not isinstance(spot.node.value, dict):
        return None
    models = _models(spot.allowed)
    scores: list[int] = [sum(nearest(str(key), _words(one)) is not None for key in spot.node.value) for one in models]
    best = max(scores, default=0)
    return models[scores.index(best)] if best else None


def _said(allowed: Any) -> str:
    """Return in words what an annotation allows."""
    said = list(dict.fromkeys(filter(None, (_kind_said(one) for one in _kinds(allowed)))))
    return said[0] if len(said) < 2 else f"{', '.join(said[:-1])}, or {said[-1]}"


def _kind_said(one: Any) -> str:
    if _own_words(one):
        return _own_words(one)
    if one is FileSpec:
        return "the path of its files, or a mapping with `path`"
    if isinstance(one, type) and issubclass(one, BaseModel):
        needed = [
            name for name, field in zip(_words(one), one.model_fields.values(), strict=True) if field.is_required()
        ]
        shown = needed or _words(one)
        return f"a mapping {{{', '.join(f'{word}: …' for word in shown[:6])}}}"
    if get_origin(one) is Literal:
        return " or ".join(repr(choice) for choice in get_args(one))
    if get_origin(one) in (tuple, list):
        inner = _said(get_args(one)[0])
        return "a list, each entry behind a dash" + (f" or between brackets: {inner}" if inner else "")
    if get_origin(one) is dict:
        return f"a mapping, of which each entry is {_said(get_args(one)[1])}"
    return _PLAIN_TYPES.get(one, "")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _about(spot: _Spot) -> str:
    return f" ({spot.about})" if spot.about else ""


def _another(spot: _Spot) -> Problem:
    """Return the problem of an entry of a kind that is not allowed there."""
    return Problem(
        f"{spot.where or 'this'} is {_shown(to_plain(spot.node))}", spot.place, f"{_said(spot.allowed)}{_about(spot)}"
    )


def _missing(spot: _Spot, word: str) -> Problem:
    field = next((found for one in _models(spot.allowed) if (found := _named(one, word)) is not None), None)
    expected = f"`{word}: …`" + (f", {field.description}" if field is not None and field.description else "")
    return Problem(f"{word!r} is missing" + (f" in {spot.where}" if spot.path else ""), spot.place, expected)


def _strange(spot: _Spot, word: str) -> Problem:
    models = _models(spot.allowed)
    words = _words(models[0]) if models else []
    place = spot.node.keys.get(word) or spot.place
    return Problem(f"{word!r} is no word of the language here", place, hint=word_hint(word, words))


def _unfit(spot: _Spot, detail: Any) -> Problem:
    where, given = spot.where or "this", to_plain(spot.node)
    kind = detail["type"]
    if kind == "literal_error":
        expected = detail["ctx"]["expected"]
        choices = [one or other for one, other in re.findall(r"\"([^\"]*)\"|'([^']*)'", expected)]
        near = nearest(given, choices) if isinstance(given, str) else None
        return Problem(f"{where} is {given!r}", spot.place, expected, hint=f"did you mean {near!r}?" if near else "")
    if kind == "string_too_short":
        return Problem(f"{where} is empty", spot.place, "some text")
    if kind == "string_pattern_mismatch":
        upper = "[A-Z]" in detail["ctx"]["pattern"]
        expected = f"letters, digits and _, in {'capitals' if upper else 'lower case'}, a letter first"
        plain = re.sub(r"\W+", "_", str(given)).strip("_")
        near = plain.upper() if upper else plain.lower()
        hint = f"for instance {near}" if re.match("[A-Za-z]", near) else ""
        return Problem(f"{where} is {given!r}", spot.place, expected, hint)
    if kind == "tuple_type":
        return Problem(f"{where} is not a list", spot.place, f"{_said(spot.allowed)}{_about(spot)}")
    return _another(spot)
