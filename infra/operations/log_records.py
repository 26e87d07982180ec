"""Lines of a log as a person reads them, whether the service writes text or JSON."""

import json


def readable(line: str) -> str:
    """Return a line as it is, or of a JSON record its level, message, what the answer took, and traceback."""
    try:
        record = json.loads(line) if line.startswith("{") else None
    except ValueError:
        record = None
    if not isinstance(record, dict) or not isinstance(record.get("message"), str):
        return line
    words = [str(record.get("level", "")), record["message"]]
    if "milliseconds" in record:
        words.append(f"{record['milliseconds']} ms")
    if isinstance(record.get("traceback"), str):
        words.append(f"\n{record['traceback']}")
    return " ".join(filter(None, words))
