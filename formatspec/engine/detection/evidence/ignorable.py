"""Files that say nothing about a format: what people and tools put beside any dataset."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ABOUT = r"SOURCES?|NOTICES?|CREDITS|AUTHORS|CONTRIBUTORS|CITATION|COPYRIGHT|ATTRIBUTIONS?|CHANGE(?:LOG|S)|VERSION"
_FILE = re.compile(
    r"(?i)\..*|Thumbs\.db|desktop\.ini|README.*|LICEN[CS]E.*|.*\.(?:md|pdf|py|ipynb|log|cache)|formatspec[-_.].*\.json"
    rf"|(?:{_ABOUT})(?:(?:[._-].*)?\.(?:txt|rst))?"
)
_FOLDER = re.compile(r"\..*|__MACOSX")


def is_ignorable(path: str) -> bool:
    """Return whether a file says nothing about the format of its dataset.

    These are hidden files and folders, `__MACOSX`, `Thumbs.db`, files named README or LICENCE, texts with usual names
    such as SOURCES, NOTICE or CHANGELOG, and `*.md`, `*.pdf`, `*.py`, `*.ipynb`, `*.log` and `*.cache`.
    """
    *folders, name = path.split("/")
    return _FILE.fullmatch(name) is not None or any(_FOLDER.fullmatch(folder) for folder in folders)


def telling(paths: Iterable[str]) -> list[str]:
    """Return the paths that are not ignorable, in their order."""
    return [path for path in paths if not is_ignorable(path)]
