"""Ways in which real datasets differ from what their format says.

There are two sorts. LAYOUTS change a whole dataset (wrapped in a folder, cut off, with missing files). SMALL changes
one thing in one file. Each kind is a function from a dataset's files to the damaged files; it returns None if it does
not apply. The same random numbers give the same damage.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from formatspec.engine.detection.evidence.evidence_groups import DOCUMENTS, IMAGES, extension_of

Files = Mapping[str, bytes]
"""A dataset: the bytes of each file by its path."""
Damage = Callable[[Files, random.Random], "dict[str, bytes] | None"]
Change = Callable[[bytes, random.Random], "bytes | None"]
"""Returns a file's new content, or None if it cannot damage this file."""
_CLASS_LIST = re.compile(
    r"(?i)(class|categor|label_?map|legend|names|synset|labels?\.(txt|json|csv)|meta\.json|data\.yaml)"
)
_SUBSET = re.compile(r"(?i)(?<![a-z])(?:train|trainval|training|val|valid|validation|test|testing)(?:20\d\d)?(?![a-z])")


def documents(files: Files) -> list[str]:
    """Return the documents of a dataset that describe its images."""
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


def _strange_files(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    folder = rng.choice(sorted(files)).rpartition("/")[0]
    return {
        **files,
        "weights.pt": rng.randbytes(400),
        "nohup.out": b"",
        "~$list.xlsx.tmp": rng.randbytes(90),
        f"{folder}/core.1234" if folder else "core.1234": rng.randbytes(200),
    }


def _garbage_document(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    found = documents(files)
    return {**files, rng.choice(found): rng.randbytes(200)} if len(found) > 1 else None


def _one_subset(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    """Return one subset of several, as if only a part was fetched."""
    subset_of = {path: found.group().lower() for path in files if (found := _SUBSET.search(path))}
    subsets = sorted(set(subset_of.values()))
    if len(subsets) < 2:
        return None
    kept = rng.choice(subsets)
    return {path: data for path, data in files.items() if subset_of.get(path, kept) == kept}


def _windows_lines(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    found = {
        path: files[path].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for path in documents(files)
        if b"\0" not in files[path]
    }  # fmt: skip
    return {**files, **found} if any(data != files[path] for path, data in found.items()) else None


def _pretty_json(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    found = {}
    for path in documents(files):
        try:
            if extension_of(path) in ("json", "labels", "geojson"):
                found[path] = json.dumps(json.loads(files[path]), indent=4, sort_keys=True).encode()
        except ValueError:
            continue
    return {**files, **found} if found else None


def _capital_extensions(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    """Return images with extensions in capitals, as cameras spell them, which documents do not mention."""
    found = {path for path in files if extension_of(path) in IMAGES}
    named = {
        path: path[: path.rindex(".")] + path[path.rindex(".") :].upper() if path in found else path for path in files
    }
    return {named[path]: data for path, data in files.items()} if found else None


def _zipped_on_a_mac(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    forks = {f"__MACOSX/data/{_beside(path, '._')}": b"\0\5\26\7" + rng.randbytes(60) for path in files}
    return {**{f"data/{path}": data for path, data in files.items()}, "__MACOSX/._data": b"\0\5\26\7", **forks}


LAYOUTS: Mapping[str, Damage] = {
    "undamaged": _undamaged,
    "wrapped": _wrapped,
    "wrapped twice": _wrapped_twice,
    "zipped": _wrapped,
    "a stray README": _stray_readme,
    "hidden files": _hidden_files,
    "a key dropped": _key_dropped,
    "one document truncated": _one_truncated,
    "one document deleted": _one_deleted,
    "one subset only": _one_subset,
    "lines of Windows": _windows_lines,
    "pretty-printed JSON": _pretty_json,
    "extensions in capitals": _capital_extensions,
    "zipped on a Mac": _zipped_on_a_mac,
    "strange files": _strange_files,
    "a garbage document": _garbage_document,
    "a stray document": _stray_document,
    "class list missing": _class_list_missing,
    "images missing": _images_missing,
    "all documents truncated": _all_truncated,
}
"""Damages of whole datasets, by name."""
KEEPING = (
    "wrapped", "wrapped twice", "zipped", "a stray README", "hidden files", "a key dropped", "one document truncated",
    "one document deleted", "one subset only", "lines of Windows", "pretty-printed JSON", "extensions in capitals",
    "zipped on a Mac", "strange files", "a garbage document",
)  # fmt: skip
"""Those that leave a file intact that identifies the format."""
ZIPPED = frozenset({"zipped", "zipped on a Mac"})
"""Those whose files are put into a zip."""


def _without_a_key(path: str, data: bytes, rng: random.Random) -> bytes | None:
    """Return a document without one of its keys, columns or elements; None if it has none."""
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
    """Return a document without one key, in one of its mappings."""
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


NUMBER = re.compile(rb"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
WRONG_NUMBERS = (b"-7", b"1e9", b"seven", b"", b"0.5", b"99999999999999999999")
WRONG_VALUES: tuple[Any, ...] = (None, "wrong", -1, 1e9, 0.5, True, [], {}, [[]], "")


def _nodes(value: Any) -> list[Any]:
    """Return all non-empty objects and arrays of a JSON value, the value itself first."""
    found, todo = [], [value]
    while todo:
        node = todo.pop()
        if isinstance(node, dict | list) and node:
            found.append(node)
            todo += list(node.values()) if isinstance(node, dict) else node
    return found


def _json_change(kind: type | tuple[type, ...], change: Callable[[Any, random.Random], None]) -> Change:
    """Return a change of a JSON file in one randomly chosen, non-empty object or array."""

    def changed(data: bytes, rng: random.Random) -> bytes | None:
        try:
            value = json.loads(data)
        except ValueError:
            return None
        nodes = [node for node in _nodes(value) if isinstance(node, kind)]
        if not nodes:
            return None
        change(rng.choice(nodes), rng)
        return json.dumps(value, ensure_ascii=False).encode("utf-8")

    return changed


def _drop_key(node: Any, rng: random.Random) -> None:
    del node[rng.choice(list(node))]


def _wrong_value(node: Any, rng: random.Random) -> None:
    node[rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))] = rng.choice(WRONG_VALUES)


def _repeat_entry(node: Any, rng: random.Random) -> None:
    node.insert(rng.randrange(len(node) + 1), rng.choice(node))


def _drop_entry(node: Any, rng: random.Random) -> None:
    del node[rng.randrange(len(node))]


def _text_change(change: Callable[[list[bytes], random.Random], None]) -> Change:
    """Return a change of the lines of a text file."""

    def changed(data: bytes, rng: random.Random) -> bytes | None:
        try:
            data.decode("utf-8")
        except ValueError:
            return None
        lines = data.splitlines(keepends=True)
        if not lines:
            return None
        change(lines, rng)
        return b"".join(lines)

    return changed


def _drop_line(lines: list[bytes], rng: random.Random) -> None:
    del lines[rng.randrange(len(lines))]


def _repeat_line(lines: list[bytes], rng: random.Random) -> None:
    number = rng.randrange(len(lines))
    lines.insert(number, lines[number])


def _swap_lines(lines: list[bytes], rng: random.Random) -> None:
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


def _cut_line(lines: list[bytes], rng: random.Random) -> None:
    number = rng.randrange(len(lines))
    text = lines[number].rstrip(b"\r\n")
    lines[number] = text[: rng.randrange(len(text) + 1)] + lines[number][len(text) :]


def _wrong_number(data: bytes, rng: random.Random) -> bytes | None:
    places = list(NUMBER.finditer(data)) if b"\0" not in data else []
    if not places:
        return None
    place = rng.choice(places)
    return data[: place.start()] + rng.choice(WRONG_NUMBERS) + data[place.end() :]


def _not_utf8(data: bytes, rng: random.Random) -> bytes | None:
    if b"\0" in data:
        return None
    place = rng.randrange(len(data) + 1)
    return data[:place] + b"\xff\xfe" + data[place:]


def _truncate(data: bytes, rng: random.Random) -> bytes | None:
    return data[: rng.randrange(len(data))] if data else None


def _empty(data: bytes, rng: random.Random) -> bytes | None:
    del rng
    return b"" if data else None


def _flip(data: bytes, rng: random.Random) -> bytes | None:
    if not data:
        return None
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :]


TEXT_CHANGES: dict[str, Change] = {
    "a line is dropped": _text_change(_drop_line),
    "a line stands twice": _text_change(_repeat_line),
    "two lines are swapped": _text_change(_swap_lines),
    "a line is cut": _text_change(_cut_line),
    "a number is wrong": _wrong_number,
}
CHANGES: dict[str, Change] = {
    "a key is dropped": _json_change(dict, _drop_key),
    "a value is wrong": _json_change((dict, list), _wrong_value),
    "an entry stands twice": _json_change(list, _repeat_entry),
    "an entry is dropped": _json_change(list, _drop_entry),
    **TEXT_CHANGES,
    "a text is not UTF-8": _not_utf8,
    "a file is truncated": _truncate,
    "a file is empty": _empty,
    "a bit is flipped": _flip,
}


TRIES = 8
"""How often each file is tried, since a random change may leave a file unchanged."""


def _changed(change: Change) -> Damage:
    """Return the damage of a dataset that changes the content of one file."""

    def damaged(files: Files, rng: random.Random) -> dict[str, bytes] | None:
        for path in rng.sample(sorted(files), len(files)) * TRIES:
            after = change(files[path], rng)
            if after is not None and after != files[path]:
                return {**files, path: after}
        return None

    return damaged


def _beside(path: str, prefix: str) -> str:
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{prefix}{name}"


def _remove(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    gone = rng.choice(sorted(files)) if files else None
    return None if gone is None else {path: data for path, data in files.items() if path != gone}


def _rename(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    named = rng.choice(sorted(files)) if files else None
    if named is None:
        return None
    return {_beside(path, "other_") if path == named else path: data for path, data in files.items()}


def _stray(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    copied = rng.choice(sorted(files)) if files else None
    return None if copied is None else {**files, _beside(copied, "stray_"): files[copied]}


def _swap(files: Files, rng: random.Random) -> dict[str, bytes] | None:
    for one in rng.sample(sorted(files), len(files)):
        alike = [
            path for path in sorted(files) if extension_of(path) == extension_of(one) and files[path] != files[one]
        ]
        if alike:
            other = rng.choice(alike)
            return {**files, one: files[other], other: files[one]}
    return None


SMALL: Mapping[str, Damage] = {
    **{kind: _changed(change) for kind, change in CHANGES.items()},
    "a file is missing": _remove,
    "a file has another name": _rename,
    "a file stands twice": _stray,
    "two files are swapped": _swap,
}
"""Damages of one thing in one file, by name."""


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a dataset on this machine."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put_files(files: Files, folder: Path) -> None:
    """Put a dataset's files into a folder."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def put_damaged(data: Path, into: Path, seed: int) -> str:
    """Put a copy of a dataset with one small fault into another folder; return the fault's name, or an empty text."""
    rng = random.Random(seed)
    files, kinds = files_of(data), list(SMALL)
    for kind in kinds[seed % len(kinds) :] + kinds[: seed % len(kinds)]:
        changed = SMALL[kind](files, rng)
        if changed is not None and changed != files:
            put_files(changed, into)
            return kind
    return ""


def damage_text(text: bytes, kind: str, rng: random.Random) -> bytes:
    """Damage a text in one way, one of TEXT_CHANGES. Raises ValueError if this is impossible."""
    for _ in range(100):
        damaged = TEXT_CHANGES[kind](text, rng)
        if damaged is not None and damaged != text:
            return damaged
    raise ValueError(f"the text cannot be damaged so that {kind}")
