"""Where the commands find the settings, and the agent's socket."""
import shlex
import sys
from argparse import Namespace
from pathlib import Path

from econduit_terminal.conf.access import refusal
from econduit_terminal.conf.settings import Settings, SettingsError, default_dir, load

USAGE = 2


def config_dir(options: Namespace) -> Path:
    return Path(options.config_dir) if options.config_dir else default_dir()


def usable(options: Namespace, sought: str, otherwise: str = "") -> Settings:
    """The settings, or what is right in them. Ends the command with exit code 2 where there are none.

    Mistakes must not hide an agent that runs with the settings from before, or waits for better ones: stderr says that
    there are some, and the rest is used as the agent itself does. The same holds for files that this user may not read,
    which is no mistake in the settings.
    sought: what the command wants to know from them. otherwise: how else to name it.
    """
    directory = config_dir(options)
    try:
        return load(directory)
    except SettingsError as error:
        settings = error.usable_in(directory)
        if settings is None:
            print(f"{sought} is not known:\n{error}\nname another --config-dir{otherwise}", file=sys.stderr)
            raise SystemExit(USAGE) from None
        if error.forbidden:
            print(refusal(error.forbidden), file=sys.stderr)
            return settings
        command = ["econduit-agent", "check-config", *(["--config-dir", str(directory)] if options.config_dir else [])]
        print(f"the settings have mistakes: {shlex.join(command)} lists them", file=sys.stderr)
        return settings


def socket_path(options: Namespace) -> str:
    """--socket, else local.socket, as `usable` says."""
    return options.socket or usable(options, "the agent's socket",
                                    ", or name the socket with --socket PATH").local.socket
