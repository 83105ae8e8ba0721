"""The JSON Schema of spec files, for editors: it accepts every spec, completes its words and explains them."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from formatspec.codecs.registry import CODECS
from formatspec.language.schema import DOCUMENTS, SCHEMA_ID, CategoryList, FileSpec, Many, Spec
from formatspec.model.slots import SLOTS, TABLES

_RULE = {"$ref": "#/$defs/Rule"}
_WORDS_OF_RULES = {
    "each": "these are rows: a table, then `by KEYS` and `where CONDITION` where needed",
    "one of": "a list of alternatives; the first that fits is read",
    "lines": "in a text file: what each row's lines are",
    "line?": "a line of text that may be absent",
    "words": "in a line of text: a table with a word for each row",
    "blocks": "in a text file: the slot whose values blank lines part",
    "only": "a list with exactly one entry",
    "*": "every other key: `keep` writes it back to the same format",
}
"""The words with a meaning of their own among the keys of a rule, each with its explanation."""


def editor_schema() -> dict[str, Any]:
    """The JSON Schema (Draft 2020-12) that describes the whole language.

    A spec that another is laid over (`extends`, `variants`) may leave out what the other says, so that nothing is
    required of it but `formatspec`; elsewhere a role needs `path` or `like`.
    """
    schema: dict[str, Any] = Spec.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = schema.pop("$defs")
    whole = {**schema, "title": "A spec of formatspec"}
    for model, described in _described(whole, definitions):
        _take_single_values(model, described)
    role = definitions["FileSpec"]
    role["required"] = []
    for kind in DOCUMENTS:
        role["properties"][kind] = {**_RULE, "description": role["properties"][kind].get("description", "")}
    role["properties"]["schema"] = {
        "type": ["object", "boolean"],
        "description": "JSON Schema for what leaves do not say",
    }
    whole_role = {"$ref": "#/$defs/FileSpec", "anyOf": [{"required": ["path"]}, {"required": ["like"]}]}
    definitions["Role"] = _text_or({"$ref": "#/$defs/FileSpec"}, "a role: its path, or all that is to say of it")
    definitions["WholeRole"] = _text_or(whole_role, "a role: its path, or all that is to say of it")
    for described in (whole, *definitions.values()):
        _let_drop(described)
    definitions.update(Rule=_rule(), Leaf=_leaf())
    definitions["Variant"] = _variant(whole)
    properties = whole["properties"]
    properties["files"] = _roles("Role", "the roles: files that play one part")
    properties["variants"] = _or_drop(
        {
            "type": "array",
            "items": {"$ref": "#/$defs/Variant"},
            "minItems": 1,
            "description": "layouts to try in order; what stands in one is laid over the rest of the spec",
        }
    )
    whole["required"] = ["formatspec"]
    whole["if"] = {"anyOf": [{"required": ["extends"]}, {"required": ["variants"]}]}
    whole["else"] = {"required": ["name", "files"], "properties": {"files": _roles("WholeRole", "the roles")}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **whole,
        "$defs": definitions,
    }


def _described(whole: dict[str, Any], definitions: dict[str, Any]) -> Iterator[tuple[type[BaseModel], dict[str, Any]]]:
    """Yield the models of a spec's mappings, each with its schema."""
    yield Spec, whole
    for model in (FileSpec, CategoryList):
        yield model, definitions[model.__name__]


def _take_single_values(model: type[BaseModel], described: dict[str, Any]) -> None:
    """Allow a single value for a list of one where the language does."""
    for name, field in model.model_fields.items():
        if Many in field.metadata:
            entry = described["properties"][field.alias or name]
            single = next(iter(typing.get_args(field.annotation)), str)
            listed = {key: entry.pop(key) for key in ("type", "items", "maxItems", "minItems") if key in entry}
            entry["anyOf"] = [listed.get("items", _type_of(single)), listed]


def _text_or(other: dict[str, Any], description: str) -> dict[str, Any]:
    """Return the schema of a text or something else; editors then report mistakes for the intended one."""
    return {"if": {"type": "string"}, "else": other, "description": description}


def _let_drop(described: dict[str, Any]) -> None:
    """Allow `drop` in place of whatever the spec below states and this one removes."""
    entries = described.get("properties", {})
    for key, entry in entries.items():
        if isinstance(entry.get("additionalProperties"), dict):
            entry["additionalProperties"] = _or_drop(entry["additionalProperties"])
        if key not in ("formatspec", "name") and entry is not _RULE:
            entries[key] = _or_drop(entry)


def _or_drop(entry: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {key: entry[key] for key in ("description", "default") if key in entry}
    return {"if": {"const": "drop"}, "else": entry, **told}


def _type_of(annotation: Any) -> dict[str, Any]:
    return {} if isinstance(annotation, types.GenericAlias) else {"type": "string"}


def _roles(definition: str, description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": {"$ref": f"#/$defs/{definition}"},
        "properties": {"image": {"$ref": f"#/$defs/{definition}"}},
        "description": description,
    }


def _variant(whole: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a layout: any word of a spec, or `drop` for what this layout lacks."""
    words = {key: entry for key, entry in whole["properties"].items() if key not in ("formatspec", "name", "variants")}
    laid = {key: entry for key, entry in words.items() if key != "files"}
    named = {"type": "string", "description": "what the layout is called"}
    files = _roles("Role", "the roles that differ; `drop` leaves one out")
    return {
        "type": "object",
        "properties": {"name": named, **laid, "files": files},
        "required": ["name"],
        "additionalProperties": False,
    }


def _rule() -> dict[str, Any]:
    """Return the schema of rules below `json:`, `lines:`, `pixels:` and so on: any shape of a document, with leaves."""
    words: dict[str, Any] = {
        key: {**_RULE, "description": meaning} for key, meaning in _WORDS_OF_RULES.items() if key != "each"
    }
    tables = [*TABLES, "group", "constants"]
    words["each"] = {
        "type": "string",
        "description": _WORDS_OF_RULES["each"],
        "anyOf": [{"enum": tables}, {"type": "string", "pattern": rf"^({'|'.join(tables)})\b"}],
    }
    return {
        "description": "The shape of the document: its keys as they stand there, `?` behind those that may be absent.",
        "if": {"type": "array"},
        "then": {"items": _RULE},
        "else": {
            "if": {"type": "object"},
            "then": {"properties": words, "additionalProperties": _RULE},
            "else": {"$ref": "#/$defs/Leaf"},
        },
    }


def _leaves() -> Iterable[str]:
    """Yield the slots of all records, each once, `keep` and `absent`."""
    return dict.fromkeys(("keep", "absent", *(name for slots in SLOTS.values() for name in slots)))


def _leaf() -> dict[str, Any]:
    """Return the schema of a leaf: `SLOT | CODEC | … else EXPRESSION`, a constant, or a text with leaves in braces."""
    return {
        "description": (
            "A slot with the codecs of its spelling (`bbox | xywh`), `keep`, `absent`, `= EXPRESSION`, "
            f"a quoted constant, or a text with leaves in braces. Codecs: {', '.join(sorted(CODECS))}."
        ),
        "anyOf": [
            {"enum": list(_leaves())},
            {"type": ["string", "number", "boolean", "null"]},
        ],
    }
