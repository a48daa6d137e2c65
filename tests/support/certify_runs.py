"""The examiner against the reference terminal and cloud and their mutants, each with processes and ports of its own."""
import contextlib
import importlib.util
import itertools
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

REFERENCE = Path(__file__).resolve().parent.parent / "certify" / "reference"
_choosing = threading.Lock()
_numbers = itertools.cycle(random.Random(os.getpid()).sample(range(12_000, 32_000), 20_000))
BAD = ("FAIL", "ADVICE", "NON-STRICT")
LONGEST = 900
DEVICE = """\
[device]
terminal_type = "TerminalManufacturer"
terminal_id = "29531204"
heartbeat = "1s"
transaction = "1s"
retry = "12s"
[display]
url = "http://127.0.0.1:{display}/status"
[application]
echo = true
"""


def _load(name: str) -> ModuleType:
    """A reference module, which imports its neighbour by its bare name."""
    if str(REFERENCE) not in sys.path:
        sys.path.append(str(REFERENCE))
    spec = importlib.util.spec_from_file_location(name, REFERENCE / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


ODD = _load("terminal_odd").ODD
MUTANTS = {"terminal": _load("terminal_mutants").MUTANTS, "cloud": _load("cloud_mutants").MUTANTS}


@dataclass
class Run:
    """What one run came to."""

    mutant: str | None
    status: int
    result: dict[str, Any]
    output: str
    folder: Path
    bad: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.bad = {case["case"]: case["verdict"] for case in self.result["cases"] if case["verdict"] in BAD}

    @property
    def verdicts(self) -> dict[str, str]:
        return {case["case"]: case["verdict"] for case in self.result["cases"]}


def ports(count: int) -> list[int]:
    """Free ports, below those that the kernel gives to outgoing connections; none is handed out twice."""
    found: list[int] = []
    while len(found) < count:
        with _choosing:
            number = next(_numbers)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", number)):
            found.append(number)
    return found


def examine(role: str, mutant: str | None, folder: Path, *options: str, settings: str = "") -> Run:
    """One quick run with the reference (or a mutant of it, or an odd one); `settings` go below the device's."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = ports(3)
    kind = "_odd" if mutant in ODD else "_mutants" if mutant else ""
    program = [REFERENCE / f"{role}{kind}.py", *([mutant] if mutant else []), *numbers]
    examiner: list[object] = [sys.executable, "-m", "econduit_terminal.sandbox.certify"]
    if role == "terminal":
        (folder / "device.toml").write_text(_declared(mutant).format(display=numbers[2]) + settings)
        examiner += ["terminal", "--device", folder / "device.toml", "--host", "127.0.0.1", "--no-person",
                     "--ports", f"{numbers[0]},{numbers[1]}"]
    else:
        examiner += ["cloud", f"127.0.0.1:{numbers[0]},127.0.0.1:{numbers[1]}",
                     "--url", f"http://127.0.0.1:{numbers[2]}"]
    examiner += ["--profile", "quick", "--out", folder, *options]
    with (folder / "subject.log").open("w") as log:
        subject = subprocess.Popen([sys.executable, *map(str, program)], stdout=log, stderr=log,
                                   stdin=subprocess.DEVNULL)
        try:
            if role == "cloud":
                _until_listens(numbers[2])
            done = subprocess.run(list(map(str, examiner)), capture_output=True, text=True, timeout=LONGEST,
                                  stdin=subprocess.DEVNULL, env=os.environ | {"PYTHONUNBUFFERED": "1"})
        finally:
            subject.kill()
            subject.wait()
    if not (folder / "result.json").is_file():
        raise AssertionError(f"no result of {mutant}: {done.stdout}{done.stderr}")
    result = json.loads((folder / "result.json").read_text())
    return Run(mutant, done.returncode, result, done.stdout + done.stderr, folder)


def _declared(name: str | None) -> str:
    """device.toml, with what an odd one declares otherwise."""
    text = DEVICE
    for key, value in ODD[name].device if name in ODD else ():
        spelled = value if value in ("true", "false") else json.dumps(value)
        text = re.sub(rf"(?m)^{key} = .*$", f"{key} = {spelled}", text)
    return text


def _until_listens(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError(f"nobody listens on port {port}")


def all_of(role: str, names: list[str], folder: Path, at_once: int,
           options: Callable[[str], Iterable[str]] = lambda name: ()) -> dict[str, Run]:
    """Runs of several mutants, side by side: they wait most of the time."""
    with ThreadPoolExecutor(at_once) as pool:
        runs = {name: pool.submit(examine, role, name, folder / name, *options(name)) for name in names}
        return {name: run.result() for name, run in runs.items()}


def judgement(role: str, run: Run) -> tuple[bool, list[str]]:
    """Whether the case that names the fault caught it, and which others did that are not about it."""
    mutant = MUTANTS[role][run.mutant]
    return mutant.caught in run.bad, [case for case in run.bad if case != mutant.caught and case not in mutant.also]
