"""Subsets of items whose images lie in folders that a document names, as `train: images/a` does.

Folders that a document names and that do not exist are told as well.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from formatspec.engine.base.faults import Fault
from formatspec.engine.evaluate.expressions import compiled
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.index.entries import Entries
from formatspec.engine.index.row_ownership import SharedFile
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.language.errors import Place
from formatspec.language.leaf import Keep
from formatspec.language.rules import LeafRule, MapRule


def share_named_folders(form: Format, shared: Iterable[SharedFile], entries: Entries, folders: Sequence[str]) -> None:
    """Note for each item the subsets whose folders, named by shared documents, its image lies in.

    folders: all folders of the tree.  An item whose own path names its subset keeps that one first; it is in others too
    where a document names its folder for this subset and for others, as `train` and `val` of one folder.
    """
    named: dict[str, list[str]] = {}
    known = set(folders)
    for file in shared:
        for folder, subset in _named(form.roles[file.role].spec.folders, file.document, known):
            named.setdefault(folder, []).append(subset)
    if not named:
        return
    for entry in entries:
        found = entry.files.get(IMAGE)
        if not found:
            continue
        subsets: dict[str, None] = dict.fromkeys(entry.shared.get("subsets", ()))
        for folder in _above(found[0][0]):
            subsets.update(dict.fromkeys(named.get(folder, ())))
        if "subset" in form.key_names:
            own = entry.names.get("subset")
            subsets = dict.fromkeys((own, *subsets)) if own in subsets else {}
        if subsets:
            entry.share("subsets", tuple(subsets))


def empty_subsets(
    form: Format, shared: Iterable[SharedFile], entries: Entries, folders: Sequence[str], exists: Callable[[str], bool]
) -> Iterator[Fault]:
    """The subsets that documents name and of which there is no image, and those that they should name and do not.

    folders: all folders of the tree.  exists: whether a file is there; a document may name a list instead of a folder.
    A file notes the subsets that it names, but for those without an image where the format lets that pass.
    """
    naming = [(file, form.roles[file.role]) for file in shared if form.roles[file.role].spec.folders]
    known, full = set(folders), _with_images(entries) if naming else set()
    for file, role in naming:
        if not isinstance(file.document, dict):
            continue
        places, missing = _places(role), []
        for key, subset in role.spec.folders.items():
            value = file.document.get(key)
            if value in (None, "", []):
                missing += [key] if _always_written(role, key) else []
                continue
            empty = False
            for number, one in enumerate(value if isinstance(value, list) else [value]):
                words = _empty(one, known, full, exists)
                if words is not None:
                    empty = True
                    path = (key, number) if isinstance(value, list) else (key,)
                    yield Fault(
                        "SPLIT_EMPTY", file.path, path, places.get(key), f"{key} names {one}, {words}",
                        "a folder of images", one, value=subset,
                    )  # fmt: skip
            if not empty or form.levels.of("SPLIT_EMPTY", "warning", value=subset) == "error":
                file.subsets = (*file.subsets, subset)
        if missing:
            words = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
            words += ", so that nothing says where the images of the subset are"
            yield Fault("SPLIT_EMPTY", file.path, (missing[0],), places[missing[0]], words, "a folder of images")


def _empty(stated: Any, folders: set[str], full: set[str], exists: Callable[[str], bool]) -> str | None:
    """What is said of a place that a document names for a subset; None where there are images, or it is no place."""
    if not isinstance(stated, str) or "://" in stated or any(mark in stated for mark in "*?["):
        return None
    folder = in_tree(stated, folders)
    if folder is not None:
        return None if folder in full else "which holds no image"
    parts = stated.replace("\\", "/").split("/")
    if any(exists("/".join(parts[start:])) for start in range(len(parts))):
        return None
    return None if posixpath.normpath(stated) == "." else "which is not there"


def _with_images(entries: Entries) -> set[str]:
    """The folders below which there are images of items."""
    found: set[str] = set()
    for entry in entries:
        files = entry.files.get(IMAGE)
        if files and (folder := files[0][0].rpartition("/")[0]) and folder not in found:
            found.update(_above(files[0][0]))
    return found


def _places(role: Role) -> dict[str, Place]:
    """Where the spec speaks of each key of a role's document."""
    rule = role.document_rule
    return {one.keys[0]: one.place for one in rule.fields} if isinstance(rule, MapRule) else {}


def _always_written(role: Role, key: str) -> bool:
    """Whether a document that is made has a key, whatever subsets there are."""
    fields = role.document_rule.fields if isinstance(role.document_rule, MapRule) else ()
    leaf = next((one.rule.leaf for one in fields if one.keys == (key,) and isinstance(one.rule, LeafRule)), None)
    if not isinstance(leaf, Keep) or leaf.default is None:
        return False
    told = compiled(leaf.default, role.scope, _places(role)[key])(WriteContext(WriteSetting({}, None, {}), None, None))
    return told is not None


def named_elsewhere(role: Role, document: Any, subsets: Iterable[str]) -> Iterator[tuple[str, str, Any]]:
    """The keys by which a document names a folder for a subset of which there is nothing: key, subset and folder."""
    there = set(subsets)
    for key, subset in role.spec.folders.items() if there and isinstance(document, dict) else ():
        if subset not in there and document.get(key):
            yield key, subset, document[key]


def share_captures(form: Format, listing: Iterable[SharedFile], entries: Entries) -> None:
    """Give items the names in the paths of files that list no items, as a list of classes of any name.

    Written to the same format, such a file keeps its name.

    Args:
        form: The layout.
        listing: The files that list no items; where several of a role tell a name otherwise, none is told.
        entries: The items that get the names.
    """
    told: dict[str, set[str]] = {}
    for file in listing:
        for name, value in file.captures.items():
            if name not in form.key_names and name != "subset" and isinstance(value, str):
                told.setdefault(name, set()).add(value)
    names = {name: next(iter(values)) for name, values in told.items() if len(values) == 1}
    if not names:
        return
    for entry in entries:
        for name, value in names.items():
            entry.names.setdefault(name, value)


def _above(path: str) -> Iterator[str]:
    """The folders around a file, the nearest last."""
    parts = path.split("/")[:-1]
    return ("/".join(parts[: count + 1]) for count in range(len(parts)))


def _named(keys: Mapping[str, str], document: Any, folders: set[str]) -> Iterator[tuple[str, str]]:
    """The folders that a document names, each with its subset."""
    if not isinstance(document, dict):
        return
    for key, subset in keys.items():
        value = document.get(key)
        for one in value if isinstance(value, list) else [value]:
            folder = in_tree(one, folders) if isinstance(one, str) else None
            if folder is not None:
                yield folder, subset


def in_tree(stated: str, folders: set[str]) -> str | None:
    """The folder of a tree that a document means, None where there is none.

    Documents name folders as they are seen from elsewhere, so that what stands before one that is there is passed
    over: `../train/images`, `./images`, `/home/me/data/images/train`.
    """
    parts = [part for part in posixpath.normpath(stated.replace("\\", "/")).split("/") if part not in ("", ".", "..")]
    return next((folder for start in range(len(parts)) if (folder := "/".join(parts[start:])) in folders), None)
