"""Which ids and tracks of the source a target does not take over as they are: its own are numbers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from formatspec.codecs.registry import Env, UnfitError
from formatspec.engine.resolve.codec_chain import build
from formatspec.engine.spec.compiled import Format
from formatspec.model.records import Object

TRACKS_AS_NUMBERS = "tracks written as numbers"
"""The report's words for tracks such as 00122063, in a target that numbers its tracks."""


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
        for _, rules in role.lists
        if (each := rules[0].each).table in ("objects", "captions") and "id" in each.by
    )


def has_ids_in_shared_rows_alone(form: Format) -> bool:
    """Return whether the ids of objects stand in rows of shared files and nowhere else."""
    return not any("object.id" in role.captures for role in form.roles.values()) and all(
        role.span == "shared" and role.kind != "pixels" for role in form.documents if "id" in role.slots_of("object")
    )


def numbers_tracks(form: Format) -> bool:
    """Return whether the rows of a target take numbers alone as tracks."""
    takes_texts = []
    for role in form.documents:
        for leaf, scope, _ in role.leaves:
            if scope.kind == "object" and leaf.names == ("track",):
                try:
                    build(leaf, ["id"], 1, scope.textual, role.place).encode("a", Env())
                    takes_texts.append(not (leaf.format or "").endswith("d"))
                except UnfitError:
                    takes_texts.append(False)
    return bool(takes_texts) and not any(takes_texts)


def tracks_as_numbers(things: Sequence[Object]) -> tuple[tuple[Object, ...], int]:
    """Return objects with the numbers of tracks that are texts of digits alone, and how many have one.

    A number that another object of the item has is not taken.
    """
    known = {thing.track for thing in things}
    made = []
    for thing in things:
        number = int(thing.track) if isinstance(thing.track, str) and thing.track.isdecimal() else None
        if number is None or number in known:
            made.append(thing)
        else:
            known.add(number)
            made.append(msgspec.structs.replace(thing, track=number))
    return tuple(made), sum(one is not thing for one, thing in zip(made, things, strict=True))
