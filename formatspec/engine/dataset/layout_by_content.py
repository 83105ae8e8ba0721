"""Lays out a dataset by what its documents say, where their files have other names than those of any layout."""

from __future__ import annotations

import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from formatspec.engine.dataset.choose_options import with_names
from formatspec.engine.dataset.document_shape import beginning, differs
from formatspec.engine.resolve.text_template import TextTemplate, text_template
from formatspec.engine.spec.compiled import IMAGE, Format, Role, compile_format
from formatspec.engine.spec.path_options import open_options
from formatspec.files.document import FileError
from formatspec.language.leaf import Bind, Text
from formatspec.language.load import Layout, Source
from formatspec.language.rules import LeafRule, MapRule, Rule
from formatspec.paths.templates.formats import IMAGE_EXTENSIONS
from formatspec.paths.trees.tree import Tree

DOCUMENTS = 64
"""How many files may have the extension of a role whose files are sought by their content."""
NAMES = 64
"""How many images that a document names are looked for."""
_WORD = r"(?:train|training|trainval|val|valid|validation|minival|test|testing|dev)(?:\d+k?)?"
_SUBSET = re.compile(rf"{_WORD}(?:[-_]{_WORD})*", re.I)
"""Usual words for subsets, also several of them, and with a year or a count behind: `test-dev2017`, `trainval35k`."""
_TOKENS = re.compile(rf"(?<![a-zA-Z0-9]){_SUBSET.pattern}(?![a-zA-Z0-9])|[A-Za-z0-9]+|[^A-Za-z0-9]+", re.I)
"""The words and the signs between them of a path; usual words for a subset stay together."""
_SLOT = "{subset}"
_BESIDE = "\0"
"""What stands between the folder of documents and that of images, where both are compared at once."""


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


class _Paths(NamedTuple):
    """The templates of the paths of documents and of images, and the documents of which other roles may think too."""

    document: str
    image: str
    documents: Sequence[str] = ()


def laid_out_by_content(source: Source, tree: Tree) -> Layout | None:
    """Return a layout of a spec whose paths follow from the content of a tree; None if there is no single one.

    A layout for which the spec says `anywhere: ROLE` is a pattern, and the first one counts that leads to a result. The
    files of that role are those whose documents fit its rule. If all items share them, the images are where their rows
    say. If each item has its own, the image is the one of the same name. What the paths of documents differ in is their
    subset, and the folders of the images may name it too.

    Args:
        source: The spec.
        tree: The files.
    """
    for pattern in source.layouts:
        if pattern.spec.anywhere is not None:
            form = compile_format(source, pattern, open_options(pattern.spec, {}))
            layout = _laid_out(form, form.roles[pattern.spec.anywhere], tree)
            if layout is not None:
                return layout
    return None


def _laid_out(form: Format, role: Role, tree: Tree) -> Layout | None:
    """Return a layout with the paths that the files of a role have."""
    found = _paths_of_shared(form, role, tree) if role.span == "shared" else _paths_of_items(form, role, tree)
    if found is None:
        return None
    others = {
        one.name for one in form.roles.values()
        if one.name not in (role.name, IMAGE) and any(one.match(path) is not None for path in found.documents)
    }  # fmt: skip
    files = {name: one for name, one in form.spec.files.items() if name not in others}
    for name, path in ((role.name, found.document), (IMAGE, found.image)):
        files[name] = files[name].model_copy(update={"path": path})
    items = tuple(name for name in form.spec.items if name.partition(".")[0] in files)
    told = f"{role.name} in {found.document}, images in {found.image.rpartition('/')[0] or '.'}/"
    spec = form.layout.spec.model_copy(update={"files": files, "items": items})
    return Layout(told, spec, form.layout.node)


def _paths_of_shared(form: Format, role: Role, tree: Tree) -> _Paths | None:
    """Return the paths of documents that all items share, and of the images that their rows name."""
    found, unread = _documents(form, role, tree)
    paths = _paths(found) if found else None
    if paths is None or not all(map(_matcher(paths[0]).fullmatch, unread)):
        return None  # a document that cannot be read may be one of these, and would be left out
    return _Paths(paths[0], paths[1] + _below_folders(form.roles[IMAGE].spec.path), [one.path for one in found])


def _below_folders(path: str) -> str:
    """Return a path template without the folders before its first placeholder."""
    literal = path.partition("{")[0]
    return path[literal.rfind("/") + 1 :]


def told_by_content(name: str, layout: Layout) -> str:
    """Return what a user is told of a layout that follows from the content of files."""
    return f"read as {name} by what the files hold: {layout.variant}"


def sought_roles(source: Source) -> frozenset[str]:
    """Return the roles of a spec whose files may have any path."""
    return frozenset(layout.spec.anywhere for layout in source.layouts if layout.spec.anywhere is not None)


def spells_more(subset: str) -> bool:
    """Return whether the name of a subset holds more than a usual word for one, as `train_annotations` does."""
    parts = _TOKENS.findall(subset)
    return len(parts) > 1 and any(_SUBSET.fullmatch(part) for part in parts)


def _matcher(path: str) -> re.Pattern[str]:
    """Return what matches the paths that a path with `{subset}` stands for."""
    return re.compile("[^/]+".join(map(re.escape, path.split(_SLOT))))


def _documents(form: Format, role: Role, tree: Tree) -> tuple[list[_Document], list[str]]:
    """Return the documents of a role, wherever they lie, and the files that may be such but cannot be read.

    There are none if some of them leave open where their images are.
    """
    paths = _files(form, tree, {_extension(role)})
    if not 0 < len(paths) <= DOCUMENTS:
        return [], []
    read = {path: document for path in paths for document in _read(role, path, tree)}
    role = with_names(form, {}, lambda one: read.values() if one.name == role.name else ()).roles[role.name]
    assert role.codec is not None
    images: dict[str, list[str]] | None = None
    found = []
    for path, document in read.items():
        names = [] if differs(role.codec.rule, role.scope, document) else sorted(set(_names(form, role, document)))
        if not names:
            continue
        images = _by_name(form, tree) if images is None else images
        named = names[:: max(1, len(names) // NAMES)]
        folders = _folders(named, images) if images else ("",)
        if not folders or not _is_plain(path):
            return [], []
        found.append(_Document(path, frozenset(names), folders))
    return found, [path for path in paths if path not in read]


def _extension(role: Role) -> str:
    """Return the extension of the files of a role."""
    return role.template.suffix.rpartition(".")[2].lower()


def _files(form: Format, tree: Tree, extensions: Container[str]) -> list[str]:
    """Return the files that have one of some extensions, without hidden ones and others that a format ignores."""
    found = [path for path in tree.paths() if path.rpartition(".")[2].lower() in extensions]
    return [path for path in found if not form.ignored(path)]


def _is_plain(path: str) -> bool:
    """Return whether a path may stand in a template as it is."""
    return "{" not in path and "}" not in path


def _read(role: Role, path: str, tree: Tree) -> Iterator[Any]:
    """Yield the first rows of a document, if it can be read."""
    with contextlib.suppress(FileError, ValueError, OSError):
        yield beginning(role, path, tree).document


def _names(form: Format, role: Role, document: Any) -> Iterator[str]:
    """Yield the images that the rows of a document name."""
    for keys, (*outer, key), template, bound in _texts(role):
        rows = _below(document, keys)
        rows = rows.values() if isinstance(rows, dict) and (outer or [key])[0] not in rows else rows
        for row in [rows] if isinstance(rows, dict) else rows or ():
            part = _below(row, outer)
            text = part.get(key) if isinstance(part, dict) else None
            told = template.match(text) if isinstance(text, str) else None
            names = {bound[place]: spelled for place, spelled in (told or {}).items() if place in bound}
            if names.keys() == set(form.roles[IMAGE].captures):
                with contextlib.suppress(ValueError):  # a name that leads out of the dataset is none of its images
                    yield form.roles[IMAGE].template.render(names)


def _texts(role: Role) -> Iterator[tuple[Sequence[str], Sequence[str], TextTemplate, Mapping[str, str]]]:
    """Yield the texts in rows: the keys of their table, those within a row, the template, and what it binds."""

    def within(rule: Rule, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], LeafRule]]:
        for field in rule.fields:
            if isinstance(field.rule, LeafRule):
                yield (*at, field.keys[0]), field.rule
            elif isinstance(field.rule, MapRule):
                yield from within(field.rule, (*at, field.keys[0]))

    for keys, rules in role.lists:
        for rule in rules:
            inner = role.scope.inside(rule.each.table)
            for at, one in within(rule.row, ()):
                if isinstance(one.leaf, Text):
                    template = text_template(one.leaf, inner, one.place)
                    bound = {part: leaf.names[0] for part, leaf in template.leaves.items() if isinstance(leaf, Bind)}
                    yield keys, at, template, bound


def _below(document: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _by_name(form: Format, tree: Tree) -> dict[str, list[str]]:
    """Return the images of a tree by the last part of their paths."""
    found = defaultdict[str, list[str]](list)
    for path in _files(form, tree, IMAGE_EXTENSIONS):
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
    return tuple(sorted(folder for folder, count in met.items() if count == there and _is_plain(folder)))


def _paths(found: Sequence[_Document]) -> tuple[str, str] | None:
    """Return the templates of the documents' paths and of the folders of their images; None if none fits all."""
    for document, subsets in _document_paths([one.path for one in found]):
        choices = [
            {_with_slot(folder, subset) for folder in one.folders} for one, subset in zip(found, subsets, strict=True)
        ]
        common = sorted(set.intersection(*choices), key=lambda folder: (_SLOT not in folder, len(folder), folder))
        if len(common) > 1 and (_SLOT in common[0]) == (_SLOT in common[1]):
            return None  # the same names lie in several folders, and nothing tells which are meant
        for folder in common:
            if _is_one_dataset(document, folder, subsets) and (_SLOT in folder or _are_apart(found)):
                return document, folder
    return None


def _is_one_dataset(document: str, folder: str, subsets: Sequence[str]) -> bool:
    """Return whether documents and images are those of one dataset, not of several in folders of their own."""
    around = document.partition(f"{_SLOT}/")
    own = bool(around[1]) and folder.startswith("".join(around[:2]))
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
            yield from _spelled(parts[0], [*words], [place for place, part in enumerate(parts[0]) if part in words])
        yield paths[0], [""]
        return
    if len({len(one) for one in parts}) > 1:
        return
    unlike = [place for place, tokens in enumerate(zip(*parts, strict=True)) if len(set(tokens)) > 1]
    subsets = [one[unlike[0]] for one in parts]
    if all(one[place] == subset for one, subset in zip(parts, subsets, strict=True) for place in unlike):
        yield from _spelled(parts[0], subsets, unlike)


def _spelled(parts: Sequence[str], subsets: Sequence[str], places: Sequence[int]) -> Iterator[tuple[str, list[str]]]:
    """Yield the template of a path with its subset as it stands, and without the year behind it."""
    years = {re.sub(r"^\D*", "", subset) for subset in subsets}
    for year in ("", *(years - {""} if len(years) == 1 else ())):
        bare = [subset.removesuffix(year) for subset in subsets]
        if not all(bare) or len(set(bare)) < len(subsets):
            continue
        yield "".join(_SLOT + year if place in places else part for place, part in enumerate(parts)), bare


def _paths_of_items(form: Format, role: Role, tree: Tree) -> _Paths | None:
    """Return the paths of documents of one item each, and of the images of the same names."""
    pairs, firsts = _folder_pairs(form, role, tree)
    if not pairs:
        return None
    if len(pairs) == 1 and firsts and all(map(_SUBSET.fullmatch, firsts)):
        choices: Iterator[tuple[str, list[str]]] = iter([(_BESIDE.join(one + _SLOT + "/" for one in pairs[0]), [""])])
    else:
        choices = _document_paths([_BESIDE.join(pair) for pair in pairs])
    for both, subsets in choices:
        document, _, image = both.partition(_BESIDE)
        if (_SLOT in document) == (_SLOT in image) and _is_one_dataset(document, image, subsets):
            return _Paths(
                document + _below_folders(role.spec.path), image + _below_folders(form.roles[IMAGE].spec.path)
            )
    return None


def _folder_pairs(form: Format, role: Role, tree: Tree) -> tuple[list[tuple[str, str]], set[str]]:
    """Return in which folders documents lie whose images lie in which, and the folders directly below these.

    Below the two folders of a pair, a document and its image have the same path. Nothing is returned if the documents
    of one folder have images in several folders, or most of them none.
    """
    folders = defaultdict[str, list[str]](list)
    for path in _files(form, tree, {_extension(role)}):
        folders[path.rpartition("/")[0]].append(path)
    images = defaultdict[str, list[str]](list)
    for path in _files(form, tree, IMAGE_EXTENSIONS) if folders else ():
        images[_stem(path)].append(path)
    pairs, firsts = dict[tuple[str, str], None](), set[str]()
    for paths in list(folders.values())[:DOCUMENTS]:
        if not any(_fits(role, path, tree) for path in dict.fromkeys(paths[at] for at in (len(paths) // 2, 0, -1))):
            continue  # one of these may be broken, as the others are not
        some = paths[:: max(1, len(paths) // NAMES)]
        met = [pair for path in some for pair in _nearest(path, images[_stem(path)])]
        if len(set(met)) != 1 or 2 * len(met) < len(some) or not all(map(_is_plain, met[0])):
            return [], set()
        pairs[met[0]] = None
        firsts |= {path[len(met[0][0]) :].partition("/")[0] if "/" in path[len(met[0][0]) :] else "" for path in paths}
    return list(pairs), firsts


def _fits(role: Role, path: str, tree: Tree) -> bool:
    """Return whether a document is what its role describes."""
    assert role.codec is not None
    try:
        decoded = beginning(role, path, tree)
    except (FileError, ValueError, OSError):
        return False
    return not decoded.strays and not differs(role.codec.rule, role.scope, decoded.document)


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many of the first parts of two paths are equal."""
    return next(
        (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )


def _nearest(path: str, images: Sequence[str]) -> list[tuple[str, str]]:
    """Return the folders above a document and its image below which both have the same path; none if that is open."""
    own = path.split("/")[:-1]
    places = [image.split("/")[:-1] for image in images]
    alike = [(_alike(own[::-1], place[::-1]), _alike(own, place)) for place in places]
    most = max(alike, default=(0, 0))
    nearest = [place for place, much in zip(places, alike, strict=True) if much == most]
    if len(nearest) > 1:
        words = set(filter(_SUBSET.fullmatch, _TOKENS.findall("/".join(own))))
        common = [len(words.intersection(_TOKENS.findall("/".join(place)))) for place in nearest]
        nearest = [place for place, much in zip(nearest, common, strict=True) if much == max(common)]
    if len(nearest) != 1:
        return []
    below = most[0]
    document, image = ("".join(f"{part}/" for part in parts[: len(parts) - below]) for parts in (own, nearest[0]))
    return [(document, image)]


def _with_slot(folder: str, subset: str) -> str:
    """Return a folder with `{subset}` where it spells a subset, also before a year."""
    if not subset:
        return folder
    year = re.compile(re.escape(subset) + r"(\d*)")
    told = ((part, year.fullmatch(part)) for part in _TOKENS.findall(folder))
    return "".join(part if found is None else _SLOT + found[1] for part, found in told)
