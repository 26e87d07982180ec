"""The containers' health check, since their images have no curl: `python -m app.probe URL` exits 0 on a 2xx answer."""

import sys
from urllib.error import URLError
from urllib.request import urlopen

TIMEOUT_SECONDS = 3


def main(url: str) -> int:
    """Return 0 when `url` answers 2xx in time, else say why on stderr and return 1."""
    try:
        with urlopen(url, timeout=TIMEOUT_SECONDS):  # noqa: S310 - the URL is in docker-compose.yml
            return 0
    except (URLError, OSError, ValueError) as error:
        print(f"{url}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
