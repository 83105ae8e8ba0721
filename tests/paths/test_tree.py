"""Trees: what they list, what they open, and what they refuse to."""

from __future__ import annotations

import io
import os
import pickle
import re
import zipfile
from pathlib import Path
from unittest import mock

import pytest
from hanging import not_for_ever
from hypothesis import given, settings
from hypothesis import strategies as st

from formatspec.model.limits import Limits, set_limits
from formatspec.paths import names
from formatspec.paths.globs import globs, matches
from formatspec.paths.names import safe_join
from formatspec.paths.trees import folder_tree
from formatspec.paths.trees.folder_tree import FolderTree
from formatspec.paths.trees.open_tree import open_tree
from formatspec.paths.trees.tree import Tree
from formatspec.paths.trees.zip_tree import ZipTree

FILES = {"b.txt": b"b", "a/x.png": b"xx", "a/b/y.png": b"yyy", "a.b/z": b"", "a-b/z": b"1", "A/é.jpg": b"e"}
ORDER = ["A/é.jpg", "a/b/y.png", "a/x.png", "a-b/z", "a.b/z", "b.txt"]


@pytest.fixture(params=["folder", "zip"])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Tree:
    if request.param == "zip":
        archive = tmp_path / "data.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("empty/inner/", b"")
            for name, data in FILES.items():
                file.writestr(name, data)
        return open_tree(archive)
    root = tmp_path / "data"
    (root / "empty" / "inner").mkdir(parents=True)
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return open_tree(str(root))


def test_lists_and_reads(tree: Tree) -> None:
    assert isinstance(tree, Tree)
    assert list(tree.paths()) == ORDER
    assert list(tree.folders()) == ["A", "a", "a/b", "a-b", "a.b", "empty", "empty/inner"]
    assert list(tree.escapes()) == []
    for path, data in FILES.items():
        assert tree.exists(path)
        assert tree.read(path) == data
        assert tree.size(path) == len(data)
        local = tree.local(path)
        assert local is None or local.read_bytes() == data
    assert (tree.local("b.txt") is not None) == isinstance(tree, FolderTree)


@pytest.mark.parametrize(
    "path", ["", ".", "a", "none", "../data/b.txt", "/etc/passwd", "a/../b.txt", "a//x.png", "b\0"]
)
def test_only_listed_spellings_exist(tree: Tree, path: str) -> None:
    assert not tree.exists(path)
    assert tree.local(path) is None
    with pytest.raises(FileNotFoundError):
        tree.read(path)
    with pytest.raises(FileNotFoundError):
        tree.size(path)


def test_under(tree: Tree) -> None:
    below = tree.under("a")
    assert list(below.paths()) == ["b/y.png", "x.png"]
    assert list(below.folders()) == ["b"]
    assert below.read("x.png") == b"xx"
    assert below.size("b/y.png") == 3
    assert not below.exists("../b.txt")
    assert below.root == tree.root + "/a"
    assert list(below.under("b/").paths()) == ["y.png"]
    assert below.under("") is below
    assert tree.under(".") is tree
    assert list(tree.under("none").paths()) == []
    with pytest.raises(ValueError, match="leaves the root"):
        below.under("..")


def test_pickles_without_the_listing(tree: Tree) -> None:
    tree.paths()
    tree.read("b.txt")
    for one in (tree, tree.under("a")):
        data = pickle.dumps(one)
        assert b"y.png" not in data
        again = pickle.loads(data)
        assert again == one
        assert again.paths() == one.paths()


def test_open_tree_tells_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_tree(tmp_path / "none")
    (tmp_path / "file").write_text("text")
    with pytest.raises(ValueError, match="neither a folder nor a zip"):
        open_tree(tmp_path / "file")


# folders


def test_links(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "root2"
    (root / "a" / "b").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret").write_text("s")
    (root / "a" / "f").write_text("f")
    (root / "file").symlink_to("a/f")
    (root / "folder").symlink_to("a")
    (root / "a" / "b" / "up").symlink_to("..")
    (root / "a" / "top").symlink_to(root)
    (root / "out").symlink_to(outside)
    (root / "secret").symlink_to(outside / "secret")
    (root / "dangling").symlink_to("nowhere")
    (root / "gone").symlink_to("../nowhere")
    (root / "self").symlink_to("self")
    os.mkfifo(root / "pipe")
    tree = FolderTree(root)
    assert list(tree.paths()) == ["a/f", "file", "folder/f"]
    assert list(tree.folders()) == ["a", "a/b", "folder", "folder/b"]
    assert list(tree.escapes()) == ["gone", "out", "secret"]
    assert tree.read("file") == b"f"
    assert tree.read("folder/f") == b"f"
    for path in ("secret", "out/secret", "pipe", "dangling", "self"):
        assert not tree.exists(path)
        with pytest.raises(FileNotFoundError):
            tree.read(path)


def test_a_file_is_read_at_once_as_it_is_after_a_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "empty").touch()
    (root / "a" / "b" / "long").write_bytes(bytes(range(256)) * 9000)
    (root / "file").symlink_to("a/empty")
    (root / "folder").symlink_to("a/b")
    (root / "up").symlink_to("..")
    (tmp_path / "outside").write_text("x")
    os.mkfifo(root / "pipe")
    asked = [
        "a",
        "a/empty",
        "a/b/long",
        "file",
        "folder/long",
        "up/outside",
        "up/root/a/empty",
        "pipe",
        "none",
        "a/none",
    ]

    def told(tree: FolderTree, path: str) -> tuple[str, object]:
        try:
            return "read", tree.read(path)
        except OSError as error:
            return type(error).__name__, str(error)

    found = [told(FolderTree(root), path) for path in asked]
    monkeypatch.setattr(folder_tree, "_AT_ONCE", False)
    assert found == [told(FolderTree(root), path) for path in asked]
    assert [word for word, _ in found].count("read") == 5


def test_the_ends_of_a_file(tree: Tree, tmp_path: Path) -> None:
    for path, data in FILES.items():
        assert tree.ends(path, 9) in ((data, data), None)
        assert tree.ends(path, 1) in ((data[:1], data[-1:]), None)
    for path in ("none", "a", "../data/b.txt"):
        assert tree.ends(path, 9) is None
    assert (tree.under("a").ends("x.png", 1) == (b"x", b"x")) == isinstance(tree, FolderTree)


def test_two_links_into_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "f").write_text("")
    (tmp_path / "a" / "b").symlink_to("../b")
    (tmp_path / "b" / "a").symlink_to("../a")
    assert list(FolderTree(tmp_path).paths()) == ["a/f", "b/a/f"]


def test_a_root_that_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "f").write_text("f")
    (tmp_path / "link").symlink_to("real")
    tree = FolderTree(tmp_path / "link")
    assert list(tree.paths()) == ["f"]
    assert tree.read("f") == b"f"


def test_names_that_are_not_utf8_or_odd(tmp_path: Path) -> None:
    for name in (b"\xff.png", b"a:b", b"back\\slash"):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:  # noqa: PTH118, PTH123
            file.write(name)
    tree = FolderTree(tmp_path)
    assert list(tree.paths()) == ["a:b", "back\\slash", "\udcff.png"]
    assert [tree.read(path) for path in tree.paths()] == [b"a:b", b"back\\slash", b"\xff.png"]


def test_a_listing_is_taken_once(tmp_path: Path) -> None:
    tree = FolderTree(tmp_path)
    assert list(tree.paths()) == []
    (tmp_path / "new").write_text("")
    assert list(tree.paths()) == []
    assert list(FolderTree(tmp_path).paths()) == ["new"]


def test_a_listing_of_many_files(tmp_path: Path) -> None:
    for folder in range(20):
        (tmp_path / f"d{folder}").mkdir()
        for i in range(250):
            os.close(os.open(tmp_path / f"d{folder}" / f"{i}.png", os.O_CREAT | os.O_WRONLY))
    assert len(FolderTree(tmp_path).paths()) == 5000


# archives


def test_unsafe_names_of_an_archive_are_told_and_not_followed(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as file:
        for name in ("../up", "/abs", "C:/drive", "back\\slash", "a/../b", "good", "./dot//x"):
            file.writestr(name, name)
        file.writestr(link, "/etc/passwd")
    tree = ZipTree(tmp_path / "z.zip")
    assert list(tree.paths()) == ["dot/x", "good"]
    assert sorted(tree.escapes()) == sorted(["../up", "/abs", "C:/drive", "a/../b", "back\\slash", "link"])
    assert tree.read("dot/x") == b"./dot//x"
    for path in tree.escapes():
        with pytest.raises(FileNotFoundError):
            tree.read(path)


def test_bombs_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb", bytes(5_000_000))
        file.writestr("dense", bytes(1000))
    tree = ZipTree(tmp_path / "z.zip")
    assert len(tree.read("bomb")) == 5_000_000
    set_limits({"unpacked": 1_000_000})
    try:
        with pytest.raises(ValueError, match="over the limit of 1,000,000"):
            tree.read("bomb")
    finally:
        set_limits(Limits())
    assert tree.read("dense") == bytes(1000)


def test_damaged_members(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("x", b"contents")
    (tmp_path / "z.zip").write_bytes(buffer.getvalue().replace(b"contents", b"c0ntents", 1))
    with pytest.raises(ValueError, match="cannot be unpacked"):
        ZipTree(tmp_path / "z.zip").read("x")


# names


ODD_NAMES = st.text(alphabet="ab.:/\\\n", max_size=8)


@given(ODD_NAMES, ODD_NAMES)
def test_plain_references_are_joined_as_all_are(folder: str, reference: str) -> None:
    joined = safe_join(folder, reference)
    with mock.patch.object(names, "_NAMES", re.compile("(?!)")):
        assert joined == safe_join(folder, reference)


@pytest.mark.parametrize(
    ("folder", "reference", "joined"),
    [
        ("", "a/b", "a/b"),
        ("x/y", "../a.png", "x/a.png"),
        ("x", "..\\imgs\\a.png", "imgs/a.png"),
        ("x", "./a//b/", "x/a/b"),
        ("x", "..", ""),
        ("", "", ""),
        ("x", "", "x"),
        ("x", "../../a", None),
        ("", "/a", None),
        ("x", "\\a", None),
        ("x", "C:\\a", None),
        ("x", "a\0b", None),
        ("", "..a", "..a"),
    ],
)
def test_safe_join(folder: str, reference: str, joined: str | None) -> None:
    assert safe_join(folder, reference) == joined


@given(st.lists(st.sampled_from(["a", "b", "..", ".", ""])), st.lists(st.sampled_from(["a", "b"])))
def test_safe_join_never_leaves(reference: list[str], folder: list[str]) -> None:
    joined = safe_join("/".join(folder), "/".join(reference))
    if joined is not None:
        assert not joined.startswith("/")
        assert ".." not in joined.split("/")


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*.txt", ["a.txt", ".txt"], ["a/b.txt", "a.txt2"]),
        ("**/*.txt", ["a.txt", "a/b/c.txt"], ["a.png"]),
        ("*/v1/**", ["a/v1/b", "a/v1/b/c"], ["a/v1", "v1/b", "a/b/v1/c"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["a/x", "ab", "x/a/b"]),
        ("a?c[1]", ["abc[1]"], ["ac[1]", "a/c[1]", "abc1"]),
        ("dir/", ["dir/a", "dir/a/b"], ["dir", "a/dir/b"]),
        ("**", ["a", "a/b"], []),
        ("**/a/**/b*c*d", ["a/bcd", "x/a/y/a/z/bxcxcxd"], ["a/bc", "bcd"]),
        ("a*b*ab", ["ab_ab", "abbab", "aabab"], ["ab"]),
    ],
)
def test_globs(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [path for path in yes + no if matches(path, pattern)] == yes
    ignored = globs([pattern, "never"])
    assert [path for path in yes + no if ignored(path)] == yes
    assert list(ignored.outside(yes + no)) == no
    assert list(ignored.outside(no)) == no
    below = [f"top/{path}" for path in yes + no]
    assert list(ignored.outside(["a", *below], "top/")) == ["a", *(f"top/{path}" for path in no)]


def test_no_globs_match_nothing() -> None:
    assert not globs([])("a")
    assert list(globs([]).outside(["a", "b/c"])) == ["a", "b/c"]


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(["**", "*", "a", "a*", "*b*", "?b", "*a*b*"]), min_size=1, max_size=5),
    st.text("ab/"),
)
def test_globs_find_all_that_backtracking_finds(segments: list[str], path: str) -> None:
    plain = "/".join(segments)
    slow = "".join("(?:[^/]+/)*" if s == "**" else s.replace("*", "[^/]*").replace("?", "[^/]") + "/" for s in segments)
    slow = slow[: -len("(?:[^/]+/)*")] + r"[\s\S]+" if segments[-1] == "**" else slow[:-1]
    if "//" not in path and not path.startswith("/") and not path.endswith("/") and path:
        assert matches(path, plain) == (re.fullmatch(slow, path) is not None)


def test_globs_do_not_run_away() -> None:
    with not_for_ever():
        assert not matches("a" * 4000, "*a" * 12 + "b")
        assert not matches("a/" * 2000 + "a", "**/a/" * 8 + "b")
