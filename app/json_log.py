"""A line of the log as a JSON record, the same for API and UI."""

import logging


def formatter(service: str) -> logging.Formatter:
    """Return what makes records with time, level, service, message and, of an exception, its traceback."""
    from pythonjsonlogger.json import JsonFormatter  # only where it is wanted

    return JsonFormatter(
        "%(levelname)s %(message)s",
        rename_fields={"levelname": "level", "exc_info": "traceback"},
        static_fields={"service": service},
        timestamp="time",
    )
