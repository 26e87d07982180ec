"""Says what time it is in the database."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            (now,) = connection.execute("SELECT now()").fetchone()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(now).encode())


ThreadingHTTPServer(("", 8000), Handler).serve_forever()
