"""120 mistakes: what is said of each stands in the docs, and the repair that follows from it makes things good."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import mistakes as made

MISTAKES = [(about, one) for about in made.PAGES for one in made.mistakes(about)]
NOT_OURS = re.compile(r"Input should be|Value error|instance of|Traceback|NoneType|valid (string|dictionary|boolean)")
"""Phrases of libraries, which say nothing to somebody who writes a spec."""


@pytest.mark.parametrize("about", made.PAGES)
def test_there_are_sixty_of_each_and_most_can_be_repaired_from_their_message(about: str) -> None:
    found = made.mistakes(about)
    kinds = [one.kind for one in found]
    assert [kinds.count(kind) for kind in made.KINDS] == [30, 15, 15]
    assert sum(not one.fails for one in found) >= 54
    assert len({(one.of, str(one.edits)) for one in found}) == 60
    assert all(bool(one.made) != bool(one.fails) and bool(one.repair) != bool(one.fails) for one in found)
    assert sum(not one.fails and one.looks == 1 for one in found) >= 54


@pytest.mark.parametrize("about", made.PAGES)
def test_the_page_says_what_is_said(about: str) -> None:
    file = made.DOCS / made.PAGES[about]
    if not file.is_file() or file.read_text("utf-8") != made.page(about):
        pytest.fail(f"docs/{file.name} is not what follows from the messages: run make docs", pytrace=False)


@pytest.mark.parametrize(("about", "one"), MISTAKES, ids=[f"{about}-{one.title}-{one.of}" for about, one in MISTAKES])
def test_a_mistake_is_told_until_it_is_repaired(about: str, one: made.Mistake) -> None:
    said = made.message(about, one)
    if not one.fails:
        assert said and re.search(r"[\w.]+\.\w+", said), "the message names no file"
        if about == "spec":
            assert re.search(r"\w+\.(yaml|json|csv|xml|txt):\d+", said), said
        assert made.after_repair(about, one) == ""
    assert not NOT_OURS.search(said), said


def test_a_mistake_that_no_longer_applies_is_told() -> None:
    with pytest.raises(AssertionError, match=r"a\.txt has changed: 'x' does not stand there 2 times"):
        made.edited({"a.txt": b"x"}, [{"file": "a.txt", "old": "x", "new": "y", "nth": 1}])
