"""Counts the kept and unknown fields of shared documents outside the rows of items, for the loss report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from formatspec.engine.base.kept_fields import KEPT
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.dataset.item.read_item import subsets_of
from formatspec.engine.dataset.item.restated import forget_restated_of_file
from formatspec.engine.evaluate.write_context import WriteSetting
from formatspec.engine.index.row_ownership import SharedFile
from formatspec.engine.read.categories import Categories
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.read.leaf_reader import ReadContext
from formatspec.engine.resolve.scope import Meaning, Scope
from formatspec.engine.spec.compiled import Role
from formatspec.language.leaf import Keep

Kept = tuple[str, str]
"""What is kept, and the unit in which it is counted."""


def kept_in_files(source: OpenDataset) -> Iterator[Kept]:
    """Yield a pair for each kept key of a shared document, and for each kept key of a category.

    A file whose spec gives only its path is kept whole. A category that several files list is counted once for each
    key.
    """
    listed: set[tuple[str, str]] = set()
    for role in _kept_whole(source):
        yield from [(f"kept files: {role.name}", "files") for _ in source.index.claimed.of(role.name)]
    for role in source.form.documents:
        files = [file for file in source.index.shared if file.role == role.name]
        if role.codec is None or role.span != "shared" or not files:
            continue
        if isinstance(role.codec.rule.leaf, Keep):
            yield from [(f"kept files: {role.name}", "files")] * len(files)
            continue
        yield from _of_role(source, role, files, listed)


def shared_files_kept_whole(source: OpenDataset) -> Iterator[tuple[str, str]]:
    """Yield the role and the path of each file that many items share and of which the spec gives only the path."""
    for role in _kept_whole(source):
        if role.span == "shared":
            yield from [(role.name, path) for path, _ in source.index.claimed.of(role.name)]


def files_of_no_item(source: OpenDataset) -> list[str]:
    """Return documents that list items and are empty, so that no item brings them into the output."""
    index = source.index
    found = []
    for file in index.shared:
        lists = [table for table in index.tables.get(file.role, ()) if table.source]
        if lists and file.captures and not any(len(file.tables.get(table.path, ())) for table in lists):
            found.append(file.path)
    return found


def _kept_whole(source: OpenDataset) -> Iterator[Role]:
    """Yield the roles of files that are kept and whose content the spec does not describe."""
    for role in source.form.roles.values():
        if role.kept and role.rule is None and not role.folder:
            yield role


def _of_role(
    source: OpenDataset, role: Role, files: Iterable[SharedFile], listed: set[tuple[str, str]]
) -> Iterator[Kept]:
    read, setting = role.reader(ReadContext(_categories, False, counts=True)), None
    for file in files:
        state = ItemState(dict(file.captures), _OPEN, False)
        state.file = file.path
        record: dict[str, object] = {}
        read(file.document, record, state)
        if state.restated:
            setting = setting or _setting(source)
            setting.captures, setting.values = dict(file.captures), file.values
            forget_restated_of_file(record, state, setting)
        for key in dict.fromkeys(record.get(KEPT, ())):  # type: ignore[call-overload]
            yield f"kept fields: {key}", "files"
        for category in state.tables.get("category", ()):
            for key in dict.fromkeys(category.get(KEPT, ())):
                mark = (key, str(category.get("name", category.get("id", category.get("index")))))
                if mark not in listed:
                    listed.add(mark)
                    yield f"kept fields: {key}", "categories"


def _setting(source: OpenDataset) -> WriteSetting:
    """Return what the expressions of shared documents may ask for, such as the dataset's subsets."""
    setting = WriteSetting({}, source.known, dict(source.form.options))
    form, names = source.form, set[str]()
    for entry in source.entries:  # a folder's subset comes first; further ones are those that documents give
        names.update(subsets_of(form, entry)[: 1 if "subset" in form.key_names else None])
    setting.subsets = tuple(sorted(names))
    return setting


_OPEN = Categories((), closed=False)


def _categories(meaning: Meaning, scope: Scope) -> bool:
    return meaning.where == "column" or scope.kind == "category"
