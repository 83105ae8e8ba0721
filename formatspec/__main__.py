"""`python -m formatspec` is the command `formatspec`."""

from __future__ import annotations

from formatspec.cli.main import main

if __name__ == "__main__":
    main()
