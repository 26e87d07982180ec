"""`python -m faults [--short] [--only NAME …] [--json]`: do the experiments and print their table."""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from faults import report
from faults.application import engine_answers
from faults.experiments import EXPERIMENTS
from faults.identity import Provider
from faults.postgres import temporary_folder
from faults.system import System
from faults.trial import Experiment, Result, carry_out

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).with_name("results.md")
LOGS = ROOT / ".data/faults"  # of experiments that failed
PRODUCTS = (8000, 3000)  # in the long version, and in the short one


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when everything held, 1 when something is missing, doubled, leaked, spinning or not recovered."""
    options = _options(arguments)
    known = {experiment.name: experiment for experiment in EXPERIMENTS}
    if unknown := [name for name in options.only if name not in known]:
        print(f"make faults: no experiment {', '.join(unknown)}; there are {', '.join(known)}.", file=sys.stderr)
        return 2
    chosen = [known[name] for name in options.only] or [e for e in EXPERIMENTS if not (options.short and e.long_only)]
    # Progress and tables go to stderr where JSON goes to stdout.
    console = Console(stderr=options.json, width=report.WIDTH)
    version = _version(options.checkout)
    results: list[Result] = []

    def keep(result: Result) -> None:
        results.append(result)
        document = json.loads(report.as_json(results, version))
        report.show(document["results"][result.name], console)
        if not (options.json or options.only or options.short):  # after each: one that breaks takes none with it
            RESULTS.write_text(report.markdown(document, report.read_before()), encoding="utf-8")

    asyncio.run(_all(chosen, options.checkout.resolve(), console, keep, short=options.short))
    if options.json:
        print(report.as_json(results, version))
    failed = [result.name for result in results if result.failures]
    if failed:
        console.print(f"What the servers said is in {LOGS.relative_to(ROOT)}/.")
    said = f"; failed: {', '.join(failed)}" if failed else ""
    console.print(f"{len(results) - len(failed)} of {len(results)} hold{said}.")
    return 1 if failed else 0


async def _all(
    chosen: Sequence[Experiment], checkout: Path, console: Console, keep: Callable[[Result], None], *, short: bool
) -> None:
    """Do the experiments one after the other; after one that failed the next begins with everything new."""
    provider = Provider()
    await provider.start()
    engine = not short and any(e.sized for e in chosen) and engine_answers()
    waiting = list(chosen)
    while waiting:
        with temporary_folder() as folder:
            system = System(Path(folder), checkout, provider, products=PRODUCTS[short])
            try:
                await asyncio.to_thread(system.start)
                while waiting:
                    one = waiting.pop(0)
                    console.print(f"[bold]{one.name}[/bold]: {one.what}")
                    await asyncio.to_thread(system.fit, one.environment, sized=one.sized and engine)
                    result = await carry_out(one, system, short=short)
                    keep(result)
                    if result.failures:
                        _keep_logs(system, one.name)
                        break
            finally:
                await asyncio.to_thread(system.stop)
    provider.stop()


def _keep_logs(system: System, name: str) -> None:
    """Keep what the servers said, to find out why an experiment failed."""
    kept = LOGS / name
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for log in (*system.folder.glob("*.log"), *system.folder.glob("postgres/*.log")):
        shutil.copy(log, kept)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m faults", description=__doc__)
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes, without containers: for CI")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these experiments")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="the source to attack, for example another version")
    return parser.parse_args(arguments)


def _version(checkout: Path) -> str:
    command = ["git", "-C", os.fspath(checkout), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
