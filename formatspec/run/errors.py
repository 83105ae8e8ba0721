"""Errors of pools that run shards."""

from __future__ import annotations


class CannotRunError(RuntimeError):
    """The shards cannot be run as asked, for example because Ray is missing. The message says what to do."""


class WorkerLostError(CannotRunError):
    """Workers died several times. The message says what to do."""
