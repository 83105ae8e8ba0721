"""`explain`: which role claims a file, why none claims another, and from where an item's values came."""

import json
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

import formatspec as fs
from formatspec.run import explain
from formatspec.run.explain import ClaimedFile, ExplainedDataset, ExplainedItem, NothingOfThatNameError, UnclaimedFile

SPEC = """formatspec: 1
name: mine
files:
  image: "images/{camera}/{name}.{ext:image}"
  label:
    path: "labels/{camera}/{name}.json"
    need: optional
    json:
      boxes:
        - each: objects
          label: category.name
          box: bbox | xywh
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "mine.yaml").write_text(SPEC)
    for folder in ("images/front", "labels/front", "labels/odd/deep"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    iio.imwrite(tmp_path / "data/images/front/a.png", np.zeros((8, 9), np.uint8))
    boxes = [{"label": "car", "box": [1, 2, 3, 4]}, {"label": "bus", "box": [0, 0, 2, 2]}]
    (tmp_path / "data/labels/front/a.json").write_text(json.dumps({"boxes": boxes}))
    (tmp_path / "data/labels/odd/deep/b.json").write_text("{}")
    return tmp_path


def explained(folder: Path, name: str | None = None) -> explain.Explained:
    return fs.explain(folder / "data", folder / "mine.yaml", name)


def test_a_dataset_by_its_roles(data: Path) -> None:
    found = explained(data)
    assert isinstance(found, ExplainedDataset)
    assert [(role.role, role.count) for role in found.roles] == [("image", 1), ("label", 1)]
    assert (found.items, found.unclaimed) == (1, 1)
    assert found.first_unclaimed[0].file == "labels/odd/deep/b.json"


def test_a_file_that_a_role_claims(data: Path) -> None:
    found = explained(data, "labels/front/a.json")
    assert found == ClaimedFile(
        "labels/front/a.json", "label", "labels/{camera}/{name}.json", {"camera": "front", "name": "a"}, ("front/a",)
    )


def test_a_file_that_none_claims_and_how_far_each_template_matched(data: Path) -> None:
    found = explained(data, "labels/odd/deep/b.json")
    assert isinstance(found, UnclaimedFile)
    assert [role for role, _, _ in found.reasons] == ["label", "image"]
    assert "must begin with 'images/'" in found.reasons[1][2]
    assert "'odd/deep" in found.reasons[0][2] or "deep" in found.reasons[0][2]


def test_an_item_and_where_its_values_stand(data: Path) -> None:
    found = explained(data, "front/a")
    assert isinstance(found, ExplainedItem)
    assert found.files["label"] == ["labels/front/a.json"]
    objects = [told for told in found.told if told.record.startswith("object")]
    assert [(told.file, told.pointer) for told in objects] == [
        ("labels/front/a.json", "/boxes/0"),
        ("labels/front/a.json", "/boxes/1"),
    ]
    assert objects[0].slots["bbox"].endswith("mine.yaml:12")
    assert objects[0].slots["category.name"].endswith("mine.yaml:11")


def test_a_name_that_nothing_has_is_met_with_a_suggestion(data: Path) -> None:
    with pytest.raises(NothingOfThatNameError, match="did you mean 'front/a'"):
        explained(data, "front/b")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (None, "label (optional): labels/{camera}/{name}.json: 1 file, first labels/front/a.json"),
        ("labels/front/a.json", "camera = 'front', name = 'a'"),
        ("labels/odd/deep/b.json", "no role claims it"),
        ("front/a", "object 1: labels/front/a.json/boxes/1"),
    ],
)
def test_what_a_person_reads(name: str | None, said: str, data: Path) -> None:
    assert said in "\n".join(explain.lines(explained(data, name)))
