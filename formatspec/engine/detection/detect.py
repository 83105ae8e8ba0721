"""Detects which spec describes a tree."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from formatspec.engine.dataset.choose_layout import roots
from formatspec.engine.dataset.layout_by_content import laid_out_by_content, told_layout
from formatspec.engine.detection.candidate import Candidate, examined
from formatspec.engine.detection.candidate_roots import below, wrapping_folders
from formatspec.engine.detection.evidence.evidence_groups import IMAGES, Groups, extension_of, grouped
from formatspec.engine.detection.evidence.ignorable import is_ignorable
from formatspec.engine.detection.evidence.opened_files import OpenedFiles
from formatspec.engine.detection.fit.common_words import SUBSETS
from formatspec.engine.detection.ranking import RankedFormats, Standing, ranked, second_datasets, side_by_side
from formatspec.engine.detection.surroundings import Part, part_of
from formatspec.engine.index.build_index import PathMatches, sampled
from formatspec.engine.spec.compiled import compile_format
from formatspec.engine.spec.path_options import open_options
from formatspec.language.errors import SpecError
from formatspec.language.load import Source
from formatspec.paths.trees.folder_tree import FolderTree
from formatspec.paths.trees.tree import Tree

ARCHIVES = frozenset({"zip", "tar", "tgz", "gz", "bz2", "xz", "7z", "rar"})
FOLDERS = 24
"""How many folders of a tree that is no dataset are searched for one."""


class Detection(msgspec.Struct, frozen=True):
    """The format of a tree, and where in the tree the dataset begins.

    Attributes:
        sources: The specs that were tried.
        within: The folder in which the dataset begins; "" for the root.
        elsewhere: If no format fits, folders that contain a dataset, each with its format.
        beside: Formats that describe files which the winner does not explain, each with the first of them.
        holds: What the tree contains, if nothing in it could identify a format.
        roots: The folders in which datasets of the winner's format lie side by side.
        empty: Whether the tree contains nothing that could belong to a dataset.
        part: Of which dataset the tree is a part, if only images speak for a format and other files lie around.
        laid_out: Where the files are, if no layout of the format states it and their content tells it.
    """

    outcome: RankedFormats
    sources: Mapping[str, Source]
    within: str = ""
    elsewhere: tuple[tuple[str, str], ...] = ()
    beside: tuple[tuple[str, str], ...] = ()
    holds: str = ""
    roots: tuple[str, ...] = ()
    empty: bool = False
    part: Part | None = None
    laid_out: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The formats that the tree may have: one if the format is clear, none if it is unknown."""
        return () if self.part is not None else tuple(one.name for one in self.outcome.winners)

    @property
    def name(self) -> str | None:
        """The format, if it is clear and there is one dataset."""
        return self.names[0] if len(self.names) == 1 and not self.roots else None

    @property
    def winner(self) -> Source:
        """The spec of the detected format."""
        return self.sources[self.names[0]]

    @property
    def notes(self) -> list[str]:
        """What a user should know about a detected format."""
        return (
            [told_layout(self.names[0], self.laid_out), *self.notes_of_place] if self.laid_out else self.notes_of_place
        )

    @property
    def notes_of_place(self) -> list[str]:
        """What a user should know about where a dataset begins, and what lies beside it."""
        found = [f"found in {self.within}"] if self.within else []
        return found + [f"{file} is of another format: {name}; it is left out" for name, file in self.beside]

    @property
    def others(self) -> tuple[Standing, ...]:
        """The formats that the tree does not have, the nearest first, each with a reason."""
        return self.outcome.others


def detect(
    sources: Mapping[str, Source],
    tree: Tree,
    own: frozenset[str] = frozenset(),
    bare: bool = True,
    unusable: Mapping[str, str] | None = None,
) -> Detection:
    """Detect which of some specs describes a tree. The specs' names and order do not matter.

    Args:
        sources: The specs by name.
        tree: The tree.
        own: The names of specs that win against others of equal rank.
        bare: Whether images and folders alone may identify a format.
        unusable: Specs that cannot be tried, and why.
    """
    files = OpenedFiles(tree)
    paths = sampled(tree.paths())
    found = _candidates(sources, tree, files, paths, own)
    tried = {name: one for name, one in found.items() if isinstance(one, list)}
    wrong = {**(unusable or {}), **{name: one for name, one in found.items() if isinstance(one, str)}}
    outcome = ranked(tried, wrong, not bare)
    if outcome.winners:
        within = outcome.winners[0].prefix
        part = None
        if isinstance(tree, FolderTree) and all(one.state == "bare" for one in outcome.winners):
            part = part_of(sources, tree, tree.folder)
        beside = tuple(second_datasets(outcome, tried))
        return Detection(outcome, sources, within, beside=beside, roots=side_by_side(outcome, tried), part=part)
    elsewhere, empty = tuple(_elsewhere(sources, tree, own)), all(map(_is_no_file_of_a_dataset, paths))
    if all(_is_subset(folder) for folder, _ in elsewhere):
        by_content = _by_content(sources, tree, files, paths, own)
        if by_content is not None:
            return by_content
    return Detection(outcome, sources, elsewhere=elsewhere, holds=_held(paths), empty=empty)


def wrapped_in(source: Source, tree: Tree) -> str:
    """Return the single folder around a dataset of a known format; "" if it begins at the root."""
    if len(wrapping_folders(sampled(tree.paths()))) == 1:
        return ""
    return detect({source.name: source}, tree).within


def _candidates(
    sources: Mapping[str, Source], tree: Tree, files: OpenedFiles, paths: Sequence[str], own: frozenset[str]
) -> dict[str, list[Candidate] | str]:
    """Return every spec's candidates by name, or the reason why a spec cannot be used."""
    found: dict[str, list[Candidate] | str] = {name: [] for name in sources}
    for within in wrapping_folders(paths):
        part = tree.under(within) if within else tree
        inside = list(below(within, paths))
        groups = _from_root(grouped(inside, files.below(within)), within)
        matches: dict[str, PathMatches] = {}
        for name, source in sources.items():
            known = found[name]
            if isinstance(known, str):
                continue
            try:
                known += _of_source(name, source, within, part, inside, matches, groups, files, name in own)
            except SpecError as error:
                found[name] = f"its spec cannot be used: {error.problems[0]}"
    return found


def _from_root(groups: Groups, within: str) -> Groups:
    start = within + "/" if within else ""
    return Groups(groups.evidence, frozenset(start + path for path in groups.labels), groups.images)


def _of_source(
    name: str, source: Source, within: str, part: Tree, paths: Sequence[str], matches: dict[str, PathMatches],
    groups: Groups, files: OpenedFiles, own: bool,
) -> Iterator[Candidate]:  # fmt: skip
    """Return the candidates of a spec: each layout at each of its roots.

    `matches` caches the paths below each root.
    """
    for layout in source.layouts:
        form = compile_format(source, layout, open_options(layout.spec, {}))
        for prefix in dict.fromkeys(roots(form, part)):
            if prefix not in matches:
                matches[prefix] = PathMatches(below(prefix, paths))
            yield examined(name, form, within, prefix, paths, matches[prefix], groups, files, own)


def _by_content(
    sources: Mapping[str, Source], tree: Tree, files: OpenedFiles, paths: Sequence[str], own: frozenset[str]
) -> Detection | None:
    """Return the outcome for layouts whose paths follow from what documents say; None if none fits."""
    laid_out: dict[str, Source] = {}
    for name, source in sources.items():
        with contextlib.suppress(SpecError):
            if (layout := laid_out_by_content(source, tree)) is not None:
                laid_out[name] = msgspec.structs.replace(source, layouts=(layout,))
    groups, matches = grouped(paths, files.below("")), dict[str, PathMatches]()
    tried = {
        name: list(_of_source(name, source, "", tree, paths, matches, groups, files, name in own))
        for name, source in laid_out.items()
    }
    outcome = ranked(tried, {}, True)
    if len(outcome.winners) != 1:
        return None
    name = outcome.winners[0].name
    return Detection(outcome, {**sources, **laid_out}, laid_out=laid_out[name].layouts[0].variant)


def _elsewhere(sources: Mapping[str, Source], tree: Tree, own: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield folders of a tree that contain a dataset of their own, for a tree that contains other things too."""
    folders = [folder for folder in tree.folders() if folder.count("/") == 0 and not is_ignorable(folder + "/x")]
    pictured = any(extension_of(path) in IMAGES for path in sampled(tree.paths()))
    for folder in folders[:FOLDERS]:
        part = tree.under(folder)
        paths = sampled(part.paths())
        if not any(extension_of(path) not in IMAGES and not is_ignorable(path) for path in paths):
            continue
        if pictured and not any(extension_of(path) in IMAGES for path in paths):
            continue  # only documents, whose images lie elsewhere
        found = _candidates(sources, part, OpenedFiles(part), paths, own)
        outcome = ranked({name: one for name, one in found.items() if isinstance(one, list)}, {}, True)
        if len(outcome.winners) == 1:
            inner = outcome.winners[0].prefix
            yield f"{folder}/{inner}" if inner else folder, outcome.winners[0].name


def _is_subset(folder: str) -> bool:
    return folder.lower().rstrip("0123456789") in SUBSETS


def _is_no_file_of_a_dataset(path: str) -> bool:
    return is_ignorable(path) or extension_of(path) in ARCHIVES


def _held(paths: Sequence[str]) -> str:
    """Return what a tree contains if that explains why no format is known; an empty text otherwise."""
    told = [path for path in paths if not is_ignorable(path)]
    if not told:
        return "it holds no file"
    if all(extension_of(path) in ARCHIVES for path in told):
        return f"it holds archives alone, such as {told[0]}"
    if all(extension_of(path) in IMAGES for path in told):
        return "it holds images, and nothing that describes them"
    return ""
