"""What the log looks like: lines for people on a laptop, JSON for programs on AWS (LOG_FORMAT)."""

import logging
from typing import Any, Literal

from app import json_log
from app.api import request_log

LogFormat = Literal["line", "json"]


class _RequestId(logging.Filter):
    """Gives a record the ids of the request that it is written for, and of its trace."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through."""
        if (request := request_log.current()) is not None:
            record.request_id = request.id
            if request.trace_id is not None:
                record.trace_id = request.trace_id
        return True


def config(log_format: LogFormat, service: str) -> dict[str, Any]:
    """Return the configuration of `logging` for a process of a service.

    Lines are as Uvicorn writes them, but without colours: those take a twentieth of a request's time.
    """
    formatters: dict[str, Any] = {
        "line": {"format": "%(levelname)s:     %(message)s"},
        "json": {"()": json_log.formatter, "service": service},
    }
    handler = {"formatter": log_format, "filters": ["request_id"]}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": _RequestId}},
        "formatters": {log_format: formatters[log_format]},
        "handlers": {
            "errors": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", **handler},
            "requests": {"class": "app.api.log_batches.BatchedHandler", "stream": "ext://sys.stdout", **handler},
        },
        "root": {"handlers": ["errors"], "level": "INFO"},
        "loggers": {
            request_log.NAME: {"handlers": ["requests"], "level": "INFO", "propagate": False},
            "botocore": {"level": "WARNING"},
            "opentelemetry.trace": {"level": "ERROR"},  # it warns of strangers' headers, and repeats them
        },
    }
