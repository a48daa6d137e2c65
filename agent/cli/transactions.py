"""`transactions`: what the journal says, whether the agent runs or not."""
import sys

from econduit_terminal.conf.settings import SettingsError, load

from ..transactions import listing
from .settings import USAGE, config_dir


def transactions(options) -> int:
    try:
        settings = load(config_dir(options))
    except SettingsError as error:
        print(f"the settings have mistakes, so the journal's place is not known:\n{error}\n"
              "mend them, or name another --config-dir", file=sys.stderr)
        return USAGE
    return listing.main(settings, options)
