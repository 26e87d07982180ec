"""What stands for AWS's Session Manager plugin during a rehearsal: it goes where the emulator says, by the engine.

AWS's own is in none of the registries that this project takes programs from. What a session reaches is real: a command
runs in the task's container, and a forwarded connection begins in its network, where security groups hold.
"""

import json
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from types import FrameType

# Passes on between its standard input and output and an address, in the container's Python.
_PASS_ON = """
import os, socket, sys, threading
there = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
def send():
    while data := os.read(0, 65536):
        there.sendall(data)
    there.shutdown(socket.SHUT_WR)
threading.Thread(target=send, daemon=True).start()
while data := there.recv(65536):
    os.write(1, data)
"""


def main(arguments: list[str]) -> int:
    """Hold the session that AWS's plugin would be given as its first argument."""
    session = json.loads(arguments[0])
    way = json.loads(session.get("StreamUrl") or session["streamUrl"])
    if "command" in way:
        command = ["docker", "exec", way["container"], "sh", "-c", way["command"]]
        return subprocess.run(command, check=False).returncode
    _forward(way["container"], way["host"], way["portNumber"], int(way["localPortNumber"]))
    return 0


def _forward(container: str, host: str, port: str, local: int) -> None:
    """Pass on what comes to a port of this machine, until SIGINT or SIGTERM."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    with socket.create_server(("127.0.0.1", local)) as listener, suppress(KeyboardInterrupt):
        print(f"Port {local} opened.", flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(connection, container, host, port), daemon=True).start()


def _serve(connection: socket.socket, container: str, host: str, port: str) -> None:
    command = ["docker", "exec", "--interactive", container, "python", "-c", _PASS_ON, host, port]
    with connection:
        subprocess.run(command, stdin=connection.fileno(), stdout=connection.fileno(), check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
