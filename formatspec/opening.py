"""Opens a dataset, detects its format if none is named, and reads the policy for its findings."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from formatspec.language.load import Source, bundled, load_source

if TYPE_CHECKING:
    from formatspec.engine.dataset import dataset as engine
    from formatspec.engine.detection.detect import Detection
    from formatspec.paths.trees.tree import Tree
    from formatspec.policy.rules import Policy
    from formatspec.run.class_names import Classes

On = Sequence[str] | Mapping[str, str]
"""What is done about findings: `CODE[,CODE]=ACTION` each, or a mapping from codes to actions."""


def load_spec(name_or_file: str | Path) -> Source:
    """Load a spec by name or file.

    The rules of a user's own spec are compiled for reading and for writing, so that every mistake is found now. Tests
    do that for the specs of the package.

    Args:
        name_or_file: A format's name, or the path of a spec.

    Raises:
        SpecError: The spec cannot be used; each problem has its file, line and column.
        TypeError: It is neither a name nor a path.
    """
    given: object = name_or_file
    if not isinstance(given, str | Path):
        raise TypeError(f"a format is named by its name or its file, not by {given!r}")
    source = load_source(name_or_file)
    if source.file.resolve().parent != bundled():
        from formatspec.engine.dataset.lint import compile_whole

        compile_whole(source)
    return source


def detect_format(tree: Tree) -> Detection:
    """Detect which known spec describes a tree, with what speaks against the others.

    Warns with SpecMistake about each spec of the user's own that cannot be used. Formats that only images and folders
    speak for are then not considered, since the data may belong to that spec.
    """
    from formatspec.engine.detection.detect import detect
    from formatspec.engine.detection.known_specs import known_specs

    known = known_specs()
    for error in known.mistaken.values():
        warnings.warn(SpecMistake(f"this spec is passed over: {error}"), stacklevel=2)
    wrong = {name: f"its spec cannot be used: {error.problems[0]}" for name, error in known.mistaken.items()}
    return detect(known.sources, tree, own=known.own, bare=not known.mistaken, unusable=wrong)


def spec_for(tree: Tree, data: str | Path) -> tuple[Source, str]:
    """Find the spec that describes a tree.

    Args:
        tree: The tree.
        data: Where it is, for messages.

    Returns:
        The spec, and the folder of the tree in which the dataset begins, "" for the root.

    Raises:
        SpecError: No spec describes the tree, or several do equally well.
    """
    from formatspec.engine.detection.refusal import refusal

    found = detect_format(tree)
    if found.name is None:
        raise refusal(str(data), found, tree)
    for note in found.notes_of_place:  # where its files are is told by who opens it
        warnings.warn(FormatNotice(note), stacklevel=2)
    return load_spec(found.winner.file), found.within


class FormatNotice(UserWarning):
    """A warning about how a dataset's format was detected."""


class SpecMistake(FormatNotice):
    """A warning that a spec of the user's own cannot be used and was passed over."""


def opened(
    data: str | Path, spec: str | Path | None, options: Mapping[str, Any], origin: bool, shared: bool = False,
    classes: Classes | None = None, **purpose: Any,
) -> engine.OpenDataset:  # fmt: skip
    """Open data as the engine reads it.

    Args:
        data: A folder or a zip, on disk or behind a URL.
        spec: A format's name or a spec's file; None to detect the format.
        options: Options of the spec by name.
        origin: Whether records keep their source rows, for writing to the same format.
        shared: Whether the options are shared with a target, so that they need not all be the spec's own.
        classes: The names of the classes, or a text file of them, where the data give numbers alone.
        purpose: Further fields of `Purpose`: which parts of items are read.

    Raises:
        FileNotFoundError: There is no such place.
        SpecError: No spec fits, or it has no such option.
        RemoteError: A store cannot be reached.
    """
    from formatspec.engine.dataset.choose_layout import open_source
    from formatspec.engine.dataset.item.purpose import Purpose
    from formatspec.engine.dataset.layout_by_content import noted_layout
    from formatspec.paths.trees.open_tree import open_tree
    from formatspec.run.class_names import class_names

    tree = open_tree(data)
    source, within = spec_for(tree, data) if spec is None else _named(spec, tree)
    known = {name: value for name, value in options.items() if not shared or name in source.spec.options}
    dataset = open_source(source, tree, known, Purpose(origin=origin, classes=class_names(classes), **purpose), within)
    if (note := noted_layout(dataset.form, source)) is not None:
        warnings.warn(FormatNotice(note), stacklevel=2)
    return dataset


def _named(spec: str | Path, tree: Tree) -> tuple[Source, str]:
    """Return a named spec, and the folder of a tree in which its dataset begins."""
    from formatspec.engine.detection.detect import wrapped_in

    source = load_spec(spec)
    return source, wrapped_in(source, tree)


def policy_of(
    data: str | Path, config: str | Path | None, on: On, skip_invalid: bool, own: Mapping[str, Any]
) -> Policy:
    """Return the policy of the configuration file, with the user's options on top. Raises PolicyError."""
    from formatspec.policy.config import found_beside, load
    from formatspec.policy.rules import Policy, Rule, parse_on

    file = Path(config) if config is not None else found_beside(data)
    stated = load(file, own) if file is not None else Policy()
    words = [f"{code}={action}" for code, action in on.items()] if isinstance(on, Mapping) else on
    skipping = (Rule("error", "drop-item"),) if skip_invalid else ()
    return Policy((*stated.rules, *skipping, *parse_on(words, own)), stated.ignored, stated.fail_over)
