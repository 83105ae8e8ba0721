"""JSON Schema (Draft 2020-12), for what leaves do not state. jsonschema-rs checks first, and jsonschema decides.

A schema may only refer to places within itself, and `schema_bounds` limits how much work it may cause. Patterns use a
regular expression engine with linear time. jsonschema has slow patterns and compares each value of a list with every
other one, so it does not decide where that would take long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NoReturn

from formatspec.engine.base.faults import Fault
from formatspec.engine.resolve.schema_bounds import Path, SchemaError, TooOftenError, bound_of, parts
from formatspec.language.errors import Place

Schema = Callable[[Any], Iterable[tuple[tuple[str | int, ...], str]]]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_DRAFTS = ("http://json-schema.org/draft-", "https://json-schema.org/draft/")
_OTHER_REFERENCES = ("$dynamicRef", "$recursiveRef")
"""References whose meaning depends on the referring schema. They are refused, since other references suffice."""
_FOR_QUICK_ALONE = frozenset(
    {"pattern", "patternProperties", "uniqueItems", "unevaluatedProperties", "unevaluatedItems"}
)
"""Keywords for which jsonschema takes more than linear time."""

SHOWN = 240
"""How many characters of a message are shown: it quotes the value at fault, which may be a whole document."""


def compile_schema(schema: Any) -> Schema:
    """Compile a JSON Schema to a function that returns what is wrong with a document, with paths.

    Raises:
        SchemaError: It is no valid schema, it has a reference to outside or to itself, or a pattern cannot be matched
            in linear time.
    """
    import jsonschema_rs

    is_quick_alone, bound = _look_through(schema), bound_of(schema)
    try:
        quick = jsonschema_rs.validator_for(
            {**schema, "$schema": _DRAFT}, retriever=_refused, pattern_options=jsonschema_rs.RegexOptions()
        )
    except (ValueError, TypeError, RecursionError) as error:
        raise SchemaError(f"this schema cannot be used: {str(error).splitlines()[0]}") from None

    @cache
    def decides() -> Any:
        import jsonschema
        import referencing

        return jsonschema.Draft202012Validator(schema, registry=referencing.Registry())

    def check(document: Any) -> Iterable[tuple[Path, str]]:
        try:
            if bound is not None:
                bound(document)
            if quick.is_valid(document):
                return ()
            if is_quick_alone:
                return [(tuple(error.instance_path), error.message) for error in quick.iter_errors(document)]
        except TooOftenError as error:
            return [((), f"the document cannot be checked: {error}")]
        except (ValueError, TypeError) as error:
            if is_quick_alone:
                return [((), f"the document cannot be checked: {str(error).splitlines()[0]}")]
        try:
            return [(tuple(error.absolute_path), error.message) for error in decides().iter_errors(document)]
        except RecursionError:
            return [((), "the document cannot be checked: the schema leads from itself to itself too often")]

    return check


def _refused(address: str) -> NoReturn:
    raise ValueError(f"only references within the document are allowed, not {address!r}")


def _look_through(schema: Any) -> bool:
    """Raise SchemaError for an invalid schema; return whether jsonschema-rs alone decides."""
    if not isinstance(schema, dict):
        raise SchemaError("this is no JSON Schema: expected a mapping")
    import jsonschema_rs

    is_quick_alone = False
    references: list[Path] = []
    named: list[Path] = []
    for path, part in parts(schema, ()):
        is_quick_alone = is_quick_alone or not _FOR_QUICK_ALONE.isdisjoint(part)
        for word in ("$ref", *_OTHER_REFERENCES):
            reference = part.get(word)
            if isinstance(reference, str):
                references.append((*path, word))
                if word in _OTHER_REFERENCES or not (reference == "#" or reference.startswith("#/")):
                    message = f'only references within the document are allowed (`$ref: "#/…"`), not {reference!r}'
                    raise SchemaError(message, (*path, word))
        if path and isinstance(part.get("$id"), str):
            named.append((*path, "$id"))
        stated = part.get("$schema", _DRAFT)
        if isinstance(stated, str) and not stated.startswith(_DRAFTS):
            raise SchemaError(f"no version of JSON Schema is {stated!r}", (*path, "$schema"))
        several = part.get("patternProperties")
        patterns = [((*path, "pattern"), part["pattern"])] if isinstance(part.get("pattern"), str) else []
        if isinstance(several, dict):
            patterns += [((*path, "patternProperties", pattern), pattern) for pattern in several]
        for place, pattern in patterns:
            try:
                jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions())
            except ValueError:
                message = f"the pattern {pattern!r} is no regular expression that can be matched in bounded time"
                raise SchemaError(f"{message}: it may not look around or refer back", place) from None
    if references and named:
        raise SchemaError("a part with an `$id` of its own is not allowed beside references", named[0])
    try:
        jsonschema_rs.meta.validate({**schema, "$schema": _DRAFT})
    except (jsonschema_rs.ValidationError, ValueError) as error:
        if not isinstance(error, jsonschema_rs.ValidationError):
            raise SchemaError(f"this is no JSON Schema: {str(error).splitlines()[0]}") from None
        raise SchemaError(f"this is no JSON Schema: {error.message}", tuple(error.instance_path)) from None
    return is_quick_alone


def schema_faults(schema: Schema | None, document: Any, file: str, place: Place) -> list[Fault]:
    """Return where a document breaks its schema, as faults."""
    if schema is None:
        return []
    return [Fault("SCHEMA", file, path, place, _shortened(message)) for path, message in schema(document)]


def _shortened(message: str) -> str:
    """Return a message without the middle of a long value that it quotes."""
    return message if len(message) <= SHOWN else f"{message[: SHOWN // 2]} … {message[-SHOWN // 2 :]}"
