"""A row with `each` beside alternatives that have an `each` of their own, as a spec that extends another may get."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Run
from files_on_disk import spec_file

TEXT = """
formatspec: 1
name: own
extends: {base}
files:
  {role}:
    pixels: {{{first}each: areas by category, {channel}: category.index}}
"""


@pytest.mark.parametrize(("base", "role", "channel"), [("voc", "classes_png", "P"), ("bdd100k_lane", "mask", "L")])
def test_it_is_a_mistake_that_is_named(base: str, role: str, channel: str, run: Run, tmp_path: Path) -> None:
    spec = spec_file(tmp_path, TEXT.format(base=base, role=role, channel=channel, first=""))
    ran = run("lint", spec)
    assert ran.status == 2 and f"{spec}:6:" in ran.out + ran.err
    assert "`each` stands beside a `one of` whose alternatives have an `each` of their own" in ran.out + ran.err
    assert "`one of: drop`" in ran.out + ran.err


def test_dropping_the_alternatives_is_the_repair(run: Run, tmp_path: Path) -> None:
    spec = spec_file(tmp_path, TEXT.format(base="bdd100k_lane", role="mask", channel="L", first="one of: drop, "))
    ran = run("lint", spec, "--runs", "1")
    assert "`each` stands beside" not in ran.out + ran.err and ran.status != 3
