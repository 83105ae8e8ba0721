"""The two laws, for any spec: what is written reads back equal; what is read writes back equal.

from formatspec.testing import laws
laws.hold("my_format.yaml", random.Random(1))          # raises LawBrokenError with what differs
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import islice
from pathlib import Path
from typing import Any

from formatspec.codecs.registry import Env, UnfitError
from formatspec.engine.dataset.choose_layout import open_source
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.dataset.item.purpose import Purpose
from formatspec.engine.dataset.lint import forms
from formatspec.engine.export.adaptation.adapt import Adapter, TargetCategories
from formatspec.engine.export.adaptation.follow_options import with_following
from formatspec.engine.export.errors import CannotWriteError
from formatspec.engine.export.exporter import Exporter
from formatspec.engine.export.join_shards import Finisher
from formatspec.engine.export.lost.losses import Losses
from formatspec.engine.export.shared_tables import knows_all
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.engine.spec.leaf_places import leaf_places
from formatspec.files.document import pointer_text
from formatspec.findings.render import lines
from formatspec.language.errors import Problem, SpecError
from formatspec.language.load import Source, load_source, place_text
from formatspec.model.records import Category, Image, Item, Object
from formatspec.paths.trees.open_tree import open_tree
from formatspec.paths.trees.tree import Tree
from formatspec.pixels import containers
from formatspec.testing import carry
from formatspec.testing.carry import LawBrokenError, close
from formatspec.testing.compare_documents import ABSENT, compared, leaf_for, role_text, short
from formatspec.testing.generate import Generator
from formatspec.testing.memory import MemoryTree, image_bytes
from formatspec.testing.outline import outline
from formatspec.testing.read_back import without_borrowed

LawBroken = LawBrokenError
"""The former name of the error, which scripts may still use."""
Files = dict[str, bytes]
ENV = Env(23, 19, ("Bald", "Young_2"))
"""The size of an image and the columns of a table with which single leaves are tried."""
PLACES = 3
"""How many places are named in a file that came back differently."""
STEP = 2
"""How many items are written at a time, so that parts are joined if the format allows it."""


def written(form: Format, categories: Sequence[Category], items: Sequence[Item], step: int = STEP) -> Files:
    """Return the files of generated items, with images; `step` items are written at a time. Raises CannotWriteError."""
    files: Files = {}
    adapter = Adapter(form, form, (), {})
    target = TargetCategories(categories, fixed=False)
    losses = Losses(form, target, same=False)
    exporter = Exporter(form, target, adapter, Losses(form, target, same=False), files.__setitem__, {}, None)
    _write(exporter, Finisher(form, target, losses, adapter.same, {}, None), items, files, step)
    for item in items:
        if item.image is not None and item.image.data is None:
            extension = item.image.path.rpartition(".")[2]
            files[item.image.path] = image_bytes(item.image.width or 1, item.image.height or 1, extension)
    lost = [line for line in losses.lines() if "not written" in line]
    if lost:
        raise CannotWriteError("; ".join(lost))
    return files


def rewritten(dataset: OpenDataset, items: Sequence[Item]) -> Files:
    """Return the files of items that were read, written back to their own format, without images."""
    files: Files = {}
    form = dataset.form
    adapter = Adapter(form, form, (), {})
    categories = TargetCategories(dataset.categories, fixed=False, as_read=dataset.splits.apart)
    shared = {(file.role, file.path): file for file in dataset.index.shared}
    losses = Losses(form, categories, True)
    exporter = Exporter(form, categories, adapter, losses, files.__setitem__, shared, categories)
    _write(exporter, Finisher(form, categories, losses, adapter.same, shared, categories), items, files, STEP)
    return files


def _write(exporter: Exporter, finisher: Finisher, items: Sequence[Item], files: Files, step: int) -> None:
    """Write items, some at a time if the format can be written in parts."""
    step = max(len(items), 1) if knows_all(exporter.target) else step
    for first in range(0, len(items), step):
        for index, item in enumerate(items[first : first + step], first):
            exporter.item(item, index)
        finisher.add(exporter.take())
    finisher.finish(lambda path, pieces: files.__setitem__(path, b"".join(pieces)))


def opened(source: Source, tree: Tree, options: Mapping[str, Any]) -> tuple[OpenDataset, list[Item]]:
    """Return a dataset that keeps its sources, with its items. Raises LawBrokenError if anything is wrong with it."""
    dataset = open_source(source, tree, options, Purpose(origin=True))
    items = list(dataset)
    findings = [
        finding
        for finding in (*dataset.reporter.findings(dataset.index.faults), *dataset.findings)
        if finding.level == "error"
    ]
    if findings:
        raise LawBrokenError("\n".join(lines(findings)))
    return dataset, items


def write_read(source: Source, form: Format, categories: Sequence[Category], items: Sequence[Item]) -> MemoryTree:
    """Check read(write(model)) = model for generated items, and return the files."""
    files = written(form, categories, items)
    if files != written(form, categories, items, max(len(items), 1)):
        raise LawBrokenError("written in parts, the files differ from those written at once")
    tree = MemoryTree(files)
    if not items:
        return tree
    dataset, back = opened(source, tree, form.options)
    if dataset.form.layout.variant != form.layout.variant and written(dataset.form, categories, items) != files:
        raise LawBrokenError(f"written as layout {form.layout.variant!r}, read as {dataset.form.layout.variant!r}")
    differ = list(category_differences(categories, dataset.categories))
    if differ:
        raise LawBrokenError("\n".join(differ))
    found = {item.key: item for item in back}
    if found.keys() != {item.key for item in items}:
        raise LawBrokenError(f"items {sorted(item.key for item in items)} came back as {sorted(found)}")
    subsets = {one for item in items for one in item.subsets}
    for item in items:
        differ = list(differences(item, without_borrowed(found[item.key], subsets)))
        if differ:
            raise LawBrokenError(f"{item.key}: " + "\n".join([*differ, *_leaves_at_fault(form, item, found[item.key])]))
    return tree


def _leaves_at_fault(form: Format, made: Item, back: Item) -> Iterator[str]:
    """Yield, for each record that does not come back, the leaf, what it wrote and what was read."""
    places = leaf_places(form)
    kinds = (
        ("object", made.objects, back.objects),
        ("label", made.labels, back.labels),
        ("area", made.areas, back.areas),
    )
    for kind, ours, theirs in kinds:
        for one in ours:
            others = [(_slots_apart(one, other), other) for other in theirs]
            if any(not apart for apart, _ in others):
                continue
            if not others:
                yield f"no {kind} was read: look at the condition of its table, and at what its rows require"
                continue
            apart, _ = min(others, key=lambda pair: len(pair[0]))
            for slot, wrote, read in apart:
                place = next(
                    (places[key] for key in ((kind, slot), (kind, slot.partition(".")[0])) if key in places), None
                )
                where = f"the leaf at {place_text(place)}" if place is not None else "no leaf of its own"
                yield (
                    f"{kind}: {where} is for `{slot}`; written was {short(wrote)}, read {short(read)}; try a "
                    "codec that carries such values, or another leaf before it in `one of`"
                )


def _slots_apart(one: Any, other: Any) -> list[tuple[str, Any, Any]]:
    """Return the slots of two records that differ, each with both values; slots that the first lacks are ignored."""
    found: list[tuple[str, Any, Any]] = []
    for name in one.__struct_fields__:
        a, b = getattr(one, name), getattr(other, name)
        if name == "origin" or a is None or a in ((), {}):
            continue
        if name == "category":
            if not same_category(one, other):
                found.append(("category.name", a and a.name, b and b.name))
        elif name == "attributes":
            found += [
                (f"attributes.{key}", value, b.get(key)) for key, value in a.items() if not close(value, b.get(key))
            ]
        elif name in ("region", "hidden"):
            if a != b:
                found.append((name, a, b))
        elif not close(a, b):
            found.append((name, a, b))
    return found


def read_write(source: Source, tree: Tree, options: Mapping[str, Any]) -> None:
    """Check write(read(files)) = files, as each role declares it."""
    dataset, items = opened(source, tree, options)
    files = rewritten(dataset, items)
    expected = {path: dataset.tree.read(path) for path in dataset.tree.paths() if _is_annotation(dataset, path)}
    if files.keys() != expected.keys():
        raise LawBrokenError("\n".join(_files_apart(dataset, items, files.keys(), expected.keys())))
    for path, data in files.items():
        role = _role_of(dataset, path)
        if not documents_equal(role, data, expected[path]):
            places = "".join(_places_apart(role, path, expected[path], data))
            raise LawBrokenError(f"{places}{path} came back as\n{_shown(data)}\nnot\n{_shown(expected[path])}")


def _files_apart(dataset: OpenDataset, items: Sequence[Item], files: Set[str], expected: Set[str]) -> Iterator[str]:
    """Yield what is wrong with each file that is new in the output or missing from it."""
    image = dataset.form.roles[IMAGE]
    for path in sorted(expected - files):
        role = role_text(_role_of(dataset, path))
        if items:
            why = "see whether the names in its path are those of `image`; files that no item names are not written"
        else:
            why = f"no item is found: see whether the path of `image`, {image.spec.path!r}, fits the images"
        yield f"{path}: {role} reads this file, and does not write it again; {why}"
    for path in sorted(files - expected):
        yield f"{path}: this file is written, and was not there; say `need: optional` of its role, or mend its path"


def _places_apart(role: Role, path: str, there: bytes, again: bytes) -> Iterator[str]:
    """Yield the first places at which a file came back differently, each with its leaf, one per line."""
    if role.codec is None or role.kind == "pixels":
        return
    found = compared(role.codec.decode(there).document, role.codec.decode(again).document, ())
    for pointer, was, now in islice(found, PLACES):
        leaf, hint = leaf_for(role, pointer, now is ABSENT)
        yield f"{path}{pointer_text(pointer)}: was {short(was)}, written again is {short(now)}; {leaf}; {hint}\n"


def _shown(data: bytes) -> str:
    return data[:3000].decode("utf-8", "backslashreplace")


def _is_annotation(dataset: OpenDataset, path: str) -> bool:
    claimed = dataset.index.claimed.role(path)
    if claimed is not None:
        role = dataset.form.roles[claimed]
        return role.kind is not None
    return False


def _role_of(dataset: OpenDataset, path: str) -> Role:
    claimed = dataset.index.claimed.role(path)
    assert claimed is not None
    return dataset.form.roles[claimed]


def documents_equal(role: Role, data: bytes, other: bytes) -> bool:
    """Return whether two files are equal as the role declares it: by bytes, as data, or by pixels."""
    if role.kind == "pixels":
        a, b = containers.decode(data), containers.decode(other)
        return a.mode == b.mode and a.pixels.shape == b.pixels.shape and bool((a.pixels == b.pixels).all())
    if role.spec.equal == "bytes":
        return data == other
    assert role.codec is not None
    return bool(_unordered(role.codec.decode(data).document) == _unordered(role.codec.decode(other).document))


def _unordered(document: Any) -> Any:
    """Return a document whose long lists of mappings are sorted, and whose lines have no positions."""
    if isinstance(document, dict):
        return {
            key: part[1] if key == "" and isinstance(part, tuple) else _unordered(part)
            for key, part in document.items()
        }
    if isinstance(document, list):
        parts = [_unordered(part) for part in document]
        return sorted(parts, key=repr) if parts and all(isinstance(part, dict) for part in parts) else parts
    return document


def category_differences(made: Sequence[Category], back: Sequence[Category]) -> Iterator[str]:
    """Yield which generated categories came back differently.

    A category with a unique name is found by its name. Values that no file states may be missing, such as an id that
    only occurs in label images and has no pixel. The index is the category's position, and follows from the list.
    """
    names = Counter(category.name for category in back)
    named = {category.name: category for category in back if names[category.name] == 1}
    for one, other in ((one, named[one.name]) for one in made if one.name in named):
        for slot in ("id", "path", "color", "countable", "keypoint_names", "skeleton", "attribute_names", "part_names"):
            if getattr(other, slot) not in (None, ()):
                yield from _differs(f"category {one.name!r}: {slot}", getattr(one, slot), getattr(other, slot))


def differences(made: Item, back: Item) -> Iterator[str]:
    """Yield what of a generated item came back differently. Slots that it does not state may have any value."""
    for name in ("id", "subsets", "sequence", "frame", "tags"):
        yield from _differs(name, getattr(made, name), getattr(back, name))
    yield from _image(made.image, back.image)
    yield from _mapping("attributes", made.attributes, back.attributes)
    yield from _matched("label", made.labels, back.labels, _same_label)
    yield from _matched("caption", made.captions, back.captions, lambda a, b: not any(_differs("text", a.text, b.text)))
    yield from _matched("object", made.objects, back.objects, lambda a, b: not any(_object(a, b)))
    yield from _matched("area", made.areas, back.areas, lambda a, b: a.region == b.region and same_category(a, b))
    if (made.void or None) != (back.void or None):
        yield f"void: {made.void} came back as {back.void}"


def _differs(name: str, made: Any, back: Any) -> Iterator[str]:
    if made is not None and made != () and not close(made, back):
        yield f"{name}: {made!r} came back as {back!r}"


def _mapping(name: str, made: Mapping[str, Any], back: Mapping[str, Any]) -> Iterator[str]:
    for key, value in made.items():
        yield from _differs(f"{name}.{key}", value, back.get(key))


def _image(made: Image | None, back: Image | None) -> Iterator[str]:
    if made is None or back is None:
        if made is not back:
            yield f"image: {made} came back as {back}"
        return
    for name in ("path", "width", "height", "data"):
        yield from _differs(f"image.{name}", getattr(made, name), getattr(back, name))


def _slots_held(record: Any) -> int:
    values = (getattr(record, name) for name in record.__struct_fields__ if name not in ("origin", "category"))
    return sum(len(value) if isinstance(value, dict) else value not in (None, ()) for value in values)


def _matched(what: str, made: Sequence[Any], back: Sequence[Any], same: Any) -> Iterator[str]:
    left = list(back)
    # A record with few slots could be confused with another that has more, so it comes last.
    for record in sorted(made, key=_slots_held, reverse=True):
        found = next((other for other in left if same(record, other)), None)
        if found is None:
            yield f"{what} {_brief(record)} is not among {[_brief(other) for other in left]}"
        else:
            left.remove(found)
    if len(made) != len(back) and not left:
        yield f"{len(made)} {what}s came back as {len(back)}"
    if left and len(back) > len(made):
        yield f"{what}s that nobody made: {[_brief(record) for record in left]}"


def _brief(record: Any) -> str:
    names = [n for n in record.__struct_fields__ if n != "origin" and getattr(record, n) not in (None, (), {})]
    shown = {n: getattr(record, n) for n in names}
    if isinstance(shown.get("category"), Category):
        category = shown["category"]
        shown["category"] = (category.id, category.index, category.name)
    return str(shown)


def same_category(a: Any, b: Any) -> bool:
    """Return whether the categories of two records are equal."""
    one, other = a.category, b.category
    if one is None or other is None:
        return one is None
    if one.name and other.name:
        return bool(one.name == other.name)
    return bool(one.id == other.id if one.id is not None and other.id is not None else one.index == other.index)


def _same_label(a: Any, b: Any) -> bool:
    attributes = list(_mapping("attributes", a.attributes, b.attributes))
    return same_category(a, b) and a.state == b.state and not attributes and not list(_differs("", a.score, b.score))


def _object(made: Object, back: Object) -> Iterator[str]:
    for name in Object.__struct_fields__:
        if name in ("origin", "category", "attributes"):
            continue
        a, b = getattr(made, name), getattr(back, name)
        if name in ("region", "hidden"):
            if a is not None and a != b:
                yield f"{name} differs"
        else:
            yield from _differs(name, a, b)
    yield from _mapping("attributes", made.attributes, back.attributes)
    if not same_category(made, back):
        yield "category differs"


def example(form: Format, rng: random.Random, count: int) -> tuple[list[Category], list[Item]]:
    """Return generated categories and items of a format."""
    generator = Generator(form, rng)
    return generator.categories, list(generator.items(count))


def check_leaves(spec: str | Path | Source) -> None:
    """Check that every leaf of a spec can carry values of its slots, in each layout and with each choice of options.

    Raises:
        SpecError: Some leaves can carry none, so that the laws would hold trivially; each is named with its line.
        LawBrokenError: A leaf reads another value than it wrote.
    """
    source = spec if isinstance(spec, Source) else load_source(spec)
    problems: dict[Problem, None] = {}
    for form in forms(source):
        for bounds in outline(form, everything=True).leaves.values():
            problems.update(dict.fromkeys(carry.empty_leaves(bounds, ENV)))
    if problems:
        raise SpecError(problems)


def hold(spec: str | Path | Source, rng: random.Random, items: int = 3) -> None:
    """Check both laws for a spec on one generated dataset for each layout and option.

    Raises:
        LawBrokenError: A law does not hold; the message names the leaf with its line, or the item and what differs.
        SpecError: A leaf can carry no value.
    """
    source = spec if isinstance(spec, Source) else load_source(spec)
    check_leaves(source)
    for form in forms(source):
        try:
            categories, made = example(form, rng, items)
            tree = write_read(source, form, categories, made)
            if made:
                read_write(source, tree, form.options)
        except (LawBrokenError, CannotWriteError, UnfitError) as error:
            layout = f"{form.layout.variant} {form.options}" if form.layout.variant or form.options else ""
            raise LawBrokenError(f"{source.name} {layout}: {error}") from None


def hold_on(source: Source, folder: Path) -> None:
    """Check the second law for a spec on a dataset on disk. Raises LawBrokenError.

    The options are those of a conversion of the dataset to its own format.
    """
    tree = open_tree(folder)
    dataset, items = opened(source, tree, {})
    read_write(source, tree, with_following(dataset.form.options, dataset.form.layout.spec.options, lambda: items))


__all__ = [
    "IMAGE",
    "LawBroken",
    "LawBrokenError",
    "check_leaves",
    "differences",
    "example",
    "forms",
    "hold",
    "hold_on",
    "read_write",
    "write_read",
]
