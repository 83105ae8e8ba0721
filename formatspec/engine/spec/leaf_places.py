"""The places in a spec of the leaves that fill slots, for messages."""

from __future__ import annotations

from formatspec.engine.resolve.questions.meanings import scoped
from formatspec.engine.spec.compiled import Format
from formatspec.language.errors import Place
from formatspec.language.leaf import names_of


def leaf_places(form: Format) -> dict[tuple[str, str], Place]:
    """Return the place of the first leaf that fills each slot of each kind of record, by kind and slot."""
    found: dict[tuple[str, str], Place] = {}
    for role in form.documents:
        for rule, scope in scoped(role.document_rule, role.scope):
            for meaning in filter(None, map(scope.meaning, names_of(rule.leaf))):
                kind = scope.kind if meaning.where == "record" else meaning.where
                found.setdefault((kind, meaning.name), rule.place)
    return found
