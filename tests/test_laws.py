"""Both laws, for every spec: what is written reads back equal, what is read writes back equal."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formatspec.language.load import available
from formatspec.testing import laws

EXAMPLES = int(os.environ.get("FORMATSPEC_LAWS", "20"))


@pytest.mark.parametrize("name", available())
def test_both_laws_hold(name: str) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.randoms(use_true_random=False), st.integers(1, 3))
    def holds(rng: random.Random, items: int) -> None:
        laws.hold(name, rng, items)

    holds()


def test_specs_are_there() -> None:
    assert {"ade20k2020", "coco", "voc", "yolo_ultralytics", "image_masks"} <= available().keys()
