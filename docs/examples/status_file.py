#!/usr/bin/env python3
"""POS Online or POS Offline from the status file, for an application that only reads files."""
import json
import sys
import time


def shown(path="/run/econduit-terminal/status.json"):
    """What the terminal shows. A line is true for `valid_for` seconds after `written_uptime`, not longer."""
    try:
        with open(path, encoding="utf-8") as file:
            status = json.load(file)
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - status["written_uptime"]
        if 0 <= age <= status["valid_for"]:
            return status["display"], status["reason"]
    except (OSError, ValueError, KeyError, TypeError):
        pass                        # missing, replaced just now, or no line of ours
    return "POS Offline", "the terminal does not answer"


if __name__ == "__main__":
    print(*shown(*sys.argv[1:]), sep=": ")
