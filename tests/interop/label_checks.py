"""The label checks of Ultralytics on a folder, as JSON: `python label_checks.py FOLDER TASK CLASSES POINTS`.

The checks read text and image headers with numpy and Pillow. The package that holds them imports torch, of which they
use nothing, so that names stand in for torch and torchvision here. Nothing that needs torch itself is run.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.metadata
import json
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import MagicMock

STOOD_IN = ("torch", "torchvision")


class StandIn(types.ModuleType):
    """A module of which every name is something: classes for names with a capital, and mocks for others."""

    __path__: ClassVar[list[str]] = []
    __version__ = "2.0.0"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name[:1].isupper():
            return type(name, (), {})
        return MagicMock(name=name, TracerWarning=UserWarning, Module=type("Module", (), {}))


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules that others stand in for."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        of_package = name.partition(".")[0] in STOOD_IN
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if of_package else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return StandIn(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def main(folder: Path, task: str, classes: int, points: int) -> None:
    """Print, for each image by its name, what the checks make of its label file."""
    version = importlib.metadata.version
    importlib.metadata.version = lambda name: "2.0.0" if name in STOOD_IN else version(name)
    sys.meta_path.insert(0, Finder())
    from ultralytics.data.utils import img2label_paths, verify_image_label

    found = {}
    images = sorted(path for path in (folder / "images").rglob("*") if path.suffix in (".png", ".jpg"))
    labels = img2label_paths([str(path) for path in images])
    for image, label in zip(images, labels, strict=True):
        told = verify_image_label((str(image), label, "", task == "pose", classes, points, 3, False))
        name, rows, shape, segments, keypoints, missing, filled, empty, corrupt, message = told
        found[image.name] = {
            "rows": None if name is None else rows.tolist(),
            "shape": shape,
            "segments": [one.tolist() for one in segments or ()],
            "keypoints": None if keypoints is None else keypoints.tolist(),
            "counts": [missing, filled, empty, corrupt],
            "message": message,
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
