"""Checks where an output may go, and opens the staging in which it is made."""

from __future__ import annotations

from contextlib import AbstractContextManager

from formatspec.run.output.partial import partial, refuse_folder
from formatspec.run.output.staging import OutputError, OutputPlace, Overwrite, Staging
from formatspec.run.output.upload import refuse_there, uploaded


def refuse_unfit(out: OutputPlace, data: OutputPlace, overwrite: Overwrite) -> None:
    """Raise OutputError if the output lies inside the data, contains the data, or exists."""
    if str(out).endswith(".zip"):
        raise OutputError(f"{out}: the output is a folder or a URL of one, never a zip; choose another name with -o")
    if _inside(out, data):
        raise OutputError(f"{out} lies inside the data {data}; choose a folder beside it with -o")
    if _inside(data, out):
        raise OutputError(f"{out} holds the data {data}; choose another folder with -o")
    refuse_existing(out, overwrite)


def refuse_existing(out: OutputPlace, overwrite: Overwrite) -> None:
    """Raise OutputError if the output exists and may not be replaced."""
    if isinstance(out, str):
        refuse_there(out, overwrite)
    else:
        refuse_folder(out, overwrite)


def _inside(one: OutputPlace, other: OutputPlace) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return f"{one}/".startswith(f"{other}/") and isinstance(one, str) and isinstance(other, str)
    whole = one.resolve()
    return other.resolve() in (whole, *whole.parents)


def staged(
    out: OutputPlace, overwrite: Overwrite = False, fingerprint: str | None = None, listed: bool = True
) -> AbstractContextManager[Staging]:
    """Return a context in which an output is made: it appears if the block succeeds, and is deleted if it fails.

    Args:
        out: The output.
        overwrite: Whether an existing output is replaced.
        fingerprint: Identifies the conversion, so that a folder that a killed run left can be continued.
        listed: Whether a folder gets a file that lists the others, by which it may be replaced later. An output behind
            a URL always has one.
    """
    if isinstance(out, str):
        return uploaded(out, overwrite)
    return partial(out, overwrite, fingerprint, listed)
