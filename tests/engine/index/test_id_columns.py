"""Rows joined by numbers that were noted while they were sought are joined as rows that are looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import formatspec
from formatspec.engine.index import build_index as index
from formatspec.engine.index.id_columns import LARGEST_NOTED, IdColumns

near = st.integers(-LARGEST_NOTED + 1, LARGEST_NOTED - 1)


@given(st.lists(st.lists(st.tuples(near, near), max_size=4), max_size=4))
def test_numbers_are_noted(runs: list[list[tuple[int, int]]]) -> None:
    stated = IdColumns(("image_id", "id"))
    for run in filter(None, runs):
        stated.note(json.dumps([{"id": own, "image_id": item, "z": {}} for item, own in run])[1:-1].encode())
    pieces = stated.pieces()
    assert pieces is not None
    found = [pair for _, columns in pieces for pair in zip(*(column.tolist() for column in columns), strict=True)]
    assert found == [pair for run in runs for pair in run]


@pytest.mark.parametrize("odd", ['"7"', "7.0", "true", "null", str(LARGEST_NOTED), str(10**30), "[]", None])
def test_anything_else_is_left_to_a_look_at_the_rows(odd: str | None) -> None:
    stated = IdColumns(("id",))
    stated.note(b'{"id": 1}')
    stated.note(b'{"id": 1}, {}' if odd is None else f'{{"id": {odd}}}'.encode())
    stated.note(b'{"id": 2}')
    assert stated.pieces() is None


@pytest.mark.parametrize("rows", [b'{"id": 1', b'{"id": 1, "z": tru}', b'{"id": 1} {"id": 2}'])
def test_what_is_no_json_is_refused(rows: bytes) -> None:
    for keys in ((), ("id",)):
        with pytest.raises(ValueError, match=r"JSON|malformed|character|trunc"):
            IdColumns(keys).note(rows)


CASES: dict[str, tuple[list[Any], list[Any]]] = {
    "usual": ([1, 2, 3], [1, 2, 2, 3, 1]),
    "negative": ([-1, -2, 0], [-1, -2, -1]),
    "texts": (["1", "2"], ["1", "2", "1"]),
    "both": ([1, "1"], [1, "1"]),
    "far": ([10**18 * 2, 5], [5, 10**18 * 2]),
    "unknown": ([1, 2], [1, 9, 2]),
    "a fraction": ([1, 2], [1.0, 2]),
    "truth": ([1, 2], [True, 2]),
}


@pytest.mark.parametrize("doubled", [False, True], ids=["ids of their own", "an id twice"])
@pytest.mark.parametrize("case", CASES)
def test_the_same_with_and_without(case: str, doubled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, owners = CASES[case]
    rows = [{"id": n, "image_id": owner, "category_id": 1, "bbox": [1, 1, 2, 2]} for n, owner in enumerate(owners)]
    if doubled:
        rows[-1]["id"] = rows[0]["id"]
    document = {
        "images": [{"id": one, "file_name": f"{n}.jpg", "width": 9, "height": 9} for n, one in enumerate(images)],
        "annotations": rows,
        "categories": [{"id": 1, "name": "cat"}],
    }
    file = tmp_path / "data" / "annotations" / "instances_train.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(document))

    def outcome() -> Any:
        result = formatspec.validate(tmp_path / "data", "coco")
        items = [
            (item.key, [thing.id for thing in item.objects]) for item in formatspec.open(tmp_path / "data", "coco")
        ]
        return result.as_json(), items

    noted = outcome()
    monkeypatch.setattr(index, "noted_keys", lambda table: ())
    assert noted == outcome()
