"""Open the public URL in a browser, and print it."""

import argparse
import webbrowser

from infra.operations.command_line import Output
from infra.operations.deployment import Deployment, OperationError


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare what `open` takes."""
    parser.add_argument("path", nargs="?", default="/", help="at which address of it (default: /)")


def run(deployment: Deployment, options: argparse.Namespace, out: Output) -> int:
    """Print it, and open it where there is a browser and a person: not where JSON is asked for."""
    url = deployment.outputs.get("PublicUrl")
    if url is None:
        raise OperationError("nothing is public: a service's x-aws.public makes it so (docs/compose-keys.md)")
    where = f"{url.rstrip('/')}/{options.path.lstrip('/')}"
    if not out.facts({"url": where}):
        out.line(where)
        webbrowser.open(where)
    return 0
