"""Files that say nothing about a format: what people and tools put beside any dataset."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ABOUT = r"SOURCES?|NOTICES?|CREDITS|AUTHORS|CONTRIBUTORS|CITATION|COPYRIGHT|ATTRIBUTIONS?|CHANGE(?:LOG|S)|VERSION"
_FILE = re.compile(
    r"(?i)\..*|Thumbs\.db|desktop\.ini|README.*|LICEN[CS]E.*|.*\.(?:md|pdf|py|ipynb|log|cache)|formatspec[-_.].*\.json"
    rf"|(?:{_ABOUT})(?:(?:[._-].*)?\.(?:txt|rst))?|requirements.*\.txt|environment\.ya?ml|pyproject\.toml"
    r"|(?:package(?:-lock)?|tsconfig)\.json|docker-compose.*\.ya?ml"
)
_FOLDER = re.compile(r"\..*|__MACOSX|__pycache__|venv|node_modules|wandb|mlruns")
_RUNS = re.compile(
    r"(?:.*/)?runs/(?:(?:detect|segment|classify|pose|obb)/(?:train|val|predict|track)\d*"
    r"|(?:(?:train|val|detect|segment|classify|predict)(?:-\w+)?/)?exp\d*)/.*"
)
"""Files of runs of a training, which stand in a folder beside the data that it read; a dataset has `runs/train` too."""


def is_ignorable(path: str) -> bool:
    """Return whether a file says nothing about the format of its dataset.

    These are hidden files and folders, `__MACOSX`, `Thumbs.db`, files named README or LICENCE, texts with usual names
    such as SOURCES, NOTICE or CHANGELOG, and `*.md`, `*.pdf`, `*.py`, `*.ipynb`, `*.log` and `*.cache`. So are lists of
    what a program requires, such as requirements.txt or package.json, and what a training leaves: `wandb`, `mlruns`,
    `runs/detect/train`, `runs/train/exp` and the like.
    """
    *folders, name = path.split("/")
    if "runs" in folders and _RUNS.fullmatch(path):
        return True
    return _FILE.fullmatch(name) is not None or any(_FOLDER.fullmatch(folder) for folder in folders)


def telling(paths: Iterable[str]) -> list[str]:
    """Return the paths that are not ignorable, in their order."""
    return [path for path in paths if not is_ignorable(path)]
