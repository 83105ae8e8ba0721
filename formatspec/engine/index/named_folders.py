"""Assigns subsets to items whose images lie in folders that a document names, as in `train: images/a`.

It also reports folders that a document names and that do not exist.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from formatspec.engine.base.faults import Fault
from formatspec.engine.evaluate.expressions import compiled
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.index.entries import Entries
from formatspec.engine.index.row_ownership import SharedFile
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.language.errors import Place
from formatspec.language.leaf import Keep


def share_named_folders(form: Format, shared: Iterable[SharedFile], entries: Entries, folders: Sequence[str]) -> None:
    """Give each item the subsets whose named folders contain its image.

    If the path of an item names its subset, that subset comes first; further subsets are added if the document names
    the same folder for them too.

    Args:
        form: The layout.
        shared: The shared files.
        entries: The items.
        folders: All folders of the tree.
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
    """Yield a fault for each subset that a document names but that has no image, or that it should name and does not.

    Args:
        form: The layout.
        shared: The shared files. Each notes the subsets that it names, except those that may be without images.
        entries: The items.
        folders: All folders of the tree.
        exists: Whether a file exists; a document may name a list in place of a folder.
    """
    naming = [(file, form.roles[file.role]) for file in shared if form.roles[file.role].spec.folders]
    known, full = set(folders), _with_images(entries) if naming else {}
    for file, role in naming:
        if not isinstance(file.document, dict):
            continue
        places, missing = _places(role), []
        meant = _meant(role.spec.folders, file.document, known)
        for key, subset in role.spec.folders.items():
            value = file.document.get(key)
            if value in (None, "", []):
                missing += [key] if _always_written(role, key) else []
                continue
            empty = False
            for number, one in enumerate(value if isinstance(value, list) else [value]):
                words = _empty(one, meant, full, exists)
                if words is not None:
                    empty = True
                    path = (key, number) if isinstance(value, list) else (key,)
                    yield Fault(
                        "SPLIT_EMPTY", file.path, path, places.get(key), f"{key} names {one}, {words}",
                        "a folder of images", one, value=subset,
                    )  # fmt: skip
            if not empty or form.levels.of("SPLIT_EMPTY", "warning", value=subset) == "error":
                named = full.get(meant.get(value, "") if isinstance(value, str) else "")
                alike = named in form.spec.subsets.get(subset, ())  # the folder may have another name of the subset
                file.subsets = (*file.subsets, str(named) if alike else subset)
        if missing:
            words = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
            words += ", so that nothing says where the images of the subset are"
            yield Fault("SPLIT_EMPTY", file.path, (missing[0],), places[missing[0]], words, "a folder of images")


def _empty(stated: Any, meant: Mapping[str, str], full: Container[str], exists: Callable[[str], bool]) -> str | None:
    """Return what is wrong with the place that a document names for a subset; None if nothing is."""
    if not isinstance(stated, str) or "://" in stated or any(mark in stated for mark in "*?["):
        return None
    folder = meant.get(stated)
    if folder is not None:
        return None if folder in full else "which holds no image"
    parts = stated.replace("\\", "/").split("/")
    if any(exists("/".join(parts[start:])) for start in range(len(parts))):
        return None
    return None if posixpath.normpath(stated) == "." else "which is not there"


def _with_images(entries: Entries) -> dict[str, str | None]:
    """Return the folders that contain images of items, each with the subset that their paths name; None for several."""
    found: dict[str, str | None] = {}
    for entry in entries:
        files = entry.files.get(IMAGE)
        if files and (folder := files[0][0].rpartition("/")[0]) and folder not in found:
            stated = entry.names.get("subset")
            subset = stated if isinstance(stated, str) else None
            found.update({one: subset if found.get(one, subset) == subset else None for one in _above(files[0][0])})
    return found


def _places(role: Role) -> dict[str, Place]:
    """Return the place in the spec of each key of a role's document."""
    return {one.keys[0]: one.place for one in role.document_rule.fields}


def _always_written(role: Role, key: str) -> bool:
    """Return whether a written document always has a key, whatever subsets there are."""
    leaf = role.document_rule.leaf_under(key)
    if not isinstance(leaf, Keep) or leaf.default is None:
        return False
    told = compiled(leaf.default, role.scope, _places(role)[key])(WriteContext(WriteSetting({}, None, {}), None, None))
    return told is not None


def named_elsewhere(role: Role, document: Any, subsets: Iterable[str]) -> Iterator[tuple[str, str, Any]]:
    """Yield each key that names a folder for a subset without items: key, subset and folder."""
    there = set(subsets)
    for key, subset in role.spec.folders.items() if there and isinstance(document, dict) else ():
        if subset not in there and document.get(key):
            yield key, subset, document[key]


def share_captures(form: Format, listing: Iterable[SharedFile], entries: Entries) -> None:
    """Give items the names in the paths of files that list no items, for example a list of classes with any name.

    When written in the same format, such a file keeps its name.

    Args:
        form: The layout.
        listing: The files that list no items. Of several files of a role, the first gives its names.
        entries: The items that get the names.
    """
    first = {file.role: file for file in reversed(list(listing))}
    told: dict[str, set[str]] = {}
    for file in first.values():
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
    """Yield the folders that contain a file, outermost first."""
    parts = path.split("/")[:-1]
    return ("/".join(parts[: count + 1]) for count in range(len(parts)))


def _named(keys: Mapping[str, str], document: Any, folders: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the folders that a document names, each with its subset."""
    if not isinstance(document, dict):
        return
    meant = _meant(keys, document, folders)
    for key, subset in keys.items():
        yield from ((meant[one], subset) for one in _stated(document, key) if one in meant)


def _meant(keys: Iterable[str], document: Mapping[str, Any], folders: set[str]) -> dict[str, str]:
    """Return the folder of the tree for each text by which a document names one.

    Texts that differ, and of which nothing but the same end is in the tree, mean no folder: what tells them apart is
    in the part that the tree does not have. So `train/images` and `valid/images` are not both `images`.
    """
    meant: dict[str, str] = {}
    cut: dict[str, set[str]] = {}
    for one in (one for key in keys for one in _stated(document, key)):
        folder = in_tree(one, folders)
        if folder is not None:
            meant[one] = folder
            if (whole := "/".join(_parts(one))) != folder:
                cut.setdefault(folder, set()).add(whole)
    return {one: folder for one, folder in meant.items() if len(cut.get(folder, ())) < 2}


def _stated(document: Mapping[str, Any], key: str) -> Iterator[str]:
    value = document.get(key)
    return (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))


def in_tree(stated: str, folders: set[str]) -> str | None:
    """Return the folder of the tree that a document means; None if there is none.

    Documents may name folders from another place: `../train/images`, `./images`, `/home/me/data/images/train`. Leading
    parts that the tree does not have are dropped.
    """
    parts = _parts(stated)
    return next((folder for start in range(len(parts)) if (folder := "/".join(parts[start:])) in folders), None)


def _parts(stated: str) -> list[str]:
    normal = posixpath.normpath(stated.replace("\\", "/"))
    return [part for part in normal.split("/") if part not in ("", ".", "..")]
