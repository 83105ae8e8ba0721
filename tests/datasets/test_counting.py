"""What a dataset holds, counted; and images that look alike."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

import formatspec as fs
from formatspec.datasets import looks
from formatspec.datasets.near_duplicates import alike
from formatspec.datasets.statistics import statistics

CAT, DOG = (fs.Category(name=name, index=index) for index, name in enumerate(("cat", "dog")))


def item(key: str, subset: str, *things: tuple[fs.Category, float, float]) -> fs.Item:
    objects = tuple(fs.Object(category=category, bbox=(0, 0, width, height)) for category, width, height in things)
    return fs.Item(key=key, subsets=(subset,), image=fs.Image(path=key, width=200, height=100), objects=objects)


ITEMS = [
    item("a", "train", (CAT, 10, 20), (CAT, 50, 50), (DOG, 100, 100)),
    item("b", "train", (DOG, 30, 10)),
    item("c", "val"),
    item("d", "val", (CAT, 40, 20), (DOG, 40, 10)),
]


def test_counts_are_those_of_the_items() -> None:
    found = statistics("mine", [CAT, DOG, fs.Category(name="cow", index=2)], ITEMS)
    assert (found.items, found.objects, found.unannotated) == (4, 6, 1)
    assert [(one.name, one.objects, one.items, one.subsets) for one in found.classes] == [
        ("cat", 3, 2, {"train": 2, "val": 1}), ("dog", 3, 3, {"train": 2, "val": 1}), ("cow", 0, 0, {}),
    ]  # fmt: skip
    assert found.subsets == {"train": 2, "val": 2} and found.sizes == ((200, 100, 4),)
    assert found.together == (("cat", "dog", 2),) and found.by_size == {"small": 4, "medium": 1, "large": 1}
    assert found.per_item is not None and found.per_item.percentiles == (0, 0.75, 1.5, 2.25, 3)
    areas = np.array([200, 2500, 10000, 300, 800, 400])
    assert found.areas is not None and found.areas.mean == pytest.approx(areas.mean())
    assert found.areas.percentiles == tuple(np.percentile(areas, (0, 25, 50, 75, 100)))


def picture(seed: int, shift: int = 0, quality: int = 95) -> bytes:
    rough = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    smooth = Image.fromarray(rough).resize((96, 80), Image.Resampling.BICUBIC)
    shown = Image.fromarray((np.asarray(smooth).astype(int) + shift).clip(0, 255).astype(np.uint8))
    held = io.BytesIO()
    shown.save(held, "JPEG", quality=quality)
    return held.getvalue()


def test_images_that_look_alike_are_found(tmp_path: Path, run: Any) -> None:
    images = {"a": picture(1), "b": picture(2), "c": picture(1, shift=4, quality=70), "d": picture(3), "e": picture(3)}
    items = [fs.Item(key=key, image=fs.Image(path=f"{key}.jpg", data=data)) for key, data in images.items()]
    fs.write(items, tmp_path / "data", to="coco")
    found = looks.statistics_of(fs.open(tmp_path / "data"), duplicates=True)
    assert found.duplicates == (("default/a", "default/c"), ("default/d", "default/e"))
    told = run("stats", "--duplicates", str(tmp_path / "data"))
    assert "look alike: default/a, default/c" in told.out


def test_hashes_of_few_other_bits_are_alike_whichever_bits_they_are() -> None:
    rng = np.random.default_rng(0)
    first = int(rng.integers(1 << 62))
    for _ in range(50):
        bits = rng.choice(64, 4, replace=False).tolist()
        near = first ^ sum(1 << bit for bit in bits[:3])
        assert alike([("a", first), ("b", near)]) == [("a", "b")]
        assert alike([("a", first), ("b", near ^ 1 << bits[3])]) == []


def test_the_command_says_it_as_text_json_and_a_page(tmp_path: Path, run: Any) -> None:
    photo = fs.Image(path="", width=200, height=100)
    things = [msgspec.structs.replace(one, subsets=(), image=msgspec.structs.replace(photo, path=f"{one.key}.png"))
              for one in ITEMS]  # fmt: skip
    fs.write(things, tmp_path / "data", to="coco", media="none")
    told = run("stats", str(tmp_path / "data"))
    assert told.status == 0 and "coco: 4 items, 6 objects, 2 classes" in told.out
    assert json.loads(run("stats", "--json", str(tmp_path / "data")).out)["objects"] == 6
    assert run("stats", "--html", str(tmp_path / "s.html"), str(tmp_path / "data")).status == 0
    assert "Objects, labels and areas by class" in (tmp_path / "s.html").read_text(encoding="utf-8")
    (tmp_path / "empty").mkdir()
    nothing = run("stats", "coco", str(tmp_path / "empty"))
    assert nothing.status == 2 and "holds no item of coco" in nothing.err
