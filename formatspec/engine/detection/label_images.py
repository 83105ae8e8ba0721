"""Which images are label images: masks, or maps of ids, that stand beside images of the same names and sizes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from formatspec.engine.detection.opened_files import OpenedFiles

SHARE = 0.9
"""So many of the names of label images stand among those of images."""
PAIRS = 48
"""Pairs of groups that are compared by opening one image of each."""
NEAREST = 3
"""Other groups with which one group is compared."""
TRIED, MOST = 3, 16
"""Names of a group by which others that have them are sought, and how many others are looked at."""
LOSSLESS = frozenset({"png", "bmp", "gif", "tif", "tiff"})
PHOTOS = frozenset({"jpg", "jpeg", "jpe", "jfif", "webp"})
_WORDS = re.compile(
    r"(?i)(?:^|[^a-z])(?:masks?|labels?|seg\w*|gt|instances?|semantic|annot\w*|ids?|colou?rs?)(?:[^a-z]|$)"
)
_ONE_CHANNEL = (0, 3)


class _Group(NamedTuple):
    """Images of one folder and extension, by their names without what all of them share at an end."""

    key: tuple[str, str, str]
    paths: Mapping[str, str]
    """By stem; the first of its kind."""


def label_like(paths: Sequence[str], files: OpenedFiles) -> set[str]:
    """The label images among the images of a tree.

    Nearly all names of a group of label images, be it without an end that they share (`_mask`), are those of images of
    another group; a pair of them has one size, and one side has a single channel, or is lossless beside a photograph.
    In one folder a shared end that is a word for labels is enough.
    """
    groups = _groups(paths)
    if len(groups) < 2:
        return set()
    found: set[str] = set()
    with_stem: dict[str, list[int]] = defaultdict(list)
    for number, group in enumerate(groups):
        for stem in group.paths:
            with_stem[stem].append(number)
    pairs = 0
    for number, group in enumerate(groups):
        if group.key[1].lower() not in LOSSLESS:
            continue
        for other in _alike(number, groups, with_stem):
            if pairs >= PAIRS:
                return found
            pairs += 1
            if _is_label_of(group, other, files):
                found.update(group.paths.values())
                break
    return found


def _alike(number: int, groups: Sequence[_Group], with_stem: Mapping[str, Sequence[int]]) -> list[_Group]:
    """The other groups in which nearly all names of a group stand, the nearest first."""
    group = groups[number]
    some = {place for stem in list(group.paths)[:TRIED] for place in with_stem[stem][:MOST]} - {number}
    found = []
    for place in sorted(some):
        other = groups[place]
        if sum(stem in other.paths for stem in group.paths) >= SHARE * len(group.paths):
            found.append(other)
    found.sort(key=lambda other: (-_shared(group.key[0], other.key[0]), len(other.key[2])))
    return found[:NEAREST]


def _shared(a: str, b: str) -> int:
    """Folders that two paths begin with alike."""
    count = 0
    for one, other in zip(a.split("/"), b.split("/"), strict=False):
        if one != other:
            break
        count += 1
    return count


def _is_label_of(group: _Group, other: _Group, files: OpenedFiles) -> bool:
    stem = next((stem for stem in group.paths if stem in other.paths), None)
    if stem is None:
        return False
    worded = group.key[0] == other.key[0] and _WORDS.search(group.key[2]) is not None
    mine = files.label_header(group.paths[stem])
    if mine is None:
        return False
    its = files.image(other.paths[stem])
    if its is None or {its.width, its.height} != {mine.width, mine.height}:
        return False
    if worded:
        return True
    if other.key[1].lower() in PHOTOS:
        return True
    return mine.color in _ONE_CHANNEL and its.channels >= 3 and not _is_palette(other.paths[stem], files)


def _is_palette(path: str, files: OpenedFiles) -> bool:
    header = files.label_header(path)
    return header is not None and header.color in _ONE_CHANNEL


def _groups(paths: Sequence[str]) -> list[_Group]:
    """Images by folder, extension, and the end that their names have beyond those of others in the folder."""
    folders: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    stems: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        folder, _, name = path.rpartition("/")
        stem, _, extension = name.rpartition(".")
        folders[folder, extension][stem] = path
        stems[folder].add(stem)
    found: list[_Group] = []
    for (folder, extension), own in folders.items():
        parted: dict[str, dict[str, str]] = defaultdict(dict)
        for stem, path in own.items():
            end = _end_of(stem, stems[folder])
            parted[end][stem.removesuffix(end) if end else stem] = path
        for end, members in parted.items():
            if end == "" and len(parted) == 1:
                shared = _shared_end(list(members))
                found.append(_Group((folder, extension, ""), members))
                if shared:
                    shorter = {stem.removesuffix(shared): path for stem, path in members.items()}
                    found.append(_Group((folder, extension, shared), shorter))
            else:
                found.append(_Group((folder, extension, end), members))
    return found


def _end_of(stem: str, stems: set[str]) -> str:
    """What a name has beyond another of its folder: a word for labels; "" where there is none."""
    for mark in re.finditer(r"[_.-]", stem):
        if stem[: mark.start()] in stems and _WORDS.search(stem[mark.start() :]):
            return stem[mark.start() :]
    return ""


def _shared_end(stems: Sequence[str]) -> str:
    """What all names of a group end with, from a mark on: `_mask`; "" where they share nothing such."""
    end = stems[0]
    for stem in stems[1:]:
        while end and not stem.endswith(end):
            end = end[1:]
    mark = re.search(r"[_.-]\D*$|[_.-]\w+$", end)
    if mark is None or mark.start() == 0 and end == stems[0]:
        return ""
    if len(stems) == 1 and end == stems[0]:
        place = max(end.rfind("_"), end.rfind("-"), end.rfind("."))
        return end[place:] if place > 0 and _WORDS.search(end[place:]) else ""
    return end[mark.start() :]
