"""Where the commands find the settings, and the agent's socket."""
import sys
from pathlib import Path

from econduit_terminal.conf.settings import SettingsError, default_dir, load

USAGE = 2


def config_dir(options) -> Path:
    return Path(options.config_dir) if options.config_dir else default_dir()


def socket_path(options) -> str:
    """--socket, else local.socket. Ends the command with exit code 2 where there are no settings.

    Mistakes in them are no reason to say nothing of an agent that runs, by those from before or waiting for better
    ones: they are counted on stderr, and the socket is where the agent itself looks for it in spite of them.
    """
    if options.socket:
        return options.socket
    directory = config_dir(options)
    try:
        return load(directory).local.socket
    except SettingsError as error:
        if error.usable is None or not directory.is_dir():
            print(f"the agent's socket is not known:\n{error}\n"
                  "name another --config-dir, or name the socket with --socket PATH", file=sys.stderr)
            raise SystemExit(USAGE) from None
        print(f"the settings have mistakes ({len(error.mistakes)}): econduit-agent check-config lists them",
              file=sys.stderr)
        return error.usable.local.socket
