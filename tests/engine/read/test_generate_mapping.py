"""Functions written for mappings give what the readers of their leaves give, of sound and of broken documents."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import formatspec
from formatspec.model.amounts import with_amounts

SPECS = ("ade20k2020", "bdd100k", "cityscapes", "coco", "datumaro", "labelme", "openlabel", "supervisely")
XML_SPECS = ("cvat_images", "labelme_xml", "ua_detrac", "voc")
ODD_TEXTS = ("", " ", "0", "-3", "1.5", "7.0", "x", "true", "../x", "/a/b.jpg", "C:/x/y.png", "9" * 30, "1e400", "é")
ODD = (None, True, 0, -3, 1.5, 10**400, "", "yes", "../x", [], ["a", 1], {}, {"x": [1, "2"]}, [[1, 2], [3, None]])


def places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a document with every key or index in it."""
    for key in list(document) if isinstance(document, dict) else range(len(document)):
        yield document, key
        if isinstance(document[key], dict | list):
            yield from places(document[key])


def broken(document: Any, rng: random.Random) -> Any:
    """A document with a few values that do not belong there."""
    made = {"": copy.deepcopy(document)}
    for _ in range(rng.randrange(4)):
        within, key = rng.choice(list(places(made)))
        if rng.random() < 0.2 and isinstance(within, dict) and within is not made:
            del within[key]
        elif rng.random() < 0.2 and isinstance(within[key], dict):
            within[key][rng.choice(("odd", "id", "name"))] = rng.choice(ODD)
        else:
            within[key] = copy.deepcopy(rng.choice(ODD))
    return made[""]


def broken_text(text: str, rng: random.Random) -> str:
    """An XML document with a few texts that do not belong there, or that are gone with their elements."""
    for _ in range(rng.randrange(1, 4)):
        places = list(re.finditer(r'(?<!version)(?<!encoding)="([^"]*)"|<(\w+)>([^<>]+)</\w+>', text))
        if places:
            found, odd = rng.choice(places), rng.choice(ODD_TEXTS)
            tag = found[2]
            told = f'="{odd}"' if tag is None else rng.choice((f"<{tag}>{odd}</{tag}>", f"<{tag}/>", ""))
            text = text[: found.start()] + told + text[found.end() :]
    return text


def told(data: Path, spec: str) -> tuple[Any, list[str]]:
    """What validation says, and the items that are read."""
    report = formatspec.validate(data, spec, workers=1).as_json()
    opened = formatspec.open(data, spec)
    return report, [repr(item) for item in opened]


def same(data: Path, spec: str, files: str, changed: Callable[[str, random.Random], str]) -> int:
    """Require that generated and judging readers say the same of data and of broken data; how much they found."""
    rng = random.Random(spec)
    sound = {path: path.read_text() for path in sorted(data.rglob(files))}
    found = 0
    for _ in range(8):
        judged, written = [], []
        for many, into in ((1 << 30, judged), (0, written)):
            with with_amounts(generate_from=many):
                into.append(told(data, spec))
        assert written == judged
        found += len(written[0][0]["findings"])
        for path, text in sound.items():
            path.write_text(changed(text, rng))
    return found


@pytest.mark.parametrize("spec", XML_SPECS)
def test_the_same_written_and_judged_of_elements(spec: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    formatspec.sample(spec, data, items=12, seed=3)
    assert same(data, spec, "*.xml", broken_text) > 5


@pytest.mark.parametrize("spec", SPECS)
def test_the_same_written_and_judged(spec: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    formatspec.sample(spec, data, items=12, seed=3)
    assert same(data, spec, "*.json", lambda text, rng: json.dumps(broken(json.loads(text), rng))) > 5


@pytest.mark.parametrize("spec", ["coco", "cvat_images", "datumaro", "labelme", "voc"])
def test_the_same_is_kept_and_lost(spec: str, tmp_path: Path) -> None:
    """Where a conversion counts what it cannot take along, kept fields and numbers of rows are noted."""
    data = tmp_path / "data"
    formatspec.sample(spec, data, items=12, seed=3)
    for path in data.rglob("*.xml"):  # an id that is the number of its row no longer
        path.write_text(re.sub(r'<image id="3"', '<image id="33"', path.read_text(), count=1))
    for path in data.rglob("*.json"):  # a document has another value than the one that would be written
        path.write_text(path.read_text().replace('"5.5.0"', '"4.0.1"'))
    found = []
    for many in (1 << 30, 0):
        out = tmp_path / str(many)
        with with_amounts(generate_from=many):
            told = formatspec.convert(
                data, spec=spec, to="open_images", out=out, workers=1, skip_invalid=True
            ).as_json()
        files = {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
        found.append(({key: value for key, value in told.items() if key != "out"}, files))
    assert found[0] == found[1]
    assert spec not in ("cvat_images", "labelme") or "kept fields" in json.dumps(found[0][0])
