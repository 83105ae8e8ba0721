"""Generated datasets of every spec converted to several formats and to their own: no record is gone without a line.

FORMATSPEC_CONSERVATION says how many datasets are made for each spec; `make conservation` takes 50.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import formatspec as fs
from formatspec.language.load import available
from formatspec.run.conversion.plan import RefusedError, UnaccountedError

RUNS = int(os.environ.get("FORMATSPEC_CONSERVATION", "1"))
TARGETS = ("coco", "voc", "yolo_ultralytics", "datumaro", "labelme")
CONVERTED = 0.5
"""The share of conversions of generated datasets that must not be refused, over all of one spec."""


@pytest.mark.parametrize("name", sorted(available()))
def test_nothing_is_gone_without_a_line(name: str, tmp_path: Path) -> None:
    made = tried = 0
    for seed in range(RUNS):
        data = tmp_path / f"data{seed}"
        fs.sample(name, data, items=3, seed=seed)
        for number, (to, where) in enumerate([*((to, None) for to in TARGETS), (name, None), (name, "true")]):
            tried += 1
            try:
                fs.convert(data, spec=name, to=to, out=tmp_path / f"{seed}-{number}", workers=1, where=where)
                made += 1
            except UnaccountedError as fault:
                raise AssertionError(f"seed {seed}, to {to}: {fault.losses}") from None
            except RefusedError as refused:
                assert refused.findings, f"seed {seed}, to {to}: refused without a finding"
    print(f"{name}: {made} of {tried} conversions made")
    assert made >= CONVERTED * tried
