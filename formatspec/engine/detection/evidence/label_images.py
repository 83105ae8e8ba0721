"""Finds label images: masks, or maps of ids, beside images of the same names and sizes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from formatspec.engine.detection.evidence.opened_files import ImageFiles

SHARE = 0.9
"""The share of label images' names that must also be names of images."""
PAIRS = 48
"""How many pairs of groups are compared by opening one image of each."""
DOUBTFUL = 4
"""How many of these pairs may lack a sign such as photographs on one side, or a word for labels in a path."""
NEAREST = 3
"""How many other groups one group is compared with."""
TRIED, MOST = 3, 16
"""How many names of a group are looked up in other groups, and how many other groups are looked at."""
FEW, MANY_MORE = 64, 4
"""The most colours of a label image, and how many times as many its image must have."""
LOSSLESS = frozenset({"png", "bmp", "gif", "tif", "tiff"})
PHOTOS = frozenset({"jpg", "jpeg", "jpe", "jfif", "webp"})
_WORDS = re.compile(
    r"(?i)(?:^|[^a-z])(?:masks?|labels?|seg\w*|gt|instances?|semantic|annot\w*|ids?|colou?rs?)(?:[^a-z]|$)"
)
_ONE_CHANNEL = (0, 3)


class _Group(NamedTuple):
    """The images of one folder by their names, without the end that they share; `key` is the folder and that end."""

    key: tuple[str, str]
    paths: Mapping[str, str]


def label_like(paths: Sequence[str], files: ImageFiles) -> set[str]:
    """Return the label images among the images of a tree.

    Nearly all names of a group of label images, perhaps without a shared end such as `_mask`, are names of images in
    another folder. Both images of a pair have one size. One side has a single channel, or is lossless beside a
    photograph, or has few colours where the other has many. Within one folder a shared end that is a word for labels is
    enough.
    """
    groups = _groups(paths)
    if len(groups) < 2:
        return set()
    found: set[str] = set()
    with_stem: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, group in enumerate(groups):
        for stem in group.paths:
            for place in _places(group.key[0]):
                with_stem[stem, place].append(number)
    sides = [
        (group, own, _alike(number, own, groups, with_stem))
        for number, group in enumerate(groups)
        if (own := {stem: path for stem, path in group.paths.items() if _extension(path) in LOSSLESS})
    ]
    known: dict[tuple[str, ...], bool] = {}
    doubtful = 0
    for group, own, others in sorted(sides, key=lambda side: not any(_has_photos(other) for other in side[2])):
        kinds = [_kind_of(group, other) for other in others]
        if any(known.get(kind) for kind in kinds):
            found.update(own.values())
            continue
        for other, kind in zip(others, kinds, strict=True):
            if all(other.paths.get(stem) in found for stem in own):
                continue
            if kind not in known:
                likely = _is_likely(own, other, kind)
                doubtful += not likely
                if len(known) >= PAIRS or (doubtful > DOUBTFUL and not likely):
                    continue
                known[kind] = _is_label_of(group, own, other, files)
            if known[kind]:
                found.update(own.values())
                break
    return found


def _kind_of(group: _Group, other: _Group) -> tuple[str, ...]:
    """Return what characterises a pair of groups: the ends of their names, and where their folders differ."""
    mine, its = group.key[0].split("/"), other.key[0].split("/")
    start = _shared(group.key[0], other.key[0])
    mine, its = mine[start:], its[start:]
    while mine and its and mine[-1] == its[-1]:
        mine, its = mine[:-1], its[:-1]
    return group.key[1], other.key[1], "/".join(mine), "/".join(its)


def _is_likely(own: Mapping[str, str], other: _Group, kind: tuple[str, ...]) -> bool:
    """Return whether more than equal names suggests label images: photographs beside them, or a word for labels."""
    if any(_WORDS.search(part) for part in kind):
        return True
    return any(_extension(other.paths[stem]) in PHOTOS for stem in own if stem in other.paths)


def _extension(path: str) -> str:
    return path.rpartition(".")[2].lower()


def _places(folder: str) -> tuple[str, str, str]:
    """Return the keys under which groups are found: all groups, those beside a folder, those with its last name."""
    parent, _, name = folder.rpartition("/")
    return "", f"{parent}/*", f"*/{name}"


def _alike(
    number: int, own: Mapping[str, str], groups: Sequence[_Group], with_stem: Mapping[tuple[str, str], Sequence[int]]
) -> list[_Group]:
    """Return the other groups that contain nearly all names of a group's lossless images, the nearest first."""
    folder = groups[number].key[0]
    some = {
        other
        for stem in list(own)[:TRIED]
        for place in _places(folder)
        for other in with_stem.get((stem, place), ())[:MOST]
    } - {number}
    found = []
    for other_number in sorted(some):
        other = groups[other_number]
        if other.paths.values() == groups[number].paths.values():
            continue
        if sum(stem in other.paths for stem in own) >= SHARE * len(own):
            found.append(other)
    found.sort(key=lambda other: (not _has_photos(other), -_near(folder, other.key[0]), len(other.key[1])))
    return found[:NEAREST]


def _near(a: str, b: str) -> int:
    """Count the folders that two paths share at their beginnings, and those that they share at their ends."""
    start = _shared(a, b)
    ends = ["/".join(reversed(path.split("/")[start:])) for path in (a, b)]
    return start + _shared(*ends)


def _has_photos(group: _Group) -> bool:
    return any(_extension(path) in PHOTOS for path in group.paths.values())


def _shared(a: str, b: str) -> int:
    """Count the folders that two paths share at their beginnings."""
    count = 0
    for one, other in zip(a.split("/"), b.split("/"), strict=False):
        if one != other:
            break
        count += 1
    return count


def _is_label_of(group: _Group, own: Mapping[str, str], other: _Group, files: ImageFiles) -> bool:
    stems = [stem for stem in own if stem in other.paths and own[stem] != other.paths[stem]]
    if not stems:
        return False
    stem = next((stem for stem in stems[:TRIED] if _extension(other.paths[stem]) in PHOTOS), stems[0])
    mine, its = files.label_header(own[stem]), files.image(other.paths[stem])
    if mine is None or its is None or {its.width, its.height} != {mine.width, mine.height}:
        return False
    if group.key[0] == other.key[0] and _WORDS.search(group.key[1]):
        return True
    if _extension(other.paths[stem]) in PHOTOS:
        return True
    if mine.color in _ONE_CHANNEL:
        return its.channels >= 3 and not _is_palette(other.paths[stem], files)
    return its.channels >= 3 and _is_flat(own[stem], other.paths[stem], files)


def _is_palette(path: str, files: ImageFiles) -> bool:
    header = files.label_header(path)
    return header is not None and header.color in _ONE_CHANNEL


def _is_flat(path: str, other: str, files: ImageFiles) -> bool:
    """Return whether an image has few colours, and another one of its size has many more."""
    mine, its = files.colors(path), files.colors(other)
    return 0 < mine <= FEW and its >= MANY_MORE * mine


def _groups(paths: Sequence[str]) -> list[_Group]:
    """Group images by folder, and by what their names add to other names of the folder."""
    folders: dict[str, dict[str, str]] = defaultdict(dict)
    for path in paths:
        folder, _, name = path.rpartition("/")
        folders[folder].setdefault(name.rpartition(".")[0].lower(), path)
    found: list[_Group] = []
    for folder, own in folders.items():
        parted: dict[str, dict[str, str]] = defaultdict(dict)
        for stem, path in own.items():
            end = _end_of(stem, own)
            parted[end][stem.removesuffix(end) if end else stem] = path
        found += [_Group((folder, end), members) for end, members in parted.items()]
        shared = _shared_end(list(own)) if len(parted) == 1 else ""
        if shared:
            found.append(_Group((folder, shared), {stem.removesuffix(shared): path for stem, path in own.items()}))
    return found


def _end_of(stem: str, stems: Collection[str]) -> str:
    """Return what a name adds to another name of its folder, if that is a word for labels; "" otherwise."""
    for mark in re.finditer(r"[_.-]", stem):
        if stem[: mark.start()] in stems and _WORDS.search(stem[mark.start() :]):
            return stem[mark.start() :]
    return ""


def _shared_end(stems: Sequence[str]) -> str:
    """Return the shared end of all names of a group, from a separator on, such as `_mask`; "" if there is none."""
    end = stems[0]
    for stem in stems[1:]:
        while end and not stem.endswith(end):
            end = end[1:]
    mark = re.search(r"[_.-]\D*$|[_.-]\w+$", end)
    if mark is None or (mark.start() == 0 and end == stems[0]):
        return ""
    if len(stems) == 1 and end == stems[0]:
        place = max(end.rfind("_"), end.rfind("-"), end.rfind("."))
        return end[place:] if place > 0 and _WORDS.search(end[place:]) else ""
    return end[mark.start() :]
