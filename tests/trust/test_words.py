"""What is said of a stranger's data and spec: the kind of thing, its place, and its own values."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

import formatspec as fs
from formatspec.files.json_file import decode
from formatspec.findings.render import sentence
from formatspec.language.errors import SpecError

HEAD = 'formatspec: 1\nname: my_words\nfiles:\n  image: "{name}.{ext:image}"\n'
ROWS = (
    '  d:\n    path: "{name}.json"\n    json: {w: image.width, h: image.height, '
    'o: [{each: objects, c: category.name, "s?": score, "b?": bbox | sides}]}\n'
)


def _spec(folder: Path, text: str) -> Path:
    file = folder / "my_words.yaml"
    file.write_text(HEAD + text, encoding="utf-8")
    return file


def _data(folder: Path, *rows: dict[str, object]) -> Path:
    data = folder / "d"
    data.mkdir()
    (data / "a.json").write_text(json.dumps({"w": 4, "h": 3, "o": rows}), encoding="utf-8")
    return data


def test_a_table_that_is_a_folder_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    where = _spec(tmp_path, ROWS + "categories: [{table: d}]\n")
    with pytest.raises(SpecError) as refused:
        fs.validate(tmp_path / "d", where, workers=1)
    [problem] = refused.value.problems
    assert problem.place is not None
    assert (Path(problem.place.file).name, problem.place.line) == ("my_words.yaml", 8)
    assert "'d' is a folder" in problem.message


def test_a_name_of_an_archive_is_no_link(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("../a.json", "{}")
        archive.writestr("b.json", "{}")
    report = fs.validate(tmp_path / "d.zip", _spec(tmp_path, ROWS), workers=1)
    assert [f.message for f in report.findings if f.code == "FILE_ESCAPES"] == ["the name leads out of the dataset"]


def test_a_link_is_called_one(tmp_path: Path) -> None:
    data = _data(tmp_path)
    (tmp_path / "b.json").write_text("{}", encoding="utf-8")
    (data / "b.json").symlink_to(tmp_path / "b.json")
    report = fs.validate(data, _spec(tmp_path, ROWS), workers=1)
    assert [f.message for f in report.findings if f.code == "FILE_ESCAPES"] == ["a link leads out of the dataset"]


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_number_of_very_many_digits_is_shown_as_what_it_is(tmp_path: Path, sign: str) -> None:
    data = _data(tmp_path)
    row = f'{{"c": "cat", "s": {sign}{"9" * 5000}}}'
    (data / "a.json").write_text(f'{{"w": 4, "h": 3, "o": [{row}]}}', encoding="utf-8")
    report = fs.validate(data, _spec(tmp_path, ROWS), workers=1)
    [found] = [f for f in report.findings if f.pointer == "/o/0/s"]
    assert "a number beyond what a float holds" in sentence(found)
    assert "inf" not in sentence(found)


def test_a_number_of_very_many_digits_is_infinite() -> None:
    assert decode(b"[" + b"9" * 5000 + b", -" + b"9" * 5000 + b"]") == [float("inf"), float("-inf")]


def _converted(folder: Path, labels: dict[str, str | None]) -> tuple[str, ...]:
    data = _data(folder, {"c": "person"}, {"c": "bicycle"}, {"c": "dog"})
    where = _spec(folder, ROWS)
    result = fs.convert(data, to=where, out=folder / "out", spec=where, media="none", labels=labels, workers=1)
    told = (one for one in result.notices if "--labels" in one)
    return tuple(one for one in told if "names the categories of" not in one)  # which says of how many objects


def test_one_misspelt_name_among_known_ones_is_told(tmp_path: Path) -> None:
    [notice] = _converted(tmp_path, {"person": "human", "bycicle": "bike"})
    assert "'bycicle'" in notice
    assert "did you mean 'bicycle'" in notice


@pytest.mark.parametrize("labels", [{"person": "human", "airplane": "plane"}, {"person": "human", "persons": "human"}])
def test_names_of_other_data_in_a_map_are_not_told(tmp_path: Path, labels: dict[str, str | None]) -> None:
    """A map may name what only other datasets have, and several spellings of one name."""
    assert _converted(tmp_path, labels) == ()
