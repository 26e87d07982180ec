"""`python -m infra.operations VERB`: look at a deployed environment, and run it."""

import argparse
import signal
import sys
from collections.abc import Sequence
from types import ModuleType

from infra.operations import (
    backup,
    deploy,
    events,
    failures,
    logs,
    rehearse_migration,
    restart,
    restore,
    rollback,
    run,
    scale,
    smoke,
    status,
    trace,
    tunnel,
    users,
    verify,
)
from infra.operations import exec as exec_in_task
from infra.operations import open as open_url
from infra.operations.command_line import Output
from infra.operations.deployment import AWS_ERRORS, Deployment, OperationError, sentence
from infra.operations.project import plan_of
from infra.operations.session import open_session
from infra.plan import PlanError

VERBS: dict[str, ModuleType] = {
    module.__name__.rpartition(".")[2].replace("_", "-"): module
    for module in (
        *(verify, deploy, smoke, status, logs, events, trace, failures),
        *(run, exec_in_task, tunnel, restart, scale, rollback, backup, restore, rehearse_migration, users, open_url),
    )
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked for; return the exit code: 0, the verb's own, 1 with a sentence, or 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        deployment = Deployment(open_session(), plan_of(options.env))
        code: int = VERBS[options.verb].run(deployment, options, Output(as_json=options.json))
    except PlanError as error:
        return _refuse(options.verb, str(error))
    except OperationError as error:
        return _refuse(options.verb, str(error))
    except AWS_ERRORS as error:
        return _refuse(options.verb, sentence(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # such as `… | head`
        sys.stderr.close()
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.operations", description=__doc__)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--env", default="dev", metavar="NAME", help="an environment of cdk.json (default: dev)")
    shared.add_argument("--json", action="store_true", help="print facts as JSON")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, module in VERBS.items():
        said = (module.__doc__ or "").strip()
        first = said.splitlines()[0]
        verb = verbs.add_parser(
            name,
            parents=[shared],
            help=first.rstrip("."),
            description=said,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.declare(verb)
    return parser


def _refuse(verb: str, why: str) -> int:
    print(f"{verb}: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal: what was started is stopped as after Ctrl-C
        signal.signal(number, signal.default_int_handler)
    sys.exit(main())
