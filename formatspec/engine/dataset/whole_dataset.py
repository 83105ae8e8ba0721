"""Checks a dataset as a whole: required files, and images that are in two subsets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from formatspec.engine.base.faults import Fault
from formatspec.engine.dataset.category_counts import stated_counts
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.dataset.item.read_files import keys_twice
from formatspec.engine.dataset.item.read_item import subsets_of
from formatspec.engine.index.entries import Entry
from formatspec.engine.spec.compiled import IMAGE, Role
from formatspec.language.schema import CategoryList
from formatspec.paths.trees.tree import as_spelled

SUBSET = "subset"


def dataset_faults(dataset: OpenDataset, leaks: bool) -> Iterator[Fault]:
    """Yield the faults of the dataset that belong to no item; `leaks` also looks for images in two subsets."""
    yield from _missing_files(dataset)
    yield from _no_images(dataset)
    yield from _other_counts(dataset)
    yield from _of_no_object(dataset)
    if leaks:
        yield from _in_lists_of_two_subsets(dataset)
        yield from _in_two_subsets(dataset)


LARGEST = 1 << 26
"""The largest shared JSON file, in bytes, that is searched for repeated keys."""
LARGEST_CONVERTED = 1 << 22
"""The same limit during a conversion."""


def shared_keys_twice(dataset: OpenDataset, largest: int = LARGEST) -> Iterator[Fault]:
    """Yield repeated keys in mappings of shared JSON files up to a size."""
    for file in dataset.index.shared:
        role = dataset.form.roles[file.role]
        if role.kind == "json" and (data := _small(dataset, file.path, largest)) is not None:
            yield from keys_twice(role, file.path, data)


def unchecked_keys(dataset: OpenDataset, largest: int = LARGEST) -> list[str]:
    """Return the shared JSON files that are too large to be searched for repeated keys."""
    files = (file for file in dataset.index.shared if dataset.form.roles[file.role].kind == "json")
    return [file.path for file in files if _small(dataset, file.path, largest) is None]


def _small(dataset: OpenDataset, path: str, largest: int) -> bytes | None:
    local = dataset.tree.local(path)
    if local is not None and local.stat().st_size > largest:
        return None
    data = dataset.tree.read(path)
    return data if len(data) <= largest else None


def _missing_files(dataset: OpenDataset) -> Iterator[Fault]:
    """Yield faults about missing shared files that the layout requires."""
    form = dataset.form
    roles = [
        role
        for role in form.roles.values()
        if role.span == "shared" and not role.optional and not role.folder and role.name != IMAGE
        if not (role.name in form.spec.categories and _categories_are_told(dataset, role))
    ]
    if not roles or not len(dataset):
        return
    there = dataset.index.claimed.roles
    said = {fault.file for fault in dataset.index.faults if fault.code == "FILE_MISSING"}
    asked = {name for role in roles for name in role.captures if name not in role.spec.given}
    names = _names(dataset, asked) if asked else [{}]
    for role in roles:
        given = role.spec.given  # where all its names have given values, any one of its files is enough
        if given.keys() >= set(role.captures) and role.name in there:
            continue
        for path in dict.fromkeys(path for one in names if (path := _path(role, {**given, **one})) is not None):
            if path not in said and not dataset.tree.exists(as_spelled(dataset.tree, path)):
                words = f"the dataset's {role.name} file is missing"
                yield Fault("FILE_MISSING", path, (), role.place, words, path, scope="document")


def _categories_are_told(dataset: OpenDataset, role: Role) -> bool:
    """Return whether another source of categories exists, so that this one is not missed; the first source wins.

    A role with a file for each subset is missed if one of these files is missing.
    """
    sources = [source.list if isinstance(source, CategoryList) else source for source in dataset.form.spec.categories]
    there = dataset.index.claimed.roles - ({role.name} if role.captures else set())
    return bool(dataset.purpose.classes) or any(isinstance(name, str) and name in there for name in sources)


def _names(dataset: OpenDataset, asked: set[str]) -> list[Mapping[str, Any]]:
    """Return the values that items have for some names, each combination once."""
    found: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for entry in dataset.entries:
        if IMAGE in entry.files:
            one = {name: entry.names[name] for name in asked if entry.names.get(name) is not None}
            found.setdefault(tuple(sorted((name, str(value)) for name, value in one.items())), one)
    return list(found.values())


def _path(role: Role, names: Mapping[str, Any]) -> str | None:
    """Render the path of a role's file for some names; None if a name is missing or does not fit."""
    if any(name not in names for name in role.captures):
        return None
    try:
        return role.template.render(names)
    except (KeyError, ValueError):
        return None


def _no_images(dataset: OpenDataset) -> Iterator[Fault]:
    """Note once that the dataset has no image."""
    form, count = dataset.form, len(dataset)
    if count and not dataset.index.complete and IMAGE in form.roles and not _one_holds_its_image(dataset):
        words = f"no image of the dataset is there: {count:,} item{'' if count == 1 else 's'}"
        yield Fault("IMAGE_ABSENT", "", (), form.roles[IMAGE].place, words)


def _one_holds_its_image(dataset: OpenDataset) -> bool:
    """Return whether a document of an item holds its image; in most such datasets the first document does."""
    held = (one.state.item.get("image.data") for one in dataset.assembled()) if dataset.form.embeds_images else ()
    return any(one is not None for one in held)


def _other_counts(dataset: OpenDataset) -> Iterator[Fault]:
    """Yield faults about documents whose number of categories differs from the list of categories."""
    form, shared = dataset.form, dataset.index.shared
    lists = [file for file in shared if file.role in form.spec.categories]
    if len(lists) != 1 or dataset.purpose.classes:
        return
    listed = len(dataset.categories)
    for file in shared:
        if file is lists[0]:
            continue
        for key, place, count in stated_counts(form.roles[file.role], file.document):
            if count != listed:
                words = f"it says {key} = {count}, and {lists[0].path} lists {listed}"
                yield Fault("CONFLICT", file.path, (key,), place, words, str(listed), count, scope="document")


def _of_no_object(dataset: OpenDataset) -> Iterator[Fault]:
    """Yield faults about files whose path has the id of an object that no document lists."""
    roles = [
        role
        for role in dataset.form.roles.values()
        if role.is_named_by_object and role.name in dataset.index.claimed.roles
    ]
    if not roles:
        return
    named = {path for one in dataset.assembled() for role in roles for path in one.files.get(role.name, ())}
    for role in roles:
        for path, _ in dataset.index.claimed.of(role.name):
            if path not in named:
                yield Fault("FILE_ORPHAN", path, (), role.place, "no object has the id that this file's name spells")


def _in_lists_of_two_subsets(dataset: OpenDataset) -> Iterator[Fault]:
    """Yield faults about images that lists, or folders named by documents, put into two subsets.

    A subset whose name contains another's, as `trainval` contains `train`, is taken to be made of others.
    """
    for entry in dataset.entries:
        subsets = subsets_of(dataset.form, entry)
        path = _image(entry)
        if len(subsets) < 2 or path is None:
            continue
        apart = next(
            ((one, other) for one, other in combinations(sorted(subsets), 2) if one not in other and other not in one),
            None,
        )
        if apart is not None:
            words = f"the same image stands in two subsets: {apart[0]} and {apart[1]}"
            yield Fault("SPLIT_LEAK", path, (), None, words, scope="item")


def _in_two_subsets(dataset: OpenDataset) -> Iterator[Fault]:
    """Yield faults about images of one name and the same bytes in two subsets. Lists are not looked at."""
    names = dataset.form.key_names
    if SUBSET not in names:
        return
    others = [name for name in names if name != SUBSET]
    seen: dict[tuple[str, ...], str] = {}
    for entry in dataset.entries:
        path = _image(entry)
        if path is None:
            continue
        key = (*(str(entry.names.get(name) or "") for name in others), path.rpartition(".")[2].lower())
        other = seen.setdefault(key, path)
        if other != path and _same_bytes(dataset, other, path):
            words = f"the same image stands in two subsets: {other} and {path}"
            yield Fault("SPLIT_LEAK", path, (), None, words, got=other, scope="item")


def _image(entry: Entry) -> str | None:
    found = entry.files.get(IMAGE)
    return found[0][0] if found else None


def _same_bytes(dataset: OpenDataset, a: str, b: str) -> bool:
    """Return whether two local files hold the same bytes; remote files are not fetched for this."""
    one, other = dataset.tree.local(a), dataset.tree.local(b)
    if one is None or other is None or one.stat().st_size != other.stat().st_size:
        return False
    return one.samefile(other) is False and one.read_bytes() == other.read_bytes()
