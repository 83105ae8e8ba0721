"""The peers, in an environment of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

WANTED = ("datumaro", "panlabel", "labelformat", "globox")


def install(folder: Path, listed: Path | None) -> tuple[Path, dict[str, str], dict[str, str]]:
    """The environment's Python, the peers that are there with their versions, and why others are not."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "-q", "orjson"], check=False)  # what validation stands beside
    if listed is None:
        return python, {}, dict.fromkeys(WANTED, "no list of peers: FORMATSPEC_YARDSTICKS is not set")
    pins = {line.split("==")[0]: line.strip() for line in listed.read_text().splitlines() if "==" in line}
    there, absent = {}, {}
    for name in WANTED:
        if name not in pins:
            absent[name] = "not in the list of peers"
            continue
        command = [str(python), "-m", "pip", "install", "-q", pins[name]]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            errors = re.findall(r"ERROR: (.*)", done.stderr)
            absent[name] = f"does not install: {errors[-1] if errors else 'pip failed'}"
        else:
            there[name] = pins[name].partition("==")[2]
    return python, there, absent
