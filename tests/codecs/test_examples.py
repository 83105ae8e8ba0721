"""What each codec does, one line each, in both directions."""

from __future__ import annotations

import io
import math
import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from formatspec.codecs import Argument, BadArgumentsError, Codec, Env, Site, UnfitError, UnknownCodecError, make
from formatspec.model.region import Region
from formatspec.pixels import png
from formatspec.pixels.palettes import palette_color

ENV = Env(width=100, height=50, columns=("Bald", "Young"))
POINTS = Env(columns=("eye_x", "eye_y", "nose_x", "nose_y"))
ONE = Site()
R2, R3, R4, R5 = (Site(right=n) for n in (2, 3, 4, 5))
L2 = Site(left=2)


def pair(file: Any, model: Any) -> Argument:
    return Argument(model, file, paired=True)


def call(name: str, arguments: Sequence[Any], site: Site = ONE) -> Codec:
    return make(name, [a if isinstance(a, Argument) else Argument(a) for a in arguments], site)


def equal(one: Any, other: Any) -> bool:
    """Equal in type and value, lists and tuples told apart."""
    if isinstance(one, (list, tuple)) and type(one) is type(other):
        return len(one) == len(other) and all(map(equal, one, other))
    return type(one) is type(other) and bool(one == other)


def both(name: str, arguments: Sequence[Any], model: Any, file: Any, site: Site = ONE, env: Env = ENV) -> None:
    codec = call(name, arguments, site)
    written, read = codec.encode(model, env), codec.decode(file, env)
    assert equal(written, file), written
    assert equal(read, model), read


def reads(name: str, arguments: Sequence[Any], file: Any, model: Any, site: Site = ONE, env: Env = ENV) -> None:
    found = call(name, arguments, site).decode(file, env)
    assert equal(found, model), found


def cannot_read(name: str, arguments: Sequence[Any], file: Any, site: Site = ONE, env: Env = ENV) -> None:
    with pytest.raises(UnfitError):
        call(name, arguments, site).decode(file, env)


def cannot_write(name: str, arguments: Sequence[Any], model: Any, site: Site = ONE, env: Env = ENV) -> None:
    with pytest.raises(UnfitError):
        call(name, arguments, site).encode(model, env)


YES_NO = [pair("yes", True), pair("no", False), pair([], None)]


def test_choices() -> None:
    both("map", YES_NO, True, "yes")
    both("map", YES_NO, None, [])
    both("map", [pair("0", False), pair(0, False)], False, "0")
    reads("map", [pair("0", False), pair(0, False)], 0, False)
    reads("map", YES_NO, (), None)
    for odd in (1, 1.0, "Yes", None, 0):
        cannot_read("map", [pair(1.5, True), pair(True, 1)], odd)
    cannot_write("map", [pair("a", 1)], 1.0)
    cannot_write("map", [pair("a", 1)], True)
    both("null_as", [-1], None, -1)
    both("null_as", [-1], 7, 7)
    cannot_write("null_as", [-1], -1)
    both("flag", [], True, 1)
    both("flag", [], False, 0)
    cannot_read("flag", [], True)
    cannot_read("flag", [], 1.0)
    cannot_write("flag", [], None)
    both("flag", [1, 0, -1], None, -1)
    both("flags", [1, -1], (True, False), [1, -1])
    both("flags", [1, -1], {"Bald": True}, {"Bald": 1})
    both("truth_bits", [8, 4, -2, 1], (True, False, True, False), 8)
    both("truth_bits", [8, 4, -2, 1], (False, True, False, True), 7)
    both("truth_bits", [-4], False, 4)
    for odd in (16, -1, 1.0, True, "1"):
        cannot_read("truth_bits", [8, 4, -2, 1], odd)
    cannot_write("truth_bits", [8, 4], (True, None))
    cannot_write("truth_bits", [8, 4], (1, 0))
    both("led_by", [7], (1, 2.5), [7, 1, 2.5])
    for odd in ([6, 1], [7.0, 1], [True], [], 7, "7"):
        cannot_read("led_by", [7], odd)


def test_a_constant_of_the_spec_is_never_handed_out() -> None:
    codec = call("map", YES_NO)
    codec.encode(None, ENV).append(1)
    assert codec.encode(None, ENV) == []


def test_digits() -> None:
    both("digits", [256], 0x010203, (1, 2, 3), R3)
    both("digits", [256], 401, (1, 145), R2)
    both("digits", [1000], (26, 4), 26004, L2)
    both("digits", [1000], 999, 999)
    cannot_write("digits", [1000], 1000)
    cannot_read("digits", [1000], -1)
    cannot_write("digits", [256], 65536, R2)
    cannot_write("digits", [1000], (26, 1000), L2)
    cannot_read("digits", [256], (256, 0), R2)
    cannot_read("digits", [256], (-1, 0), R2)
    both("steps", [10, 1], (7, 13), (70, 13), R2)
    reads("steps", [10, 1], (71, 13), (7, 13), R2)
    both("reversed", [], (0, 1, 2), (2, 1, 0), R3)


def test_bits() -> None:
    for index in (0, 1, 2, 15, 255, (1 << 24) - 1):
        both("bits", [], index, palette_color(index), R3)
    cannot_write("bits", [], 1 << 24, R3)
    cannot_read("bits", [], (256, 0, 0), R3)


def test_counting() -> None:
    both("from", [1], 0, 1)
    both("from", [1], ((0, 1), (1, 2)), [[1, 2], [2, 3]])
    both("from", [1, 0], (0, 5), [1, 5], L2)
    cannot_read("from", [1], 0)
    both("times", [256], 26, 6656)
    cannot_read("times", [256], 6657)
    both("positive", [2], (26, 1), [26, 1], L2)
    cannot_read("positive", [2], (26, 0))
    cannot_write("positive", [2], (26, 0))
    both("numbers", [3], (0, 128, 255), [0, 128, 255])
    cannot_read("numbers", [3], [0, 128])
    cannot_read("numbers", [1], [True])
    cannot_read("numbers", [1], [math.nan])
    cannot_read("numbers", [1], ["1"])


def test_spread() -> None:
    both("spread", [255], 128, 128)
    codec = call("spread", [255])
    assert [codec.encode((k, 4), ENV) for k in (1, 2, 3, 4)] == [64, 128, 191, 255]
    for count in (1, 7, 254, 255):
        written = [codec.encode((k, count), ENV) for k in range(1, count + 1)]
        assert written == sorted(set(written)) and written[-1] == 255
    cannot_write("spread", [255], (1, 256))
    cannot_write("spread", [255], (3, 2))
    cannot_read("spread", [255], 256)


def test_assignments() -> None:
    both("assignments", [], {"a": 1, "b": "2", "c": True, "d": "x y"}, 'a=1, b="2", c=true, d=x y')
    both("assignments", [], {"a=b": 'say "no", or'}, 'a\\=b=say \\"no\\"\\, or')
    both("assignments", [], {}, "")
    reads("assignments", [], " gfd lkj ,k=True,,n = 0.5", {"gfd lkj": True, "k": True, "n": 0.5})
    cannot_write("assignments", [], {" a": 1})
    cannot_write("assignments", [], {"a": [1]})
    cannot_read("assignments", [], "a=1, a=2")


def test_texts() -> None:
    both("texts", [], [{"x": 1, "y": 2.5}], [{"x": "1", "y": "2.5"}])
    cannot_read("texts", [], [{"x": "one"}])


def test_text() -> None:
    both("joined", ["%,", "%|", "%x", "numbers"], (3, 4.5, 10, 20), "3%,4.5%|10%x20")
    cannot_read("joined", ["%,", "%|", "%x", "numbers"], "3%,4.5%|10")
    cannot_read("joined", ["%,", "%|", "%x", "numbers"], "3%,4.5%|10%xa")
    cannot_write("joined", ["%,", "%|", "%x", "numbers"], (3, 4.5, 10))
    both("in_base", [16, 4, "upper"], 26, "001A")
    both("in_base", [16, 4], 0x12345, "12345")
    both("in_base", [2], 0, "0")
    for text in ("001a", "1A", "", "00001A", "001G", "-01A"):
        cannot_read("in_base", [16, 4, "upper"], text)
    cannot_write("in_base", [16], -1)
    cannot_write("in_base", [16], True)
    both("joined", [", "], ("wooden", "open"), "wooden, open")
    both("joined", [", "], (), "")
    cannot_write("joined", [", "], ("a, b",))
    cannot_write("joined", [", "], ("",))
    both("joined", [",", "numbers"], (128, 0, 0.5), "128,0,0.5")
    cannot_read("joined", [",", "numbers"], "128,x")
    both("joined", [], ((1, 2.5), (3, -4)), "1,2.5;3,-4")
    reads("joined", [], "594.,+.5;007,1e2", ((594.0, 0.5), (7, 100.0)))
    cannot_read("joined", [",", "numbers"], "1,nan")
    reads("joined", [], "594.30,100.10;1,2", ((594.3, 100.1), (1, 2)))
    cannot_read("joined", [], "1,2,3")
    both("quoted", [], 'say "no"', '"say ""no"""')
    reads("quoted", [], '"""', '"')
    cannot_read("quoted", [], '"')
    both("words", [], True, "true")
    both("words", [], 2.4, "2.4")
    both("words", [], 0.00001, "0.00001")
    reads("words", [], "1e-05", "1e-05")
    both("words", [], "0003", "0003")
    both("words", [], "a b", "a b")
    cannot_write("words", [], "12")
    cannot_write("words", [], None)
    both("words", [2], (342, "up"), "342 up")
    cannot_read("words", [2], "342")
    both("text", [], 12, "12")
    reads("text", [], "007", 7)
    reads("text", [], "10.", 10.0)
    both("text", [], 0.00001, "0.00001")
    cannot_read("text", [], "1_0")
    for model, file in {12: "12", -3: "-3", "007": "007", "panel-1": "panel-1"}.items():
        both("spelled", [], model, file)
    assert call("spelled", []).decode(12, ENV) == 12
    cannot_read("spelled", [], True)
    cannot_write("spelled", [], 1.5)
    both("suffix", ["group"], True, "")
    both("suffix", ["group"], False, "group")
    for model, file in {"/m/04_sv": "m04_sv", "cat": "cat", "007": "007"}.items():
        both("run_together", [], model, file)
    both("run_together", [], 18, "18")
    cannot_read("run_together", [], "/m/0abc")
    both("at_least", [2], ("a", "b"), ["a", "b"])
    cannot_read("at_least", [2], ["a"])
    both("base64", [], b"\x00\xff", "AP8=")
    cannot_read("base64", [], "A")


def test_boxes() -> None:
    both("xywh", [], (1, 2, 3, 4), [1, 2, 3, 4])
    reads("xywh", [], [1, 2, -3, 4], (1, 2, -3, 4))
    cannot_write("xywh", [], (1, 2, -3, 4))
    both("sides", [], (1, 2, 3, 4), [1, 2, 4, 6])
    both("sides", [], (1.0, 2.0, 3.0, 4.0), (1.0, 2.0, 4.0, 6.0), R4)
    both("sides", ["x1", "x2", "y1", "y2"], (1, 2, 3, 4), (1, 4, 2, 6), R4)
    reads("sides", [], [4, 2, 1, 6], (4, 2, -3, 4))
    both("cxcywh", [], (1.0, 2.0, 3, 4), [2.5, 4.0, 3, 4])
    both("two_corners", [], (1, 2, 3, 4), [[1, 2], [4, 6]])
    reads("two_corners", [], [[4, 2], [1, 6]], (1, 2, 3, 4))
    both("inclusive", [1], (0, 0, 1, 1), (1, 1, 1, 1), R4)
    both("inclusive", [0], (0, 0, 1, 1), (0, 0, 0, 0), R4)
    both("inclusive", [1], (0.5, 0.5, 2.5, 3.5), [1.5, 1.5, 2.5, 3.5])
    both("normalized", [], (50.0, 25.0, 10.0, 5.0), [0.5, 0.5, 0.1, 0.1])
    both("normalized", [], ((50.0, 25.0),), [[0.5, 0.5]])
    both("normalized", ["x", "x", "y", "y"], (50.0, 100.0, 25.0, 50.0), (0.5, 1.0, 0.5, 1.0), R4)
    both("normalized", ["x", "y", "_"], (50.0, 25.0, 2), [0.5, 0.5, 2])
    cannot_read("normalized", [], [0.5, 0.5], env=Env())
    cannot_read("normalized", [], [0.5, 0.5, 0.5])


def test_rotated() -> None:
    upright = [[-2.0, -1.0], [2.0, -1.0], [2.0, 1.0], [-2.0, 1.0]]
    both("corners", [], (0.0, 0.0, 4.0, 2.0, 0.0), upright)
    both("corners", [], (0.0, 0.0, 4.0, 2.0, 90.0), [[1.0, -2.0], [1.0, 2.0], [-1.0, 2.0], [-1.0, -2.0]])
    reads("corners", [], [-2, -1, 2, -1, 2, 1, -2, 1], (0.0, 0.0, 4.0, 2.0, 0.0))
    counterclockwise = [upright[0], upright[3], upright[2], upright[1]]
    reads("corners", [], counterclockwise, (0.0, 0.0, 4.0, 2.0, 0.0))
    cannot_read("corners", [], [[-2, -1], [2, -1], [2.1, 1], [-2, 1]])
    cannot_read("corners", [], [[0, 0], [4, 0], [5, 2], [1, 2]])
    cx, cy, width, height, degrees = call("corners", [0.2]).decode([[-2, -1], [2, -1], [2.1, 1], [-2, 1]], ENV)
    assert (width, height, degrees) == (4, 2, 0) and abs(cx - 0.025) < 1e-9 and cy == 0


def test_points() -> None:
    both("pairs", [], (1, 2, 3.5, 4), [[1, 2], [3.5, 4]])
    both("pairs", [], (), [])
    both("pairs", [1], (1, 2), [[1, 2]])
    cannot_read("pairs", [2], [[1, 2]])
    assert call("pairs", []).encode(((1, 2, 2), (3, 4, 2)), ENV) == [[1, 2], [3, 4]]
    cannot_write("pairs", [], ((1, 2, 1),))
    both("visible", [], ((1, 2, 2),), [1, 2])
    both("upright", [], (1, 2, 1, 5, 4, 5, 4, 2), [1, 2, 1, 5, 4, 5, 4, 2])
    cannot_read("upright", [], [1, 2, 4, 2, 4, 5, 2, 5])
    marks = [{"@": {"label": "1", "outside": "0", "occluded": "1", "points": "1.5,2"}}]
    both("marked_points", [], (((1.5, 2, 1),), None), marks)
    reads("marked_points", [], {"@": {"label": "nose", "outside": "1", "points": "3,4"}}, (((3, 4, 0),), ("nose",)))
    cannot_read("marked_points", [], [marks[0], marks[0]])
    cannot_write("marked_points", [], (((1, 2, 2), (3, 4, 2)), ("nose",)))
    reads("visible", [], [[1, 2]], ((1, 2, 2),))
    nodes = {"a": {"loc": [1, 2]}, "b": {"loc": [3, 4.5], "disabled": True}}
    both("points_by_name", ["loc", "disabled"], (((1, 2, 2), (3, 4.5, 1)), ("a", "b")), nodes)
    both("points_by_name", ["loc", "disabled"], (((1, 2, 2),), None), {"1": {"loc": [1, 2]}})
    cannot_read("points_by_name", ["loc", "disabled"], {})
    cannot_read("points_by_name", ["loc", "disabled"], {"a": {"place": [1, 2]}})
    unseen = call("points_by_name", ["loc", "disabled"]).encode(((((1, 2, 2), (0, 0, 0))), ("a", "b")), ENV)
    assert unseen == {"a": {"loc": [1, 2]}}
    cannot_write("points_by_name", ["loc", "disabled"], (((1, 2, 2), (0, 0, 0)), None))
    cannot_write("points_by_name", ["loc", "disabled"], (((1, 2, 2), (0, 0, 0)), ("a",)))
    bare = {"a": [1, 2], "b": [3, 4.5]}
    both("points_by_name", [], (((1, 2, 2), (3, 4.5, 2)), ("a", "b")), bare)
    reads("points_by_name", [], {"a": [1, 2], "b": None}, (((1, 2, 2), (0, 0, 0)), ("a", "b")))
    cannot_read("points_by_name", [], {})
    cannot_read("points_by_name", [], {"a": {"loc": [1, 2]}})
    cannot_write("points_by_name", [], (((1, 2, 1),), ("a",)))
    listed = [{"name": "a", "x": 1, "y": 2, "occluded": False}, {"name": "b", "x": 3, "y": 4.5, "occluded": True}]
    both("named_points", ["name", "x", "y", "occluded"], (((1, 2, 2), (3, 4.5, 1)), ("a", "b")), listed)
    cannot_read("named_points", ["name", "x", "y", "occluded"], [listed[0], listed[0]])
    graph = {
        "nodes": {"a": {"label": "a", "loc": [10, 10]}, "b": {"label": "b", "loc": [20, 20]}},
        "edges": [{"src": "b", "dst": "a"}],
    }
    both("named_graph", [], (("a", "b"), ((2, 1),)), graph)
    cannot_read("named_graph", [], {"nodes": {"a": {}}, "edges": [{"src": "a", "dst": "c"}]})
    cannot_read("named_graph", [], {})
    cannot_write("named_graph", [], (("a", "b"), ((3, 1),)))
    drawn = call("svg_graph", []).encode((("a", 'b "c"'), ((2, 1),)), ENV)
    assert call("svg_graph", []).decode(drawn, ENV) == (("a", 'b "c"'), ((2, 1),))
    circles = (
        '<circle data-node-id="7" data-label-name="left"></circle><circle data-node-id="9" data-label-name="right" />'
    )
    reads("svg_graph", [], f'<line data-node-from="9" data-node-to="7"/>{circles}', (("left", "right"), ((2, 1),)))
    for odd in ("", "<svg/>", f'<line data-node-from="9" data-node-to="8"/>{circles}', 7):
        cannot_read("svg_graph", [], odd)
    cannot_write("svg_graph", [], (("a", "b"), ((3, 1),)))
    both("visible", [1], ((1, 2, 2),), [1, 2])
    cannot_read("visible", [2], [1, 2])
    both("zero_unseen", [], ((1, 2, 2), (0, 0, 0)), [1, 2, 0, 0])
    cannot_read("zero_unseen", [], [1, 2, 3])
    both("triplets", [], ((1, 2, 0), (3, 4, 2)), [1, 2, 0, 3, 4, 2])
    reads("triplets", [], [1, 2, 2.0], ((1, 2, 2),))
    cannot_read("triplets", [], [1, 2, 3])
    cannot_read("triplets", [], [1, 2])
    both("flat", [], (1, 2, 3, 4), [1, 2, 3, 4])
    assert call("flat", [8]).encode([[1, 2], [3, 4], [5, 6], [7, 8]], ENV) == [1, 2, 3, 4, 5, 6, 7, 8]
    cannot_read("flat", [8], [1, 2, 3, 4])
    cannot_read("flat", [], [1, 2, 3])
    both("flat_lists", [], ((1, 2, 3, 4, 5, 6),), [[1, 2, 3, 4, 5, 6]])
    reads("flat_lists", [], [[1, 2], [3, 4], [5, 6]], ((1, 2), (3, 4), (5, 6)))
    cannot_write("flat_lists", [], ((1, 2), (3, 4), (5, 6)))
    both("columns", [], ((1, 2, 3, 4),), ([1, 3], [2, 4]), R2)
    cannot_write("columns", [], ((1, 2), (3, 4)), R2)
    cannot_read("columns", [], ([1, 3], [2]), R2)
    both("axes", [], (1, 2, 3, 4), ([1, 3], [2, 4]), R2)
    cannot_write("axes", [], (), R2)
    cannot_read("axes", [], ([1, 3], [2]), R2)
    both("flat_and_visibility", [], ((1, 2, 0), (3, 4, 2)), ([1, 2, 3, 4], [0, 2]), R2)
    both("two_radii", [], (5, 5, 2), (5, 5, 2, 2), Site(right=4))
    both("sides_and_angle", [], (5.0, 6.0, 4.0, 2.0, 30), (3.0, 5.0, 7.0, 7.0, 30), Site(right=5))
    cannot_read("two_radii", [], [5, 5, 2, 3])
    both("radii", [], (5, 5, 2, 3, 0.0), (5, 5, 2, 3), Site(right=4))
    cannot_read("radii", [], [5, 5, 2, 2])
    cannot_write("radii", [], (5, 5, 2, 3, 30.0))
    both("sides_around", [], (20.0, 15.0, 10.0, 5.0, 0.0), [10.0, 10.0, 30.0, 20.0])
    cannot_read("sides_around", [], [30, 10, 10, 20])
    cannot_write("sides_around", [], (20, 15, 10, 5, 30.0))
    both("axes_and_angle", [], (5, 6, 2.0, 3.0, 30), [[5, 6], [4.0, 6.0], 30])
    both("about_corner", [], (5.0, 4.0, 4, 2, 0), [3.0, 3.0, 4, 2, 0])
    both("about_corner", [], (0.0, 25.0, 30, 20, 90), [10.0, 10.0, 30, 20, 90])  # clockwise: to the left of its corner
    both("counterclockwise", [], (1, 2, 3, 4, 30), [1, 2, 3, 4, -30])
    both("counterclockwise", [], 0.0, 0.0)
    both("radians", [], (1, 2, 3, 4, 180.0), [1, 2, 3, 4, math.pi])
    both("radians", [], 90.0, math.pi / 2)
    both("scaled", [100, 100, 1], (0.5, 0.25, 30), [50.0, 25.0, 30])
    cannot_read("scaled", [100, 1], [1, 2, 3])
    both("decimal_comma", [], 20.5, "20,5")
    reads("decimal_comma", [], "10,", 10.0)
    reads("decimal_comma", [], "-7", -7)
    cannot_read("decimal_comma", [], "1.000,5")
    both("decimal_comma", [], (1, 2.5), ("1", "2,5"), R2)
    both("center_and_rim", [], (5, 5, 2), [[5, 5], [7, 5]])
    reads("center_and_rim", [], [[0, 0], [3, 4]], (0, 0, 5.0))
    both("closed", [], (1, 2, 3, 4), [1, 2, 3, 4, 1, 2])
    cannot_read("closed", [], [1, 2, 3, 4])


def test_lists() -> None:
    both("one_or_many", [], (), [])
    both("one_or_many", [], (3,), 3)
    both("one_or_many", [], ("a", "b"), ["a", "b"])
    reads("one_or_many", [], "", ())
    reads("one_or_many", [], ["a"], ("a",))
    both("one_or_none", [], None, [])
    both("one_or_none", [], 3, 3)
    cannot_read("one_or_none", [], [3])
    both("index_map", [], ("car", "door"), {0: "car", 1: "door"})
    reads("index_map", [], {"0": "car", "1": "door"}, ("car", "door"))
    reads("index_map", [], {1: "door", 0: "car"}, ("car", "door"))
    cannot_read("index_map", [], {"0": "car", "2": "door"})
    both("unless_counting", [Argument(1)], (7, 3, "x"), [7, 3, "x"])
    both("names", [], ("car", "door"), ["car", "door"])
    reads("names", [], [1, 2.5, "door"], ("1", "2.5", "door"))
    cannot_read("names", [], [True, "door"])
    cannot_read("names", [], [None])
    both("numbered_names", ["class_"], ("class_0", "class_1"), 2)
    both("numbered_names", ["class_"], (), 0)
    cannot_write("numbered_names", ["class_"], ("class_0", "class_2"))
    cannot_read("numbered_names", ["class_"], -1)
    cannot_read("numbered_names", ["class_"], 1 << 40)
    cannot_read("numbered_names", ["class_"], True)
    both("list_or_index_map", [], ("car", "door"), ["car", "door"])
    reads("list_or_index_map", [], {0: "car", 1: "door"}, ("car", "door"))
    cannot_read("list_or_index_map", [], {0: "car", 2: "door"})
    both("by_name", ["columns"], {"Bald": True, "Young": False}, [True, False])
    cannot_write("by_name", ["columns"], {"Bald": True})
    cannot_write("by_name", ["columns"], {"Bald": True, "Young": True, "Old": True})
    both("by_name", ["columns"], ((1, 2), (3, 4)), [1, 2, 3, 4], env=POINTS)


def square() -> Region:
    """Rows 1 and 2, columns 1 to 3 of 4 x 5 pixels, without the last pixel."""
    mask = np.zeros((4, 5), dtype=bool)
    mask[1:3, 1:4] = True
    mask[2, 3] = False
    return Region.from_crop(mask, 0, 0, 4, 5)


SIZE = Env(width=5, height=4)


def test_masks() -> None:
    both("run_lengths", ["list"], square(), {"size": [4, 5], "counts": [5, 2, 2, 2, 2, 1, 6]})
    reads("run_lengths", [], {"size": [4, 5], "counts": [5, 2, 2, 2, 2, 1, 6]}, square())
    spelled = call("run_lengths", []).encode(square(), ENV)
    assert isinstance(spelled["counts"], str)
    reads("run_lengths", ["list"], spelled, square())
    twice = {**spelled, "counts": b64encode(spelled["counts"].encode()).decode()}
    both("run_lengths", ["base64"], square(), twice)
    for odd in ("%%", "w6k=", 5, None):
        cannot_read("run_lengths", ["base64"], {**spelled, "counts": odd})
    cannot_read("run_lengths", [], {"size": [4, 5], "counts": [5, 2]})
    both("cropped_rle", ["rows"], square(), ("0, 5, 1", 1, 1, 3, 2), R5, SIZE)
    both("cropped_rle", ["columns"], square(), ("0, 5, 1", 1, 1, 3, 2), R5, SIZE)
    reads("cropped_rle", ["rows"], ("6, 3, 2, 2, 7", "0", "0", "5", "4"), square(), R5, SIZE)
    cannot_read("cropped_rle", ["rows"], ("0, 5", 1, 1, 3, 2), R5, SIZE)
    cannot_read("cropped_rle", ["rows"], ("0, 5, 1", 3, 1, 3, 2), R5, SIZE)
    cannot_write("cropped_rle", ["rows"], square(), R5, Env(width=6, height=4))


def test_cropped_png() -> None:
    codec = call("cropped_png", [], R2)
    corners, spelled = codec.encode(square(), SIZE)
    assert corners == [[1, 1], [3, 2]]
    assert codec.decode(([[1.0, 1.0], [3.0, 2.0]], spelled), SIZE) == square()
    assert codec.decode(([[1.4, 1.0], [3.4, 2.9]], spelled), SIZE) == square()
    cannot_read("cropped_png", [], ([[-0.6, 1], [1.4, 2]], spelled), R2, SIZE)
    cannot_read("cropped_png", [], ([[1, 1], [3, 3]], spelled), R2, SIZE)
    cannot_read("cropped_png", [], ([[3, 2], [1, 1]], spelled), R2, SIZE)
    cannot_read("cropped_png", [], ([[1, 1], [3, 2]], "AAAA"), R2, SIZE)


def test_png_address() -> None:
    codec = call("png_address", [])
    address = codec.encode(square(), SIZE)
    head = "data:image/png;base64,"
    assert address.startswith(head) and codec.decode(address, SIZE) == square()
    with Image.open(io.BytesIO(b64decode(address.removeprefix(head)))) as image:
        colors = [color for _, color in sorted(image.getcolors())]
        assert image.mode == "RGBA" and colors == [(0, 0, 0, 255), (0, 0, 0, 0)]

    def spelled(mode: str, inside: Any, size: tuple[int, int] = (SIZE.width, SIZE.height)) -> str:
        image, file = Image.new(mode, size), io.BytesIO()
        for y, x in np.argwhere(square().to_mask()).tolist():
            image.putpixel((x, y), inside)
        image.save(file, "PNG")
        return head + b64encode(file.getvalue()).decode()

    for mode, inside in (("L", 1), ("RGB", (0, 0, 9)), ("RGBA", (0, 0, 0, 1)), ("LA", (0, 200))):
        reads("png_address", [], spelled(mode, inside), square(), env=SIZE)
    cannot_read("png_address", [], spelled("L", 1, (9, 9)), env=SIZE)
    for odd in ("data:image/jpeg;base64,AAAA", head + "AAAA", head + "%", "", 5, None):
        cannot_read("png_address", [], odd, env=SIZE)


CHAINS = [
    ([("digits", [256]), ("steps", [10, 1])], 401, (10, 145), R2),
    ([("digits", [256]), ("reversed", [])], 0x010203, (3, 2, 1), R3),
    ([("from", [1, 0]), ("digits", [1000])], (0, 5), 1005, L2),
    ([("positive", [2]), ("digits", [256])], (26, 1), 6657, L2),
    ([("joined", [", "]), ("quoted", [])], ("wooden", "open"), '"wooden, open"', ONE),
    ([("by_name", ["columns"]), ("flags", [1, -1])], {"Bald": True, "Young": False}, [1, -1], ONE),
    ([("pairs", []), ("joined", [])], (1, 2.5, 3, 4), "1,2.5;3,4", ONE),
    ([("visible", []), ("pairs", []), ("joined", [])], ((1, 2, 2), (3, 4, 2)), "1,2;3,4", ONE),
    ([("sides", []), ("inclusive", [1])], (0, 1, 3, 4), (1, 2, 3, 5), R4),
    ([("cxcywh", []), ("normalized", [])], (40.0, 20.0, 20.0, 10.0), [0.5, 0.5, 0.2, 0.2], ONE),
    (
        [("sides", ["x1", "x2", "y1", "y2"]), ("normalized", ["x", "x", "y", "y"])],
        (50.0, 25.0, 25.0, 12.5),
        (0.5, 0.75, 0.5, 0.75),
        R4,
    ),
    ([("triplets", []), ("normalized", ["x", "y", "_"])], ((50.0, 25.0, 1),), [0.5, 0.5, 1], ONE),
    (
        [("corners", []), ("flat", []), ("normalized", [])],
        (50.0, 25.0, 20.0, 10.0, 0.0),
        [0.4, 0.4, 0.6, 0.4, 0.6, 0.6, 0.4, 0.6],
        ONE,
    ),
]


@pytest.mark.parametrize(("calls", "model", "file", "site"), CHAINS)
def test_chains(calls: list[tuple[str, list[Any]]], model: Any, file: Any, site: Site) -> None:
    chain = [call(name, arguments, site) for name, arguments in calls]
    written, read = model, file
    for codec in chain:
        written = codec.encode(written, ENV)
    for codec in reversed(chain):
        read = codec.decode(read, ENV)
    assert equal(written, file), written
    assert equal(read, model), read


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("map", []),
        ("map", [1]),
        ("map", [pair("a", 1), pair("a", 2)]),
        ("map", [pair([1], 1), pair((1,), 2)]),
        ("flag", [1]),
        ("flag", [1, 1]),
        ("digits", []),
        ("digits", [1]),
        ("steps", [0]),
        ("pairs", [0]),
        ("pairs", [True]),
        ("flat", [7]),
        ("sides", ["x1", "y1"]),
        ("sides", ["x1", "x1", "y1", "y2"]),
        ("normalized", ["z"]),
        ("joined", [""]),
        ("joined", [".", "numbers"]),
        ("suffix", []),
        ("by_name", ["rows"]),
        ("xywh", [1]),
        ("run_lengths", ["bytes"]),
        ("truth_bits", [3]),
        ("truth_bits", [4, -4]),
        ("truth_bits", []),
        ("led_by", []),
        ("corners", [-1]),
    ],
)
def test_bad_arguments(name: str, arguments: list[Any]) -> None:
    with pytest.raises(BadArgumentsError, match=f"^{name}: "):
        call(name, arguments)


def test_a_name_that_is_no_codec() -> None:
    with pytest.raises(UnknownCodecError, match="did you mean columns") as caught:
        make("colums")
    assert caught.value.suggestions[0] == "columns"


def test_one_is_told_from_true() -> None:
    both("map", [pair(1, True), pair(True, 1)], True, 1)
    both("map", [pair(1, True), pair(True, 1)], 1, True)


def test_points_and_boxes_as_rings_and_records() -> None:
    both("named_pairs", ["x", "y"], (1, 2, 3.5, 4), [{"x": 1, "y": 2}, {"x": 3.5, "y": 4}])
    cannot_read("named_pairs", ["x", "y"], [{"x": 1, "z": 2}])
    both("numbered_pairs", ["x", "y"], (1, 2, 3.5, 4), {"x1": 1, "y1": 2, "x2": 3.5, "y2": 4})
    reads("numbered_pairs", ["x", "y"], {"y2": 4, "x2": 3, "x1": 1, "y1": 2}, (1, 2, 3, 4))
    cannot_read("numbered_pairs", ["x", "y"], {"x1": 1, "y1": 2, "x3": 3, "y3": 4})
    cannot_read("numbered_pairs", ["x", "y"], {"x1": 1, "y1": 2, "x2": 3})
    cannot_read("numbered_pairs", ["x", "y"], "1, 2")
    reads("entry", ["rating"], ["stars", {"rating": 3, "x": 1}], {"stars": 3}, Site(right=2))
    both("numbers_at", ["center.x", "center.y", "r"], (1, 2.5, 3), {"center": {"x": 1, "y": 2.5}, "r": 3})
    cannot_read("numbers_at", ["center.x", "center.y", "r"], {"center": {"x": 1}, "r": 3})
    cannot_read("numbers_at", ["center.x", "center.y", "r"], {"center": {"x": 1, "y": 2}, "r": 3, "s": 4})
    both("box_ring", [], (1, 2, 3, 4), [1, 2, 4, 2, 4, 6, 1, 6])
    reads("box_ring", [], [4, 6, 4, 2, 1, 2, 1, 6], (1, 2, 3, 4))
    cannot_read("box_ring", [], [0, 0, 4, 1, 4, 6, 0, 6])


def test_percentages_colours_and_lists_that_begin_with_a_name() -> None:
    reads("scaled", [100], [25, 100], (0.25, 1.0))
    both("hexadecimal", [], (255, 0, 16), "#ff0010")
    cannot_read("hexadecimal", [], "#ff00")
    both("first_and_rest", [], ("car", ("red", "old")), ["car", "red", "old"], L2)
    both("first_and_rest", [], (None, ()), [], L2)


def test_holes_are_bridged() -> None:
    outer, hole = [[0, 0], [9, 0], [9, 9], [0, 9]], [[2, 2], [4, 2], [4, 4], [2, 4]]
    ring = call("with_holes", [], R2).decode((outer, [hole]), ENV)
    assert Region.from_polygons((ring,), 10, 10).area == 81 - 4
    assert call("with_holes", ["flat"], R2).decode(([0, 0, 9, 0, 9, 9, 0, 9], [[2, 2, 4, 2, 4, 4, 2, 4]]), ENV) == ring


def test_packed_runs_as_tools_write_them() -> None:
    """The bytes of two pictures that a tool in use packed: 2 x 2 with the first pixel red, and words by hand."""
    env = Env(width=2, height=2)
    packed = [0, 0, 0, 16, 57, 27, 248, 31, 240, 128, 1, 255, 108, 0]
    region = make("packed_rgba_runs", [], Site()).decode(packed, env)
    assert region == Region.from_crop(np.ones((1, 1), bool), 0, 0, 2, 2)
    longer = make("packed_rgba_runs", [], Site()).decode([*packed, 0], env)  # a byte more than is needed
    assert longer == region
    for broken in ([*packed[:3], 17, *packed[4:]], packed[:8], [300], "text", [0, 0, 0, 16]):
        with pytest.raises(UnfitError):
            make("packed_rgba_runs", [], Site()).decode(broken, env)


def test_runs_of_values() -> None:
    env = Env(width=4, height=3)
    region = make("value_runs", [], Site()).decode([0, 1, 5, 2, 0, 9], env)
    assert region.bbox == (1, 0, 2, 1)
    assert make("value_runs", [], Site()).encode(region, env) == [0, 1, 1, 2, 0, 9]
    for broken in ([0, 1], [0, 12, 1], [0, 1 << 60], "x"):
        with pytest.raises(UnfitError):
            make("value_runs", [], Site()).decode(broken, env)


def test_runs_by_their_starts() -> None:
    env = Env(width=4, height=3)
    region = make("start_runs", [Argument(0), Argument("rows")], Site()).decode([1, 2, 6, 2], env)
    assert (region.bbox, region.area) == ((1, 0, 3, 2), 4)
    by_columns = make("start_runs", [Argument(1), Argument("columns")], Site())
    assert by_columns.encode(region, env) == [4, 1, 7, 2, 11, 1]
    assert by_columns.decode([4, 1, 7, 2, 11, 1], env) == region
    assert by_columns.encode(Region.empty(3, 4), env) == [] and not by_columns.decode([], env)
    for broken in ([0, 1], [1, 0], [1, 13], [1, 2, 2, 1], [5], [3, 1, 1, 1], [1, 1 << 70], "x"):
        with pytest.raises(UnfitError):
            by_columns.decode(broken, env)
    text = make("joined", [Argument("+"), Argument(";"), Argument("pairs")], Site())
    assert text.encode((4, 1, 7, 2), env) == "4+1;7+2" and text.decode("4+1;7+2", env) == (4, 1, 7, 2)
    assert text.decode("", env) == ()
    for wrong in ("4+1;7", "4+1+7", "4;1"):
        with pytest.raises(UnfitError, match="pairs of numbers"):
            text.decode(wrong, env)
    for arguments in ([";", "pairs"], [";", ";", "pairs"], ["1", ";", "pairs"]):
        with pytest.raises(BadArgumentsError):
            make("joined", [Argument(one) for one in arguments], Site())


def test_run_lengths_in_a_line() -> None:
    region = Region.from_crop(np.ones((2, 3), bool), 1, 0, 5, 6)
    text = make("run_lengths", [Argument("text")], Site()).encode(region, Env(6, 5))
    assert text.startswith("5 6 ")
    assert make("run_lengths", [Argument("text")], Site()).decode(text, Env(6, 5)) == region


def test_masks_that_are_stretched_over_their_box() -> None:
    env, nan = Env(width=40, height=20), {"$numberDouble": "NaN"}

    def packed(mask: Any, **more: Any) -> dict[str, Any]:
        file = io.BytesIO()
        np.save(file, mask, **more)
        return {"$binary": {"base64": b64encode(zlib.compress(file.getvalue())).decode(), "subType": "00"}}

    codec = make("stretched_array", [], Site(left=2, right=2))
    small = np.array([[True, False], [True, True]])
    shown = np.zeros((20, 40), bool)
    shown[5:9, 20:24] = shown[7:9, 24:28] = True
    for mask in (packed(small), packed(small.astype(np.uint8) * 7), packed(small)["$binary"]["base64"]):
        box, region = codec.decode(([0.5, 0.25, 0.2, 0.2], mask), env)
        assert box == (20, 5, 8, 4) and (region.to_mask().astype(bool) == shown).all()
    again = codec.decode(codec.encode(((20, 5, 8, 4), region), env), env)
    assert again == ((20, 5, 8, 4), region)
    header = b"{'descr': '|b1', 'fortran_order': False, 'shape': (1000000, 1000000), }"
    huge = b64encode(zlib.compress(b"\x93NUMPY\x01\x00" + bytes([len(header), 0]) + header + b"x"))
    for odd in (packed(np.zeros(4, bool)), packed(small.astype(float)), "%%", 5, None, {}, huge.decode()):
        with pytest.raises(UnfitError):
            codec.decode(([0.5, 0.25, 0.2, 0.2], odd), env)
    with pytest.raises(UnfitError):
        codec.decode(([0.5, 0.25, 0, 0.2], packed(small)), env)
    with pytest.raises(UnfitError):
        codec.encode(((21, 5, 8, 4), region), env)
    points = make("nan_unseen", [], Site())
    assert points.decode([[0.25, 0.5], [nan, nan]], env) == ((10, 10, 2), (0, 0, 0))
    assert points.encode(((10, 10, 2), (0, 0, 0)), env) == [[0.25, 0.5], [nan, nan]]


def test_vertex_lists() -> None:
    both(
        "vertex_lists",
        [],
        ((1, 2, 3, 4, 5, 6),),
        [{"vertices": [[1, 2], [3, 4], [5, 6]], "types": "LLL", "closed": True}],
    )
    both("vertex_lists", ["open"], (1, 2, 3, 4), [{"vertices": [[1, 2], [3, 4]], "types": "LL", "closed": False}])
    two = [{"vertices": [[1, 2]], "types": "L", "closed": True}, {"vertices": [[3, 4]], "closed": True}]
    reads("vertex_lists", [], two, ((1, 2), (3, 4)))
    for odd in (
        [],
        [{**two[0], "types": "C"}],
        [{**two[0], "closed": False}],
        [{**two[0], "why": 1}],
        [{"closed": True}],
    ):
        cannot_read("vertex_lists", [], odd)
    cannot_read("vertex_lists", ["open"], [{"vertices": [[1, 2]], "closed": False}] * 2)
    cannot_write("vertex_lists", [], ())


@pytest.mark.parametrize(("mode", "compressed"), [("gray", False), ("rgba", True), ("rgba", False)])
def test_bitmaps_of_older_projects(mode: str, compressed: bool) -> None:
    inside = np.array([[1, 0], [1, 1]], np.uint8)
    pixels = inside if mode == "gray" else np.stack([255 - inside, inside, inside, inside * 255], axis=-1)
    data = png.encode(pixels.astype(np.uint8), mode)
    text = b64encode(zlib.compress(data) if compressed else data).decode()
    region = call("packed_png", [], R2).decode((text, [3, 4]), ENV)
    assert [(int(x), int(y)) for y, x in zip(*region.to_mask().nonzero(), strict=True)] == [(3, 4), (3, 5), (4, 5)]
