"""Errors of running the shards."""

from __future__ import annotations


class CannotRunError(RuntimeError):
    """The shards cannot be run as was asked, for example without Ray; the message says what to do."""


class WorkerLostError(CannotRunError):
    """Workers died several times; the message says what to do."""
