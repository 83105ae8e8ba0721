"""A dataset as a list of items: by index, by key, in slices, filtered."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from formatspec.datasets.joined_datasets import Part, name_in_subset
from formatspec.datasets.placed_items import placed
from formatspec.datasets.selection import OfFunction, OfSubsets, WithLabels, categories_after
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.findings.finding import Finding
from formatspec.language.errors import suggest
from formatspec.model.records import Category, ImageSource, Item
from formatspec.run.select import ItemCondition, Labels, NewName

if TYPE_CHECKING:
    from formatspec.datasets.handoffs.arrow import Tables
    from formatspec.datasets.handoffs.torch_dataset import Targets, TorchDataset
    from formatspec.engine.index.entries import Entry
    from formatspec.engine.spec.compiled import Format
    from formatspec.paths.trees.tree import Tree
    from formatspec.run.conversion.plan import Result

Step = Callable[[Item], Item | None]
"""Takes an item, and gives it, perhaps with fewer objects, or None to leave it out."""


class InvalidItemError(ValueError):
    """A requested item is invalid; `findings` say why."""

    def __init__(self, key: str, findings: Sequence[Finding]) -> None:
        """Make the message from an item's key and its findings."""
        super().__init__(f"the item {key!r} is not valid: " + "; ".join(_in_words(one) for one in findings))
        self.key, self.findings = key, tuple(findings)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the key and the findings, from which the message is made again."""
        return InvalidItemError, (self.key, self.findings)


class Opened(NamedTuple):
    """How a dataset was opened, so that it can be opened again: its place, options, and names of classes."""

    data: Path | str
    options: dict[str, Any]
    classes: Any
    export: Callable[..., Result]


class Dataset:
    """A vision dataset on disk, as a list of items in the order of their keys.

    `ds[0]`, `ds["a/b"]` and `for item in ds` read an item when it is asked for. `ds[:10]` and `ds.filter(…)` are
    datasets too, and read nothing. Iterating leaves out invalid items, and `findings` holds what was wrong. Asking for
    an invalid item by index or key raises InvalidItemError. Coordinates are continuous pixels with the origin at the
    outer corner of the first pixel; regions are run-length coded.

    A dataset can be pickled: it is opened again where it is unpickled, as in the workers of a data loader.
    """

    def __init__(
        self, inner: OpenDataset, opened: Opened, steps: tuple[Step, ...] = (), chosen: Sequence[int] | None = None
    ) -> None:
        """Wrap an opened dataset; `formatspec.open` calls this, programs need not.

        Args:
            inner: The dataset as the engine opened it.
            opened: What it was opened with, for pages and messages.
            steps: Conditions and maps of labels, which each item passes in this order when it is read.
            chosen: The places of the items that belong to a slice, or None for all.
        """
        self._inner = inner
        self._opened = opened
        self._steps = steps
        self._chosen = chosen
        self._places: Sequence[int] | None = None
        self._place_of: dict[str, int] | None = None
        self._subsets: tuple[str, ...] | None = None
        self._source = ImageSource(inner.tree)

    @property
    def data(self) -> Path | str:
        """What was opened: a folder, an archive, or a URL."""
        return self._opened.data

    @property
    def root(self) -> Path | str:
        """The folder in which the dataset's paths begin; an archive or a URL if the folder lies in one."""
        data, prefix = self._opened.data, self._inner.prefix
        if isinstance(data, str):
            return f"{data.rstrip('/')}/{prefix}" if prefix and "::" not in data else data
        return data / prefix if prefix and data.is_dir() else data

    @property
    def format(self) -> str:
        """The name of the dataset's format."""
        return self._inner.name

    @property
    def categories(self) -> tuple[Category, ...]:
        """All categories of the dataset, by index; a selection has the same ones, with any new names that it gives."""
        return categories_after(self._steps, self._inner.categories)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of all categories; a name's position is its index, in every selection that renames none."""
        return tuple(spoken(category) for category in self.categories)

    @property
    def subsets(self) -> tuple[str, ...]:
        """The names of the items' subsets, sorted. The first call goes over all items."""
        if self._subsets is None:
            self._subsets = tuple(sorted({name for item in self for name in item.subsets}))
        return self._subsets

    @property
    def findings(self) -> list[Finding]:
        """The findings about the items that were read so far."""
        return self._inner.findings

    @property
    def keys(self) -> list[str]:
        """The keys of the items, in order."""
        entries = self._inner.entries
        return [entries[place].key for place in self._known_places()]

    def __len__(self) -> int:
        """Return how many items there are.

        A selection by a condition reads its items once, and counts only valid ones.
        """
        return len(self._known_places())

    def __iter__(self) -> Iterator[Item]:
        """Yield the items in the order of their keys; invalid items are left out and noted in `findings`."""
        for _, item in self._taken():
            yield item

    @overload
    def __getitem__(self, which: int | str) -> Item: ...
    @overload
    def __getitem__(self, which: slice) -> Dataset: ...
    def __getitem__(self, which: int | str | slice) -> Item | Dataset:
        """An item by its place or its key, or a part of the dataset.

        Args:
            which: A place from 0, negative ones counted from the end; a key; or a slice of places.

        Raises:
            IndexError: There is no such place.
            KeyError: No item has this key; the message suggests one.
            InvalidItemError: The item is at fault (a ValueError).
        """
        if isinstance(which, slice):
            return self._with(chosen=self._known_places()[which])
        if isinstance(which, str):
            return self._read(self._place(which))
        if not hasattr(which, "__index__"):
            raise TypeError(f"an item is taken by its place, its key or a slice of places, not by {which!r}")
        try:
            place = self._known_places()[which]
        except IndexError:
            raise IndexError(f"there is no item {which}: the dataset has {len(self):,}") from None
        return self._read(place)

    def __reversed__(self) -> Iterator[Item]:
        """Yield the items from the last to the first."""
        return iter(self[::-1])

    def __contains__(self, which: object) -> bool:
        """Return whether there is an item of that key, or that item itself."""
        key = which.key if isinstance(which, Item) else which
        return isinstance(key, str) and key in self._places_by_key()

    def filter(
        self, where: str | Step | Callable[[Item], bool] | None = None, *,
        subset: str | Sequence[str] | None = None, labels: str | Sequence[str] | Mapping[str, NewName] | None = None,
    ) -> Dataset:  # fmt: skip
        """The part of the dataset for which conditions hold; no item is read before it is asked for.

        Args:
            where: An expression over items leaves out items; one over objects leaves out objects, as `--where` takes
                it. Or a function that takes an item and says whether it is taken (a boolean), or gives the item as it
                is to be, or None to leave it out.
            subset: The name of the subset that is taken, or several.
            labels: The name of the category whose objects are taken, or several; or new names by old ones, as
                `convert` takes them.

        Raises:
            SpecError: The expression is wrong, or `labels` renames no category of the dataset.
            TypeError: An argument is of another type.
            ValueError: The dataset has no such subset or category; the message suggests one.
        """
        steps: list[Step] = []
        if subset is not None:
            names = _names("subset", subset)
            _refuse_unknown("subset", names, self.subsets)
            steps.append(OfSubsets(frozenset(names)))
        if labels is not None:
            if isinstance(labels, Mapping):
                Labels(labels).refuse_unmet(set(self.classes))
            else:
                labels = _names("labels", labels)
                _refuse_unknown("class", labels, self.classes)
            steps.append(WithLabels(labels, self.categories))
        if where is not None:
            if not isinstance(where, str) and not callable(where):
                raise TypeError(f"where is an expression or a function that takes an item, not {where!r}")
            steps.append(ItemCondition(where, self._inner.form) if isinstance(where, str) else OfFunction(where))
        return self._with(steps=(*self._steps, *steps))

    def to_torch(self, targets: Targets = "torchvision", **how: Any) -> TorchDataset:
        """A map-style dataset of PyTorch: see `formatspec.datasets.handoffs.torch_dataset.to_torch`."""
        from formatspec.datasets.handoffs.torch_dataset import to_torch

        return to_torch(self, targets, **how)

    def to_arrow(self) -> Tables:
        """Tables of items and objects: see `formatspec.datasets.handoffs.arrow.to_arrow`."""
        from formatspec.datasets.handoffs.arrow import to_arrow

        return to_arrow(self)

    def to_huggingface(self, **how: Any) -> Any:
        """A `datasets.Dataset`: see `formatspec.datasets.handoffs.hugging_face.to_huggingface`."""
        from formatspec.datasets.handoffs.hugging_face import to_huggingface

        return to_huggingface(self, **how)

    def to_supervision(self, item: Item) -> Any:
        """An item as `supervision.Detections`: see `formatspec.datasets.handoffs.detections.to_supervision`."""
        from formatspec.datasets.handoffs.detections import to_supervision

        return to_supervision(self, item)

    def names_below_subsets(self) -> Iterator[tuple[str, str]]:
        """Yield the keys of the items with their names below their subsets; nothing is read without a condition."""
        for entry in self.chosen_entries():
            yield entry.key, name_in_subset(entry, self.form.key_names)[1]

    def chosen_entries(self) -> Iterator[Entry]:
        """Yield what the index knows about the items; nothing is read without a condition."""
        return (self._inner.entries[place] for place in self._known_places())

    @property
    def form(self) -> Format:
        """The dataset's format, compiled with its options."""
        return self._inner.form

    @property
    def format_file(self) -> Path:
        """The file of the dataset's spec."""
        return self._inner.form.source.file

    @property
    def files(self) -> Tree:
        """The dataset's files, by their paths below its root."""
        return self._inner.tree

    def as_stated(self, key: str) -> tuple[Item, list[Finding]]:
        """An item with all its objects, those at fault too, and what was found wrong with it.

        Args:
            key: The item's key.

        Raises:
            KeyError: No item has this key; the message suggests one.
            InvalidItemError: No item can be made of its files.
        """
        one = self._inner.read_at(self._place(key))
        findings = self._inner.reporter.findings(one.faults, one.key)
        if one.item is None:
            raise InvalidItemError(one.key, findings)
        return one.item, findings

    def export(
        self, out: str | Path, to: str | Path, *, options: Mapping[str, Any] | None = None, **how: Any
    ) -> Result:
        """Write the dataset, or the part of it that was chosen, in another format.

        Args:
            out: A folder or a URL, which appears whole or not at all.
            to: The target: a format's name or a spec's file.
            options: Options as of `convert`, laid over those that the dataset was opened with.
            how: What else `convert` takes; `classes` are those that the dataset was opened with, where they are left
                out.

        Raises:
            Exception: What `convert` raises.
        """
        given = {**self._opened.options, **(options or {})}
        if self._steps or self._chosen is not None:
            entries = self._inner.entries
            keys = None if self._chosen is None else frozenset(entries[place].key for place in self._chosen)
            where = how.pop("where", None)
            steps: tuple[Step, ...] = (
                self._steps if where is None else (*self._steps, ItemCondition(where, self._inner.form))
            )
            how["select"] = Chosen(keys, steps)
        return self._opened.export(
            self.data, to=to, out=out, spec=self.format_file, options=given, **{"classes": self._opened.classes, **how}
        )

    def as_part(self, label: str) -> Part:
        """Return the dataset as a part of several, under a name."""
        keys = None if self._chosen is None else frozenset(self.keys)
        if not self._steps:
            return Part(label, self._inner, keys)
        renames = any(isinstance(step, WithLabels) for step in self._steps)
        return Part(label, self._inner, keys, Chosen(None, self._steps), self.categories if renames else None)

    def __repr__(self) -> str:
        """Return the format, the numbers of items and classes, and the place of the data; reads no item."""
        known = self._places if self._places is not None else (self._chosen if not self._steps else None)
        items = len(self) if known is not None or not self._steps else None
        count = "items chosen by a condition" if items is None else f"{items:,} items" if items != 1 else "1 item"
        found = f", {len(self.findings)} findings so far" if self.findings else ""
        return f"<Dataset {self.format}: {count}, {len(self.categories):,} classes, {self.data}{found}>"

    def _repr_html_(self) -> str:
        """Return the dataset as a small table, for notebooks."""
        rows = {
            "format": self.format,
            "data": str(self.data),
            "items": f"{len(self):,}",
            "classes": _shortened(self.classes),
            "findings so far": f"{len(self.findings):,}",
        }
        lines = "".join(f"<tr><th>{name}</th><td>{html.escape(value)}</td></tr>" for name, value in rows.items())
        return f"<table>{lines}</table>"

    def __getstate__(self) -> dict[str, Any]:
        """Leave the source of images out of a pickle, since it holds open files."""
        return {**self.__dict__, "_source": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open the source of images again where a dataset is unpickled."""
        self.__dict__.update(state)
        self._source = ImageSource(self.files)

    def _with(self, *, steps: tuple[Step, ...] | None = None, chosen: Sequence[int] | None = None) -> Dataset:
        made = Dataset(
            self._inner, self._opened, self._steps if steps is None else steps,
            self._chosen if chosen is None else chosen,
        )  # fmt: skip
        if chosen is not None:
            made._places = chosen  # these positions already match the steps
        return made

    def _known_places(self) -> Sequence[int]:
        """Return the positions of the items among all; conditions are evaluated once."""
        if self._places is None:
            every = range(len(self._inner)) if self._chosen is None else self._chosen
            self._places = every if not self._steps else [place for place, _ in self._taken()]
        return self._places

    def _taken(self) -> Iterator[tuple[int, Item]]:
        places = self._places if self._places is not None else self._chosen
        coming = self._inner.assembled() if places is None else map(self._inner.read_at, places)
        for place, one in zip(range(len(self._inner)) if places is None else places, coming, strict=True):
            item = self._inner.valid(one)
            item = None if item is None else self._stepped(item)
            if item is not None:
                yield place, placed(item, self._source)

    def _stepped(self, item: Item) -> Item | None:
        taken: Item | None = item
        for step in self._steps:
            taken = None if taken is None else step(taken)
        return taken

    def _read(self, place: int) -> Item:
        one = self._inner.read_at(place)
        item = self._inner.valid(one)
        if item is None:
            raise InvalidItemError(one.key, self._inner.reporter.findings(one.faults, one.key))
        taken = self._stepped(item)
        if taken is None:
            raise KeyError(f"the item {one.key!r} is not of this selection")
        return placed(taken, self._source)

    def _place(self, key: str) -> int:
        found = self._places_by_key().get(key)
        if found is None:
            near = suggest(key, list(self._places_by_key()))
            raise KeyError(f"there is no item {key!r}" + (f"; {near}" if near else ""))
        return found

    def _places_by_key(self) -> Mapping[str, int]:
        if self._place_of is None:
            entries = self._inner.entries
            self._place_of = {entries[place].key: place for place in self._known_places()}
        return self._place_of


@dataclass(frozen=True)
class Chosen:
    """Selects the items of a dataset that are written: those with some keys that pass several conditions."""

    keys: frozenset[str] | None
    steps: tuple[Step, ...]

    @property
    def moves_items(self) -> bool:
        """Whether a condition puts items into other subsets."""
        return any(getattr(step, "moves_items", False) for step in self.steps)

    def categories(self, listed: tuple[Category, ...]) -> tuple[Category, ...]:
        """Return the categories of the written items, given those of the dataset."""
        return categories_after(self.steps, listed)

    def __call__(self, item: Item) -> Item | None:
        """Return the item as the steps leave it, or None if it is not written."""
        taken: Item | None = item if self.keys is None or item.key in self.keys else None
        for step in self.steps:
            taken = None if taken is None else step(taken)
        return taken


def _names(what: str, given: object) -> tuple[str, ...]:
    """Return one name, or several, as a tuple. Raises TypeError for anything else."""
    names = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Iterable) else (given,)
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise TypeError(f"{what} is a name or a list of names, not {given!r}")
    return names


def _refuse_unknown(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            near = suggest(name, known) or f"it has {_shortened(known)}"
            raise ValueError(f"the dataset has no {what} {name!r}; {near}")


def _in_words(finding: Finding) -> str:
    place = f"{finding.file}:{finding.line}" if finding.line else finding.file or ""
    return ": ".join(filter(None, (finding.code, place, finding.message)))


def _shortened(names: Sequence[str], shown: int = 12) -> str:
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return (", ".join(names[:shown]) or "none") + more
