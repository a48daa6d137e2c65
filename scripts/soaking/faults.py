"""How each fault of the schedule is done on the ground, and undone."""
import contextlib
import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path

from bench.subjects import ports
from supervisord import AGENT

from econduit_terminal.sandbox.lab.netlab import CLOUD

from .ground import NAME, WATCHDOG, Ground
from .schedule import Fault, Kind

Undo = Callable[[], object]
ANSWERS = {"silent": "SILENCE", "fail": "SERVFAIL", "away": "NXDOMAIN"}
CHUNK = 1 << 20


def _nothing() -> None:
    """There is nothing to be undone."""


class Faults:
    """Does them. Each returns how it is undone."""

    def __init__(self, ground: Ground):
        self._ground = ground
        self._host = 2

    def begin(self, fault: Fault) -> Undo:
        """The fault begins; what is returned ends it. Raises AssertionError when the laboratory fails."""
        return DOING[fault.kind](self, fault.variant)

    # -- between terminal and cloud ------------------------------------------------------------------------------------

    def cable(self, _variant: str) -> Undo:
        """No carrier."""
        self._ground.lab.cable_out()
        return self._ground.lab.cable_in

    def router_off(self, _variant: str) -> Undo:
        """The cable has its carrier, nobody answers."""
        self._ground.lab.router.die()
        return self._ground.lab.router.revive

    def address(self, _variant: str) -> Undo:
        """Another address from DHCP."""
        lab = self._ground.lab
        lab.take_address()
        self._host = self._host % 200 + 2
        host = self._host
        return lambda: lab.set_address(f"10.77.1.{host}/24", "10.77.1.1")

    def silence(self, _variant: str) -> Undo:
        """Nothing gets through."""
        self._ground.lab.router.drop()
        return self._ground.lab.router.allow

    def reject(self, variant: str) -> Undo:
        """ICMP from the router for every packet."""
        self._ground.lab.router.reject(variant)
        return self._ground.lab.router.allow

    def lossy(self, variant: str) -> Undo:
        """So many of a hundred packets."""
        self._ground.lab.router.lose(int(variant))
        return self._ground.lab.router.allow

    def forget(self, _variant: str) -> Undo:
        """Silence for the connections that there are, while new ones pass."""
        router, terminal = self._ground.lab.router, self._ground.lab.terminal
        if known := ports(terminal):
            router.forget(*known)
        return router.allow

    def no_names(self, variant: str) -> Undo:
        """No name is answered with an address."""
        self._ground.names.set({"*": ANSWERS[variant]})
        return self._right_names

    def wrong_names(self, variant: str) -> Undo:
        """Every name is answered with this address."""
        self._ground.names.set({"*": variant})
        return self._right_names

    def _right_names(self) -> None:
        self._ground.names.set({NAME: CLOUD})

    def proxy(self, variant: str) -> Undo:
        """Something takes the connections to port 80 and answers this, or nothing."""
        router = self._ground.lab.router
        stranger = router.capture(80, variant)

        def release() -> None:
            router.release()
            stranger.end()
            self._ground.lab.processes.remove(stranger)
        return release

    # -- the cloud -----------------------------------------------------------------------------------------------------

    def cloud_down(self, _variant: str) -> Undo:
        """Its host refuses."""
        self._ground.cloud.kill()
        return self._ground.cloud.start

    def cloud_cut(self, variant: str) -> Undo:
        """Every connection ends."""
        self._ground.cloud.control(variant)
        return _nothing

    def cloud_mute(self, variant: str) -> Undo:
        """It takes connections and does not answer."""
        self._ground.cloud.control(variant)
        return lambda: self._ground.cloud.control("reset")

    def cloud_refuses(self, _variant: str) -> Undo:
        """It refuses registrations, and ends what it has."""
        self._ground.cloud.control("refuse")
        self._ground.cloud.control("drop")
        return lambda: self._ground.cloud.control("reset")

    # -- processes on the terminal -------------------------------------------------------------------------------------

    def agent_killed(self, _variant: str) -> Undo:
        """SIGKILL."""
        _signal(self._ground.pid(), signal.SIGKILL)
        return _nothing

    def agent_hangs(self, _variant: str) -> Undo:
        """SIGSTOP; the watchdog may replace it before it wakes."""
        return self._hang(AGENT)

    def watchdog_killed(self, _variant: str) -> Undo:
        """SIGKILL."""
        _signal(self._ground.pid(WATCHDOG), signal.SIGKILL)
        return _nothing

    def watchdog_hangs(self, _variant: str) -> Undo:
        """SIGSTOP."""
        return self._hang(WATCHDOG)

    def supervisor_killed(self, _variant: str) -> Undo:
        """SIGKILL for supervisord alone: what it started runs on, until another one starts the same again."""
        self._ground.supervisor.kill()
        return self._ground.supervisor.start

    def application_slow(self, _variant: str) -> Undo:
        """SIGSTOP."""
        self._ground.application.signal(signal.SIGSTOP)
        return lambda: self._ground.application.signal(signal.SIGCONT)

    def application_killed(self, _variant: str) -> Undo:
        """SIGKILL, and another one."""
        killed = self._ground.application
        killed.signal(signal.SIGKILL)
        killed.wait()
        self._ground.lab.processes.remove(killed)

        def start() -> None:
            self._ground.application = self._ground.start_application()
        return start

    def _hang(self, program: str) -> Undo:
        pid = self._ground.pid(program)
        _signal(pid, signal.SIGSTOP)
        return lambda: _signal(pid, signal.SIGCONT)

    # -- the machine ---------------------------------------------------------------------------------------------------

    def state_full(self, _variant: str) -> Undo:
        """No room for the journal."""
        return _fill(self._ground.folder / "state" / "ballast")

    def run_full(self, _variant: str) -> Undo:
        """No room for the status file."""
        return _fill(self._ground.folder / "run" / "ballast")

    def clock(self, variant: str) -> Undo:
        """The date is so far from the right one, until the next time."""
        self._ground.set_clock(int(variant))
        return _nothing


DOING: dict[Kind, Callable[[Faults, str], Undo]] = {
    Kind.CABLE: Faults.cable, Kind.ROUTER_OFF: Faults.router_off, Kind.ADDRESS: Faults.address,
    Kind.SILENCE: Faults.silence, Kind.REJECT: Faults.reject, Kind.LOSSY: Faults.lossy, Kind.FORGET: Faults.forget,
    Kind.NO_NAMES: Faults.no_names, Kind.WRONG_NAMES: Faults.wrong_names, Kind.PROXY: Faults.proxy,
    Kind.CLOUD_DOWN: Faults.cloud_down, Kind.CLOUD_CUT: Faults.cloud_cut, Kind.CLOUD_MUTE: Faults.cloud_mute,
    Kind.CLOUD_REFUSES: Faults.cloud_refuses, Kind.AGENT_KILLED: Faults.agent_killed,
    Kind.AGENT_HANGS: Faults.agent_hangs, Kind.WATCHDOG_KILLED: Faults.watchdog_killed,
    Kind.WATCHDOG_HANGS: Faults.watchdog_hangs, Kind.SUPERVISOR_KILLED: Faults.supervisor_killed,
    Kind.APPLICATION_SLOW: Faults.application_slow, Kind.APPLICATION_KILLED: Faults.application_killed,
    Kind.STATE_FULL: Faults.state_full, Kind.RUN_FULL: Faults.run_full, Kind.CLOCK: Faults.clock,
}


def _signal(pid: int, number: int) -> None:
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _fill(ballast: Path) -> Undo:
    """A file that takes all the room there is, to the last block."""
    with ballast.open("wb", buffering=0) as file:
        size = CHUNK
        while size:
            try:
                file.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                size //= 4
    return lambda: ballast.unlink(missing_ok=True)
