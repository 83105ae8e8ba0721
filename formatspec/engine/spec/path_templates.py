"""Parses the path templates of a spec's roles."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from formatspec.codecs.registry import Env
from formatspec.engine.base.slot_values import Convert
from formatspec.engine.resolve.codec_chain import Chain, build
from formatspec.language.errors import Place
from formatspec.language.leaf import Bind, LeafSyntaxError, Text, parse_text
from formatspec.language.rules import problem
from formatspec.model.slots import find_slot
from formatspec.paths.templates import formats
from formatspec.paths.templates.template import Template, TemplateField, TemplateSyntaxError, compile_template

_ENV = Env()
Pieces = tuple[str | Bind, ...]
"""A path as texts and names, in order."""


def path_pieces(path: str, place: Place) -> Pieces:
    """Parse the path of a role to its texts and names. Raises SpecError."""
    try:
        text: Text = parse_text(path)
    except LeafSyntaxError as error:
        raise problem(f"in the path {path!r}: {error}", place) from None
    for part in text.parts:
        if not isinstance(part, str | Bind):
            raise problem(f"in the path {path!r}: a path holds names only", place)
        if isinstance(part, Bind) and part.format is not None:
            try:
                formats.field(part.names[0], part.format)
            except TemplateSyntaxError as error:
                raise problem(f"in the path {path!r}: {{{part.names[0]}:{part.format}}}: {error}", place) from None
    return tuple(part for part in text.parts if isinstance(part, str | Bind))


def key_names(image: Pieces) -> tuple[str, ...]:
    """Return the captures of the image's path without its extension, which is what comes after the last dot."""
    names = [part.names[0] for part in image if isinstance(part, Bind)]
    if len(image) > 1 and isinstance(image[-1], Bind) and str(image[-2]).endswith("."):
        names = names[:-1]
    return tuple(dict.fromkeys(names))


def capture_formats(pieces: Mapping[str, Pieces], image: str) -> dict[str, str | None]:
    """Return the format of each capture, from the image's path or else from the first path that states it."""
    found: dict[str, str | None] = {}
    order = [image, *(name for name in pieces if name != image)]
    for name in order:
        for part in pieces.get(name, ()):
            if isinstance(part, Bind) and found.get(part.names[0]) is None:
                found[part.names[0]] = part.format or _words(part)
    return found


def _words(part: Bind) -> str | None:
    """Return the values that a `map` allows for a name, as a format."""
    pairs = part.calls[0].arguments if part.calls and part.calls[0].name == "map" else ()
    return "|".join(str(pair.value) for pair in pairs) or None


def path_template(pieces: Pieces, known: Mapping[str, str | None], place: Place) -> Template:
    """Compile the pieces of a path.

    Args:
        pieces: The texts and names of the path.
        known: The format of each capture that the path does not state itself.
        place: The place where the spec states the path.

    Raises:
        SpecError: A codec of the path needs an image's size, or the template cannot be matched.
    """
    parts: list[Any] = []
    for part in pieces:
        if isinstance(part, str):
            parts.append(part.rstrip("/") if part is pieces[-1] else part)
            continue
        name = part.names[0]
        if part.calls:
            chain = build(part, [_type(name)], 1, True, place)
            if "size" in chain.needs:
                raise problem(
                    f"a path cannot be made by `{part.calls[-1].name}`, which asks for an image's size", place
                )
            parts.append(TemplateField(name, _path_pattern(part, chain), _plain(chain.decode), _plain(chain.encode)))
            continue
        try:
            parts.append(formats.field(name, part.format or known.get(name)))
        except TemplateSyntaxError as error:
            raise problem(f"{{{name}:{part.format}}}: {error}", place) from None
    try:
        return compile_template([part for part in parts if part != ""])
    except ValueError as error:
        raise problem(str(error), place) from None


def _path_pattern(leaf: Bind, chain: Chain) -> str:
    """Return the pattern of a leaf's text in a path: the words of a `map` of texts, or else that of its codecs."""
    pairs = leaf.calls[-1].arguments if leaf.calls[-1].name == "map" else ()
    if not pairs or not all(isinstance(pair.file, str) for pair in pairs):
        return chain.pattern or "[^/]+"
    return "|".join(re.escape(word) for word in sorted((pair.file for pair in pairs), key=len, reverse=True))


def _plain(convert: Convert) -> Callable[[Any], Any]:
    """Return a conversion in the form for paths, which have no image."""
    return lambda value: convert(value, _ENV)


def _type(name: str) -> Any:
    head, _, slot = name.partition(".")
    found = find_slot("object", slot) if head == "object" else find_slot("item", name)
    return "text" if found is None else found[1].type


def item_name_template(path: str, known: Mapping[str, str | None], place: Place) -> Template | None:
    """Return the template of items' names in the image's path, or None if the path names no items.

    It has the segments that distinguish items, without those that all items of a subset share, and without the
    extension.

    Args:
        path: The path of the image's role, as the spec states it.
        known: The format of each capture.
        place: The place where the spec states the path.
    """
    segments: list[list[str | Bind]] = [[]]
    for part in path_pieces(path, place):
        if isinstance(part, Bind):
            segments[-1].append(part)
            continue
        first, *others = part.split("/")
        segments[-1].append(first)
        segments.extend([text] for text in others)
    segments[-1] = _without_extension(segments[-1])
    telling = [one for one in segments if any(isinstance(part, Bind) and part.names != ("subset",) for part in one)]
    if not telling:
        return None
    parts: list[str | Bind] = []
    for number, segment in enumerate(telling):
        parts += ("/", *segment) if number else segment
    return path_template(_merged(parts), known, place)


def _without_extension(segment: list[str | Bind]) -> list[str | Bind]:
    """Return the last segment of a path without its extension, as far as the template shows where that begins."""
    if segment and isinstance(segment[-1], str) and "." in segment[-1]:
        return [*segment[:-1], segment[-1].rpartition(".")[0]]
    if len(segment) > 1 and isinstance(segment[-1], Bind) and str(segment[-2]).endswith("."):
        return [*segment[:-2], str(segment[-2])[:-1]]
    return segment


def _merged(parts: list[str | Bind]) -> Pieces:
    """Return parts with neighbouring literal texts joined, and without empty ones."""
    found: list[str | Bind] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        elif part != "":
            found.append(part)
    return tuple(found)
