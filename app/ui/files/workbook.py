"""An .xlsx workbook as CSV, read in a process of its own: whatever somebody sends, that one bears it, and ends.

Run as a program, this module is that process: the workbook comes in, CSV goes out. The first value of each line is
the row's number in the sheet; which is the first one that people see and that has anything in it.
"""

import csv
import datetime
import io
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BEGINNING = b"PK\x03\x04"  # of an .xlsx; an .xls, or one with a password, begins otherwise
SECONDS = 40  # of the clock; the processor may take half
MEMORY = 512 * 2**20  # bytes
UNPACKED = 128 * 2**20  # of what says it is larger nothing is unpacked; 50,000 products are some 25 MB
ROWS = 2**20  # what Excel has
PARTS = 1000  # files in the archive; Excel makes some ten
PRINTED = 32 * 2**20  # bytes of CSV
ROOT = Path(__file__).parents[3]
TOLD = ("PATH", "LD_LIBRARY_PATH", "LANG", "PYTHONPATH")
LARGE = 3  # exit code
BROKEN = 4
UNCALCULATED = 5
REFUSALS = {LARGE: "large", 1: "large", BROKEN: "broken", UNCALCULATED: "uncalculated"}
A_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")


class WorkbookError(Exception):
    """A workbook cannot be read; the argument is "large", "broken" or "uncalculated"."""


class _UncalculatedError(Exception):
    """A formula has no result."""


def as_csv(data: bytes) -> bytes:
    """Return the rows of a workbook's first sheet as CSV in UTF-8; formulas as the values they had when it was saved.

    Raises:
        WorkbookError: it is none, there is more in it than any catalogue has, or a formula without a value.
    """
    command = [sys.executable, "-m", __name__]
    told = {name: value for name, value in os.environ.items() if name in TOLD}  # no secrets
    try:
        result = subprocess.run(
            command, cwd=ROOT, env=told, input=data, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise WorkbookError("large") from None
    if result.returncode == 0:
        return result.stdout
    # Killed by a signal, it has met a limit of the system's; a traceback would be no reason to stop either.
    raise WorkbookError("large" if result.returncode < 0 else REFUSALS.get(result.returncode, "broken"))


def main() -> int:
    """Read a workbook from standard input and write it to standard output as CSV."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS // 2, SECONDS // 2))
    if sys.platform == "linux":  # elsewhere there is no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        _print(sys.stdin.buffer.read())
    except (MemoryError, OverflowError):
        return LARGE
    except _UncalculatedError:
        return UNCALCULATED
    except Exception:  # whatever a library says of what is no workbook
        return BROKEN
    return 0


def _print(data: bytes) -> None:
    _refuse_many_parts(data)
    from zipfile import ZipFile

    with ZipFile(io.BytesIO(data)) as archive:
        if sum(part.file_size for part in archive.infolist()) > UNPACKED:
            raise OverflowError
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    output = io.StringIO(newline="")
    writer = csv.writer(output)
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        sheet.reset_dimensions()  # what a file says of its size is of no use
        for number, values in _rows(sheet):
            writer.writerow([number, *values])
            if output.tell() > PRINTED:
                raise OverflowError
        if output.tell():
            _refuse_uncalculated(data, sheet._worksheet_path)  # which openpyxl has no other name for
            break
    sys.stdout.buffer.write(output.getvalue().encode())
    sys.stdout.buffer.flush()


def _refuse_many_parts(data: bytes) -> None:
    """Refuse an archive whose list of parts alone would fill the memory; its end says how many there are."""
    end = data.rfind(b"PK\x05\x06", -65_557)
    if end >= 0 and int.from_bytes(data[end + 10 : end + 12], "little") > PARTS:
        raise OverflowError


def _refuse_uncalculated(data: bytes, part: str) -> None:
    """Refuse a sheet with a formula without a result: a program wrote it, and no spreadsheet has opened it yet.

    openpyxl tells such a cell as an empty one. Excel marks a result that is an empty text as one (`t="str"`).
    """
    from xml.etree.ElementTree import iterparse
    from zipfile import ZipFile

    with ZipFile(io.BytesIO(data)) as archive:
        content = archive.read(part.lstrip("/"))
    if not A_FORMULA.search(content):
        return
    for _, element in iterparse(io.BytesIO(content)):  # noqa: S314 - this process bears it, as it does openpyxl
        name = element.tag.rpartition("}")[2]
        if name == "c":
            found = {child.tag.rpartition("}")[2]: child.text for child in element}
            if "f" in found and not found.get("v") and element.get("t") != "str":
                raise _UncalculatedError
        if name in ("c", "row"):
            element.clear()


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > ROWS:
            raise OverflowError
        values = [_text(value) for value in row]
        while values and not values[-1].strip():
            values.pop()
        if values:
            yield number, values


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ", "seconds").removesuffix(" 00:00:00")  # which every day has that was written as one
    return str(value).replace("_x000D_", "\r")  # as Excel writes a carriage return


def _number(value: float) -> str:
    """Return a number as it is shown, in 15 digits; one more 0 keeps the point from being taken for thousands."""
    text = f"{value:.15g}"
    return f"{text}0" if re.fullmatch(r"-?\d{1,3}\.\d{3}", text) else text


if __name__ == "__main__":
    sys.exit(main())
