"""The generated choice among alternatives is the one that an object's slots, looked at one by one, lead to."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from formatspec.engine.evaluate.unbounded import is_flat, is_unbounded
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting, states
from formatspec.engine.write.geometry_choice import Fitting, _fitting, _says_more_than_keypoints, shape_chooser
from formatspec.model.records import Object
from formatspec.model.region import Region

NAMES = ("bbox", "rotated", "polygon", "polygons", "polyline", "keypoints", "circle", "region")
shapes = st.lists(st.frozensets(st.sampled_from(NAMES), max_size=2), min_size=1, max_size=5)
line = st.sampled_from([(), (1.0, 2.0, 5.0, 2.0), (1.0, 2.0, 5.0, 7.0)])
marks = st.sampled_from([(), ((1.0, 2.0, 2.0),), ((0.0, 0.0, 0.0),), ((1.0, 2.0, 2.0), (3.0, 4.0, 2.0))])
ring = (0.0, 0.0, 4.0, 0.0, 4.0, 3.0)
pixels = Region.full(4, 4)
no_pixels = Region.empty(4, 4)
objects = st.builds(
    Object,
    bbox=st.sampled_from([None, (1.0, 2.0, 3.0, 4.0)]),
    rotated=st.sampled_from([None, (3.0, 3.0, 2.0, 2.0, 10.0)]),
    polygons=st.sampled_from([(), (ring,)]),
    polyline=line,
    keypoints=marks,
    circle=st.sampled_from([None, (3.0, 3.0, 1.0)]),
    region=st.sampled_from([None, pixels, no_pixels]),
)


def looked_at(
    asked: list[frozenset[str]], outlines: frozenset[int], kept: frozenset[int], setting: Any, thing: Any, is_read: bool
) -> Fitting:
    is_object = isinstance(thing, Object)
    stated = frozenset(name for name in frozenset().union(*asked) if states(thing, name))
    unseen = is_object and bool(thing.keypoints) and _says_more_than_keypoints(thing)
    by_region = is_object and bool(thing.region) and not setting.apart
    gone: frozenset[int] = frozenset()
    if is_object and not is_read:
        gone |= kept
        if not (thing.polygons or thing.region) and any(asked):
            gone |= outlines if thing.rotated is None else frozenset()
            if is_flat(thing):
                gone |= {place for place, shape in enumerate(asked) if shape and is_unbounded(thing) not in shape}
    return _fitting(asked, stated, by_region, unseen).without(gone)


@given(shapes, st.frozensets(st.integers(0, 4)), st.frozensets(st.integers(0, 4)), st.booleans(), st.data())
def test_a_choice_is_the_one_of_the_slots(
    asked: list[frozenset[str]], outlines: frozenset[int], kept: frozenset[int], apart: bool, data: st.DataObject
) -> None:
    choose = shape_chooser(asked, outlines, kept=kept)
    setting = WriteSetting({}, None, {}, apart=apart)
    context = WriteContext(setting, None, None)
    for _ in range(3):  # what was found once is remembered
        thing = data.draw(objects | st.just("no object"))
        is_read = data.draw(st.booleans())
        assert choose(context, thing, is_read) == looked_at(asked, outlines, kept, setting, thing, is_read)
