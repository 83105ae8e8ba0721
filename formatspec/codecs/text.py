"""Codecs whose file side is text: joined, in_base, quoted, words, spelled, texts, suffix, run_together, base64."""

from __future__ import annotations

import base64 as binary
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from formatspec.codecs import arguments as take
from formatspec.codecs import values
from formatspec.codecs.registry import Argument, Codec, Env, Site, UnfitError, codec

DEEPEST = 8
"""How deep `texts` looks into nested values."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_MOST_DIGITS = 64
"""How many digits are read as one number, so that reading stays fast."""

_MOST_SEPARATORS = 64

_SPELLED = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)


@codec("joined")
def joined(arguments: Sequence[Argument], site: Site) -> Codec:
    """`joined(", ")`: words in one text, separated by the argument. No words are the empty text.

    `joined(",", numbers)` joins numbers. `joined("%,", "%|", "%x", numbers)` joins four numbers with a different
    separator between each two, as in "3%,4%|17%x26". `joined` without arguments joins points, as in "x,y;x,y".
    `joined(" ", ", ", pairs)` joins numbers in pairs, as in "3 4, 17 26": the first argument separates the two numbers
    of a pair, and the second separates the pairs.
    """
    found = take.plain(arguments, 0, _MOST_SEPARATORS + 1)
    if not found:
        return _JOINED_POINTS
    if found[-1] == "pairs":
        if len(found) != 3:
            raise take.BadArgumentsError("takes two texts before `pairs`: within a pair, and between pairs")
        return _joined_pairs(take.text(found[0]), take.text(found[1]))
    if len(found) > 2:
        take.names(found[-1:], ["numbers"])
        return _joined_in_turn([take.text(one) for one in found[:-1]])
    separator = take.text(found[0])
    return _joined_numbers(separator) if take.names(found[1:], ["numbers"]) else _joined_words(separator)


def _joined_words(separator: str) -> Codec:
    def encode(value: Any, env: Env) -> str:
        words = tuple(values.text(word) for word in values.sequence(value))
        spelled = separator.join(words)
        if decode(spelled, env) != words:
            raise UnfitError(f"words without {separator!r}, of which a single one is not empty", value)
        return spelled

    def decode(value: Any, env: Env) -> tuple[str, ...]:
        return tuple(_split(value, separator))

    def fit(value: Any, rng: random.Random, env: Env) -> tuple[str, ...]:
        words = tuple(str(word) for word in (value if values.is_sequence(value) else (value,)))
        spelled = separator.join(words)
        return decode(spelled, env)

    return Codec(encode=encode, decode=decode, kind="text", fit=fit)


def _split(value: Any, separator: str) -> list[str]:
    """Return the parts of a text; the empty text has none."""
    spelled = values.text(value)
    return spelled.split(separator) if spelled else []


def _refuse_part_of_number(separator: str) -> None:
    if not separator or set(separator) & set("0123456789+-.eE"):
        raise take.BadArgumentsError(f"takes a separator that is no part of a number, not {separator!r}")


def _joined_in_turn(separators: Sequence[str]) -> Codec:
    """Return a codec of numbers in one text, with a different separator after each."""
    for separator in separators:
        _refuse_part_of_number(separator)
    count = len(separators) + 1
    number = r"\s*([^\s]+?)\s*"
    parted = re.compile(number + "".join(re.escape(separator) + number for separator in separators))

    def encode(value: Any, env: Env) -> str:
        numbers = [values.spell_number(one) for one in values.sequence(value, count)]
        return "".join(one + mark for one, mark in zip(numbers, [*separators, ""], strict=True))

    def decode(value: Any, env: Env) -> tuple[values.Number, ...]:
        found = parted.fullmatch(values.text(value))
        if found is None:
            raise UnfitError(f"{count} numbers with {' and '.join(map(repr, separators))} between them", value)
        return tuple(map(values.read_number, found.groups()))

    def fit(value: Any, rng: random.Random, env: Env) -> tuple[values.Number, ...]:
        found = tuple(v for v in (value if values.is_sequence(value) else (value,)) if values.is_number(v))
        return (*found[:count], *(rng.randrange(256) for _ in range(count - len(found))))

    return Codec(encode=encode, decode=decode, kind="text", fit=fit)


def _joined_pairs(within: str, between: str) -> Codec:
    """Return a codec of numbers in pairs in one text; the empty text has none."""
    for separator in (within, between):
        if not separator or set(separator) & set("0123456789-.eE"):
            raise take.BadArgumentsError(f"takes a separator that is no part of a number, not {separator!r}")
    if within == between:
        raise take.BadArgumentsError(f"takes two separators that differ; `joined({within!r}, numbers)` has one")

    def encode(value: Any, env: Env) -> str:
        numbers = [values.spell_number(one) for one in values.sequence(value)]
        if len(numbers) % 2 or any(within in one or between in one for one in numbers):
            raise UnfitError("numbers in pairs", value)
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return between.join(f"{first}{within}{second}" for first, second in pairs)

    def decode(value: Any, env: Env) -> tuple[values.Number, ...]:
        pairs = [pair.split(within) for pair in _split(value, between)]
        if any(len(pair) != 2 for pair in pairs):
            raise UnfitError(f"pairs of numbers with {within!r} between, and {between!r} between pairs", value)
        return tuple(values.read_number(word.strip()) for pair in pairs for word in pair)

    def fit(value: Any, rng: random.Random, env: Env) -> tuple[values.Number, ...]:
        found = [v for v in (value if values.is_sequence(value) else (value,)) if values.is_number(v)]
        return tuple(found[: len(found) // 2 * 2])

    return Codec(encode=encode, decode=decode, kind="text", fit=fit)


def _joined_numbers(separator: str) -> Codec:
    _refuse_part_of_number(separator)

    def decode(value: Any, env: Env) -> tuple[values.Number, ...]:
        return tuple(values.read_number(word.strip()) for word in _split(value, separator))

    def fit(value: Any, rng: random.Random, env: Env) -> tuple[values.Number, ...]:
        found = value if values.is_sequence(value) else (value,)
        return tuple(v if values.is_number(v) else rng.randrange(256) for v in found)

    return Codec(
        encode=lambda value, env: separator.join(values.spell_number(v) for v in values.sequence(value)),
        decode=decode,
        kind="text",
        between=separator,
        fit=fit,
    )


def _join_points(value: Any, env: Env) -> str:
    ring = values.ring_of_pairs(value)
    return ";".join(
        f"{values.spell_number(x)},{values.spell_number(y)}" for x, y in zip(ring[::2], ring[1::2], strict=True)
    )


def _split_points(value: Any, env: Env) -> tuple[tuple[values.Number, ...], ...]:
    return tuple(_split_point(point) for point in _split(value, ";"))


def _split_point(point: str) -> tuple[values.Number, ...]:
    return values.coordinates([values.read_number(word.strip()) for word in point.split(",")], 2)


def _fit_points(value: Any, rng: random.Random, env: Env) -> Any:
    return tuple(map(tuple, values.as_pairs(values.ring_of(value))))


_JOINED_POINTS = Codec(encode=_join_points, decode=_split_points, kind="text", fit=_fit_points)


@codec("in_base")
def in_base(arguments: Sequence[Argument], site: Site) -> Codec:
    """`in_base(16)`: a whole number from 0 on in base 16, such as "1a" for 26.

    `in_base(16, 4)` writes at least four digits, "001a", and `in_base(16, 4, upper)` writes capitals, "001A". The base
    is from 2 to 36.
    """
    found = take.plain(arguments, 1, 3)
    base, width = take.whole(found[0], 2), take.whole(found[1], 1) if len(found) > 1 else 1
    upper = bool(take.names(found[2:], ["upper"]))
    if not 2 <= base <= 36 or not 1 <= width <= 64:
        raise take.BadArgumentsError(f"takes a base from 2 to 36 and a width from 1 to 64, not {base} and {width}")
    digits = _DIGITS[:base].upper() if upper else _DIGITS[:base]

    def encode(value: Any, env: Env) -> str:
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise UnfitError("a whole number from 0", value)
        spelled = ""
        while value:
            value, digit = divmod(value, base)
            spelled = digits[digit] + spelled
        return spelled.rjust(width, "0")

    def decode(value: Any, env: Env) -> int:
        text = values.text(value)
        known = len(text) <= _MOST_DIGITS and text != "" and all(one in digits for one in text)
        if not known or encode(number := int(text, base), env) != text:
            raise UnfitError(f"at least {width} digits of {digits!r}" if width > 1 else f"digits of {digits!r}", value)
        return number

    def fit(value: Any, rng: random.Random, env: Env) -> int:
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else rng.randrange(256)

    return Codec(encode=encode, decode=decode, kind="text", fit=fit)


@codec("decimal_comma")
def decimal_comma(arguments: Sequence[Argument], site: Site) -> Codec:
    """`decimal_comma`: a number as a text with a comma, "20,5". Several numbers stand under several keys."""
    take.plain(arguments)

    def spelled(value: Any) -> str:
        return values.spell_number(value).replace(".", ",")

    def read(value: Any) -> values.Number:
        if isinstance(value, str) and "." not in value:
            return values.read_number(value.strip().replace(",", "."))
        raise UnfitError('a number with a decimal comma, as "20,5"', value)

    count = site.right
    if count == 1:
        return Codec(encode=lambda value, env: spelled(value), decode=lambda value, env: read(value), kind="text")
    return Codec(
        encode=lambda value, env: tuple(map(spelled, values.sequence(value, count))),
        decode=lambda value, env: tuple(map(read, values.sequence(value, count))),
        kind="tree",
    )


@codec("quoted")
def quoted(arguments: Sequence[Argument], site: Site) -> Codec:
    """`quoted`: a text in double quotes, with quotes inside doubled. A single quote mark inside is read too."""
    take.plain(arguments)

    def decode(value: Any, env: Env) -> str:
        spelled = values.text(value)
        if len(spelled) < 2 or spelled[0] != '"' or spelled[-1] != '"':
            raise UnfitError('a text between "quotes"', value)
        return spelled[1:-1].replace('""', '"')

    return Codec(
        encode=lambda value, env: '"' + values.text(value).replace('"', '""') + '"',
        decode=decode,
        kind="text",
        fit=lambda value, rng, env: value if isinstance(value, str) else str(value),
    )


def _read_word(spelled: str) -> Any:
    """Read true, false and numbers in their canonical spelling; any other text stays text."""
    if spelled in ("true", "false"):
        return spelled == "true"
    try:
        number = values.read_number(spelled)
    except UnfitError:
        return spelled
    return number if values.spell_number(number) == spelled else spelled


def _spell_word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return values.spell_number(value)
    if not isinstance(_read_word(value), str):
        raise UnfitError("a text that does not read as a number, true or false", value)
    return value


def _fit_word(value: Any, rng: random.Random) -> Any:
    """Return a value that the codec can write: the given one, or a word made from it."""
    try:
        _spell_word(value)
    except UnfitError:
        return f"word {value}"
    return value


def _one_word(spelled: str) -> str:
    if not spelled or any(character.isspace() for character in spelled):
        raise UnfitError("words without spaces inside", spelled)
    return spelled


@codec("words")
def words(arguments: Sequence[Argument], site: Site) -> Codec:
    """`words`: one value as text: true, false, a number, or a text.

    `words(n)` is a tuple of n such values, separated by blanks; none may contain a blank. A text that would be read as
    a number or a truth value does not fit.
    """
    count = take.optional_count(arguments)
    if count is None:
        return Codec(
            encode=lambda value, env: _spell_word(value),
            decode=lambda value, env: _read_word(values.text(value)),
            kind="text",
            fit=lambda value, rng, env: _fit_word(value, rng),
        )

    def decode(value: Any, env: Env) -> tuple[Any, ...]:
        return tuple(_read_word(word) for word in values.sequence(values.text(value).split(), count))

    def fit(value: Any, rng: random.Random, env: Env) -> tuple[Any, ...]:
        found = tuple(value) if values.is_sequence(value) else (value,)
        fitted = [_fit_word(v, rng) for v in (found + ("-",) * count)[:count]]
        return tuple("".join(v.split()) or "-" if isinstance(v, str) else v for v in fitted)

    return Codec(
        encode=lambda value, env: " ".join(_one_word(_spell_word(v)) for v in values.sequence(value, count)),
        decode=decode,
        kind="text",
        arity=count,
        fit=lambda value, rng, env: tuple(_fit_word(v, rng) for v in fit(value, rng, env)),
    )


@codec("text")
def text(arguments: Sequence[Argument], site: Site) -> Codec:
    """`text`: a number that the file holds as text."""
    take.plain(arguments)
    return Codec(
        encode=lambda value, env: values.spell_number(value),
        decode=lambda value, env: values.read_number(values.text(value)),
        kind="text",
        fit=lambda value, rng, env: values.any_whole(value, rng, 2**31),
    )


@codec("spelled")
def spelled(arguments: Sequence[Argument], site: Site) -> Codec:
    """`spelled`: an id as text. It is read as a whole number if it spells one, otherwise as text.

    A whole number is read too. A text of the model that spells a number is written, and read as the number.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> str:
        word = value if isinstance(value, str) else values.spell_number(value)
        if word is value or _SPELLED.fullmatch(word):
            return word
        raise UnfitError("a text, or a whole number of at most 18 digits", value)

    def decode(value: Any, env: Env) -> int | str:
        word = str(value) if type(value) is int else values.text(value)
        return int(word) if _SPELLED.fullmatch(word) else word

    def fit(value: Any, rng: random.Random, env: Env) -> int | str:
        fitting = isinstance(value, str) and not _SPELLED.fullmatch(value)
        return value if fitting else values.any_whole(value, rng, 2**31)

    return Codec(encode=encode, decode=decode, kind="text", fit=fit)


@codec("texts")
def texts(arguments: Sequence[Argument], site: Site) -> Codec:
    """`texts`: lists and mappings of numbers whose numbers are texts: `polygon | named_pairs(x, y) | texts`."""
    take.plain(arguments)
    return Codec(
        encode=lambda value, env: _each_number(value, values.spell_number),
        decode=lambda value, env: _each_number(value, lambda word: values.read_number(values.text(word).strip())),
        kind="tree",
    )


def _each_number(value: Any, convert: Callable[[Any], Any], depth: int = 0) -> Any:
    if depth > DEEPEST:
        raise UnfitError(f"a structure of at most {DEEPEST} levels", value)
    if isinstance(value, dict):  # an element that has attributes or other elements has no text
        parts = value.items()
        return {key: _each_number(part, convert, depth + 1) for key, part in parts if (key, part) != ("#", "")}
    if values.is_sequence(value):
        return [_each_number(part, convert, depth + 1) for part in value]
    return convert(value)


@codec("suffix")
def suffix(arguments: Sequence[Argument], site: Site) -> Codec:
    """`suffix('group')`: false is written as the suffix, and true as the empty text."""
    word = take.text(take.plain(arguments, 1)[0])

    def encode(value: Any, env: Env) -> str:
        if not isinstance(value, bool):
            raise UnfitError("true or false", value)
        return "" if value else word

    def decode(value: Any, env: Env) -> bool:
        if not isinstance(value, str) or value not in ("", word):
            raise UnfitError(f"{word!r} or nothing", value)
        return value == ""

    return Codec(encode=encode, decode=decode, kind="text", fit=lambda value, rng, env: values.any_bool(value, rng))


_SPLIT = re.compile(r"/([a-z])/([0-9][^/]*)")
_WHOLE = re.compile(r"([a-z])([0-9][^/]*)")
_COUNT = re.compile(r"0|-?[1-9][0-9]{0,17}")


@codec("run_together")
def run_together(arguments: Sequence[Argument], site: Site) -> Codec:
    """`run_together`: an id such as "/m/0abc" without its slashes, "m0abc".

    Such an id is a letter followed by a part that begins with a digit. Ids without slashes are unchanged, and whole
    numbers are written as digits.
    """
    take.plain(arguments)

    def encode(value: Any, env: Env) -> str:
        spelled = str(value) if type(value) is int else values.text(value)
        split = _SPLIT.fullmatch(spelled)
        found = spelled if split is None else split[1] + split[2]
        if decode(found, env) != value:
            raise UnfitError("an id like /m/0abc, or one without slashes", value)
        return found

    def decode(value: Any, env: Env) -> str | int:
        spelled = values.text(value)
        if "/" in spelled:
            raise UnfitError("an id without slashes", value)
        whole = _WHOLE.fullmatch(spelled)
        if whole is not None:
            return f"/{whole[1]}/{whole[2]}"
        return int(spelled) if _COUNT.fullmatch(spelled) else spelled

    def fit(value: Any, rng: random.Random, env: Env) -> str | int:
        if isinstance(value, str) and _SPLIT.fullmatch(value):
            return value
        return decode(str(value).replace("/", " "), env)

    return Codec(encode=encode, decode=decode, kind="text", fit=fit)


@codec("base64")
def base64(arguments: Sequence[Argument], site: Site) -> Codec:
    """`base64`: bytes as text."""
    take.plain(arguments)

    def encode(value: Any, env: Env) -> str:
        if not isinstance(value, bytes):
            raise UnfitError("bytes", value)
        return binary.b64encode(value).decode("ascii")

    return Codec(
        encode=encode,
        decode=lambda value, env: read_base64(value),
        kind="text",
        fit=lambda value, rng, env: value if isinstance(value, bytes) else rng.randbytes(8),
    )


def read_base64(value: object) -> bytes:
    """Decode base64 text to bytes. Raises UnfitError if it is not text, or not base64 in the standard alphabet."""
    try:
        return binary.b64decode(values.text(value), validate=True)
    except ValueError:
        raise UnfitError("base64 text", value) from None
