"""The UI's log for programs: each line is a record, whoever writes it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from testkit.server import UI, ui
from testkit.tools import ROOT

NO_API = "http://127.0.0.1:1"


def test_each_line_is_a_record(tmp_path: Path) -> None:
    log = tmp_path / "ui.log"
    with ui(NO_API, log, LOG_FORMAT="json"):
        pass
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert any("OIDC_ISSUER is not set" in record["message"] and record["level"] == "WARNING" for record in records)
    assert any("Uvicorn running" in record["message"] for record in records)  # the server's own
    assert {record["service"] for record in records} == {"ui"}
    assert all(record["time"] for record in records)


def test_streamlits_loggers_and_what_nobody_catches_are_records_with_a_traceback() -> None:
    code = """if True:
        import threading
        from app.ui import logs
        logs.write_json()
        from streamlit.logger import get_logger
        before = get_logger("streamlit.before")
        logs.write_json_of_streamlit()
        before.warning("before")
        get_logger("streamlit.later").warning("later")
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
        raise LookupError
    """
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    records = [json.loads(line) for line in run.stderr.splitlines()]
    said = ["before", "later", "uncaught: ZeroDivisionError", "uncaught: LookupError"]
    assert [record["message"] for record in records] == said
    assert ["Traceback" in record.get("traceback", "") for record in records] == [False, False, True, True]
    assert run.returncode == 1


def test_a_format_that_there_is_not_is_refused_in_a_sentence() -> None:
    environment = {**os.environ, "LOG_FORMAT": "xml"}
    run = subprocess.run(UI, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (1, "ui: LOG_FORMAT=xml is neither line nor json\n")
