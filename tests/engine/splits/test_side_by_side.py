"""Files that tell of the same items side by side: each comes back with the rows and categories it had."""

from __future__ import annotations

import json
from typing import Any

from formatspec.language.load import load_source
from formatspec.testing import laws
from formatspec.testing.memory import MemoryTree, image_bytes

SPEC = "coco"
IMAGES = [{"id": n, "file_name": f"{n}.png", "width": 8, "height": 6} for n in (1, 2)]
PERSON = {"id": 1, "name": "person"}
JOINTS = {**PERSON, "keypoints": ["nose"], "skeleton": [[1, 2]]}
BOX: dict[str, Any] = {"id": 7, "image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2], "area": 4, "iscrowd": 0}


def files(**documents: Any) -> MemoryTree:
    found = {f"images/train/{n}.png": image_bytes(8, 6, "png") for n in (1, 2)}
    for name, document in documents.items():
        found[f"annotations/{name}_train.json"] = json.dumps(document).encode()
    return MemoryTree(found)


TREE = files(
    instances={"categories": [PERSON, {"id": 2, "name": "dog"}], "images": IMAGES, "annotations": [BOX]},
    person_keypoints={
        "categories": [JOINTS],
        "images": IMAGES[:1],
        "annotations": [{**BOX, "keypoints": [1, 1, 2], "num_keypoints": 1}, {**BOX, "id": 9, "keypoints": [2, 2, 1]}],
    },
    captions={"images": IMAGES[1:], "annotations": [{"id": 3, "image_id": 2, "caption": "a dog"}]},
)


def test_rows_of_one_record_are_one_record() -> None:
    _, items = laws.opened(load_source(SPEC), TREE, {})
    first, second = items
    assert [(thing.id, thing.keypoints) for thing in first.objects] == [(7, ((1, 1, 2),)), (9, ((2, 2, 1),))]
    assert first.objects[0].category is not None
    assert first.objects[0].category.keypoint_names == ("nose",)
    assert [caption.text for caption in second.captions] == ["a dog"]


def test_each_file_comes_back_as_it_was() -> None:
    laws.read_write(load_source(SPEC), TREE, {})
