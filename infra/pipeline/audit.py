"""`make audit`: the packages of both images against OSV's known vulnerabilities; skipped where it is not reachable."""

import json
import subprocess
import sys
from pathlib import Path

from infra.pipeline.licences import LOCKS

_SECONDS = 300
# How pip-audit says that it could not ask.
_UNREACHABLE = ("ConnectionError", "Connection refused", "ConnectTimeout", "ReadTimeout")


def main(*arguments: str) -> int:
    """Print the vulnerabilities; 1 when there is one, and 0 with the reason when nobody could be asked."""
    tool = str(Path(sys.executable).parent / "pip-audit")
    asked = [tool, "--format", "json", "--progress-spinner", "off", "--require-hashes", "--disable-pip"]
    asked += ["--vulnerability-service", "osv", *arguments]
    for lock in LOCKS:
        asked += ["--requirement", str(lock)]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"make audit: skipped: the database of vulnerabilities did not answer within {_SECONDS} s")
        return 0
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        if any(word in done.stderr for word in _UNREACHABLE):
            print("make audit: skipped: the database of vulnerabilities is not reachable from here")
            return 0
        print(f"make audit: pip-audit failed: {done.stderr.strip()}", file=sys.stderr)
        return 1
    bad = [(one, weak) for one in found for weak in one.get("vulns", [])]
    for one, weak in bad:
        mended = ", ".join(weak["fix_versions"]) or "no release yet"
        print(f"{one['name']} {one['version']}: {weak['id']}; mended in {mended}")
    print(f"{len(found)} packages, {len(bad)} known vulnerabilities")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
