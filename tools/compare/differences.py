"""What differs between the records of two sides, told by the first line that does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from side import plain

BEFORE, SHOWN = 40, 160
"""Characters shown before the first one that differs in a line, and at most in all."""

Record = dict[str, Any]


def read_records(file: Path) -> dict[str, Record]:
    """The records that a side wrote, by the name of their job."""
    with file.open(encoding="utf-8") as stream:
        return {made["name"]: made for made in map(json.loads, stream)}


def first_line(a: str, b: str) -> tuple[int, str, str]:
    """The number of the first line that differs between two texts, from 1, and that line of each, cut to what differs.

    A line that a text no longer has is shown as `(no line)`.
    """
    for number, (left, right) in enumerate(zip_longest(a.split("\n"), b.split("\n")), 1):
        if left != right:
            at = next((i for i, (x, y) in enumerate(zip(left or "", right or "", strict=False)) if x != y), None)
            start = max((min(len(left or ""), len(right or "")) if at is None else at) - BEFORE, 0)
            return number, _cut(left, start), _cut(right, start)
    return 0, "", ""


def _cut(line: str | None, start: int) -> str:
    if line is None:
        return "(no line)"
    end = start + SHOWN
    return f"{'…' if start else ''}{line[start:end]}{'…' if len(line) > end else ''}"


def first_place(a: bytes, b: bytes) -> tuple[str, str, str]:
    """Where two files differ first, by line if both are text and else by byte, and what each has there."""
    try:
        number, left, right = first_line(a.decode("utf-8"), b.decode("utf-8"))
    except ValueError:
        at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
        return f"byte {at} ({len(a)} and {len(b)} bytes)", a[at : at + 8].hex(" "), b[at : at + 8].hex(" ")
    return f"line {number}", left, right


class Side:
    """A side's records and where its files are."""

    def __init__(self, label: str, checkout: Path, work: Path, records: dict[str, Record]) -> None:
        self.label = label
        self.checkout = checkout
        self.work = work
        self.records = records

    def file(self, made: Record, name: str) -> bytes:
        """A file that a job wrote, without this machine's paths as far as they are the side's own."""
        data = plain((self.work / made["out"] / name).read_bytes(), self.checkout)
        return data.replace(str(self.work.resolve()).encode(), b"<work>")


def differences(base: Side, other: Side) -> Iterator[tuple[str, list[str]]]:
    """The name of each job that differs, with lines that tell how."""
    for name in dict.fromkeys((*base.records, *other.records)):
        a, b = base.records.get(name), other.records.get(name)
        if a is None or b is None:
            ran, lacks = (base, other) if b is None else (other, base)
            yield name, [f"  {ran.label} ran it, {lacks.label} did not"]
        elif a != b:
            yield name, list(_told(base, other, a, b))


def _told(base: Side, other: Side, a: Record, b: Record) -> Iterator[str]:
    if a["exit code"] != b["exit code"]:
        yield from _pair("exit code", base, other, str(a["exit code"]), str(b["exit code"]))
    for stream in ("stdout", "stderr"):
        if a[stream] != b[stream]:
            number, left, right = first_line(a[stream], b[stream])
            yield from _pair(f"{stream}, line {number}", base, other, left, right)
    yield from _files_told(base, other, a, b)


def _files_told(base: Side, other: Side, a: Record, b: Record) -> Iterator[str]:
    names = [n for n in sorted({*a["files"], *b["files"]}) if a["files"].get(n) != b["files"].get(n)]
    if not names:
        return
    first, count = names[0], f" (the first of {len(names)} files that differ)" if len(names) > 1 else ""
    if first not in a["files"] or first not in b["files"]:
        has = base if first in a["files"] else other
        yield f"  {first}{count}: only {has.label} wrote it"
        return
    place, left, right = first_place(base.file(a, first), other.file(b, first))
    yield from _pair(f"{first}, {place}{count}", base, other, left, right)


def _pair(what: str, base: Side, other: Side, left: str, right: str) -> Iterable[str]:
    width = max(len(base.label), len(other.label))
    return (f"  {what}", f"    {base.label:{width}}  {left}", f"    {other.label:{width}}  {right}")
