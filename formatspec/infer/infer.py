"""Drafts a spec for a folder: drafts and tries every way to read its paths, and writes down the best."""

from __future__ import annotations

import re

import msgspec

from formatspec.infer.draft import draft
from formatspec.infer.evidence import Evidence
from formatspec.infer.names import layouts
from formatspec.infer.nodes import rendered
from formatspec.infer.trial import Tried, tried
from formatspec.language.schema import SCHEMA_ID
from formatspec.paths.trees.tree import Tree

LEFT = 12
"""How many files without a role are named at the end of a draft."""


class Inferred(msgspec.Struct, frozen=True):
    """A drafted spec.

    Attributes:
        text: Its YAML.
        items, records, errors: What it reads of the data.
        claimed, evidence: How many of the files with annotations it claims.
        left: Documents and label images without a role.
        questions: The questions that it asks.
    """

    text: str
    items: int
    records: int
    errors: int
    claimed: int
    evidence: int
    left: tuple[str, ...]
    questions: tuple[str, ...]


class NothingToInferError(ValueError):
    """A folder contains nothing from which a spec could be drafted. The message is one sentence."""


def infer(tree: Tree, name: str) -> Inferred:
    """Draft a spec for a tree of files.

    Args:
        tree: The files.
        name: The name of the spec; letters, digits and _.

    Raises:
        NothingToInferError: The tree holds no images, or no draft could be loaded.
    """
    evidence = Evidence(tree)
    if not evidence.images:
        raise NothingToInferError(f"{tree.root} holds no images that are no label images, and a spec is about images")
    pictures = [evidence.picture(path) for path in evidence.images]
    found: list[Tried] = []
    for layout in layouts(pictures):
        one = tried(evidence, draft(evidence, layout, name))
        if one is not None:
            found.append(one)
    if not found:
        raise NothingToInferError(f"no draft for {tree.root} could be read with")
    best = max(found, key=lambda one: one.score)
    return _written(best, evidence.others)


def _written(best: Tried, others: tuple[str, ...]) -> Inferred:
    """Return the draft as text, with the files that it leaves; `others` are files of unknown kinds."""
    body, _ = rendered(best.draft.entries)
    questions = tuple(re.findall(r"# QUESTION: (.*)", body))
    head = [f"# yaml-language-server: $schema={SCHEMA_ID}", "# A draft: comments say what each guess rests on."]
    if questions:
        head.append("# Lines with QUESTION are for you to decide.")
    tail = []
    left = (*best.left, *others)
    if left:
        tail = ["# No role was found for:", *(f"#   {path}" for path in left[:LEFT])]
        tail += [f"#   and {len(left) - LEFT} more"] if len(left) > LEFT else []
    text = "\n".join([*head, body.rstrip("\n"), *tail]) + "\n"
    return Inferred(
        text, best.items, best.records, best.errors, best.claimed, best.evidence + len(others), left, questions
    )  # fmt: skip


def spec_name(place: str) -> str:
    """Return a name for the spec of a folder: the folder's own, in lower case."""
    plain = re.sub(r"[^a-z0-9]+", "_", place.rstrip("/").rpartition("/")[2].removesuffix(".zip").lower()).strip("_")
    return plain if plain and not plain[0].isdigit() else f"my_{plain or 'format'}"
