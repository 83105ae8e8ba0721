"""The names of classes that a user gives for data with only numbers of classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from formatspec.language.errors import Problem, SpecError

Classes = str | Path | Sequence[str]
"""A text file with one name per line, or the names themselves; the first is class 0."""


def class_names(classes: Classes | None) -> tuple[str, ...]:
    """Return the names of classes by their numbers from 0; empty if the user gives none.

    Raises:
        OSError: The file cannot be read.
        SpecError: There is no name, a line is empty, or a name occurs twice.
    """
    if classes is None:
        return ()
    where, names = "the classes", list(classes) if not isinstance(classes, str | Path) else []
    if isinstance(classes, str | Path):
        where = str(classes)
        try:
            names = Path(classes).read_text(encoding="utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise _refused(f"{where} is no UTF-8 text: {error}") from None
    names = [name.strip() for name in names]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise _refused(f"{where}: there is no name of a class; expected a name a line, the first for class 0")
    seen: dict[str, int] = {}
    for line, name in enumerate(names, 1):
        if not name:
            raise _refused(f"{where}:{line}: the line is empty; expected the name of class {line - 1}")
        other = seen.setdefault(name, line)
        if other != line:
            raise _refused(f"{where}:{line}: the name {name!r} stands on line {other} already")
    return tuple(names)


def _refused(message: str) -> SpecError:
    return SpecError((Problem(message, None),))
