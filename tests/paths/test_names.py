"""Paths as texts."""

from __future__ import annotations

import posixpath

from hypothesis import given
from hypothesis import strategies as st

from formatspec.paths.names import relative_path

parts = st.lists(st.sampled_from(["a", "b", "c.png", "..", ".", ""]), min_size=1, max_size=5).map("/".join)


@given(parts.filter(bool), parts)
def test_a_relative_path_is_that_of_the_standard_library(path: str, folder: str) -> None:
    assert relative_path(path, folder) == posixpath.relpath(path, folder or ".")
