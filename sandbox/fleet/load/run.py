"""The command econduit-fleet load: says what limits the load on this machine, and hands over to Locust."""
import importlib.util
import os
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from econduit_terminal.conf import settings
from econduit_terminal.conf.values import Endpoint
from econduit_terminal.sandbox.fleet import feasible
from econduit_terminal.sandbox.fleet.load import limits
from econduit_terminal.sandbox.fleet.load.here import address
from econduit_terminal.sandbox.fleet.load.options import SANDBOX, SANDBOX_URL, locust_words
from econduit_terminal.sandbox.fleet.load.plan import VARIABLE, Plan
from econduit_terminal.sandbox.fleet.load.stage import SandboxCloud, StageError, unplayable
from econduit_terminal.sandbox.fleet.scenes import BY_NAME
from econduit_terminal.sandbox.open_files import REMEDY, most_open_files

WRONG = 2
PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOCUSTFILE = Path(__file__).with_name("locustfile.py")


class Wrong(Exception):
    """It cannot work as asked; the text says why, a line for each reason."""


def main(options: Namespace) -> int:  # noqa: RET503  execve does not return
    """Becomes Locust; returns the exit status where it cannot."""
    if importlib.util.find_spec("locust") is None:
        raise ModuleNotFoundError("No module named 'locust'", name="locust")
    most_open_files()
    try:
        environment = {} if options.worker else _environment(options)
    except Wrong as wrong:
        print("\n".join(f"econduit-fleet: {line}" for line in str(wrong).splitlines()), file=sys.stderr)
        return WRONG
    if environment and options.save and not feasible.writable(Path(options.save)):
        return WRONG
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--exit-code-on-error", "0",
                               *locust_words(options)], {**os.environ, **environment})


def _environment(options: Namespace) -> dict[str, str]:
    plan = _plan(options)
    addresses = [str(address_of(endpoint)) for endpoint in plan.endpoints]
    machine = limits.Machine(most_open_files(), _ports(), REMEDY)
    demand = limits.Demand(plan.terminals, plan.points_of_sale, _processes(options), addresses, plan.sources)
    elsewhere = options.master
    lacks = [] if elsewhere else limits.lacks(demand, machine)
    lacks += _cloud_lacks(plan)
    if lacks:
        raise Wrong("\n".join(lacks))
    chosen = plan.sources if elsewhere else limits.sources(demand, machine)
    print(_words(plan, demand, machine, chosen, elsewhere=elsewhere), file=sys.stderr)
    return {VARIABLE: replace(plan, sources=chosen).to_text()}


def _plan(options: Namespace) -> Plan:
    """What is to be done. Raises Wrong."""
    if options.config_dir is not None:
        try:
            chosen = settings.load(options.config_dir)
        except settings.SettingsError as error:
            raise Wrong("\n".join(error.mistakes)) from None
        if chosen.cloud.tls:
            raise Wrong("cloud.tls is on in these settings: a load speaks no TLS")
    scene = BY_NAME[options.scene] if options.scene else None
    url = options.url or (None if options.cloud else SANDBOX_URL)
    if scene and url is None and scene.name != "cut":
        raise Wrong(f"the scene {scene.name} is played by a sandbox cloud: name its HTTP side with --url; with another "
                    "cloud there is the scene cut, for which the terminals end their connections themselves")
    if scene and (why := unplayable(scene)):
        raise Wrong(f"the scene {scene.name}: {why}")
    if options.sales and url is None:
        raise Wrong("--sales needs the cloud's HTTP side: name it with --url")
    if scene and options.stay is not None:
        raise Wrong("--stay is for a load without a scene: with one, it ends when all are back")
    if scene and not scene.outage and options.outage is not None:
        raise Wrong(f"the scene {scene.name} is over at once: --outage means nothing for it")
    return Plan(options.cloud or SANDBOX, url, options.terminals, options.ramp, options.scene, options.outage,
                options.settle, options.patience, options.stay, options.sales, options.latency, options.prefix,
                options.source, str(options.config_dir.absolute()) if options.config_dir else None,
                os.path.abspath(options.save) if options.save else None, options.key, options.password)


def address_of(endpoint: Endpoint) -> str:
    """The address behind an endpoint. Raises Wrong."""
    try:
        return str(address(endpoint)[1][0])
    except OSError as error:
        raise Wrong(f"{endpoint}: {error.strerror or error}") from None


def _cloud_lacks(plan: Plan) -> list[str]:
    """What the cloud says that it cannot do, where it is asked to play a scene."""
    if plan.scene is None or plan.url is None:
        return []
    try:
        room = SandboxCloud(plan.url).counts()["room"]
    except (StageError, KeyError) as error:
        return [str(error)]
    return [] if plan.terminals <= room else [
        f"the cloud at {plan.url} has room for {room:,} terminals, not for {plan.terminals:,}: its own limit on open "
        f"files; {REMEDY}"]


def _words(plan: Plan, demand: limits.Demand, machine: limits.Machine, chosen: tuple[str, ...], *,
           elsewhere: bool) -> str:
    where = "to " + ", ".join(map(str, plan.endpoints))
    if elsewhere:
        return f"{plan.terminals:,} terminals {where}; each worker's machine has limits of its own"
    each = f"{limits.files_needed(demand):,} of {machine.files:,} open files in each of {demand.processes} process(es)"
    return (f"{plan.terminals:,} terminals {where}: {each}, {max(1, len(chosen))} source address(es) with "
            f"{machine.ports:,} ports")


def _processes(options: Namespace) -> int:
    asked = options.processes
    return 1 if not asked else (os.cpu_count() or 1) if asked < 0 else int(asked)


def _ports() -> int:
    low, high = map(int, PORT_RANGE.read_text().split())
    return high - low + 1
