"""The gallery of all formats, and what is lost between each two of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from formatspec.docs import holds as held
from formatspec.docs.pages import (
    MARK,
    Summary,
    bundled_sources,
    codecs_page,
    findings_page,
    format_page,
    summary,
    table,
)
from formatspec.language.load import Source

RIVALS = "rivals.csv"
Matrix = dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]]


def pages(docs: Path) -> dict[str, str]:
    """Return every rendered page, by its path below the folder of the documentation."""
    sources = bundled_sources()
    found = {f"formats/{source.name}.md": format_page(source) for source in sources}
    found["formats/README.md"] = gallery_page(sources, docs)
    found["findings.md"] = findings_page(sources)
    found["codecs.md"] = codecs_page()
    return found


def gallery_page(sources: Iterable[Source], docs: Path) -> str:
    """Return the table of all formats, with the length of their specs beside that of other tools' code."""
    known = [summary(source) for source in sources]
    rows = [(f"[{one.name}]({one.name}.md)", one.title, one.main, one.grade, one.seen, str(one.lines)) for one in known]
    sizes = [one.lines for one in known]
    parts = [
        "# Formats",
        MARK,
        f"{len(known)} formats, each read and written from one YAML file. *Writing* is full if every file can be made "
        "from other formats' data. *Seen* is the best evidence that the spec names: a file that the format's own tool "
        "wrote, the tool's source, or documentation. Lines are those of the spec and of the tables that it names.",
        table(("name", "title", "holds", "writing", "seen", "lines"), rows),
        "`formatspec specs --matrix` shows what a conversion from each format to each other loses.",
        "## What a format costs",
        f"A spec has {min(sizes)} to {max(sizes)} lines, in the median {_plain(median(sizes))}. "
        "Other tools, measured in November 2026:",
        _rivals(known, docs),
    ]
    return "\n\n".join(parts) + "\n"


def format_list(sources: Iterable[Source]) -> list[str]:
    """Return the formats in aligned columns: name, title, what they hold, how far they can be written."""
    known = [summary(source) for source in sources]
    rows = [(one.name, one.title, one.main, one.grade) for one in known]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _plain(number: float) -> str:
    return f"{number:g}"


def _rivals(known: Sequence[Summary], docs: Path) -> str:
    sizes = [one.lines for one in known]
    with (docs / RIVALS).open(encoding="utf-8", newline="") as file:
        heads, *others = csv.reader(file)
    own = ("formatspec", "one YAML file", f"{min(sizes)} to {max(sizes)} (median {_plain(median(sizes))})")
    return table(heads, [own, *others])


def matrix(sources: Sequence[Source]) -> Matrix:
    """Return what is lost from each format to each other: always, or depending on the record or an option."""
    read = {source.name: [held.profile(form) for form in held.read_forms(source)] for source in sources}
    written = {source.name: [held.profile(form) for form in held.written_forms(source)] for source in sources}
    return {
        (one, other): ((), ()) if one == other else held.lost_between_specs(read[one], written[other])
        for one in read
        for other in written
    }


def matrix_lines(found: Matrix) -> list[str]:
    """Return the matrix as text: a row per source, a column per target, the number of kinds that are always lost."""
    names = list(dict.fromkeys(one for one, _ in found))
    width = max((len(name) for name in names), default=0)
    numbers = {name: str(number) for number, name in enumerate(names, 1)}
    lines = [" ".join([" " * (width + 4), *(f"{numbers[name]:>2}" for name in names)])]
    for name in names:
        cells = (
            "·" if name == other or not found[name, other][0] else str(len(found[name, other][0])) for other in names
        )
        lines.append(" ".join([f"{numbers[name]:>3} {name:<{width}}", *(f"{cell:>2}" for cell in cells)]))
    return lines


def matrix_json(found: Matrix) -> dict[str, object]:
    """Return the matrix as plain data."""
    pairs = [
        {"source": one, "target": other, "lost": list(always), "sometimes": list(sometimes)}
        for (one, other), (always, sometimes) in found.items()
        if one != other
    ]
    return {"version": 1, "pairs": pairs}


__all__ = ["Matrix", "format_list", "gallery_page", "matrix", "matrix_json", "matrix_lines", "pages"]
