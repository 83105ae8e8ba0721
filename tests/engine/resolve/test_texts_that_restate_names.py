"""A text that says just what names say which are known is not taken apart."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.text_template import TextTemplate, restating, text_template
from formatspec.language.entries.rule_entries import parse_rule
from formatspec.language.leaf import Text
from formatspec.language.yaml_source import load


def template(text: str) -> TextTemplate:
    leaf = parse_rule(load(f"'{text}'", "r.yaml")).leaf
    assert isinstance(leaf, Text)
    return text_template(leaf, Scope("item", "r", {"name": "path", "ext": "image"}), None)  # type: ignore[arg-type]


NAMES = st.fixed_dictionaries({"name": st.text("ab/.%", min_size=1), "ext": st.sampled_from(["jpg", "png"])})


@given(NAMES, NAMES)
def test_a_text_restates_names_only_where_it_is_made_of_them(own: dict[str, str], told: dict[str, str]) -> None:
    restates = restating(template("{name}.{ext}"))
    assert restates is not None
    text = f"{told['name']}.{told['ext']}"
    assert restates(text, own) == (text == f"{own['name']}.{own['ext']}")


@pytest.mark.parametrize("known", [{}, {"name": "a"}, {"name": "a", "ext": None}, {"name": "a", "ext": 1}])
def test_names_that_are_not_known_or_no_texts_are_taken_from_the_text(known: dict[str, Any]) -> None:
    restates = restating(template("{name}.{ext}"))
    assert restates is not None
    assert not restates("a.jpg", known)
    assert not restates("a.None", known)
    assert not restates("a.1", known)


def test_a_text_with_codecs_is_taken_apart() -> None:
    assert restating(template("{name | run_together}.{ext}")) is None
