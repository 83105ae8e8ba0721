"""How good the drafts of `formatspec infer` are: samples of every format, with the catalogue hidden.

`python benchmarks/infer.py [--specs a,b] [--items 10] [--seeds 1] [--details]` makes a sample of each format, drafts a
spec for it, and converts it to COCO twice, with the draft and with the format's own spec. The table says for each what
share of the files with annotations the draft claims, how many questions it asks, and whether both conversions are the
same: the same images, the same classes, boxes within half a pixel, outlines within a pixel. A draft that asks a
question does not count as the same, nor does a dataset of which COCO holds no annotation.

Where the environment variable FORMATSPEC_STRANGERS names a folder, each folder in it is a dataset of a format of its
own; its conversion is compared where a spec of the same name, `NAME.yaml`, stands beside it or in the folder that
FORMATSPEC_STRANGER_SPECS names.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import sys
import tempfile
import warnings
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "specs" / "coco.yaml"
BOX, OUTLINE = 0.5, 1.0
"""Pixels by which boxes and outlines may differ."""
KINDS = ("instances", "person_keypoints", "stuff", "labels")


class Converted(NamedTuple):
    """A conversion to COCO: its images, the names of its classes, and for each kind and image what is said of it."""

    images: Counter[tuple[str, str]]
    classes: frozenset[str]
    told: dict[tuple[str, tuple[str, str]], list[dict[str, Any]]]


def converted(data: Path, spec: str | Path, out: Path) -> Converted:
    """Convert a dataset and read what was written."""
    import formatspec as fs

    fs.convert(data, to=TARGET, spec=spec, out=out, workers=1)
    images: Counter[tuple[str, str]] = Counter()
    classes: set[str] = set()
    told: dict[tuple[str, tuple[str, str]], list[dict[str, Any]]] = defaultdict(list)
    for path in sorted((out / "images").rglob("*")):
        if path.is_file():
            images[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] += 1
    for file in sorted((out / "annotations").glob("*.json")):
        kind = file.name.partition("_")[0] if not file.name.startswith("person") else "person_keypoints"
        document = json.loads(file.read_bytes())
        subset = file.stem.partition(f"{kind}_")[2]
        names = {row["id"]: row["name"] for row in document.get("categories", ())}
        classes.update(names.values())
        if kind not in KINDS:
            continue
        known = {}
        for row in document["images"]:
            path = out / "images" / subset / row["file_name"]
            digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            known[row["id"]] = (path.name, digest)
        for row in document["annotations"]:
            told[kind, known[row["image_id"]]].append({**row, "class": names[row["category_id"]]})
    return Converted(images, frozenset(classes), dict(told))


def difference(one: Converted, other: Converted) -> str:
    """The first thing that differs, "" where nothing does."""
    if one.images != other.images:
        return f"images: {sum(one.images.values())} and {sum(other.images.values())}"
    if one.classes != other.classes:
        return f"classes: {sorted(one.classes ^ other.classes)[:4]} on one side only"
    if one.told.keys() != other.told.keys():
        return f"annotations: {sorted({kind for kind, _ in one.told.keys() ^ other.told.keys()})} on one side only"
    for key, rows in one.told.items():
        left = list(other.told[key])
        if len(left) != len(rows):
            return f"{key[0]}: {len(rows)} and {len(left)} annotations of {key[1][0]}"
        for row in rows:
            match = next((own for own in left if _same(row, own)), None)
            if match is None:
                near = [own.get("bbox") for own in left if own["class"] == row["class"]]
                return f"{key[0]} of {key[1][0]}: {row['class']} {row.get('bbox')} is not among {near[:3]}"
            left.remove(match)
    return ""


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    if one["class"] != other["class"]:
        return False
    boxes = one.get("bbox"), other.get("bbox")
    if (boxes[0] is None) != (boxes[1] is None):
        return False
    if boxes[0] is not None and max(abs(a - b) for a, b in zip(*boxes, strict=True)) > BOX:
        return False
    if not _same_points(one.get("keypoints"), other.get("keypoints")):
        return False
    return _same_outline(one.get("segmentation"), other.get("segmentation"))


def _same_points(one: Any, other: Any) -> bool:
    if not one or not other:
        return not one and not other
    return len(one) == len(other) and max(abs(a - b) for a, b in zip(one, other, strict=True)) <= OUTLINE


def _same_outline(one: Any, other: Any) -> bool:
    if not one or not other:
        return not one and not other
    if isinstance(one, dict) != isinstance(other, dict):
        return False
    if isinstance(one, dict):
        return _same_mask(one, other)
    a = [tuple(ring[i : i + 2]) for ring in one for i in range(0, len(ring), 2)]
    b = [tuple(ring[i : i + 2]) for ring in other for i in range(0, len(ring), 2)]
    return len(one) == len(other) and _near(a, b) and _near(b, a)


def _near(points: list[Any], others: list[Any]) -> bool:
    return all(min(math.dist(point, other) for other in others) <= OUTLINE for point in points)


def _same_mask(one: dict[str, Any], other: dict[str, Any]) -> bool:
    import numpy as np

    from formatspec.model.region import Region

    if one["size"] != other["size"]:
        return False
    a, b = (Region.from_coco(part).to_mask() for part in (one, other))

    def grown(mask: Any) -> Any:
        wide = np.pad(mask, 1)
        height, width = mask.shape
        return np.any([wide[y : y + height, x : x + width] for y in range(3) for x in range(3)], axis=0)

    return bool((a <= grown(b)).all() and (b <= grown(a)).all())


class Row(NamedTuple):
    """One line of the table."""

    name: str
    claimed: int
    evidence: int
    records: int
    questions: int
    same: bool
    said: str

    @property
    def claims(self) -> bool:
        """Whether the draft claims nine tenths of the files with annotations."""
        return self.claimed >= 0.9 * self.evidence


def judged(name: str, data: Path, spec: str | Path | None, folder: Path) -> Row:
    """Draft a spec for a dataset and compare what it says with what the dataset's own spec says."""
    from formatspec.infer.infer import NothingToInferError, infer
    from formatspec.paths.trees.open_tree import open_tree

    try:
        drafted = infer(open_tree(str(data)), "drafted")
    except NothingToInferError as error:
        return Row(name, 0, 1, 0, 0, False, f"no draft: {error}")
    file = folder / "drafted.yaml"
    file.write_text(drafted.text, "utf-8")
    said = "there is no spec to compare with"
    if spec is not None:
        try:
            own = converted(data, spec, folder / "own")
        except Exception as error:
            said = f"its own spec does not convert: {str(error)[:90]}"
        else:
            try:
                said = difference(own, converted(data, file, folder / "drafted"))
                if not said and not own.told:
                    said = "there is no annotation to compare"
            except Exception as error:
                said = f"the draft does not convert: {type(error).__name__} {str(error)[:90]}"
    questions = len(drafted.questions)
    claimed, evidence = drafted.claimed, drafted.evidence
    same = not said and not questions
    return Row(
        name, claimed, evidence, drafted.records, questions, same, said or ("but for questions" if questions else "")
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--specs", help="names of specs, with commas between; default: all")
    parser.add_argument("--items", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    import formatspec as fs
    from formatspec.language.load import available

    warnings.simplefilter("ignore")
    sources = {name: file.resolve() for name, file in available().items()}
    names = chosen.specs.split(",") if chosen.specs else sorted(sources)
    os.environ["FORMATSPEC_NO_CATALOGUE"] = "1"  # from here on no format is known by name
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names if names != ["-"] else ():
            data = Path(folder) / name / "data"
            fs.sample(sources[name], data, items=chosen.items, seed=chosen.seed)
            rows.append(_told(judged(name, data, sources[name], data.parent)))
        samples = len(rows)
        strangers = os.environ.get("FORMATSPEC_STRANGERS")
        for data in sorted(Path(strangers).iterdir()) if strangers else ():
            if not data.is_dir():
                continue
            places = [Path(strangers or "."), Path(os.environ.get("FORMATSPEC_STRANGER_SPECS", strangers or "."))]
            spec = next((p / f"{data.name}.yaml" for p in places if (p / f"{data.name}.yaml").is_file()), None)
            (Path(folder) / "strangers" / data.name).mkdir(parents=True)
            rows.append(_told(judged(data.name, data, spec, Path(folder) / "strangers" / data.name)))
    for title, part in (("samples", rows[:samples]), ("strangers", rows[samples:])):
        if part:
            claims, same = sum(row.claims for row in part), sum(row.same for row in part)
            print(f"{title}: {claims} of {len(part)} drafts claim 90 % of the files; {same} convert to the same")


def _told(row: Row) -> Row:
    claims = f"{row.claimed}/{row.evidence}"
    verdict = "same" if row.same else "-"
    print(f"{row.name:<26} {claims:>8} {row.records:>5} records {row.questions:>2} questions  {verdict:<5} {row.said}")
    sys.stdout.flush()
    return row


if __name__ == "__main__":
    main()
