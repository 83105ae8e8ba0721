"""Skeletons whose points are elements of their own: the labels of the points, and skeletons that are gone."""

from __future__ import annotations

from pathlib import Path

from files_on_disk import put

import formatspec as fs
from formatspec.testing.memory import image_bytes

LABELS = """<label><name>person</name><color>#c06060</color><type>skeleton</type><attributes></attributes></label>
<label><name>head</name><color>#b83df5</color><type>points</type><attributes></attributes><parent>person</parent></label>
<label><name>foot</name><color>#b83df6</color><type>points</type><attributes></attributes><parent>person</parent></label>"""
HEAD = f"""<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><labels>{LABELS}</labels>
<original_size><width>64</width><height>48</height></original_size></task></meta>"""
IMAGE = """<image id="0" name="a.png" width="64" height="48"><skeleton label="person" source="manual" z_order="0">
<points label="head" source="manual" outside="0" occluded="0" points="20.00,10.00"></points>
<points label="foot" source="manual" outside="0" occluded="1" points="21.00,40.00"></points></skeleton></image>
</annotations>"""


def frame(number: int, outside: int, x: float) -> str:
    """Return the skeleton of a frame, as the tool writes it: what is outside are its points."""
    points = "".join(
        f'<points label="{label}" keyframe="1" outside="{outside}" occluded="0" points="{x:.2f},{y:.2f}"></points>'
        for label, y in (("head", 10), ("foot", 40))
    )
    return f'<skeleton frame="{number}" keyframe="1" z_order="0">{points}</skeleton>'


def of_images(folder: Path) -> Path:
    return put(folder, {"annotations.xml": HEAD + IMAGE, "images/a.png": image_bytes(64, 48, "png")})


def of_video(folder: Path) -> Path:
    rows = frame(0, 0, 5) + frame(2, 1, 5) + frame(3, 0, 9)
    text = f'{HEAD}<track id="0" label="person" source="manual">{rows}</track></annotations>'
    images = {f"images/frame_{number:06d}.png": image_bytes(64, 48, "png") for number in range(5)}
    return put(folder, {"annotations.xml": text, **images})


def test_labels_of_points_are_no_classes(tmp_path: Path) -> None:
    for name, data in (("cvat_images", of_images(tmp_path / "a")), ("cvat_video", of_video(tmp_path / "b"))):
        assert [one.name for one in fs.open(data, name).categories] == ["person"]
        fs.convert(data, to=name, out=tmp_path / name)
        again = (tmp_path / name / "annotations.xml").read_text("utf-8")
        assert again.count("<parent>person</parent>") == 2
        assert again.index("<name>person") < again.index("<name>head") < again.index("<name>foot")


def test_a_skeleton_whose_points_are_all_outside_is_gone(tmp_path: Path) -> None:
    """Frame 1 follows from frame 0; in frame 2 all points are outside, so there is no skeleton until frame 3."""
    data = of_video(tmp_path / "data")
    held = {item.frame: [thing.keypoints for thing in item.objects] for item in fs.open(data)}
    assert {number: len(found) for number, found in held.items()} == {0: 1, 1: 1, 2: 0, 3: 1, 4: 0}
    assert fs.validate(data).findings == ()
    fs.convert(data, to="cvat_video", out=tmp_path / "out", where="frame != 3")
    again = {item.frame: len(item.objects) for item in fs.open(tmp_path / "out")}
    assert again == {0: 1, 1: 1, 2: 0, 4: 0}
