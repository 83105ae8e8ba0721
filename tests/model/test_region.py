"""Regions against dense masks and against pycocotools."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as reference

from formatspec.model import derive
from formatspec.model.records import Object
from formatspec.model.region import Region

masks = hnp.arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)))
stacks = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: st.lists(st.tuples(hnp.arrays(np.bool_, shape), st.sampled_from("abc")), max_size=5)
)
pairs = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.bool_, shape))
)
PLUS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.bool_)
RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.bool_)


# -- laws ----------------------------------------------------------------------------------------------------


@given(masks)
def test_a_mask_comes_back(mask: np.ndarray) -> None:
    region = Region.from_mask(mask)
    assert np.array_equal(region.to_mask(), mask)
    assert region.area == mask.sum()
    assert bool(region) == mask.any()
    assert Region.from_counts(region.counts(), *mask.shape) == region
    assert hash(pickle.loads(pickle.dumps(region))) == hash(region)
    assert pickle.loads(pickle.dumps(region)) == region


@given(masks)
def test_counts_area_and_box_are_those_of_the_reference(mask: np.ndarray) -> None:
    region = Region.from_mask(mask)
    encoded = reference.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert region.to_coco() == {"size": list(mask.shape), "counts": encoded["counts"].decode()}
    assert Region.from_coco(encoded) == region
    assert Region.from_coco({"size": list(mask.shape), "counts": region.counts()}) == region
    assert region.area == reference.area(encoded)
    assert list(region.bbox or (0, 0, 0, 0)) == list(reference.toBbox(encoded))


@given(pairs)
def test_set_operations_are_those_of_masks(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = pair
    r, s = Region.from_mask(a), Region.from_mask(b)
    assert (r | s) == Region.from_mask(a | b)
    assert (r & s) == Region.from_mask(a & b)
    assert (r - s) == Region.from_mask(a & ~b)
    assert r.common_areas([s, r, r - s]) == [(a & b).sum(), a.sum(), (a & ~b).sum()]
    assert r.iou(s) == ((a & b).sum() / (a | b).sum() if (a | b).any() else 0.0)


@given(stacks)
def test_what_is_seen_of_layers_is_what_no_later_one_hides(stack: list[tuple[np.ndarray, str]]) -> None:
    seen = Region.overlaid([(Region.from_mask(mask), key) for mask, key in stack])
    assert list(seen) == list(dict.fromkeys(key for _, key in stack))
    painted = np.full(stack[0][0].shape if stack else (1, 1), "")
    for mask, key in stack:
        painted[mask] = key
    assert seen == {key: Region.from_mask(painted == key) for key in seen}


def test_layers_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="different sizes"):
        Region.overlaid([(Region.full(2, 3), "a"), (Region.full(3, 2), "b")])


@given(masks, st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
def test_a_crop_lies_where_it_was(mask: np.ndarray, left: int, top: int, right: int, bottom: int) -> None:
    whole = np.pad(mask, ((top, bottom), (left, right)))
    region = Region.from_crop(mask, left, top, *whole.shape)
    assert region == Region.from_mask(whole)
    crop, x, y = region.crop()
    assert Region.from_crop(crop, x, y, *whole.shape) == region


@given(masks)
def test_traced_outlines_refill_exactly(mask: np.ndarray) -> None:
    region, shape = Region.from_mask(mask), mask.shape
    assert Region.from_rings_evenodd(region.to_rings(), *shape) == region
    outlines = region.to_polygons()
    assert [Region.from_rings_evenodd([o.outer, *o.holes], *shape) for o in outlines] == region.pieces()
    ring = region.one_ring()
    assert (Region.empty(*shape) if ring is None else Region.from_polygons([ring], *shape)) == region


@given(masks)
def test_rings_have_corners_only(mask: np.ndarray) -> None:
    for flat in Region.from_mask(mask).to_rings():
        ring = np.array(flat).reshape(-1, 2)
        steps = np.roll(ring, -1, 0) - ring
        assert (np.count_nonzero(steps, axis=1) == 1).all()
        assert ((steps * np.roll(steps, -1, 0)).sum(1) == 0).all()  # each edge turns against the next


@given(masks)
def test_pieces_are_disjoint_connected_and_complete(mask: np.ndarray) -> None:
    region = Region.from_mask(mask)
    pieces = region.pieces()
    assert sum(piece.area for piece in pieces) == region.area
    together = Region.empty(*mask.shape)
    for piece in pieces:
        assert piece.to_mask().tolist() == _flood(mask, piece).tolist()
        together |= piece
    assert together == region


def _flood(mask: np.ndarray, piece: Region) -> np.ndarray:
    """All that is 4-connected to the first pixel of a piece."""
    x, y = divmod(int(piece.bounds[0]), piece.height)
    seen, todo = np.zeros_like(mask), [(y, x)]
    while todo:
        y, x = todo.pop()
        if 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and mask[y, x] and not seen[y, x]:
            seen[y, x] = True
            todo += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    return seen


def _evenodd(ring: list[float], height: int, width: int) -> np.ndarray:
    """The textbook test of every centre, one by one."""
    points = list(zip(ring[::2], ring[1::2], strict=True))
    mask = np.zeros((height, width), np.bool_)
    for y in range(height):
        for x in range(width):
            for (x0, y0), (x1, y1) in zip(points, points[-1:] + points[:-1], strict=True):
                a, b = ((x0, y0), (x1, y1)) if x0 <= x1 else ((x1, y1), (x0, y0))
                if a[0] <= x + 0.5 < b[0]:
                    at = a[1] + (x + 0.5 - a[0]) * ((b[1] - a[1]) / (b[0] - a[0]))
                    mask[y, x] ^= at <= y + 0.5
    return mask


quarters = st.integers(-12, 44).map(lambda n: n / 4)
rings = st.lists(st.tuples(quarters, quarters), min_size=1, max_size=6).map(
    lambda points: [value for point in points for value in point]
)


@given(st.lists(rings, max_size=3))
def test_filling_is_the_textbook_test_of_every_centre(many: list[list[float]]) -> None:
    dense = [_evenodd(ring, 8, 7) for ring in many] or [np.zeros((8, 7), np.bool_)]
    assert Region.from_polygons(many, 8, 7) == Region.from_mask(np.logical_or.reduce(dense))
    assert Region.from_rings_evenodd(many, 8, 7) == Region.from_mask(np.logical_xor.reduce(dense))


@given(rings, quarters, quarters)
def test_triangles_of_a_fan_share_no_pixel_along_their_edges(ring: list[float], x: float, y: float) -> None:
    """Neighbours share an edge exactly: the even-odd sum of the fan is the ring itself."""
    points = list(zip(ring[::2], ring[1::2], strict=True))
    fan = [[*a, *b, x, y] for a, b in zip(points, points[1:] + points[:1], strict=True)]
    assert Region.from_rings_evenodd(fan, 8, 7) == Region.from_rings_evenodd([ring], 8, 7)


# -- examples ------------------------------------------------------------------------------------------------


def test_offsets_run_down_the_columns() -> None:
    region = Region.from_crop(PLUS, left=1, top=0, height=4, width=5)
    assert region.bounds.tolist() == [5, 6, 8, 11, 13, 14]
    assert region.counts() == [5, 1, 2, 3, 2, 1, 6]
    assert region.bbox == (1, 0, 3, 3)
    assert region.touches_border
    assert not Region.from_crop(PLUS, 1, 1, 5, 5).touches_border


def test_whole_columns_are_one_run() -> None:
    assert Region.from_mask(np.ones((3, 4), np.bool_)) == Region.full(3, 4)
    assert Region.full(3, 4).bounds.tolist() == [0, 12]
    assert Region.full(3, 4).bbox == (0, 0, 4, 3)
    assert Region.full(3, 4).counts() == [0, 12]
    assert Region.empty(3, 4).bbox is None
    assert Region.empty(3, 4).counts() == [12]


def test_a_rectangle_of_whole_pixels_refills_exactly() -> None:
    region = Region.from_polygons([[1, 2, 4, 2, 4, 5, 1, 5]], 8, 8)
    assert region.bbox == (1, 2, 3, 3)
    assert region.area == 9
    assert region.to_rings() == [[1.0, 2.0, 4.0, 2.0, 4.0, 5.0, 1.0, 5.0]]


def test_polygons_overlap_under_union_and_cancel_under_evenodd() -> None:
    squares = [[0, 0, 3, 0, 3, 3, 0, 3], [1, 1, 2, 1, 2, 2, 1, 2]]
    assert Region.from_polygons(squares, 3, 3) == Region.full(3, 3)
    assert Region.from_rings_evenodd(squares, 3, 3) == Region.from_mask(RING)


def test_a_hole_belongs_to_its_piece() -> None:
    mask = np.zeros((3, 8), np.bool_)
    mask[:, 0:3] = mask[:, 5:8] = RING
    assert [(o.outer[0], len(o.holes), o.holes[0][0]) for o in Region.from_mask(mask).to_polygons()] == [
        (0.0, 1, 1.0),
        (5.0, 1, 6.0),
    ]


def test_diagonal_neighbours_are_two_pieces() -> None:
    assert [piece.area for piece in Region.from_mask(np.eye(2, dtype=np.bool_)).pieces()] == [1, 1]


def test_runs_of_no_pixels_are_allowed_and_vanish() -> None:
    assert Region.from_counts([0, 2, 0, 1, 3], 2, 3) == Region.from_counts([0, 3, 3], 2, 3)
    assert Region.from_counts([2, 0, 4], 2, 3) == Region.empty(2, 3)


def test_it_cannot_be_changed() -> None:
    given_bounds = np.array([0, 2])
    region = Region(2, 2, given_bounds)
    given_bounds[0] = 1
    assert region.bounds.tolist() == [0, 2]
    with pytest.raises(ValueError, match="read-only"):
        region.bounds[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        pickle.loads(pickle.dumps(region)).bounds[0] = 1
    with pytest.raises(AttributeError):
        region.height = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"size": [2, 2], "counts": [1, 2]}, "add up to 3 pixels, but the image has 4"),
        ({"size": [2, 2], "counts": [3, -1, 2]}, "negative"),
        ({"size": [2, 2], "counts": [9]}, "does not fit"),
        ({"size": [2, 2], "counts": [1.0, 3.0]}, "whole numbers"),
        ({"size": [2, 2], "counts": [True, 3]}, "whole numbers"),
        ({"size": [2, 2], "counts": "1 2"}, "bad character, ' ', at position 1"),
        ({"size": [2, 2], "counts": "é"}, "bad character"),
        ({"size": [2, 2], "counts": "P"}, "breaks off"),
        ({"size": [2, 2], "counts": "o" * 20 + "0"}, "too large"),
        ({"size": [2, 2], "counts": ""}, "add up to 0"),
        ({"size": [2, 2], "counts": "O5"}, "negative"),
        ({"size": [2], "counts": "4"}, "size"),
        ({"size": [-2, 2], "counts": "4"}, "size"),
        ({"size": [2, 2]}, "text or a list"),
        ({"counts": "4"}, "size"),
    ],
)
def test_malformed_run_lengths_are_refused_with_a_sentence(value: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Region.from_coco(value)


@pytest.mark.parametrize("ring", [[0, 0, 1], [0, 0, 1, float("nan"), 2, 2], [0, 0, float("inf"), 1, 2, 2]])
def test_malformed_rings_are_refused(ring: list[float]) -> None:
    with pytest.raises(ValueError, match="ring"):
        Region.from_polygons([ring], 4, 4)


def test_other_wrong_uses_are_refused() -> None:
    with pytest.raises(ValueError, match="different sizes"):
        Region.empty(2, 3) | Region.empty(3, 2)
    with pytest.raises(ValueError, match="leaves the image"):
        Region.from_crop(PLUS, 0, 0, 2, 3)
    with pytest.raises(ValueError, match="strictly increasing"):
        Region(2, 2, np.array([2, 1]))
    with pytest.raises(ValueError, match="leaves the image"):
        Region(2, 2, np.array([0, 5]))


def test_shapes_that_are_filled_together_are_those_filled_one_by_one() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        height, width = (int(side) for side in rng.integers(1, 40, 2))
        shapes = [
            [rng.uniform(-5, 45, 2 * int(points)).tolist() for points in rng.integers(0, 8, int(rings))]
            for rings in rng.integers(0, 4, 6)
        ]
        together = Region.of_each(shapes, height, width)
        assert together == [Region.from_polygons(rings, height, width) for rings in shapes]


def test_what_follows_from_few_runs_is_what_follows_from_their_mask() -> None:
    rng = np.random.default_rng(5)
    for share in (0.02, 0.1, 0.5):
        for _ in range(50):
            mask = rng.random(tuple(rng.integers(1, 30, 2))) < share
            region = Region.from_mask(mask)
            assert region.area == mask.sum()
            rows, columns = np.nonzero(mask)
            if not region:
                assert region.bbox is None
                continue
            x, y, w, h = region.bbox or (0, 0, 0, 0)
            assert (x, y, x + w - 1, y + h - 1) == (columns.min(), rows.min(), columns.max(), rows.max())
            assert Region.from_coco(region.to_coco()) == region


def test_filling_several_objects_leaves_the_error_of_one_to_its_own_time() -> None:
    square, bad = Object(polygons=((1.0, 1.0, 4.0, 1.0, 4.0, 4.0, 1.0, 4.0),)), Object(polygons=((1.0, 2.0, 3.0),))
    derive.fill_all([square, bad], 10, 10)
    found = derive.region(square, 10, 10)
    assert found is not None
    assert found.area == 9
    with pytest.raises(ValueError, match="flat list"):
        derive.region(bad, 10, 10)


def test_many_objects_of_an_image_are_filled_at_once() -> None:
    things = [Object(polygons=((x, 1.0, x + 2.0, 1.0, x + 2.0, 4.0, x, 4.0),)) for x in map(float, range(200))]
    derive.fill_all(things, 10, 300)
    assert [region.area for thing in things if (region := derive.region(thing, 10, 300))] == [6] * 200
