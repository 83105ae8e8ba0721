"""Finds an item's image, reads its header, and checks its size against the limit."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from os import PathLike
from typing import Any

from formatspec.codecs.registry import Env
from formatspec.engine.base.faults import DocumentPath, Fault
from formatspec.engine.dataset.item.expected_files import expected_path, named_file, told_path
from formatspec.engine.dataset.item.purpose import Purpose
from formatspec.engine.index.entries import Entry
from formatspec.engine.index.row_ownership import Run
from formatspec.engine.read.bind_slots import OTHER_IMAGE
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.files.images import ImageError, ImageInfo, probe, probe_ends, probe_file, probe_whole
from formatspec.model.limits import TooLargeError, check_size
from formatspec.paths.trees.tree import Tree


def read_image(
    form: Format, entry: Entry, runs: Mapping[str, Sequence[Run]], tree: Tree, state: ItemState, purpose: Purpose,
    files: dict[str, list[str]], complete: int,
) -> None:  # fmt: skip
    """Find the item's image and read its header; `files` takes its path, and the item's state the results."""
    role = form.roles.get(IMAGE)
    path = entry.files[IMAGE][0][0] if IMAGE in entry.files else _named_image(tree, state, role)
    if path is None:
        _note_absent(role, entry, runs, tree, state, purpose, complete)
        return
    state.item["image.path"] = path
    files[IMAGE] = [path]
    if purpose.headers:
        _read_header(path, role, tree, state, purpose)


def _named_image(tree: Tree, state: ItemState, role: Role | None) -> str | None:
    """Return the path of the image that a name or a document states; None if there is no such file."""
    path: str | None = state.item.get("image.path")
    if path is not None and role is not None:
        path = named_file(path, role, tree, state) or path
    return path if path is not None and tree.exists(path) else None


def _note_absent(
    role: Role | None, entry: Entry, runs: Mapping[str, Sequence[Run]], tree: Tree, state: ItemState, purpose: Purpose,
    complete: int,
) -> None:  # fmt: skip
    """Note that an item's image is not there, and keep the path where it is expected."""
    if role is None:
        return
    expected = expected_path(role, state.captures)
    place = _where_named(entry, runs)
    if complete and not entry.files and _only_listed(runs):
        told = told_path(role, state.captures)
        words = f"the list names {told}, and there is no such file"
        state.faults.append(Fault("LIST_UNKNOWN", *place, role.place, words, scope="item"))
    elif complete and purpose.media_required and not (role.optional and state.item.get("image.data")):
        address = _address(entry, runs)
        told = told_path(role, state.captures)
        words = f"the image is not there{_folder_twice(told, tree)}"
        state.faults.append(Fault("IMAGE_MISSING", *place, role.place, words, told, address))
    if not role.optional and expected != role.spec.path:
        state.item.setdefault("image.path", expected)


def _read_header(path: str, role: Role | None, tree: Tree, state: ItemState, purpose: Purpose) -> None:
    """Read the header of an item's image, and note what is wrong with it."""
    try:
        info, cut_short = _looked_at(path, tree, purpose)
    except (ImageError, ValueError, OSError) as error:
        state.faults.append(Fault("FILE_UNREADABLE", path, (), role.place if role else None, str(error), case="item"))
        return
    if not _bears_size(info, path, (), state):
        return
    state.env = Env(info.width, info.height)
    state.item["$info"] = info
    if cut_short:
        rule = role.place if role else None
        state.faults.append(Fault("FILE_TRUNCATED", path, (), rule, "the image stops before its end"))
    if info.orientation != 1:
        state.faults.append(Fault("IMAGE_ROTATED", path, (), None, f"EXIF orientation {info.orientation}; {AS_STORED}"))


def measure_unsized(path: str, tree: Tree, state: ItemState, purpose: Purpose) -> None:
    """Take the size of an item's image from its header if no document states it, and if the image can be read."""
    item = state.item
    stated = "image.width" in item and "image.height" in item
    if "$info" in item or (stated and item["image.width"] is not None and item["image.height"] is not None):
        return
    with suppress(ImageError, ValueError, OSError):
        info, _ = _looked_at(path, tree, purpose)
        if _bears_size(info, path, (), state):
            state.item["$info"] = info


AS_STORED = "taken as stored, while readers that apply EXIF, as OpenCV's does, see it turned"


def _only_listed(runs: Mapping[str, Sequence[Run]]) -> bool:
    """Return whether an item is known only from rows that just name it."""
    tables = [run.part.table for of_role in runs.values() for run in of_role]
    return bool(tables) and all(table.kind == "item" and table.names_only for table in tables)


def _bears_size(info: ImageInfo, file: str, path: DocumentPath, state: ItemState) -> bool:
    """Return whether an image is within the size limit; a larger one is noted as a fault."""
    try:
        check_size(info.width, info.height)
    except TooLargeError as error:
        state.too_large = True
        state.faults.append(Fault("IMAGE_SIZE", file, path, None, str(error)))
        return False
    return True


def look_inside(state: ItemState, purpose: Purpose, beside: bool) -> None:
    """Take the size of an image that a document holds; if an image file exists, that file is the image."""
    data = state.item["image.data"]
    if data is None or beside:
        del state.item["image.data"]
        return
    state.faults[:] = [fault for fault in state.faults if fault.code != "IMAGE_MISSING"]  # the document holds the image
    try:
        info = probe(data) if purpose.headers else None
    except ImageError as error:
        file, path = state.place_of["image.data"]
        state.faults.append(Fault("FIELD", file, path, None, f"the image in it cannot be read: {error}"))
        return
    if info is not None and _bears_size(info, *state.place_of["image.data"], state):
        state.item["$info"] = info


def name_image(form: Format, tree: Tree, state: ItemState, beside: bool) -> None:
    """Set the path of an image that does not exist under the item's own name, from the names and the documents.

    `beside` says whether the image was found. If it was, and the document names another image that is there as well,
    nobody knows which one is meant; this is a fault.
    """
    role = form.roles.get(IMAGE)
    if role is None:
        return
    for place, fault in enumerate(state.faults) if beside else ():
        if fault.message == OTHER_IMAGE and role.match(fault.got) is not None and tree.exists(fault.got):
            words = f"the document names the image {fault.got}, and {fault.expected} has the document's own name"
            state.faults[place] = fault._replace(code="CONFLICT", case="", message=words)
    path = state.item.get("image.path")
    if path is not None and not beside and path != expected_path(role, state.captures):
        found = named_file(path, role, tree, state)
        state.item["image.path"] = found or path
        if found and role.match(found) is not None:
            words = f"the image is not there; the document names {found}, which belongs to another item"
            state.faults[:] = [
                one._replace(message=words, expected="") if one.code == "IMAGE_MISSING" else one for one in state.faults
            ]
    if not role.optional and "image.path" not in state.item:
        with suppress(KeyError, ValueError):
            state.item["image.path"] = role.template.render(state.captures)


_ENDS = 1 << 14
"""How many bytes at each end of an image file suffice for most images."""


def _looked_at(path: str, tree: Tree, purpose: Purpose) -> tuple[ImageInfo, bool]:
    """Return what an image's header says, and whether the file ends early, if that is checked."""
    ends = tree.ends(path, _ENDS)
    info = None if ends is None else probe_ends(*ends)
    if info is not None:
        return info, False
    local = tree.local(path)
    image = tree.read(path) if local is None else local
    return probe_whole(image) if purpose.checks or purpose.whole else (_header(image), False)


def _header(image: PathLike[str] | bytes) -> ImageInfo:
    return probe(image) if isinstance(image, bytes) else probe_file(image)


def _folder_twice(path: str, tree: Tree) -> str:
    """Return a hint if an image is missing in a folder that its path repeats, and exists in the outer one."""
    first, _, rest = path.partition("/")
    if not rest.startswith(f"{first}/") or not tree.exists(rest):
        return ""
    return f"; {rest} is: the row spells the folder {first!r}, which the layout of the format adds already"


def _address(entry: Entry, runs: Mapping[str, Sequence[Run]]) -> str | None:
    """Return the address by which a row names an item's image, without its query; None if there is none."""
    name = posixpath.basename(entry.key)
    for run in (run for of_role in runs.values() for run in of_role if run.part.table.kind == "item"):
        for text in _texts(run.part.rows.at(run.start)):
            for address in (text.partition("?")[0], text):
                far = "://" in address or address.startswith("/")
                if far and posixpath.splitext(posixpath.basename(address))[0] == name:
                    return address
    return None


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _where_named(entry: Entry, runs: Mapping[str, Sequence[Run]]) -> tuple[str, tuple[Any, ...]]:
    """Return the place that names an item's image: a row of a shared file, or the item's own file."""
    for run in (run for of_role in runs.values() for run in of_role):
        key = run.part.table.names[run.which[0]]
        return run.part.file, (*run.part.table.path, run.start, *(() if key is None else (key,)))
    other = next((found[0][0] for found in entry.files.values()), "")
    return other, ()
