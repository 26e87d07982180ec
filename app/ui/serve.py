"""The UI's process, `python -m app.ui.serve`: Streamlit, with its sign-in set from environment variables.

Streamlit knows its sign-in from a file of secrets or from the program that runs it. This is that program, so no secret
is ever written down and the file system may be read-only. Streamlit's other options are in .streamlit/config.toml.
"""

import gc
import importlib
import logging
import os
import sys
from pathlib import Path
from typing import Any

import uvicorn
from starlette.middleware import Middleware

from app import tracing
from app.ui import logs
from app.ui.settings import (
    InvalidLimitError,
    InvalidLogFormatError,
    InvalidPortError,
    InvalidSignInError,
    SignInSettings,
    logs_json,
    max_sessions,
    max_upload_bytes,
    sign_in,
    ui_port,
)
from app.ui.sign_in.middleware import CALLBACK, SignInMiddleware

SCRIPT = Path(__file__).parent / "main.py"
KEEP_ALIVE_SECONDS = 75  # longer than a load balancer keeps a connection without traffic (60), or some answers are 502
GRACE_SECONDS = 5  # browsers hold their connections open for hours; a stop does not wait for them
PING_SECONDS = 30  # keeps a visitor's connection from looking unused
# Streamlit runs a page's file, and what that imports the first visitors would wait for, each of them.
NEEDED_BY_PAGES = (
    "PIL.ImageFile",
    "app.ui.address",
    "app.ui.files.import_banner",
    "app.ui.products.bulk",
    "app.ui.products.dialogs",
    "app.ui.products.example",
    "app.ui.products.filters",
    "app.ui.products.inline_edit",
    "app.ui.products.product_cards",
    "app.ui.products.product_table",
    "app.ui.products.undo",
    "app.ui.sign_in.page",
    "app.ui.turns",
    "pyarrow.pandas_compat",
    "pyarrow.vendored.version",
    "streamlit.material_icon_names",
)
MESSAGE_MEBIBYTES = 4  # of a browser; all that can be typed into the longest page of the table is under two


def main() -> int:
    """Serve the UI until SIGTERM or Ctrl-C; return 1, after one sentence, when its settings cannot work."""
    try:
        port, settings, sessions, upload_bytes = ui_port(), sign_in(), max_sessions(), max_upload_bytes()
        as_json, traces = logs_json(), tracing.start("ui")
    except (
        InvalidLimitError,
        InvalidLogFormatError,
        InvalidPortError,
        InvalidSignInError,
        tracing.InvalidTracingError,
    ) as error:
        print(f"ui: {error}", file=sys.stderr)
        return 1
    if as_json:
        logs.write_json()
    if settings is None:
        logging.getLogger(__name__).warning("OIDC_ISSUER is not set: everybody who reaches this UI may use it.")
    else:
        # Part of what Streamlit signs is signed with this, before it knows the secrets it is given below.
        os.environ["STREAMLIT_SERVER_COOKIE_SECRET"] = settings.cookie_secret

    from streamlit import App, config  # only now: it reads the variable above when it is imported

    from app.ui.files import download
    from app.ui.server.admission import Admission
    from app.ui.server.compression import Compression
    from app.ui.server.headers import security_headers
    from app.ui.server.messages import Messages
    from app.ui.server.pacing import Pacing
    from app.ui.server.pages import Pages
    from app.ui.server.protocol import CONNECTIONS, BoundedProtocol
    from app.ui.server.uploads import Uploads, stored_by_streamlit

    for module in NEEDED_BY_PAGES:
        importlib.import_module(module)
    if as_json:
        logs.write_json_of_streamlit()
    config.set_option("server.fileWatcherType", "none")  # `streamlit run app/ui/main.py` is for who changes the pages
    if settings:
        config.set_option("server.corsAllowedOrigins", [settings.public_url])
    download.is_served = True
    config.set_option("server.maxWidgetStateSize", MESSAGE_MEBIBYTES)
    logging.getLogger("urllib3").setLevel(
        logging.ERROR
    )  # its warnings tell the API's addresses, and so who is looked for
    app = App(
        SCRIPT,
        routes=[download.route()],
        secrets=_secrets(settings) if settings else None,
        middleware=[
            *([Middleware(SignInMiddleware, settings.public_url)] if settings else []),
            Middleware(
                Uploads,
                sign_in=settings,
                max_file_bytes=config.get_option("server.maxUploadSize") * 2**20,
                max_bytes=upload_bytes,
                stored=stored_by_streamlit,
            ),
            Middleware(Messages, sign_in=settings),
            Middleware(Pages),
            Middleware(Compression),
        ],
    )
    # As in app/api/server.py: what the start has made is not searched for garbage. But the interpreter's lock changes
    # hands as seldom as Python has it: few threads want it at once (app/ui/turns.py), and each change costs.
    gc.collect()
    gc.freeze()
    gc.set_threshold(25_000, 20, 100)
    BoundedProtocol.max_connections = max(CONNECTIONS, 10 * sessions)
    served: Any = Admission(Pacing(app), max_sessions=sessions, sign_in=settings)
    uvicorn.run(
        tracing.ClosesTraces(served, traces) if traces else served,
        http=BoundedProtocol,
        headers=security_headers(secure=settings is not None and settings.public_url.startswith("https:")),
        server_header=False,
        host=os.environ.get("UI_HOST") or "127.0.0.1",
        port=port,
        access_log=False,
        log_config=None if as_json else uvicorn.config.LOGGING_CONFIG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws="websockets-sansio",
        ws_max_size=MESSAGE_MEBIBYTES * 2**20,
        ws_per_message_deflate=False,  # as Streamlit has it: a few bytes less are not worth the memory
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
    )
    return 0


def _secrets(settings: SignInSettings) -> dict[str, Any]:
    return {
        "auth": {
            "redirect_uri": f"{settings.public_url}{CALLBACK}",
            "cookie_secret": settings.cookie_secret,
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "server_metadata_url": f"{settings.issuer}/.well-known/openid-configuration",
            "expose_tokens": ["access", "id"],  # to our pages, for the API; browsers have them in a signed cookie
            # Streamlit uses PKCE where a provider says that it can; Amazon Cognito can and does not say so.
            "client_kwargs": {"code_challenge_method": "S256"},
        }
    }


if __name__ == "__main__":
    sys.exit(main())
