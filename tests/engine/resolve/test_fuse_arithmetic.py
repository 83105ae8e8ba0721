"""A chain of codecs as one function gives what its codecs give one after another, and refuses what they refuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formatspec.codecs import Argument, Codec, Env, Site, UnfitError, make
from formatspec.engine.base.source_code import function
from formatspec.engine.resolve.codec_chain import spell, spell_each, spell_rows
from formatspec.engine.resolve.fuse_arithmetic import NEAR, box_lines, fused
from formatspec.model.flaws import SMALLEST

CHAINS: dict[str, list[tuple[str, tuple[Any, ...]]]] = {
    "left, top, width, height": [("xywh", ())],
    "by the centre": [("cxcywh", ())],
    "by the centre, normalized": [("cxcywh", ()), ("normalized", ())],
    "sides in another order, normalized": [("sides", ("x1", "x2", "y1", "y2")), ("normalized", ("x", "x", "y", "y"))],
    "sides from 1": [("sides", ()), ("inclusive", (1,))],
    "one of them as it is": [("xywh", ()), ("normalized", ("x", "y", "_", "y"))],
}

numbers = st.integers(-1000, 4000) | st.floats(-1e3, 4e3) | st.sampled_from([0.0, -0.0, NEAR, 2 * NEAR, 1e15, 10**400])
odd = st.none() | st.text(max_size=3) | st.lists(numbers, max_size=6) | st.sampled_from([float("nan"), float("inf")])
boxes = st.tuples(numbers, numbers, numbers, numbers) | st.lists(numbers | odd, min_size=4, max_size=4).map(tuple) | odd
sizes = st.sampled_from([Env(640, 480), Env(37, 23), Env()])


def chain(name: str, site: Site) -> tuple[Codec, ...]:
    return tuple(make(codec, [Argument(one) for one in arguments], site) for codec, arguments in CHAINS[name])


def outcome(encode: Any, value: Any, env: Env) -> tuple[str, str]:
    try:
        return "written", repr(encode(value, env))
    except UnfitError as unfit:
        return "unfit", unfit.expected


@pytest.mark.parametrize("site", [Site(), Site(right=4)], ids=["a list", "keys of their own"])
@pytest.mark.parametrize("name", CHAINS)
@given(value=boxes, env=sizes)
def test_as_its_codecs_one_after_another(name: str, site: Site, value: Any, env: Env) -> None:
    codecs = chain(name, site)

    def step_by_step(given: Any, env: Env) -> Any:
        for codec in codecs:
            given = codec.encode(given, env)
        return given

    encode = fused(codecs, 4, (2, 3), site.right > 1, step_by_step)
    assert encode is not None
    assert outcome(encode, value, env) == outcome(step_by_step, value, env)


@pytest.mark.parametrize("name", CHAINS)
@given(value=boxes, env=sizes)
def test_texts_are_those_that_each_number_is_spelled_by(name: str, value: Any, env: Env) -> None:
    codecs = chain(name, Site(right=4))
    steps = [codec.encode for codec in codecs]

    def spelled(given: Any, env: Env) -> Any:
        for encode in (*steps, spell_each):
            given = encode(given, env)
        return given

    encode = fused(codecs, 4, (2, 3), True, spelled, spelled=True)
    assert encode is not None
    assert outcome(encode, value, env) == outcome(spelled, value, env)


@pytest.mark.parametrize("name", CHAINS)
@given(value=st.tuples(*[st.integers(-1000, 4000) | st.floats(-1e3, 4e3) | st.just(2 * NEAR)] * 4), env=sizes)
def test_a_box_decoded_by_source_lines_is_that_of_its_codecs(name: str, value: Any, env: Env) -> None:
    codecs = chain(name, Site())
    bounds = "near, right, bottom = -10000, 10000, 10000"
    decode = function("decode(value, env)", (bounds, *box_lines(codecs), "return value"), {})
    box: Any = value
    try:
        for codec in reversed(codecs):
            box = codec.decode(box, env)
    except UnfitError:
        assert decode(value, env) is None
        return
    if decode(value, env) is None:  # left to the readers that judge
        assert env.width == 0 or min(box[2:]) < SMALLEST or max(map(abs, box)) > 5000
    else:
        assert repr(decode(value, env)) == repr(box)


def test_a_usual_box_is_computed_at_once() -> None:
    def never(value: Any, env: Env) -> Any:
        raise AssertionError("not computed at once")

    encode = fused(chain("by the centre, normalized", Site()), 4, (2, 3), False, never)
    assert encode is not None and encode((64, 48, 128, 96), Env(640, 480)) == [0.2, 0.2, 0.2, 0.2]
    texts = fused(chain("sides from 1", Site(right=4)), 4, (2, 3), True, never, spelled=True)
    assert texts is not None and texts((4.0, 8, 15.5, 16), Env()) == ("5.0", "9", "19.5", "24")


def test_a_chain_with_another_codec_is_not_fused() -> None:
    codecs: Sequence[Codec] = (make("xywh", [], Site()), make("box_ring", [], Site()))
    assert fused(codecs, 4, (2, 3), False, lambda value, env: value) is None


cells = (
    st.integers() | st.floats() | st.sampled_from([1e-7, 0.00001, 1e22, 10**30, True, "3", "", None, "a b", [], [1]])
)


@given(st.lists(st.lists(cells | st.floats(0, 1), max_size=5), max_size=6))
def test_rows_spelled_at_once_are_rows_spelled_one_by_one(rows: list[list[Any]]) -> None:
    assert spell_rows(rows) == [spell(row) for row in rows]
