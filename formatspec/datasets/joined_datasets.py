"""Several datasets as one: their items follow each other, and their classes are united by name."""

from __future__ import annotations

import hashlib
import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from formatspec.datasets.made.held_items import SPEC
from formatspec.engine.base.faults import DocumentPath, Fault
from formatspec.engine.dataset.dataset import OpenDataset, Spread
from formatspec.engine.dataset.item.purpose import Purpose
from formatspec.engine.dataset.item.read_item import Assembled
from formatspec.engine.dataset.report import Noted, Reporter
from formatspec.engine.export.adaptation.name_items import DEFAULT_SUBSET, spoken
from formatspec.engine.index.entries import Entry
from formatspec.engine.read.categories import Categories, joined_category
from formatspec.engine.spec.compiled import IMAGE, compile_format
from formatspec.engine.splits.id_scopes import Splits
from formatspec.engine.splits.match_categories import told_otherwise
from formatspec.findings.finding import Finding
from formatspec.findings.render import examples
from formatspec.language.errors import Problem, SpecError
from formatspec.language.load import load_source
from formatspec.model.records import Category, Item
from formatspec.paths.trees.tree import Listed, Listing, Tree, listing_of
from formatspec.run.select import Labels, NewName

SHOWN = 3
"""How many equal images a notice names."""


class Part(NamedTuple):
    """One of the datasets.

    Attributes:
        label: The name for its files and findings.
        keys: The keys of the selected items; None for all.
        take: Applies the selection to an item.
        categories: The categories after the selection; None for the dataset's own.
    """

    label: str
    dataset: OpenDataset
    keys: frozenset[str] | None = None
    take: Callable[[Item], Item | None] | None = None
    categories: tuple[Category, ...] | None = None


class Place(NamedTuple):
    """The origin of an item: its part, its position there, and its name below its subset in the whole."""

    part: int
    place: int
    name: str


class FilesOfParts(Listed):
    """The files of several datasets, each below its dataset's label; only images of items are listed."""

    def __init__(self, parts: Sequence[Part], images: Iterable[str]) -> None:
        """List `images`; each is a label and a path below the dataset of that label."""
        self.trees: dict[str, Tree] = {part.label: part.dataset.tree for part in parts}
        self.images = images
        self.root = " and ".join(part.dataset.tree.root for part in parts)

    @cached_property
    def _listing(self) -> Listing:
        return listing_of(self.images)

    def exists(self, path: str) -> bool:
        """Return whether a regular file has this path."""
        tree, own = self._of(path)
        return tree is not None and tree.exists(own)

    def size(self, path: str) -> int:
        """Return the size of a file in bytes. Raises FileNotFoundError."""
        tree, own = self._sure(path)
        return tree.size(own)

    def read(self, path: str) -> bytes:
        """Return a file's bytes. Raises OSError, and ValueError for a damaged archive."""
        tree, own = self._sure(path)
        return tree.read(own)

    def local(self, path: str) -> Path | None:
        """Return the file on this disk."""
        tree, own = self._of(path)
        return None if tree is None else tree.local(own)

    def under(self, prefix: str) -> Tree:
        """Return the part below a folder."""
        tree, own = self._sure(prefix + "/")
        return tree.under(own.rstrip("/")) if own.strip("/") else tree

    def _of(self, path: str) -> tuple[Tree | None, str]:
        label, _, own = path.partition("/")
        return self.trees.get(label), own

    def _sure(self, path: str) -> tuple[Tree, str]:
        tree, own = self._of(path)
        if tree is None:
            raise FileNotFoundError(path)
        return tree, own


class ReporterOfParts(Reporter):
    """Makes the findings of several datasets, each with its dataset's reporter and label."""

    def __init__(self, parts: Sequence[Part], whole: Reporter) -> None:
        """Take the reporter of the whole, and one from each part."""
        super().__init__(whole.form, whole.tree, "")
        self.parts = {part.label: part.dataset for part in parts}

    def findings(self, faults: Iterable[Fault], item: str | None = None) -> list[Finding]:
        """Return one finding for each fault, in order."""
        return self.placed(self.noted(faults, item or "", frozenset()))

    def noted(self, faults: Iterable[Fault], item: str, shared: Any) -> Noted:
        """Return findings in the same way; places in shared files are left to `placed`."""
        noted: Noted = []
        for fault in faults:
            label, own = self._own(fault.file)
            part = self.parts.get(label)
            if part is None:
                noted += super().noted([fault], item, shared)
                continue
            one = part.reporter.noted([fault._replace(file=own)], item, part.shared_files)
            noted += [(_named(finding, label), _below(label, at)) for finding, at in one]
        return noted

    def placed(self, noted: Noted) -> list[Finding]:
        """Return the findings with their lines and columns."""
        return [finding if at is None else self._placed(finding, *at) for finding, at in noted]

    def _placed(self, finding: Finding, file: str, path: DocumentPath) -> Finding:
        label, own = self._own(file)
        part = self.parts.get(label)
        return finding if part is None else part.reporter.placed([(finding, (own, path))])[0]

    @staticmethod
    def _own(file: str) -> tuple[str, str]:
        label, _, own = file.partition("/")
        return label, own


def _named(finding: Finding, label: str) -> Finding:
    return msgspec.structs.replace(finding, file=f"{label}/{finding.file}" if finding.file else label)


def _below(label: str, at: tuple[str, DocumentPath] | None) -> tuple[str, DocumentPath] | None:
    return None if at is None else (f"{label}/{at[0]}", at[1])


class JoinedDatasets(OpenDataset):
    """Several datasets as one; their items are read when they are asked for.

    Args:
        classes: The names of all classes in order; by default those of all parts, each once.
        labels: New names of classes, applied before classes are united and listed.
        source_attribute: The attribute of each item for its part's label, unless the item has one of that name.
    """

    def __init__(
        self, parts: Sequence[Part], classes: Sequence[str] = (), labels: Mapping[str, NewName] | None = None,
        purpose: Purpose | None = None, source_attribute: str | None = None,
    ) -> None:  # fmt: skip
        """Join `parts`, of which there must be at least one; see the class. Reads no item."""
        self.source_attribute = source_attribute
        self.parts = tuple(parts)
        self.classes = tuple(classes)
        self.labels = dict(labels) if labels is not None else None
        self._renames = Labels(self.labels) if self.labels is not None else None
        self._united: tuple[Category, ...] | None = None
        self.prefixed: list[str] = []
        self.places = dict(self._placed())
        source = load_source(SPEC)
        form = compile_format(source, source.layouts[0], {})
        opened_for = purpose or parts[0].dataset.purpose
        super().__init__(form, FilesOfParts(parts, list(self.places)), "", opened_for)
        self.reporter = ReporterOfParts(parts, self.reporter)
        for part in parts:
            self.index.faults += [_fault_below(part.label, fault) for fault in part.dataset.index.faults]
            self.index.unclaimed += [f"{part.label}/{path}" for path in part.dataset.index.unclaimed]
        self.index.faults += self._classes_unlike()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the parts, which open themselves again, and the united classes, which need not be read again."""
        given = (self.parts, self.classes, self.labels, self.purpose, self.source_attribute)
        return JoinedDatasets._again, (*given, self._united)

    @staticmethod
    def _again(
        parts: Sequence[Part], classes: Sequence[str], labels: Mapping[str, NewName] | None, purpose: Purpose,
        source_attribute: str | None, united: tuple[Category, ...] | None,
    ) -> JoinedDatasets:  # fmt: skip
        made = JoinedDatasets(parts, classes, labels, purpose, source_attribute)
        made._united = united
        return made

    @property
    def joins_files(self) -> bool:
        """Whether several datasets are read as this one, each with its own numbers."""
        return True

    @property
    def opened(self) -> tuple[OpenDataset, ...]:
        """The datasets of all parts."""
        return tuple(one for part in self.parts for one in part.dataset.opened)

    def _placed(self) -> Iterator[tuple[str, Place]]:
        """Yield the items of all parts with the paths that their images have in the whole."""
        taken: dict[str, set[str | None]] = defaultdict(set)
        for number, part in enumerate(self.parts):
            own: list[tuple[str, str | None]] = []
            for place, entry in enumerate(part.dataset.entries):
                if part.keys is not None and entry.key not in part.keys:
                    continue
                subset, name = name_in_subset(entry, part.dataset.form.key_names)
                if subset == DEFAULT_SUBSET:  # a target may put it beside the items of any subset
                    subset = None
                own.append((name, subset))
                others = taken.get(name)
                if others is not None and (subset is None or None in others or subset in others):
                    name = f"{part.label}/{name}"
                    self.prefixed.append(name)
                images = entry.files.get(IMAGE)
                path = images[0][0] if images else f"{entry.key}.jpg"
                yield f"{part.label}/{path}", Place(number, place, name)
            for name, subset in own:
                taken[name].add(subset)

    def _known_splits(self) -> Splits:
        return Splits(Categories(self._all_classes(), closed=False))

    def _all_classes(self) -> tuple[Category, ...]:
        if self._united is None:
            self._united = _united(self.parts, self.classes, self._renames)
        return self._united

    def _classes_unlike(self) -> Iterator[Fault]:
        """Yield a fault for each class of which two parts say different things."""
        first: dict[str, dict[str, tuple[Any, str]]] = {}
        for part in self.parts:
            for category in _listed(part, self._renames):
                known = first.setdefault(spoken(category), {})
                for case, message, expected, got in told_otherwise(category, part.label, known):
                    yield Fault("CATEGORY_UNLIKE", part.label, (), None, message, expected, got, case=case)

    def category_ids_lost(self, written: Callable[[Category], Any]) -> int:
        """Return how many classes have another number in the output than in a part, and in no line of the report yet.

        Args:
            written: Gives the number that a class has in the output.
        """
        own: dict[str, set[Any]] = defaultdict(set)
        for part in self.parts:
            for category in _listed(part, self._renames):
                if category.id is not None:
                    own[spoken(category)].add(category.id)
        told = {spoken(one): one for one in self._all_classes()}
        return sum(
            bool(numbers - {written(told[name])}) and not _is_told(told[name], written)
            for name, numbers in own.items()
            if name in told
        )

    def all_categories(self, spread: Spread, shards: Sequence[tuple[int, int]]) -> tuple[Category, ...]:
        """Return the classes of all parts."""
        return self._all_classes()

    def read(self, entry: Entry) -> Assembled:
        """Read one item as its own dataset does, with its name in the whole."""
        path = entry.files[IMAGE][0][0]
        part, place, name = self.places[path]
        label, dataset, take = self.parts[part].label, self.parts[part].dataset, self.parts[part].take
        dataset.purpose = msgspec.structs.replace(self.purpose, origin=False)
        one = dataset.read_at(place)
        faults = [_fault_below(label, fault) for fault in one.faults]
        files = {role: [f"{label}/{own}" for own in paths] for role, paths in one.files.items()}
        item = one.item
        if item is not None and take is not None:
            item = take(item)
            faults = [] if item is None else faults
        item = None if item is None else self._renamed(item, path, name, label)
        return Assembled(one.key if item is None else item.key, item, faults, files, one.told, one.deferred, one.state)

    def assembled(self, start: int = 0, stop: int | None = None) -> Iterator[Assembled]:
        """Yield the items, each with its faults."""
        return map(self.read, self.entries[start:stop])

    def _renamed(self, item: Item, path: str, name: str, label: str) -> Item:
        item = item if self._renames is None else self._renames.item(item)
        subset = item.subsets[0] if item.subsets else None
        image = None if item.image is None else msgspec.structs.replace(item.image, path=path)
        attributes, own = item.attributes, self.source_attribute
        if own is not None and own not in attributes:
            attributes = {**attributes, own: label}
        return msgspec.structs.replace(
            item, key=f"{subset}/{name}" if subset else name, captures={"name": name}, image=image,
            attributes=attributes,
            objects=tuple(self._of_united(item.objects)), labels=tuple(self._of_united(item.labels)),
            areas=tuple(self._of_united(item.areas)), origin=None,
        )  # fmt: skip

    def _of_united(self, records: Iterable[Any]) -> Iterator[Any]:
        """Yield records whose categories are those of the joined dataset, matched by name."""
        for record in records:
            own = None if record.category is None else self._by_name.get(spoken(record.category))
            yield record if own is None else msgspec.structs.replace(record, category=own)

    @cached_property
    def _by_name(self) -> Mapping[str, Category]:
        return {spoken(category): category for category in self._all_classes()}

    def notices(self) -> Iterator[str]:
        """Yield notices about items with equal names, and about images that are in several datasets."""
        if self.prefixed:
            yield f"named after their dataset, since another has items of these names: {examples(self.prefixed)}"
        twins = list(self.same_images())
        if twins:
            yield f"the same image in several datasets, kept apart: {examples([_alike(group) for group in twins])}"

    def same_images(self) -> Iterator[tuple[str, ...]]:
        """Yield groups of images of different parts with the same bytes, by their paths in the whole."""
        sized: dict[int, list[str]] = defaultdict(list)
        for path in self.places:
            if self.tree.exists(path):
                sized[self.tree.size(path)].append(path)
        for paths in sized.values():
            if len({path.partition("/")[0] for path in paths}) < 2:
                continue
            alike: dict[bytes, list[str]] = defaultdict(list)
            for path in paths:
                alike[hashlib.blake2b(self.tree.read(path), digest_size=16).digest()].append(path)
            yield from (tuple(group) for group in alike.values() if len({p.partition("/")[0] for p in group}) > 1)


def _alike(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - SHOWN:,} more" if len(paths) > SHOWN else ""
    return " = ".join(paths[:SHOWN]) + more


def _fault_below(label: str, fault: Fault) -> Fault:
    return fault._replace(file=f"{label}/{fault.file}")


def name_in_subset(entry: Entry, key_names: Sequence[str]) -> tuple[str | None, str]:
    """Return an item's subset, as far as its names give it, and its name without the subset.

    `key_names` are the names of which the format makes keys.
    """
    subset, key = entry.names.get("subset"), entry.key
    told = [(name, str(entry.names[name])) for name in key_names if entry.names.get(name) not in (None, "")]
    if isinstance(subset, str) and key == "/".join(value for _, value in told):
        return subset, "/".join(value for name, value in told if name != "subset") or key
    if isinstance(subset, str) and key.startswith(f"{subset}/"):
        return subset, key[len(subset) + 1 :]
    return (subset if isinstance(subset, str) else None), key


def _is_told(category: Category, written: Callable[[Category], Any]) -> bool:
    """Return whether the report already has a line for the number of a class, since its own is not written."""
    return category.id is not None and category.id != written(category)


def _listed(part: Part, labels: Labels | None) -> Sequence[Category]:
    """Return the classes of one part, with their new names."""
    listed = part.dataset.categories if part.categories is None else part.categories
    return listed if labels is None else labels.categories(listed)


def _united(parts: Sequence[Part], classes: Sequence[str], labels: Labels | None) -> tuple[Category, ...]:
    """Return the classes of all parts, each name once, numbered again; or the listed ones, in their order.

    What the first part that has a class does not say about it is taken from the others.

    Raises:
        SpecError: The list lacks a class that a part has.
    """
    met: dict[str, Category] = {}
    for part in parts:
        for category in _listed(part, labels):
            name = spoken(category)
            met[name] = joined_category(met[name], category) if name in met else category
    lacking = [name for name in met if name not in classes] if classes else []
    if lacking:
        names = ", ".join(map(repr, lacking[:5])) + (f" and {len(lacking) - 5:,} more" if len(lacking) > 5 else "")
        hint = (
            'add them, or give them new names with --labels FILE (null leaves a class out, "*" stands for all others)'
        )
        raise SpecError((Problem(f"the list of classes lacks {names}, which the data have", None, hint=hint),))
    made = []
    for index, name in enumerate(classes or met):
        one = met.get(name, Category(name=name))
        number = None if classes else one.id  # the user's order gives the numbers
        made.append(msgspec.structs.replace(one, id=number, index=index, name=name, origin=None))
    return tuple(made)


def labels_of(places: Sequence[str]) -> list[str]:
    """Return a short name for each of several datasets, from its folder or archive, made unique by a number."""
    made: list[str] = []
    for place in places:
        name = posixpath.basename(place.replace("\\", "/").rstrip("/")).removesuffix(".zip") or "data"
        number, label = 2, name
        while label in made:
            label, number = f"{name}-{number}", number + 1
        made.append(label)
    return made
