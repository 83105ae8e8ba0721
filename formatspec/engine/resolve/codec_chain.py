"""The conversions of one leaf, for reading and for writing: text, codecs, and the types of its slots."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any

import msgspec

from formatspec.codecs import BadArgumentsError, UnknownCodecError, make
from formatspec.codecs.registry import CODECS, Argument, Codec, Env, Site, UnfitError
from formatspec.engine.base.slot_values import BARE, TYPES, Convert
from formatspec.engine.resolve.fuse_arithmetic import fused
from formatspec.language.errors import Place
from formatspec.language.expression import Literal
from formatspec.language.leaf import Bind
from formatspec.language.rules import problem
from formatspec.language.words.other_names import argument_hint, codec_hint
from formatspec.model.plain.decimals import DECIMAL, read_decimal, spell_decimal
from formatspec.model.slots import Type
from formatspec.paths.templates import formats
from formatspec.plugins import PluginError

NUMBER = rf"{DECIMAL}|[-+]?(?:nan|NaN|inf|Infinity)"
"""A number in a text. It can match in one way only, so that a line that does not match is refused quickly."""
WHOLE_NUMBER = rf"(?:{formats.field('x', 'd').pattern})(?:\.[0-9]+)?"
"""A whole number, or one that is spelled as 1.0, which is reported."""
_INTEGER = re.compile(r"[-+]?[0-9]+")
_NO_NUMBER = re.compile(r"[-+]?(?:nan|NaN|inf|Infinity)")
_PADDED = re.compile(r"0\d+d")


class Chain(msgspec.Struct, frozen=True):
    """The conversions of one leaf.

    Attributes:
        decode: From the file's value to the model's; raises UnfitError.
        encode: From the model's value to the file's; raises UnfitError.
        codecs: The codecs, in the order in which they are written in the spec.
        needs: What the codecs ask for, as `size` for the image's size.
        pattern: The regular expression of the text in the file; None where any text goes.
        unspelled: In a text document, the value before it becomes text; the same as `encode` where nothing becomes
            text.
    """

    decode: Convert
    encode: Convert
    codecs: tuple[Codec, ...]
    needs: frozenset[str]
    pattern: str | None = None
    unspelled: Convert | None = None

    @property
    def others(self) -> Callable[[Any], Iterable[str]] | None:
        """What names the parts of the file's value that are not read; None if all are."""
        return self.codecs[-1].others if self.codecs else None


def text_from_number(value: float) -> str:
    """Spell a number for a text document; see `spell_decimal`.  Booleans become `true` and `false`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return spell_decimal(value)


def spell(value: Any, env: Env | None = None) -> str:
    """Spell a value for a text document: numbers as `spell_decimal` does, lists separated by blanks, null as nothing.

    Raises:
        UnfitError: The value is a mapping or something else that text cannot hold.
    """
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is float:
        text = repr(value)
        return text_from_number(value) if "e" in text else text
    if kind is int:
        return repr(value)
    if kind is list or kind is tuple:
        return _spell_numbers(value) or " ".join(map(spell, value))
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return text_from_number(value)
    if isinstance(value, list | tuple):
        return " ".join(map(spell, value))
    raise UnfitError("a value that text can hold", value)


def spell_single(value: Any, env: Env | None = None) -> str:
    """Spell a value of any type for a text document. A list would read back as one text.

    Raises:
        UnfitError: The value is a list or something else that text cannot hold.
    """
    if isinstance(value, list | tuple):
        raise UnfitError("a single value", value)
    return spell(value)


def spell_each(values: Any, env: Env | None = None) -> tuple[str, ...]:
    """Spell each of several values for a text document. Raises UnfitError as `spell` does."""
    texts = tuple([repr(value) if type(value) is float or type(value) is int else spell(value) for value in values])
    return texts if "e" not in "".join(texts) else tuple(map(spell, values))


def _spell_numbers(values: Sequence[Any]) -> str:
    """Spell numbers with an encoder that is several times faster; an empty text if it would spell one differently."""
    if not _NUMBERS.issuperset(map(type, values)):
        return ""
    try:
        text = _ENCODE(values).decode()
    except OverflowError:
        return ""
    return "" if "e" in text or "n" in text or "0.0000" in text else text[1:-1].replace(",", " ")


def spell_rows(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Spell each row's values as text, separated by blanks; rows of numbers are spelled all at once."""
    try:
        text = _ENCODE(rows).decode()
    except (OverflowError, TypeError):
        text = ""
    if _PLAIN_ROWS.fullmatch(text) and "0.0000" not in text and text.count("[") == len(rows) + 1:
        return text[2:-2].replace("],[", "\n").replace(",", " ").split("\n")
    return [spell(row) for row in rows]


_PLAIN_ROWS = re.compile(r"\[\[[-0-9.,\[\]]+\]\]")
_NUMBERS = frozenset({int, float})
_ENCODE = msgspec.json.Encoder().encode


def number_from_text(text: Any, env: Env | None = None) -> int | float:
    """Read a number of a text document.

    NaN and the infinities are read too, so that their finding can say that a coordinate is no number.

    Raises:
        UnfitError: The value is no text, or spells no number.
    """
    if not isinstance(text, str):
        raise UnfitError("a number", text)
    text = text.strip()
    found = read_decimal(text)
    if found is None and _NO_NUMBER.fullmatch(text):
        return float(text)
    if found is None:
        raise UnfitError("a number", text)
    return found


def _read_numbers(text: Any, env: Env) -> Any:
    if isinstance(text, str):
        return [number_from_text(word) for word in text.split()]
    return [number_from_text(word) for word in text]


def _read_id(text: Any, env: Env) -> Any:
    """Read an id of a text file: an integer if it is spelled as one, so that `007` stays text."""
    if isinstance(text, str) and _INTEGER.fullmatch(text) and len(text) < 19 and str(int(text)) == text:
        return int(text)
    return text


def _read_bool(text: Any, env: Env) -> bool:
    words = {"true": True, "false": False, "True": True, "False": False}
    if text not in words:
        raise UnfitError("true or false", text)
    return words[text]


_TEXT_READERS: dict[str, Convert] = {"number": number_from_text, "numbers": _read_numbers}
_TEXT_TYPES: dict[Type, Convert] = {
    "int": number_from_text,
    "number": number_from_text,
    "id": _read_id,
    "bool": _read_bool,
    "color": _read_numbers,
    "ring": _read_numbers,
    "box": _read_numbers,
}  # fmt: skip
_FORMATS: dict[str, Convert] = {"d": number_from_text, "f": number_from_text}


def build(leaf: Bind, types: Sequence[Type], keys: int, textual: bool, place: Place) -> Chain:
    """Compile the conversions of a leaf that binds slots of some types under `keys` keys of the file.

    textual: whether the file's values are text. Raises SpecError if a codec is unknown or its arguments do not fit.
    """
    codecs = _codecs(leaf, len(types), keys, textual, place)
    steps_in: list[Convert] = []
    steps_out = _encoding(codecs, types, keys)
    unspelled = None
    if textual:
        reader = _text_reader(leaf, codecs, types)
        if reader is not None:
            many = keys > 1 and reader is not _read_numbers
            steps_in.append(partial(_each, reader) if many else reader)
        if leaf.format is not None and (leaf.format == "word" or _PADDED.fullmatch(leaf.format)):
            steps_out.append(partial(_rendered, formats.line_field("x", leaf.format).render))
        elif leaf.format == "token":
            steps_out.append(_unbroken)
        unspelled = _composed(steps_out)
        if not codecs or codecs[-1].kind != "tree":
            alone = spell_single if not codecs and list(types) == ["json"] else spell
            steps_out.append(spell_each if keys > 1 else alone)
    steps_in.extend(codec.decode for codec in reversed(codecs))
    checks = [(None if codecs else BARE.get(kind)) or TYPES.get(kind) for kind in types]
    if len(types) == 1:
        if checks[0] is not None:
            steps_in.append(_if_any(checks[0]))
    else:
        if keys == 1 and not codecs and not textual and _COUNTS.keys() & set(types):
            counts = [_COUNTS.get(kind) for kind in types]
            steps_in.append(partial(_parted, counts))
            steps_out.append(partial(_in_a_row, counts))
        steps_in.append(partial(_slots, tuple(checks)))
    needs = frozenset(need for codec in codecs for need in codec.needs)
    pattern = _pattern(leaf, codecs, types) if textual else None
    decode, encode = _composed(steps_in), _composed(steps_out)
    if leaf.default == Literal(None) and codecs and keys == 1 and not textual:
        decode, encode = partial(_or_null, decode), partial(_or_null, encode)
    return Chain(decode, encode, codecs, needs, pattern, unspelled)


def _codecs(leaf: Bind, left: int, right: int, textual: bool, place: Place) -> tuple[Codec, ...]:
    made = []
    last = len(leaf.calls) - 1
    for at, call in enumerate(leaf.calls):
        arguments = call.arguments
        if textual and at == last and call.name in ("map", "flag", "flags"):
            arguments = tuple(Argument(a.value, spell(a.file), True) if a.paired else a for a in arguments)
        try:
            made.append(make(call.name, arguments, Site(left, right)))
        except PluginError as error:
            raise problem(str(error), place) from None
        except UnknownCodecError:
            hint = codec_hint(call.name, CODECS)
            raise problem(f"no codec is called {call.name!r}", place, hint=hint) from None
        except BadArgumentsError as error:
            raise problem(str(error), place, hint=argument_hint(one.value for one in arguments)) from None
        left = 1 if left > 1 and call.name in ("digits",) else left
    return tuple(made)


_COUNTS: dict[Type, int] = {"box": 4, "rotated": 5, "circle": 3, "ellipse": 5}
"""Types with a fixed number of numbers, which may stand in a list with the values of other slots."""


def _parted(counts: Sequence[int | None], value: Any, env: Env) -> tuple[Any, ...]:
    """Split a list into the values of several slots, whose numbers follow each other."""
    whole = sum(count or 1 for count in counts)
    if not isinstance(value, list | tuple) or len(value) != whole:
        raise UnfitError(f"{whole} values", value)
    rest = iter(value)
    return tuple(next(rest) if count is None else tuple(islice(rest, count)) for count in counts)


def _in_a_row(counts: Sequence[int | None], value: Any, env: Env) -> list[Any]:
    """Put the numbers of several slots into one list, as the inverse of `_parted`."""
    found: list[Any] = []
    for count, part in zip(counts, value, strict=True):
        found += (part,) if count is None else part
    return found


_SHAPES: dict[Type, tuple[int, tuple[int, ...]]] = {"box": (4, (2, 3))}
"""Types with a fixed number of numbers, and the positions of those that are widths and heights."""


def _encoding(codecs: Sequence[Codec], types: Sequence[Type], keys: int) -> list[Convert]:
    """Return the codecs' conversions for writing; as one function if they only calculate with numbers."""
    steps: list[Convert] = [codec.encode for codec in codecs]
    shape = _SHAPES.get(types[0]) if len(types) == 1 and codecs else None
    whole = None if shape is None else fused(codecs, *shape, keys > 1, _composed(steps))
    return steps if whole is None else [whole]


def _each(convert: Convert, values: Any, env: Env) -> tuple[Any, ...]:
    return tuple(convert(value, env) for value in values)


def _or_null(convert: Convert, value: Any, env: Env) -> Any:
    """Return null for null, if the codecs have no other spelling for it."""
    try:
        return convert(value, env)
    except UnfitError:
        if value is None:
            return None
        raise


def _if_any(check: Convert) -> Convert:
    """Return a check that every value but null must pass."""
    return lambda value, env: None if value is None else check(value, env)


def _slots(checks: tuple[Convert | None, ...], values: Any, env: Env) -> tuple[Any, ...]:
    if not isinstance(values, list | tuple) or len(values) != len(checks):
        raise UnfitError(f"{len(checks)} values", values)
    return tuple(
        value if check is None or value is None else check(value, env)
        for check, value in zip(checks, values, strict=True)
    )


def _unbroken(value: Any, env: Env) -> Any:
    """Return a value if its text is one word."""
    if not re.fullmatch(r"\S+", spell(value)):
        raise UnfitError("a word without blanks", value)
    return value


def _rendered(render: Callable[[Any], str], value: Any, env: Env) -> str:
    try:
        return render(value)
    except ValueError as error:
        raise UnfitError(str(error), value) from None


def _text_reader(leaf: Bind, codecs: Sequence[Codec], types: Sequence[Type]) -> Convert | None:
    if leaf.format in _FORMATS or _PADDED.fullmatch(leaf.format or ""):
        return number_from_text
    for codec in reversed(codecs):
        if codec.kind in _TEXT_READERS:
            return _TEXT_READERS[codec.kind]
        if codec.kind != "any":
            return None
    if leaf.calls and leaf.calls[-1].name == "map":
        return None
    return _TEXT_TYPES.get(types[0]) if len(types) == 1 else None


def _pattern(leaf: Bind, codecs: Sequence[Codec], types: Sequence[Type]) -> str:
    if leaf.format == "token":
        return r"\S+"
    if leaf.format is not None:
        pattern = formats.line_field("x", leaf.format).pattern
        return WHOLE_NUMBER if leaf.format == "d" else pattern
    arity = next((codec.arity for codec in reversed(codecs) if codec.arity), None)
    for codec in reversed(codecs):
        if codec.between is not None and codec is codecs[-1]:
            mark = codec.between.strip()
            parted = rf"[ ]*{re.escape(mark)}[ ]*(?:{NUMBER})" if mark else f"[ ]+(?:{NUMBER})"
            return f"(?:{NUMBER})" + (f"(?:{parted}){{{arity - 1}}}" if arity else f"(?:{parted})*")
        if codec.kind == "number":
            return NUMBER
        if codec.kind == "numbers":
            number = f"(?:{NUMBER})"
            return number + (f"(?: {number}){{{arity - 1}}}" if arity else f"(?: {number})*")
        if codec.kind != "any":
            return r".*"
    if leaf.calls and leaf.calls[-1].name == "map":
        words = [spell(argument.file) for argument in leaf.calls[-1].arguments if argument.paired]
        return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    kind = types[0]
    if kind in ("int", "number"):
        return NUMBER
    return r".+"


def as_it_is(value: Any, env: Env) -> Any:
    """Return a value unchanged: the conversion of a leaf without codecs."""
    return value


def _composed(steps: Sequence[Convert]) -> Convert:
    if not steps:
        return as_it_is
    if len(steps) == 1:
        return steps[0]
    if len(steps) == 2:
        first, second = steps
        return lambda value, env: second(first(value, env), env)

    def run(value: Any, env: Env) -> Any:
        for step in steps:
            value = step(value, env)
        return value

    return run


MOST_MEMOS = 1 << 12
"""Distinct texts of one leaf whose values are kept."""


class Memo(dict[str, Any]):
    """The values of a leaf's texts, each decoded once."""

    def __init__(self, decode: Convert) -> None:
        """Take the decoder of the leaf, which must not need the size of the image."""
        super().__init__()
        self._decode = decode

    def __missing__(self, text: str) -> Any:
        """Decode a text that is met for the first time, or that is not kept.  Raises UnfitError."""
        value = self._decode(text, _NO_SIZE)
        if type(value) in _LASTING and len(self) < MOST_MEMOS:
            self[text] = value
        return value


_NO_SIZE = Env()
_LASTING = frozenset({str, int, float, bool, type(None)})
