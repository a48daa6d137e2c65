"""What others want of the link: left by any greenlet, and read by the link's own whenever `wakeup` is set."""
from dataclasses import dataclass, field

from gevent.event import Event


@dataclass
class LinkCommands:
    """Each at most once: commands are idempotent, and none is queued.

    stop: end. dial: end the wait. verify: heartbeat now. abort: the reason that the path is known to be gone. leave:
    the reason to reconnect when idle. wakeup: set when something changed.
    """
    stop: bool = False
    dial: bool = False
    verify: bool = False
    abort: str | None = None
    leave: str | None = None
    wakeup: Event = field(default_factory=Event)

    def begin(self) -> None:
        """A new connection is dialed: what was wanted of the one before is done."""
        self.dial = self.verify = False
        self.abort = self.leave = None
