"""Drafts a whole spec, for one way to read the paths of images."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence

import msgspec

from formatspec.infer.classes import Listing, listings
from formatspec.infer.evidence import Evidence, Found, Picture
from formatspec.infer.geometry import Seen
from formatspec.infer.masks import mask_rule, painted
from formatspec.infer.names import Layout, joined_template, shared_templates
from formatspec.infer.nodes import Entry, Mapping, Node, Verbatim
from formatspec.infer.rules.builder import Builder
from formatspec.infer.tables import frames_rule, lines_rule, list_rule, sniffed, table_rule

MANY = 24
"""For how many templates of documents roles are drafted; the most common come first."""
LISTINGS = 4
"""How many lists of classes are tried with each role."""


class Role(msgspec.Struct, frozen=True):
    """A drafted role: its name, its entries, its files, and what it says about images.

    `tells` is `rows`, `list`, `classes`, `areas` or `objects`.
    """

    name: str
    entries: tuple[Entry, ...]
    files: tuple[str, ...]
    tells: str
    embedded: bool = False


class Draft(msgspec.Struct, frozen=True):
    """A drafted spec: the template of its images, and its entries."""

    layout: str
    entries: tuple[Entry, ...]


class _Group(msgspec.Struct, frozen=True):
    template: str
    kind: str
    documents: tuple[Found, ...]
    pictures: tuple[Picture | None, ...]
    captures: tuple[AnyMapping[str, str], ...]

    @property
    def owned(self) -> bool:
        return all(one is not None for one in self.pictures)


def draft(evidence: Evidence, layout: Layout, name: str) -> Draft:
    """Draft a spec with a role for each group of documents and label images whose meaning is found."""
    groups, shared = _grouped(evidence, layout)
    found = listings([one for group in shared for one in group.documents])
    roles: list[Role] = []
    listing: Listing | None = None
    for group in sorted([*groups, *shared], key=lambda one: -len(one.documents))[:MANY]:
        roles += _role_of(layout, group, found)
    inner = any(role.tells == "rows and classes" for role in roles)
    listing = None if inner else _chosen(found, roles)
    roles += _mask_roles(evidence, layout, listing)
    used = {path for role in roles for path in role.files}
    if listing is not None and listing.path not in used:
        roles.append(_class_role(listing))
    return _assembled(layout, name, roles, listing)


def _grouped(evidence: Evidence, layout: Layout) -> tuple[list[_Group], list[_Group]]:
    """Group documents of one image each, and documents that images share, by template and kind."""
    owned: dict[tuple[str, str], list[tuple[Found, Picture]]] = defaultdict(list)
    left: list[Found] = []
    for one in evidence.documents:
        hit = joined_template(layout, one.path)
        if hit is None:
            left.append(one)
        else:
            owned[hit[0], one.kind].append((one, hit[1]))
    groups = []
    left = _orphans(owned, left)
    for (template, kind), members in owned.items():
        documents = tuple(one for one, _ in members)
        captures = tuple(layout.captures.get(picture.path, {}) for _, picture in members)
        groups.append(_Group(template, kind, documents, tuple(picture for _, picture in members), captures))
    templates = shared_templates(layout, [one.path for one in left])
    many: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for one in left:
        many[templates[one.path][0], one.kind].append(one)
    shared = []
    for (template, kind), told in many.items():
        known = tuple(templates[one.path][1] for one in told)
        shared.append(_Group(template, kind, tuple(told), tuple(None for _ in told), known))
    return groups, shared


def _orphans(owned: AnyMapping[tuple[str, str], list[tuple[Found, Picture]]], left: Sequence[Found]) -> list[Found]:
    """Assign documents of missing images to the group with the same form of path; return the remaining documents."""
    forms = {
        key: re.compile(re.sub(r"\\{[^}]*\\}", ".+", re.escape(key[0])))
        for key, members in owned.items()
        if len(members) >= 2 and isinstance(members[0][0].value, dict)
    }
    rest = []
    for one in left:
        for key, form in forms.items():
            alike = isinstance(one.value, dict) and one.kind == key[1] and form.fullmatch(one.path)
            if alike and set(one.value) == set(owned[key][0][0].value):
                owned[key].append((one, Picture(one.path, 0, 0)))
                break
        else:
            rest.append(one)
    return rest


def _role_of(layout: Layout, group: _Group, found: Sequence[Listing]) -> list[Role]:
    """Draft the role of a group of documents about images, with the list of classes that explains most of it."""
    tried: list[tuple[int, Role]] = []
    own = {one.path for one in group.documents}
    others = [one for one in found if one.path not in own][:LISTINGS]
    for one in (*others, None):
        listed = one.classes if one is not None else ()
        textual = group.kind not in ("json", "jsonl", "yaml")
        builder = Builder(layout, listed, textual, one is not None and one.numbered)
        built = _built(builder, group)
        if built is None:
            continue
        node, words = built
        told = builder.tally
        weight = told.boxes + told.shapes + told.labels + told.items
        if not weight:
            continue
        known = {name for _, name in listed}
        named = told.slot == "name" and bool(known) and told.names <= known
        numbered = told.slot in ("id", "index") and bool(listed)
        rank = 2 * numbered + named + (told.slot == "name")
        tells = "rows and classes" if told.lists else "rows" if told.boxes + told.shapes + told.labels else "list"
        entries = (Entry("path", group.template), *_need(layout, group), *words, Entry(_kind(group, words), node))
        role = Role(_name(group.template), entries, tuple(one.path for one in group.documents), tells, told.embedded)
        tried.append((rank, role))
        if tells == "list":
            break
    return [max(tried, key=lambda one: one[0])[1]] if tried else []


def _kind(group: _Group, words: Sequence[Entry]) -> str:
    if group.kind != "lines":
        return group.kind
    return "csv" if any(entry.key == "as table" for entry in words) else "lines"


def _built(builder: Builder, group: _Group) -> tuple[Node, tuple[Entry, ...]] | None:
    if group.kind == "lines":
        return _built_of_lines(builder, group)
    if group.kind == "ini":
        return (
            (builder.settings([one.value for one in group.documents], group.captures), ()) if not group.owned else None
        )
    values = [Seen(one.value, picture) for one, picture in zip(group.documents, group.pictures, strict=True)]
    node = builder.document(values, group.captures)
    return None if node is None else (node, ())


def _built_of_lines(builder: Builder, group: _Group) -> tuple[Node, tuple[Entry, ...]] | None:
    texts = [one.value for one in group.documents]
    if group.owned:
        node = lines_rule(builder, list(zip(texts, group.pictures, strict=True)))
        return None if node is None else (node, ())
    frames = frames_rule(builder, list(zip(texts, group.captures, strict=True)))
    if frames is not None:
        return frames, ()
    listed = list_rule(
        builder, [line for lines in texts for line in lines], group.captures[0] if len(texts) == 1 else {}
    )
    if listed is not None:
        return listed, ()
    tables = [(sniffed(lines), captures) for lines, captures in zip(texts, group.captures, strict=True)]
    whole = [(table, captures) for table, captures in tables if table is not None]
    if not whole or len(whole) < len(tables):
        return None
    built = table_rule(builder, whole)
    return None if built is None else (built[0], (*built[1], Entry("as table", "")))


def _need(layout: Layout, group: _Group) -> tuple[Entry, ...]:
    """Return the entry that says whether an image, or the dataset, may lack this file."""
    if group.owned:
        missing = len(layout.pictures) - len(group.documents)
        return (Entry("need", "optional", f"{missing} images have none"),) if missing > 0 else ()
    return (Entry("need", "optional"),) if "{" in group.template else ()


def _name(template: str) -> str:
    """Return a name for a role from the words of its template."""
    plain = re.sub(r"\{[^}]*\}", " ", template.rpartition(".")[0] or template)
    words = [word.lower() for word in re.findall(r"[A-Za-z]+", plain)]
    return "_".join(words[-2:]) or "record"


def _chosen(found: Sequence[Listing], roles: Sequence[Role]) -> Listing | None:
    """Return the file that lists the classes, if no role was drafted for it already."""
    used = {path for role in roles for path in role.files}
    return next((one for one in found if one.path not in used), None)


def _class_role(listing: Listing) -> Role:
    entries = (Entry("path", listing.path), *listing.style, Entry(listing.kind, listing.node))
    return Role("classes", entries, (listing.path,), "classes")


def _mask_roles(evidence: Evidence, layout: Layout, listing: Listing | None) -> list[Role]:
    by_template: dict[str, list[str]] = defaultdict(list)
    for path in evidence.labels:
        hit = joined_template(layout, path)
        if hit is not None:
            by_template[hit[0]].append(path)
    roles = []
    for template, paths in by_template.items():
        told = painted(evidence, paths)
        if told is None:
            continue
        words, kind = mask_rule(told, listing, layout.labelled, template)
        missing = len(layout.pictures) - len(paths)
        need = (Entry("need", "optional", f"{missing} images have none"),) if missing > 0 else ()
        roles.append(Role(_name(template), (Entry("path", template), *need, *words), tuple(paths), kind))
    return roles


def _assembled(layout: Layout, name: str, roles: Sequence[Role], listing: Listing | None) -> Draft:
    embedded = any(role.embedded for role in roles)
    image = Mapping((Entry("path", layout.template), Entry("need", "optional"))) if embedded else layout.template
    files = [Entry("image", image, f"{len(layout.pictures)} images")]
    seen: dict[str, int] = {"image": 1}
    chosen = ""
    for role in roles:
        count = seen[role.name] = seen.get(role.name, 0) + 1
        own = role.name if count == 1 else f"{role.name}_{count}"
        entries = tuple(entry for entry in role.entries if entry.key != "as table")
        several = f"{len(role.files)} files" if len(role.files) > 1 else ""
        files.append(Entry(own, Mapping(entries), several))
        if listing is not None and listing.path in role.files:
            chosen = own
    head = [Entry("formatspec", Verbatim("1")), Entry("name", name)]
    if listing is not None and chosen:
        head.append(Entry("categories", Verbatim(f"[{chosen}]"), f"{len(listing.classes)} classes"))
    return Draft(layout.template, (*head, Entry("files", Mapping(tuple(files)))))
