"""Statistics and comparisons as HTML pages that need no other file."""

from __future__ import annotations

import base64
import html
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from formatspec.datasets import comparison as compared
from formatspec.datasets import statistics as counted
from formatspec.datasets.comparison import Change, Comparison
from formatspec.datasets.statistics import Statistics

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from formatspec.datasets.dataset import Dataset

BARS = 40
"""The most rows of a bar chart."""
WORST = 12
"""How many items have pictures on the page of a comparison."""
SIDE = 480
"""The longer side of such a picture in pixels."""
STYLE = """body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:72em;padding:0 1em}
table{border-collapse:collapse}td,th{padding:.1em .8em;text-align:left;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums}.bar{background:#4a7ebb;height:.9em;display:inline-block}
figure{display:inline-block;margin:.5em}pre{background:#f4f4f4;padding:.8em;overflow:auto}"""


def statistics_page(found: Statistics, title: str) -> str:
    """Return the statistics of a dataset as a page."""
    ranked = sorted(found.classes, key=lambda one: -(one.objects + one.labels + one.areas))
    parts = [
        _text(counted.lines(found, 0)[: -1 if found.classes else None]),
        _bars("Objects, labels and areas by class",
              [(one.name or "(none)", one.objects + one.labels + one.areas) for one in ranked]),
        _bars("Items by subset", list(found.subsets.items())),
        _bars("Images by size", [(f"{width} x {height}", count) for width, height, count in found.sizes]),
        _bars("Objects by size", list(found.by_size.items())),
        _bars("Classes in one image", [(f"{one} and {other}", count) for one, other, count in found.together]),
        _balance(found),
    ]  # fmt: skip
    if found.duplicates:
        groups = "".join(f"<li>{html.escape(', '.join(group))}</li>" for group in found.duplicates)
        parts.append(f"<h2>Images that look alike</h2><ul>{groups}</ul>")
    return _page(f"Statistics of {title}", parts)


def comparison_page(found: Comparison, first: Dataset, second: Dataset) -> str:
    """Return a comparison as a page, with pictures of the items that differ most, side by side."""
    often = Counter(change.item for change in found.changes)
    by_name = compared.unique_by_name(second.keys)
    figures: list[str] = []
    for key, count in often.most_common(WORST):
        changes = [change for change in found.changes if change.item == key]
        twin = key if key in second else by_name.get(key.rpartition("/")[2], "")
        sides = [(first, key), (second, twin)]
        shown = "".join(_figure(dataset[name].plot(), str(dataset.data)) for dataset, name in sides if name in dataset)
        figures.append(f"<h3>{html.escape(key)}: {count:,} changes</h3>{shown}{_listed(changes)}")
    pictures = f"<h2>The items that differ most</h2>{''.join(figures)}" if figures else ""
    confusion = _bars(
        "Classes that were taken for others",
        [(f"{one or '(none)'} is {other or '(none)'}", count) for one, other, count in found.confusion],
    )
    return _page(f"{first.data} and {second.data}", [_text(compared.lines(found)), confusion, pictures])


def _page(title: str, parts: Iterable[str]) -> str:
    name = html.escape(title)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{name}</title><style>{STYLE}</style>'
        f"</head><body><h1>{name}</h1>{''.join(parts)}</body></html>\n"
    )


def _text(lines: Sequence[str]) -> str:
    return f"<pre>{html.escape(chr(10).join(lines))}</pre>"


def _bars(title: str, rows: Sequence[tuple[str, int]]) -> str:
    if not any(count for _, count in rows):
        return ""
    most = max(count for _, count in rows)
    lines = "".join(
        f'<tr><td>{html.escape(name)}</td><td class="n">{count:,}</td>'
        f'<td><span class="bar" style="width:{320 * count / most:.0f}px"></span></td></tr>'
        for name, count in rows[:BARS]
    )
    more = f"<p>… and {len(rows) - BARS:,} more</p>" if len(rows) > BARS else ""
    return f"<h2>{html.escape(title)}</h2><table>{lines}</table>{more}"


def _balance(found: Statistics) -> str:
    """Return how each class is spread over the subsets, in percent of the class."""
    subsets = list(found.subsets)
    if len(subsets) < 2:
        return ""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in subsets)
    rows = ""
    for one in found.classes[:BARS]:
        total = sum(one.subsets.values())
        if total:
            cells = "".join(f'<td class="n">{100 * one.subsets.get(name, 0) / total:.1f} %</td>' for name in subsets)
            rows += f"<tr><td>{html.escape(one.name or '(none)')}</td>{cells}</tr>"
    return f"<h2>Balance of the subsets</h2><table><tr><th>class</th>{head}</tr>{rows}</table>"


def _listed(changes: Sequence[Change]) -> str:
    lines = "".join(f"<li>{html.escape(str(change))}</li>" for change in changes[:BARS])
    return f"<ul>{lines}</ul>"


def _figure(picture: Picture, caption: str) -> str:
    picture.thumbnail((SIDE, SIDE))
    held = io.BytesIO()
    picture.save(held, "PNG")
    code = base64.b64encode(held.getvalue()).decode()
    words = html.escape(caption)
    return f'<figure><img alt="{words}" src="data:image/png;base64,{code}"><figcaption>{words}</figcaption></figure>'
