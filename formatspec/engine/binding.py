"""Binders: what becomes of a decoded value.  Geometry is judged here, where its place is known."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from formatspec.codecs.registry import Unfit
from formatspec.engine.job import Job, Misfit, Path, Record, put
from formatspec.engine.scope import Meaning, Scope
from formatspec.language.errors import Place
from formatspec.model.region import Region
from formatspec.model.slots import TABLES
from formatspec.paths.names import safe_join
from formatspec.paths.template import Template

Binder = Callable[[Any, Record, Job], None]

_NUMBERS = frozenset({int, float})
_GEOMETRY = ("bbox", "polygon", "polygons", "region", "hidden", "keypoints")

NAMED = ("category.id", "category.index", "category.name")
"""Slots that a closed table of categories must know."""
PLACED = ("parent", "id", "name")
"""Slots whose places are noted, for what is said of them later."""

MARGIN = 1.0
"""Pixels by which a box may stick out: annotators and rounding do that."""


def binder(meaning: Meaning, scope: Scope, at: Path, place: Place) -> Binder:
    """The binder of a name: where its value goes."""
    if meaning.where == "path":
        return _path(meaning.name, scope)
    if meaning.where == "capture":
        return _capture(meaning.name)
    if meaning.where == "column":
        return _column(meaning, at)
    if meaning.where == "outer":
        return _outer(meaning.name, meaning.outer)
    if meaning.where in ("option", "columns"):
        return lambda value, record, job: None
    if meaning.derived:
        return _lookup(meaning.name)
    if meaning.where == "item" or scope.kind == "item":
        return _item(meaning.name, at)
    return _record(meaning.name, at)


def sets_slot(meaning: Meaning, scope: Scope) -> bool:
    """Whether the binder of a name puts its value in the record's slot of that name, whatever it does beside."""
    return (
        meaning.where == "record"
        and scope.kind != "item"
        and not meaning.derived
        and meaning.name not in (*_GEOMETRY, "attributes")
    )


def fills_slot(meaning: Meaning, scope: Scope) -> bool:
    """Whether the binder of a name puts its value in the record's slot of that name, judged or not, and no more."""
    geometry = meaning.where == "record" and meaning.name in _GEOMETRY and meaning.name != "polygon"
    return puts_only(meaning, scope) or (geometry and scope.kind != "item" and not meaning.derived)


def judge_of(meaning: Meaning) -> Callable[[Any, Job], None] | None:
    """What judges the values of a slot of geometry, where they are more than put into it; None for other slots."""
    return _JUDGES.get(meaning.name, _judge_points) if meaning.name in _GEOMETRY else None


def puts_only(meaning: Meaning, scope: Scope) -> bool:
    """Whether the binder of a name puts its value in the record and does nothing else."""
    return (
        meaning.where == "record"
        and scope.kind != "item"
        and not meaning.derived
        and not meaning.name.startswith(("category.", "attributes"))
        and meaning.name not in (*_GEOMETRY, *PLACED)
    )


def _record(name: str, at: Path) -> Binder:
    if name == "attributes":
        return _attributes
    if name in _GEOMETRY:
        return _geometry(name)
    if name in NAMED:
        return _category(name, at)
    if name in PLACED:
        key = f"${name}_at"

        def bind_placed(value: Any, record: Record, job: Job) -> None:
            put(record, name, value, job)
            record[key] = (job.file, (*job.at, *at))

        return bind_placed

    def bind(value: Any, record: Record, job: Job) -> None:
        put(record, name, value, job)

    return bind


def _attributes(value: Any, record: Record, job: Job) -> None:
    if not isinstance(value, dict):
        raise Unfit("a mapping", value)
    for key, part in value.items():
        put(record, f"attributes.{key}", part, job)


def _category(name: str, at: Path) -> Binder:
    slot = name.removeprefix("category.")

    def bind(value: Any, record: Record, job: Job) -> None:
        if value is not None and job.categories.closed and not job.categories.knows(slot, value):
            raise Misfit("UNKNOWN_CATEGORY", f"there is no category with {slot} {value!r}", got=value)
        put(record, name, value, job)
        if job.categories.match:
            record[f"${slot}_at"] = (job.file, (*job.at, *at))

    return bind


def _lookup(name: str) -> Binder:
    key = f"?{name}"

    def bind(value: Any, record: Record, job: Job) -> None:
        record[key] = value

    return bind


def _item(name: str, at: Path) -> Binder:
    if name == "attributes":
        return lambda value, record, job: _attributes(value, job.item, job)
    if name in ("subset", "subsets"):

        def bind_subset(value: Any, record: Record, job: Job) -> None:
            known = job.item.setdefault("subsets", [])
            for one in value if isinstance(value, tuple) else (value,):
                if one is not None and one not in known:
                    known.append(one)

        return bind_subset

    is_size = name in ("image.width", "image.height")

    def bind(value: Any, record: Record, job: Job) -> None:
        put(job.item, name, value, job)
        if name not in job.place_of:
            job.place_of[name] = (job.file, (*job.at, *at))
        if is_size:
            job.sized()

    return bind


def _capture(name: str) -> Binder:
    def bind(value: Any, record: Record, job: Job) -> None:
        if isinstance(value, str) and (value[:1] == "/" or (".." in value and ".." in value.split("/"))):
            raise Misfit("PATH_ESCAPES", "the path leads out of the dataset", "a path below the root", value)
        known = job.captures.get(name)
        if known is None:
            job.captures[name] = value
        elif str(known) != str(value):
            raise Misfit("DIFFERS", f"{name} differs from the file's own name", repr(known), value)

    return bind


def _outer(name: str, steps: int) -> Binder:
    def bind(value: Any, record: Record, job: Job) -> None:
        for _ in range(steps):
            record = record.get("$up", job.item)
        put(record, name, value, job)

    return bind


def _path(role: str, scope: Scope) -> Binder:
    slot = "image.path" if role == "image" else f"path.{role}"
    base = scope.bases.get(role)

    def bind(value: Any, record: Record, job: Job) -> None:
        folder = job.file.rpartition("/")[0] if base is None else _rendered(base, job)
        joined = safe_join(folder, value) if isinstance(value, str) and value else None
        if joined is None:
            raise Misfit("PATH_ESCAPES", "the path leads out of the dataset", "a path below the root", value)
        put(job.item if scope.kind == "item" else record, slot, joined, job)

    return bind


def _rendered(folder: Template, job: Job) -> str:
    try:
        return folder.render(job.captures)
    except (KeyError, ValueError):
        raise Unfit(f"an item that tells {', '.join(folder.names)}") from None


def _column(meaning: Meaning, at: Path) -> Binder:
    kind, slot = TABLES[meaning.table], meaning.name

    def bind(value: Any, record: Record, job: Job) -> None:
        if value is None:
            return
        values = value if isinstance(value, list | tuple) else (value,)
        rows = job.tables.setdefault(kind, [])
        for position, one in enumerate(values):
            if not isinstance(one, str | int) or isinstance(one, bool):
                raise Unfit("names", one)
            beside = rows[position] if position < len(rows) and "$column" in rows[position] else None
            if beside is not None and slot not in beside:  # another column of the same rows
                beside[slot] = one
            else:
                rows.append({slot: one, "$id_at": (job.file, (*job.at, *at, position)), "$column": True})

    return bind


def _geometry(name: str) -> Binder:
    judge = _JUDGES.get(name, _judge_points)
    slot = "polygons" if name == "polygon" else name

    def bind(value: Any, record: Record, job: Job) -> None:
        if value is None:
            return
        if name == "polygon":
            value = (value,)
        judge(value, job)
        put(record, slot, value, job)

    return bind


def _judge_box(box: Any, job: Job) -> None:
    x, y, width, height = box
    if width < 0 or height < 0:
        raise Misfit("BOX_SIZE", "the box has a negative size", "a width and a height of 0 or more", list(box))
    size = job.size()
    if size is None:
        return
    if x < -MARGIN or y < -MARGIN or x + width > size[0] + MARGIN or y + height > size[1] + MARGIN:
        raise Misfit("BOX_OUTSIDE", "the box lies outside its image", f"inside {size[0]} x {size[1]} pixels", list(box))


def _are_finite(ring: Any) -> bool:
    """Whether all numbers are plain and finite, which their sum tells: what is not finite stays so in it."""
    try:
        return _NUMBERS.issuperset(map(type, ring)) and isfinite(sum(ring))
    except OverflowError:
        return False


def _judge_points(rings: Any, job: Job) -> None:
    for ring in rings:
        if _are_finite(ring):
            continue
        for number in ring:
            if not isinstance(number, int | float) or number != number or number in (float("inf"), float("-inf")):
                raise Misfit("NOT_A_NUMBER", "a coordinate is no finite number", "finite numbers", number)


def _judge_region(region: Region, job: Job) -> None:
    size = job.size()
    if size is not None and (region.width, region.height) != size:
        raise Misfit(
            "REGION_SIZE",
            "the region and its image differ in size",
            f"{size[0]} x {size[1]}",
            f"{region.width} x {region.height}",
        )


_JUDGES: dict[str, Callable[[Any, Job], None]] = {
    "bbox": _judge_box,
    "region": _judge_region,
    "hidden": _judge_region,
}


def report(unfit: Unfit, at: Path, place: Place, value: Any, job: Job) -> None:
    """Note a value that does not fit."""
    if isinstance(unfit, Misfit):
        job.fault(unfit.code, (*job.at, *at), place, unfit.message, unfit.expected, unfit.got)
    else:
        job.fault("FIELD", (*job.at, *at), place, "the value does not fit", unfit.expected, value)
