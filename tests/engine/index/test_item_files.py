"""Files given to items in the order of their paths: the same as role after role."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from formatspec.engine.base.amounts import with_amounts
from formatspec.engine.base.faults import Fault
from formatspec.engine.index.build_index import Claimed, PathMatches, claims, unclaimed
from formatspec.engine.index.entries import Entries, ItemFiles
from formatspec.engine.spec.compiled import Format, compile_format
from formatspec.language.load import load_source
from formatspec.paths.names import in_order

SPEC = """
formatspec: 1
name: beside
title: Files beside images
about: Files of one item in folders of their own, and beside each other.
files:
  first:
    path: "z/{subset}/{kind}_{name}.json"
    json: {tags: tags}
  image: "{subset}/{scene:path?}/{name}.{ext:jpg|png}"
  mask:
    path: "{subset}/{scene:path?}/{name}/{object.id:d}_{name}.bmp"
    image: gray
    pixels: {L: "slot | map(0=null, 255=region)"}
  other:
    path: "a/{subset}/{name}.{kind}.xml"
    xml: {all: {tags: tags}}
  last:
    path: "{subset}/{scene:path?}/{name}_{kind}.json"
    json: {tags: tags}
"""


@pytest.fixture(params=[8, 1 << 30], ids=["on disk", "in memory"])
def form(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Format]:
    """A format whose roles name items in several ways; its items stay in memory, or few of them do."""
    (tmp_path / "beside.yaml").write_text(SPEC)
    source = load_source(tmp_path / "beside.yaml")
    with with_amounts(items=request.param, items_ahead=600):
        yield compile_format(source, source.layouts[0])


def paths(seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    for number in range(60):
        name, subset = f"{rng.choice('ab')}{number}", rng.choice(("train", "val"))
        place = subset + rng.choice(("", "", "/s", "/s/t"))
        made = [f"{place}/{name}.jpg", f"{place}/{name}_k.json", f"{place}/{name}_l.json", f"{place}/{name}.png"]
        made += [f"z/{subset}/{kind}_{name}.json" for kind in "kl"] + [f"a/{subset}/{name}.{kind}.xml" for kind in "kl"]
        made += [f"{place}/{name}/{thing}_{name}.bmp" for thing in range(3)]
        yield from (path for path in made if rng.random() < 0.6)


def one_by_one(form: Format, found: dict[str, list[tuple[str, dict[str, Any]]]]) -> tuple[list[Any], list[str]]:
    """The items, and the files that are one too many, by going through role after role."""
    items: dict[tuple[Any, ...], tuple[dict[str, Any], dict[str, list[Any]]]] = {}
    doubled = []
    for role in form.roles.values():
        if role.span == "shared" or not set(form.key_names) <= set(role.captures):
            continue
        for path, captures in found[role.name]:
            names, files = items.setdefault(tuple(captures.get(name) or "" for name in form.key_names), ({}, {}))
            if role.span == "item" and role.name in files:
                doubled.append(path)
                continue
            told = {name: value for name, value in captures.items() if name.startswith("object.")}
            files.setdefault(role.name, []).append((path, told))
            for name, value in captures.items() if role.span == "item" else ():
                names.setdefault(name, value)
    return [(identity, list(names.items()), list(files.items())) for identity, (names, files) in items.items()], doubled


@pytest.mark.parametrize("seed", range(8))
def test_items_are_those_of_role_after_role(form: Format, seed: int) -> None:
    listing = in_order(paths(seed))
    items, doubled = one_by_one(form, claims(form, PathMatches(listing)))
    entries = Entries()
    files = ItemFiles(form, entries)
    for place, path in enumerate(listing):
        for name, found in claims(form, PathMatches([path])).items():
            for _, captures in found:
                files.add(form.roles[name], path, captures, place)
    faults = files.done()
    entries.whole()
    assert [(one.identity, list(one.names.items()), list(one.files.items())) for one in entries] == items
    assert [entry.number for entry in entries] == list(range(len(items)))
    assert [fault.file for fault in faults] == doubled
    assert len(items) > 20
    assert doubled


def test_a_path_is_claimed_by_the_role_that_says_most_of_it(form: Format) -> None:
    odd = ["train/a.jpg.json", "train/a_k.json.jpg", "x", ".json", "train/.", "z/train/k_a.json", "a/b/c.d.xml"]
    for path in [*paths(1), *odd]:
        found = claims(form, PathMatches([path]))
        left: list[str] = []
        faults: list[Fault] = []
        Claimed(form, [path], ItemFiles(form, Entries()), left, faults)
        roles = [role for role in form.roles.values() if role.template.match(path) is not None]
        most = max((role.template.literal_count for role in roles), default=0)
        best = [role.name for role in roles if role.template.literal_count == most]
        assert [name for name, given in found.items() if given] == best[:1]
        assert left == ([] if best or form.ignored(path) else [path])
        assert unclaimed(form, PathMatches([path]), found) == len(left)
        assert len(faults) == (len(best) > 1)
