"""`transactions`: what the journal says, whether the agent runs or not."""
from argparse import Namespace

from ..journal import listing
from .settings import usable


def transactions(options: Namespace) -> int:
    return listing.main(usable(options, "the journal's place"), options)
