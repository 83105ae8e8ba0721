"""Templates for file names: of the images in a folder, and of the documents and label images that belong to them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from formatspec.infer.evidence import Picture

SUBSETS = re.compile(r"(?i)(?:train(?:ing)?|val(?:id|idation)?|dev|test(?:ing)?)(?:[-_]?\d{0,4})?")
"""Names of folders and files that state a part of a dataset."""
MOST_SUBSETS = 12
_END = re.compile(r"[_.-][A-Za-z]\w*$")
_CLASSES = re.compile(r"(?i)class|categor|names|palette|legend")
_MARK = re.compile(r"[_.\-]+")


class Part(NamedTuple):
    """A folder or the name in an image's path: its text if always the same, or its placeholder's name."""

    text: str = ""
    name: str = ""


class Layout:
    """One way to read the paths of images: a template, and the values of its placeholders for each path.

    Attributes:
        template: The template of the role `image`.
        captures: For each path the values of its placeholders, without the extension.
        pictures: The images.
    """

    def __init__(
        self, folders: Sequence[Part], end: str, digits: int, pictures: Sequence[Picture], floating: str = ""
    ) -> None:
        """Build the template of the paths of images, and capture the values for each path.

        Args:
            folders: The parts of the path before the name: text, or a placeholder.
            end: The text between the name and the extension's dot.
            digits: How many digits the name has if it is a number padded with zeros, otherwise 0.
            pictures: The images.
            floating: The name of a placeholder for folders of any depth at the beginning, or "".
        """
        self._folders = (Part(name=floating), *folders) if floating else tuple(folders)
        self._end = end
        self.digits = digits
        self.floating = floating
        self.pictures = tuple(pictures)
        start = "".join(f"{part.text or '{' + part.name + '}'}/" for part in self._folders)
        start = start.replace(f"{{{floating}}}", f"{{{floating}:path?}}", 1) if floating else start
        self.name = "frame" if digits else "name"
        form = f":0{digits}d" if digits else ":path" if self._is_deep() else ""
        self.template = f"{start}{{{self.name}{form}}}{end}.{{ext:image}}"
        self.captures = {one.path: self._captured(one.path) for one in pictures}

    def _is_deep(self) -> bool:
        return not self.floating and any(one.path.count("/") > len(self._folders) for one in self.pictures)

    def _captured(self, path: str) -> dict[str, str]:
        segments = path.split("/")
        if self.floating:  # the first placeholder takes all remaining segments
            fixed = len(self._folders)
            segments = ["/".join(segments[: len(segments) - fixed]), *segments[len(segments) - fixed :]]
        found = {part.name: text for part, text in zip(self._folders, segments, strict=False) if part.name}
        stem, _, extension = "/".join(segments[len(self._folders) :]).rpartition(".")
        return {**found, self.name: stem.removesuffix(self._end) if self._end else stem, "ext": extension}

    @property
    def labelled(self) -> bool:
        """Whether a folder is the class of its images."""
        return any(part.name == "label.category.name" for part in self._folders)

    @property
    def shared_names(self) -> tuple[str, ...]:
        """The placeholders whose values many images share."""
        return tuple(part.name for part in self._folders if part.name)

    @cached_property
    def by_base(self) -> Mapping[str, Sequence[Picture]]:
        """The images by the last segment of their names."""
        found: dict[str, list[Picture]] = defaultdict(list)
        for one in self.pictures:
            found[self.captures[one.path][self.name].rpartition("/")[2]].append(one)
        return found

    @cached_property
    def references(self) -> Mapping[str, Sequence[tuple[str, Picture]]]:
        """Every text that could name an image, each with the template that gives it."""
        found: dict[str, list[tuple[str, Picture]]] = defaultdict(list)
        for one in self.pictures:
            captured = self.captures[one.path]
            name = f"{{{self.name}}}" if not self.digits else f"{{{self.name}:0{self.digits}d}}"
            tails = [(f"{name}{self._end}", captured[self.name] + self._end)]
            for part in reversed(self._folders):
                template, text = tails[-1]
                shown = part.text or f"{{{part.name}}}"
                tails.append((f"{shown}/{template}", f"{part.text or captured[part.name]}/{text}"))
            for template, text in tails:
                found[f"{text}.{captured['ext']}"].append((f"{template}.{{ext}}", one))
                found[text].append((template, one))
            if self._end:
                found[captured[self.name]].append((name, one))
            if self.digits:
                found[str(int(captured[self.name]))].append((f"{{{self.name}:d}}", one))
        return found

    def named_by(self, text: str, known: Mapping[str, str]) -> tuple[str, Picture] | None:
        """Return the image that a text names, with the template; of several, the one that agrees with `known`."""
        prefix, rest = "", text
        for _ in range(8):
            hits = self.references.get(rest)
            if hits:
                agreeing = [
                    (template, one)
                    for template, one in hits
                    if all(self.captures[one.path].get(name, value) == value for name, value in known.items())
                ]
                if agreeing:
                    return prefix + agreeing[0][0], agreeing[0][1]
            cut = re.match(r"[^/:\\]*[/:\\]+", rest)
            if cut is None:
                return None
            prefix, rest = prefix + cut[0], rest[cut.end() :]
        return None


def layouts(pictures: Sequence[Picture]) -> list[Layout]:
    """Return ways to read the paths of images, those with most placeholders first."""
    if not pictures:
        return []
    segments = [one.path.split("/") for one in pictures]
    depth = min(len(one) for one in segments) - 1
    values = [{one[place] for one in segments} for place in range(depth)]
    stems = [one[-1].rpartition(".")[0] for one in segments]
    ends = [_shared_end(stems)] if _shared_end(stems) else []
    widths = {len(stem) for stem in stems}
    digits = widths.pop() if len(widths) == 1 and all(stem.isdigit() and stem.isascii() for stem in stems) else 0
    found: list[Layout] = []
    for parts in _foldings(values):
        found += [Layout(parts, end, 0, pictures) for end in (*ends, "")]
        if digits and len(parts) == max(len(one) for one in segments) - 1:
            found.append(Layout(parts, "", digits, pictures))
    parents = {one[-2] if len(one) > 1 else "" for one in segments}
    if len(parents) == 1 and "" not in parents and any(len(one) > 2 for one in segments):
        fixed = (Part(text=parents.pop()),)
        found.append(Layout(fixed, ends[0] if ends else "", 0, pictures, "folder"))
        if digits:
            found.append(Layout(fixed, "", digits, pictures, "sequence"))
    seen: dict[str, Layout] = {}
    for layout in found:
        seen.setdefault(layout.template, layout)
    return list(seen.values())


def _foldings(values: Sequence[set[str]]) -> Iterable[tuple[Part, ...]]:
    """Yield what the folders that all paths have may be: constants, subsets, classes, sequences, parts of the name."""
    const = [len(one) == 1 for one in values]
    subset = [not fixed and _are_subsets(one) for fixed, one in zip(const, values, strict=True)]

    def parts(upto: int, named: Mapping[int, str]) -> tuple[Part, ...]:
        return tuple(Part(text=next(iter(values[i]))) if const[i] else Part(name=named[i]) for i in range(upto))

    kinds: dict[int, str] = {}
    for place in range(len(values)):
        if not const[place]:
            free = sum(name.startswith("folder") for name in kinds.values())
            kinds[place] = "subset" if subset[place] and "subset" not in kinds.values() else f"folder{free or ''}"
    last = max((i + 1 for i in range(len(values)) if const[i] or kinds.get(i) == "subset"), default=0)
    yield parts(last, kinds)
    lead = next((i for i in range(len(values)) if not const[i]), len(values))
    yield parts(lead, kinds)
    varied = [i for i in range(len(values)) if not const[i] and kinds[i] != "subset"]
    if varied:
        deepest = varied[-1]
        yield parts(len(values), {**kinds, deepest: "sequence"})
        for place in dict.fromkeys((varied[0], deepest)):
            yield parts(place + 1, {**kinds, place: "label.category.name"})


def _are_subsets(names: set[str]) -> bool:
    return len(names) <= MOST_SUBSETS and any(SUBSETS.fullmatch(name) for name in names)


def _shared_end(stems: Sequence[str]) -> str:
    """Return the shared end of all names from a separator on, such as `_left`."""
    if len(set(stems)) < 2:
        return ""
    match = _END.search(stems[0])
    end = match[0] if match else ""
    return end if end and all(stem.endswith(end) and stem != end for stem in stems) else ""


def joined_template(layout: Layout, path: str) -> tuple[str, Picture] | None:
    """Return the template of a file that belongs to one image, and that image; None if it is named after none."""
    folder, _, name = path.rpartition("/")
    for base, before, behind in _bases(name):
        hits = [
            found
            for one in layout.by_base.get(base, ())
            if (found := _templated(layout, one, folder, before, behind)) is not None
        ]
        if hits:
            return max(hits, key=lambda hit: (len(layout.captures[hit[1].path][layout.name]), hit[0].count("{")))
    return None


def _bases(name: str) -> Iterable[tuple[str, str, str]]:
    """Yield parts of a file's name that may name an image, with the text before and after; the longest first."""
    marks = [0, *(mark.end() for mark in _MARK.finditer(name))]
    ends = [mark.start() for mark in _MARK.finditer(name)]
    found = [(name[a:b], name[:a], name[b:]) for a in marks for b in ends if a < b]
    return sorted(found, key=lambda one: -len(one[0]))


def _templated(layout: Layout, one: Picture, folder: str, before: str, behind: str) -> tuple[str, Picture] | None:
    captured = layout.captures[one.path]
    inner = captured[layout.name].rpartition("/")[0]
    segments = folder.split("/") if folder else []
    if inner:
        own = inner.split("/")
        if segments[len(segments) - len(own) :] != own:
            return None
        segments = segments[: len(segments) - len(own)]
    shown, left = [], {name: value for name, value in captured.items() if name not in (layout.name, "ext")}
    if layout.floating:
        own = [part for part in left.pop(layout.floating).split("/") if part]
        if segments[: len(own)] != own:
            return None
        segments = segments[len(own) :]
        shown.append(f"{{{layout.floating}}}")
    for segment in segments:
        name = next((name for name, value in left.items() if value == segment), None)
        shown.append(f"{{{name}}}" if name else segment)
        if name:
            del left[name]
    for name, value in list(left.items()):  # a file's name may begin with its folder's, such as a city
        if value and before.startswith(value):
            before = f"{{{name}}}{before[len(value) :]}"
            del left[name]
    if "{" in folder or any(name in left for name in ("sequence", "label.category.name")):
        return None
    extension = f".{captured['ext']}"
    if behind.startswith(extension + "."):
        behind = f".{{ext}}{behind[len(extension) :]}"
    return "/".join([*shown, f"{before}{{{layout.name}}}{behind}"]), one


def shared_templates(layout: Layout, paths: Sequence[str]) -> dict[str, tuple[str, dict[str, str]]]:
    """Return the template of each file that many images share, and the values of its placeholders."""
    found: dict[str, tuple[str, dict[str, str]]] = {}
    known = {name: {layout.captures[one.path][name] for one in layout.pictures} for name in layout.shared_names}
    left = []
    for path in paths:
        told = _with_captures(known, path)
        if told is None:
            left.append(path)
        else:
            found[path] = told
    return {**found, **_alike(left, "subset" not in layout.shared_names)}


def _with_captures(known: Mapping[str, set[str]], path: str) -> tuple[str, dict[str, str]] | None:
    *folders, name = path.split("/")
    shown, values = [], {}
    for one, texts in known.items():  # a folder of any depth
        whole = max((text for text in texts if "/" in text and f"{path}/".startswith(f"{text}/")), key=len, default="")
        if whole and one not in values:
            shown, values[one] = [f"{{{one}}}"], whole
            folders = folders[whole.count("/") + 1 :]
        elif "" in texts and not (folders and folders[0] in texts):
            shown, values[one] = [f"{{{one}}}"], ""
    for segment in folders:
        hit = next((one for one, texts in known.items() if segment in texts and one not in values), None)
        shown.append(f"{{{hit}}}" if hit else segment)
        if hit:
            values[hit] = segment
    for one, texts in known.items():
        if one in values:
            continue
        for text in sorted(texts, key=len, reverse=True):
            match = re.search(rf"(?:^|(?<=[_.\-])){re.escape(text)}(?=[_.\-]|$)", name)
            if match:
                name = f"{name[: match.start()]}{{{one}}}{name[match.end() :]}"
                values[one] = text
                break
    return ("/".join([*shown, name]), values) if values else None


def _alike(paths: Sequence[str], may_name: bool) -> dict[str, tuple[str, dict[str, str]]]:
    """Group files of one folder if a part of their names states the subset; leave other files alone."""
    found = {path: (path, dict[str, str]()) for path in paths}
    if not may_name:
        return found
    forms: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in paths:
        for base, before, behind in _bases(path.rpartition("/")[2]):
            if _CLASSES.search(base):
                continue
            folder = path[: len(path) - len(path.rpartition("/")[2])]
            forms[f"{folder}{before}{{subset}}{behind}"].append((path, base))
    for form, members in sorted(forms.items(), key=lambda one: (-len(one[1]), -len(one[0]))):
        texts = {text for _, text in members}
        subsets = sum(SUBSETS.fullmatch(text) is not None for text in texts)
        if len(members) >= 2 and len(texts) == len(members) <= MOST_SUBSETS and 2 * subsets >= len(texts):
            for path, text in members:
                if found[path][0] == path:
                    found[path] = (form, {"subset": text})
    return found
