"""How well documents fit rules: recall, precision, constants, kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from formatspec.engine.detection.fit.document_fit import Fit, fit_of
from formatspec.engine.spec.compiled import compile_format
from formatspec.language.load import load_source

SPEC = """
formatspec: 1
name: fitting
items: list.pictures
files:
  image: "{name}.{ext:image}"
  list:
    path: list.json
    json:
      version: 2
      made?: keep
      pictures:
        - each: items
          file: "{name}.{ext}"
          size: {w: image.width, h: image.height}
          "*": keep
      things:
        - each: objects
          item: item.id
          label: category.name
          one of:
            - box: bbox
            - ring: polygon | pairs
"""


@pytest.fixture
def fit(tmp_path: Path) -> Any:
    (tmp_path / "fitting.yaml").write_text(SPEC)
    source = load_source(tmp_path / "fitting.yaml")
    role = compile_format(source, source.layouts[0]).roles["list"]
    assert role.codec is not None
    return lambda document, cut=False: fit_of(role.codec.rule, role.scope, document, cut)


def document(**changes: Any) -> dict[str, Any]:
    whole = {
        "version": 2,
        "pictures": [{"file": "a.png", "size": {"w": 1, "h": 2}}],
        "things": [{"item": 1, "label": "x", "box": [0, 0, 1, 1]}],
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def test_a_whole_document_fits_wholly(fit: Any) -> None:
    assert fit(document())[:2] == Fit(1.0)[:2]
    assert fit(document(made="x"))[:2] == Fit(1.0)[:2]


def test_a_key_that_some_rows_have_is_there(fit: Any) -> None:
    rows = [{"item": 1, "box": [0, 0, 1, 1]}, {"item": 1, "label": "x", "ring": [[0, 0], [1, 1]]}]
    assert fit(document(things=rows))[:2] == Fit(1.0)[:2]


def test_a_missing_key_is_named_and_costs_a_part(fit: Any) -> None:
    found = fit(document(things=[{"item": 1, "box": [0, 0, 1, 1]}]))
    assert 0.8 < found.f < 1 and found.reason == '"label" is missing in things'
    found = fit(document(things=None))
    assert 0.5 < found.f < 1 and found.reason == '"things" is missing'


def test_keys_that_the_rule_does_not_name_cost_a_part(fit: Any) -> None:
    extra = {f"k{number}": 1 for number in range(10)}
    found = fit(document(pictures=[{"file": "a.png", "size": {"w": 1, "h": 2}, **extra}]))
    assert 0.5 < found.f < 0.9


@pytest.mark.parametrize("changes", [
    {"version": 3},                                            # a constant
    {"pictures": [{"size": {"w": 1, "h": 2}}]},                  # nothing says which image a row is of
    {"pictures": "many", "things": 5},                           # kinds
])  # fmt: skip
def test_another_document_does_not_fit(changes: dict[str, Any], fit: Any) -> None:
    found = fit(document(**changes))
    assert found.f < 0.5 and found.reason


def test_what_is_no_mapping_does_not_fit(fit: Any) -> None:
    assert fit([1, 2]).f == 0.0
    assert fit({"images": [], "annotations": []}).f == 0.0


def test_what_the_beginning_of_a_document_lacks_says_nothing(fit: Any) -> None:
    part = document(pictures=None, things=None)
    assert fit(part, True).f == 1.0 and fit(part).f < 0.5


def test_the_row_in_which_a_document_breaks_off_may_lack_anything(fit: Any) -> None:
    part = document(things=[{"item": 1}])
    assert fit(part, True).f > 0.8 > fit(part).f
    assert fit(document(things=[{"x": 1}, {"y": 2}, {"z": 3}]), True).f < 0.5
