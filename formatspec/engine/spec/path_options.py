"""Options in paths: in `"{option.corpus}/instances.json"`, the option's value is a part of the path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from formatspec.engine.base.remembered import remembered
from formatspec.language.errors import suggest
from formatspec.language.load import Layout, place_at
from formatspec.language.rules import OPTION_KEY, problem
from formatspec.language.schema import Spec

OPTION = "option."
"""The beginning of the name that a path captures where an option has no value."""


_NO_PART = frozenset(("", ".", ".."))
"""What no segment of a path is."""


@remembered(2048)
def options_in_paths(spec: Spec) -> tuple[str, ...]:
    """Return the names of the options that stand in the paths of a spec, in the order of their places."""
    return tuple(dict.fromkeys(name for role in spec.files.values() for name in OPTION_KEY.findall(role.path)))


def open_options(spec: Spec, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are given, and None for each option in a path that is not: the folders tell it."""
    return {**given, **{name: None for name in options_in_paths(spec) if given.get(name) is None}}


def with_options_in_paths(layout: Layout, chosen: Mapping[str, Any]) -> Spec:
    """Return a layout's spec with the values of options in its paths; without a value, a name stands there.

    Raises:
        SpecError: There is no such option, or it lacks choices or a default.
    """
    spec = layout.spec
    if not options_in_paths(spec):
        return spec
    _refuse_unknown(layout)

    def spelled(name: str) -> str:
        value = chosen.get(name)
        if value is not None:
            return str(value).replace("{", "{{").replace("}", "}}")
        words = ", ".join(f"{_quoted(choice)}={_quoted(choice)}" for choice in spec.options[name].choices)
        return f"{{{OPTION}{name} | map({words})}}"

    files = {
        name: role.model_copy(update={"path": OPTION_KEY.sub(lambda found: spelled(found[1]), role.path)})
        for name, role in spec.files.items()
    }
    return spec.model_copy(update={"files": files})


def found_in_paths(spec: Spec, captures: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Return the choices of each option that stands in paths for which files are there, as the paths capture them."""
    found: dict[str, dict[str, None]] = {name: {} for name in options_in_paths(spec)}
    for names in captures:
        for name, values in found.items():
            if names.get(OPTION + name) is not None:
                values[str(names[OPTION + name])] = None
    return {
        name: tuple(choice for choice in spec.options[name].choices if str(choice) in values)
        for name, values in found.items()
    }


def _refuse_unknown(layout: Layout) -> None:
    spec = layout.spec
    for role, stated in spec.files.items():
        for name in OPTION_KEY.findall(stated.path):
            place = place_at(layout.node, "files", role, "path")
            if name not in spec.options:
                raise problem(f"{spec.name} has no option {name!r}", place, hint=suggest(name, spec.options))
            option = spec.options[name]
            if not option.choices or option.default is None:
                message = f"the option {name} stands in a path, and its values are not known"
                raise problem(message, place, f"`choices` and a `default` of the option {name}")
            if len(set(map(str, option.choices))) < len(option.choices):
                raise problem(f"the option {name} stands in a path, and one of its choices is given twice", place)
            for choice in map(str, option.choices):
                if not _NO_PART.isdisjoint(choice.split("/")) or "\\" in choice or {"'", '"'} <= set(choice):
                    message = f"the option {name} stands in a path, and its choice {choice!r} can be no part of one"
                    raise problem(message, place, "a folder's name, or several with `/` between")


def _quoted(choice: Any) -> str:
    text = str(choice)
    return f'"{text}"' if "'" in text else f"'{text}'"
