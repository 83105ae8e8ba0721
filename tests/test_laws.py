"""Both laws, for every spec: what is written reads back equal, what is read writes back equal."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formatspec.language.load import available, load_source
from formatspec.testing import laws

STATED = os.environ.get("FORMATSPEC_LAWS")
EXAMPLES, LEAST = 20, 5


def examples(name: str) -> int:
    """How many datasets are made for each layout and choice of options of a spec.

    It is FORMATSPEC_LAWS where that is stated. Else a spec with more than three layouts or options gets fewer for each,
    so that no spec takes minutes, and five at least.
    """
    return (
        int(STATED)
        if STATED
        else max(LEAST, min(EXAMPLES, 3 * EXAMPLES // sum(1 for _ in laws.forms(load_source(name)))))
    )


@pytest.mark.parametrize("name", available())
def test_both_laws_hold(name: str) -> None:
    @settings(
        max_examples=examples(name),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 1 << 62), st.integers(1, 3))  # a seed: a spec of many layouts draws more than an example may
    def holds(seed: int, items: int) -> None:
        laws.hold(name, random.Random(seed), items)

    holds()


def test_specs_are_there() -> None:
    assert {"ade20k2020", "coco", "voc", "yolo_ultralytics", "image_masks"} <= available().keys()
