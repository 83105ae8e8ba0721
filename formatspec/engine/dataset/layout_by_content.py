"""Lays out a dataset by what its documents say, where their files have other names than those of any layout."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from formatspec.engine.dataset.document_shape import beginning, differs
from formatspec.engine.resolve.text_template import TextTemplate, text_template
from formatspec.engine.spec.compiled import IMAGE, Format, Role, compile_format
from formatspec.engine.spec.path_options import open_options
from formatspec.files.document import FileError
from formatspec.language.leaf import Bind, Text
from formatspec.language.load import Layout, Source
from formatspec.language.rules import LeafRule
from formatspec.paths.templates.formats import IMAGE_EXTENSIONS
from formatspec.paths.trees.tree import Tree

DOCUMENTS = 64
"""How many files may have the extension of a role whose files are sought by their content."""
NAMES = 64
"""How many images that a document names are looked for."""
_TOKENS = re.compile(r"[A-Za-z0-9]+|[^A-Za-z0-9]+")
_SUBSET = re.compile(r"(?:train|training|val|valid|validation|test|testing|dev)(?:19|20)?(?:\d\d)?", re.I)
_SLOT = "{subset}"


class _Document(NamedTuple):
    """A document that was found, and what speaks of its images.

    Attributes:
        path: Its file.
        names: Images that its rows name.
        folders: The folders, each with a slash behind it, below which all of those images lie that are there.
    """

    path: str
    names: frozenset[str]
    folders: tuple[str, ...]


def laid_out_by_content(source: Source, tree: Tree) -> Layout | None:
    """Return a layout of a spec whose paths follow from the content of a tree; None if there is no single one.

    A layout for which the spec says `anywhere: ROLE` is the pattern: the files of that role are those whose documents
    fit its rule, and the images are where the rows of these documents say. What the paths of several documents differ
    in is their subset, and the folders of the images may name it too.

    Args:
        source: The spec.
        tree: The files.
    """
    pattern = next((layout for layout in source.layouts if layout.spec.anywhere is not None), None)
    if pattern is None:
        return None
    form = compile_format(source, pattern, open_options(pattern.spec, {}))
    role = form.roles[pattern.spec.anywhere or IMAGE]
    found = _documents(form, role, tree)
    paths = _paths(found) if found else None
    if paths is None:
        return None
    document, folder = paths
    files = dict(pattern.spec.files)
    files[role.name] = files[role.name].model_copy(update={"path": document})
    files[IMAGE] = files[IMAGE].model_copy(update={"path": folder + files[IMAGE].path})
    name = f"{role.name} in {document}, images in {folder or './'}"
    return Layout(name, pattern.spec.model_copy(update={"files": files}), pattern.node)


def sought_roles(source: Source) -> frozenset[str]:
    """Return the roles of a spec whose files may have any path."""
    return frozenset(layout.spec.anywhere for layout in source.layouts if layout.spec.anywhere is not None)


def spells_more(subset: str) -> bool:
    """Return whether the name of a subset holds more than a usual word for one, as `train_annotations` does."""
    parts = _TOKENS.findall(subset)
    return len(parts) > 1 and any(_SUBSET.fullmatch(part) for part in parts)


def _documents(form: Format, role: Role, tree: Tree) -> list[_Document]:
    """Return the documents of a role, wherever they lie; none if some of them leave open where their images are."""
    extension = role.template.suffix.rpartition(".")[2].lower()
    paths = [path for path in tree.paths() if path.rpartition(".")[2].lower() == extension]
    if not 0 < len(paths) <= DOCUMENTS:
        return []
    images: dict[str, list[str]] | None = None
    found = []
    for path in paths:
        names = sorted(_names(form, role, path, tree))
        if not names:
            continue
        images = _by_name(tree) if images is None else images
        named = names[:: max(1, len(names) // NAMES)]
        folders = _folders(named, images) if images else ("",)
        if not folders or not {"{", "}"}.isdisjoint(path):
            return []
        found.append(_Document(path, frozenset(named), folders))
    return found


def _names(form: Format, role: Role, path: str, tree: Tree) -> Iterator[str]:
    """Yield the images that the first rows of a document name; none if the document does not fit the role."""
    assert role.codec is not None
    try:
        document = beginning(role, path, tree).document
    except (FileError, ValueError, OSError):
        return
    if differs(role.codec.rule, role.scope, document):
        return
    for keys, key, template, bound in _templates(role):
        rows = _below(document, keys)
        for row in rows if isinstance(rows, list) else ():
            text = row.get(key) if isinstance(row, dict) else None
            told = template.match(text) if isinstance(text, str) else None
            names = (
                {bound[part]: spelled for part, spelled in told.items() if part in bound} if told is not None else {}
            )
            if names.keys() == set(form.roles[IMAGE].captures):
                yield form.roles[IMAGE].template.render(names)


def _templates(role: Role) -> Iterator[tuple[Sequence[str], str, TextTemplate, Mapping[str, str]]]:
    """Yield the texts in rows of items: the keys of the table, the key of the text, its template, what that binds."""
    for keys, rules in role.lists:
        for rule in rules:
            inner = role.scope.inside(rule.each.table)
            for field in rule.row.fields if rule.each.table == "items" else ():
                if isinstance(field.rule, LeafRule) and isinstance(field.rule.leaf, Text):
                    template = text_template(field.rule.leaf, inner, field.rule.place)
                    bound = {part: leaf.names[0] for part, leaf in template.leaves.items() if isinstance(leaf, Bind)}
                    yield keys, field.keys[0], template, bound


def _below(document: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _by_name(tree: Tree) -> dict[str, list[str]]:
    """Return the images of a tree by the last part of their paths."""
    found = defaultdict[str, list[str]](list)
    for path in tree.paths():
        if path.rpartition(".")[2].lower() in IMAGE_EXTENSIONS:
            found[path.rpartition("/")[2]].append(path)
    return found


def _folders(names: Sequence[str], images: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the folders below which every one of some images lies that is there at all, at least half of them."""
    met: Counter[str] = Counter()
    there = 0
    for name in names:
        ends = {
            path[: -len(name)] for path in images.get(name.rpartition("/")[2], ()) if f"/{path}".endswith(f"/{name}")
        }
        there += bool(ends)
        met.update(ends)
    if 2 * there < len(names):
        return ()
    return tuple(sorted(folder for folder, count in met.items() if count == there and "{" not in folder))


def _paths(found: Sequence[_Document]) -> tuple[str, str] | None:
    """Return the templates of the documents' paths and of the folders of their images; None if none fits all."""
    for document, subsets in _document_paths([one.path for one in found]):
        choices = [
            {_with_slot(folder, subset) for folder in one.folders} for one, subset in zip(found, subsets, strict=True)
        ]
        common = sorted(set.intersection(*choices), key=lambda folder: (_SLOT not in folder, len(folder), folder))
        if len(found) == 1 and len(common) > 1 and _SLOT not in common[0]:
            return None  # the same names lie in several folders, and nothing tells which are meant
        for folder in common:
            if _is_one_dataset(document, folder, subsets) and (_SLOT in folder or _are_apart(found)):
                return document, folder
    return None


def _is_one_dataset(document: str, folder: str, subsets: Sequence[str]) -> bool:
    """Return whether documents and images are those of one dataset, not of several in folders of their own."""
    own = document.startswith(f"{_SLOT}/") and folder.startswith(f"{_SLOT}/")
    return not own or all(_SUBSET.fullmatch(subset) for subset in subsets)


def _are_apart(found: Sequence[_Document]) -> bool:
    """Return whether no two documents name one image, as two states of one file would."""
    return sum(len(one.names) for one in found) == len(frozenset().union(*(one.names for one in found)))


def _document_paths(paths: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield templates that give the paths of all documents, each with the documents' subsets.

    A subset is what the paths differ in, with and without a year behind it that they share. One path alone has a subset
    where it spells a usual word for one, and otherwise none.
    """
    parts = [_TOKENS.findall(path) for path in paths]
    if len(paths) == 1:
        words = {part for part in parts[0] if _SUBSET.fullmatch(part)}
        if len(words) == 1:
            yield from _spelled(parts[0], words.copy(), list(words))
        yield paths[0], [""]
        return
    if len({len(one) for one in parts}) > 1:
        return
    unlike = [place for place, tokens in enumerate(zip(*parts, strict=True)) if len(set(tokens)) > 1]
    subsets = [one[unlike[0]] for one in parts]
    if all(one[place] == subset for one, subset in zip(parts, subsets, strict=True) for place in unlike):
        yield from _spelled(parts[0], {subsets[0]}, subsets, unlike)


def _spelled(
    parts: Sequence[str], words: set[str], subsets: list[str], places: Sequence[int] | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Yield the template of a path with its subset as it stands, and without the year behind it."""
    places = [place for place, part in enumerate(parts) if part in words] if places is None else places
    years = {re.sub(r"^\D*", "", subset) for subset in subsets}
    for year in ("", *(years - {""} if len(years) == 1 else ())):
        bare = [subset.removesuffix(year) for subset in subsets]
        if not all(bare) or len(set(bare)) < len(subsets):
            continue
        yield "".join(_SLOT + year if place in places else part for place, part in enumerate(parts)), bare


def _with_slot(folder: str, subset: str) -> str:
    """Return a folder with `{subset}` where it spells a subset, also before a year."""
    if not subset:
        return folder
    year = re.compile(re.escape(subset) + r"(\d*)")
    told = ((part, year.fullmatch(part)) for part in _TOKENS.findall(folder))
    return "".join(part if found is None else _SLOT + found[1] for part, found in told)
