"""JSON Schema (Draft 2020-12) for what leaves do not say: jsonschema-rs looks first, jsonschema decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from formatspec.engine.base.faults import Fault
from formatspec.language.errors import Place

Schema = Callable[[Any], Iterable[tuple[tuple[str | int, ...], str]]]


def compile_schema(schema: Any) -> Schema:
    """A JSON Schema as a function that gives what is wrong with a document: where, and in words."""
    import jsonschema_rs

    quick = jsonschema_rs.validator_for({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})

    @cache
    def decides() -> Any:
        import jsonschema

        return jsonschema.Draft202012Validator(schema)

    is_valid = quick.is_valid

    def check(document: Any) -> Iterable[tuple[tuple[str | int, ...], str]]:
        try:
            if is_valid(document):
                return ()
        except (ValueError, TypeError):
            pass
        return ((tuple(error.absolute_path), error.message) for error in decides().iter_errors(document))

    return check


def schema_faults(schema: Schema | None, document: Any, file: str, place: Place) -> list[Fault]:
    """What a document does otherwise than its schema says."""
    if schema is None:
        return []
    return [Fault("SCHEMA", file, path, place, message) for path, message in schema(document)]
