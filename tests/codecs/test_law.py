"""One law for all codecs: what `fit` gives survives encode and decode, and garbage is only ever unfit."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formatspec.codecs import CODECS, Argument, Codec, Env, Site, UnfitError, make
from formatspec.model.flaws import good_rings
from formatspec.model.region import Region

ONE = Site()
ENV = Env(width=37, height=23, columns=("Bald", "Bangs", "Young"))
POINTS = Env(columns=("eye_x", "eye_y", "nose_x", "nose_y"))

ints = st.integers(-1000, 4000)
naturals = st.integers(0, 70000)
numbers = ints | st.floats(-100, 4000)
sizes = st.integers(0, 4000) | st.floats(0, 4000)
words = st.text(max_size=6) | st.sampled_from(["", "12", "true", "a, b", 'say "no"', "0003", "-0", "1e5"])
texts = st.lists(words, max_size=4).map(tuple)
boxes = st.tuples(numbers, numbers, sizes, sizes)
lengths = st.integers(1, 4000) | st.floats(1, 4000)
rotated = st.tuples(numbers, numbers, lengths, lengths, st.integers(-360, 720) | st.floats(-720, 720))
rings = st.lists(st.tuples(numbers, numbers), max_size=6).map(lambda points: tuple(c for p in points for c in p))
polygons = st.lists(rings, max_size=3).map(tuple)
keypoints = st.lists(st.tuples(numbers, numbers, st.integers(0, 2)), max_size=5).map(tuple)
circles = st.tuples(numbers, numbers, sizes)
scalars = st.none() | st.booleans() | ints | numbers | words
flags = st.none() | st.booleans()
masks = st.lists(st.booleans(), min_size=23 * 37, max_size=23 * 37) | st.sampled_from([[False] * 23 * 37])
small = st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(0, 31), st.integers(0, 17), st.integers(0))


def in_pairs(found: list[Any]) -> tuple[Any, ...]:
    """The numbers without the last one, if it has no other."""
    return tuple(found[: len(found) // 2 * 2])


def region_of(seed: tuple[int, int, int, int, int]) -> Region:
    width, height, left, top, bits = seed
    mask = np.zeros((23, 37), dtype=bool)
    inside = [bits >> i & 1 == 1 for i in range(width * height)]
    mask[top : top + height, left : left + width] = np.array(inside).reshape(height, width)
    return Region.from_crop(mask, 0, 0, 23, 37)


regions = small.map(region_of)


@dataclass(frozen=True)
class Case:
    name: str
    arguments: tuple[Any, ...]
    values: st.SearchStrategy[Any]
    site: Site = ONE
    env: Env = ENV
    exact: bool = True
    """Whether types and values come back as they were; else numbers within 1e-9, of either type."""

    def make(self) -> Codec:
        return call(self.name, self.arguments, self.site)

    def __str__(self) -> str:
        return f"{self.name}{self.arguments}{self.site.left}-{self.site.right}"


def pair(file: Any, model: Any) -> Argument:
    return Argument(model, file, paired=True)


def call(name: str, arguments: Sequence[Any], site: Site = ONE) -> Codec:
    return make(name, [a if isinstance(a, Argument) else Argument(a) for a in arguments], site)


R2, R3, R4, R5 = (Site(right=n) for n in (2, 3, 4, 5))
YES_NO = (pair("yes", True), pair("no", False), pair([], None), pair({"a": [1]}, "odd"))

CASES = [
    Case("at_least", (2,), texts),
    Case("upright", (), rings),
    Case("box_ring", (), boxes, exact=False),
    Case("sides_and_angle", (), rotated, R5, exact=False),
    Case("radii", (), st.tuples(numbers, numbers, numbers, numbers, st.just(0.0)), R4),
    Case("sides_around", (), st.tuples(numbers, numbers, sizes, sizes, st.just(0.0)), exact=False),
    Case("axes_and_angle", (), st.tuples(numbers, numbers, sizes, sizes, numbers), R3, exact=False),
    Case("axes_and_angle", (), st.tuples(numbers, numbers, sizes, sizes, numbers), exact=False),
    Case("about_corner", (), rotated, R5, exact=False),
    Case("counterclockwise", (), rotated, exact=False),
    Case("counterclockwise", (), numbers, exact=False),
    Case("radians", (), rotated, R5, exact=False),
    Case("radians", (), numbers, exact=False),
    Case("decimal_comma", (), numbers),
    Case("decimal_comma", (), rotated, R5),
    Case("scaled", (100, 100, 1), st.tuples(numbers, numbers, numbers), R3, exact=False),
    Case("turned", (), rotated, R5),
    Case("two_radii", (), circles, R4),
    Case("points_by_name", (), st.tuples(keypoints, texts), Site(left=2)),
    Case("points_by_name", ("loc", "disabled"), st.tuples(keypoints, texts), Site(left=2)),
    Case("named_points", ("name", "x", "y", "occluded"), st.tuples(keypoints, texts), Site(left=2)),
    Case(
        "named_graph",
        (),
        st.tuples(texts, st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=3)),
        Site(left=2),
    ),
    Case(
        "svg_graph",
        (),
        st.tuples(texts, st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=3)),
        Site(left=2),
    ),
    Case("marked_points", (), st.tuples(keypoints, texts), Site(left=2)),
    Case("marked_points", ("seen",), st.tuples(keypoints, texts), Site(left=2)),
    Case("named_pairs", ("x", "y"), rings),
    Case("numbers_at", ("a.x", "a.y", "b"), circles),
    Case("entry", ("rating", "x"), st.dictionaries(words, scalars | texts.map(list), max_size=2), R2),
    Case("numbered_pairs", ("x", "y"), rings),
    Case("with_holes", (), rings, R2),
    Case("with_holes", ("flat",), rings, R2),
    Case("packed_png", (), regions, R2),
    Case("png_address", (), regions),
    Case("run_lengths", ("text",), regions),
    Case("run_lengths", ("base64",), regions),
    Case("led_by", (7,), rings),
    Case("stretched_array", (), st.tuples(boxes, regions), Site(left=2, right=2), exact=False),
    Case("nan_unseen", (), keypoints, exact=False),
    Case("truth_bits", (8, 4, -2, 1), st.tuples(flags, flags, flags, flags), Site(left=4)),
    Case("truth_bits", (-4,), flags),
    Case("value_runs", (), regions),
    Case("start_runs", (1, "columns"), regions),
    Case("start_runs", (0, "rows"), regions),
    Case(
        "joined",
        (" ", ", ", "pairs"),
        st.lists(numbers, max_size=6).map(lambda found: tuple(found[: len(found) // 2 * 2])),
    ),
    Case(
        "joined", ("+", ";", "pairs"), st.lists(ints, max_size=6).map(lambda found: tuple(found[: len(found) // 2 * 2]))
    ),
    Case("packed_rgba_runs", (), regions),
    Case("scaled", (100,), numbers, exact=False),
    Case("scaled", (100,), st.lists(numbers, max_size=4).map(tuple), exact=False),
    Case("scaled", (100, 1), st.tuples(numbers, numbers), exact=False),
    Case("hexadecimal", (), st.lists(ints, max_size=4).map(tuple)),
    Case("first_and_rest", (), st.tuples(words, texts), Site(left=2)),
    Case("map", YES_NO, flags | words),
    Case("map", (pair(0, None), pair(128, "hidden"), pair(255, "region")), flags),
    Case("map", (pair("0", False), pair("1", True), pair(0, False), pair(1, True)), flags),
    Case("flag", (), flags),
    Case("flag", (1, 0, -1), flags),
    Case("null_as", (-1,), st.none() | scalars),
    Case("flags", (1, -1), st.lists(flags, max_size=4).map(tuple)),
    Case("flags", (1, -1), st.dictionaries(words, flags, max_size=4)),
    Case("flags", (1, -1), st.tuples(flags, flags), R2),
    Case("numbers", (), st.lists(numbers, max_size=4).map(tuple)),
    Case("numbers", (3,), st.tuples(ints, numbers, numbers)),
    Case("numbers", (), st.tuples(ints, ints, ints), R3),
    Case("digits", (256,), st.integers(0, 255)),
    Case("digits", (256,), naturals, R2),
    Case("digits", (256,), naturals, R3),
    Case("digits", (1000,), st.tuples(naturals, naturals), Site(left=2)),
    Case("bits", (), naturals),
    Case("bits", (), naturals, R3),
    Case("digits", (10,), st.tuples(naturals, naturals, naturals), Site(left=3)),
    Case("digits", (256,), st.tuples(naturals, naturals), Site(left=2, right=2)),
    Case("steps", (10, 1), st.tuples(naturals, naturals), R2),
    Case("whole", (), ints),
    Case("spread", (255,), naturals),
    Case("from", (1,), naturals),
    Case("from", (1,), st.lists(st.tuples(naturals, naturals), max_size=4).map(tuple)),
    Case("from", (1, 0), st.tuples(naturals, naturals), Site(left=2)),
    Case("times", (256,), naturals),
    Case("positive", (), numbers),
    Case("positive", (2,), st.tuples(naturals, ints), Site(left=2)),
    Case("reversed", (), st.tuples(naturals, naturals, naturals), R3),
    Case("joined", (), st.lists(st.tuples(numbers, numbers), max_size=4).map(tuple)),
    Case("joined", (", ",), texts),
    Case("joined", (",,",), texts),
    Case("joined", ("%,", "|", "x", "numbers"), st.tuples(numbers, numbers, numbers, numbers)),
    Case("in_base", (16, 4, "upper"), st.integers(0, 2**40)),
    Case("in_base", (2,), st.integers(0, 300)),
    Case("joined", (",", "numbers"), st.lists(numbers, max_size=4).map(tuple)),
    Case("quoted", (), words),
    Case("words", (), scalars),
    Case("words", (2,), st.tuples(scalars, scalars)),
    Case("text", (), numbers),
    Case("spelled", (), ints | st.sampled_from(["", "a", "007", "-0", "1e5", "1.0", "+1"])),
    Case("texts", (), st.lists(st.dictionaries(words, numbers, max_size=3), max_size=3)),
    Case("assignments", (), st.dictionaries(words, scalars, max_size=4)),
    Case("suffix", ("group",), flags),
    Case("run_together", (), words | ints | st.sampled_from(["/m/0abc", "m0abc", "/m/04_sv", "/m/x", "a/b"])),
    Case("base64", (), st.binary(max_size=20)),
    Case("xywh", (), boxes),
    Case("xywh", (), boxes, R4),
    Case("sides", (), boxes, exact=False),
    Case("sides", (), st.tuples(ints, ints, naturals, naturals)),
    Case("sides", ("x1", "x2", "y1", "y2"), boxes, R4, exact=False),
    Case("cxcywh", (), boxes, exact=False),
    Case("two_corners", (), boxes, exact=False),
    Case("inclusive", (1,), st.tuples(ints, ints, ints, ints), R4),
    Case("inclusive", (0,), st.tuples(numbers, numbers, numbers, numbers), exact=False),
    Case("corners", (), rotated, exact=False),
    Case("corners", (0.5,), rotated, exact=False),
    Case("center_and_rim", (), circles, exact=False),
    Case("normalized", (), rings, exact=False),
    Case("normalized", (), st.lists(st.tuples(numbers, numbers), max_size=4).map(tuple), exact=False),
    Case(
        "normalized",
        (),
        st.lists(st.lists(st.tuples(numbers, numbers), min_size=1).map(tuple), max_size=3).map(tuple),
        exact=False,
    ),
    Case("normalized", ("x", "x", "y", "y"), st.tuples(numbers, numbers, numbers, numbers), R4, exact=False),
    Case("normalized", ("x", "y", "_"), st.tuples(numbers, numbers, st.just(2)), exact=False),
    Case("pairs", (), rings),
    Case("pairs", (), polygons.filter(lambda rings: any(len(ring) != 2 for ring in rings))),
    Case("pairs", (2,), rings),
    Case("flat", (), rings),
    Case("flat", (8,), rings),
    Case("closed", (), rings),
    Case("flat_lists", (), polygons),
    Case("columns", (), polygons, R2),
    Case("axes", (), rings.filter(bool), R2),
    Case("visible", (), keypoints),
    Case("zero_unseen", (), keypoints.filter(bool)),
    Case("triplets", (), keypoints),
    Case("flat_and_visibility", (), keypoints, R2),
    Case("one_or_many", (), st.lists(scalars, max_size=3).map(tuple)),
    Case("one_or_none", (), scalars),
    Case("index_map", (), texts),
    Case("names", (), texts),
    Case("numbered_names", ("class_",), st.integers(0, 9).map(lambda n: tuple(f"class_{i}" for i in range(n)))),
    Case("list_or_index_map", (), texts),
    Case("unless_counting", (1,), texts.filter(bool)),
    Case("by_name", ("columns",), st.dictionaries(st.sampled_from(["Bald", "Bangs", "Old"]), scalars)),
    Case("by_name", ("columns",), st.lists(st.tuples(numbers, numbers), max_size=3).map(tuple), env=POINTS),
    Case("holed_rings", (), regions),
    Case("vertex_lists", (), polygons.filter(lambda found: found and all(found))),
    Case("vertex_lists", ("open",), rings.filter(bool)),
    Case("filled", (), regions),
    Case("filled", ("box",), regions),
    Case("apart", (), polygons),
    Case("run_lengths", (), regions),
    Case("run_lengths", ("list",), regions),
    Case("cropped_rle", ("rows",), regions, R5),
    Case("cropped_rle", ("columns",), regions, R5),
    Case("cropped_png", (), regions, R2),
]

leaves = (
    st.none()
    | st.booleans()
    | st.integers(-300, 300)
    | st.sampled_from([10**400, -(10**30), math.nan, math.inf, 1e308, -0.0, "", "1,2;3,4", '"', "0, 1", "UUU="])
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=3)
    | st.builds(object)
    | st.sampled_from([{1, 2}, np.zeros(3), np.int64(3), ENV])
)
shapes = (
    st.lists(st.integers(-3, 40) | st.floats(-3, 40), max_size=9)
    | st.lists(st.lists(st.integers(-3, 40), min_size=1, max_size=3), max_size=5)
    | st.lists(st.text("0123, =;", max_size=5) | st.integers(0, 9), min_size=5, max_size=5)
    | st.tuples(st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=2), min_size=2, max_size=2), st.text())
    | st.fixed_dictionaries({"size": st.lists(leaves, max_size=3), "counts": st.lists(ints) | st.text()})
    | st.fixed_dictionaries({"size": st.just([3, 4]), "counts": st.lists(st.integers(0, 9)) | st.text()})
)
garbage = shapes | st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(0, 3) | st.none(), inner, max_size=3)
    ),
    max_leaves=8,
)
envs = st.sampled_from([ENV, POINTS, Env(), Env(width=1, height=1), Env(columns=("a", "a"))])


def numbers_in(value: Any) -> list[float]:
    if isinstance(value, (tuple, list)):
        return [n for element in value for n in numbers_in(element)]
    return [abs(value)] if isinstance(value, (int, float)) else []


def close(one: Any, other: Any, tolerance: float) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(close(a, b, tolerance) for a, b in zip(one, other, strict=True))
    if isinstance(one, Region):
        return bool(one == other)
    return bool(abs(one - other) <= tolerance)


def identical(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(identical, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(identical(one[key], other[key]) for key in one)
    return one is other or bool(one == other)


def is_document(value: Any) -> bool:
    """Whether a value is made of what JSON has, or YAML, whose keys may be whole numbers."""
    if isinstance(value, list):
        return all(map(is_document, value))
    if isinstance(value, dict):
        return all(type(key) in (str, int) and is_document(element) for key, element in value.items())
    return value is None or type(value) in (str, int, float, bool)


def frozen(value: Any) -> Any:
    return tuple(map(frozen, value)) if isinstance(value, (list, tuple)) else value


def check_law(case: Case, codec: Codec, value: Any, rng: random.Random) -> None:
    fitted = codec.fit(value, rng, case.env)
    before = copy.deepcopy(fitted)
    again = codec.fit(fitted, rng, case.env)
    assert identical(again, fitted), "a value that `fit` gave is one that it leaves as it is"
    encoded = codec.encode(fitted, case.env)
    assert identical(fitted, before), "encode changed its argument"
    if case.site.right > 1:
        assert type(encoded) is tuple and len(encoded) == case.site.right
        assert all(map(is_document, encoded))
    else:
        assert is_document(encoded)
    check_kind(codec, encoded)
    for spelled in (encoded, frozen(encoded)):
        decoded = codec.decode(spelled, case.env)
        if case.exact:
            assert identical(decoded, fitted)
        else:
            assert close(decoded, fitted, 1e-9 * max([1.0, *numbers_in(fitted), *numbers_in(encoded)]))


def check_kind(codec: Codec, encoded: Any) -> None:
    if codec.kind == "text":
        assert isinstance(encoded, str)
    if codec.kind == "number":
        assert type(encoded) in (int, float)
    if codec.kind == "numbers" and not isinstance(encoded, dict):
        assert codec.arity in (None, len(encoded))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_law(case: Case) -> None:
    codec = case.make()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case.values, st.integers(0, 2**16))
    def survives(value: Any, seed: int) -> None:
        check_law(case, codec, value, random.Random(seed))

    survives()


CODECS_OF_CASES = [(case, case.make()) for case in CASES]


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(garbage, envs)
def test_garbage_is_unfit_and_nothing_else(value: Any, env: Env) -> None:
    for case, codec in CODECS_OF_CASES:
        for function in (codec.encode, codec.decode):
            try:
                function(value, env)
            except UnfitError as unfit:
                assert unfit.expected
            except Exception as error:
                raise AssertionError(f"{case} raised {error!r}") from error


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(garbage)
def test_what_is_read_can_be_written(value: Any) -> None:
    """Garbage that a codec reads is a value like any other: written, it reads the same."""
    for case, codec in CODECS_OF_CASES:
        try:
            model = codec.decode(value, case.env)
        except UnfitError:
            continue
        if case.name == "corners":  # reads what is a rectangle but nearly
            continue
        try:
            again = codec.decode(codec.encode(model, case.env), case.env)
        except UnfitError:
            assert unwritable(case, model), f"{case} reads {model!r} and cannot write it"
            continue
        assert identical(model, again) or close(model, again, 1e-9 * max([1, *numbers_in(model)])), str(case)


def unwritable(case: Case, model: Any) -> bool:
    """What is rightly read yet not written: an empty mask has no crop, a single "" no bare form; and what a finding
    tells of: boxes of negative size, rings that are no outlines."""
    if case.name in ("xywh", "sides", "cxcywh", "sides_and_angle"):
        return model[2] < 0 or model[3] < 0
    if case.name == "flat_lists":
        return good_rings(model)[1] is not None
    if case.name in ("cropped_rle", "cropped_png"):
        return not model
    if case.name in ("points_by_name", "named_points"):
        return all(seen == 0 for *_, seen in model[0])
    return case.name == "one_or_many" and model == ("",)


def test_every_codec_is_held_to_the_law() -> None:
    assert {case.name for case in CASES} == set(CODECS)
