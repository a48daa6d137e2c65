"""The run ledger: a line on disk for each request that a payment application ran, before it answers.

One JSON object a line: `time` (seconds since 1970), `RefID`, `Command`, `Amount`, `sha256` of the request's
bytes, `AuthCode` given. A request that is here twice was run twice.
"""
import json
import os
import time

from econduit_terminal.sandbox.payment_app.outcomes import Request


class Ledger:
    """Appends to `path`; does nothing without one. Raises OSError when the file cannot be opened or written."""

    def __init__(self, path: str | None) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if path else None

    def ran(self, request: Request, auth_code: str) -> None:
        """The request is run now; the line is on disk when this returns."""
        if self._fd is None:
            return
        line = json.dumps({"time": time.time(), "RefID": request.ref, "Command": request.command,
                           "Amount": request.amount, "sha256": request.sha256, "AuthCode": auth_code})
        os.write(self._fd, line.encode() + b"\n")
        os.fsync(self._fd)
