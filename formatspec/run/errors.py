"""What can be wrong with how work is spread."""

from __future__ import annotations


class CannotRunError(RuntimeError):
    """There is nothing that could run shards as was asked; the message says what to do."""


class WorkerLostError(CannotRunError):
    """Workers end again and again; the message says what to do."""
