"""Something that is not the cloud but takes its connections: `lab_stranger.py ADDRESS PORT ANSWER [SECONDS]`.

ANSWER, with its escapes undone, goes out when the first bytes came; empty: nothing is ever said. After SECONDS the
connection ends; without them it stays open. What is received is printed.
"""
import socket
import sys
import threading
import time


def serve(connection: socket.socket, answer: bytes, seconds: float | None) -> None:
    try:
        print("received", connection.recv(4096), flush=True)
        connection.sendall(answer)
        if seconds is None:
            while connection.recv(4096):
                pass
        else:
            time.sleep(seconds)
    except OSError as error:
        print("lost", error, flush=True)
    finally:
        connection.close()


def main(address: str, port: str, answer: str, seconds: str | None = None) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, int(port)), family=family, backlog=100) as server:
        print("ready", flush=True)
        while True:
            connection, client = server.accept()
            print("opened", client[0], flush=True)
            threading.Thread(target=serve, daemon=True, args=(
                connection, answer.encode().decode("unicode_escape").encode("latin-1"),
                None if seconds is None else float(seconds))).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
