"""The instructions of a pickle that make plain data, carried out; all others are refused.

The machine has a stack of values, marks in it, and a memo of values that the pickle uses again.  No instruction that it
knows can import a module, call a function, make an object of a class or ask somebody for a value.
"""

from __future__ import annotations

import codecs
import struct
import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from formatspec.files.document import EXPANSION, Document, FileError, check_estimate, text_of
from formatspec.model.limits import limits

LONGEST = 1024
"""Bytes of the longest whole numbers that are read."""
DIGITS = 2400
"""Digits of the longest whole numbers that are spelled with digits, which take about as many bytes."""
_BYTE, _SHORT, _WORD, _LONG = (struct.Struct(form) for form in ("<B", "<H", "<I", "<Q"))
_SIGNED, _DOUBLE = struct.Struct("<i"), struct.Struct(">d")
PLACES = 1 << 31
"""Places that the memo has; pickles number them from 0."""
KEYS = 1 << 53
"""Whole numbers as keys lie below this, on either side of 0: greater ones can be chosen so that all fall together."""


class Made(NamedTuple):
    """What a pickle makes, and whether it uses a list or a mapping again, which then may even hold itself."""

    document: Document
    shares: bool


def run(data: bytes, encodings: tuple[str, ...]) -> Made:
    """What a pickle makes, where it makes plain data.

    Lists and mappings of the result may be shared, may hold themselves, and may be nested without bounds.

    Args:
        data: The whole pickle, of any protocol.
        encodings: Text encodings for the texts of Python 2, which are bytes; the first one that fits is taken.

    Raises:
        FileError: It is no pickle, is cut off, goes on behind its end, or has an instruction that makes anything else.
        TooLargeError: What it makes takes more memory than the limit `values` allows.
    """
    machine = _Machine(data, encodings)
    most = max(limits().values, EXPANSION * len(data))
    taken = 0
    begin = 0
    try:
        while not machine.ended:
            begin = machine.at
            if begin >= len(data):
                raise FileError("the pickle is cut off")
            act, cost = _BY_CODE[data[begin]]
            machine.at = begin + 1
            taken += cost
            if taken > most:
                check_estimate(taken, len(data))
            act(machine)
    except FileError as error:
        raise FileError(f"byte {begin}: {error.message}") from None
    if machine.at < len(data):
        raise FileError(f"byte {machine.at}: the pickle ends here, and {len(data) - machine.at} more bytes follow")
    return Made(machine.stack[0], machine.shares)


class _Machine:
    """The state of a pickle that is read: the next byte, the values since the last mark, those before it, the memo."""

    __slots__ = ("at", "before", "data", "encodings", "ended", "memo", "shares", "stack")

    def __init__(self, data: bytes, encodings: tuple[str, ...]) -> None:
        self.data = data
        self.encodings = encodings
        self.at = 0
        self.stack: list[Any] = []
        self.before: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.ended = False
        self.shares = False

    def take(self, count: int) -> bytes:
        """The next bytes."""
        end = self.at + count
        if end > len(self.data):
            raise FileError("the pickle is cut off")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def line(self) -> bytes:
        """The bytes up to the end of the line, which is left behind."""
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise FileError("the pickle is cut off")
        taken = self.data[self.at : end]
        self.at = end + 1
        return taken

    def number(self, form: struct.Struct) -> Any:
        """The next bytes as a number."""
        at = self.at
        self.at = end = at + form.size
        if end > len(self.data):
            raise FileError("the pickle is cut off")
        return form.unpack_from(self.data, at)[0]

    def counted(self, form: struct.Struct) -> bytes:
        """The next bytes, behind the number that says how many they are."""
        count = self.number(form)
        if count < 0:
            raise FileError("a length is below 0")
        return self.take(count)

    def pop(self) -> Any:
        """The last value since the last mark, taken off."""
        if not self.stack:
            raise FileError("a value is used that is not there")
        return self.stack.pop()

    def last(self, kind: type) -> Any:
        """The last value since the last mark, which has a type."""
        if not self.stack or type(self.stack[-1]) is not kind:
            raise FileError(f"a value is put into what is no {'list' if kind is list else 'mapping'}")
        return self.stack[-1]

    def since_mark(self) -> list[Any]:
        """The values since the last mark, taken off with the mark."""
        if not self.before:
            raise FileError("a mark is used that is not there")
        taken, self.stack = self.stack, self.before.pop()
        return taken

    def fill(self, into: dict[str | int, Any], pairs: list[Any]) -> None:
        """Put keys and values, which alternate, into a mapping."""
        if len(pairs) % 2:
            raise FileError("a key has no value")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            self.enter(into, key, value)

    def enter(self, into: dict[str | int, Any], key: Any, value: Any) -> None:
        """Put a value into a mapping."""
        if type(key) is not str and not (type(key) is int and -KEYS < key < KEYS):
            raise FileError(f"a key must be a text or a whole number below 2**53, not {_shown(key)}")
        if key in into:
            raise FileError(f"the key {_shown(key)} stands twice in one mapping")
        into[key] = value

    def remember(self, place: int) -> None:
        """Put the last value into the memo."""
        if not self.stack:
            raise FileError("a value is used that is not there")
        if not 0 <= place < PLACES:
            raise FileError(f"the memo has no place {_shown(place)}")
        self.memo[place] = self.stack[-1]

    def recall(self, place: int) -> None:
        """Take a value from the memo."""
        if place not in self.memo:
            raise FileError(f"the memo holds nothing at {_shown(place)}")
        self.use_again(self.memo[place])

    def use_again(self, value: Any) -> None:
        """Put a value on the stack that stands elsewhere, too."""
        self.shares = self.shares or type(value) in (list, dict)
        self.stack.append(value)

    def old_text(self, raw: bytes) -> str:
        """A text of Python 2, whose bytes are in one of the role's encodings."""
        return raw.decode() if raw.isascii() else text_of(raw, self.encodings)[0]


def _stop(machine: _Machine) -> None:
    if machine.before or len(machine.stack) != 1:
        raise FileError("the pickle ends with open marks, or with other than one value")
    machine.ended = True


def _mark(machine: _Machine) -> None:
    machine.before.append(machine.stack)
    machine.stack = []


def _pop(machine: _Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.since_mark()


def _again(machine: _Machine) -> None:
    value = machine.pop()
    machine.stack.append(value)
    machine.use_again(value)


def _proto(machine: _Machine) -> None:
    version = machine.number(_BYTE)
    if version > 5:
        raise FileError(f"a pickle of protocol {version}; protocols 0 to 5 are read")


def _append(machine: _Machine) -> None:
    value = machine.pop()
    machine.last(list).append(value)


def _appends(machine: _Machine) -> None:
    values = machine.since_mark()
    machine.last(list).extend(values)


def _set_item(machine: _Machine) -> None:
    value = machine.pop()
    key = machine.pop()
    machine.enter(machine.last(dict), key, value)


def _set_items(machine: _Machine) -> None:
    pairs = machine.since_mark()
    machine.fill(machine.last(dict), pairs)


def _mapping(machine: _Machine) -> None:
    made: dict[str | int, Any] = {}
    machine.fill(made, machine.since_mark())
    machine.stack.append(made)


def _list(machine: _Machine) -> None:
    values = machine.since_mark()
    machine.stack.append(values)


def _last_as_list(count: int) -> Callable[[_Machine], None]:
    """Give what makes a tuple of the last values, which is read as a list."""

    def act(machine: _Machine) -> None:
        values = [machine.pop() for _ in range(count)]
        machine.stack.append(values[::-1])

    return act


def _pushed(make: Callable[[_Machine], Any]) -> Callable[[_Machine], None]:
    """Give what puts a value on the stack."""
    return lambda machine: machine.stack.append(make(machine))


def _digits(line: bytes) -> int:
    """The whole number that a line spells."""
    if len(line) > DIGITS:
        raise FileError(f"a whole number of {len(line)} digits; at most {DIGITS} are read")
    try:
        return int(line)
    except ValueError:
        raise FileError(f"no whole number: {_shown(line)}") from None


def _whole_line(machine: _Machine) -> int | bool:
    line = machine.line().strip()
    return line == b"01" if line in (b"00", b"01") else _digits(line)


def _whole_bytes(form: struct.Struct) -> Callable[[_Machine], int]:
    def made(machine: _Machine) -> int:
        length = machine.number(form)
        if not 0 <= length <= LONGEST:
            raise FileError(f"a whole number of {length} bytes; at most {LONGEST} are read")
        return int.from_bytes(machine.take(length), "little", signed=True)

    return made


def _float_line(machine: _Machine) -> float:
    line = machine.line()
    try:
        return float(line)
    except ValueError:
        raise FileError(f"no number: {_shown(line)}") from None


def _quoted(machine: _Machine) -> str:
    """A text of Python 2 in quotes, as its `repr` spells it."""
    line = machine.line().rstrip()
    if len(line) < 2 or line[0] != line[-1] or line[:1] not in (b"'", b'"'):
        raise FileError(f"no text in quotes: {_shown(line)}")
    if b"\\" not in line:
        return machine.old_text(line[1:-1])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of a backslash before any other character
            return machine.old_text(codecs.escape_decode(line[1:-1])[0])
    except ValueError as error:
        raise FileError(f"no text in quotes: {error}") from None


def _escaped(machine: _Machine) -> str:
    """A text whose characters beyond Latin-1 are escaped; those beyond 16 bits may be two escapes."""
    line = machine.line()
    if b"\\" not in line:
        return line.decode("latin-1")
    try:
        text = line.decode("raw-unicode-escape")
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeError as error:
        raise FileError(f"no text: {error}") from None


def _utf8(form: struct.Struct) -> Callable[[_Machine], str]:
    def made(machine: _Machine) -> str:
        try:
            return machine.counted(form).decode()
        except UnicodeDecodeError as error:
            raise FileError(f"a text is no UTF-8: {error}") from None

    return made


def _frame(machine: _Machine) -> None:
    """Pass over the length of a frame, which says only how far a reader may read ahead."""
    machine.number(_LONG)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


class _Instruction(NamedTuple):
    """What an instruction does, and about how many bytes of memory it takes at most, texts aside."""

    act: Callable[[_Machine], None]
    cost: int


NOTED, SINGLE, OPENED = 100, 40, 120
_INSTRUCTIONS: Mapping[bytes, _Instruction] = MappingProxyType(
    {
        b"\x80": _Instruction(_proto, 0),
        b"\x95": _Instruction(_frame, 0),
        b".": _Instruction(_stop, 0),
        b"(": _Instruction(_mark, OPENED),
        b"0": _Instruction(_pop, 0),
        b"1": _Instruction(lambda machine: machine.since_mark().clear(), 0),
        b"2": _Instruction(_again, SINGLE),
        b"N": _Instruction(_pushed(lambda machine: None), SINGLE),
        b"\x88": _Instruction(_pushed(lambda machine: True), SINGLE),
        b"\x89": _Instruction(_pushed(lambda machine: False), SINGLE),
        b"I": _Instruction(_pushed(_whole_line), SINGLE),
        b"L": _Instruction(_pushed(lambda machine: _digits(machine.line().removesuffix(b"L"))), SINGLE),
        b"J": _Instruction(_pushed(lambda machine: machine.number(_SIGNED)), SINGLE),
        b"K": _Instruction(_pushed(lambda machine: machine.number(_BYTE)), SINGLE),
        b"M": _Instruction(_pushed(lambda machine: machine.number(_SHORT)), SINGLE),
        b"\x8a": _Instruction(_pushed(_whole_bytes(_BYTE)), SINGLE),
        b"\x8b": _Instruction(_pushed(_whole_bytes(_SIGNED)), SINGLE),
        b"F": _Instruction(_pushed(_float_line), SINGLE),
        b"G": _Instruction(_pushed(lambda machine: machine.number(_DOUBLE)), SINGLE),
        b"S": _Instruction(_pushed(_quoted), SINGLE),
        b"T": _Instruction(_pushed(lambda machine: machine.old_text(machine.counted(_SIGNED))), SINGLE),
        b"U": _Instruction(_pushed(lambda machine: machine.old_text(machine.counted(_BYTE))), SINGLE),
        b"V": _Instruction(_pushed(_escaped), SINGLE),
        b"X": _Instruction(_pushed(_utf8(_WORD)), SINGLE),
        b"\x8c": _Instruction(_pushed(_utf8(_BYTE)), SINGLE),
        b"\x8d": _Instruction(_pushed(_utf8(_LONG)), SINGLE),
        b"]": _Instruction(_pushed(lambda machine: []), OPENED),
        b"l": _Instruction(_list, OPENED),
        b"a": _Instruction(_append, 0),
        b"e": _Instruction(_appends, 0),
        b")": _Instruction(_pushed(lambda machine: []), OPENED),
        b"t": _Instruction(_list, OPENED),
        b"\x85": _Instruction(_last_as_list(1), OPENED),
        b"\x86": _Instruction(_last_as_list(2), OPENED),
        b"\x87": _Instruction(_last_as_list(3), OPENED),
        b"}": _Instruction(_pushed(lambda machine: {}), OPENED),
        b"d": _Instruction(_mapping, OPENED),
        b"s": _Instruction(_set_item, 0),
        b"u": _Instruction(_set_items, 0),
        b"p": _Instruction(lambda machine: machine.remember(_digits(machine.line())), NOTED),
        b"q": _Instruction(lambda machine: machine.remember(machine.number(_BYTE)), NOTED),
        b"r": _Instruction(lambda machine: machine.remember(machine.number(_WORD)), NOTED),
        b"\x94": _Instruction(lambda machine: machine.remember(len(machine.memo)), NOTED),
        b"g": _Instruction(lambda machine: machine.recall(_digits(machine.line())), SINGLE),
        b"h": _Instruction(lambda machine: machine.recall(machine.number(_BYTE)), SINGLE),
        b"j": _Instruction(lambda machine: machine.recall(machine.number(_WORD)), SINGLE),
    }
)
"""The instructions that make plain data, by their codes."""

_OTHERS: Mapping[bytes, tuple[str, str]] = MappingProxyType(
    {
        b"c": ("GLOBAL", "names something that Python would import"),
        b"\x93": ("STACK_GLOBAL", "names something that Python would import"),
        b"R": ("REDUCE", "calls a function"),
        b"b": ("BUILD", "sets the state of an object"),
        b"i": ("INST", "makes an object of a class"),
        b"o": ("OBJ", "makes an object of a class"),
        b"\x81": ("NEWOBJ", "makes an object of a class"),
        b"\x92": ("NEWOBJ_EX", "makes an object of a class"),
        b"P": ("PERSID", "asks the reader for a value"),
        b"Q": ("BINPERSID", "asks the reader for a value"),
        b"\x82": ("EXT1", "names something that Python would import"),
        b"\x83": ("EXT2", "names something that Python would import"),
        b"\x84": ("EXT4", "names something that Python would import"),
        b"C": ("SHORT_BINBYTES", "holds bytes"),
        b"B": ("BINBYTES", "holds bytes"),
        b"\x8e": ("BINBYTES8", "holds bytes"),
        b"\x96": ("BYTEARRAY8", "holds bytes"),
        b"\x97": ("NEXT_BUFFER", "holds bytes that stand elsewhere"),
        b"\x98": ("READONLY_BUFFER", "holds bytes that stand elsewhere"),
        b"\x8f": ("EMPTY_SET", "holds a set"),
        b"\x90": ("ADDITEMS", "holds a set"),
        b"\x91": ("FROZENSET", "holds a set"),
    }
)


def _refused(code: bytes) -> _Instruction:
    """What an instruction does that makes no plain data, or is none: it raises FileError."""
    name, does = _OTHERS.get(code, ("", ""))
    message = (
        f"the pickle {does} ({name}); only mappings, lists, texts, numbers, true, false and null are read, since a "
        "pickle can run any code"
        if name
        else f"no pickle: 0x{code.hex()} is no instruction of one"
    )

    def act(machine: _Machine) -> None:
        raise FileError(message)

    return _Instruction(act, 0)


_BY_CODE = tuple(_INSTRUCTIONS.get(code) or _refused(code) for code in (bytes((number,)) for number in range(256)))
"""What each byte does where an instruction begins."""
