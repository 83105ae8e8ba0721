"""Opens a tree with a spec: chooses the layout that fits, and its root."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple

import msgspec

from formatspec.engine.base.faults import Fault
from formatspec.engine.dataset.choose_options import FILES, undecided, with_names
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.dataset.document_shape import beginning, has_another_shape, in_parts, told_by_documents
from formatspec.engine.dataset.item.purpose import Purpose
from formatspec.engine.dataset.layout_by_content import laid_out_by_content, sought_roles, spells_more
from formatspec.engine.index.build_index import Claims, PathMatches, claims, sampled, unclaimed
from formatspec.engine.index.row_ownership import SharedFile
from formatspec.engine.label_images.reader import fits_header
from formatspec.engine.spec.compiled import IMAGE, Format, Role, compile_format
from formatspec.engine.spec.option_keys import options_in_keys
from formatspec.engine.spec.options import offered_options
from formatspec.engine.spec.path_options import found_in_paths, open_options, options_in_paths
from formatspec.files.document import FileError
from formatspec.language.errors import Problem, SpecError
from formatspec.language.load import Source, place_at
from formatspec.language.rules import problem
from formatspec.model.plain.image_error import ImageError
from formatspec.paths.globs import matches
from formatspec.paths.names import safe_join
from formatspec.paths.templates.formats import IMAGE_EXTENSIONS
from formatspec.paths.trees.tree import Tree
from formatspec.pixels import containers


def roots(form: Format, tree: Tree) -> Iterator[str]:
    """Yield the prefixes at which the layout may begin, in the spec's order."""
    folders = None
    for pattern in form.spec.root:
        if pattern == ".":
            yield ""
            continue
        if folders is None:
            folders = [folder for folder in tree.folders() if folder.count("/") <= 4]
        for folder in folders:
            if matches(folder, pattern):
                yield folder


class Fitting(NamedTuple):
    """A layout that may fit a tree.

    Attributes:
        form: The layout.
        prefix: The folder in which it begins.
        loose: How many shared files it claims by fewer letters than another layout does for the same role, as
            `{subset}.json` claims `instances_train.json`.
    """

    form: Format
    prefix: str
    loose: int = 0


def candidates(source: Source, tree: Tree, options: Mapping[str, Any], within: str = "") -> list[Fitting]:
    """Return the layouts and roots that fit a tree, the best first.

    The best one has files for most of its required roles; among equals, the one that leaves the fewest files unclaimed
    or loosely claimed. A layout that claims no file comes last, even if none of its required files is missing.

    Args:
        source: The spec.
        tree: The tree.
        options: The options that the user gives.
        within: The folder of the tree in which the roots lie.
    """
    offered = [offered_options(layout.spec) for layout in source.layouts]
    known = {name for one in offered for name in one}  # an option that only some layouts have is ignored for the others
    forms = [
        compile_format(
            source,
            layout,
            open_options(layout.spec, {name: options[name] for name in options if name in own or name not in known}),
        )
        for layout, own in zip(source.layouts, offered, strict=True)
    ]
    part = tree.under(within) if within else tree
    found = [
        (_with_names(_with_paths(form, part, prefix), part, prefix, options), "/".join(filter(None, (within, prefix))))
        for form in forms
        for prefix in roots(form, part)
    ]
    if not found:  # no root exists, so no file lies below the first one
        return [Fitting(form, "/".join(filter(None, (within, _absent(form))))) for form in forms]
    if len(found) < 2:
        return [Fitting(form, prefix) for form, prefix in found]
    below = {prefix: tree.under(prefix) if prefix else tree for _, prefix in found}
    samples = {prefix: PathMatches(sampled(part.paths())) for prefix, part in below.items()}
    several = len(forms) > 1
    told = told_by_documents(forms)
    lacks_images = not has_images(tree)

    claimed = [claims(form, samples[prefix]) for form, prefix in found]
    loose = _loose(found, claimed)

    def rank(place: int) -> tuple[bool, int, int]:
        (form, prefix), by_role = found[place], claimed[place]
        left = unclaimed(form, samples[prefix], by_role) + loose[place]
        return not any(by_role.values()), -_score(form, below[prefix], by_role, several, told, lacks_images), left

    return [Fitting(*found[place], loose[place]) for place in sorted(range(len(found)), key=rank)]


def _loose(found: Sequence[tuple[Format, str]], claimed: Sequence[Claims]) -> list[int]:
    """Return for each layout how many shared files another one claims by more letters, for the same role.

    Only files count whose names say of which items they are. A layout that takes several files of a role for the same
    subset, as `{subset}_{title}.json` does with `train_fold1.json` and `train_fold2.json`, says nothing against others,
    which keep these files apart.
    """
    shared = [
        [(prefix, role, by_role[role.name]) for role in form.roles.values() if _names_subsets(role, form)]
        for (form, prefix), by_role in zip(found, claimed, strict=True)
    ]
    letters: dict[tuple[str, str, str], int] = {}
    for (form, _), roles in zip(found, shared, strict=True):
        for prefix, role, files in roles:
            for path, _ in files if _tells_apart(form, files) else ():
                claim = (prefix, role.name, path)
                letters[claim] = max(role.template.literal_count, letters.get(claim, 0))
    return [
        sum(
            role.template.literal_count < letters.get((prefix, role.name, path), 0)
            for prefix, role, files in roles for path, _ in files
        )
        for roles in shared
    ]  # fmt: skip


def _names_subsets(role: Role, form: Format) -> bool:
    """Return whether the names of a role's shared files say which items they are of; the name of a YAML does not."""
    return role.span == "shared" and not {"subset", *form.key_names}.isdisjoint(role.captures)


def _tells_apart(form: Format, files: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
    """Return whether no two of a role's files are of the same items, as far as their names tell."""
    names = {"subset", *form.key_names}
    return len({tuple(sorted((k, str(v)) for k, v in found.items() if k in names)) for _, found in files}) == len(files)


def has_images(tree: Tree) -> bool:
    """Return whether a tree holds any image, wherever it lies."""
    return any(path.rpartition(".")[2].lower() in IMAGE_EXTENSIONS for path in tree.paths())


def are_apart(a: str, b: str) -> bool:
    """Return whether neither of two folders contains the other; an empty text is the root, which contains all."""
    return bool(a and b) and not f"{a}/".startswith(f"{b}/") and not f"{b}/".startswith(f"{a}/")


def several_roots(name: str, data: str, roots: Sequence[str]) -> SpecError:
    """Return the error for data with several datasets of one format side by side."""
    places = ", ".join(f"{data.rstrip('/')}/{root}" for root in roots)
    hint = f"point at one of them: formatspec … {data.rstrip('/')}/{roots[0]}"
    return SpecError((Problem(f"{data} holds several datasets of {name}: {places}", None, hint=hint),))


def _see_one_root(name: str, tree: Tree, chosen: str, found: Sequence[Fitting]) -> None:
    """Check that no other dataset of the format lies beside the chosen one. Raises SpecError."""
    others = []
    for root in sorted({one.prefix for one in found if are_apart(one.prefix, chosen)}):
        paths = PathMatches(sampled(tree.under(root).paths()))
        for form in (one.form for one in found if one.prefix == root):
            by_role = claims(form, paths)
            if all(by_role[role.name] for role in form.roles.values() if not role.optional and not role.folder):
                others.append(root)
                break
    if others:
        raise several_roots(name, tree.root, (chosen, *others))


def _with_paths(form: Format, tree: Tree, prefix: str) -> Format:
    """Return a layout with those of its options chosen that stand in paths and of which one choice has files.

    An option of which no choice has files gets its default. One of which several have files stays open; `names` then
    holds these choices.
    """
    asked = [name for name in options_in_paths(form.spec) if form.options.get(name) is None]
    if not asked:
        return form
    part = tree.under(prefix) if prefix else tree
    by_role = claims(form, PathMatches(sampled(part.paths())))
    found = found_in_paths(form.spec, (captures for files in by_role.values() for _, captures in files))
    chosen = dict(form.options)
    for name in asked:
        if len(found[name]) < 2:
            chosen[name] = found[name][0] if found[name] else form.spec.options[name].initial
    names = {name: found[name] for name in asked if len(found[name]) > 1}
    return compile_format(form.source, form.layout, chosen, {**form.names, **names})


def _with_names(form: Format, tree: Tree, prefix: str, options: Mapping[str, Any]) -> Format:
    """Return a layout with those of its options chosen that stand in keys of the documents below a prefix."""
    stated = options_in_keys(form.layout)
    if not stated and not any(option.told_by for option in form.spec.options.values()):
        return form
    part = tree.under(prefix) if prefix else tree
    every = any(option.value for option in stated.values())  # one list that holds several values may be anywhere
    paths = part.paths() if every else sampled(part.paths())
    by_role = claims(form, PathMatches(paths))

    def documents(role: Role) -> Iterator[Any]:
        for path, _ in by_role[role.name] if every else by_role[role.name][:FILES]:
            with contextlib.suppress(FileError, ValueError, OSError):
                yield from in_parts(role, path, part) if every else (beginning(role, path, part).document,)

    return with_names(form, options, documents)


def _absent(form: Format) -> str:
    """Return the folder of a root that does not exist. Raises SpecError for an impossible one."""
    named = form.spec.root[0] if form.spec.root else ""
    folder = safe_join("", named)
    if not folder:
        raise problem(f"the root {named!r} is no folder of a dataset", place_at(form.layout.node, "root"))
    return folder


def _score(
    form: Format, tree: Tree, found: Mapping[str, Sequence[Any]], several: bool, told: Set[tuple[str, str]],
    lacks_images: bool,
) -> int:  # fmt: skip
    score = 0
    for name, role in form.roles.items():
        if found[name]:
            path = found[name][0][0]
            other = (several and _has_another_mode(role, path, tree)) or (
                (name, role.spec.path) in told and has_another_shape(role, path, tree)
            )
            score += -3 if other else 2
        elif not role.optional and not (name == IMAGE and lacks_images):  # then each layout lacks them
            score -= 3
    return score


def _has_another_mode(role: Role, path: str, tree: Tree) -> bool:
    """Return whether a label image's header shows a kind of image that the role cannot hold."""
    if role.kind != "pixels" or not role.spec.image:
        return False
    try:
        return not fits_header(containers.read_header(tree.read(path)), role.spec.image)
    except (ImageError, OSError):
        return False


def _is_less_of(other: OpenDataset, one: OpenDataset) -> bool:
    """Return whether a layout lacks files of more roles than another one whose shared documents cannot be read."""
    is_unread = any(fault.code in UNREAD for fault in one.index.faults)
    return is_unread and other.prefix == one.prefix and _lacking(one) < _lacking(other)


def _lacks_more(one: OpenDataset, other: OpenDataset) -> bool:
    """Return whether a layout has no files of a required role, and another one of the same root lacks none.

    Images without annotations, such as those of a test set, are then no reason for a layout that has no annotations.
    """
    return other.prefix == one.prefix and bool(_lacking(one)) and not _lacking(other)


UNREAD = ("FILE_UNREADABLE", "FILE_ENCODING")
"""Codes of faults after which nothing is known about a document's content."""


def _lacking(dataset: OpenDataset) -> set[str]:
    """Return the required roles of a layout that have no files."""
    required = {role.name for role in dataset.form.roles.values() if not role.optional and not role.folder}
    return required - set(dataset.index.claimed.roles)


def open_source(
    source: Source, tree: Tree, options: Mapping[str, Any], purpose: Purpose, within: str = ""
) -> OpenDataset:
    """Open a tree with a spec, as the layout in which most items have their image. Raises SpecError.

    Of several, the one that claims the fewest files loosely is taken, then the one with the most items.

    A row that lists another image under an id that stands already is a mistake of the data, and no reason to take
    another layout, in which the two files may be independent of each other.

    A layout with an unreadable document does not lose to a layout that lacks such documents, since the items that the
    document lists are unknown.

    Args:
        source: The spec.
        tree: The tree.
        options: The options that the user gives.
        purpose: Which parts of items are read.
        within: The folder of the tree in which the dataset begins.
    """
    best: tuple[tuple[int, int, int], OpenDataset] | None = None
    images = has_images(tree)
    found = candidates(source, tree, options, within)
    for form, prefix, loose in found:
        dataset = OpenDataset(form, tree, prefix, purpose)
        complete = dataset.index.complete - dataset.index.renamed  # another layout may spell the names as they are
        if best is not None and (_is_less_of(dataset, best[1]) or (best[0][0] and _lacks_more(dataset, best[1]))):
            continue
        items = min(complete, len(dataset))  # a layout may find more images than it has items
        if best is None or (items, -loose, len(dataset)) > best[0]:
            best = ((items, -loose, len(dataset)), dataset)
        twice = sum(fault.code == "DUPLICATE" and fault.scope == "item" for fault in dataset.index.faults)
        fits = complete + twice >= len(dataset.index.entries) and not _names_strangers(dataset)
        if len(dataset) and (fits or not images):
            break
    assert best is not None
    dataset = best[1]
    sought = sought_roles(source)
    if sought and (2 * best[0][0] < max(1, len(dataset.index.entries)) or _is_loose(dataset, sought)):
        dataset = _by_content(dataset, best[0][0], source, options, within)
    _see_one_root(source.name, tree, dataset.prefix, found)
    dataset.index.faults.extend(undecided(dataset.form, options))
    _see_one_layout(dataset, found, tree, purpose)
    return dataset


def _by_content(
    dataset: OpenDataset, items: int, source: Source, options: Mapping[str, Any], within: str
) -> OpenDataset:
    """Return the dataset in the layout that follows from what documents say, if more items have their image there.

    It is taken too if as many have it, it reads all documents that the other reads, and it reads more of them, or names
    subsets by usual words. Images without any of the documents are no better reading, however many they are.

    Args:
        dataset: The dataset in the best of the spec's own layouts.
        items: How many of its items have their image.
        source: The spec.
        options: The options that the user gives.
        within: The folder of the tree in which the dataset begins.
    """
    tree = dataset.base
    layout = laid_out_by_content(source, tree.under(within) if within else tree)
    if layout is None:
        return dataset
    form, prefix, _ = candidates(msgspec.structs.replace(source, layouts=(layout,)), tree, options, within)[0]
    other = OpenDataset(form, tree, prefix, dataset.opened_for)
    found = min(other.index.complete, len(other))
    sought = sought_roles(source)
    is_closer = (
        found == items
        and _claimed(dataset, sought) <= _claimed(other, sought)
        and _is_loose(dataset, sought)
        and not _is_loose(other, sought)
    )
    return other if found > items or is_closer or (found and _reads_more(other, dataset, sought)) else dataset


def _reads_more(one: OpenDataset, other: OpenDataset, sought: Set[str]) -> bool:
    """Return whether a layout reads documents that are sought, and another none of them and nothing else either."""
    documents = {name for form in (one.form, other.form) for name in form.roles} - {IMAGE}
    return (
        not _claimed(other, sought)
        and bool(_claimed(one, sought))
        and _claimed(other, documents) <= _claimed(one, documents)
    )


def _claimed(dataset: OpenDataset, roles: Set[str]) -> set[str]:
    """Return the files that a layout claims for some roles, from the root of the tree."""
    claimed = dataset.index.claimed
    return {f"{dataset.prefix}/{path}".lstrip("/") for role in roles & claimed.roles for path, _ in claimed.of(role)}


def _names_strangers(dataset: OpenDataset) -> bool:
    """Return whether rows name items that are not there."""
    return any(fault.code == "UNKNOWN_REFERENCE" for fault in dataset.index.faults)


def _is_loose(dataset: OpenDataset, sought: Set[str]) -> bool:
    """Return whether a layout lacks documents or items that rows name, or a subset's name holds more than a word."""
    extensions = {dataset.form.roles[name].template.suffix for name in sought if name in dataset.form.roles}
    unread = sought.isdisjoint(dataset.index.claimed.roles) and any(
        path.endswith(tuple(extensions)) for path in dataset.index.unclaimed
    )
    by_subset = "subset" in dataset.form.roles[IMAGE].captures  # then the folders of images have these very names
    told = () if by_subset else (str(file.captures.get("subset", "")) for file in dataset.index.shared)
    return unread or _names_strangers(dataset) or any(map(spells_more, told))


def _see_one_layout(dataset: OpenDataset, found: Sequence[Fitting], tree: Tree, purpose: Purpose) -> None:
    """Say of a shared file none of whose rows fits that another layout reads it, in place of a fault for each row."""
    faults = dataset.index.faults
    rejected = Counter(fault.file for fault in faults if fault.code == "ALTERNATIVE")
    files = {file.path: file for file in dataset.index.shared}
    whole = [path for path, count in rejected.items() if path in files and count >= _rows_in(files[path])]
    fitting = [file.path for file in dataset.index.shared if file.path not in rejected]
    others = [(one.form, one.prefix) for one in found if one.form.layout.variant != dataset.form.layout.variant]
    if not whole or not fitting or not others:
        return
    for form, prefix in others:
        other = OpenDataset(form, tree, prefix, purpose)
        unread = {fault.file for fault in other.index.faults if fault.code == "ALTERNATIVE"}
        read = {file.path for file in other.index.shared} - unread
        for path in [one for one in whole if one in read and prefix == dataset.prefix]:
            whole.remove(path)
            words = (
                f"its rows are of the layout {form.layout.variant!r}, and a dataset has one: {fitting[0]} is of "
                f"{dataset.form.layout.variant!r}; put the file into a folder of its own, with its images beside it"
            )
            faults[:] = [fault for fault in faults if fault.file != path or fault.code != "ALTERNATIVE"]
            faults.append(Fault("FILE_UNREADABLE", path, (), dataset.form.roles[files[path].role].place, words))


def _rows_in(file: SharedFile) -> int:
    """Return how many rows the tables of a shared file have, at least one."""
    return max(1, sum(len(rows) for rows in file.tables.values()))
