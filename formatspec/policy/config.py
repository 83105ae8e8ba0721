"""The configuration file: `formatspec.yaml` beside the data, one that is named, or `[tool.formatspec]` of a project.

on:
  BOX_OUTSIDE: {action: clip, within: 5%}
  UNKNOWN_CATEGORY: drop
ignore:
  - FIELD_UNKNOWN
  - {code: BOX_EMPTY, path: "labels/train/*"}
fail_over: {BOX_OUTSIDE: 10}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from formatspec.findings.table import CODES
from formatspec.language.errors import suggest
from formatspec.policy.rules import Ignored, Policy, PolicyError, Rule, rule_of

NAME = "formatspec.yaml"
PROJECT = "pyproject.toml"
KEYS = ("on", "ignore", "fail_over")


def found_beside(data: str | Path) -> Path | None:
    """Return the configuration file of some data: in its folder, beside it, or in a project around it."""
    place = Path(data)
    if "://" in str(data) or not place.exists():
        return None
    folder = place if place.is_dir() else place.parent
    for where in (folder, folder.resolve().parent):
        if (where / NAME).is_file() and _is_config(where / NAME):
            return where / NAME
    for where in (folder, Path()):
        project = where / PROJECT
        if project.is_file() and _section(project) is not None:
            return project
    return None


def _is_config(file: Path) -> bool:
    """Return whether a file of that name is a configuration; a spec begins with `formatspec: 1`."""
    try:
        return "formatspec" not in (_yaml(file) or {})
    except PolicyError:
        return True


def load(file: Path, own: Mapping[str, Any] = {}) -> Policy:
    """The policy that a configuration file states.

    Args:
        file: A YAML file, or a `pyproject.toml` with a table `[tool.formatspec]`.
        own: The codes that specs define in checks of their own.

    Raises:
        PolicyError: The file cannot be read, or a word of it is not known.
    """
    if not file.is_file():
        raise PolicyError(f"there is no configuration file {file}")
    given = _section(file) if file.suffix == ".toml" else _yaml(file)
    try:
        return policy_of({} if given is None else given, own)
    except PolicyError as error:
        raise PolicyError(f"{file}: {error}") from None


def _yaml(file: Path) -> Any:
    from formatspec.language.yaml_source import load_plain_12

    try:
        return load_plain_12(file.read_bytes())
    except (OSError, ValueError) as error:
        raise PolicyError(f"{file}: {error}") from None


def _section(file: Path) -> Any:
    import tomllib

    try:
        return tomllib.loads(file.read_text("utf-8")).get("tool", {}).get("formatspec")
    except (OSError, ValueError) as error:
        raise PolicyError(f"{file}: {error}") from None


def policy_of(given: Any, own: Mapping[str, Any] = {}) -> Policy:
    """Return the policy of a mapping with `on`, `ignore` and `fail_over`. Raises PolicyError."""
    if not isinstance(given, Mapping):
        raise PolicyError("expected a mapping with on, ignore and fail_over")
    for key in given:
        if key not in KEYS:
            raise PolicyError(f"{key!r} is no key of a configuration; {suggest(str(key), KEYS)}")
    on, over = given.get("on") or {}, given.get("fail_over") or {}
    if not isinstance(on, Mapping):
        raise PolicyError("`on` takes a mapping of codes to actions")
    if not isinstance(over, Mapping):
        raise PolicyError("`fail_over` takes a mapping of codes to counts")
    rules = tuple(
        _rule(str(about).strip(), action, own) for heads, action in on.items() for about in str(heads).split(",")
    )
    return Policy(
        rules, tuple(_ignored(given.get("ignore") or (), own)), {_code(c, own): _count(c, n) for c, n in over.items()}
    )


def _rule(about: str, action: Any, own: Mapping[str, Any]) -> Rule:
    if not isinstance(action, Mapping):
        return rule_of(about, str(action), {}, own)
    details = {key: value for key, value in action.items() if key != "action"}
    return rule_of(about, str(action.get("action", "")), details, own)


def _ignored(given: Any, own: Mapping[str, Any]) -> list[Ignored]:
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Mapping):
        paths = [(code, path) for code, path in given.items()]
        return [
            Ignored(_code(code, own), None if one in (None, True) else str(one))
            for code, path in paths
            for one in (path if isinstance(path, list | tuple) else [path])
        ]
    if not isinstance(given, list | tuple):
        raise PolicyError("`ignore` takes a list of codes, or of mappings with code and path")
    found = []
    for one in given:
        if not isinstance(one, Mapping):
            found.append(Ignored(_code(one, own)))
            continue
        for key in one:
            if key not in ("code", "path"):
                raise PolicyError(f"ignore: {key!r} is not known; {suggest(str(key), ('code', 'path'))}")
        code, path = one.get("code"), one.get("path")
        if code is None and path is None:
            raise PolicyError("ignore: an entry names a code, a path, or both")
        found.append(Ignored(None if code is None else _code(code, own), None if path is None else str(path)))
    return found


def _code(code: Any, own: Mapping[str, Any]) -> str:
    if str(code) not in CODES and str(code) not in own:
        raise PolicyError(f"there is no code {str(code)!r}; {suggest(str(code), (*CODES, *own))}")
    return str(code)


def _count(code: Any, count: Any) -> int:
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise PolicyError(f"fail_over: {code} takes a count, not {count!r}")
    return count


__all__ = ["KEYS", "NAME", "found_beside", "load", "policy_of"]
