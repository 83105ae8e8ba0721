"""Splits a dataset into subsets: groups its items, assigns the groups, and writes the result."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from formatspec.datasets.dataset import Dataset
from formatspec.datasets.splits.assign import Unit, by_hash, deviations, shares, stratified
from formatspec.datasets.splits.names_apart import SEQUENCE, Renames, told_apart
from formatspec.engine.dataset.dataset import used
from formatspec.engine.evaluate.write_context import WriteContext, WriteScope, WriteSetting
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.engine.export.lost.losses import SUBSETS, tells_of
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.spec.compiled import Format, compile_format
from formatspec.language import expression
from formatspec.language.errors import Problem, SpecError, suggest
from formatspec.language.expression import ExpressionError, ExpressionSyntaxError, UnknownNameError
from formatspec.model.records import Item
from formatspec.model.slots import SLOTS
from formatspec.opening import load_spec
from formatspec.run.conversion.plan import Result

RATIOS = {"train": 0.8, "val": 0.1, "test": 0.1}
SEQUENCES = frozenset({SEQUENCE})
COLUMNS = ("item", "subset", "group")
"""The columns of the file that lists a split."""


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Which subset each item goes to.

    subsets, groups: By the names of the items below their subsets.  counts: Items of each subset, in the order of the
    ratios.  off: Of a stratified split, the classes whose items are an item or more off their ratio in a subset: class,
    subset, items there, items it should be.  renamed: The new names of items by their keys, where another subset has an
    item of the same name.  result: What was written, None where nothing was asked for.
    """

    subsets: dict[str, str]
    groups: dict[str, str]
    counts: dict[str, int]
    off: tuple[tuple[str, str, int, float], ...] = ()
    renamed: dict[str, str] = msgspec.field(default_factory=dict)
    result: Result | None = None

    def csv(self) -> str:
        """The split as a table with a row for each item, for the argument `keep`."""
        held = io.StringIO()
        table = csv.writer(held, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows((name, subset, self.groups[name]) for name, subset in self.subsets.items())
        return held.getvalue()

    def as_json(self) -> dict[str, Any]:
        """Return the numbers of the split, and what was written, as one plain object."""
        off = [{"class": c, "subset": s, "items": n, "expected": round(e, 3)} for c, s, n, e in self.off]
        made = None if self.result is None else self.result.as_json()
        return {"version": 1, "items": len(self.subsets), "groups": len(set(self.groups.values()) - {""}),
                "subsets": self.counts, "off": off, "renamed": self.renamed, "written": made}  # fmt: skip


def split(
    dataset: Dataset,
    out: str | Path | None = None,
    *,
    to: str | Path | None = None,
    ratios: Mapping[str, float] = RATIOS,
    seed: int = 0,
    group: str | None = None,
    stratify: bool = False,
    keep: str | Path | None = None,
    csv: str | Path | None = None,
    **how: Any,
) -> Split:
    """Split a dataset into subsets, and write it with these, or list them, or both.

    dataset: As `open` gives it, whole or a part of it.  out: Where the dataset is written; left out, it is not.
    to: The format; left out, the dataset's own.  ratios: The subsets and their parts; 8, 1, 1 is the same as 0.8, 0.1,
    0.1.  seed: Another seed gives another split.
    group: An expression over items, often the name of a capture: items with the same value stay together. Left out,
    the frames of a sequence do, where the format has sequences.
    stratify: Spread the items that show a class evenly, which looks at all items; else a hash of each group's name and
    the seed decides, so that the ratios hold in expectation, and no item moves when others are added.
    keep: A file as `csv` gave it: its items stay where they are.  csv: The file that lists the split.
    how: What else `convert` takes.

    An item goes by its name below its subset, so that the split of what was split before is the same again. Where
    several subsets have an item of one name, the first keeps it; each other one has its subset's name put before its
    own, in the split and in what is written, and `renamed` of the result lists them.  Raises SpecError for what is no
    expression, for a format that holds no subsets, for two items of one name in a format whose names are numbers,
    and for a `keep` that does not fit; and what `convert` raises.
    """
    parts = shares(ratios)
    if out is not None:
        _refuse_target(dataset, to)
    keys, renames = told_apart(dataset.chosen_entries, dataset.form)
    units, groups, owner = _read(dataset, keys, renames, group, stratify)
    if group is not None and owner and not any(groups.values()):
        hint = "name what tells them apart: a capture of their paths, or an attribute that they have"
        raise SpecError((Problem(f"--group: no item has a value for {group!r}", None, hint=hint),))
    kept = _kept(Path(keep), owner, parts) if keep is not None else {}
    if stratify:
        above = {name: part for name, part in parts.items() if part}
        where = stratified(list(units.values()), above, seed, kept)
        off = deviations(units.values(), where, above)
    else:
        where = {name: kept.get(name) or by_hash(name, parts, seed) for name in units}
        off = []
    subsets = {name: where[unit] for name, unit in owner.items()}
    met = Counter(subsets.values())
    made = Split(subsets=subsets, groups=groups, counts={name: met[name] for name in parts}, off=tuple(off),
                 renamed=_renamed(dataset, keys) if renames else {})  # fmt: skip
    if out is not None:
        assigned = Assigned({key: subsets[name] for key, name in keys.items() if name in subsets}, renames)
        own = dataset.format_file if to is None else to
        # Mapping subsets to themselves says that the output's subsets are not those of the source.
        renamed = {**{name: name for name in parts}, **how.pop("subsets", {})}
        result = dataset.filter(assigned).export(out, own, subsets=renamed, **how)
        made = msgspec.structs.replace(made, result=result)
    if csv is not None and not how.get("dry_run"):
        Path(csv).write_text(made.csv(), encoding="utf-8", newline="")
    return made


@dataclass(frozen=True)
class Assigned:
    """Puts items into subsets by their keys, and renames some; leaves out items without a subset."""

    subsets: Mapping[str, str]
    renames: Renames | None = None
    moves_items = True

    def __call__(self, item: Item) -> Item | None:
        """Return the item in its subset."""
        subset = self.subsets.get(item.key)
        if subset is None:
            return None
        return msgspec.structs.replace(item if self.renames is None else self.renames(item), subsets=(subset,))


def _renamed(dataset: Dataset, names: Mapping[str, str]) -> dict[str, str]:
    """Return the names of the items that are renamed, by their keys."""
    return {key: names[key] for key, before in dataset.names_below_subsets() if names[key] != before}


def _refuse_target(dataset: Dataset, to: str | Path | None) -> None:
    form = dataset.form
    if to is not None:
        target = load_spec(to)
        if not target.is_same(form.source):
            form = compile_format(target, target.layouts[0], {})
    if not tells_of(form, SUBSETS):
        hint = "name a format that does with --to, or list the split alone with --csv"
        raise SpecError((Problem(f"{form.name} holds no subsets, so that the split would be lost", None, hint=hint),))


Grouped = tuple[dict[str, Unit], dict[str, str], dict[str, str]]


def _read(
    dataset: Dataset, names: Mapping[str, str], renames: Renames | None, group: str | None, stratify: bool
) -> Grouped:
    """Gather the groups of a dataset's items, whose names are given by their keys.

    Returns:
        The groups by their names; and, by the items' names, what is known of their group, and the group's name, which
            no
        item outside the group has.
    """
    items: Iterator[tuple[str, Item | None]] = ((key, None) for key in names)
    if group is None and tells_of(dataset.form, SEQUENCES):
        group = SEQUENCE
    if stratify or group is not None:
        items = ((item.key, item if renames is None else renames(item)) for item in dataset)
    value = None if group is None else _grouping(group, dataset.form)
    groups, owner = dict[str, str](), dict[str, str]()
    counts: dict[str, Counter[str]] = {}
    sizes: Counter[str] = Counter()
    for key, item in items:
        name = names[key]
        said = value(item) if value is not None and item is not None else None
        groups[name] = "" if said is None else said
        own = owner[name] = name if said is None else f"{group}={said}"
        sizes[own] += 1
        if stratify and item is not None:
            counts.setdefault(own, Counter()).update({spoken(category) for category in used(item)})
    units = {name: Unit(name, size, counts.get(name, {})) for name, size in sizes.items()}
    return units, groups, owner


def _grouping(text: str, form: Format) -> Callable[[Item], str | None]:
    """Compile the expression whose value, as text, is the group of an item."""
    try:
        parsed = expression.parse(text)
        scope = WriteScope(Scope("item", "", dict.fromkeys(form.key_names), options=form.options))
        run = expression.compile_expression(parsed, scope)
    except ExpressionSyntaxError as error:
        raise SpecError((Problem(f"--group {text!r}: {error}", None),)) from None
    except UnknownNameError as error:
        known = [*form.key_names, *SLOTS["item"]]
        hint = suggest(error.name, known)
        raise SpecError((Problem(f"--group: {error.name!r} is no capture and no slot", None, hint=hint),)) from None

    def group(item: Item) -> str | None:
        context = WriteContext(WriteSetting(item.captures, None, dict(form.options)), item, item)
        try:
            value = run(context)
        except ExpressionError:
            return None
        return None if value in (None, "") else str(value)

    return group


def _kept(file: Path, owner: Mapping[str, str], parts: Mapping[str, float]) -> dict[str, str]:
    """Read from a file in which subsets groups must stay. Raises SpecError."""
    kept: dict[str, str] = {}
    first: dict[str, str] = {}
    listed = _listed(file)
    if not any(name in owner for name, _ in listed):
        what = f"none of its {len(listed):,} items is in the dataset" if listed else "it lists no item"
        example = f"; an item is called {next(iter(owner))!r} here" if owner else ""
        hint = f"give a file that `split --csv` wrote for this dataset{example}"
        raise SpecError((Problem(f"--keep {file}: {what}", None, hint=hint),))
    for line, (name, subset) in enumerate(listed, 2):
        if subset not in parts:
            raise _wrong(
                file, line, f"{name!r} is in {subset!r}, which has no ratio", f"add {subset}=0 to keep it there"
            )
        unit = owner.get(name)
        if unit is None:
            continue
        if kept.setdefault(unit, subset) != subset:
            other = first[unit]
            raise _wrong(file, line, f"{name!r} is in {subset!r} and {other!r} in {kept[unit]!r}, but both are of one "
                         "group", "leave one of them out of the file")  # fmt: skip
        first.setdefault(unit, name)
    return kept


def _listed(file: Path) -> Sequence[tuple[str, str]]:
    try:
        rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise SpecError((Problem(f"--keep {file}: {said}", None),)) from None
    for name in COLUMNS[:2]:
        if rows and rows[0].get(name) is None:
            raise _wrong(file, 1, f"there is no column {name!r}", f"the columns are {','.join(COLUMNS)}")
    return [(row["item"], row["subset"]) for row in rows]


def _wrong(file: Path, line: int, message: str, hint: str) -> SpecError:
    return SpecError((Problem(f"--keep {file}:{line}: {message}", None, hint=hint),))
