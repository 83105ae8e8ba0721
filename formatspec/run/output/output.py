"""Where an output may go, and the staging in which it is made."""

from __future__ import annotations

from contextlib import AbstractContextManager

from formatspec.run.output.partial import partial, refuse_folder
from formatspec.run.output.staging import OutputError, OutputPlace, Overwrite, Staging
from formatspec.run.output.upload import refuse_there, uploaded


def refuse_unfit(out: OutputPlace, data: OutputPlace, overwrite: Overwrite) -> None:
    """Raise OutputError where OUT lies in DATA or the other way round, or exists."""
    if str(out).endswith(".zip"):
        raise OutputError(f"{out}: the output is a folder or a URL of one, never a zip; choose another name with -o")
    if _inside(out, data):
        raise OutputError(f"{out} lies inside the data {data}; choose a folder beside it with -o")
    if _inside(data, out):
        raise OutputError(f"{out} holds the data {data}; choose another folder with -o")
    refuse_existing(out, overwrite)


def refuse_existing(out: OutputPlace, overwrite: Overwrite) -> None:
    """Raise OutputError where OUT exists and may not be replaced."""
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
    """An output that is there when the block ends well, and is not when it does not.

    fingerprint: by which a folder that was left by a kill is known again, and continued.  listed: whether a folder
    gets a file that lists the others, as an output behind a URL does, by which it may be replaced later.
    """
    if isinstance(out, str):
        return uploaded(out, overwrite)
    return partial(out, overwrite, fingerprint, listed)
