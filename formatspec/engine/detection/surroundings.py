"""Decides whether a folder of images alone is a part of a dataset, by the names of the files around it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from formatspec.engine.dataset.choose_layout import roots
from formatspec.engine.detection.candidate import may_be_empty, tells_items
from formatspec.engine.detection.candidate_roots import below
from formatspec.engine.detection.evidence.ignorable import is_ignorable
from formatspec.engine.detection.fit.common_words import CONTAINERS, PICTURES
from formatspec.engine.detection.fit.role_fit import Claim, distinct_words, spells_distinctly, spells_path
from formatspec.engine.index.build_index import Claims, PathMatches, claims
from formatspec.engine.spec.compiled import IMAGE, Format, Role, compile_format
from formatspec.engine.spec.path_options import open_options
from formatspec.language.load import Source
from formatspec.paths.trees.nested import NestedTree
from formatspec.paths.trees.tree import Tree

LEVELS = 3
"""How many folders around the data are looked at."""
FOLDERS = 256
"""How many folders around the data are listed."""
OF_FOLDER = 64
"""How many files of each folder are looked at, those of the first names."""
MOST = 0.75
"""The share of the images that another format must claim."""


class Part(NamedTuple):
    """A folder that is a part of a dataset: the dataset's format, the folder's path in it, and where it begins."""

    format: str
    folder: str
    around: str


def part_of(sources: Mapping[str, Source], tree: Tree, place: Path) -> Part | None:
    """Return of which dataset a folder is a part; None if the names around it speak of none.

    A dataset is one whose images the folder holds, and whose further files lie around it: those that are required, and
    one that says something about these images. Nothing outside the folder is opened; only names are looked at.

    Args:
        sources: The specs by name.
        tree: The folder's files.
        place: The folder on disk. The root of the file system is not looked at.
    """
    folder = Path(os.path.abspath(place))  # noqa: PTH100  # links are not followed: their names count
    held = _first_of_folders(path for path in tree.paths() if not is_ignorable(path))
    for depth in range(1, min(LEVELS, len(folder.parts) - 2) + 1):
        around, inner = folder.parents[depth - 1], "/".join(folder.parts[-depth:])
        beside = [*names_around(around, folder)]
        if not beside:
            continue
        nested = NestedTree(tree, inner, held, beside)
        matches: dict[str, PathMatches] = {}
        found = [
            (literal, name)
            for name, source in sources.items()
            if (literal := _literal(source, nested, f"{inner}/", frozenset(beside), matches))
        ]
        if found:
            shown = os.path.normpath(Path(place, *[".."] * depth))
            return Part(max(found)[1], inner, shown)
    return None


def _first_of_folders(paths: Iterator[str]) -> list[str]:
    """Return the first paths of each folder, from the first folders."""
    seen: dict[str, list[str]] = {}
    for path in paths:
        folder = path.rpartition("/")[0]
        if len(seen) >= OF_FOLDER and folder not in seen:
            break
        files = seen.setdefault(folder, [])
        if len(files) < OF_FOLDER:
            files.append(path)
    return [path for files in seen.values() for path in files]


def names_around(around: Path, inner: Path) -> Iterator[str]:
    """Yield the paths of some files below a folder, relative to it, but none of an inner folder: the nearest first.

    Links to folders are not followed, and folders that cannot be listed are passed over.
    """
    waiting = [""]
    for prefix in islice(_taken(waiting), FOLDERS):
        try:
            with os.scandir(around / prefix) as entries:
                listed = sorted(entries, key=lambda one: one.name)
        except OSError:
            continue
        files = 0
        for entry in listed:
            path = prefix + entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_ignorable(path + "/x" if is_folder else path) or not path.isprintable():
                continue
            if is_folder:
                if Path(around, path) != inner:
                    waiting.append(path + "/")
            elif files < OF_FOLDER and entry.is_file(follow_symlinks=False):
                files += 1
                yield path


def _taken(waiting: list[str]) -> Iterator[str]:
    """Yield and remove the first entries of a list that grows while it is gone through."""
    while waiting:
        yield waiting.pop(0)


def _literal(
    source: Source, nested: Tree, start: str, beside: frozenset[str], matches: dict[str, PathMatches]
) -> float:
    """Return how many characters a format spells of the paths that it claims; 0 if it is not the dataset's format."""
    best = 0.0
    for layout in source.layouts:
        form = compile_format(source, layout, open_options(layout.spec, {}))
        for root in dict.fromkeys(roots(form, nested)):
            if root and not start.startswith(f"{root}/"):
                continue
            if root not in matches:
                matches[root] = PathMatches(below(root, nested.paths()))
            by_role = claims(form, matches[root])
            outer = f"{root}/" if root else ""
            if _is_part(form, by_role, start.removeprefix(outer), {path.removeprefix(outer) for path in beside}):
                spelled = sum(form.roles[name].template.literal_count * len(found) for name, found in by_role.items())
                best = max(best, spelled / sum(map(len, by_role.values())))
    return best


def _is_part(form: Format, by_role: Claims, start: str, beside: set[str]) -> bool:
    """Return whether a layout has most files of a folder as images or label images, and tells of them outside it."""
    if IMAGE not in form.roles:
        return False
    missing = (
        role for role in form.roles.values()
        if not by_role[role.name] and not role.optional and not role.folder and not may_be_empty(role, form)
    )  # fmt: skip
    if any(missing):
        return False
    held = sum(path.startswith(start) for found in by_role.values() for path, _ in found)
    for name, found in by_role.items():
        role = form.roles[name]
        own = [claim for claim in found if claim[0].startswith(start)]
        if (name == IMAGE or role.kind == "pixels") and own and len(own) >= MOST * held:
            if name == IMAGE and _spells_folder(form, role, start):
                return True
            others = (
                (other, [claim for claim in by_role[other.name] if claim[0] in beside])
                for other in form.roles.values() if other.name != name
            )  # fmt: skip
            return any(_tells_of(form, role, own, other, claimed, start) for other, claimed in others)
    return False


def _spells_folder(form: Format, role: Role, start: str) -> bool:
    """Return whether images alone make items of a format, and it spells a word in the name of the folder that it has.

    `start` is the path of the folder, with a slash at its end. The first folder of the images' template is the last one
    of this path.
    """
    words = distinct_words(role.spec.path.partition("/")[0])
    alone = {name.partition(".")[0] for name in form.spec.items} <= {IMAGE}
    return alone and start.count("/") == 1 and any(word in start.lower() for word in words)


def _tells_of(
    form: Format, role: Role, own: Sequence[Claim], other: Role, claimed: Sequence[Claim], start: str
) -> bool:
    """Return whether files outside a folder belong to files in it, by what their paths capture.

    A document beside the folder `start` that has the folder's name tells of it, whatever its path spells, and so does a
    document beside a folder whose name says that it holds pictures.
    """
    if not claimed or (other.kind is None and other.name != IMAGE):
        return False
    telling = role if other.name == IMAGE else other
    if telling.name == IMAGE or not tells_items(telling, form):
        return False
    names = [name for name in role.captures if name in other.captures and name != "ext"]
    is_named_alike = spells_path(telling) and any(name != "subset" for name in names)
    around, _, folder = start.rstrip("/").rpartition("/")
    near = [path.rpartition("/")[2] for path, _ in claimed if path.rpartition("/")[0] == around]
    if telling is other and other.kind not in ("lines", "pixels"):  # a text may say anything
        holds_pictures = other.kind != "csv" and folder.lower() in CONTAINERS | PICTURES
        is_named_alike = is_named_alike or any(holds_pictures or name.rpartition(".")[0] == folder for name in near)
    if not spells_distinctly(telling) and not is_named_alike:
        return False
    values = {tuple(str(captures.get(name)) for name in names) for _, captures in own}
    return any(tuple(str(captures.get(name)) for name in names) in values for _, captures in claimed)
