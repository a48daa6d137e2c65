"""`econduit-agent run`: hands over to the application, after __main__ has patched."""
from argparse import Namespace

from .settings import config_dir


def run(options: Namespace) -> int:
    from ..app import run as serve
    return serve(config_dir(options))
