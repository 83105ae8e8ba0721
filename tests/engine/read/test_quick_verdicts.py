"""What is plain is seen to be so at a glance: the verdict is that of looking at every part."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from formatspec.codecs.registry import UnfitError
from formatspec.engine.base.faults import MisfitError, Record
from formatspec.engine.read import bind_slots as binding
from formatspec.engine.read.categories import Categories
from formatspec.engine.read.item_state import ItemState
from formatspec.language import values

NAN, INF = float("nan"), float("inf")
RINGS: list[Any] = [
    (), (1, 2.5, -3), (1.0, NAN), (INF, -INF), (INF,), (1e308, 1e308), (10**400, 1), (10**400, 1.5), (True, 1),
    ("1", 2), (None,), ([1], 2),
]  # fmt: skip
SIDES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    1.0,
    -0.0,
    "",
    "1",
    [],
    [1],
    (1,),
    [1.0],
    {},
    {"a": 1},
    {"a": 1.0},
    10**400,
]


def verdict(ring: Any) -> Any:
    """What is said of a ring that a record is given, and what the record then is."""
    job, record = ItemState({}, Categories((), closed=False), False), Record()
    try:
        binding._geometry("polygon")(ring, record, job)
    except UnfitError as unfit:
        return getattr(unfit, "code", ""), unfit.expected, repr(unfit.got), isinstance(unfit, MisfitError)
    except TypeError as error:
        return str(error)
    return repr(record)


@pytest.mark.parametrize("ring", RINGS, ids=repr)
def test_rings(ring: Any) -> None:
    with mock.patch.object(binding, "_are_finite", lambda ring: False):
        one_by_one = verdict(ring)
    assert verdict(ring) == one_by_one


@pytest.mark.parametrize("left", SIDES, ids=repr)
def test_equality(left: Any) -> None:
    found = [values.equal(left, right) for right in SIDES]
    with mock.patch.object(values, "_PLAIN", ()):
        assert found == [values.equal(left, right) for right in SIDES]
