"""JSON Schema (Draft 2020-12) for what leaves do not say: jsonschema-rs looks first, jsonschema decides.

A schema reaches for nothing beyond itself: references lead to places within it. Patterns are those of the engine that
matches in time proportional to the text; jsonschema, whose patterns backtrack, does not decide where there are any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NoReturn

from formatspec.engine.base.faults import Fault
from formatspec.language.errors import Place

Schema = Callable[[Any], Iterable[tuple[tuple[str | int, ...], str]]]
Path = tuple[str | int, ...]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_DRAFTS = ("http://json-schema.org/draft-", "https://json-schema.org/draft/")
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_IN_PLACE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"})
"""Keywords whose schemas look at the same value again."""
_OPAQUE = frozenset({"const", "enum", "default", "examples"})
"""Keywords that hold values, not schemas."""
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
"""Keywords that hold schemas by names, which may be any word."""


class SchemaError(ValueError):
    """What makes a schema none that can be used: in words, and where in the schema."""

    def __init__(self, message: str, path: Path = ()) -> None:
        super().__init__(message, path)
        self.message = message
        self.path = path

    def __str__(self) -> str:
        return self.message


def compile_schema(schema: Any) -> Schema:
    """A JSON Schema as a function that gives what is wrong with a document: where, and in words.

    Raises SchemaError for what is no schema, for a reference that leads out of it or back to itself, and for a pattern
    that cannot be matched in time proportional to the text.
    """
    import jsonschema_rs

    has_patterns = _look_through(schema)
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
            if quick.is_valid(document):
                return ()
            if has_patterns:
                return [(tuple(error.instance_path), error.message) for error in quick.iter_errors(document)]
        except (ValueError, TypeError) as error:
            if has_patterns:
                return [((), f"the document cannot be checked: {str(error).splitlines()[0]}")]
        try:
            return [(tuple(error.absolute_path), error.message) for error in decides().iter_errors(document)]
        except RecursionError:
            return [((), "the document cannot be checked: the schema leads from itself to itself too often")]

    return check


def _refused(address: str) -> NoReturn:
    raise ValueError(f"only references within the document are allowed, not {address!r}")


def _look_through(schema: Any) -> bool:
    """Raise SchemaError where a schema is none or reaches out; gives whether it has patterns."""
    if not isinstance(schema, dict):
        raise SchemaError("this is no JSON Schema: expected a mapping")
    import jsonschema
    import jsonschema_rs

    has_patterns = False
    for path, part in _mappings(schema, ()):
        for word in _REFERENCES:
            if isinstance(part.get(word), str) and not part[word].startswith("#"):
                message = f"only references within the document are allowed (`#/…`), not {part[word]!r}"
                raise SchemaError(message, (*path, word))
        stated = part.get("$schema", _DRAFT)
        if isinstance(stated, str) and not stated.startswith(_DRAFTS):
            raise SchemaError(f"no version of JSON Schema is {stated!r}", (*path, "$schema"))
        several = part.get("patternProperties")
        patterns = [((*path, "pattern"), part["pattern"])] if isinstance(part.get("pattern"), str) else []
        if isinstance(several, dict):
            patterns += [((*path, "patternProperties", pattern), pattern) for pattern in several]
        for place, pattern in patterns:
            has_patterns = True
            try:
                jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions())
            except ValueError:
                message = f"the pattern {pattern!r} is no regular expression that can be matched in bounded time"
                raise SchemaError(f"{message}: it may not look around or refer back", place) from None
    _refuse_circles(schema)
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise SchemaError(f"this is no JSON Schema: {error.message}", tuple(error.absolute_path)) from None
    return has_patterns


def _mappings(part: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every mapping of a schema that may be a schema, and its path."""
    if isinstance(part, dict):
        yield path, part
        for key, inner in part.items():
            if key in _NAMED and isinstance(inner, dict):
                for name, named in inner.items():
                    yield from _mappings(named, (*path, key, name))
            elif key not in _OPAQUE:
                yield from _mappings(inner, (*path, key))
    elif isinstance(part, list):
        for place, inner in enumerate(part):
            yield from _mappings(inner, (*path, place))


def _refuse_circles(schema: Any) -> None:
    """Raise SchemaError where a schema, asked of a value, asks itself of the same value again."""
    done: set[Path] = set()
    for start, _ in _mappings(schema, ()):
        todo: list[tuple[Path, tuple[Path, ...]]] = [(start, ())]
        while todo:
            path, above = todo.pop()
            if path in above:
                raise SchemaError("this schema leads back to itself", path)
            if path in done or len(above) > 1000:
                continue
            todo.extend((again, (*above, path)) for again in _asked_again(schema, path))
        done.add(start)


def _asked_again(schema: Any, path: Path) -> Iterator[Path]:
    """The schemas that a schema asks of its own value."""
    part = _at(schema, path)
    if not isinstance(part, Mapping):
        return
    reference = part.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        yield _path_of(schema, reference)
    for word in _IN_PLACE & part.keys():
        inner = part[word]
        if word == "dependentSchemas" and isinstance(inner, Mapping):
            yield from ((*path, word, key) for key in inner)
        elif isinstance(inner, list):
            yield from ((*path, word, place) for place in range(len(inner)))
        else:
            yield (*path, word)


def _path_of(schema: Any, reference: str) -> Path:
    """The path that a reference within the document means."""
    path: Path = ()
    for part in reference[1:].split("/")[1:]:
        word = part.replace("~1", "/").replace("~0", "~")
        is_place = word.isdecimal() and len(word) < 9 and isinstance(_at(schema, path), list)
        path = (*path, int(word) if is_place else word)
    return path


def _at(schema: Any, path: Path) -> Any:
    for step in path:
        try:
            schema = schema[step]
        except (KeyError, IndexError, TypeError):
            return None
    return schema


def schema_faults(schema: Schema | None, document: Any, file: str, place: Place) -> list[Fault]:
    """What a document does otherwise than its schema says."""
    if schema is None:
        return []
    return [Fault("SCHEMA", file, path, place, message) for path, message in schema(document)]
