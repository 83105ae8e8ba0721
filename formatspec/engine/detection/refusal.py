"""What is said where no format, or more than one, describes a tree."""

from __future__ import annotations

from collections.abc import Sequence

from formatspec.engine.detection.ranking import Outcome
from formatspec.language.errors import Problem, SpecError


def refusal(data: str, outcome: Outcome, elsewhere: Sequence[tuple[str, str]], nothing: str = "") -> SpecError:
    """The error for data whose format cannot be told.

    elsewhere: folders below it that hold a dataset, each with its format.  nothing: what the tree holds, where that
    is not enough to tell any format.
    """
    if len(outcome.winners) > 1:
        names = [one.name for one in outcome.winners]
        return _error(f"{data} can be read as {', '.join(names)}", f"say which: formatspec … {names[0]} {data}")
    if elsewhere:
        places = ", ".join(f"{name} in {data.rstrip('/')}/{folder}" for folder, name in elsewhere)
        return _error(
            f"no known format describes {data}: it holds {places}, and other things beside",
            f"point at the dataset: formatspec … {data.rstrip('/')}/{elsewhere[0][0]}",
        )
    near = ", ".join(f"{one.name} ({one.reason})" for one in outcome.nearest)
    why = outcome.barred or nothing
    message = f"no known format describes {data}" + (f": {why}" if why else "")
    return _error(
        f"{message}. Nearest: {near}" if near else message, "`formatspec detect --all` says why of every format"
    )


def _error(message: str, hint: str) -> SpecError:
    return SpecError((Problem(message, None, hint=hint),))
