"""Failpoints: steps at which the fault tests end the process as a power failure would: at once, with SIGKILL.

Does nothing unless *both* variables below were set when the process started; no setting and nothing from a network can
set them. `ECONDUIT_CRASH_AT=answered` ends the process at the first arrival there, `answered:3` at the third.
"""
import os
import signal

STEPS = (
    "received",         # the request is in the process, the journal does not know it
    "handing",          # the journal's entry is written, not committed
    "handed",           # committed; the application has not got a byte
    "asked",            # the application has the whole request
    "answering",        # the answer is in; its entry is written, not committed
    "answered",         # committed; the cloud has not got a byte
    "sent",             # the cloud's TCP acknowledged the answer; the journal does not know
    "delivering",       # the entry that says delivered is written, not committed
    "delivered",        # committed; what may not stay is scrubbed, but for the write-ahead log
    "checkpointed",     # the write-ahead log is empty
)


def _armed() -> tuple[str, int] | None:
    if os.environ.get("ECONDUIT_FAULT_TESTS") != "kill-this-process":
        return None
    step, _, count = os.environ.get("ECONDUIT_CRASH_AT", "").partition(":")
    return (step, int(count or 1)) if step in STEPS else None


_armed_at = _armed()
_arrivals = 0


def failpoint(step: str) -> None:
    """The process is at `step`, one of STEPS."""
    global _arrivals
    if _armed_at is None or step != _armed_at[0]:
        return
    _arrivals += 1
    if _arrivals == _armed_at[1]:
        os.kill(os.getpid(), signal.SIGKILL)
