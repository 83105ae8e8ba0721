"""A run that was killed is continued by the same command, with the same bytes; any other begins afresh."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from written_files import written_bytes

import formatspec as fs
from formatspec.model.amounts import with_amounts
from formatspec.run.conversion.write_shard import Conversion
from formatspec.run.output import partial as making
from formatspec.run.output.copying import copy, fresh
from formatspec.run.output.partial import partial
from formatspec.run.resume import Kept

ITEMS = 100
SHARDS = {(first, min(first + 16, ITEMS)) for first in range(0, ITEMS, 16)}
CONVERT = "import formatspec as fs; fs.convert({}, to={!r}, out={!r}, spec={!r}, workers={}, skip_invalid=True)"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resume") / "data"
    fs.sample("labelme", folder, items=ITEMS, seed=2)
    return folder


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The shards that are worked on from here on, in this process."""
    shards: list[tuple[int, int]] = []
    run = Conversion.run

    def noted(conversion: Conversion, shard: tuple[int, int]) -> Any:
        shards.append(shard)
        return run(conversion, shard)

    monkeypatch.setattr(Conversion, "run", noted)
    return shards


def converted(data: Path, out: Path, **options: Any) -> dict[str, bytes]:
    fs.convert(data, out=out, **{"to": "coco", "spec": "labelme", "workers": 1, "skip_invalid": True, **options})
    return written_bytes(out)


def killed(data: Path, out: Path, shards: int, **options: Any) -> set[tuple[int, int]]:
    """Begin a conversion in another process that is killed after so many shards; the shards that were kept."""
    child = os.fork()
    if not child:
        keep, left = Kept.__call__, [shards]

        def dying(self: Any, shard: tuple[int, int]) -> Any:
            if self.name == "written" and not left[0]:
                self.run(shard)
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= self.name == "written"
            return keep(self, shard)

        Kept.__call__ = dying  # type: ignore[method-assign]
        try:
            converted(data, out, **options)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert not out.exists()
    return kept(out)


def kept(out: Path) -> set[tuple[int, int]]:
    names = [path.name.split("-") for path in (out.parent / f".{out.name}.partial" / "done").glob("written-*")]
    return {(int(name[1]), int(name[2])) for name in names if "." not in name[2]}


def test_what_is_done_is_not_done_again(data: Path, tmp_path: Path, ran: list[tuple[int, int]]) -> None:
    done = killed(data, tmp_path / "out", 3)
    assert len(done) == 3
    resumed = converted(data, tmp_path / "out")
    assert set(ran) == SHARDS - done
    assert resumed == converted(data, tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "whole"]


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_any_moment(data: Path, tmp_path: Path, workers: int) -> None:
    whole = converted(data, tmp_path / "whole")
    began = time.monotonic()
    script = CONVERT.format(repr(str(data)), "coco", str(tmp_path / "timed"), "labelme", workers)
    subprocess.run([sys.executable, "-c", script], check=True)
    takes = time.monotonic() - began
    moments, between = random.Random(workers), 0
    for run in range(6):
        out = tmp_path / f"out{run}"
        script = CONVERT.format(repr(str(data)), "coco", str(out), "labelme", workers)
        process = subprocess.Popen([sys.executable, "-c", script])
        staging = out.parent / f".{out.name}.partial" / "files"
        while not staging.exists() and process.poll() is None:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, takes / 2))
        process.kill()
        process.wait()
        between += staging.exists()
        if out.exists():
            assert written_bytes(out) == whole
        else:
            subprocess.run([sys.executable, "-c", script], check=True)
            assert written_bytes(out) == whole
    assert between, "no run was killed between its beginning and its end"


def test_images_that_were_linked_stay_what_they_are(data: Path, tmp_path: Path) -> None:
    before = written_bytes(data)
    times = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    assert killed(data, tmp_path / "out", 2, media="link")
    resumed = converted(data, tmp_path / "out", media="link")
    assert resumed == converted(data, tmp_path / "whole", media="link")
    assert written_bytes(data) == before
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*")} == times


@pytest.mark.parametrize("change", ["options", "file", "time", "spec"])
def test_whatever_has_changed_begins_afresh(
    change: str, tmp_path: Path, ran: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, spec = tmp_path / "data", tmp_path / "mine.yaml"
    spec.write_text("formatspec: 1\nname: mine\nextends: labelme\n")
    fs.sample("labelme", data, items=ITEMS, seed=2)
    assert killed(data, tmp_path / "out", 3, spec=spec)
    asked: dict[str, Any] = {"spec": spec}
    document = sorted(data.rglob("*.json"))[0]
    if change == "options":
        asked["media"] = "none"
    elif change == "file":
        document.write_text(document.read_text() + "\n")
    elif change == "time":
        os.utime(document, ns=(0, 0))
    else:
        spec.write_text(spec.read_text() + "title: another\n")
    made = converted(data, tmp_path / "out", **asked)
    assert set(ran) == SHARDS
    assert made == converted(data, tmp_path / "whole", **asked)


def test_another_target_begins_afresh(data: Path, tmp_path: Path) -> None:
    assert killed(data, tmp_path / "out", 3)
    assert converted(data, tmp_path / "out", to="voc") == converted(data, tmp_path / "whole", to="voc")


def test_an_ordinary_failure_leaves_nothing(data: Path, tmp_path: Path) -> None:
    with pytest.raises(fs.RefusedError):
        converted(data, tmp_path / "out", lossless=True)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_replacement_leaves_the_old_one(data: Path, tmp_path: Path) -> None:
    out, making_of = tmp_path / "out", tmp_path / ".out.partial"
    converted(data, out)
    (making_of / "files").mkdir(parents=True)
    out.rename(making_of / "old")  # as if killed between the two renames
    before = written_bytes(making_of / "old")
    with pytest.raises(fs.OutputError, match="exists"):
        converted(data, out)
    assert written_bytes(out) == before


def test_two_runs_do_not_write_one_output(tmp_path: Path) -> None:
    with with_amounts(output_patience=0.1), partial(tmp_path / "out", False, "one") as staging:
        for other in ("one", "other"):
            with (
                pytest.raises(fs.OutputError, match="another run is writing"),
                partial(tmp_path / "out", False, other),
            ):
                pass
        staging.write("a", b"1")
    assert written_bytes(tmp_path / "out") == {"a": b"1"}


def test_workers_that_outlive_their_run_keep_the_next_waiting(tmp_path: Path) -> None:
    out, (read, write) = tmp_path / "out", os.pipe()
    child = os.fork()
    if not child:
        making._share(making._locked(tmp_path / ".out.partial", out), "token", out)
        if not os.fork():
            os.close(write)
            os.read(read, 1)
            os._exit(0)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    with (
        with_amounts(output_patience=0.1),
        pytest.raises(fs.OutputError, match="another run is writing"),
        partial(out, False, None),
    ):
        pass
    os.close(write)
    with partial(out, False, None) as staging:
        staging.write("a", b"1")
    assert written_bytes(out) == {"a": b"1"}


def test_a_worker_elsewhere_that_does_not_see_the_output_ends_the_run(tmp_path: Path) -> None:
    with partial(tmp_path / "out", False, None) as staging:
        rebuild, given = staging.__reduce__()
        assert rebuild(*given).token == staging.token
        with pytest.raises(fs.OutputError, match="all machines share"):
            rebuild(tmp_path / "elsewhere" / "files", None, staging.token)
        with pytest.raises(fs.OutputError, match="all machines share"):
            rebuild(given[0], None, "of another run")


@pytest.mark.parametrize("size", [0, 1, 5_000_000])
def test_a_copy_is_a_file_of_its_own(size: int, tmp_path: Path) -> None:
    source, place = tmp_path / "source", tmp_path / "place"
    source.write_bytes(random.Random(size).randbytes(size))
    os.link(source, place)
    copy(source, place)
    assert place.read_bytes() == source.read_bytes()
    with fresh(place) as stream:
        stream.write(b"new")
    assert (place.read_bytes(), len(source.read_bytes())) == (b"new", size)
