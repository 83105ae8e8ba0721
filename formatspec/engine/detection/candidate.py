"""A candidate: one layout of a spec at one folder of a tree, and what speaks for and against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from formatspec.engine.dataset.choose_options import FILES, with_names
from formatspec.engine.detection.evidence.evidence_groups import Groups
from formatspec.engine.detection.evidence.opened_files import OpenedFiles
from formatspec.engine.detection.fit.bare_images import lists_one_subset_of_several, may_be_bare
from formatspec.engine.detection.fit.role_fit import (
    Claim,
    RoleFit,
    fit_of_documents,
    fit_of_label_images,
    folded_names,
    spells_names,
    spells_own_name,
    spells_path,
    spells_words,
    strangers,
)
from formatspec.engine.index.build_index import ALL, PathMatches, claims
from formatspec.engine.index.looked_up import image_keys
from formatspec.engine.resolve.questions.tables import NOT_OF_ITEMS
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.model.slots import TABLES
from formatspec.paths.templates.formats import IMAGE_EXTENSIONS

State = Literal["identified", "weakly", "bare", "contradicted", "nothing"]
ORDER: dict[State, int] = {"identified": 3, "weakly": 2, "bare": 1, "contradicted": 0, "nothing": 0}

WEAKLY = 2
"""How many files of distinctive names suffice together, if their content fits many formats."""


class Explained(msgspec.Struct, frozen=True):
    """How much of the evidence a layout explains.

    Attributes:
        explains, leaves: The first file of each group of evidence that its roles explain, and of each other group.
        left: How many files are unexplained.
        named: How many groups it explains by name, whether or not their documents fit.
    """

    explains: tuple[str, ...]
    leaves: tuple[str, ...]
    left: int
    named: int

    @property
    def explained(self) -> int:
        """How many groups are explained."""
        return len(self.explains)

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return len(self.explains) + len(self.leaves)


class Candidate(Explained, frozen=True, kw_only=True):
    """A layout of a spec at a root, and what was found there.

    Attributes:
        name: The name by which the spec is known.
        spec, ancestors: The spec's own name, and the names of the specs that it extends.
        prefix: The folder from which the evidence counts; "" for the tree's own root.
        depth: How many folders lie around that folder.
        fit: The mean fit of the documents that could be compared.
        missing: Required roles without a file.
        lacking: All roles without a file that a written dataset has.
        shows: Whether images of the tree belong to it, if there are any.
        unusual: Whether only images speak for it and their folders look more like another format's.
        root: The folder in which the layout begins.
        familiar: The share of the layout's folders that are there, although none of its files lies in them.
    """

    name: str
    spec: str
    ancestors: tuple[str, ...]
    prefix: str
    depth: int
    state: State
    fit: float
    missing: tuple[str, ...]
    lacking: int
    literal: float
    may_be_bare: bool
    contradiction: str = ""
    own: bool = False
    covers: bool = True
    shows: bool = True
    unusual: bool = False
    tells_items: bool = True
    root: str = ""
    familiar: float = 0.0

    @property
    def may_win(self) -> bool:
        """Whether the tree may have this format.

        The layout must explain half of the evidence; if a required file is missing, more than half.
        """
        if self.state in ("identified", "weakly"):
            half = 2 * self.explained - self.groups
            return self.covers and self.tells_items and (half > 0 or (half == 0 and not self.missing))
        return self.state == "bare" and self.may_be_bare and self.explained == self.groups

    @property
    def rank(self) -> tuple[float, ...]:
        """The sort key of candidates; the largest is the best."""
        return (
            ORDER[self.state],
            self.explained,
            round(self.fit, 1),
            -len(self.missing),
            self.shows,
            -self.unusual,
            -self.depth if self.state == "bare" else 0,
            -self.lacking if self.state == "bare" else 0,
            round(self.literal, 3),
            -self.depth,
            self.own,
        )

    @property
    def nearness(self) -> tuple[float, ...]:
        """The sort key for how near a tree is to a format; the largest is the nearest."""
        return (
            self.named + self.fit + self.familiar / 2 - (1 if self.state == "contradicted" else 0),
            ORDER[self.state],
            self.may_be_bare,
            -len(self.missing),
            self.literal,
            -self.lacking,
        )


def examined(
    name: str, form: Format, within: str, prefix: str, paths: Sequence[str], matches: PathMatches, groups: Groups,
    files: OpenedFiles, own: bool,
) -> Candidate:  # fmt: skip
    """Examine a layout at a root.

    Args:
        name: The name by which the spec is known.
        form: The layout.
        within: The folder that contains the dataset, from the tree's root on.
        prefix: The layout's own root below that folder.
        paths: A sample of the paths below `within`.
        matches: Those of them that lie below the layout's root.
        groups: The evidence among the paths.
        files: The opened files.
        own: Whether the spec is the user's own.
    """
    start = prefix + "/" if prefix else ""
    outer = within + "/" if within else ""
    by_role = claims(form, matches)

    def full(path: str) -> str:
        return outer + start + path

    def documents(role: Role) -> Iterator[Any]:
        return (files.document(role, full(path)).value for path, _ in by_role[role.name][:FILES])

    form = with_names(form, {}, documents)
    images = [claim for claim in by_role.get(IMAGE, ()) if outer + start + claim[0] not in groups.labels]
    listed = images if groups.images and len(paths) < ALL else None
    fits: dict[str, RoleFit] = {}
    for role in form.roles.values():
        claimed = by_role[role.name]
        if not claimed or role.kind is None:
            continue
        if role.kind == "pixels":
            fits[role.name] = fit_of_label_images(role, claimed, files, full, _image_finder(form, images))
        else:
            of_images = role.span == "item" and listed and not spells_path(role) and not image_keys(role)
            strange = strangers(claimed, form.key_names, listed) if of_images and listed else None
            fits[role.name] = strange or fit_of_documents(role, claimed, files, full, listed)
    judged = [fit.f for fit in fits.values() if fit.f is not None]
    mean = sum(judged) / len(judged) if judged else 0.0
    against = [form.roles[name] for name, fit in fits.items() if fit.contradicts]
    state = _state(form, fits, judged, against, bool(images))
    told = _explained(form, by_role, fits, groups, start, outer)
    missing = tuple(
        role.spec.path for role in form.roles.values()
        if not by_role[role.name] and not role.optional and not role.folder and not may_be_empty(role, form)
    )  # fmt: skip
    lacking = sum(1 for name, role in form.roles.items() if not by_role[name] and not role.kept and not role.folder)
    return Candidate(
        *msgspec.structs.astuple(told),
        name=name,
        spec=form.source.name,
        ancestors=form.source.ancestors,
        prefix=within,
        depth=within.count("/") + 1 if within else 0,
        state=state,
        fit=mean,
        missing=tuple(f"no file is {path}" for path in missing),
        lacking=lacking,
        literal=_literal(form, by_role),
        may_be_bare=bool(images) and may_be_bare(form, images, len(groups.images)),
        contradiction=_contradiction(fits, outer + start),
        own=own,
        covers=not groups.images or bool(by_role.get(IMAGE)) or IMAGE not in form.roles or form.roles[IMAGE].optional,
        root=(outer + start).rstrip("/"),
        unusual=state == "bare" and lists_one_subset_of_several(form, images),
        shows=not groups.images or bool(by_role.get(IMAGE)),
        tells_items=any(by_role[role.name] and tells_items(role, form) for role in form.roles.values()),
        familiar=0.0 if any(by_role.values()) else _familiar(form, matches.paths),
    )


def _familiar(form: Format, paths: Sequence[str]) -> float:
    """Return the share of the first folders of a layout that exist, where images alone do; 0 if only one does."""
    if any(path.rpartition(".")[2].lower() not in IMAGE_EXTENSIONS for path in paths):
        return 0.0
    firsts = (role.spec.path.partition("/") for role in form.roles.values())
    spelled = {first for first, slash, _ in firsts if slash and "{" not in first}
    there = spelled & {path.partition("/")[0] for path in paths}
    return len(there) / len(spelled) if len(there) > 1 else 0.0


def _image_finder(form: Format, images: Sequence[Claim]) -> Any:
    """Return a function that gives the image with a label image's captures, if there is one."""
    known = {folded_names(captures, form.key_names): path for path, captures in images}

    def image_of(captures: Mapping[str, Any]) -> str | None:
        return known.get(folded_names(captures, form.key_names))

    return image_of


def _state(
    form: Format, fits: Mapping[str, RoleFit], judged: Sequence[float], against: Sequence[Role], images: bool
) -> State:
    """Return what the files of a layout show together.

    A required role whose files are something else speaks against the format. Optional roles speak against it if more of
    them have other files than fitting ones.
    """
    if judged:
        wrong = any(not role.optional for role in against) or 2 * len(against) > len(judged)
        return "contradicted" if wrong else "identified"
    if any(fit.unread and spells_own_name(form.roles[name]) for name, fit in fits.items()):
        return "weakly"
    if sum(1 for name, fit in fits.items() if not fit.unread and spells_words(form.roles[name])) >= WEAKLY:
        return "weakly"
    return "bare" if images else "nothing"


def _explained(
    form: Format, by_role: Mapping[str, Sequence[Claim]], fits: Mapping[str, RoleFit], groups: Groups, start: str,
    outer: str,
) -> Explained:  # fmt: skip
    """Return which groups of evidence a layout explains: at least half of a group's files must fit its roles."""
    role_of = {start + path: form.roles[name] for name, found in by_role.items() if name != IMAGE for path, _ in found}
    named = left = 0
    explains: list[str] = []
    leaves: list[str] = []
    for group in groups.evidence:
        own = form.ignored.outside(group, start)
        roles = [role_of.get(path) for path in own]
        taken = [role for role in roles if role is not None]
        if 2 * len(taken) < len(own):
            left += len(own) - len(taken)
            leaves.append(outer + own[roles.index(None)])
        elif own:
            found = zip(own, roles, strict=True)
            fitting = sum(role is not None and _fits(fits, role, path[len(start) :]) for path, role in found)
            fits_well = 2 * fitting >= len(own)
            named += fits_well or any(map(spells_path, taken))
            left += 0 if fits_well else len(own)
            (explains if fits_well else leaves).append(outer + own[0])
    return Explained(tuple(explains), tuple(leaves), left, named)


def _fits(fits: Mapping[str, RoleFit], role: Role, path: str) -> bool:
    """Return whether a file is what its role describes, as far as known."""
    fit = fits.get(role.name)
    if fit is None:
        return True
    return not fit.contradicts and path not in fit.strange and (not fit.unread or spells_names(role))


def may_be_empty(role: Role, form: Format) -> bool:
    """Return whether the files of a required role may be missing: parts of objects, in a dataset without parts."""
    return role.span == "record" or (role.name == IMAGE and any("." in name for name in form.spec.items))


def tells_items(role: Role, form: Format) -> bool:
    """Return whether a role's files describe items, unlike a mere list of classes."""
    if role.span != "shared" or role.name in {name.partition(".")[0] for name in form.spec.items}:
        return True
    lists = role.lists if role.codec is not None else ()
    return any(TABLES[tables[0].each.table] not in NOT_OF_ITEMS for _, tables in lists)


def _literal(form: Format, by_role: Mapping[str, Sequence[Claim]]) -> float:
    """Return how many literal characters the templates of the claimed files have, on average."""
    count = sum(len(found) for found in by_role.values())
    spelled = 0
    for name, role in form.roles.items():
        spelled += role.template.literal_count * len(by_role[name]) - _unspelled(role, by_role[name])
    return spelled / max(count, 1)


def _unspelled(role: Role, claimed: Sequence[Claim]) -> int:
    """Count slashes that some paths lack although their template has them, because an optional folder is missing."""
    folders = [name for name, kind in role.scope.captures.items() if kind == "path?"]
    return sum(captures.get(name) == "" for name in folders for _, captures in claimed)


def _contradiction(fits: Mapping[str, RoleFit], start: str) -> str:
    """Return the first document that is not what its role describes, and why."""
    for fit in fits.values():
        if fit.path and (fit.contradicts or fit.unread):
            return f"{start}{fit.path}: {fit.reason}"
    return next((f"{start}{fit.path}: {fit.reason}" for fit in fits.values() if fit.path), "")
