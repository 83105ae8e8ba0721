"""A spec with a word in the wrong place is refused, breaks a law, or holds; it is never a fault of the engine."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from test_homemade_formats import SOURCES, SPECS

from formatspec.engine.dataset.lint import compile_whole
from formatspec.language.errors import SpecError
from formatspec.language.load import load_source
from formatspec.testing import laws

# fmt: off
WORDS = [
    "bbox", "polygon", "polygons", "region", "keypoints", "rotated", "circle", "ellipse", "polyline", "score", "track",
    "text", "id", "name", "category.name", "category.id", "category.index", "attributes", "image.width", "index",
    "number", "subset", "sides", "xywh", "cxcywh", "corners", "pairs", "flat", "joined", "normalized", "numbers",
    "whole", "digits", "from", "map", "scaled", "radii", "run_lengths", "value_runs", "objects", "items", "categories",
    "areas", "labels", "void", "children", "attributes.x", "frame", "sequence", "item.id", "level", "group", "order",
]
CODECS = [
    "pairs", "flat", "normalized", "from(1)", "whole", "numbers(4)", "joined", "sides", "visible", "closed", "reversed",
    "words",
]
# fmt: on


def mutated(text: str, rng: random.Random) -> str:
    """The text with another word in place of one, or with a codec behind it."""
    found = [word for word in re.finditer(r"[a-z_]+(?:\.[a-z_]+)*", text) if word[0] in WORDS]
    word = rng.choice(found)
    other = rng.choice(WORDS) if rng.random() < 0.75 else f"{word[0]} | {rng.choice(CODECS)}"
    return text[: word.start()] + other + text[word.end() :]


@pytest.mark.parametrize("seed", range(10))
def test_no_mutated_spec_is_a_fault_of_the_engine(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    ends = set()
    for number in range(20):
        name = rng.choice(list(SPECS))
        categories = f"categories: [{SOURCES[name]}]\n" if name in SOURCES else ""
        file = tmp_path / f"mutated_{number}.yaml"
        file.write_text(f"formatspec: 1\nname: {name}\n{categories}files:{mutated(SPECS[name], rng)}")
        try:
            source = load_source(file)
            compile_whole(source)
            laws.hold(source, random.Random(seed))
            ends.add("holds")
        except SpecError as error:
            assert all(problem.place for problem in error.problems), str(error)
            ends.add("refused")
        except laws.LawBrokenError:
            ends.add("breaks a law")
    assert "refused" in ends
