"""paho-mqtt as a peer to measure the product by: its own reconnecting loop, all but the keepalive at its defaults.

    mqtt_client.py HOST PORT KEEPALIVE

Prints `<monotonic seconds> online | offline`.
"""
import sys
import time

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion


def say(what: str) -> None:
    print(time.monotonic(), what, flush=True)


def main(host: str, port: str, keepalive: str) -> None:
    """Until it is killed."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda *_: say("online")
    client.on_disconnect = lambda *_: say("offline")
    client.connect_async(host, int(port), int(keepalive))
    client.loop_forever(retry_first_connection=True)


main(*sys.argv[1:])
