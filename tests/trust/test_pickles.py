"""A pickle can run any code where Python's own unpickler reads it; here it is plain data or a finding."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import pickletools
import struct
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import formatspec as fs
from formatspec.api import detect_format
from formatspec.files.document import FileError
from formatspec.files.pickles import measure, pickle_file, plain_machine
from formatspec.files.pickles.pickle_file import decode
from formatspec.model.limits import TooLargeError, limits, set_limits
from formatspec.paths.trees.open_tree import open_tree


class Runs:
    """What runs a command where it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


class State:
    def __init__(self) -> None:
        self.x = 1


class Asks(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        return "somewhere" if isinstance(obj, State) else None


def asking(protocol: int) -> bytes:
    file = io.BytesIO()
    Asks(file, protocol).dump([State()])
    return file.getvalue()


HOSTILE = {
    "a command": pickle.dumps(Runs("touch {mark}"), 2),
    "a command as text": pickle.dumps(Runs("touch {mark}"), 0),
    "a command, framed": pickle.dumps([Runs("touch {mark}")], 4),
    "a global": b"cbuiltins\neval\n.",
    "a global of Python 2": b"c__builtin__\neval\n(S'1+1'\ntR.",
    "a global on the stack": b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.",
    "a call": b"]R.",
    "a state": b"}}b.",
    "an object": pickle.dumps(State(), 2),
    "an object with arguments": b"\x80\x04)}\x92.",
    "an instance": b"(ios\nsystem\n.",
    "an object of a class": b"(cos\nsystem\nS'ls'\no.",
    "a value to be asked for": asking(0),
    "a value to be asked for, in bytes": asking(2),
    "an extension": b"\x80\x02\x82\x01.",
    "an extension of two bytes": b"\x80\x02\x83\x01\x00.",
    "an extension of four bytes": b"\x80\x02\x84\x01\x00\x00\x00.",
    "bytes": pickle.dumps(b"x", 4),
    "bytes of protocol 2": pickle.dumps(b"x", 2),
    "an array of bytes": pickle.dumps(bytearray(b"x"), 5),
    "a buffer elsewhere": b"\x80\x05\x97.",
    "a set": pickle.dumps({1}, 4),
    "a frozen set": pickle.dumps(frozenset({1}), 4),
    "a set of protocol 2": pickle.dumps({1}, 2),
}


REACHES = (
    (builtins, "eval"),
    (builtins, "exec"),
    (os, "system"),
    (pickle, "loads"),
    (pickle, "load"),
    (pickle, "Unpickler"),
)
"""What a pickle may not reach: calls by name, and Python's own unpickler."""


@pytest.mark.parametrize("name", HOSTILE)
def test_what_would_run_code_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[Any] = []
    said = ""
    with monkeypatch.context() as patched:
        for module, function in REACHES:
            patched.setattr(module, function, lambda *told, **_: reached.append(told))
        try:
            decode(HOSTILE[name])
        except FileError as error:
            said = error.message
    assert "only mappings, lists, texts, numbers, true, false and null are read" in said
    assert not reached


def test_python_s_unpickler_is_not_imported() -> None:
    for module in (pickle_file, plain_machine, measure):
        assert not {"pickle", "_pickle", "pickletools", "importlib"} & vars(module).keys()


def test_every_instruction_that_makes_more_than_plain_data_is_refused() -> None:
    """Of each instruction that Python knows; those that are carried out are listed here."""
    plain = {
        "MARK", "STOP", "POP", "POP_MARK", "DUP", "FLOAT", "INT", "BININT", "BININT1", "LONG", "BININT2", "NONE",
        "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "APPEND", "DICT", "EMPTY_DICT", "APPENDS",
        "GET", "BINGET", "LONG_BINGET", "LIST", "EMPTY_LIST", "PUT", "BINPUT", "LONG_BINPUT", "SETITEM", "TUPLE",
        "EMPTY_TUPLE", "SETITEMS", "BINFLOAT", "PROTO", "TUPLE1", "TUPLE2", "TUPLE3", "NEWTRUE", "NEWFALSE", "LONG1",
        "LONG4", "SHORT_BINUNICODE", "BINUNICODE8", "MEMOIZE", "FRAME",
    }  # fmt: skip
    for instruction in pickletools.opcodes:
        code = instruction.code.encode("latin-1")
        try:
            decode(code + b"\x00" * 8)
            said = ""
        except FileError as error:
            said = error.message
        refused = "since a pickle can run any code" in said
        assert refused == (instruction.name not in plain), instruction.name
        if refused:
            assert f"({instruction.name})" in said


@given(st.lists(st.sampled_from([op.code.encode("latin-1") for op in pickletools.opcodes]) | st.binary(max_size=4)))
def test_random_instructions_are_read_or_refused(parts: list[bytes]) -> None:
    try:
        decode(b"".join(parts))
    except (FileError, TooLargeError):
        return


def nested(opening: bytes, depth: int) -> bytes:
    """A list in a list, and so on: each is opened, and then put into the one around it."""
    return opening * depth + b"a" * (depth - 1) + b"."


@pytest.mark.parametrize("opening", [b"]", b"(l", b")"])
def test_how_deep_values_nest(opening: bytes) -> None:
    decode(nested(opening, 200))
    for depth in (201, 100_000):
        with pytest.raises(FileError, match="nested deeper than 200"):
            decode(nested(opening, depth))
    with pytest.raises(FileError, match="nested deeper than 200"):
        decode(b"N" + b"\x85" * 100_000 + b".")
    with pytest.raises(FileError, match="nested deeper than 200"):
        decode(b"]" * 201 + b"q\x01" + b"a" * 200 + b"h\x01a.")  # where a list is shared


@pytest.mark.parametrize(
    "data",
    [
        b"]q\x00h\x00a.",
        b"]q\x00(h\x00h\x00e.",
        b"}q\x00U\x01ah\x00s.",
        b"]q\x00]q\x01h\x00aa.",
        b"(lp0\n(dp1\nS'a'\ng0\nsa.",
    ],
)
def test_a_value_that_holds_itself_is_refused(data: bytes) -> None:
    with pytest.raises(FileError, match="a value holds itself"):
        decode(data)


def test_values_that_grow_by_being_shared_are_refused() -> None:
    """Forty lists, each of ten times the one before: a few hundred bytes for as many values as there are atoms."""
    lists: Any = "x"
    for _ in range(40):
        lists = [lists] * 10
    begin = process_time()
    with pytest.raises(TooLargeError, match="--limit values"):
        decode(pickle.dumps(lists, 4))
    assert process_time() - begin < 2


def test_a_long_text_that_is_shared_often_counts_each_time() -> None:
    text = ["x" * 100_000]
    with pytest.raises(TooLargeError, match="--limit values"):
        decode(pickle.dumps([text] * 100_000, 4))


@pytest.mark.parametrize("unit", [b"]", b"}", b"(", b"N", b"]\x94", b"N2", b"Nq\x01", b"(0"])
def test_many_small_instructions_are_held_to_the_memory_of_their_file(unit: bytes) -> None:
    before = limits().values
    set_limits({"values": 1})
    try:
        with pytest.raises((TooLargeError, FileError)) as caught:
            decode(unit * 100_000)
    finally:
        set_limits({"values": before})
    if isinstance(caught.value, FileError):
        assert "cut off" in caught.value.message


def test_whole_numbers_and_places_that_are_huge() -> None:
    begin = process_time()
    for data in (
        b"L" + b"9" * 1_000_000 + b"L\n.",
        b"I" + b"9" * 1_000_000 + b"\n.",
        b"\x8b" + struct.pack("<i", 1_000_000) + b"\x7f" * 1_000_000 + b".",
        b"\x8b\xff\xff\xff\xff.",
        b"Np" + b"9" * 1_000_000 + b"\n.",
    ):
        with pytest.raises(FileError, match="whole number of"):
            decode(data)
    with pytest.raises(FileError, match="no place"):
        decode(b"Nr\xff\xff\xff\xff.")
    assert decode(b"Nr\xff\xff\xff\x7f.") is None  # which makes Python's unpickler ask for 32 GB
    assert process_time() - begin < 2


SPEC = """formatspec: 1
name: my_pickles
items: refs
files:
  image: "{name}.{ext:image}"
  refs:
    path: refs.p
    pickle: [{each: items, file: "{name}.{ext}", things: [{each: objects, class: category.name, box: bbox | xywh}]}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "d"
    data.mkdir()
    Image.new("RGB", (40, 30)).save(data / "a.png")
    (tmp_path / "my.yaml").write_text(SPEC, encoding="utf-8")
    return data


def test_a_hostile_pickle_is_a_finding(folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (folder / "refs.p").write_bytes(pickle.dumps(Runs(f"touch {mark}"), 2))
    report = fs.validate(folder, tmp_path / "my.yaml", workers=1)
    found = [one for one in report.findings if one.code == "FILE_UNREADABLE"]
    assert [one.file for one in found] == ["refs.p"] and "can run any code" in found[0].message
    detect_format(open_tree(folder))
    assert not mark.exists()


def test_plain_data_is_read_and_written(folder: Path, tmp_path: Path) -> None:
    rows = [{"file": "a.png", "things": ({"class": "car", "box": (1, 2, 3.5, 4)},)}]
    (folder / "refs.p").write_bytes(pickle.dumps(rows, 0))
    (item,) = fs.open(folder, tmp_path / "my.yaml")
    assert [(one.category and one.category.name, one.bbox) for one in item.objects] == [("car", (1, 2, 3.5, 4))]
    fs.convert(folder, spec=tmp_path / "my.yaml", to=tmp_path / "my.yaml", out=tmp_path / "o", workers=1)
    again = pickle.loads((tmp_path / "o" / "refs.p").read_bytes())
    assert again == [{"file": "a.png", "things": [{"class": "car", "box": [1, 2, 3.5, 4]}]}]
