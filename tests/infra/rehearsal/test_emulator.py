"""The emulated AWS as a part of another program: it leaves that as it was."""

import os
import signal
from pathlib import Path

from infra.rehearsal.emulator import emulated_aws


def test_what_a_program_does_about_signals_is_as_it_was_afterwards(tmp_path: Path) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]

    with emulated_aws(tmp_path, containers=False) as emulator:
        assert emulator.environment()["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")

    assert [signal.getsignal(number) for number in numbers] == before
    assert "AWS_ENDPOINT_URL" not in os.environ
