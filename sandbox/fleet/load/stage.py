"""Plays a scene on a sandbox cloud, by its controls over HTTP."""
import contextlib
import http.client
import json
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

from econduit_terminal.sandbox.fleet.scenes import DROPPED_AFTER, NODES, Cut, Does, Phase, Scene

TIMEOUT = 60.0
"""Seconds for one control: to end ten thousand connections takes a while."""
PORTS = ("primary", "secondary")
_CONTROLS: dict[Does, tuple[str, dict[str, Any]]] = {
    Does.WORKS: ("reset", {}),
    Does.REFUSES: ("stop-listening", {}),
    Does.HANGS: ("hang", {}),
    Does.STALLED: ("stall", {}),
    Does.DROPS: ("break", {"on": "registered", "later": DROPPED_AFTER}),
}


class StageError(Exception):
    """The cloud does not do as it is told; the text says what to do."""


def unplayable(scene: Scene) -> str | None:
    """Why no sandbox cloud can play this scene; None where it can."""
    for phase in scene.phases:
        for does in (phase.primary, phase.secondary):
            if does not in _CONTROLS:
                return f"no program can play {does.name.lower()} ({does.value}); econduit-fleet simulate can"
    return None


class SandboxCloud:
    """An econduit-sandbox cloud, by its HTTP side."""

    def __init__(self, url: str):
        self._url = url.rstrip("/")
        split = urllib.parse.urlsplit(self._url)
        self._connect = http.client.HTTPSConnection if split.scheme == "https" else http.client.HTTPConnection
        self._netloc, self._path = split.netloc, split.path

    def counts(self) -> dict[str, int]:
        """Connections, registered terminals, room for terminals. Raises StageError."""
        found: dict[str, int] = self._call("GET", "counts", {})
        return found

    def use(self, control: str, **parameters: Any) -> None:
        """A control. Raises StageError."""
        self._call("POST", control, parameters)

    def _call(self, method: str, name: str, parameters: dict[str, Any]) -> Any:
        connection = self._connect(self._netloc, timeout=TIMEOUT)
        try:
            connection.request(method, f"{self._path}/sandbox/{name}", json.dumps(parameters),
                               {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise StageError(f"{self._url} is no econduit-sandbox cloud that answers ({error}): scenes are played by "
                             "the controls of one; start it, or name its HTTP side with --url") from None
        finally:
            connection.close()
        if response.status != 200:
            raise StageError(f"{self._url} refuses {name}: {answer.get('Message', response.status)}")
        return answer


def play(scene: Scene, outage: float, cloud: SandboxCloud, begun: Callable[[Phase], None]) -> None:
    """Plays it to the beginning of its last phase. outage: seconds, from when the cloud has done what the first phase
    asks of it: to end ten thousand connections takes a while. begun: called when a phase has begun. Whatever ends it
    before its time leaves a cloud that works. Raises StageError.
    """
    try:
        _play(scene, outage, cloud, begun)
    except BaseException:
        with contextlib.suppress(StageError):
            for port in PORTS:
                cloud.use("reset", port=port)
        raise


def _play(scene: Scene, outage: float, cloud: SandboxCloud, begun: Callable[[Phase], None]) -> None:
    began: float | None = None
    does = dict.fromkeys(PORTS, Does.WORKS)
    node = 0
    for phase in scene.phases:
        if began is not None:
            time.sleep(max(0.0, began + phase.begins * outage - time.monotonic()))
        for port, wanted in zip(PORTS, (phase.primary, phase.secondary), strict=True):
            if does[port] not in (wanted, Does.WORKS):
                cloud.use("reset", port=port)
            if does[port] is not wanted and wanted is not Does.WORKS:
                control, parameters = _CONTROLS[wanted]
                cloud.use(control, port=port, **parameters)
            does[port] = wanted
        if phase.cut is Cut.EVERYBODY:
            cloud.use("drop")
        elif phase.cut is Cut.NODE:
            node += 1
            cloud.use("drop", part=f"{node}/{NODES}")
        began = began or time.monotonic()
        begun(phase)
