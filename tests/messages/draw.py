"""Draws mistakes by seed over the catalogue: `python tests/messages/draw.py spec|data SEED COUNT` prints them as YAML.

A draw that no message tells of is counted and passed over: a spec or a dataset that lacks a line is often a good one.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable
from typing import Any

import yaml
from mistakes import base_of_data, base_of_spec, edited, said_anew, said_anew_of_spec, spec_of

from formatspec.language.load import bundled

Edit = dict[str, Any]
DOCUMENT = re.compile(r"\.(json|xml|txt|csv|yaml|jsonl|ini|names|data)$")
TOO_LARGE = 6000
"""Bytes of a document in which a mistake is drawn."""


def _misspelled(word: str, rng: random.Random) -> str:
    place = rng.randrange(len(word) - 1)
    ways = (
        word[:place] + word[place + 1 :],
        word[:place] + word[place + 1] + word[place] + word[place + 2 :],
        word[:place] + word[place] + word[place:],
    )
    return rng.choice(ways)


def _spec_word(line: str, rng: random.Random) -> tuple[str, str] | None:
    words = list(re.finditer(r"[a-z_]{4,}", line))
    if not words or re.match(r"\s*(#|about|title|homepage|licence|- \{level|seen|source|note)", line):
        return None
    one = rng.choice(words)
    return "a word is misspelled", line[: one.start()] + _misspelled(one[0], rng) + line[one.end() :]


def _spec_drop(line: str, rng: random.Random) -> tuple[str, str] | None:
    return ("a line is left out", "") if re.match(r"\s+\S+: \S", line) else None


def _spec_indent(line: str, rng: random.Random) -> tuple[str, str] | None:
    return ("a line is indented otherwise", rng.choice(("  ", "    ")) + line) if re.match(r"\s+\S", line) else None


def _spec_outdent(line: str, rng: random.Random) -> tuple[str, str] | None:
    return ("a line is indented less", line[2:]) if line.startswith("    ") else None


def _spec_codec(line: str, rng: random.Random) -> tuple[str, str] | None:
    found = list(re.finditer(r" \| [a-z_]+(\([^()]*\))?", line))
    if not found:
        return None
    one = rng.choice(found)
    return "a codec is left out", line[: one.start()] + line[one.end() :]


def _spec_type(line: str, rng: random.Random) -> tuple[str, str] | None:
    found = re.match(r"(\s*[a-z_]+: )(\S.*)$", line)
    if not found or line.startswith(("about", "title", "homepage", "licence", "name")):
        return None
    return "a value is of another type", found[1] + rng.choice(("3", "true", f"[{found[2]}, {found[2]}]", "{a: 1}"))


def _spec_quote(line: str, rng: random.Random) -> tuple[str, str] | None:
    found = [one.start() for one in re.finditer(r"[\"{}\]\[,:]", line)]
    if not found or line.startswith(("about", "title", "homepage", "#")):
        return None
    place = rng.choice(found)
    return "a mark of punctuation is left out", line[:place] + line[place + 1 :]


def _spec_twice(line: str, rng: random.Random) -> tuple[str, str] | None:
    return ("a line stands twice", f"{line}\n{line}") if re.match(r"\s+\S+: \S", line) else None


def _spec_placeholder(line: str, rng: random.Random) -> tuple[str, str] | None:
    found = list(re.finditer(r"\{([a-z_.]+)(:[^{}]*)?\}", line))
    if not found:
        return None
    one = rng.choice(found)
    return "a placeholder has another name", line[: one.start(1)] + _misspelled(one[1] + "_", rng) + line[one.end(1) :]


def _spec_else(line: str, rng: random.Random) -> tuple[str, str] | None:
    found = list(re.finditer(r" else [^\"}]+?(?=$|\"|\}|, [\w\"*]+\??:)", line))
    if not found:
        return None
    one = rng.choice(found)
    return "an `else` is left out", line[: one.start()] + line[one.end() :]


def _other(words: tuple[str, ...], what: str) -> Callable[[str, random.Random], tuple[str, str] | None]:
    def change(line: str, rng: random.Random) -> tuple[str, str] | None:
        found = list(re.finditer(rf"(?<=[ {{|])({'|'.join(map(re.escape, words))})(?![\w.(])", line))
        if not found:
            return None
        one = rng.choice(found)
        other = rng.choice([word for word in words if word != one[0]])
        return f"another {what} stands where one belongs", line[: one.start()] + other + line[one.end() :]

    return change


SLOTS = (
    "bbox", "rotated", "polygon", "polygons", "keypoints", "category.name", "category.id", "id", "track", "score",
    "image.width", "image.height", "text", "name", "attributes", "region",
)  # fmt: skip
CODECS = (
    "xywh",
    "sides",
    "cxcywh",
    "corners",
    "normalized",
    "pairs",
    "flat",
    "flag",
    "whole",
    "joined",
    "text",
    "run_lengths",
)

SPEC_WAYS: tuple[Callable[[str, random.Random], tuple[str, str] | None], ...] = (
    _spec_word, _spec_drop, _spec_indent, _spec_outdent, _spec_codec, _spec_type, _spec_quote, _spec_twice,
    _spec_placeholder, _spec_else, _other(SLOTS, "slot"), _other(CODECS, "codec"),
)  # fmt: skip


def spec_draw(rng: random.Random, turn: int) -> dict[str, Any] | None:
    """One mistake in one line of a spec."""
    name = rng.choice(sorted(file.stem for file in bundled().glob("*.yaml")))
    text = base_of_spec(name)[f"{name}.yaml"].decode()
    way = SPEC_WAYS[turn % len(SPEC_WAYS)]
    line = rng.choice(text.split("\n"))
    made = way(line, rng)
    if made is None or made[1] == line or len(line) < 6:
        return None
    old, new = f"\n{line}\n", f"\n{made[1]}\n" if made[1] else "\n"
    if text.count(old) != 1:
        return None
    return {"title": made[0], "of": name, "edits": [{"old": old, "new": new}]}


def data_draw(rng: random.Random, turn: int) -> dict[str, Any] | None:
    """One mistake in one file of an example."""
    name = rng.choice(sorted(one.name for one in (bundled() / "examples").iterdir() if one.is_dir()))
    try:
        spec_of(name)
    except ValueError:
        return None
    files = base_of_data(name)
    documents = [path for path in sorted(files) if DOCUMENT.search(path) and 0 < len(files[path]) < TOO_LARGE]
    way = turn % 12
    if way == 0:
        path = rng.choice(sorted(files))
        return {"title": "a file is missing", "of": name, "edits": [{"file": path, "gone": True}]}
    if way == 1:
        path = rng.choice(sorted(files))
        folder, _, last = path.rpartition("/")
        named = f"{folder}/x{last}".lstrip("/")
        return {"title": "a file has another name", "of": name, "edits": [{"file": path, "named": named}]}
    if way == 2:
        path = rng.choice(sorted(files))
        cut = len(files[path]) * rng.randrange(30, 90) // 100
        return {"title": "a file is cut short", "of": name, "edits": [{"file": path, "cut": cut}]}
    masks = [path for path in sorted(files) if path.endswith(".png")]
    if way == 3:
        if not masks:
            return None
        return {"title": "a pixel has another value", "of": name,
                "edits": [{"file": rng.choice(masks), "pixel": [0, 0, rng.randrange(100, 250)]}]}  # fmt: skip
    if way == 4:
        pictures = [path for path in sorted(files) if re.search(r"\.(png|jpe?g)$", path)]
        size = [rng.randrange(3, 90), rng.randrange(3, 90)]
        edit = {"file": rng.choice(pictures), "size": size} if pictures else None
        return edit and {"title": "an image is of another size", "of": name, "edits": [edit]}
    if not documents:
        return None
    path = rng.choice(documents)
    try:
        text = files[path].decode()
    except UnicodeDecodeError:
        return None
    made = _text_draw(text, path, way, rng)
    return None if made is None else {"title": made[0], "of": name, "edits": [{"file": path, **made[1]}]}


def _text_draw(text: str, path: str, way: int, rng: random.Random) -> tuple[str, Edit] | None:
    words = list(re.finditer(r"[A-Za-z_]{3,}", text))
    numbers = list(re.finditer(r"(?<![\w.])-?\d+(\.\d+)?(?![\w.])", text))
    if way in (5, 6) and numbers:
        one = rng.choice(numbers)
        new = rng.choice((f"{one[0]}000", "x", f"-{one[0]}", "", "null" if path.endswith("json") else "nan", "7.5"))
        return "a number is wrong", _at(text, one, new)
    if way in (7, 8) and words:
        one = rng.choice(words)
        return "a word is misspelled", _at(text, one, _misspelled(one[0], rng))
    lines = text.split("\n")
    rows = [line for line in lines if len(line) > 3]
    if not rows:
        return None
    row = rng.choice(rows)
    if way == 9:
        return "a line is left out", {"old": row, "new": "", "nth": 0}
    if way == 10:
        parts = re.split(r"([ ,;\t]+)", row.strip())
        if len(parts) < 3:
            return None
        return "a row is too short", {"old": row, "new": "".join(parts[:-2]), "nth": 0}
    if re.search(r"\.(txt|csv)$", path):
        mark = "," if "," in row else " "
        return "a row is too long", {"old": row, "new": f"{row}{mark}1", "nth": 0}
    return None


def _at(text: str, one: re.Match[str], new: str) -> Edit:
    """An edit of one place, shown with what stands around it in its line."""
    start = max(text.rfind("\n", 0, one.start()) + 1, one.start() - 30)
    line_end = text.find("\n", one.end())
    stop = min(line_end if line_end >= 0 else len(text), one.end() + 15)
    old = text[start:stop]
    nth = 0
    place = text.find(old)
    while place < start:
        nth, place = nth + 1, text.find(old, place + len(old))
        if place < 0:
            return {"old": "\0", "new": ""}
    return {
        "old": old,
        "new": text[start : one.start()] + new + text[one.end() : stop],
        **({"nth": nth} if nth else {}),
    }


def main(about: str, seed: int, count: int) -> None:
    """Print mistakes of which something is said, and how many draws were passed over in silence."""
    rng, found, silent, tried = random.Random(seed), list[dict[str, Any]](), list[Any](), 0
    while len(found) < count:
        one = (spec_draw if about == "spec" else data_draw)(rng, len(found))
        if one is None:
            continue
        tried += 1
        try:
            if about == "spec":
                files = base_of_spec(one["of"])
                said = said_anew_of_spec(edited(files, one["edits"], next(iter(files))), one["of"])
            else:
                said = said_anew(edited(base_of_data(one["of"]), one["edits"]), one["of"])
        except Exception as error:
            print(f"FAULT {one} {type(error).__name__} {error}", file=sys.stderr)
            continue
        if said:
            print(f"--- {len(found)} {one}\n{said}\n", file=sys.stderr)
            found.append(one)
        else:
            silent.append(one)
    print(f"# drawn with the seed {seed}; of {tried} draws, {len(silent)} are good as well")
    for one in silent:
        print(f"silent {one}", file=sys.stderr)
    print(yaml.safe_dump({"drawn": found}, sort_keys=False, allow_unicode=True, width=1000))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
