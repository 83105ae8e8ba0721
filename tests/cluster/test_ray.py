"""The same bytes, findings and reports on a Ray of this machine; a worker's end changes nothing there either."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.run.pools.cluster import Cluster, cluster
from formatspec.run.pools.shards import AHEAD, shards_of

ray = pytest.importorskip("ray")

ITEMS = 60


@pytest.fixture(scope="module", autouse=True)
def pool() -> Iterator[Cluster]:
    """One Ray for all tests: it takes seconds to begin.  Its workers can import what stands here."""
    paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    with cluster(2, None) as begun:
        yield begun


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def converted(data: Path, out: Path, **options: Any) -> tuple[dict[str, bytes], dict[str, Any]]:
    result = fs.convert(data, out=out, **options).as_json()
    del result["out"]
    return files_of(out), result


@pytest.mark.parametrize(("spec", "to"), [("ade20k2020", "coco"), ("coco", "yolo_ultralytics")])
def test_ray_gives_what_one_process_gives(spec: str, to: str, tmp_path: Path) -> None:
    fs.sample(spec, tmp_path / "data", items=ITEMS, seed=3)
    asked = {"spec": spec, "to": to, "skip_invalid": True}
    one = converted(tmp_path / "data", tmp_path / "1", workers=1, **asked)
    assert converted(tmp_path / "data", tmp_path / "2", workers=2, **asked) == one
    assert converted(tmp_path / "data", tmp_path / "ray", engine="ray", **asked) == one


def test_places_and_subsets_and_choices_travel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fs.sample("labelme", "data", items=ITEMS, seed=1)
    asked: dict[str, Any] = {"spec": "labelme", "to": "voc", "where": "category.name != 'car'", "skip_invalid": True}
    one = converted(Path("data"), Path("1"), workers=1, **asked)
    assert converted(Path("data"), Path("ray"), engine="ray", **asked) == one


def test_findings_are_the_same(tmp_path: Path) -> None:
    fs.sample("labelme", tmp_path / "data", items=ITEMS, seed=1)
    for place, path in enumerate(sorted((tmp_path / "data").rglob("*.json"))):
        if place % 5 == 1:
            path.write_text(path.read_text()[:-20])
    one, many = (fs.validate(tmp_path / "data", "labelme", **how) for how in ({"workers": 1}, {"engine": "ray"}))
    assert one.findings
    assert many.as_json() == one.as_json()


class KilledOnce:
    """Ends its worker in the middle of a shard, once."""

    def __init__(self, run: Any, mark: Path) -> None:
        self.run, self.mark = run, mark

    def __call__(self, shard: tuple[int, int]) -> Any:
        made = self.run(shard)
        if shard[0] == 16 and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return made


def test_a_worker_that_is_killed_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fs.sample("ade20k2020", tmp_path / "data", items=ITEMS, seed=3)
    asked = {"spec": "ade20k2020", "to": "coco", "skip_invalid": True}
    one = converted(tmp_path / "data", tmp_path / "1", workers=1, **asked)
    spread, mark = Cluster.map, tmp_path / "killed"
    monkeypatch.setattr(Cluster, "map", lambda pool, run, shards: spread(pool, KilledOnce(run, mark), shards))
    assert converted(tmp_path / "data", tmp_path / "ray", engine="ray", **asked) == one
    assert mark.exists()


class Always:
    """Ends every worker."""

    def __call__(self, shard: tuple[int, int]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def test_workers_that_are_killed_again_and_again_are_told_of(pool: Cluster) -> None:
    with pytest.raises(fs.CannotRunError, match="again and again"):
        list(pool.map(Always(), shards_of(40)))


def test_more_shards_are_given_out_than_are_worked_on(pool: Cluster) -> None:
    assert pool._room() == 2 * AHEAD
    assert Cluster(pool.ray, 3)._room() == 3


class Broken:
    """Fails as an output behind a URL does."""

    def __call__(self, shard: tuple[int, int]) -> None:
        raise fs.RemoteError("the store is gone")


def test_what_a_worker_raises_is_raised_here_as_it_was(pool: Cluster) -> None:
    with pytest.raises(fs.RemoteError, match=r"^the store is gone$"):
        list(pool.map(Broken(), shards_of(40)))
