"""Network interfaces: each is a container whose network those share that are to have its address, as a task's have.

Its security groups are rules in that network's namespace, and so what is refused, is refused by the kernel.
"""

import contextlib
import io
import logging
import os
import tarfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from infra.rehearsal.launcher import security_groups
from infra.rehearsal.launcher.envoy import Address
from infra.rehearsal.launcher.internals import container_reaper

_RULES = "/etc/rehearsal/rules.nft"
_PAUSE = 0.2  # seconds between two looks at what has changed
_IDLE = "exec sleep infinity"
logger = logging.getLogger(__name__)

Files = Callable[[], Mapping[str, str]]


@dataclass(eq=False, kw_only=True)
class Interface:
    """An interface in security groups, and the files by which what runs in its container is told what to do."""

    container: Any
    address: str
    groups: Sequence[str]
    redirects: Mapping[Address, int]
    files: Files
    told: dict[str, str] = field(default_factory=dict)

    @property
    def network_mode(self) -> str:
        """What a container has for its network that is to share this one's."""
        return f"container:{self.container.id}"


class Interfaces:
    """Every interface of the account, each told at once what has changed for it."""

    def __init__(self, engine: Any) -> None:
        emulator = engine.containers.get(os.environ["HOSTNAME"])
        ((self._network, attached),) = emulator.attrs["NetworkSettings"]["Networks"].items()
        self._engine, self._image, self._emulator = engine, emulator.image.id, attached["IPAddress"]
        self._all: list[Interface] = []
        self._passes = threading.Condition()
        self._passed = 0
        threading.Thread(target=self._keep_told, daemon=True, name="interfaces").start()

    def create(
        self,
        groups: Sequence[str],
        *,
        command: str = _IDLE,
        files: Files = dict,
        redirects: Mapping[Address, int] | None = None,
        aliases: Sequence[str] = (),
        hosts: Mapping[str, str] | None = None,
        folder: bytes | None = None,
    ) -> Interface:
        """Make one, which runs a shell's `command`; `folder` is an archive that is unpacked in it before.

        `aliases` are its names on the network, and `hosts` names that are known to those who share it alone.
        """
        container = self._engine.containers.create(
            self._image,
            ["sh", "-c", f"nft --file {_RULES} && {command}"],
            cap_add=["NET_ADMIN"],
            detach=True,
            extra_hosts={**(hosts or {})},
            init=True,
            labels=container_reaper.own_labels("interface"),
            network=self._network,
            networking_config={self._network: {"Aliases": list(aliases)}},
        )
        interface = Interface(container=container, address="", groups=groups, redirects=redirects or {}, files=files)
        interface.told = self._wanted(interface)
        container.put_archive("/", _archive(interface.told))
        if folder:
            container.put_archive("/", folder)
        container.start()
        container.reload()
        interface.address = container.attrs["NetworkSettings"]["Networks"][self._network]["IPAddress"]
        self._all.append(interface)
        return interface

    def remove(self, interface: Interface) -> None:
        """Remove one, after those that share it."""
        with contextlib.suppress(ValueError):
            self._all.remove(interface)
        with contextlib.suppress(Exception):  # it may be gone with everything else
            interface.container.remove(force=True, v=True)

    def settle(self, seconds: float = 10) -> None:
        """Wait until every interface has been told what holds now."""
        with self._passes:
            wanted = self._passed + 2  # the next may have begun before what holds now
            self._passes.wait_for(lambda: self._passed >= wanted, seconds)

    def _keep_told(self) -> None:
        while True:
            for interface in list(self._all):
                try:
                    self._tell(interface)
                except Exception as error:  # as when all containers are removed at the end
                    if interface in self._all:
                        logger.warning("an interface is not told what has changed: %s", error)
            with self._passes:
                self._passed += 1
                self._passes.notify_all()
            time.sleep(_PAUSE)

    def _tell(self, interface: Interface) -> None:
        wanted = self._wanted(interface)
        changed = {path: text for path, text in wanted.items() if interface.told.get(path) != text}
        if not changed:
            return
        # Moved into place: who watches a file sees all of it or nothing.
        steps = [
            f'printf %s "${{F{number}}}" > {path}.new && mv {path}.new {path}' for number, path in enumerate(changed)
        ]
        if _RULES in changed:
            steps.append(f"nft --file {_RULES}")
        environment = {f"F{number}": text for number, text in enumerate(changed.values())}
        result = interface.container.exec_run(["sh", "-c", " && ".join(steps)], environment=environment)
        if result.exit_code != 0:
            raise RuntimeError(result.output.decode(errors="replace"))
        interface.told = wanted

    def _wanted(self, interface: Interface) -> dict[str, str]:
        ingress, egress = security_groups.permissions(interface.groups)
        rules = security_groups.rules(
            ingress, egress, emulator=self._emulator, members=self._members, redirects=interface.redirects
        )
        return {**interface.files(), _RULES: rules}

    def _members(self, group: str) -> list[str]:
        return [one.address for one in list(self._all) if group in one.groups]


def _archive(files: Mapping[str, str]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as packed:
        for path, text in files.items():
            entry = tarfile.TarInfo(str(PurePosixPath(path).relative_to("/")))
            content = text.encode()
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return archive.getvalue()
