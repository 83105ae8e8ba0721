"""Runs many commands of one checkout in one process, and notes what each of them said and wrote.

    python -P side.py CHECKOUT JOBS RECORDS

It stands alone and knows of the checkout what a user knows: the command line, by its entry in pyproject.toml, and the
names of the package itself.  So modules may move between the checkouts that are compared.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import re
import signal
import sys
import tomllib
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

LONGEST = 120
"""Seconds after which a command is stopped, so that one that hangs shows as a difference."""

TRACEBACK = re.compile(r"(Traceback \(most recent call last\):\n)(?: .*\n)+(?:[\w.]+\.)?")
"""What moves with the code in a traceback: its frames, and the module of the error's class."""


def entry(checkout: Path) -> Callable[[], Any]:
    """The function behind the command line of a checkout."""
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, function = project["scripts"]["formatspec"].split(":")
    package = importlib.import_module("formatspec")
    if not Path(package.__file__ or "").resolve().is_relative_to(checkout.resolve()):
        raise SystemExit(f"formatspec comes from {package.__file__}, not from {checkout}")
    found: Callable[[], Any] = getattr(importlib.import_module(module), function)
    return found


def python_interface(spec: str, data: str, out: str) -> None:
    """Open, go over, validate and export a dataset by the names that the package gives.

    What is raised is told by its text alone: classes may get other names.
    """
    import formatspec as fs

    try:
        dataset = fs.open(data, spec)
        print(dataset.format, len(dataset), [category.name for category in dataset.categories])
        for item in dataset:
            print(item.key, len(item.objects))
        print(len(dataset.findings), "findings while reading")
        print(json.dumps(fs.validate(data, spec, workers=1).as_json(), ensure_ascii=False))
        result = dataset.export(out, "coco", media="link", skip_invalid=True, workers=1)
        print(json.dumps(result.as_json(), ensure_ascii=False))
    except Exception as error:
        print(error, file=sys.stderr)
        sys.exit("raised")


def _too_long(signum: int, frame: object) -> None:
    del signum, frame
    raise TimeoutError(f"stopped after {LONGEST} seconds")


def captured(run: Callable[[], Any]) -> tuple[int | str, str, str]:
    """What a function's end means as an exit code, and what it wrote to stdout and stderr."""
    out, err = io.BytesIO(), io.BytesIO()
    kept = sys.stdout, sys.stderr
    streams = [io.TextIOWrapper(stream, encoding="utf-8", write_through=True) for stream in (out, err)]
    sys.stdout, sys.stderr = streams
    signal.alarm(LONGEST)
    code: Any = 0
    try:
        run()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = "raised"
    finally:
        signal.alarm(0)
        sys.stdout, sys.stderr = kept
    stdout, stderr = (stream.getvalue().decode("utf-8", "replace") for stream in (out, err))
    del streams  # they close what they write to, so they have to live until it is read
    return 0 if code is None else code, stdout, stderr


def plain(data: bytes, checkout: Path) -> bytes:
    """Bytes without the paths of this machine."""
    for place, name in ((checkout, b"<checkout>"), (Path.cwd(), b"<work>"), (Path.cwd().parent, b"<run>")):
        data = data.replace(str(place.resolve()).encode(), name)
    return data


def digests(folder: Path, checkout: Path) -> dict[str, str]:
    """Every file below a folder with a digest of what it holds."""
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(plain(file.read_bytes(), checkout)).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def record(name: str, out: str | None, run: Callable[[], Any], checkout: Path) -> dict[str, Any]:
    """Run one command; gives what it said, its exit code and what it wrote below `out`."""
    if out:
        Path(out).mkdir(parents=True)
    code, stdout, stderr = captured(run)
    said = {}
    for stream, text in (("stdout", stdout), ("stderr", stderr)):
        said[stream] = plain(TRACEBACK.sub(r"\1", text).encode(), checkout).decode()
    return {"name": name, "exit code": code, **said, "out": out, "files": digests(Path(out), checkout) if out else {}}


def main() -> None:
    """Run the jobs of a file, in their order; each record is a line of JSON."""
    checkout, jobs, records = (Path(word).resolve() for word in sys.argv[1:])
    command = entry(checkout)
    signal.signal(signal.SIGALRM, _too_long)

    def run(words: list[str]) -> None:
        sys.argv = ["formatspec", *words]
        command()

    with records.open("w", encoding="utf-8") as stream:
        for job in json.loads(jobs.read_text(encoding="utf-8")):
            name, words, out = job["name"], job["words"], job["out"]
            if job["python"]:
                made = record(name, out, lambda w=words: python_interface(*w), checkout)  # type: ignore[misc]
            else:
                made = record(name, out, lambda w=words: run(w), checkout)  # type: ignore[misc]
            stream.write(json.dumps(made) + "\n")
            again = job["if_refused"]
            if again and made["exit code"] == 1:
                made = record(again["name"], again["out"], lambda w=again["words"]: run(w), checkout)  # type: ignore[misc]
                stream.write(json.dumps(made) + "\n")


if __name__ == "__main__":
    main()
