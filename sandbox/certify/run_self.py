"""`econduit-certify self`: our own terminal and our own sandbox cloud, each examined, in a laboratory of namespaces.

    terminal ── router ── cloud        the examiner is the cloud; agent,
    watchdog and payment application are the terminal
    terminal ── router ── cloud        the examiner is the terminal; the sandbox's cloud is the cloud

Everything runs in processes of its own, as it does in the field; the examiner's hooks pull the laboratory's cables.
"""
import argparse
import sys
import tempfile
import time
from pathlib import Path

from econduit_terminal.sandbox.certify.listing import listing
from econduit_terminal.sandbox.certify.options import Wrong
from econduit_terminal.sandbox.certify.report import result
from econduit_terminal.sandbox.certify.run_terminal import chosen
from econduit_terminal.sandbox.certify.table.model import Profile, Role
from econduit_terminal.sandbox.lab.netlab import CLOUD, Lab, Unavailable
from econduit_terminal.sandbox.lab.process import Process

TYPE, ID = "SandboxMaker", "29531204"
DISPLAY = 8650
URL = "http://{cloud}:9080/services/api.asmx/runTransaction?key=sandbox&password=sandbox"
HEARTBEAT = {"quick": "1s", "full": "60s", "long": "60s"}
SETTINGS = """\
[terminal]
type = {type}
model = Model1
id = {id}
software_version = SomeProcessor v1.2
[cloud]
primary = {cloud}:9000
secondary = {cloud}:9001
[heartbeat]
interval = {heartbeat}
[reconnect]
# The examiner refuses and cuts far more often than a cloud in the field; it must not take minutes.
quick_returns = 1000
stable_after = 1s
crowded_delay = 2s
rejected_retry = 5s
[transactions]
application = unix://{folder}/application.sock
timeout = 200s
[local]
socket = {folder}/agent.sock
status_file = {folder}/status.json
state_dir = {folder}
"""
DEVICE = """\
[device]
terminal_type = "{type}"
terminal_id = "{id}"
heartbeat = "{heartbeat}"
transaction = "2s"
retry = "30s"
[display]
url = "http://127.0.0.1:{display}/"
[application]
echo = true
[hooks]
cable_out = "ip -n {router} link set lan down"
cable_in = "ip -n {router} link set lan up"
uplink_out = "ip netns exec {router} nft add rule ip lab forward drop"
uplink_in = "ip netns exec {router} nft flush chain ip lab forward"
"""
EXAMINER = ("-u", "-m", "econduit_terminal.sandbox.certify")
LONGEST = 24 * 3600.0


def main(options: argparse.Namespace) -> int:
    """The command; returns the exit status: the worse of the two parts. Raises Wrong."""
    out = Path(options.out)
    if options.list:
        for role in Role if options.part == "both" else (Role(options.part),):
            print(f"-- our {role.value}", flush=True)
            listing(chosen(options, role), Profile(options.profile), frozenset())
        return result.EXIT["PASS"]
    statuses = []
    try:
        for part, examine in (("terminal", terminal), ("cloud", cloud)):
            if options.part in (part, "both"):
                with Lab() as lab, tempfile.TemporaryDirectory(prefix="econduit-certify-") as folder:
                    print(f"-- our {part}", flush=True)
                    statuses.append(examine(lab, Path(folder), out / part, _passed_on(options, part), options.profile))
    except Unavailable as reason:
        raise Wrong(str(reason)) from None
    return max(statuses, key=(result.EXIT["PASS"], result.EXIT["INCONCLUSIVE"], result.EXIT["FAIL"], result.NO_DEVICE,
                              result.WRONG_COMMAND).index)


def terminal(lab: Lab, folder: Path, out: Path, passed_on: list[str], profile: str) -> int:
    """Examines our terminal; the exit status of that."""
    known = {"type": TYPE, "id": ID, "cloud": CLOUD, "folder": folder, "heartbeat": HEARTBEAT[profile],
    "display": DISPLAY,
             "router": lab.router.namespace}
    (folder / "conf").mkdir()
    (folder / "conf" / "certify.ini").write_text(SETTINGS.format(**known))
    (folder / "device.toml").write_text(DEVICE.format(**known))
    _python(lab, "terminal", "-m", "econduit_terminal.sandbox", "payment-app", "--echo", "--listen",
            f"unix://{folder}/application.sock").line('"listen"')
    for part in ("watchdog", "agent"):
        _python(lab, "terminal", "-m", f"econduit_terminal.{part}", "run", "--config-dir", folder / "conf")
    _python(lab, "cloud", "-m", "econduit_terminal.sandbox.certify.display_bridge", folder / "agent.sock",
        DISPLAY).line("ready")
    return _examined(lab, "cloud", out, "terminal", "--device", folder / "device.toml", "--host", CLOUD, "--no-person",
                     "--out", out, *passed_on)


def cloud(lab: Lab, folder: Path, out: Path, passed_on: list[str], profile: str) -> int:
    """Examines our sandbox's cloud; the exit status of that."""
    _python(lab, "cloud", "-m", "econduit_terminal.sandbox", "cloud", "--host", CLOUD, "--terminal-type", TYPE,
            "--check-interval", "0").line('"primary"')
    return _examined(lab, "terminal", out, "cloud", f"{CLOUD}:9000,{CLOUD}:9001", "--url", URL.format(cloud=CLOUD),
                     "--terminal-type", TYPE, "--out", out, *passed_on)


def _python(lab: Lab, host: str, *arguments: object) -> Process:
    where = lab.terminal if host == "terminal" else lab.cloud
    started: Process = where.start(sys.executable, "-u", *arguments)
    return started


def _examined(lab: Lab, host: str, out: Path, *arguments: object) -> int:
    """Runs the examiner to its end and shows what it says."""
    process = _python(lab, host, *EXAMINER, *arguments)
    shown = 0
    while True:
        running = process.running()
        for _, line in process.lines[shown:]:
            print(line, flush=True)
            shown += 1
        if not running:
            break
        time.sleep(0.1)
    status = process.wait()
    if status not in (0, 1, 2):
        for other in lab.processes[:-1]:
            print("\n".join(other.text.splitlines()[-20:]), file=sys.stderr)
    return status


def _passed_on(options: argparse.Namespace, part: str) -> list[str]:
    words = ["--profile", options.profile, "--repeat", str(options.repeat), "--hours", str(options.hours)]
    words += [word for only in options.only for word in ("--only", only)]
    words += ["--strict"] if options.strict else []
    words += ["--from-failed", str(Path(options.from_failed, part))] if options.from_failed else []
    return words + (["--key", options.key] if options.key else [])
