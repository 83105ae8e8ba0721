"""Subsets of items whose images lie in folders that a document names, as `train: images/a` does."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from formatspec.engine.index.entries import Entries
from formatspec.engine.index.row_ownership import SharedFile
from formatspec.engine.spec.compiled import IMAGE, Format


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


def share_captures(form: Format, listing: Iterable[SharedFile], entries: Entries) -> None:
    """Tell items the names in the paths of files that list no items, as a list of classes of any name: written to the
    same format, the file is called so again.

    listing: the files that list no items; where several of a role tell a name otherwise, none is told.
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
