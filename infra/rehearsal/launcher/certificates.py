"""A certificate authority of this rehearsal's own, in the place of Amazon's: for the names that only AWS has."""

import io
import os
import tarfile
from pathlib import Path

import certifi
import trustme

AUTHORITY, BUNDLE = "ca.pem", "bundle.pem"
"""Files for those who are to trust it: its own certificate alone, and with those of the public authorities."""

_SERVED = ("*.cloudfront.net", "*.us-east-1.amazonaws.com", "*.auth.us-east-1.amazoncognito.com")


class Authority:
    """Issues certificates; what is made of them is in `folder`, which the engine's machine knows as `outside`."""

    def __init__(self, folder: Path, outside: Path) -> None:
        self._authority = trustme.CA(organization_name="Rehearsal")
        self._folder, self._outside = folder, outside
        self._authority.cert_pem.write_to_path(str(folder / AUTHORITY))
        (folder / BUNDLE).write_bytes(Path(certifi.where()).read_bytes() + self._authority.cert_pem.bytes())

    def for_what_is_served(self) -> Path:
        """Write the certificate and key of what answers by HTTPS to one file, and return it."""
        file = self._folder / "server.pem"
        self._authority.issue_cert(*_SERVED).private_key_and_cert_chain_pem.write_to_path(str(file))
        return file

    def archive_for(self, host: str, folder: str) -> bytes:
        """Return a certificate and key, server.crt and server.key in a folder, as what the engine unpacks."""
        issued = self._authority.issue_cert(host)
        files = {"server.crt": issued.cert_chain_pems[0].bytes(), "server.key": issued.private_key_pem.bytes()}
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as packed:
            for name, content in files.items():
                entry = tarfile.TarInfo(f"{folder}/{name}")
                entry.size, entry.mode = len(content), 0o600
                packed.addfile(entry, io.BytesIO(content))
        return archive.getvalue()

    def mounted(self, file: str, path: str) -> str:
        """Return what mounts one of its files in a container, for the engine."""
        return f"{self._outside / file}:{path}:ro"


def authority() -> Authority:
    """Make the authority of this emulator, as its environment says where."""
    return Authority(Path(os.environ["CERTIFICATES"]), Path(os.environ["CERTIFICATES_OUTSIDE"]))
