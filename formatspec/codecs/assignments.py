"""A mapping in one line of text: `a=1, b="2", c`."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from formatspec.codecs import arguments as take
from formatspec.codecs import values
from formatspec.codecs.registry import Argument, Codec, Env, Site, UnfitError, codec

Letter = tuple[str, bool]
"""A character, and whether a backslash came before it."""

_SPECIAL = frozenset('\\=",')


@codec("assignments")
def assignments(arguments: Sequence[Argument], site: Site) -> Codec:
    """`assignments`: a mapping as text, `a=1, b="2", c=true`; a name without a value means true.

    A text that would read as a number or a truth value is quoted. Inside names and texts, a backslash precedes each
    backslash, quote, comma and `=`.
    """
    take.plain(arguments)
    return Codec(encode=_encode, decode=_decode, kind="text", fit=_fit)


def _encode(value: Any, env: Env) -> str:
    if not isinstance(value, dict):
        raise UnfitError("a mapping", value)
    spelled = ", ".join(f"{_escaped(values.text(name))}={_spell(part)}" for name, part in value.items())
    if _decode(spelled, env) != value:
        raise UnfitError("names without blanks around them, each once", value)
    return spelled


def _decode(value: Any, env: Env) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for piece in _split(_letters(values.text(value)), ","):
        if not piece:
            continue
        name, *rest = _split(piece, "=", 1)
        key = _plain(name)
        if not key or key in found:
            raise UnfitError("names, each once, with or without `=` and a value", value)
        found[key] = _read(rest[0]) if rest else True
    return found


def _letters(text: str) -> list[Letter]:
    found: list[Letter] = []
    escaped = False
    for character in text:
        if character == "\\" and not escaped:
            escaped = True
            continue
        if escaped and character not in _SPECIAL:
            found.append(("\\", False))
        found.append((character, escaped and character in _SPECIAL))
        escaped = False
    return [*found, ("\\", False)] if escaped else found


def _split(letters: Sequence[Letter], mark: str, most: int = -1) -> Iterator[Sequence[Letter]]:
    """Yield the pieces between unescaped marks, without blanks around them."""
    start = 0
    for place, letter in enumerate(letters):
        if letter == (mark, False) and most:
            yield _stripped(letters[start:place])
            start, most = place + 1, most - 1
    yield _stripped(letters[start:])


def _stripped(letters: Sequence[Letter]) -> Sequence[Letter]:
    first, last = 0, len(letters)
    while first < last and letters[first][0].isspace():
        first += 1
    while last > first and letters[last - 1][0].isspace():
        last -= 1
    return letters[first:last]


def _plain(letters: Sequence[Letter]) -> str:
    return "".join(character for character, _ in letters)


def _read(letters: Sequence[Letter]) -> Any:
    if len(letters) > 1 and letters[0] == letters[-1] == ('"', False):
        return _plain(letters[1:-1])
    word = _plain(letters)
    if word.lower() in ("true", "false"):
        return word.lower() == "true"
    try:
        number = values.read_number(word)
    except UnfitError:
        return word
    return number if values.spell_number(number) == word else word


def _spell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return values.spell_number(value)
    bare = _escaped(value)
    return bare if value and _read(_stripped(_letters(bare))) == value else f'"{bare}"'


def _escaped(text: str) -> str:
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in text)


def _fit(value: Any, rng: random.Random, env: Env) -> dict[str, Any]:
    """Return those entries that the codec can carry."""
    kept: dict[str, Any] = {}
    for name, part in (value if isinstance(value, dict) else {"word": value}).items():
        try:
            _encode({name: part}, env)
        except UnfitError:
            continue
        kept[name] = part
    return kept
