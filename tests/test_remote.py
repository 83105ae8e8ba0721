"""Data and output behind URLs: the same bytes as on disk, few requests, whole or absent, one sentence of error."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import pytest
from botocore.exceptions import ClientError
from fsspec.implementations.local import LocalFileSystem
from written_files import written_bytes

import formatspec as fs
from formatspec.model.amounts import with_amounts
from formatspec.paths.trees.open_tree import open_tree
from formatspec.paths.trees.remote import ReadAhead, RemoteTree
from formatspec.paths.trees.store import MANIFEST, Store, store_at, told
from formatspec.paths.trees.zip_tree import ZipTree
from formatspec.run.output.output import staged
from formatspec.run.output.staging import OutputError

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
AT_MOST = 1.2
"""Requests for each file read or written, listings included."""


def stored(url: str) -> dict[str, bytes]:
    """What lies below a URL, past our own code."""
    store, root = fsspec.core.url_to_fs(url)
    store.invalidate_cache()
    return {name[len(root) + 1 :]: store.cat_file(name) for name in store.find(root)}


def put(url: str, content: dict[str, bytes]) -> str:
    store, root = fsspec.core.url_to_fs(url)
    for name, data in content.items():
        store.pipe_file(f"{root}/{name}", data)
    return url


@pytest.fixture
def memory() -> Iterator[str]:
    """A place in memory of the test's own."""
    store = fsspec.filesystem("memory")
    store.store.clear()
    yield "memory://place"
    store.store.clear()


# A tree behind a URL


def test_a_tree_behind_a_url_is_the_tree_on_disk(memory: str, ade20k2020: Path) -> None:
    near, far = open_tree(ade20k2020), open_tree(put(f"{memory}/data", written_bytes(ade20k2020)))
    assert list(far.paths()) == list(near.paths())
    assert set(far.folders()) == set(near.folders())
    assert all(far.read(path) == near.read(path) and far.size(path) == near.size(path) for path in near.paths())
    part = far.folders()[0]
    assert list(far.under(part).paths()) == list(near.under(part).paths())
    assert far.local(far.paths()[0]) is None
    with pytest.raises(FileNotFoundError):
        far.read("none")


def test_names_that_leave_the_root_are_escapes(memory: str) -> None:
    put(memory, {"a/b.txt": b"b"})
    fsspec.filesystem("memory").pipe_file("/place/a//c.txt", b"c")
    good = ["a/b.txt", "a//c.txt"]
    bad = ["../x", "a/../../x", "/etc/x", "a\\b", "C:/x", "a/\0"]
    tree = RemoteTree(store_at(memory), dict.fromkeys([*good, *bad], 1))
    assert list(tree.paths()) == ["a/b.txt", "a/c.txt"]
    assert list(tree.folders()) == ["a"]
    assert set(tree.escapes()) == set(bad)
    assert [tree.read(path) for path in tree.paths()] == [b"b", b"c"]
    assert not any(tree.exists(name) for name in [*bad, "a//c.txt"])
    with pytest.raises(FileNotFoundError):
        tree.read("../x")


def test_a_tree_behind_a_url_pickles_with_its_listing(memory: str) -> None:
    tree = open_tree(put(memory, {"a/b.txt": b"b"}))
    tree.prefetch(["a/b.txt"])
    fsspec.filesystem("memory").pipe_file("/place/new.txt", b"")
    copy = pickle.loads(pickle.dumps(tree))
    assert list(copy.paths()) == ["a/b.txt"]
    assert copy.read("a/b.txt") == b"b"


def test_a_file_that_changed_since_it_was_listed_ends_the_run(memory: str) -> None:
    tree = open_tree(put(memory, {"a.txt": b"abc"}))
    put(memory, {"a.txt": b"ab"})
    with pytest.raises(fs.RemoteError, match="changed since it was listed"):
        tree.read("a.txt")


class Fetched:
    """Files of ten bytes, and which of them were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, path: str, again: bool) -> bytes:
        self.asked.append(path)
        return path.encode().ljust(10)


@pytest.fixture
def ahead() -> Iterator[tuple[ReadAhead, Fetched]]:
    fetched = Fetched()
    with ThreadPoolExecutor(1) as pool, with_amounts(fetched_ahead=35, files_kept=25):
        yield ReadAhead(fetched, lambda path: 1000 if path == "huge" else 10, pool), fetched


def test_files_are_fetched_once_and_no_more_of_them_than_there_is_room_for(ahead: tuple[ReadAhead, Fetched]) -> None:
    reader, fetched = ahead
    reader.expect("abcdef")
    assert reader.read("a") == b"a".ljust(10)
    assert reader.read("c") == b"c".ljust(10)
    assert fetched.asked == ["a", "b", "c"]
    reader.expect("bcdef")
    reader.read("b"), reader.read("d"), reader.read("e")
    assert fetched.asked == ["a", "b", "c", "d", "e"]
    reader.expect(["huge", "f"])
    reader.read("huge")
    assert fetched.asked == ["a", "b", "c", "d", "e", "huge"], "a file larger than the room is fetched alone"


def test_files_read_lately_are_kept_within_bounds(ahead: tuple[ReadAhead, Fetched]) -> None:
    reader, fetched = ahead
    for path in "aabbaa":
        reader.read(path)
    assert fetched.asked == ["a", "b"]
    reader.read("c")
    reader.read("a")
    reader.read("b")
    assert fetched.asked == ["a", "b", "c", "b"], "of three files two fit, and the one read longest ago goes"


def test_what_was_expected_and_is_not_read_makes_room(ahead: tuple[ReadAhead, Fetched]) -> None:
    reader, fetched = ahead
    reader.expect("abc")
    reader.expect("xyz")
    for path in "xyz":
        reader.read(path)
    assert fetched.asked[-3:] == ["x", "y", "z"]
    assert sorted(fetched.asked) == sorted(set(fetched.asked))


def test_nothing_is_under_way_once_nothing_is_expected() -> None:
    started, done = threading.Event(), threading.Event()

    def fetch(path: str, again: bool) -> bytes:
        started.set()
        time.sleep(0.2)
        done.set()
        return b""

    with ThreadPoolExecutor(1) as pool:
        reader = ReadAhead(fetch, lambda path: 1, pool)
        reader.expect("ab")
        started.wait()
        reader.expect(())
        assert done.is_set()


def test_nothing_more_is_fetched_once_items_are_no_longer_asked_for(memory: str, ade20k2020: Path) -> None:
    tree = open_tree(put(memory, written_bytes(ade20k2020)))
    dataset = fs.api.opened(memory, "ade20k2020", {}, origin=False)
    dataset.tree = tree
    items = iter(dataset)
    next(items)
    assert tree._reader._coming
    items.close()
    assert not tree._reader._coming


def test_zips_are_read_behind_urls_and_in_urls(memory: str, ade20k2020: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "whole"), "zip", tmp_path, "data"))
    url = put(memory, {"whole.zip": archive.read_bytes()}) + "/whole.zip"
    near = open_tree(ade20k2020)
    for place, prefix in (
        (url, "data"),
        (f"zip://::{url}", "data"),
        (f"zip://data::{url}", ""),
        (f"zip://data::{archive}", ""),
        (f"zip://data::file://{archive}", ""),
    ):
        tree = open_tree(place)
        tree = tree.under(prefix) if prefix else tree
        assert {path: tree.read(path) for path in tree.paths()} == written_bytes(ade20k2020), place
        assert list(tree.paths()) == list(near.paths())
    assert not fs.validate(f"zip://data::{url}").findings
    fs.convert(f"zip://data::{url}", to="coco", out=f"{memory}/out")
    fs.convert(ade20k2020, to="coco", out=tmp_path / "out")
    assert {name: data for name, data in stored(f"{memory}/out").items() if name != MANIFEST} == written_bytes(
        tmp_path / "out"
    )


def test_what_is_no_data_is_said(memory: str, tmp_path: Path) -> None:
    put(memory, {"a.txt": b"no zip", "b.zip": b"no zip"})
    with pytest.raises(FileNotFoundError, match="there is no data"):
        open_tree(f"{memory}/none")
    for name in ("a.txt", "b.zip"):
        with pytest.raises(fs.RemoteError, match="neither a folder nor a zip"):
            open_tree(f"{memory}/{name}")
    with pytest.raises(fs.RemoteError, match="say which archive"):
        open_tree("zip://data")
    with pytest.raises(fs.RemoteError, match="no-such-store"):
        open_tree("no-such-store://data")


def test_a_url_of_a_file_is_a_path(ade20k2020: Path, tmp_path: Path) -> None:
    fs.convert(f"file://{ade20k2020}", to="coco", out=f"file://{tmp_path}/out")
    assert not fs.validate(tmp_path / "out").findings


# An output behind a URL


def test_an_output_behind_a_url_is_the_output_on_disk_with_a_manifest(
    memory: str, ade20k2020: Path, tmp_path: Path
) -> None:
    fs.convert(ade20k2020, to="coco", out=tmp_path / "coco")
    result = fs.convert(put(f"{memory}/data", written_bytes(ade20k2020)), to="coco")
    assert result.out == f"{memory}/data-coco"
    found = stored(result.out)
    manifest = fs.open(result.out)._inner.tree.read(MANIFEST)
    assert found.pop(MANIFEST) == manifest
    assert found == written_bytes(tmp_path / "coco")
    assert [f'"{name}": {len(data)}' in manifest.decode() for name, data in found.items()] == [True] * len(found)
    assert not fs.validate(result.out, "coco").findings, "no rule minds the manifest"
    fs.convert(ade20k2020, to="coco", out=f"{memory}/up")
    assert {n: d for n, d in stored(f"{memory}/up").items() if n != MANIFEST} == found
    back = fs.convert(result.out, to="coco", out=tmp_path / "back")
    assert back.files == result.files


def test_an_output_that_failed_is_deleted(memory: str, ade20k2020: Path) -> None:
    with pytest.raises(fs.RefusedError):
        fs.convert(ade20k2020, to="coco", out=f"{memory}/out", lossless=True)
    assert not stored(f"{memory}/out")
    with pytest.raises(OutputError, match="no path below"), staged(f"{memory}/out") as staging:
        staging.write("a", b"a")
        staging.write("../b", b"b")
    assert not stored(f"{memory}/out")


def test_a_write_that_fails_fails_the_output(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any, path: str, data: bytes, **_: Any) -> None:
        raise OSError(28, "no room")

    with pytest.raises(fs.RemoteError, match=r"out: no room"), staged(f"{memory}/out") as staging:
        staging.write("a", b"a")
        staging.flush()
        monkeypatch.setattr(type(fsspec.filesystem("memory")), "pipe_file", refuse)
        staging.write("b", b"b")
    assert not stored(f"{memory}/out")


def test_an_output_that_exists_stays_and_is_replaced_whole_if_asked(memory: str, ade20k2020: Path) -> None:
    out = f"{memory}/out"
    with staged(out) as staging:
        staging.write("images/old.jpg", b"old")
    before = stored(out)
    with pytest.raises(OutputError, match=r"exists; choose .* --overwrite"):
        fs.convert(ade20k2020, to="coco", out=out)
    with pytest.raises(OutputError, match="exists"):
        fs.sample("ade20k2020", out)
    assert stored(out) == before
    fs.convert(ade20k2020, to="coco", out=out, overwrite=True)
    assert "images/old.jpg" not in stored(out)
    assert not fs.validate(out).findings


def test_files_of_others_are_never_replaced(memory: str, ade20k2020: Path) -> None:
    out = put(f"{memory}/out", {"thesis.txt": b"mine"})
    with pytest.raises(OutputError, match="no formatspec wrote"):
        fs.convert(ade20k2020, to="coco", out=out, overwrite=True)
    with pytest.raises(OutputError, match="since a moment ago"), staged(out):
        pass
    assert stored(out) == {"thesis.txt": b"mine"}


def test_an_output_that_is_not_whole_is_no_data(memory: str, ade20k2020: Path) -> None:
    out = fs.convert(ade20k2020, to="coco", out=f"{memory}/out").out
    whole = stored(out)
    image = next(name for name in whole if name.startswith("images/"))
    fsspec.filesystem("memory").rm_file(f"/place/out/{image}")
    with pytest.raises(fs.RemoteError, match=f"not whole: {re.escape(image)} is missing"):
        fs.open(out)
    put(out, {**whole, MANIFEST: b'{"formatspec": 1, "whole": false}'})
    with pytest.raises(fs.RemoteError, match="not whole: the run that writes it has not ended"):
        fs.open(out)
    with pytest.raises(OutputError, match="not whole"):
        fs.convert(ade20k2020, to="coco", out=out)
    fs.convert(ade20k2020, to="coco", out=out, overwrite=True)
    assert stored(out) == whole


def test_an_output_is_not_whole_while_it_is_written(memory: str) -> None:
    with staged(f"{memory}/out") as staging:
        staging.write("a.txt", b"a")
        staging.flush()
        with pytest.raises(fs.RemoteError, match="not whole"):
            open_tree(f"{memory}/out")
    assert open_tree(f"{memory}/out").read("a.txt") == b"a"


def test_an_output_lies_beside_the_data_and_in_no_archive(memory: str, ade20k2020: Path) -> None:
    data = put(f"{memory}/data", written_bytes(ade20k2020))
    for out, why in (
        (f"{data}/out", "lies inside the data"),
        (memory, "holds the data"),
        (f"{data}/", "lies inside the data"),
        (f"zip://::{memory}/a.zip", "never a zip"),
    ):
        with pytest.raises(OutputError, match=why):
            fs.convert(data, to="coco", out=out, overwrite=True)
    fs.convert(data, to="coco", out=f"{memory}/data2")
    with pytest.raises(OutputError, match="-o"):
        fs.convert("memory://data", to="coco")
    assert {n.removeprefix("data/") for n in stored(memory) if n.startswith("data/")} == set(written_bytes(ade20k2020))


class DiskAsStore(LocalFileSystem):
    """A store that has real folders, as sftp has."""

    protocol = "disk"


def test_folders_are_made_where_a_store_has_them(ade20k2020: Path, tmp_path: Path) -> None:
    fsspec.register_implementation("disk", DiskAsStore, clobber=True)
    fs.convert(ade20k2020, to="coco", out=tmp_path / "near")
    fs.convert(f"disk://{ade20k2020}", to="coco", out=f"disk://{tmp_path}/far")
    far = written_bytes(tmp_path / "far")
    assert (tmp_path / "far" / MANIFEST).is_file()
    assert far == written_bytes(tmp_path / "near")


def test_links_that_cannot_be_are_counted(memory: str, ade20k2020: Path, tmp_path: Path) -> None:
    data = put(f"{memory}/data", written_bytes(ade20k2020))
    for place, out in ((data, str(tmp_path / "out")), (ade20k2020, f"{memory}/out")):
        result = fs.convert(place, to="coco", out=out, media="link")
        assert result.notices[0] == f"{result.items} files could not be linked and were copied"


def test_a_copy_of_an_output_is_valid_on_disk(memory: str, ade20k2020: Path, tmp_path: Path) -> None:
    out = fs.convert(ade20k2020, to="coco", out=f"{memory}/out").out
    for name, data in stored(out).items():
        (tmp_path / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "copy" / name).write_bytes(data)
    assert (tmp_path / "copy" / MANIFEST).exists()
    assert not fs.validate(tmp_path / "copy").findings


def test_what_is_lacking_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(fs.RemoteError, match=r"^s3://bucket/x needs formatspec\[s3\]: pip install 'formatspec\[s3\]'$"):
        open_tree("s3://bucket/x")
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(fs.RemoteError, match=r"^gs://bucket/x needs formatspec\[s3\]: pip install 'formatspec\[s3\]'$"):
        open_tree("gs://bucket/x")


# A real server that speaks S3


@dataclass(frozen=True)
class Server:
    """A server of buckets on this machine, with a log of its requests."""

    url: str
    log: Path

    def requests(self) -> list[tuple[str, str]]:
        """Method and path of each request so far."""
        return re.findall(r'"(?:\x1b\[\d+m)*(GET|HEAD|PUT|POST|DELETE) (\S+) HTTP', self.log.read_text("utf-8"))


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-p", str(port)], stdout=stream, stderr=subprocess.STDOUT
        )
    try:
        for _ in range(300):
            assert process.poll() is None, log.read_text()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield Server(f"http://127.0.0.1:{port}", log)
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def server(_server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server, named in the environment as users name theirs."""
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": _server.url}.items():
        monkeypatch.setenv(name, value)
    return _server


@pytest.fixture
def bucket(server: Server) -> str:
    """The URL of a new bucket."""
    name = uuid.uuid4().hex
    fsspec.filesystem("s3").mkdir(name)
    return f"s3://{name}"


def cli(*arguments: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-m", "formatspec.cli.main", *arguments], capture_output=True, text=True, env=env
    )


def test_s3_to_s3_gives_the_bytes_of_disk_to_disk_in_few_requests(server: Server, bucket: str, tmp_path: Path) -> None:
    fs.sample("ade20k2020", tmp_path / "data", items=60, seed=3)
    fs.sample("ade20k2020", f"{bucket}/data", items=60, seed=3)
    fs.convert(tmp_path / "data", to="coco", out=tmp_path / "out")
    before = len(server.requests())
    fs.convert(f"{bucket}/data", to="coco", out=f"{bucket}/out", workers=2)
    requests = server.requests()[before:]
    written = stored(f"{bucket}/out")
    assert written.pop(MANIFEST)
    assert written == written_bytes(tmp_path / "out")
    read = {path for method, path in requests if method == "GET" and "list-type" not in path}
    assert len(requests) <= AT_MOST * (len(read) + len(written))
    heads = [path for method, path in requests if method == "HEAD" and "/data/" in path]
    assert not heads, "the listing tells names and sizes; no file is asked about by itself"
    assert sum("prefix=data" in path for _, path in requests) == 1, "the data is listed once"


def test_documents_gone_over_twice_are_fetched_once_though_memory_keeps_none(server: Server, bucket: str) -> None:
    fs.sample("voc", f"{bucket}/data", items=40, seed=3)
    before = len(server.requests())
    with with_amounts(files_kept=0):
        fs.convert(f"{bucket}/data", to="coco", spec="voc", out=f"{bucket}/out")
    requests = [path for method, path in server.requests()[before:] if method == "GET" and path.endswith(".xml")]
    assert len(requests) == len(set(requests)) == 40


def _read(job: tuple[Any, list[str], bool]) -> list[bytes]:
    tree, paths, again = job
    tree.prefetch(paths, again=again)
    return [tree.read(path) for path in paths]


def test_what_one_process_fetched_to_be_read_again_another_has(server: Server, bucket: str) -> None:
    content = {f"{number}.txt": str(number).encode() * 100 for number in range(20)}
    tree: Any = open_tree(put(f"{bucket}/data", content))
    paths = list(tree.paths())
    for again, asked in ((True, 20), (False, 0)):
        before = len(server.requests())
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            (read,) = pool.map(_read, [(tree, paths, again)])
        assert read == [content[path] for path in paths]
        assert len(server.requests()) - before == asked
    folder = Path(tree.spool.folder)
    assert len(list(folder.iterdir())) == 20
    del tree
    gc.collect()
    assert not folder.exists(), "what was kept goes with the tree"


def test_validate_dump_and_detect_read_s3(server: Server, bucket: str, ade20k2020: Path, tmp_path: Path) -> None:
    data = put(f"{bucket}/data", written_bytes(ade20k2020))
    before = len(server.requests())
    there = cli("validate", data)
    requests = server.requests()[before:]
    assert (there.returncode, there.stdout) == (
        0,
        cli("validate", str(ade20k2020)).stdout.replace(str(ade20k2020), data),
    )
    assert len(requests) <= AT_MOST * len(written_bytes(ade20k2020))
    assert cli("detect", data).stdout == "ade20k2020\n"
    assert cli("dump", data).stdout == cli("dump", str(ade20k2020)).stdout
    broken = next(name for name in written_bytes(ade20k2020) if name.endswith(".json") and "/" in name)
    put(data, {broken: b"{"})
    found = cli("validate", "ade20k2020", data)
    assert found.returncode == 1
    assert broken in found.stdout


def test_an_output_on_s3_that_failed_is_deleted(bucket: str, ade20k2020: Path) -> None:
    put(f"{bucket}/data", written_bytes(ade20k2020))
    refused = cli("convert", f"{bucket}/data", "--to", "coco", "-o", f"{bucket}/out", "--lossless")
    assert refused.returncode == 1
    assert "cannot hold" in refused.stderr
    assert not stored(f"{bucket}/out")
    assert cli("convert", f"{bucket}/data", "--to", "coco", "-o", f"{bucket}/out").returncode == 0
    again = cli("convert", f"{bucket}/data", "--to", "coco", "-o", f"{bucket}/out")
    assert (again.returncode, "exists" in again.stderr) == (2, True)


def test_a_listing_of_several_pages_is_whole(server: Server, bucket: str) -> None:
    store, root = fsspec.core.url_to_fs(bucket)
    names = {f"x{number:04d}/[a] b+%20?&#.txt": number % 3 for number in range(1200)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: store.pipe_file(f"{root}/data/{name}", b"z" * names[name]), names))
    before = len(server.requests())
    assert store_at(f"{bucket}/data").listing() == names
    assert len(server.requests()) - before == 2
    tree = open_tree(f"{bucket}/data")
    assert tree.read(tree.paths()[2]) == b"zz"


def test_empty_files_that_stand_for_folders_are_none(bucket: str, ade20k2020: Path) -> None:
    store, root = fsspec.core.url_to_fs(bucket)
    for folder in ("out/", "data/", "data/train/"):
        store.call_s3("put_object", Bucket=root, Key=folder)
    with pytest.raises(FileNotFoundError, match="there is no data"):
        open_tree(f"{bucket}/out")
    put(f"{bucket}/data", written_bytes(ade20k2020))
    assert list(open_tree(f"{bucket}/data").paths()) == list(open_tree(ade20k2020).paths())
    fs.convert(f"{bucket}/data", to="coco", out=f"{bucket}/out")
    assert not fs.validate(f"{bucket}/out").findings


def test_large_files_go_up_in_parts(server: Server, bucket: str, tmp_path: Path) -> None:
    before = len(server.requests())
    (tmp_path / "large.bin").write_bytes(bytes(range(256)) * 4096 * 40)
    with staged(f"{bucket}/out") as staging:
        staging.write("made.bin", bytes(101 * 2**20))
        staging.copy(tmp_path / "large.bin", "copied.bin")
        staging.write_pieces("joined.bin", (bytes(range(256)) * 4096 for _ in range(40)))
        staging.write_pieces("short.bin", (b"a", b"b"))
    parts = [path for method, path in server.requests()[before:] if method == "PUT" and "partNumber" in path]
    assert sum("made" in path for path in parts) == 3
    assert sum("copied" in path for path in parts) == 3
    assert sum("joined" in path for path in parts) == 3
    assert not any("short" in path for path in parts)
    out = open_tree(f"{bucket}/out")
    assert out.size("made.bin") == 101 * 2**20
    assert out.read("copied.bin") == out.read("joined.bin") == (tmp_path / "large.bin").read_bytes()
    assert out.read("short.bin") == b"ab"


def _bring(job: tuple[Any, Any, list[str]]) -> int:
    """What a worker process does: read ahead, read, write, and say that all is written."""
    tree, staging, paths = job
    tree.prefetch(paths)
    for path in paths:
        staging.write(path, tree.read(path))
    staging.flush()
    return os.getpid()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_worker_processes_read_and_write_through_connections_of_their_own(
    server: Server, bucket: str, ade20k2020: Path, method: str
) -> None:
    tree = open_tree(put(f"{bucket}/data", written_bytes(ade20k2020)))
    paths = [path for path in tree.paths() if path != MANIFEST]
    with staged(f"{bucket}/out") as staging:
        staging.write("parent.txt", b"parent")
        jobs = [(tree, staging, paths[start::2]) for start in range(2)]
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
            assert os.getpid() not in set(pool.map(_bring, jobs))
    found = stored(f"{bucket}/out")
    assert found.pop(MANIFEST)
    assert found == {**written_bytes(ade20k2020), "parent.txt": b"parent"}


@pytest.mark.parametrize(
    ("environment", "place", "words"),
    [
        ({}, "s3://no-such-bucket/data", "bucket does not exist"),
        ({}, "BUCKET/none", "there is no such file or folder"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}, "BUCKET/data", "cannot be reached"),
        (
            {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_EC2_METADATA_DISABLED": "true",
             "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"},
            "BUCKET/data", "no credentials",
        ),
        ({"AWS_PROFILE": "no-such-profile"}, "BUCKET/data", "no credentials"),
        ({"AWS_ENDPOINT_URL": "not a url"}, "BUCKET/data", "not a url"),
    ],
)  # fmt: skip
def test_what_keeps_us_from_a_store_is_one_sentence(
    bucket: str, environment: dict[str, Any], place: str, words: str, ade20k2020: Path
) -> None:
    place = place.replace("BUCKET", bucket)
    ran = cli("validate", "coco", place, **environment)
    assert ran.returncode == 2, ran.stderr
    assert words in ran.stderr
    assert place in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    if not place.endswith("/none"):
        out = cli("convert", "ade20k2020", str(ade20k2020), "--to", "coco", "-o", place, **environment)
        assert out.returncode == 2, out.stderr
        assert words in out.stderr
        assert len(out.stderr.splitlines()) == 1


def test_a_store_that_goes_away_ends_the_run_and_no_item_is_left_out(
    bucket: str, ade20k2020: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = put(f"{bucket}/data", written_bytes(ade20k2020))
    read = Store.read

    def lost(self: Store, name: str, size: int) -> bytes:
        if name.endswith(".png"):
            monkeypatch.setattr(self._connection.fs, "cat_file", _gone)
        return read(self, name, size)

    monkeypatch.setattr(Store, "read", lost)
    with pytest.raises(fs.RemoteError, match="cannot be reached"):
        fs.convert(data, to="coco", out=tmp_path / "out", skip_invalid=True)
    assert not (tmp_path / "out").exists()


def test_a_store_that_goes_away_from_a_worker_leaves_no_output(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fs.sample("ade20k2020", tmp_path / "data", items=40, seed=2)
    last = max(name for name in written_bytes(tmp_path / "data") if "/instance_" in name)
    data = put(f"{bucket}/data", written_bytes(tmp_path / "data"))
    read = Store.read

    def lost(self: Store, name: str, size: int) -> bytes:
        return _gone_away(self.url) if name == last else read(self, name, size)

    monkeypatch.setattr(Store, "read", lost)
    with pytest.raises(fs.RemoteError, match="cannot be reached"):
        fs.convert(data, spec="ade20k2020", to="coco", out=f"{bucket}/out", skip_invalid=True, workers=2)
    assert not stored(f"{bucket}/out")


def _gone_away(url: str) -> bytes:
    with told(url):
        return _gone()


def test_a_forbidden_file_is_its_item_s_trouble_and_expired_credentials_are_not(
    bucket: str, ade20k2020: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = put(f"{bucket}/data", written_bytes(ade20k2020))
    forbidden = next(name for name in written_bytes(ade20k2020) if name.endswith("_seg.png"))
    code = "AccessDenied"
    store = fsspec.filesystem("s3")
    fetch = store.cat_file

    def refuse(path: str, **limits: int) -> bytes:
        if path.endswith(forbidden):
            raise PermissionError(code) from ClientError({"Error": {"Code": code}}, "GetObject")
        return bytes(fetch(path, **limits))

    monkeypatch.setattr(store, "cat_file", refuse)
    (found,) = fs.validate(data, "ade20k2020").findings
    assert (found.code, found.file) == ("FILE_UNREADABLE", forbidden)
    code = "ExpiredToken"
    with pytest.raises(fs.RemoteError, match=r"the store refuses \(ExpiredToken\)"):
        fs.validate(data, "ade20k2020")


def _gone(*_: Any, **__: Any) -> bytes:
    raise ConnectionResetError("the peer went away")


def test_a_zip_on_s3_is_read_in_blocks(server: Server, bucket: str, ade20k2020: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "data"), "zip", ade20k2020))
    put(bucket, {"data.zip": archive.read_bytes()})
    before = len(server.requests())
    assert not fs.validate(f"{bucket}/data.zip").findings
    assert len(server.requests()) - before < len(zipfile.ZipFile(archive).namelist())
    assert isinstance(open_tree(f"{bucket}/data.zip"), ZipTree)
