"""The message when no format, or more than one, describes a tree."""

from __future__ import annotations

import os
import re
from pathlib import Path

from formatspec.engine.dataset.choose_layout import several_roots
from formatspec.engine.detection.detect import Detection, detect
from formatspec.language.errors import Problem, SpecError
from formatspec.paths.trees.nested import NestedTree
from formatspec.paths.trees.tree import Tree

_SUBSET = re.compile(r"train|val|test|(^|[-_.\d])dev($|[-_.\d])|query|gallery", re.I)
"""What stands in the names of folders that hold one subset."""


def refusal(data: str, found: Detection, tree: Tree) -> SpecError:
    """Return the error for data without a clear format.

    Args:
        data: Where the data are, for messages.
        found: What was detected.
        tree: The data.
    """
    outcome, elsewhere, nothing = found.outcome, found.elsewhere, found.holds
    if found.part is not None:
        name, folder, around = found.part
        alone = outcome.winners[0].name
        return _error(
            f"{data} is the folder {folder!r} of a dataset of {name}, whose other files lie around it",
            f"point at the folder around it, and take one subset of it: formatspec … {around} --subset NAME; "
            f"or name the format, to read the images alone: formatspec … {alone} {data}",
        )
    if found.roots:
        return several_roots(found.names[0], data, found.roots)
    if len(outcome.winners) > 1:
        names = [one.name for one in outcome.winners]
        return _error(f"{data} can be read as {', '.join(names)}", f"say which: formatspec … {names[0]} {data}")
    if elsewhere:
        places = ", ".join(f"{name} in {data.rstrip('/')}/{folder}" for folder, name in elsewhere)
        return _error(
            f"no known format describes {data}: it holds {places}, and other things beside",
            f"point at the dataset: formatspec … {data.rstrip('/')}/{elsewhere[0][0]}",
        )
    if found.empty:
        return _error(f"no known format describes {data}: {nothing}", "point at the folder or the zip of a dataset")
    part = _part_of(data, found, tree)
    if part is not None:
        name, folder, around = part
        return _error(
            f"no known format describes {data} alone: it is the folder {folder!r} of a dataset of {name}",
            f"point at the folder around it, and take one subset of it: formatspec … {around} --subset NAME",
        )
    near = ", ".join(f"{one.name} ({one.reason})" for one in outcome.nearest)
    why = "a spec of your own has a mistake, and images alone identify no format" if outcome.barred else nothing
    message = f"no known format describes {data}" + (f": {why}" if why else "")
    whole = "if this is a part of a dataset, point at the folder that holds all of it; " if _is_subset(data) else ""
    return _error(
        f"{message}. Nearest: {near}" if near else message,
        f"{whole}`formatspec detect --all` says for every format what speaks against it; "
        f"`formatspec infer {data} -o my_format.yaml` drafts a spec for it",
    )


def _error(message: str, hint: str) -> SpecError:
    return SpecError((Problem(message, None, hint=hint),))


def _is_subset(data: str) -> bool:
    """Return whether the name of a folder says that it holds one subset."""
    return _SUBSET.search(data.rstrip("/").rpartition("/")[2]) is not None


def _part_of(data: str, found: Detection, tree: Tree) -> tuple[str, str, str] | None:
    """Return which format data have if they are seen as the folder of a subset, in one or two folders around them.

    Returns:
        The format, the path of the data in the dataset, and where that begins; None for other data.
    """
    remote = "://" in data
    place = data.rstrip("/") if remote else Path(data).absolute().as_posix()
    if not remote and not Path(data).is_dir():
        return None
    folders = place.partition("://")[2].split("/")[1:] if remote else place.split("/")[1:]
    if not _is_subset(place):
        return None
    for depth in range(1, min(len(folders), 2) + 1):
        folder = "/".join(folders[-depth:])
        within = detect(found.sources, NestedTree(tree, folder))
        if within.name is not None and not within.within:
            around = place.removesuffix(f"/{folder}") if remote else os.path.normpath(Path(data, *[".."] * depth))
            return within.name, folder, around
    return None
