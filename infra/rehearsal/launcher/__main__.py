"""Serve the emulated AWS until standard input closes, then remove every container and the network made for it.

It is served on BIND (a hypercorn bind); with an engine also by HTTPS, with an authority's certificates whose folder is
CERTIFICATES here and CERTIFICATES_OUTSIDE to the engine.

Standard input is the leash: whoever started the emulator holds its other end, so the emulator ends with its owner,
however that owner ended.
"""

import asyncio
import contextlib
import os
import sys
import threading
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from infra.rehearsal.launcher import (
    balancer,
    container_definitions,
    database,
    database_api,
    distribution,
    fargate,
    hour,
    registry,
    resource_types,
    scaling,
    sessions,
    sign_in,
    snapshots,
    task_events,
    volumes,
)
from infra.rehearsal.launcher.certificates import authority
from infra.rehearsal.launcher.edge import Edge
from infra.rehearsal.launcher.interfaces import Interfaces
from infra.rehearsal.launcher.internals import app, container_reaper, ecs, replace

_HTTPS = "0.0.0.0:443"


def main() -> None:
    """Serve; with an engine's socket, run tasks and the database on it."""
    resource_types.install()
    distribution.install()
    container_definitions.install()
    registry.install()
    scaling.install()
    sessions.install()
    sign_in.install()
    task_events.install()
    database.protect()
    config = Config()
    config.bind = [os.environ["BIND"]]
    engine = ecs._get_docker()
    if engine:
        certificates = authority()
        replace(app, "_stop_docker_containers", lambda _: lambda *_: _remove_containers(engine))
        interfaces = Interfaces(engine)
        balancer.install(interfaces)
        database_api.install(engine, database.install(engine, interfaces, certificates))
        snapshots.keep_data(engine)
        volumes.install(engine)
        fargate.install(engine, interfaces, certificates)
        config.insecure_bind, config.bind = config.bind, [_HTTPS]
        config.certfile = config.keyfile = str(certificates.for_what_is_served())
        config.alpn_protocols = ["http/1.1"]
    else:
        database_api.install()
    snapshots.install()
    config.graceful_timeout = 1
    try:
        asyncio.run(_serve(config))
    finally:
        if engine:
            _remove_everything(engine)
    os._exit(0)  # threads that still watch a container have nothing left to watch


async def _serve(config: Config) -> None:
    served: Any = Edge(app.app, hour.passing(distribution.onward))
    released = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(released.set)

    threading.Thread(target=wait, daemon=True).start()
    await serve(served, config, shutdown_trigger=released.wait)


def _remove_containers(engine: Any) -> None:
    ecs.reset()  # or services would replace the tasks that go
    container_reaper.reap_all(engine)  # our own only, never another emulator's


def _remove_everything(engine: Any) -> None:
    _remove_containers(engine)
    with contextlib.suppress(Exception):  # likewise
        volumes.remove(engine)
    with contextlib.suppress(Exception):  # the owner removes it when it still can
        network = engine.networks.get(os.environ["MINISTACK_HOSTNAME"])
        network.disconnect(os.environ["HOSTNAME"], force=True)
        network.remove()


if __name__ == "__main__":
    main()
