"""The baseline of validation: list a folder, read every byte, parse every JSON file."""

from __future__ import annotations

import os
import sys

import orjson


def read_all(folder: str) -> int:
    """The number of files below a folder, each read, the JSON parsed."""
    files, todo = 0, [folder]
    while todo:
        for entry in os.scandir(todo.pop()):
            if entry.is_dir():
                todo.append(entry.path)
                continue
            with open(entry.path, "rb") as stream:  # noqa: PTH123
                data = stream.read()
            if entry.name.endswith(".json"):
                orjson.loads(data)
            files += 1
    return files


if __name__ == "__main__":
    print(read_all(sys.argv[1]))
