"""Which ids of the source a target does not take over, since its rows are numbered over a whole file."""

from __future__ import annotations

from formatspec.engine.spec import wanted_slots
from formatspec.engine.spec.compiled import Format
from formatspec.engine.spec.tables import first_of, tables_in


def renumbered_tables(source: Format, target: Format, anew: bool) -> frozenset[str]:
    """Return the tables whose ids must be unique over a whole file in the target, but are not so in the source.

    anew: whether the source's ids are not unique over the target's files, whatever its own files are.
    """
    return _spread(target) if anew else _spread(target) - _spread(source)


def _spread(form: Format) -> frozenset[str]:
    """Return the tables whose ids are unique over a whole shared document."""
    return frozenset(
        each.table
        for role in form.documents
        if role.span == "shared" and role.codec is not None
        for _, rule in tables_in(role.codec.rule, ())
        if (each := first_of(rule).each).table in ("objects", "captions") and "id" in each.by
    )


def has_ids_in_shared_rows_alone(form: Format) -> bool:
    """Return whether the ids of objects stand in rows of shared files and nowhere else."""
    return not any("object.id" in role.captures for role in form.roles.values()) and all(
        role.span == "shared" and role.kind != "pixels"
        for role in form.documents
        for meaning, scope, _ in wanted_slots.meanings(role.document_rule, role.scope)
        if meaning.where == "record" and meaning.name == "id" and scope.kind == "object"
    )
