"""Which images are label images: masks, or maps of ids, that stand beside images of the same names and sizes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from formatspec.engine.detection.evidence.opened_files import ImageFiles

SHARE = 0.9
"""So many of the names of label images stand among those of images."""
PAIRS = 48
"""Pairs of groups that are compared by opening one image of each."""
NEAREST = 3
"""Other groups with which one group is compared."""
TRIED, MOST = 3, 16
"""Names of a group by which others that have them are sought, and how many others are looked at."""
FEW, MANY_MORE = 64, 4
"""Colours that a label image has at most, and how many times as many its image has."""
LOSSLESS = frozenset({"png", "bmp", "gif", "tif", "tiff"})
PHOTOS = frozenset({"jpg", "jpeg", "jpe", "jfif", "webp"})
_WORDS = re.compile(
    r"(?i)(?:^|[^a-z])(?:masks?|labels?|seg\w*|gt|instances?|semantic|annot\w*|ids?|colou?rs?)(?:[^a-z]|$)"
)
_ONE_CHANNEL = (0, 3)


class _Group(NamedTuple):
    """Images of one folder by their names without an end that they share; the key is the folder and that end."""

    key: tuple[str, str]
    paths: Mapping[str, str]


def label_like(paths: Sequence[str], files: ImageFiles) -> set[str]:
    """The label images among the images of a tree.

    Nearly all names of a group of label images, be it without an end that they share (`_mask`), are those of images of
    another folder; a pair of them has one size, and one side has a single channel, is lossless beside a photograph, or
    has few colours beside many.  In one folder a shared end that is a word for labels is enough.
    """
    groups = _groups(paths)
    if len(groups) < 2:
        return set()
    found: set[str] = set()
    with_stem: dict[str, list[int]] = defaultdict(list)
    for number, group in enumerate(groups):
        for stem in group.paths:
            with_stem[stem].append(number)
    known: dict[tuple[str, ...], bool] = {}
    pairs = 0
    for number, group in enumerate(groups):
        own = {stem: path for stem, path in group.paths.items() if _extension(path) in LOSSLESS}
        if not own:
            continue
        for other in _alike(number, own, groups, with_stem):
            if pairs >= PAIRS:
                return found
            kind = _kind_of(group, other)
            if kind not in known:
                pairs += 1
                known[kind] = _is_label_of(group, own, other, files)
            if known[kind]:
                found.update(own.values())
                break
    return found


def _kind_of(group: _Group, other: _Group) -> tuple[str, ...]:
    """What two groups have in common with others of a tree: the ends of their names, and where their folders part."""
    mine, its = group.key[0].split("/"), other.key[0].split("/")
    alike = {
        (a, b) for a, b in zip(mine, its, strict=False) if a != b
    } if len(mine) == len(its) else {(group.key[0], other.key[0])}  # fmt: skip
    return (group.key[1], other.key[1], *(word for pair in sorted(alike) for word in pair))


def _extension(path: str) -> str:
    return path.rpartition(".")[2].lower()


def _alike(
    number: int, own: Mapping[str, str], groups: Sequence[_Group], with_stem: Mapping[str, Sequence[int]]
) -> list[_Group]:
    """The other groups in which nearly all names of a group's lossless images stand, the nearest first."""
    folder = groups[number].key[0]
    some = {place for stem in list(own)[:TRIED] for place in with_stem[stem][:MOST]} - {number}
    found = []
    for place in sorted(some):
        other = groups[place]
        if other.paths.values() == groups[number].paths.values():
            continue
        if sum(stem in other.paths for stem in own) >= SHARE * len(own):
            found.append(other)
    found.sort(key=lambda other: (-_shared(folder, other.key[0]), len(other.key[1])))
    return found[:NEAREST]


def _shared(a: str, b: str) -> int:
    """Folders that two paths begin with alike."""
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
    """Whether an image has few colours, and another one of its size has many more."""
    mine, its = files.colors(path), files.colors(other)
    return 0 < mine <= FEW and its >= MANY_MORE * mine


def _groups(paths: Sequence[str]) -> list[_Group]:
    """Images by folder, and by the end that their names have beyond those of others in the folder."""
    folders: dict[str, dict[str, str]] = defaultdict(dict)
    for path in paths:
        folder, _, name = path.rpartition("/")
        folders[folder].setdefault(name.rpartition(".")[0], path)
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
    if mark is None or (mark.start() == 0 and end == stems[0]):
        return ""
    if len(stems) == 1 and end == stems[0]:
        place = max(end.rfind("_"), end.rfind("-"), end.rfind("."))
        return end[place:] if place > 0 and _WORDS.search(end[place:]) else ""
    return end[mark.start() :]
