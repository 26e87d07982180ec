"""What is made of a line of a log for a person."""

import json

import pytest

from infra.operations.log_records import readable

REQUEST = {"level": "INFO", "message": '10.0.0.1:5 - "GET /products/ HTTP/1.1" 200', "milliseconds": 3.2, "route": "/x"}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("INFO:     Shutting down", "INFO:     Shutting down"),
        (json.dumps(REQUEST), 'INFO 10.0.0.1:5 - "GET /products/ HTTP/1.1" 200 3.2 ms'),
        (json.dumps({"message": "no level"}), "no level"),
        (json.dumps({"level": "ERROR", "message": "broke", "traceback": "Traceback"}), "ERROR broke \nTraceback"),
        ('{"message": "cut off', '{"message": "cut off'),
        ('{"other": 1}', '{"other": 1}'),
        ('{"message": 1}', '{"message": 1}'),
        ("{}", "{}"),
        ("[1]", "[1]"),
        ("", ""),
    ],
)
def test_records_are_told_and_other_lines_left_as_they_are(line: str, shown: str) -> None:
    assert readable(line) == shown
