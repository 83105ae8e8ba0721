"""Turns faults into findings with a level, a line, a hint, and the rule that they break."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from posixpath import normpath
from typing import Any, cast

import msgspec

from formatspec.engine.base.faults import DocumentPath, Fault
from formatspec.engine.index.row_ownership import SharedFile
from formatspec.engine.index.row_source import FileRows
from formatspec.engine.spec.compiled import Format
from formatspec.files.document import FileError, pointer_text
from formatspec.findings.codes import Case
from formatspec.findings.finding import Finding, Scope
from formatspec.findings.table import CODES
from formatspec.language.load import place_text
from formatspec.model.limits import check_limit, limits
from formatspec.paths.trees.tree import Tree

LOCATED = 200
"""How many findings of one file get a line and a column. Every finding has its pointer."""


Noted = list[tuple[Finding, tuple[str, DocumentPath] | None]]
"""Findings, some still without a line; those come with their file and their place in its document."""

MOST_NUMBERS = 12
"""A geometry of more numbers than this is not repeated in a message."""
_GEOMETRIC = frozenset({"BOX_SIZE", "BOX_OUTSIDE", "BOX_AWAY", "BOX_EMPTY"})
"""Codes about the numbers of one box."""


def _same_numbers(numbers: Sequence[float], value: Any) -> bool:
    """Return whether a value of the model holds the same numbers as its file, in the same order."""
    if not isinstance(value, list | tuple) or len(value) != len(numbers):
        return False
    return all(
        isinstance(one, int | float) and abs(one - other) < 1e-9 for one, other in zip(value, numbers, strict=True)
    )


_ORDERS: tuple[tuple[str, tuple[int, int, int, int]], ...] = (
    ("as left, top, right, bottom (`sides`)", (0, 1, 2, 3)),
    ("as left, right, top, bottom (`sides(x1, x2, y1, y2)`)", (0, 2, 1, 3)),
    ("as top, left, bottom, right (`sides(y1, x1, y2, x2)`)", (1, 0, 3, 2)),
)
"""Orders of the sides of a box, each with the positions of left, top, right and bottom."""


def _fits(numbers: Sequence[float], order: tuple[int, int, int, int], width: float, height: float) -> bool:
    left, top, right, bottom = (numbers[place] for place in order)
    return 0 <= left < right <= width and 0 <= top < bottom <= height


def _as_corners(numbers: Sequence[float], size: tuple[int, int] | None) -> str:
    """Return a hint if a corner and a size lie outside the image, but would lie inside it as two corners."""
    words, order = _ORDERS[0]
    fits = size is not None and len(numbers) == 4 and _fits(numbers, order, *size)
    return f"; read {words}, its numbers would lie inside" if fits else ""


def _on_other_scale(numbers: Sequence[float], size: tuple[int, int] | None) -> str:
    """Return a hint if the numbers of a box were read as fractions of the image's size and seem not to be."""
    if size is None or len(numbers) != 4 or min(numbers) < 0:
        return ""
    if max(numbers) <= 1:
        fits = next((words for words, order in _ORDERS if _fits(numbers, order, 1, 1)), None)
        return f"; read {fits}, its numbers would lie inside" if fits else ""
    as_percent = "as per cent of the image's size (`normalized | scaled(100)`)" if max(numbers) <= 100 else ""
    as_pixels = "as pixels (without `normalized`)" if max(numbers) <= max(size) else ""
    told = " or ".join(one for one in (as_pixels, as_percent) if one)
    return f"; they are read as parts of the image's size, from 0 to 1, and may be meant {told}" if told else ""


class Reporter:
    """Turns the faults of one dataset into findings."""

    def __init__(self, form: Format, tree: Tree, prefix: str, shared: Iterable[SharedFile] = ()) -> None:
        """Take what is needed to locate findings: format, tree, the dataset's folder in it, and the shared files."""
        self.shared = {file.path: file for file in shared}
        self.form = form
        self.tree = tree
        self.prefix = f"{prefix}/" if prefix else ""
        self._located: dict[str, int] = {}
        self._read: dict[bool, tuple[str, bytes]] = {}

    def findings(self, faults: Iterable[Fault], item: str | None = None) -> list[Finding]:
        """Return one finding for each fault, in order."""
        return [self._finding(fault, item, True) for fault in told_one_by_one(faults)]

    def noted(self, faults: Iterable[Fault], item: str, shared: Container[str]) -> Noted:
        """Return findings for faults; places in `shared` files are left to `placed`, which counts lookups."""
        return [
            (
                self._finding(fault, item, fault.file not in shared),
                (fault.file, fault.path) if fault.file in shared and _has_place(fault) else None,
            )
            for fault in faults
        ]

    def placed(self, noted: Noted) -> list[Finding]:
        """Return the findings with their lines and columns."""
        return [finding if at is None else self._at(finding, *at) for finding, at in noted]

    def _at(self, finding: Finding, file: str, path: DocumentPath) -> Finding:
        if not self._may_locate(file):
            return finding
        line, column = self._locate(file, path) or (None, None)
        return msgspec.structs.replace(finding, line=line, column=column)

    def _finding(self, fault: Fault, item: str | None, locate: bool) -> Finding:
        code = CODES[fault.code]
        case = code.case(fault.case)
        line, column, thing = None, None, fault.object
        if isinstance(thing, tuple):
            (line, column), thing = thing, None
        elif locate and _has_place(fault) and self._may_locate(fault.file):  # of equal keys, the last one's place
            line, column = self._locate(fault.file, fault.path) or (None, None)
        return Finding(
            code=fault.code,
            level=self.form.levels.of(fault.code, case.level, fault.slot, fault.value, fault.size, fault.place),
            case=case.name,
            scope=scope_of(fault, case, item),
            message=self._as_stated(fault),
            file=self._told(fault.file) if fault.file else None,
            pointer=pointer_text(self._named(fault)) if fault.path else None,
            line=line,
            column=column,
            item=item,
            object=thing,
            expected=fault.expected or None,
            got=_shown(fault.got),
            hint=code.hint or None,
            rule=place_text(fault.place) if fault.place is not None else None,
        )

    def _told(self, file: str) -> str:
        """Return the path of a file in the data; a file beside the dataset's folder is given from that folder on."""
        return normpath(f"{self.prefix}{file}") if file.startswith("../") else f"{self.prefix}{file}"

    def _as_stated(self, fault: Fault) -> str:
        """Return a fault's message, with the numbers of the file if they differ from the model's."""
        if not fault.slot or fault.place is None or fault.code not in _GEOMETRIC:
            return fault.message
        numbers = self.form.levels.stated(fault.slot, fault.value, fault.size, fault.place)
        if not numbers or len(numbers) > MOST_NUMBERS:
            return fault.message
        if _same_numbers(numbers, fault.got):
            return f"{fault.message}{_as_corners(numbers, fault.size)}"
        stated = f"{fault.message} (in the file: {', '.join(f'{number:.6g}' for number in numbers)})"
        return f"{stated}{_on_other_scale(numbers, fault.size)}" if fault.case == "far" else stated

    def _named(self, fault: Fault) -> DocumentPath:
        """Return the fault's path in the file itself."""
        for role in self.form.documents:
            if role.codec is not None and role.codec.named and role.match(fault.file) is not None:
                try:
                    return role.codec.named(self._data(fault.file), fault.path)
                except (FileError, ValueError, OSError, KeyError):
                    break
        return fault.path

    def _may_locate(self, file: str) -> bool:
        """Return whether to look up another place in a file; each lookup walks through the file."""
        self._located[file] = self._located.get(file, 0) + 1
        return self._located[file] <= LOCATED or self._costs_little(file)

    def _costs_little(self, file: str) -> bool:
        """Return whether lookups are cheap: in text lines, or in files whose rows were located."""
        if file in self.shared:
            return any(isinstance(rows, FileRows) for rows in self.shared[file].tables.values())
        roles = (role for role in self.form.documents if role.codec is not None and role.codec.shape is not None)
        return any(role.match(file) is not None for role in roles)

    def _locate(self, file: str, path: DocumentPath) -> tuple[int, int] | None:
        sought = self._in_rows(file, path)
        if sought is not None:
            return sought
        for role in self.form.documents:
            if role.codec is None or role.match(file) is None:
                continue
            try:
                data = self._data(file)
                while path:
                    found = role.codec.locate(data, path)
                    if found is not None:
                        return found
                    path = path[:-1]
            except (FileError, ValueError, OSError, KeyError):
                return None
        return None

    def _data(self, file: str) -> bytes:
        """Return a file's bytes; those of the last shared file and of the last other file are kept."""
        shared = file in self.shared
        if shared not in self._read or self._read[shared][0] != file:
            self._read[shared] = (file, self.tree.read(file))
        return self._read[shared][1]

    def _in_rows(self, file: str, path: DocumentPath) -> tuple[int, int] | None:
        """Return the line and column of a place in a row that was located in its file."""
        for at, rows in self.shared[file].tables.items() if file in self.shared else ():
            position = path[len(at)] if path[: len(at)] == at and len(path) > len(at) else None
            if isinstance(rows, FileRows) and isinstance(position, int):
                inner = path[len(at) + 1 :]
                tried = (rows.locate(position, inner[: len(inner) - short]) for short in range(len(inner) + 1))
                return next((place for place in tried if place is not None), None)
        return None


def told_one_by_one(faults: Iterable[Fault]) -> Iterator[Fault]:
    """Yield faults up to the limit `findings` for each file and code, and before them how many more there are.

    Each finding takes several hundred bytes.
    """
    faults = faults if isinstance(faults, Sequence) else tuple(faults)
    over = _over(faults)
    if not over:
        yield from faults
        return
    most = limits().findings
    told: Counter[tuple[str, str]] = Counter()
    for fault in faults:
        key = fault.file, fault.code
        told[key] += 1
        if told[key] == 1 and key in over:
            words = f"{over[key]:,} findings of this code; {over[key] - most:,} of them are not listed"
            message = f"{words} (--limit findings={over[key]} lists them)"
            yield fault._replace(path=(), message=message, expected="", got=None, object=None, about=None)
        if told[key] <= most or key not in over:
            yield fault


def refuse_crowded(faults: Sequence[Fault]) -> None:
    """Raise TooLargeError if an item has more findings of one code in one file than the limit allows."""
    for (file, code), count in _over(faults).items():
        check_limit("findings", count, f"the findings {code} in {file} number")


def _over(faults: Sequence[Fault]) -> dict[tuple[str, str], int]:
    """Return the files and codes with more findings than the limit allows, and how many more."""
    most = limits().findings
    if len(faults) <= most:
        return {}
    counts = Counter((fault.file, fault.code) for fault in faults)
    return {key: count for key, count in counts.items() if count > most}


def scope_of(fault: Fault, case: Case, item: str | None) -> Scope:
    """Return what a fault is about: an object if one is known, or else its item, or else its document."""
    if fault.scope:
        return cast(Scope, fault.scope)
    if case.scope in ("object", "value") and case.level == "error":
        return "item" if item is not None else "document"
    return "document" if item is None and case.scope == "item" and case.level != "error" else case.scope


def _has_place(fault: Fault) -> bool:
    """Return whether a fault has a place in its file that is worth looking up."""
    level = CODES[fault.code].case(fault.case).level
    return bool(fault.path) and level != "info" and not isinstance(fault.object, tuple)


def _rounded(value: Any) -> Any:
    """Return the numbers of a value without the digits that arithmetic adds: 0.3 for 0.30000000000000004."""
    if isinstance(value, float):
        return float(f"{value:.12g}")
    if type(value) in (list, tuple):
        return type(value)(_rounded(one) for one in value)
    return value


def _shown(value: Any) -> Any:
    """Return a value in the plain and short form that findings carry."""
    if value is None or isinstance(value, bool | int | float | str):
        return value if not isinstance(value, str) or len(value) <= 200 else value[:199] + "…"
    text = repr(_rounded(value))
    return text if len(text) <= 200 else text[:199] + "…"
