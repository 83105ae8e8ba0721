"""The message when no format, or more than one, describes a tree."""

from __future__ import annotations

from formatspec.engine.dataset.choose_layout import several_roots
from formatspec.engine.detection.detect import Detection
from formatspec.language.errors import Problem, SpecError


def refusal(data: str, found: Detection) -> SpecError:
    """Return the error for data without a clear format."""
    outcome, elsewhere, nothing = found.outcome, found.elsewhere, found.holds
    if found.roots:
        return several_roots(found.names[0], data, found.roots)
    if len(outcome.winners) > 1:
        names = [one.name for one in outcome.winners]
        return _error(f"{data} can be read as {', '.join(names)}", f"say which: formatspec … {names[0]} {data}")
    if elsewhere:
        places = ", ".join(f"{name} in {data.rstrip('/')}/{folder}" for folder, name in elsewhere)
        return _error(
            f"no known format describes {data}: it holds {places}, and other things beside",
            f"point at the dataset: formatspec … {data.rstrip('/')}/{elsewhere[0][0]}",
        )
    if found.empty:
        return _error(f"no known format describes {data}: {nothing}", "point at the folder or the zip of a dataset")
    near = ", ".join(f"{one.name} ({one.reason})" for one in outcome.nearest)
    why = "a spec of your own has a mistake, and images alone identify no format" if outcome.barred else nothing
    message = f"no known format describes {data}" + (f": {why}" if why else "")
    return _error(
        f"{message}. Nearest: {near}" if near else message,
        "`formatspec detect --all` says for every format what speaks against it; "
        f"`formatspec infer {data} -o my_format.yaml` drafts a spec for it",
    )


def _error(message: str, hint: str) -> SpecError:
    return SpecError((Problem(message, None, hint=hint),))
