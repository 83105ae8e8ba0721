"""Decides whether images and folders alone identify a format: their folders must be classes and nothing else."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from formatspec.engine.detection.fit.common_words import CONTAINERS, NUMBERED, PICTURES, SUBSETS
from formatspec.engine.detection.fit.role_fit import Claim
from formatspec.engine.spec.compiled import IMAGE, Format, Role

MOST = 0.75
"""The share of a tree's images that a format must claim; a few other images do not matter."""
NEARLY_ALL = 0.9
"""The share of images that counts as all of them."""
MOST_WORDS = 5
"""The most words of a folder's name among which a subset's name is sought."""
_LABEL = "label.category."
_LISTED = "category."
_SERIAL = re.compile(r"[_-]0\d{3,}(?:\.\w+$|[_-])")
"""A number with leading zeros, as frames of a sequence have; images named after their class have none."""
_WORD = re.compile(r"[a-z]+")
_OF_A_CAMERA = re.compile(r"(?:19|20)\d\d[-_. ]?[01]\d[-_. ]?[0-3]\d(?:\D.*)?|[1-9]\d\d(?=.*[A-Z])[A-Z0-9_]{5}")
"""Folders that cameras create: a date, or a standard name such as `100CANON`."""


def may_be_bare(form: Format, images: Sequence[Claim], count: int) -> bool:
    """Return whether images and folders alone may identify this format.

    The format must take a category from the image's path and claim most images of the tree. Folders that it takes for
    classes, or for parts of a name, must not be folders in which other layouts keep parts of a dataset.

    Args:
        form: The format.
        images: The images that it claims.
        count: How many images the tree has.
    """
    role = form.roles[IMAGE]
    slots = [name for name in role.captures if name.startswith(_LABEL)]
    if not slots or len(images) < count * MOST:
        return False
    classes = {tuple(str(captures.get(slot) or "") for slot in slots) for _, captures in images}
    names = {name for parts in classes for name in parts if name}
    inner = {
        folder
        for _, captures in images
        for name, value in captures.items()
        if isinstance(value, str) and not name.startswith(_LABEL) and name not in ("subset", "ext")
        for folder in _folders_in(value, role.scope.captures.get(name))
    }
    if any(_is_container(name) for name in (*names, *inner)) or any(_is_subset(name) for name in inner):
        return False
    if _repeat_their_folder(role, images):
        return False
    if names and all(_OF_A_CAMERA.fullmatch(name) for name in names):
        return False
    subsets = [name for name in names if _is_subset(name)]
    if len(subsets) > 1 or (subsets and len(subsets) == len(names)) or any("_" in name for name in subsets):
        return False
    return len(classes) > 1 or _repeats_a_class(role) or _spells_folders(role)


def _folders_in(value: str, form: str | None) -> list[str]:
    """Return the folders in a placeholder's text: all of it for a run of folders; otherwise all but the last name."""
    return [part for part in value.split("/") if part] if form == "path?" else value.split("/")[:-1]


def lists_one_subset_of_several(form: Format, images: Sequence[Claim]) -> bool:
    """Return whether a format finds classes in one subset although several subsets have folders of classes.

    Such folders belong to another format, which lists the classes of each subset.
    """
    lists = [role for role in form.roles.values() if role.folder and any(n.startswith(_LISTED) for n in role.captures)]
    if (
        not lists
        or IMAGE not in form.roles
        or "subset" not in form.roles[IMAGE].captures
        or any("subset" in role.captures for role in lists)
    ):
        return False
    slots = [name for name in form.roles[IMAGE].captures if name.startswith(_LABEL)]
    classes: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for _, captures in images:
        classes[str(captures.get("subset"))].add(tuple(str(captures.get(slot)) for slot in slots))
    return sum(len(found) > 1 for found in classes.values()) > 1


def _repeat_their_folder(role: Role, images: Sequence[Claim]) -> bool:
    """Return whether images are named after their folder with a number, although the template does not say so.

    Such names belong to another layout.
    """
    if _repeats_a_class(role):
        return False
    numbered = 0
    for path, _ in images:
        folder, _, name = path.rpartition("/")
        last = folder.rpartition("/")[2]
        numbered += name.startswith(last) and _SERIAL.match(name, len(last)) is not None
    return numbered >= NEARLY_ALL * len(images)


def _repeats_a_class(role: Role) -> bool:
    """Return whether a template contains a category twice: as the folder's name and in the image's name."""
    return any(role.spec.path.count(name) > 1 for name in role.captures if name.startswith(_LABEL))


def _spells_folders(role: Role) -> bool:
    """Return whether a template fixes words of the images' paths: literal text, or a choice of words."""
    folders = role.spec.path
    literal = re.sub(r"\{[^{}]*\}", "", folders)
    if re.search(r"[A-Za-z]{2}", literal):
        return True
    return any("|" in (role.scope.captures.get(name) or "") for name in role.captures)


def _is_container(name: str) -> bool:
    """Return whether a folder's name says what kind of files it contains.

    `images`, `img1` and `image_2` do; `label_0` beside others does not.
    """
    plain = name.lower()
    word = re.sub(r"[_ -](?=[a-z])", "", plain.rstrip("0123456789"))
    numbered = re.fullmatch(r"([a-z]+)[._ -]?\d+", plain)
    return word in CONTAINERS or word in PICTURES or (numbered is not None and numbered[1] in NUMBERED)


def _is_subset(name: str) -> bool:
    """Return whether a folder's name is or contains a subset's: `train2017`, `bounding_box_test`, `train_data`."""
    words = _WORD.findall(name.lower())
    while len(words) > 1 and words[-1] in CONTAINERS:
        words.pop()
    return bool(words) and (words[-1] in SUBSETS or words[0] in SUBSETS) and len(words) <= MOST_WORDS
