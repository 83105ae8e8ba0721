"""Binders put decoded values into slots. They also check geometry, whose place in the file is known here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, Literal

from formatspec.codecs.registry import UnfitError
from formatspec.engine.base.faults import DocumentPath, MisfitError, Record, decimal_comma
from formatspec.engine.read.item_state import ItemState, Judged, put
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.findings.table import CODES
from formatspec.language.errors import Place
from formatspec.model.flaws import flaws, good_rings
from formatspec.model.region import Region
from formatspec.model.slots import TABLES, find_slot
from formatspec.paths.names import far_segments, last_segment, plain_spelling, safe_join
from formatspec.paths.spellings import differs_in_capitals
from formatspec.paths.templates.template import Template

Binder = Callable[[Any, Record, ItemState], None]

_NUMBERS = frozenset({int, float})
_GEOMETRY = ("bbox", "rotated", "polygon", "polygons", "region", "hidden", "keypoints")
_UNBOUND = frozenset({"POLYGON", "REGION_SIZE"})
"""Codes of geometry that is left out of its object; the object itself stays."""

NAMED = ("category.id", "category.index", "category.name")
"""Slots whose values must occur in a closed table of categories."""
PLACED = ("parent", "id", "name")
"""Slots whose places are noted, since later checks report about them."""


def binder(meaning: Meaning, scope: Scope, at: DocumentPath, place: Place) -> Binder:
    """Return the binder of a name: a function that puts its value where it belongs."""
    if meaning.where == "path":
        return _path(meaning.name, scope)
    if meaning.where == "capture":
        bound = _capture(meaning.name, scope)
        return _as_spelled_in_paths(bound) if _is_text_in_paths(meaning.name, scope) else bound
    if meaning.where == "column":
        return _column(meaning, at, place)
    if meaning.where == "outer":
        return _outer(meaning.name, meaning.outer)
    if meaning.where in ("option", "columns"):
        return lambda value, record, state: None
    if meaning.derived:
        return _lookup(meaning.name)
    if meaning.where == "item" or scope.kind == "item":
        bound, is_id = _item(meaning.name, at), meaning.name == "sequence"
        return _as_spelled_in_paths(bound) if is_id and _is_text_in_paths("sequence", scope) else bound
    return _record(meaning.name, scope, at, place)


def slot_binding(meaning: Meaning, scope: Scope) -> Literal["plain", "judged", "noted"] | None:
    """Return what the binder of a name does besides putting the value into the record's slot of that name.

    Returns:
        `plain`: nothing more. `judged`: it checks the geometry (`judge_of`). `noted`: it notes the value's place, or
            keeps
        the record's category or attributes consistent. None: the value goes elsewhere, or into another slot.
    """
    name = meaning.name
    if meaning.where != "record" or meaning.derived or scope.kind == "item" or name in ("polygon", "attributes"):
        return None
    if name in _GEOMETRY:
        return "judged"
    return "noted" if name in PLACED or name.startswith(("category.", "attributes.")) else "plain"


def item_binding(meaning: Meaning, scope: Scope) -> Literal["slot", "subset", "capture"] | None:
    """Return what the binder of a name does if it belongs to the item, or to the paths of its files.

    Returns:
        `slot`: it puts the value into the item's slot of that name, and notes its place. `subset`: it adds the value to
            the item's subsets. `capture`: it compares the value with what the paths say. None: it does anything else.
    """
    name, where = meaning.name, meaning.where
    if where == "capture":
        return "capture"
    if (where != "item" and (where != "record" or scope.kind != "item")) or meaning.derived:
        return None
    if name in ("subset", "subsets"):
        return "subset"
    apart = name in ("attributes", "void") or name.startswith("label.category.")
    return None if apart or (name == "sequence" and _is_text_in_paths(name, scope)) else "slot"


def judge_of(meaning: Meaning) -> Callable[[Any, ItemState], None] | None:
    """Return the check of values of a geometry slot; None for slots without one."""
    name = meaning.name
    if name not in _GEOMETRY:
        return None
    if name in ("region", "hidden"):
        return _judge_region

    def judge(value: Any, state: ItemState) -> None:
        if name == "polygons" and good_rings(value)[1] is not None:
            raise UnfitError("rings of three points or more", value)
        if not all(map(_are_finite, value if name in ("polygons", "keypoints") else (value,))):
            raise UnfitError("finite numbers", value)
        if state.size() is None or flaws(name, value, state.size()):
            raise UnfitError("geometry inside its image", value)

    return judge


def _record(name: str, scope: Scope, at: DocumentPath, place: Place) -> Binder:
    if name == "attributes":
        return _attributes
    if name in _GEOMETRY:
        return _geometry(name, scope, at, place)
    if name in (*NAMED, "category.color"):
        return _category(name, at)
    if name in PLACED:
        key = f"${name}_at"

        def bind_placed(value: Any, record: Record, state: ItemState) -> None:
            put(record, name, value, state)
            record[key] = (state.file, (*state.at, *at))

        return bind_placed

    def bind(value: Any, record: Record, state: ItemState) -> None:
        put(record, name, value, state)

    return bind


def _attributes(value: Any, record: Record, state: ItemState) -> None:
    if not isinstance(value, dict):
        raise UnfitError("a mapping", value)
    for key, part in value.items():
        put(record, f"attributes.{key}", part, state)


def _known_category(slot: str, value: Any, state: ItemState) -> None:
    """Raise MisfitError if the table of categories has none with this value of the slot.

    Numbers and colours are checked in open tables too, since an open table has no names for new ones.
    """
    categories = state.categories
    if slot == "name" and value == "":
        raise MisfitError("FIELD", "the name of the class is empty", "a name", value, "name")
    bound = (categories.closed or categories.adds) and slot in ("id", "index", "name")
    if (bound or (slot in ("index", "color") and categories.listed)) and not categories.knows(slot, value):
        raise MisfitError(
            "UNKNOWN_CATEGORY", f"there is no category with {slot} {value!r}", categories.told(slot, value), value
        )


def _category(name: str, at: DocumentPath) -> Binder:
    slot = name.removeprefix("category.")

    def bind(value: Any, record: Record, state: ItemState) -> None:
        if value is not None:
            value = _as_listed(slot, value, (*state.at, *at), state)
            try:
                _known_category(slot, value, state)
            except MisfitError as unknown:
                if unknown.case == "name":  # the object stays, without a class
                    path = (*state.at, *at)
                    state.fault("FIELD", path, None, unknown.message, "a name", value, case="name", about=record,
                                scope="object")  # fmt: skip
                    return
                if not state.categories.adds or unknown.code != "UNKNOWN_CATEGORY":
                    raise
                path = (*state.at, *at)
                state.fault("UNKNOWN_CATEGORY", path, None, unknown.message, unknown.expected, value, about=record,
                            scope="object")  # fmt: skip
        put(record, name, value, state)
        if state.categories.match:
            record[f"${slot}_at"] = (state.file, (*state.at, *at))

    return bind


def _as_listed(slot: str, value: Any, path: DocumentPath, state: ItemState) -> Any:
    """Return the value by which the list of categories names the category that a row means."""
    categories = state.categories
    if not categories.listed or categories.match or categories.knows(slot, value):
        return value
    same = categories.spelled(slot, value)
    if same is None:
        return value
    if slot == "name":
        words = "the name differs from the listed one in blanks or in the form of its letters"
        state.fault("UNKNOWN_CATEGORY", path, None, words, ascii(same), ascii(value), case="spelling")
    else:
        kind = "a text" if isinstance(same, str) else "a number"
        words = f"{value!r} is read as {same!r}, since the list of categories has {kind} there"
        state.fault("NUMBER_FORM", path, None, words, kind, value, case="type")
    return same


def _lookup(name: str) -> Binder:
    key = f"?{name}"

    def bind(value: Any, record: Record, state: ItemState) -> None:
        record[key] = value

    return bind


def _is_text_in_paths(name: str, scope: Scope) -> bool:
    """Return whether paths spell a name as a text, and not as a number."""
    return name in scope.captures and not (scope.captures[name] or "").endswith(("d", "d?", "f"))


def _as_spelled_in_paths(bind: Binder) -> Binder:
    """Return a binder that takes a whole number as its text: a row's 7 is the folder 7 of a path."""
    return lambda value, record, state: bind(str(value) if type(value) is int else value, record, state)


def _item(name: str, at: DocumentPath) -> Binder:
    if name == "attributes":
        return lambda value, record, state: _attributes(value, state.item, state)
    if name == "void":
        return _bind_void
    if name in ("subset", "subsets"):

        def bind_subset(value: Any, record: Record, state: ItemState) -> None:
            known = state.item.setdefault("subsets", [])
            for one in value if isinstance(value, tuple) else (value,):
                if one is not None and one not in known:
                    known.append(one)

        return bind_subset

    is_size = name in ("image.width", "image.height")
    label = name.removeprefix("label.category.") if name.startswith("label.category.") else ""

    def bind(value: Any, record: Record, state: ItemState) -> None:
        if label and value is not None:
            _known_category(label, value, state)
        own = state.item.get(name) if name == "id" else None
        if own is not None and type(own) is not type(value) and str(own) == str(value):
            return  # a row that names its item by a text instead of a number, or the reverse
        put(state.item, name, value, state)
        if name not in state.place_of:
            state.place_of[name] = (state.file, (*state.at, *at))
        if is_size:
            state.sized()

    return bind


def _capture(name: str, scope: Scope) -> Binder:
    of_segments = str(scope.captures.get(name)).startswith("path")

    def bind(value: Any, record: Record, state: ItemState) -> None:
        if isinstance(value, str) and (far := far_segments(value)):
            value = _found_by_end(name, value, far, state) if of_segments else far[-1]
        if isinstance(value, str) and (value[:1] == "/" or (".." in value and ".." in value.split("/"))):
            raise MisfitError("PATH_ESCAPES", "the path leads out of the dataset", "a path below the root", value)
        known = state.captures.get(name)
        if known is None:
            state.captures[name] = value
        elif of_segments and str(known).endswith(f"/{value}"):
            return  # a document in the image's folder, or in one like it, names the image as seen from there
        elif str(known) != str(value) and plain_spelling(str(known)) != plain_spelling(str(value)):
            state.stated[name] = value
            if differs_in_capitals(str(known), str(value)):
                words = f"{name} differs from the file's own name in capitals"
                raise MisfitError("DIFFERS", words, repr(known), value, "capitals")
            raise MisfitError("DIFFERS", f"{name} differs from the file's own name", repr(known), value, "name")

    return bind


def _found_by_end(name: str, told: str, far: Sequence[str], state: ItemState) -> str:
    """Return the name of the item whose name is the end of an absolute path or an address.

    Args:
        name: The capture that the path gives.
        told: The path as the file states it.
        far: Its segments.
        state: Holds the item's own names; while rows are joined to items, it finds items by the end of a path.

    Raises:
        MisfitError: The path ends in no item's name, or in several.
    """
    known = state.captures.get(name)
    if known is not None:
        return str(known) if str(known).rpartition("/")[2] == far[-1] else "/".join(far)
    found = () if state.named_far is None else state.named_far(name, far)
    if len(found) > 1:
        words = f"{told!r} may mean {' or '.join(found)}"
        raise MisfitError("FILE_AMBIGUOUS", words, "a path whose end one file has", told)
    if not found:
        expected = "a path below the root, or one whose end is the path of a file below it"
        raise MisfitError("PATH_ESCAPES", "the path leads out of the dataset", expected, told)
    return found[0]


def _outer(name: str, steps: int) -> Binder:
    def bind(value: Any, record: Record, state: ItemState) -> None:
        for _ in range(steps):
            record = record.get("$up", state.item)
        put(record, name, value, state)

    return bind


OTHER_IMAGE = "the document names another file than the image of its own name, which is taken"
"""Of a document that names another file than its image; whether that file is an image too is seen later."""


def _path(role: str, scope: Scope) -> Binder:
    slot = "image.path" if role == "image" else f"path.{role}"
    base = scope.bases.get(role)

    def bind(value: Any, record: Record, state: ItemState) -> None:
        folder = state.file.rpartition("/")[0] if base is None else _rendered(base, state)
        joined = safe_join(folder, value) if isinstance(value, str) and value else None
        owner = state.item if scope.kind == "item" else record
        known = owner.get(slot)
        if (
            isinstance(known, str)
            and isinstance(value, str)
            and last_segment(value) == last_segment(known)
            and joined != known
        ):
            if joined is None and far_segments(value):
                return
            state.stated[slot] = None  # so that the file's own path is written
            raise MisfitError("DIFFERS", "the path leads to another folder than the file's own", known, value, "name")
        if joined is None and known is None and owner is state.item and slot == "image.path" and _names(value, state):
            own = safe_join(folder, last_segment(value)) or ""
            put(owner, slot, own, state)
            state.stated[slot] = None
            words = "the path leads out of the dataset, and the image is not there"
            raise MisfitError("DIFFERS", words, own, value, "name")
        if joined is None:
            raise MisfitError("PATH_ESCAPES", "the path leads out of the dataset", "a path below the root", value)
        if isinstance(known, str) and differs_in_capitals(known, joined):
            state.stated[slot] = None
            raise MisfitError("DIFFERS", "the path differs from the file's own in capitals", known, joined, "capitals")
        if slot == "image.path" and not scope.table and isinstance(known, str) and known != joined:
            state.stated[slot] = None
            raise MisfitError("DIFFERS", OTHER_IMAGE, known, joined, "name")
        put(owner, slot, joined, state)

    return bind


def _names(path: Any, state: ItemState) -> bool:
    """Return whether the last segment of a path is, but for its extension, the name of the document that states it."""
    own = state.file.rpartition("/")[2].rpartition(".")[0]
    return isinstance(path, str) and bool(own) and last_segment(path).rpartition(".")[0] == own


def _rendered(folder: Template, state: ItemState) -> str:
    try:
        return folder.render(state.captures)
    except (KeyError, ValueError):
        raise UnfitError(f"an item that tells {', '.join(folder.names)}") from None


def _column(meaning: Meaning, at: DocumentPath, place: Place) -> Binder:
    kind, slot = TABLES[meaning.table], meaning.name
    found = find_slot(kind, slot)
    is_text = found is not None and found[1].type == "text"
    what = "a category's name is text" if slot.endswith("name") else f"{slot} is text"

    def bind(value: Any, record: Record, state: ItemState) -> None:
        if value is None:
            return
        values = value if isinstance(value, list | tuple) else (value,)
        rows = state.tables.setdefault(kind, [])
        for position, one in enumerate(values):
            if not isinstance(one, str | int) or isinstance(one, bool):
                raise UnfitError("names", one)
            if is_text and not isinstance(one, str):
                state.fault("FIELD", (*state.at, *at, position), place, what, "text", one)
                continue
            if slot.startswith("category."):
                _known_category(slot.removeprefix("category."), one, state)
            beside = rows[position] if position < len(rows) and "$column" in rows[position] else None
            if beside is not None and slot not in beside:  # another column of the same rows
                beside[slot] = one
            else:
                rows.append({slot: one, "$id_at": (state.file, (*state.at, *at, position)), "$column": True})

    return bind


def _geometry(name: str, scope: Scope, at: DocumentPath, place: Place) -> Binder:
    """Return the binder of geometry. What depends on the image's size is checked when the item is complete."""
    slot = "polygons" if name == "polygon" else name
    if name in ("region", "hidden"):

        def bind_region(value: Any, record: Record, state: ItemState) -> None:
            if value is not None:
                _judge_region(value, state)
                put(record, slot, value, state)

        return bind_region
    nested = slot != "bbox" and slot != "rotated"

    def bind(value: Any, record: Record, state: ItemState) -> None:
        if value is None:
            return
        if name == "polygon":
            value = (value,)
        _judge_points(value if nested else (value,))
        path = (*state.at, *at)
        if slot == "polygons":
            value, flaw = good_rings(value)
            if flaw is not None:
                state.fault(flaw.code, path, place, flaw.message, flaw.expected, about=record)
        if value:
            put(record, slot, value, state)
            state.judged.append(Judged(record, slot, value, state.file, path, place))

    return bind if scope.kind == "object" else _as_it_is(slot)


def _as_it_is(slot: str) -> Binder:
    def bind(value: Any, record: Record, state: ItemState) -> None:
        if value is not None:
            put(record, slot, value, state)

    return bind


def _are_finite(ring: Any) -> bool:
    """Return whether all values of a ring are finite numbers, which their sum shows."""
    try:
        return _NUMBERS.issuperset(map(type, ring)) and isfinite(sum(ring))
    except OverflowError:
        return False


def _judge_points(rings: Any) -> None:
    for ring in rings:
        if _are_finite(ring):
            continue
        for number in ring:
            if not isinstance(number, int | float) or number != number or number in (float("inf"), float("-inf")):
                raise MisfitError("NOT_A_NUMBER", "a coordinate is no finite number", "finite numbers", number)


def _bind_void(value: Any, record: Record, state: ItemState) -> None:
    if value is not None:
        _judge_region(value, state)
        state.add_void(value)


def _judge_region(region: Region, state: ItemState) -> None:
    size = state.size()
    if size is not None and (region.width, region.height) != size:
        raise MisfitError(
            "REGION_SIZE",
            "the region and its image differ in size",
            f"{size[0]} x {size[1]}",
            f"{region.width} x {region.height}",
        )


def report(
    unfit: UnfitError, at: DocumentPath, place: Place, value: Any, record: Record, scope: Scope, state: ItemState
) -> None:
    """Note a value that does not fit. An object whose outline is impossible stays without it."""
    about = record if unfit.code in _UNBOUND and scope.kind == "object" else None
    path = (*state.at, *at)
    if isinstance(unfit, MisfitError):
        got = unfit.got
        state.fault(unfit.code, path, place, unfit.message, unfit.expected, got, case=unfit.case, about=about)
    else:
        words = f"the value does not fit{decimal_comma(value)}" if unfit.code == "FIELD" else CODES[unfit.code].meaning
        state.fault(unfit.code, path, place, words, unfit.expected, value, about=about)
