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

from .settings import USAGE, config_dir
from .show import table


def check_config(options: Namespace) -> int:
    directory = config_dir(options)
    asking = os.geteuid()
    try:
        settings, terminal = load_identified(directory)
        if _became_the_agent(settings.local.state_dir):
            load(directory)
    except SettingsError as error:
        # A file that the agent may not read is a mistake; one that only this user may not read is none.
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
    for warning in (*settings.warnings(), *_program_missing(settings.transactions.application)):
        print(f"warning: {warning}")
    return 0


def _program_missing(application: Application) -> list[str]:
    """Of a program that nobody could run; it may still be installed. Where this user may not look, the agent may."""
    if not application.argv:
        return []
    program = application.argv[0]
    try:
        mode = os.stat(program).st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = 0
    except OSError:
        return []
    if stat.S_ISREG(mode) and mode & 0o111:
        return []
    return [f"transactions.application: {program} is no program that can be run; until it is, every transaction fails"]


def _became_the_agent(state_dir: str) -> bool:
    """Root can read what the agent cannot, such as a file that was pushed with mode 0600: the settings are read again
    as the owner of the journal."""
    try:
        owner = os.stat(state_dir)
    except OSError:
        return False
    if os.geteuid() != 0 or owner.st_uid == 0:
        return False
    os.setgroups([])
    with contextlib.suppress(KeyError):
        os.initgroups(pwd.getpwuid(owner.st_uid).pw_name, owner.st_gid)
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)
    return True
