"""Which images are masks of others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from formatspec.engine.detection.evidence.label_images import label_like
from formatspec.engine.detection.evidence.opened_files import OpenedFiles
from formatspec.paths.trees.open_tree import open_tree
from formatspec.pixels import png


def gray(width: int = 20) -> bytes:
    return png.encode(np.zeros((10, width), np.uint8), "gray")


def flat() -> bytes:
    return png.encode(np.zeros((10, 20, 3), np.uint8), "rgb")


def colorful(width: int = 20) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (10, width, 3)).astype(np.uint8)
    return png.encode(pixels, "rgb")


CASES: dict[str, tuple[dict[str, bytes], set[str]]] = {
    "gray beside color": ({"images/a.png": colorful(), "masks/a.png": gray()}, {"masks/a.png"}),
    "an end that names share": ({"i/a.png": colorful(), "m/a_mask.png": gray()}, {"m/a_mask.png"}),
    "in one folder": ({"a.png": colorful(), "a_instance_RGB.png": colorful()}, {"a_instance_RGB.png"}),
    "few colors beside many": ({"RGB/a.png": colorful(), "Sem/a.png": flat()}, {"Sem/a.png"}),
    "classes of equal names": ({"cat/001.png": colorful(), "dog/001.png": colorful()}, set()),
    "gray classes of equal names": ({"cat/001.png": gray(), "dog/001.png": gray()}, set()),
    "another size": ({"images/a.png": colorful(), "masks/a.png": gray(40)}, set()),
    "other names": ({"images/a.png": colorful(), "masks/b.png": gray()}, set()),
    "numbered in one folder": ({"a.png": colorful(), "a_1.png": gray()}, set()),
}


@pytest.mark.parametrize("name", CASES)
def test_label_images(name: str, tmp_path: Path) -> None:
    files, expected = CASES[name]
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    assert label_like(list(files), OpenedFiles(open_tree(tmp_path)).below("")) == expected
