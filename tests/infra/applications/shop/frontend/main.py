"""Shows what the backend says."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        try:
            with urlopen(os.environ["BACKEND_URL"], timeout=5) as answer:
                status, said = 200, answer.read()
        except OSError as error:
            status, said = 502, str(error).encode()
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"The backend says: " + said)


ThreadingHTTPServer(("", 3000), Handler).serve_forever()
