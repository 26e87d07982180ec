"""What only this application knows of itself: what one of its services writes, another one shows."""

import time


def round_trip(site, emulator):
    for _ in range(100):
        status, content = site.fetch("GET", "/last.txt")
        if status == 200 and content:
            return ["GET /last.txt 200, written by thumbnails"]
        time.sleep(0.1)
    raise RuntimeError(f"GET /last.txt answered {status}")
