"""The UI's log as JSON records, for programs (LOG_FORMAT=json); lines for people are Streamlit's and Uvicorn's."""

import logging
import sys
import threading
from types import TracebackType

from app import json_log

_HANDLER = "streamlit_console_handler"  # what Streamlit calls the handler that it gives each of its loggers


def write_json() -> None:
    """Have what the process logs, warns of and does not catch be records, but for Streamlit's own loggers."""
    handler = logging.StreamHandler()
    handler.setFormatter(json_log.formatter("ui"))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def write_json_of_streamlit() -> None:
    """Have Streamlit's loggers write as all others, those too that it makes later; this imports Streamlit."""
    from streamlit import logger

    logger.setup_formatter = _leave_to_root
    logger.update_formatter()


def _leave_to_root(logger: logging.Logger) -> None:
    if own := getattr(logger, _HANDLER, None):
        logger.removeHandler(own)
    logger.propagate = True


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is not None and not issubclass(kind, KeyboardInterrupt | SystemExit):
        logging.getLogger("ui").critical("uncaught: %s", kind.__name__, exc_info=(kind, error, trace))
