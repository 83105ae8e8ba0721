"""The same bytes, findings and reports for 1, 2 and 7 workers; a worker's end changes nothing."""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import signal
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest
from written_files import written_bytes

import formatspec
from formatspec.engine.dataset.dataset import DatasetChangedError
from formatspec.engine.export.join_shards import NameTakenError
from formatspec.findings.finding import Finding
from formatspec.language.errors import Problem, SpecError
from formatspec.run.conversion.plan import RefusedError
from formatspec.run.conversion.write_shard import Conversion
from formatspec.run.errors import WorkerLostError
from formatspec.run.pools.shards import shards_of
from formatspec.run.pools.workers import Alone, Processes

ITEMS = 40


def converted(data: Path, out: Path, workers: int, **options: Any) -> tuple[dict[str, bytes], dict[str, Any]]:
    result = formatspec.convert(data, out=out, workers=workers, **options).as_json()
    del result["out"]
    return written_bytes(out), result


@pytest.mark.parametrize(
    ("spec", "to"),
    [
        ("ade20k2020", "coco"),
        ("ade20k2020", "ade20k2020"),
        ("coco", "coco"),
        ("coco", "yolo_ultralytics"),
        ("coco", "cvat_images"),
        ("voc", "coco_panoptic"),
        ("labelme", "via_csv"),
        ("kitti_detection", "lvis"),
        ("celeba", "celeba"),
        ("image_masks", "kitti_detection"),
    ],
)
def test_any_number_of_workers_gives_the_same(spec: str, to: str, tmp_path: Path) -> None:
    formatspec.sample(spec, tmp_path / "data", items=ITEMS, seed=3)
    asked = {"to": to, "spec": spec, "skip_invalid": True}
    one = converted(tmp_path / "data", tmp_path / "1", 1, **asked)
    for workers in (2, 7):
        assert converted(tmp_path / "data", tmp_path / str(workers), workers, **asked) == one


def break_some(folder: Path) -> None:
    """Make every fifth document unreadable, and point some categories nowhere."""
    for place, path in enumerate(sorted(folder.rglob("*.json"))):
        if place % 5 == 1:
            path.write_text(path.read_text()[:-20])


@pytest.mark.parametrize("to", ["via_csv", "labelbox", "vott_json", "cvat_images", "scale_ai"])
def test_rows_that_count_on_are_those_of_a_single_shard(
    to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    formatspec.sample("coco", tmp_path / "data", items=ITEMS, seed=3)
    asked = {"to": to, "spec": "coco", "skip_invalid": True}
    several = converted(tmp_path / "data", tmp_path / "several", 2, **asked)
    written: list[Any] = []
    run = Conversion.run
    monkeypatch.setattr(Conversion, "run", lambda made, shard: written.append(shard) or run(made, shard))
    assert converted(tmp_path / "data", tmp_path / "again", 1, **asked) == several
    assert len(written) > 1
    monkeypatch.setattr("formatspec.run.conversion.write_shard.shards_of", lambda items: [(0, items)])
    assert converted(tmp_path / "data", tmp_path / "single", 1, **asked) == several


def test_findings_and_what_is_left_out_are_the_same(tmp_path: Path) -> None:
    formatspec.sample("labelme", tmp_path / "data", items=ITEMS, seed=1)
    break_some(tmp_path / "data")
    reports = [formatspec.validate(tmp_path / "data", "labelme", workers=workers).as_json() for workers in (1, 2, 7)]
    assert reports[0]["findings"]
    assert reports[0] == reports[1] == reports[2]
    made = [
        converted(tmp_path / "data", tmp_path / str(n), n, to="coco", spec="labelme", skip_invalid=True)
        for n in (1, 2, 7)
    ]
    assert made[0][1]["skipped"] > 0
    assert made[0] == made[1] == made[2]


def test_places_in_a_shared_file_are_the_same(tmp_path: Path) -> None:
    formatspec.sample("coco", tmp_path / "data", items=ITEMS, seed=1)
    file = next((tmp_path / "data" / "annotations").glob("instances_*.json"))
    document = json.loads(file.read_bytes())
    for row in document["annotations"]:
        row["category_id"] = 999
    file.write_text(json.dumps(document, indent=1))
    reports = [formatspec.validate(tmp_path / "data", "coco", workers=workers).as_json() for workers in (1, 2, 7)]
    assert any(finding.get("line") for finding in reports[0]["findings"])
    assert reports[0] == reports[1] == reports[2]


def test_items_of_one_name_are_found_across_shards(tmp_path: Path) -> None:
    data = tmp_path / "data"
    formatspec.sample("labelme", data, items=ITEMS, seed=1)
    images = sorted(path for path in data.rglob("*") if path.suffix in (".jpg", ".png", ".jpeg"))
    first, last = images[0], images[-1]
    twin = last.parent / "zz" / first.name
    twin.parent.mkdir()
    twin.write_bytes(first.read_bytes())
    document = json.loads(first.with_suffix(".json").read_text())
    twin.with_suffix(".json").write_text(json.dumps(document))
    made = {}
    for workers in (1, 3):
        try:
            made[workers] = converted(data, tmp_path / str(workers), workers, to="voc", spec="labelme")
        except RefusedError as refused:
            made[workers] = [finding.message for finding in refused.findings]
    assert made[1] == made[3]


def test_shards_follow_from_the_number_of_items_alone() -> None:
    assert shards_of(0) == []
    assert shards_of(16) == [(0, 16)]
    assert shards_of(17) == [(0, 16), (16, 17)]
    for items in (100, 5_000, 100_000, 1_000_000):
        shards = shards_of(items)
        assert [shard[0] for shard in shards[1:]] == [shard[1] for shard in shards[:-1]]
        assert (shards[0][0], shards[-1][1]) == (0, items)


def test_results_come_in_order() -> None:
    shards = shards_of(200)
    assert list(Processes(3).map(lambda shard: shard, shards)) == list(Alone().map(lambda shard: shard, shards))


def test_a_worker_that_is_killed_changes_nothing(tmp_path: Path) -> None:
    def once(shard: tuple[int, int]) -> tuple[int, int]:
        mark = tmp_path / "killed"
        if shard[0] == 64 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return shard

    shards = shards_of(200)
    assert list(Processes(2).map(once, shards)) == shards
    assert (tmp_path / "killed").exists()


def test_workers_that_are_killed_again_and_again_are_told_of() -> None:
    here = os.getpid()

    def never(shard: tuple[int, int]) -> None:
        assert os.getpid() != here
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(WorkerLostError, match="--workers 1"):
        list(Processes(2).map(never, shards_of(200)))


class Travelled:
    """One process, but what is run and what it gives go there and back as they would between machines."""

    def map(self, run: Any, shards: Any) -> Any:
        there = pickle.loads(pickle.dumps(run))
        for shard in shards:
            made = there(shard)
            if isinstance(made, msgspec.Struct):
                assert msgspec.msgpack.decode(msgspec.msgpack.encode(made), type=type(made)) == made
            yield pickle.loads(pickle.dumps(made))


@pytest.mark.parametrize(
    ("spec", "to"),
    [
        ("ade20k2020", "coco"),
        ("ade20k2020", "ade20k2020"),
        ("coco", "coco"),
        ("coco", "yolo_ultralytics"),
        ("kitti_detection", "lvis"),
        ("yolo_ultralytics", "voc"),
        ("open_images", "open_images"),
    ],
)
def test_tasks_and_what_they_give_travel(spec: str, to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    formatspec.sample(spec, tmp_path / "data", items=ITEMS, seed=3)
    asked = {"to": to, "spec": spec, "skip_invalid": True, "where": "category.name != 'car'"}
    one = converted(tmp_path / "data", tmp_path / "1", 1, **asked)
    checked = formatspec.validate(tmp_path / "data", spec, workers=1)
    monkeypatch.setattr("formatspec.run.pools.pool.pool_of", lambda *_: nullcontext(Travelled()))
    assert converted(tmp_path / "data", tmp_path / "2", 2, **asked) == one
    assert formatspec.validate(tmp_path / "data", spec, workers=2) == checked


@pytest.mark.parametrize(
    "error",
    [
        SpecError((Problem("wrong", None),)),
        formatspec.RemoteError("gone"),
        RefusedError("no", (Finding(code="X", level="error", message="m"),), ("a loss",)),
        formatspec.OutputError("there"),
        formatspec.CannotRunError("nowhere"),
        NameTakenError(),
    ],
)
def test_errors_travel(error: Exception) -> None:
    there = pickle.loads(pickle.dumps(error))
    assert (type(there), str(there), vars(there)) == (type(error), str(error), vars(error))


def test_a_dataset_that_is_another_elsewhere_is_refused(tmp_path: Path) -> None:
    formatspec.sample("labelme", tmp_path / "data", items=3, seed=1)
    packed = pickle.dumps(formatspec.open(tmp_path / "data", "labelme")._inner)
    document = next((tmp_path / "data").rglob("*.json"))
    for path in document.parent.glob(f"{document.stem}.*"):
        path.unlink()
    with pytest.raises(DatasetChangedError, match="2 items where 3"):
        pickle.loads(packed)


def test_no_ray_is_said_in_a_sentence(tmp_path: Path) -> None:
    formatspec.sample("labelme", tmp_path / "data", items=1, seed=1)
    if importlib.util.find_spec("ray") is None:
        with pytest.raises(formatspec.CannotRunError, match=r"pip install 'formatspec\[ray\]'"):
            formatspec.validate(tmp_path / "data", "labelme", engine="ray")
    with pytest.raises(formatspec.CannotRunError, match="--engine ray"):
        formatspec.validate(tmp_path / "data", "labelme", address="here:1")
