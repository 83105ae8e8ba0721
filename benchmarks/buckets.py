"""A server of buckets on loopback that speaks S3, with a delay before each answer: `python buckets.py PORT [MS]`.

Every request is a line of its log, on stderr.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple


def main(port: int, milliseconds: float) -> None:
    buckets = DomainDispatcherApplication(create_backend_app)

    def delayed(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        time.sleep(milliseconds / 1000)
        answer: Iterable[bytes] = buckets(environ, start)
        return answer

    run_simple("127.0.0.1", port, delayed, threaded=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0)
