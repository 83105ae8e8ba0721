"""Prints: data on stdout, messages on stderr; colour and progress only on a terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer

from formatspec.findings.finding import Finding
from formatspec.findings.render import FIRST_PLACES, json_printable, lines, printable

CLEAN, FINDINGS, USAGE, FAULT = 0, 1, 2, 3
_COLORS = {"error": typer.colors.RED, "warning": typer.colors.YELLOW, "info": typer.colors.CYAN}


class Talk:
    """How much is printed on stderr."""

    quiet = False


def say(text: str) -> None:
    """Print a message on stderr."""
    if not Talk.quiet:
        typer.echo(printable(text), err=True)


def say_out(text: str) -> None:
    """Print text that may contain parts of the data on stdout."""
    typer.echo(printable(text))


def print_json(value: Any) -> None:
    """Print a plain value as JSON on one line; characters that a terminal acts on are escaped."""
    import json

    typer.echo(json_printable(json.dumps(value, ensure_ascii=False), sys.stdout.isatty()))


def indented_json(value: Any) -> str:
    """Return a plain value as JSON of several lines; characters that a terminal acts on are escaped."""
    import json

    return json_printable(json.dumps(value, indent=2, ensure_ascii=False), sys.stdout.isatty())


def colored(stream: Any) -> bool:
    """Return whether a stream shows colour."""
    return bool(stream.isatty()) and "NO_COLOR" not in os.environ


def show_findings(findings: Iterable[Finding], to_stderr: bool = False, whole: bool = False) -> None:
    """Print findings in groups, the worst first; with `whole`, all places of each group."""
    stream = sys.stderr if to_stderr else sys.stdout
    paint = colored(stream)
    for line in lines(findings, None if whole else FIRST_PLACES):
        level = line.split(" ", 1)[0]
        text = typer.style(line, fg=_COLORS[level], bold=True) if paint and level in _COLORS else line
        typer.echo(text, err=to_stderr, color=paint)


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress with rate and time left: a line that changes on a terminal, or a line every 30 seconds."""
    if Talk.quiet:
        yield lambda done, total: None
        return
    is_terminal = sys.stderr.isatty()
    wait = ON_TERMINAL if is_terminal else IN_A_LOG
    began = shown = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown < wait and not (is_terminal and done >= total):
            return
        shown = now
        rate = done / max(now - began, 1e-6)
        left = (total - done) / rate if rate else 0
        line = f"{label} {done:,}/{total:,} items, {rate:,.0f}/s, {left:,.0f} s left"
        sys.stderr.write(f"\r{line}\x1b[K" if is_terminal else f"{line}\n")
        sys.stderr.flush()

    try:
        yield tell
    finally:
        if is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


ON_TERMINAL, IN_A_LOG = 0.2, 30.0
"""Seconds between two lines of progress."""


def stop(message: str, status: int = USAGE) -> NoReturn:
    """Print what is wrong, and exit."""
    for line in message.splitlines():
        typer.echo(printable(line), err=True)
    raise typer.Exit(status)
