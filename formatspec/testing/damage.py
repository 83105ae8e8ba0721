"""Ways in which datasets that people have differ from what their format says: wrapped, cut short, with files missing.

Each kind of damage is a function from a dataset's files to the damaged files; it gives None where it does not apply.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from formatspec.engine.detection.evidence.evidence_groups import DOCUMENTS, IMAGES, extension_of

Files = Mapping[str, bytes]
"""A dataset: the bytes of each file by its path."""
Damage = Callable[[Files, random.Random], "dict[str, bytes] | None"]
_CLASS_LIST = re.compile(
    r"(?i)(class|categor|label_?map|legend|names|synset|labels?\.(txt|json|csv)|meta\.json|data\.yaml)"
)


def documents(files: Files) -> list[str]:
    """The documents of a dataset, which tell of its images."""
    return [path for path in sorted(files) if extension_of(path) in DOCUMENTS and files[path]]


def _undamaged(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    return dict(files)


def _wrapped(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    return {f"Export 1/{path}": data for path, data in files.items()}


def _wrapped_twice(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    return {f"Export/part 1/{path}": data for path, data in files.items()}


def _stray_readme(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    return {
        **files,
        "README.txt": b"Made by us.\n",
        "LICENSE": b"free\n",
        "docs.pdf": b"%PDF-1.4",
        "load.py": b"pass\n",
    }


def _hidden_files(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    extra = {".DS_Store": b"\0\0\0\1Bud1", "__MACOSX/._x.json": b"\0\5\26\7", "Thumbs.db": b"\xd0\xcf"}
    folder = sorted(files)[0].rpartition("/")[0]
    return {**files, **extra, f"{folder}/.cache.json" if folder else ".cache.json": b"{}"}


def _key_dropped(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    able = documents(files)
    rng.shuffle(able)
    for path in able:
        data = _without_a_key(path, files[path], rng)
        if data is not None and data != files[path]:
            return {**files, path: data}
    return None


def _one_truncated(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    found = documents(files)
    if len(found) < 2:
        return None
    path = rng.choice(found)
    return {**files, path: files[path][: len(files[path]) // 2]}


def _one_deleted(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    found = documents(files)
    if len(found) < 2:
        return None
    gone = rng.choice(found)
    return {path: data for path, data in files.items() if path != gone}


def _all_truncated(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    found = set(documents(files))
    if not found:
        return None
    return {path: data[: len(data) // 2] if path in found else data for path, data in files.items()}


def _class_list_missing(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    found = [path for path in documents(files) if _CLASS_LIST.search(path.rpartition("/")[2])]
    if not found or len(found) == len(documents(files)):
        return None
    return {path: data for path, data in files.items() if path not in found}


def _images_missing(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    if not documents(files):
        return None
    return {path: data for path, data in files.items() if extension_of(path) not in IMAGES}


def _stray_document(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    return {**files, "notes.json": b'{"made": "2024", "by": ["a", "b"]}'}


KINDS: Mapping[str, Damage] = {
    "undamaged": _undamaged,
    "wrapped": _wrapped,
    "wrapped twice": _wrapped_twice,
    "zipped": _wrapped,
    "a stray README": _stray_readme,
    "hidden files": _hidden_files,
    "a key dropped": _key_dropped,
    "one document truncated": _one_truncated,
    "one document deleted": _one_deleted,
    "a stray document": _stray_document,
    "class list missing": _class_list_missing,
    "images missing": _images_missing,
    "all documents truncated": _all_truncated,
}
"""All kinds of damage, by name."""
KEEPING = (
    "wrapped", "wrapped twice", "zipped", "a stray README", "hidden files", "a key dropped", "one document truncated",
    "one document deleted",
)  # fmt: skip
"""Those that leave a file whole which identifies the format."""
ZIPPED = frozenset({"zipped"})
"""Those whose files are put into a zip."""


def _without_a_key(path: str, data: bytes, rng: random.Random) -> bytes | None:
    """A document without one of its keys, columns or elements; None where it has none."""
    extension = extension_of(path)
    try:
        if extension in ("json", "labels", "geojson"):
            return json.dumps(_dropped(json.loads(data), rng)).encode()
        if extension in ("jsonl", "manifest", "ndjson"):
            lines = [json.loads(line) for line in data.splitlines() if line.strip()]
            return b"".join(json.dumps(line).encode() + b"\n" for line in _dropped(lines, rng))
        if extension in ("yaml", "yml"):
            return yaml.safe_dump(_dropped(yaml.safe_load(data), rng)).encode()
        if extension == "xml":
            names = sorted(set(re.findall(rb"<([\w.]+)>[^<]*</\1>", data)))
            name = re.escape(rng.choice(names)) if names else None
            return None if name is None else re.sub(rb"<" + name + rb">[^<]*</" + name + rb">", b"", data)
        if extension == "csv":
            return _without_column(data, rng)
    except (ValueError, TypeError, KeyError):
        return None
    return None


def _without_column(data: bytes, rng: random.Random) -> bytes | None:
    rows = [line.split(b",") for line in data.splitlines()]
    if not rows or len(rows[0]) < 3 or len({len(row) for row in rows}) > 1:
        return None
    gone = rng.randrange(len(rows[0]))
    return b"".join(b",".join(cell for at, cell in enumerate(row) if at != gone) + b"\n" for row in rows)


def _dropped(document: Any, rng: random.Random) -> Any:
    """A document without one key, in one of its mappings."""
    places: list[tuple[Any, str]] = []

    def visit(part: Any) -> None:
        if isinstance(part, dict):
            places.extend((part, key) for key in part)
            for inner in part.values():
                visit(inner)
        elif isinstance(part, list):
            for inner in part[:20]:
                visit(inner)

    visit(document)
    if not places:
        raise ValueError("no key")
    owner, key = rng.choice(places)
    del owner[key]
    return document
