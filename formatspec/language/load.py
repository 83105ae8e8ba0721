"""Loads a spec by name or file: finds it, resolves inheritance, lays out its variants, and checks every word."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import msgspec

from formatspec.language.entries.rule_entries import parse_lines, parse_rule
from formatspec.language.entries.typed_spec import typed
from formatspec.language.errors import Place, Problem, SpecError, nearest, suggest
from formatspec.language.rules import Rule, problem
from formatspec.language.schema import Spec
from formatspec.language.yaml_source import Node, load, to_plain
from formatspec.paths.names import safe_join
from formatspec.plugins import SPECS, PluginError, entry_points_of

SPEC_LIMIT = 4 * 1024**2
"""The most bytes of a spec's file."""
LET_LIMIT = 1_000_000
"""The most characters that `let` may add to a spec."""
LAID_OUT_LIMIT = 200_000
"""The most values that a spec may hold, including those of all its variants."""
KEPT = 256
"""How many specs stay loaded.

This is several times the catalogue, so that trying all specs loads each once; and a process that loads one edited spec
after another does not grow.
"""
SEARCH_VARIABLE = "FORMATSPEC_PATH"
_NAME_IN_BRACES = re.compile(r"\{([^{}]*)\}")
HIDE_VARIABLE = "FORMATSPEC_NO_CATALOGUE"
_NOT_INHERITED = ("anywhere", "examples", "extends", "title", "about", "homepage", "licence", "seen")


class Layout(msgspec.Struct, frozen=True, dict=True):
    """One variant of a spec, complete: its typed entries, and each role's rule."""

    variant: str
    spec: Spec
    node: Node

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """The rule of each role that has a document. Raises SpecError with the problems of all."""
        rules: dict[str, Rule] = {}
        problems: list[Problem] = []
        for name, role in self.spec.files.items():
            kind = role.document
            if kind is None:
                continue
            entry = self.node.value["files"].value[name].value[kind]
            try:
                rules[name] = parse_lines(entry) if kind == "lines" else parse_rule(entry)
            except SpecError as error:
                problems.extend(error.problems)
        if problems:
            raise SpecError(tuple(problems))
        return rules


class Source(msgspec.Struct, frozen=True):
    """A loaded spec: one layout, or several to try in order."""

    name: str
    file: Path
    ancestors: tuple[str, ...]
    layouts: tuple[Layout, ...]
    parents: tuple[Path, ...] = ()
    """The files of the specs that it extends."""

    @property
    def spec(self) -> Spec:
        """The spec of the first layout, for what all layouts share, such as name and title."""
        return self.layouts[0].spec

    def is_same(self, other: Source) -> bool:
        """Return whether both were loaded from one file."""
        return self.file.resolve() == other.file.resolve()

    def beside(self, named: str, place: Place) -> Path:
        """Return the file that an entry names, beside the file of the spec that states it or below its folder.

        Raises:
            SpecError: The name leads elsewhere, or there is no such file.
        """
        stated_in = next((file for file in self.parents if _shown(file) == place.file), self.file)
        return beside(stated_in, named, place)


def in_encoding(source: Source, encoding: str) -> Source:
    """Return a spec whose texts may be in one more encoding, which is tried last."""

    def more(layout: Layout) -> Layout:
        files = {
            name: role.model_copy(update={"encoding": (*role.encoding, encoding)})
            for name, role in layout.spec.files.items()
        }
        return msgspec.structs.replace(layout, spec=layout.spec.model_copy(update={"files": files}))

    return msgspec.structs.replace(source, layouts=tuple(map(more, source.layouts)))


@cache
def bundled() -> Path:
    """Return the folder of the specs that come with the package."""
    installed = Path(__file__).resolve().parent.parent / "specs"
    return (installed if installed.is_dir() else installed.parent.parent / "specs").resolve()


def folders() -> tuple[Path, ...]:
    """Return the folders in which specs are looked for: ./specs, those of FORMATSPEC_PATH, other packages', ours.

    Other packages name theirs by entry points, as `formatspec.plugins` says; one that cannot be used is skipped, and
    `formatspec doctor` says why. If FORMATSPEC_NO_CATALOGUE is set, the specs of this and other packages are hidden,
    and a spec is only found by its file.
    """
    extra = [Path(part) for part in os.environ.get(SEARCH_VARIABLE, "").split(os.pathsep) if part]
    found: list[Path] = []
    own = () if os.environ.get(HIDE_VARIABLE) else (*_of_plugins(), bundled())
    for folder in (Path("specs"), *extra, *own):
        if folder.is_dir() and folder.resolve() not in [known.resolve() for known in found]:
            found.append(folder)
    return tuple(found)


def _of_plugins() -> Iterator[Path]:
    for plugin in entry_points_of(SPECS):
        with suppress(PluginError):
            yield plugin.load_folder()


def available() -> dict[str, Path]:
    """Every spec that can be found by name, sorted by name."""
    found: dict[str, Path] = {}
    for folder in folders():
        for name, file in _specs_in(folder, folder.stat().st_mtime_ns):
            found.setdefault(name, file)
    return dict(sorted(found.items()))


@lru_cache(maxsize=KEPT)
def _specs_in(folder: Path, changed: int) -> tuple[tuple[str, Path], ...]:
    """The specs in a folder that was changed last at a time, by name."""
    return tuple((file.stem, file) for file in sorted(folder.glob("*.yaml")))


def find(name_or_file: str | Path) -> Path:
    """Return the file of a spec, given by name or by path. Raises SpecError with a suggestion."""
    path = Path(name_or_file)
    if path.is_file():
        return path
    text = str(name_or_file)
    known = available()
    if text in known:
        return known[text]
    if path.suffix in (".yaml", ".yml") or os.sep in text:
        raise SpecError((Problem(f"there is no file {text}", None, hint=_hint(path.stem, known)),))
    raise SpecError((Problem(f"there is no spec {text!r}", None, hint=_hint(text, known)),))


def _hint(word: str, known: Mapping[str, Path]) -> str:
    near = nearest(word, known)
    return f"did you mean {near!r}?" if near else "`formatspec specs` lists them"


def load_source(name_or_file: str | Path) -> Source:
    """Load a spec. Raises SpecError with file, line and column of everything that is wrong with it."""
    source = load_outline(find(name_or_file))
    for layout in source.layouts:
        _ = layout.rules
    return source


def load_outline(file: Path) -> Source:
    """Load a spec whose rules are parsed when they are needed, and raise SpecError then: enough to compare paths."""
    stat = file.stat()
    try:
        return _load(file, stat.st_mtime_ns, stat.st_size)
    except RecursionError:
        raise SpecError(
            (Problem(f"{file} leads from one entry to another too often", Place(str(file), 1, 1)),)
        ) from None


@lru_cache(maxsize=KEPT)
def _load(file: Path, changed: int, size: int) -> Source:
    node, ancestors, parents = _inherited(file, ())
    layouts = tuple(_layout(name, variant) for name, variant in _variants(node))
    return Source(layouts[0].spec.name, file, ancestors, layouts, parents)


def _read(file: Path) -> Node:
    try:
        data = file.read_bytes() if file.stat().st_size <= SPEC_LIMIT else None
        if data is None:
            raise SpecError((Problem(f"{file} is larger than {SPEC_LIMIT:,} bytes, so it is no spec", None),))
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SpecError((Problem(f"{file} is not UTF-8 (byte {error.start})", None),)) from None
    except OSError as error:
        raise SpecError((Problem(f"{file} cannot be read: {error.strerror}", None),)) from None
    node = load(text, _shown(file))
    if not isinstance(node.value, dict):
        raise problem("a spec is a mapping", node.place, "`formatspec: 1`, `name:`, `files:`")
    return node


def _shown(file: Path) -> str:
    """Return the name of the spec's file in messages, which does not depend on where the package is installed."""
    try:
        return f"{bundled().name}/{file.resolve().relative_to(bundled())}"
    except ValueError:
        return str(file)


def _inherited(file: Path, below: tuple[Path, ...]) -> tuple[Node, tuple[str, ...], tuple[Path, ...]]:
    """Return a spec laid over those that it extends, their names, and their files."""
    node = _read(file)
    parent = node.value.get("extends")
    if parent is None:
        return node, (), ()
    if not isinstance(parent.value, str):
        raise problem("`extends` names a spec", parent.place)
    if file.resolve() in below:
        raise problem("specs extend one another in a circle", parent.place)
    extended = _extended(file, parent)
    base, ancestors, parents = _inherited(extended, (*below, file.resolve()))
    if "name" not in base.value:
        raise problem("the spec that is extended has no `name`", parent.place)
    kept = Node(
        value={key: value for key, value in base.value.items() if key not in _NOT_INHERITED},
        place=base.place,
        keys=base.keys,
    )
    return merge(kept, _others_dropped(kept, node)), (*ancestors, base.value["name"].value), (*parents, extended)


def _extended(file: Path, parent: Node) -> Path:
    """Return the spec that another extends: a file beside it or below its folder, or else a spec known by name."""
    named = parent.value
    if "/" in named or named.endswith((".yaml", ".yml")):
        return beside(file, named, parent.place)
    near = file.parent / f"{named}.yaml"
    if near.is_file():
        return beside(file, near.name, parent.place)
    known = available()
    if named not in known:
        raise problem(f"there is no spec {named!r}", parent.place, hint=_hint(named, known))
    return known[named]


def beside(spec: Path, named: str, place: Place) -> Path:
    """Return the file that a spec names beside it or below its folder.

    Raises:
        SpecError: The name leads elsewhere, or there is no such file.
    """
    inner = safe_join("", named)
    folder = spec.parent.resolve()
    try:
        found = None if inner is None else (folder / inner).resolve()
        if found is None or not found.is_relative_to(folder):
            raise problem(f"{named!r} leads out of the spec's folder", place, "a file beside the spec or below it")
        if not found.exists():
            raise problem(f"there is no {named!r} beside the spec", place)
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        raise problem(f"{named!r} cannot be looked up: {error}", place) from None
    return spec.parent / str(inner)


def _others_dropped(base: Node, over: Node) -> Node:
    """Return what is laid over a spec; `"*": drop` under `files` becomes an entry for each role that is not named."""
    files = over.value.get("files")
    if files is None or not isinstance(files.value, dict) or "*" not in files.value:
        return over
    star, known = files.value["*"], base.value.get("files")
    if star.value != "drop":
        raise problem("`*` under `files` drops the other roles", star.place, "`drop`")
    others = (
        [name for name in known.value if name not in files.value] if known and isinstance(known.value, dict) else []
    )
    if not others:
        raise problem("there is no other role to drop", star.place)
    entries = {name: value for name, value in files.value.items() if name != "*"}
    for name, value in entries.items():
        if value.value == {} and name not in known.value:
            near = nearest(name, known.value)
            raise problem(f"no role is called {name!r}", value.place, hint=f"did you mean {near!r}?" if near else "")
    laid = {**{name: value for name, value in entries.items() if value.value != {}}, **dict.fromkeys(others, star)}
    return Node(
        value={**over.value, "files": Node(value=laid, place=files.place, keys=files.keys)},
        place=over.place, keys=over.keys,
    )  # fmt: skip


def merge(base: Node, over: Node) -> Node:
    """Lay `over` over `base`: mappings merge, `drop` deletes, tables with one row merge, all else is replaced."""
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        return Node(value=_merged(base.value, over.value), place=over.place, keys={**base.keys, **over.keys})
    if _is_row(base) and _is_row(over):
        return Node(value=[merge(base.value[0], over.value[0])], place=over.place)
    return over


def _merged(base: Mapping[str, Node], over: Mapping[str, Node]) -> dict[str, Node]:
    """Lay entries over others: a key of both keeps its place, and takes its spelling (`key` or `key?`) from `over`."""
    merged = dict(base)
    places = {key.removesuffix("?"): key for key in reversed(list(base))}
    """The key in `merged` of each bare key; the first one if two differ only in the mark."""
    spelled: dict[str, str] = {}
    """How the keys of `merged` are spelled in the end."""
    for key, value in over.items():
        bare = key.removesuffix("?")
        same = key if key in merged and key not in spelled else places.get(bare)
        if value.value == "drop":
            if same is None or spelled.get(same, same) != key:
                known = [spelled.get(one, one) for one in merged]
                raise problem(f"there is no {key!r} to drop", value.place, hint=suggest(key, known))
            del merged[same]
            places.pop(bare, None)
        elif same is None:
            merged[key] = value
            places[bare] = key
        else:
            merged[same] = merge(merged[same], value)
            spelled[same] = key
    return {spelled.get(key, key): value for key, value in merged.items()} if spelled else merged


def _is_row(node: Node) -> bool:
    return isinstance(node.value, list) and len(node.value) == 1 and isinstance(node.value[0].value, dict)


def _variants(node: Node) -> Iterator[tuple[str, Node]]:
    variants = node.value.get("variants")
    if variants is None:
        if _weight(node, LAID_OUT_LIMIT) > LAID_OUT_LIMIT:
            raise problem(f"the spec holds more than {LAID_OUT_LIMIT:,} values", node.place)
        yield "", node
        return
    if not isinstance(variants.value, list) or not variants.value:
        raise problem("`variants` is a list of layouts", variants.place, "at least one, each with a `name`")
    rest = Node(value={k: v for k, v in node.value.items() if k != "variants"}, place=node.place, keys=node.keys)
    left = LAID_OUT_LIMIT - _weight(variants, LAID_OUT_LIMIT)
    for variant in variants.value:
        left -= _weight(rest, left)
        if left < 0:
            message = (
                f"the spec and its variants hold more than {LAID_OUT_LIMIT:,} values, those of each layout counted"
            )
            raise problem(message, variant.place)
        if not isinstance(variant.value, dict) or "name" not in variant.value:
            near = nearest("name", variant.value) if isinstance(variant.value, dict) else None
            hint = f"`{near}` stands where it may be meant" if near else ""
            raise problem("a variant lacks its `name`", variant.place, "`name: …`, the name of the layout", hint)
        over = Node(
            value={k: v for k, v in variant.value.items() if k != "name"}, place=variant.place, keys=variant.keys
        )
        yield str(variant.value["name"].value), merge(rest, _others_dropped(rest, over))


def _weight(node: Node, most: int) -> int:
    """Return how many values a node holds, counting itself and each use of an alias, up to one above `most`."""
    todo, found = [node], 0
    while todo and found <= most:
        one = todo.pop()
        found += 1
        todo.extend(
            one.value.values() if isinstance(one.value, dict) else one.value if isinstance(one.value, list) else ()
        )
    return found


def _layout(variant: str, node: Node) -> Layout:
    node = _alike(_let(node))
    spec = _typed(node)
    if "image" not in spec.files:
        message, expected = (
            "there is no role `image`, which is the items' image",
            "the path of the images, as `image: …`",
        )
        raise problem(message, node.value["files"].place, expected, suggest("image", spec.files))
    return Layout(variant, spec, node)


def _let(node: Node) -> Node:
    named = node.value.get("let")
    if named is None or not isinstance(named.value, dict):
        return node
    return _Named({name: str(value.value) for name, value in named.value.items()}).put_into(node)


class _Named:
    """Puts the pieces of templates that `let` names in place of their names."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._whole: dict[str, str] = {}
        """The pieces that were asked for, with all pieces that they name."""
        self._left = LET_LIMIT

    def put_into(self, node: Node) -> Node:
        """Return a node with the pieces in it. Raises SpecError for a circle of names, or for too much text."""
        if isinstance(node.value, dict):
            fresh: Any = {key: self.put_into(value) for key, value in node.value.items()}
        elif isinstance(node.value, list):
            fresh = [self.put_into(value) for value in node.value]
        elif isinstance(node.value, str) and "{" in node.value:
            fresh = self._text(node.value, node.place, ())
        else:
            return node
        return Node(value=fresh, place=node.place, raw=node.raw, quoted=node.quoted, keys=node.keys)

    def _text(self, text: str, place: Place, inside: tuple[str, ...]) -> str:
        def piece(found: re.Match[str]) -> str:
            name = found[1]
            if name not in self._values:
                return found[0]
            if name in inside:
                raise problem("names of `let` name each other in a circle", place)
            if name not in self._whole:
                self._whole[name] = self._text(self._values[name], place, (*inside, name))
            whole = self._whole[name]
            self._left -= max(len(whole), 1)
            if self._left < 0:
                raise problem(f"`let` makes this spec grow by more than {LET_LIMIT:,} characters", place)
            return whole

        return _NAME_IN_BRACES.sub(piece, text)


def _alike(node: Node) -> Node:
    files = node.value.get("files")
    if files is None or not isinstance(files.value, dict):
        return node
    whole: dict[str, Node] = {}

    def resolve(name: str, below: tuple[str, ...]) -> Node:
        if name in whole:
            return whole[name]
        role: Node = files.value[name]
        like = role.value.get("like") if isinstance(role.value, dict) else None
        if like is None:
            return role
        if not isinstance(like.value, str):
            raise problem("`like` names a role", like.place)
        if like.value in below:
            raise problem("roles are like one another in a circle", like.place)
        if like.value not in files.value:
            raise problem(f"there is no role {like.value!r}", like.place, hint=suggest(str(like.value), files.value))
        above = resolve(like.value, (*below, name))
        own = Node(value={k: v for k, v in role.value.items() if k != "like"}, place=role.place, keys=role.keys)
        whole[name] = merge(above, own)
        return whole[name]

    done = {name: resolve(name, (name,)) for name in files.value}
    return Node(
        value={**node.value, "files": Node(value=done, place=files.place, keys=files.keys)},
        place=node.place,
        keys=node.keys,
    )


def _typed(node: Node) -> Spec:
    plain = to_plain(node)
    if plain.get("formatspec") != 1:
        place = node.value["formatspec"].place if "formatspec" in node.value else node.place
        got = plain.get("formatspec", "nothing")
        raise problem(
            f"this formatspec reads version 1 of the language, but the spec says {got}", place, "`formatspec: 1`"
        )
    return typed(node)


def place_text(place: Place) -> str:
    """Return `file:line`, as findings name a rule."""
    return f"{place.file}:{place.line}"


def place_at(node: Node, *path: str | int) -> Place:
    """Return the place of an entry of a spec, or of the nearest one above it."""
    for part in path:
        value = node.value
        if part in value if isinstance(value, dict) else isinstance(value, list) and part in range(len(value)):
            node = value[part]
    return node.place
