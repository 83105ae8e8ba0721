"""What points of skeletons hold besides their places: it comes back in the same format, and is named in others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_datasets import converted, put

import formatspec as fs
from formatspec.testing.memory import image_bytes

CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><labels><label><name>person</name><type>skeleton</type></label></labels></task></meta>
  <image id="0" name="a.png" width="40" height="30">
    <skeleton label="person" z_order="0">
      <points label="nose" outside="0" occluded="0" source="manual" points="3.00,4.00">
        <attribute name="pose">left</attribute>
      </points>
      <points label="ear" outside="0" occluded="1" points="5.00,6.00">
        <attribute name="pose">right</attribute>
      </points>
    </skeleton>
    <skeleton label="person" z_order="0">
      <points label="nose" outside="0" occluded="0" points="13.00,14.00"></points>
      <points label="ear" outside="1" occluded="0" points="15.00,16.00"></points>
    </skeleton>
  </image>
</annotations>
"""


@pytest.mark.parametrize("to", ["coco", "yolo_ultralytics", "voc", "datumaro"])
def test_attributes_of_the_points_of_a_skeleton_are_named(to: str, tmp_path: Path) -> None:
    data = put(tmp_path / "in", {"annotations.xml": CVAT, "images/a.png": image_bytes(40, 30, "png")})
    _, lost = converted(data, to)
    assert {what: count for what, count in lost.items() if "points." in what} == {
        "kept fields: points.attribute": 1, "kept fields: points.source": 1,
    }  # fmt: skip
    out, _ = converted(data, "cvat_images", where="true", lossless=True)
    assert [line.strip() for line in CVAT.splitlines() if "attribute" in line] == [
        line.strip() for line in (out / "annotations.xml").read_text().splitlines() if "attribute" in line
    ]


DARWIN = {
    "version": "2.0",
    "item": {
        "name": "a.png", "path": "/", "slots": [
            {"type": "image", "slot_name": "0", "width": 40, "height": 30, "source_files": [{"file_name": "a.png"}]},
        ],
    },
    "annotations": [
        {"id": "1", "name": "person", "skeleton": {"nodes": [
            {"name": "nose", "x": 3, "y": 4, "occluded": False, "confidence": 0.5},
            {"name": "ear", "x": 5, "y": 6, "occluded": True, "confidence": None},
        ]}},
    ],
}  # fmt: skip


def test_further_values_of_named_points_are_named(tmp_path: Path) -> None:
    files = {"releases/latest/annotations/a.json": json.dumps(DARWIN), "images/a.png": image_bytes(40, 30, "png")}
    data = put(tmp_path / "in", files)
    result = fs.convert(data, spec="v7_darwin", to="coco", out=tmp_path / "out")
    assert "kept fields: nodes.confidence (1 object)" in result.losses
