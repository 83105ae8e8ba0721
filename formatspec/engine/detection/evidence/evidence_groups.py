"""Groups similar files that can identify a format, so that many files of one kind count once."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from formatspec.engine.detection.evidence.ignorable import telling
from formatspec.engine.detection.evidence.label_images import label_like
from formatspec.engine.detection.evidence.opened_files import ImageFiles
from formatspec.paths.templates.formats import IMAGE_EXTENSIONS

DOCUMENTS = frozenset(
    {"json", "jsonl", "ndjson", "geojson", "xml", "csv", "tsv", "txt", "yaml", "yml", "ini", "toml", "names", "data"}
    | {"manifest", "labels", "odgt", "parquet", "gz", "tar", "mat", "p", "pkl", "h5", "npy", "npz", "xlsx", "record"}
    | {"tfrecord", "tfrecords", "db", "sqlite"}
)
"""Extensions of documents, tables and lists that describe images."""
IMAGES = frozenset(IMAGE_EXTENSIONS)
OF_A_FOLDER = 24
"""How many groups of one extension a folder may have; more groups count as one."""
_DIGITS = re.compile(r"\d+")


class Groups(NamedTuple):
    """The files of a tree that can identify a format.

    Attributes:
        evidence: Groups of documents and label images, each with its paths in order.
        labels: The paths of label images.
        images: The paths of images that are not label images.
    """

    evidence: tuple[tuple[str, ...], ...]
    labels: frozenset[str]
    images: tuple[str, ...]


def extension_of(path: str) -> str:
    """Return the extension of a file's name in lower case; "" if it has none."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""


def grouped(paths: Sequence[str], files: ImageFiles) -> Groups:
    """Group the files of a tree."""
    told = telling(paths)
    images = [path for path in told if extension_of(path) in IMAGES]
    stems = {_stem(path) for path in images}
    documents = [path for path in told if extension_of(path) in DOCUMENTS]
    labels = label_like(images, files)
    documented = _grouped(documents, stems)
    painted = _grouped_labels([path for path in images if path in labels])
    return Groups(
        tuple(tuple(group) for group in (*documented.values(), *painted.values())),
        frozenset(labels),
        tuple(path for path in images if path not in labels),
    )


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0].lower()


def _folded(text: str) -> str:
    return _DIGITS.sub("#", text)


def _grouped(paths: Sequence[str], stems: set[str]) -> Mapping[tuple[str, ...], list[str]]:
    """Group documents by folder, name and extension; documents named after images form one group in their folder."""
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for path in paths:
        folder, _, name = path.rpartition("/")
        stem, extension = _stem(path), extension_of(path)
        own = "{name}" if _names_an_image(stem, stems) else _folded(name)
        found[_folded(folder), own, extension].append(path)
    return _bounded(found)


def _names_an_image(stem: str, stems: set[str]) -> bool:
    """Return whether a document's stem is an image's, perhaps with a word before or after it."""
    if stem in stems:
        return True
    for mark in ("_", "-"):
        before, found, behind = stem.partition(mark)
        if found and behind in stems:
            return True
        before, found, _ = stem.rpartition(mark)
        if found and before in stems:
            return True
    return False


def _bounded(found: Mapping[tuple[str, ...], list[str]]) -> Mapping[tuple[str, ...], list[str]]:
    """Return groups after merging those of a folder or a depth that has too many of one extension."""
    in_folder = Counter((folder, extension) for folder, _, extension in found)
    joined: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for (folder, name, extension), paths in found.items():
        joined[folder, "*" if in_folder[folder, extension] > OF_A_FOLDER else name, extension] += paths
    at_depth = Counter((folder.count("/"), name, extension) for folder, name, extension in joined)
    whole: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for (folder, name, extension), paths in joined.items():
        depth = folder.count("/")
        whole[str(depth) if at_depth[depth, name, extension] > OF_A_FOLDER else folder, name, extension] += paths
    return whole


def _grouped_labels(paths: Sequence[str]) -> Mapping[tuple[str, ...], list[str]]:
    """Group label images by folder; folders of one depth and last name form one group."""
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for path in paths:
        folders = path.split("/")[:-1]
        found[_folded("/".join(folders)), "", extension_of(path)].append(path)
    return _bounded(found)
