"""Lines and columns found piece by piece are those that the whole text has."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import formatspec
from formatspec.files import places
from formatspec.files.document import place_of
from formatspec.files.json_file import locate
from formatspec.files.places import Places


@given(text=st.text(st.sampled_from("a\né€😀"), max_size=60), piece=st.integers(1, 9))
def test_places_are_those_of_the_text(text: str, piece: int) -> None:
    data = text.encode()
    before, places.PIECE = places.PIECE, piece
    try:
        found = Places(lambda size, offset: data[offset : offset + size])
        offsets = [len(text[:index].encode()) for index in range(len(text))]
        for index, offset in reversed(list(enumerate(offsets))):
            assert found.at(offset) == place_of(text, index)
    finally:
        places.PIECE = before


def test_a_finding_in_a_row_stands_where_the_whole_file_has_it(tmp_path: Path) -> None:
    formatspec.sample("coco", tmp_path / "data", items=6, seed=2)
    for indent in (None, 2):
        for file in (tmp_path / "data" / "annotations").glob("instances_*.json"):
            document = json.loads(file.read_bytes())
            for row in document["annotations"]:
                row["category_id"] = 999
            file.write_text(json.dumps(document, indent=indent, ensure_ascii=False))
        report = formatspec.validate(tmp_path / "data", "coco", workers=1)
        told = [one for one in report.findings if one.code == "UNKNOWN_CATEGORY"]
        assert told
        for one in told:
            assert one.file is not None and one.pointer is not None
            data = (tmp_path / "data" / one.file).read_bytes()
            assert (one.line, one.column) == locate(data, tuple(one.pointer.split("/")[1:]))
