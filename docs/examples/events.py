#!/usr/bin/env python3
"""POS Online or POS Offline as it happens, for a native application: a line for each change of what to show."""
import http.client
import json
import sys
import time

SILENT = 10                         # seconds; a living agent sends a comment every 5 s


def shown(host="127.0.0.1", port=8642):
    """What the terminal shows, without end: the state at once, then each change of it."""
    while True:
        connection = http.client.HTTPConnection(host, port, timeout=SILENT)
        try:
            connection.request("GET", "/events")
            for line in connection.getresponse():
                if line.startswith(b"data: "):
                    status = json.loads(line[6:])
                    yield status["display"], status["reason"], status["remedy"]
        except (OSError, ValueError, http.client.HTTPException):
            pass                    # not there, silent for too long, or ended in the middle
        finally:
            connection.close()
        yield "POS Offline", "the terminal does not answer", ""
        time.sleep(1)


if __name__ == "__main__":
    before = None
    for now in shown(*sys.argv[1:2], *map(int, sys.argv[2:3])):
        if now != before:
            print(*filter(None, now), sep=": ", flush=True)
        before = now
