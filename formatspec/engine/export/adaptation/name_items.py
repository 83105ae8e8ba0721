"""Names items in a target. How each capture gets its value is decided once, and then applied to every item."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import islice, zip_longest
from typing import Any

import msgspec

from formatspec.engine.base.scratch_records import Marks, mark
from formatspec.engine.export.adaptation.made_names import MadeNames
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.engine.spec.names_join import extension_told, untold_folders
from formatspec.engine.spec.path_templates import item_name_template
from formatspec.model.amounts import amounts
from formatspec.model.records import Category, Image, Item
from formatspec.model.slots import find_slot
from formatspec.paths.templates.template import Template

DEFAULT_SUBSET = "default"
_YEAR = re.compile(r"(?<=[a-z])[-_]?(?:19|20)[0-9]{2}$", re.IGNORECASE)
"""The year at the end of the name of a subset, as in `train2017`."""
MOMENTS = ("sequence", "frame")
"""Slots of an item that may stand in its name."""

Capture = Callable[[Item, int, str], Any]
"""Takes an item, its number, and its name below its subset; gives the value of one of the target's captures."""


class NoPlaceError(ValueError):
    """The target has no place for something that every item needs. The message says what to do."""


def frames_later(source: Format, target: Format) -> int:
    """Return by how much a target's numbers of frames are greater, where both formats say from where they count."""
    first, other = (form.spec.counts_from.get("frame") for form in (source, target))
    return 0 if first is None or other is None else other - first


def spoken(category: Category) -> str:
    """Return a category's name; if it has none, its number, or its colour as `#rrggbb`."""
    if category.name:
        return category.name
    if category.id is not None:
        return str(category.id)
    if category.color is not None:
        return "#" + "".join(f"{part:02x}" for part in category.color)
    return "" if category.index is None else str(category.index)


class Naming:
    """Gives items their names in a target.

    Attributes:
        keys: The key names of all items of the source. They show whether the last part of a name is unique; None where
            this does not matter.
        renamed: New names of subsets by old ones.
        categories: The target's `TargetCategories`; it must be set before items are named.
        subsets_of_source: Finds all subsets of the source; it must be set as well. It is called only if the target has
            no place for a subset.
    """

    def __init__(
        self, source: Format, target: Format, keys: Iterable[Mapping[str, Any]] | None, renamed: Mapping[str, str]
    ) -> None:
        """Take the layouts of source and target; see the class for the others."""
        image = target.roles.get(IMAGE)
        self.target = target
        self.image = image
        self.names = target.key_names
        self.made = MadeNames(target)
        self.categories: Any = None
        self.subsets_of_source: Callable[[], Iterable[str]] = tuple
        self.subset = lru_cache(maxsize=256)(self._subset)
        self.subsets = lru_cache(maxsize=256)(self._subsets)
        self.later = frames_later(source, target)
        self._inherited = source.key_names
        self._is_same = source.source.is_same(target.source)
        self._parts = tuple(name for name in source.key_names if name != "subset")
        self._formats = dict(image.scope.captures) if image is not None else {}
        self._renamed = dict(renamed)
        self._extension = extension_told(source)
        self._folder = next((name for name in self.names if self._formats.get(name) == "path?"), None)
        self._untold = self._folder is not None and self._folder in untold_folders(target)
        told = (name for name in self.names if name != self._folder and name not in self.made)
        self._captures = tuple((name, self._capture(name)) for name in told)
        self._extensions = tuple(
            (name, self._words(name))
            for name in self._formats
            if image is not None and name in image.captures and name not in self.names
        )
        self._spelled = None if IMAGE not in source.roles else _names_of(source.roles[IMAGE])
        self._fitting = None if image is None else _names_of(image)
        self._told = {name: list(self._said(name)) for name in self.names if name != "subset"}
        in_paths = any("subset" in role.captures for role in target.roles.values())
        self._without_subset = DEFAULT_SUBSET if in_paths else None
        self._is_flat = keys is not None and self._tells_apart(keys)

    def of(self, item: Item, number: int) -> dict[str, Any]:
        """Return the captures of an item in the target. Raises NoPlaceError."""
        relative = self._relative(item.captures) or posixpath.splitext(item.key)[0]
        names = self._as_spelled(item, relative)
        if names is None:
            names = {}
            if self._folder is not None and self._untold:
                names[self._folder] = ""
            elif self._folder is not None:
                names[self._folder], _, relative = relative.rpartition("/")
            for name, capture in self._captures:
                names[name] = capture(item, number, relative)
        if self._extensions:
            extension = posixpath.splitext(item.image.path if item.image else "")[1].lstrip(".")
            for name, kinds in self._extensions:
                names[name] = kinds[0] if kinds and extension not in kinds else extension or "jpg"
        if "subset" not in names:
            names["subset"] = self.subset(item.subsets[0] if item.subsets else None) or self._without_subset
        if self.made:
            self.made.put(names, item, self.target.options, self.categories)
        return names

    def _subsets(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the target's names of an item's subsets, each once. Raises NoPlaceError."""
        return tuple(dict.fromkeys(s for name in names if (s := self.subset(name)) is not None))

    def key(self, names: Mapping[str, Any]) -> str:
        """Return the key of an item with these captures."""
        return "/".join([str(value) for name in self.names if (value := names.get(name)) not in (None, "")])

    @property
    def keys_tell_extensions(self) -> bool:
        """Whether the key of an item may say more than its captures in the target: the extension of its image."""
        return self._extension is not None

    def own_key(self, item: Item, names: Mapping[str, Any]) -> str:
        """Return the key in the target of an item with these captures.

        The key includes the image's extension where the source needed the extension to distinguish the item from
        another one.
        """
        key = self.key(names)
        extension = item.captures.get(self._extension) if self._extension else None
        if extension and item.key.endswith(f".{extension}"):
            plain = "/".join(str(item.captures[n]) for n in self._inherited if item.captures.get(n) not in (None, ""))
            return f"{key}.{extension}" if item.key == f"{plain}.{extension}" else key
        return key

    def placed(self, image: Image | None, names: Mapping[str, Any]) -> Image | None:
        """Return the item's image with its path in the target. Raises NoPlaceError."""
        if image is None or self.image is None:
            return image
        try:
            path = self.image.template.render(names)
        except (KeyError, ValueError) as error:
            if any(name.startswith("label.") and names.get(name) in (None, "") for name in self.image.captures):
                raise NoPlaceError(f"{self.target.name} files images by their label, and this one has none") from None
            raise NoPlaceError(f"{self.target.name} cannot name the image of {names}: {error}") from None
        return msgspec.structs.replace(image, path=path)

    def _subset(self, name: str | None) -> str | None:
        """Return the target's name for a subset. Raises NoPlaceError where it has none."""
        if name is not None:
            name = self._renamed.get(name, name)
        own = self._own_subset(name)
        if own is None and name is not None:
            choices = self._words("subset")
            choice = self._proposed.get(name, choices[0])
            words = "" if choice else ", all of which other subsets become, so that images of one name would meet"
            raise NoPlaceError(
                f"{self.target.name} has no subset {name!r}; it has {', '.join(choices)}{words}: say which with "
                f"--subsets {shlex.quote(f'{name}={choice or choices[0]}')}"
            )
        return own

    def _own_subset(self, name: str | None) -> str | None:
        """Return the target's name for a renamed subset; None where it has no place for it or needs none."""
        choices = self._words("subset")
        if self._is_same and name in choices:
            return name
        own = None if name is None else self._listed(name)
        if own is not None or not choices:
            return own or name
        if name is None or name == DEFAULT_SUBSET:
            return choices[0]
        return self._without_year(name)

    def _listed(self, name: str) -> str | None:
        """Return the subset of the target that a name means, by its list of names; None if it means none."""
        for own, others in self.target.spec.subsets.items():
            if name == own or name.lower() in (own, *others):
                return own
        return name if name in self._words("subset") else None

    def _without_year(self, name: str) -> str | None:
        """Return the target's subset for one named with a year, as `train2017`; None if there is no such subset.

        None is returned, too, if another subset of the source would become the same.
        """
        own = self._listed(_YEAR.sub("", name)) if _YEAR.search(name) else None
        others = (_YEAR.sub("", one) for one in self._in_source if one != name)
        return None if own is None or any(self._listed(one) == own for one in others) else own

    @cached_property
    def _in_source(self) -> frozenset[str]:
        """The subsets of the source, with their new names."""
        return frozenset(self._renamed.get(one, one) for one in self.subsets_of_source())

    def without_years(self, subsets: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield those of some subsets of the source that lose a year in the target, each with the target's name.

        What is told is the name that the user gave a subset, if there is one.
        """
        for subset in subsets:
            own, name = self.subset(subset), self._renamed.get(subset, subset)
            if own is not None and own != name and _YEAR.search(name) and own == self._listed(_YEAR.sub("", name)):
                yield name, own

    @cached_property
    def _proposed(self) -> dict[str, str]:
        """Propose, for each subset that the target lacks, one of the target's subsets that no other subset becomes.

        The proposal is an empty text where no such subset is left.
        """
        named = {name: self._own_subset(name) for name in self._in_source}
        own_names = dict.fromkeys(self._own_subset(one) for one in self._words("subset"))
        free = [one for one in own_names if one is not None and one not in named.values()]
        lacking = sorted(name for name, own in named.items() if own is None)
        return dict(zip_longest(lacking, free[: len(lacking)], fillvalue=""))

    def _as_spelled(self, item: Item, relative: str) -> dict[str, Any] | None:
        """Match an item's name with the target's template, so that the name stays as it is.

        Returns:
            The target's captures; None where the template does not match, or where the item itself states other values.
        """
        found = None if self._fitting is None else self._fitting.match(relative)
        if found is None or (self._untold and not self._is_same and found.get(self._folder or "")):
            return None
        subset = self.subset(item.subsets[0] if item.subsets else None) or DEFAULT_SUBSET
        if "subset" in self.names and str(found.setdefault("subset", subset)) != subset:
            return None
        for name, said in self._told.items():
            value = _first_said(said, item)
            if name not in found or (value is not None and str(value) != str(found[name])):
                return None
        return {name: found[name] for name in self.names}

    def _relative(self, names: Mapping[str, Any]) -> str:
        """Return an item's name below its subset: as the image's path spells it, or its parts with slashes."""
        if self._spelled is not None:
            try:
                return self._spelled.render(names)
            except (KeyError, ValueError):
                pass  # the names are joined instead
        return "/".join([str(names[name]) for name in self._parts if names.get(name)])

    def _tells_apart(self, keys: Iterable[Mapping[str, Any]]) -> bool:
        """Return whether the last part of a name is unique among the items, for a target without folders."""
        folders = (name for name in self.names if not (self._untold and name == self._folder))
        if any(str(self._formats.get(name)).startswith("path") for name in folders):
            return False
        seen, coming = Marks(), map(self._mark, keys)
        while some := list(islice(coming, amounts().piece)):
            if not seen.add(some):
                return False
        return True

    def _mark(self, names: Mapping[str, Any]) -> int:
        subset = str(names.get("subset", "")) if "subset" in self.names else ""
        return mark(f"{subset}/{posixpath.basename(self._relative(names))}")

    def _capture(self, name: str) -> Capture:
        """Return a function that gives a capture: what the item states, or what follows from its name."""
        if name == "subset":
            return lambda item, number, relative: (
                self.subset(item.subsets[0] if item.subsets else None) or DEFAULT_SUBSET
            )
        said = list(self._said(name))
        given = self._given(name)
        if not said:
            return given

        def capture(item: Item, number: int, relative: str) -> Any:
            value = _first_said(said, item)
            return given(item, number, relative) if value is None else value

        return capture

    def _said(self, name: str) -> Iterator[Callable[[Item], Any]]:
        """Yield functions that give what an item states for a capture; each gives None if the item states nothing."""
        if name in MOMENTS:
            yield lambda item: self.moment(item, name)
        if name.startswith("label.category."):
            yield lambda item: _of_label(item, name.rpartition(".")[2])
            return
        if _is_attribute(name):
            yield lambda item: item.attributes.get(name.removeprefix("attributes."), "")
            return
        if name not in ("name", "id") and name in self._inherited:
            yield lambda item: self._inherited_name(name, item)

    def moments(self, item: Item, names: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return an item's sequence and frame: those of its captures in the target, or what the item states."""
        sequence = names.get("sequence") if "sequence" in self.names else item.sequence
        return sequence, names.get("frame") if "frame" in self.names else self.moment(item, "frame")

    def moment(self, item: Item, name: str) -> Any:
        """Return an item's sequence or frame as the target counts it; None if the item states none."""
        value = getattr(item, name)
        return value + self.later if name == "frame" and value is not None and self.later else value

    def _inherited_name(self, name: str, item: Item) -> Any:
        """Return the value of a capture of this name in the source; None if it cannot name a folder."""
        value = item.captures.get(name)
        words = self._words(name)
        if words and value not in words:
            return None
        if self._formats.get(name) is None and isinstance(value, str) and (value == "" or "/" in value):
            return None
        return value

    def _words(self, name: str) -> tuple[str, ...]:
        """Return the values that a capture may have, as the target's path lists them; empty for any value."""
        kind = self._formats.get(name) or ""
        return tuple(kind.split("|")) if "|" in kind else ()

    def _given(self, name: str) -> Capture:
        """Return a function that gives the value of a capture that the item does not state."""
        kind = self._formats.get(name) or ""
        if name.startswith("label.category.") or _is_attribute(name):
            return lambda item, number, relative: None
        if words := self._words(name):
            return lambda item, number, relative: words[0]
        if kind.endswith("d"):
            first = self.target.spec.counts_from.get(name, 0)
            return lambda item, number, relative: first if name == "sequence" else first + number
        if name not in ("name", "id") and self.names and name != self.names[-1]:
            return lambda item, number, relative: posixpath.dirname(relative).replace("/", "_") or DEFAULT_SUBSET
        if kind.startswith("path"):
            return lambda item, number, relative: relative
        return lambda item, number, relative: (
            posixpath.basename(relative) if self._is_flat else relative.replace("/", "_")
        )


def _first_said(said: Iterable[Callable[[Item], Any]], item: Item) -> Any:
    """Return the first value that an item states by some functions; None if it states none."""
    for say in said:
        value = say(item)
        if value is not None:
            return value
    return None


def _is_attribute(name: str) -> bool:
    return name.startswith("attributes.") and find_slot("item", name) is not None


def _of_label(item: Item, slot: str) -> Any:
    """Return a value of the category of the item's first label; an empty text if there is no label."""
    if not item.labels:
        return ""
    category = item.labels[0].category
    if slot == "name" and category is not None:
        return spoken(category)
    return getattr(category, slot, None)


def _names_of(image: Role) -> Template | None:
    """Return the template of items' names that the path of their images contains."""
    return item_name_template(image.spec.path, image.scope.captures, image.place)
