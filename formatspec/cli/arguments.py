"""Reads the positional arguments and the values of options."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from formatspec.cli.console import stop
from formatspec.language.errors import nearest, suggest
from formatspec.language.load import available, folders
from formatspec.paths.trees.store import is_url, plain_path

if TYPE_CHECKING:
    from formatspec.datasets.dataset import Dataset
    from formatspec.run.select import NewName

_NUMBER = re.compile(r"[0-9][0-9_]{0,24}")


def spec_and_data(arguments: Sequence[str]) -> tuple[str | None, str]:
    """Return SPEC and DATA: both, either, or neither. A single argument is DATA if it is a URL, a folder or a zip."""
    if len(arguments) > 2:
        stop(f"at most SPEC and DATA are given, not {len(arguments)} arguments")
    if len(arguments) == 2:
        spec, data = arguments
        return spec, data_at(data)
    if not arguments:
        return None, "."
    only = plain_path(arguments[0])
    if not only:
        stop("SPEC and DATA are empty; name a format's spec, a folder, a zip or a URL")
    if is_url(only):
        return None, only
    is_data = Path(only).is_dir() or (Path(only).is_file() and Path(only).suffix.lower() == ".zip")
    is_spec = _is_spec(only)
    if is_data and is_spec:
        stop(
            f"{only} is both a spec's name and a folder here: say `{only} .` for the spec and the data in this "
            f"folder, or `./{only}` for the data"
        )
    if is_data:
        return None, data_at(only)
    is_file = Path(only).suffix in (".yaml", ".yml")
    if not is_spec and not is_file and Path(only).exists():
        stop(f"{only} is a file, and neither a spec nor a zip; point at the folder of its dataset: {Path(only).parent}")
    if not is_spec and (is_file is False or not Path(only).exists()):
        near = nearest_path(only) or (nearest(only, available()) if "/" not in only else None)
        hint = f"; did you mean {near!r}?" if near else ""
        stop(f"there is no folder, no zip and no spec {only!r}{hint}")
    return only, "."


def spec_data_and_name(arguments: Sequence[str]) -> tuple[str | None, str, str | None]:
    """Return the spec, if named, the data, and the file or item to explain, if named.

    Of two arguments the first is the spec if it is one, otherwise the data.
    """
    if len(arguments) > 3:
        stop(f"at most SPEC, DATA and a file or an item are given, not {len(arguments)} arguments")
    named = arguments[:1] if len(arguments) == 2 and not _is_spec(plain_path(arguments[0])) else arguments[:2]
    return (*spec_and_data(named), next(iter(arguments[len(named) :]), None))


def spec_data_and_names(arguments: Sequence[str]) -> tuple[str | None, str, list[str]]:
    """Return the spec, if named, the data, and the items that are named after them.

    The first argument is the spec if it is one and another follows, otherwise the data.
    """
    named = 2 if len(arguments) > 1 and _is_spec(plain_path(arguments[0])) else 1
    return (*spec_and_data(arguments[:named]), list(arguments[named:]))


def dataset_at(named: str, options: Mapping[str, str] | None = None, **taken: Any) -> Dataset:
    """Open a dataset that is named as DATA or SPEC=DATA; `taken` selects its items, as `sampled` gives it."""
    from formatspec.api import open as opened

    spec, equals, data = named.partition("=")
    is_spec = bool(equals) and not Path(named).exists() and _is_spec(spec)
    if equals and not is_spec and not Path(named).exists():
        known = suggest(spec, available())
        stop(f"{named}: there is no spec {spec!r}; {known}")
    return opened(data_at(data if is_spec else named), spec if is_spec else None, options=options, **taken)


def _is_spec(named: str) -> bool:
    """Return whether a spec is known by a name, or is a file of that name."""
    return named in available() or (Path(named).is_file() and Path(named).suffix in (".yaml", ".yml"))


def data_at(place: str) -> str:
    """Return DATA if a folder or a zip is there; a URL is returned unchecked."""
    if is_url(place):
        return place
    place = plain_path(place)
    if not place:
        stop("DATA is empty; name a folder, a zip or a URL")
    if not Path(place).exists():
        near = nearest_path(place)
        stop(f"there is no data at {place}" + (f"; did you mean {near!r}?" if near else ""))
    if not Path(place).is_dir() and not zipfile.is_zipfile(place):
        stop(f"{place} is neither a folder nor a zip archive")
    return place


def nearest_path(place: str | Path) -> str | None:
    """Return the name in the folder of a missing path that is most similar to it."""
    path = Path(place)
    try:
        beside = sorted(other.name for other in path.parent.iterdir())
    except OSError:
        return None
    near = nearest(path.name, beside)
    return None if near is None else str(path.parent / near)


def pairs(given: Sequence[str], option: str) -> dict[str, str]:
    """Return `name=value` pairs."""
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            stop(f"{option} takes name=value, not {text!r}")
        found[name] = value
    return found


def label_map(file: Path | None) -> dict[str, NewName] | None:
    """Read a map of category names from a YAML file: old name to new name or to a new category, null to drop.

    `file` is the file, or the name of one in the folder `labels` beside the specs, without its extension.
    """
    if file is None:
        return None
    from formatspec.language.yaml_source import load_plain_12

    file = _map_that_comes_along(file) or file
    refuse_unreadable("--labels", file)

    try:
        loaded: Any = load_plain_12(file.read_bytes())
    except (OSError, ValueError) as error:
        stop(f"--labels {file}: {getattr(error, 'strerror', None) or error}")
    if not isinstance(loaded, dict):
        stop(f"--labels {file}: expected a mapping of old names to new ones (null drops one)")
    return {str(name): _new_name(file, name, value) for name, value in loaded.items()}


def _new_name(file: Path, old: object, value: object) -> NewName:
    from formatspec.run.select import NewCategory

    if isinstance(value, str) or value is None:
        return value
    try:
        return msgspec.convert(value, NewCategory)
    except msgspec.ValidationError as error:
        stop(f"--labels {file}: {old}: {error}; expected a new name, null, or a mapping of name, id and countable")


def _map_that_comes_along(file: Path) -> Path | None:
    """Return the bundled map of category names with this name; None if a file has the name, or there is none."""
    if file.exists() or len(file.parts) != 1:
        return None
    name = file.name if file.suffix in (".yaml", ".yml") else f"{file.name}.yaml"
    return next((found for folder in folders() if (found := folder / "labels" / name).is_file()), None)


def refuse_unreadable(option: str, file: Path) -> None:
    """Stop if the file that an option names is missing, or is a folder."""
    if file.is_dir():
        stop(f"{option} {file} is a folder; name a file")
    if not file.exists():
        near = nearest_path(file)
        stop(f"{option} {file}: there is no such file" + (f"; did you mean {near!r}?" if near else ""))


def refuse_unwritable(option: str, file: Path) -> None:
    """Stop if the file that an option names cannot be written, before anything else is done."""
    if file.is_dir():
        stop(f"{option} {file} is a folder; name a file")
    if not file.resolve().parent.is_dir():
        stop(f"{option} {file}: there is no folder {file.parent}")
    if not os.access(file if file.exists() else file.resolve().parent, os.W_OK):
        stop(f"{option} {file} cannot be written: permission denied, or a read-only file system")


def refuse_report(report: Path, data: str) -> None:
    """Stop if a report cannot be written, or would replace a file of the data, before anything else is done."""
    inside = not is_url(data) and Path(data).resolve() in (report.resolve(), *report.resolve().parents)
    if inside and report.is_file():
        stop(f"--report {report} is a file of the data {data} and would be replaced; name another file")
    refuse_unwritable("--report", report)


def wants_json(as_json: bool, output_format: str | None) -> bool:
    """Return whether a command prints JSON: by `--json`, or by `--output-format json`."""
    if output_format not in (None, "text", "json"):
        stop(f"--output-format is text or json, not {output_format!r}")
    if as_json and output_format == "text":
        stop("--json is short for --output-format json; leave one of them out")
    return as_json or output_format == "json"


def not_empty(dataset: Dataset) -> Dataset:
    """Return the dataset; stop if it has no items."""
    if not len(dataset):
        stop(f"{dataset.data} holds no item of {dataset.format}; `formatspec validate` says why")
    return dataset


def sampled(limit: Sequence[str] | None, every: int = 1, subset: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the selection of items for the Python interface, and set limits on what data may demand.

    `limit` holds the values of `--limit`: a number of items, or limits as `name=number`.
    """
    counts = [text for text in limit or () if "=" not in text]
    for text in counts:
        if not _NUMBER.fullmatch(text):
            stop(f"--limit takes a number of items, or name=number for what data may ask for, not {text!r}")
    if len(counts) > 1:
        stop(f"--limit is given two numbers of items, {counts[0]} and {counts[1]}")
    _set_limits([text for text in limit or () if "=" in text])
    items = int(counts[0]) if counts else None
    if items == 0:
        stop("--limit 0 takes no item; give a number from 1")
    return {"limit": items, "every": every, "subset": list(subset) if subset else None}


def _set_limits(given: Sequence[str]) -> None:
    """Raise the limits that `--limit name=number` names."""
    from formatspec.model.limits import set_limits

    found = pairs(given, "--limit")
    for name, number in found.items():
        if not _NUMBER.fullmatch(number):
            stop(f"--limit {name}={number}: a limit is a whole number, as 2000000000 or 2_000_000_000")
    try:
        set_limits({name: int(number) for name, number in found.items()})
    except ValueError as error:
        stop(f"--limit: {error}")
