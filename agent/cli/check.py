"""`econduit-agent check-config`: the effective identity and endpoints, with warnings; or every mistake."""
import contextlib
import os
import pwd
import stat
import sys
from argparse import Namespace

from econduit_terminal.conf.access import refusal
from econduit_terminal.conf.device import load_identified
from econduit_terminal.conf.settings import SettingsError, load
from econduit_terminal.conf.values import Application

from . import places
from .settings import USAGE, config_dir
from .show import table


def check_config(options: Namespace) -> int:
    """Prints what is in force, with warnings, and returns 0; or prints every mistake and returns USAGE."""
    directory = config_dir(options)
    asking = os.geteuid()
    try:
        settings, terminal = load_identified(directory)
        agent = places.agents_user(settings.local.state_dir)
        if asking == 0 and agent.uid != 0 and _become(agent):
            load(directory)
    except SettingsError as error:
        # A file that the agent may not read is a mistake; one that only this user may not read is not.
        denied = error.forbidden if os.geteuid() == asking else None
        print(refusal(denied) if denied else error, file=sys.stderr)
        return USAGE
    cloud, local = settings.cloud, settings.local
    print("OK")
    print(table([
        ("settings", directory),
        ("terminal ID", terminal.id),
        ("terminal", f"{terminal.type} {terminal.model}, software {terminal.software_version}"),
        ("primary", cloud.primary),
        ("secondary", cloud.secondary or "none"),
        ("TLS", f"yes, verified with {cloud.ca_file or 'the system’s certificates'}" if cloud.tls else "no"),
        ("application", settings.transactions.application),
        ("socket", local.socket),
        ("display", f"http://{local.display}/" if local.display else "none"),
        ("status file", local.status_file or "none"),
    ]))
    missing = _program_missing(settings.transactions.application, known=os.geteuid() == agent.uid)
    for warning in (*settings.warnings(), *missing, *places.warnings(local, agent)):
        print(f"warning: {warning}")
    return 0


def _program_missing(application: Application, known: bool) -> list[str]:
    """Of a program that cannot be run; it may still be installed. `known`: this process may do what the agent may; else
    the agent may look where this user may not."""
    if not application.argv:
        return []
    program = application.argv[0]
    try:
        mode = os.stat(program).st_mode
    except OSError as error:
        if not known and not isinstance(error, FileNotFoundError | NotADirectoryError):
            return []
        mode = 0
    if stat.S_ISREG(mode) and (os.access(program, os.X_OK) if known else mode & 0o111):
        return []
    return [f"transactions.application: {program} is not a program that can be run; until it is, every transaction "
            "fails"]


def _become(agent: places.User) -> bool:
    """Root can read what the agent cannot, such as a file that was pushed with mode 0600: the rest is asked as the
    agent's user. False where root may not become anybody, as in some containers."""
    try:
        os.setgroups([])
        with contextlib.suppress(KeyError):
            os.initgroups(pwd.getpwuid(agent.uid).pw_name, agent.gid)
        os.setgid(agent.gid)
        os.setuid(agent.uid)
    except OSError:
        return False
    return True
