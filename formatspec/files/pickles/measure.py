"""Limits of depth and memory for the values of a pickle, where a shared value counts at each place where it occurs."""

from __future__ import annotations

from typing import NamedTuple

from formatspec.files.document import MAX_DEPTH, Document, FileError, check_estimate

CONTAINER = 64
"""How many bytes an empty list or mapping takes."""
VALUE = 16
"""How many bytes a value takes at each place, without the characters of a text."""
_CONTAINERS = (list, dict)


class _Size(NamedTuple):
    """The memory that a value would take if nothing in it were shared, and how deep its values are nested."""

    weight: int
    height: int


def check_depth(document: Document) -> None:
    """Raise FileError if values are nested deeper than MAX_DEPTH; lists and mappings must not be shared."""
    level, depth = [document], 0
    while level := [
        part
        for value in level
        if isinstance(value, _CONTAINERS)
        for part in (value if isinstance(value, list) else value.values())
        if isinstance(part, _CONTAINERS)
    ]:
        depth += 1
        if depth >= MAX_DEPTH:
            raise _too_deep()


def check_shared(document: Document, size: int) -> None:
    """Raise where a document, whose parts may be shared or hold themselves, is no tree within bounds.

    A list or a mapping that stands in several places is measured once, so that this takes time for what the pickle
    holds, however large the document would be with all its copies.

    Args:
        document: Plain data, of which parts may be shared or hold themselves.
        size: The bytes of the file.

    Raises:
        FileError: A value holds itself, or values are nested deeper than MAX_DEPTH.
        TooLargeError: The values take more memory than the limit `values` allows.
    """
    sizes: dict[int, _Size | None] = {}  # None: this container is being measured
    waiting = [document] if isinstance(document, _CONTAINERS) else []
    while waiting:
        value = waiting[-1]
        if sizes.get(id(value)) is not None:
            waiting.pop()
            continue
        parts = value if isinstance(value, list) else value.values()
        inner = [part for part in parts if isinstance(part, _CONTAINERS)]
        if id(value) not in sizes:
            sizes[id(value)] = None
            waiting += [part for part in inner if _unmeasured(part, sizes)]
            continue
        height = 1 + max((one.height for part in inner if (one := sizes[id(part)])), default=0)
        if height > MAX_DEPTH:
            raise _too_deep()
        weight = CONTAINER + sum(one.weight for part in inner if (one := sizes[id(part)])) + _own(value)
        sizes[id(value)] = _Size(weight, height)
        waiting.pop()
    total = sizes.get(id(document))
    check_estimate(total.weight if total else 0, size)


def _too_deep() -> FileError:
    return FileError(f"nested deeper than {MAX_DEPTH}")


def _unmeasured(part: Document, sizes: dict[int, _Size | None]) -> bool:
    """Return whether a container is new. Raises FileError if it contains itself."""
    if id(part) not in sizes:
        return True
    if sizes[id(part)] is None:
        raise FileError("a value holds itself")
    return False


def _own(value: Document) -> int:
    """Return the memory of a container's keys and of those values that are neither lists nor mappings."""
    parts = value if isinstance(value, list) else [*value, *value.values()]
    return sum(VALUE + len(part) if isinstance(part, str) else VALUE for part in parts)
