"""What of a build's context its image is made from: only what the Dockerfile copies, and nothing that is secret.

An image is named after the hash of these files. So a change elsewhere in the context makes no new image and replaces no
task, and what a repository's own .dockerignore forgets stays where it is.
"""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from infra.compose.model import Build

NEVER = (".env", ".git", ".venv", "node_modules", "cdk.out", ".data")
"""What no image is made from, whatever names it."""

UNLESS_NAMED = (".env*", "*.pem", "*.key", "*.p12", "*.pfx", "id_rsa*", "id_ed25519*", "*.sql.gz", "*.dump")
"""What none is made from either, unless the Dockerfile copies it, or .dockerignore lets it in, by its name."""

_SPECIAL = re.compile(r"[*?\[\]!#\\]")
_EVERYTHING = PurePosixPath()


def excluded(build: Build) -> list[str]:
    """Return patterns, as in a .dockerignore and to be read after the context's own, of what stays out of the image."""
    sources = _sources(build)
    used = {*sources, PurePosixPath(build.dockerfile), PurePosixPath(f"{build.dockerfile}.dockerignore")}
    named = [source for source in (*sources, *_let_in(build.context)) if _is_below_any(source, used)]
    return [
        *_unused(build.context, used),
        *(f"**/{pattern}" for pattern in UNLESS_NAMED),
        *(f"!{path}" for path in named if any(fnmatchcase(path.name, pattern) for pattern in UNLESS_NAMED)),
        *(f"**/{pattern}" for pattern in NEVER),
    ]


def _unused(context: Path, used: set[PurePosixPath]) -> Iterator[str]:
    """Yield every entry of the context that nothing in it is used of."""
    if _EVERYTHING in used:
        return
    left = [_EVERYTHING]
    while left:
        for entry in sorted((context / left.pop()).iterdir()):
            path = PurePosixPath(entry.relative_to(context).as_posix())
            if _is_below_any(path, used):
                continue
            if any(path in source.parents for source in used) and not entry.is_symlink():
                left.append(path)
            else:
                yield _SPECIAL.sub("?", str(path))


def _is_below_any(path: PurePosixPath, others: set[PurePosixPath]) -> bool:
    return not others.isdisjoint({path, *path.parents})


def _let_in(context: Path) -> list[PurePosixPath]:
    """Return what the context's .dockerignore lets in again."""
    file = context / ".dockerignore"
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    return [_path(line.strip()[1:]) for line in lines if line.startswith("!") and not _SPECIAL.search(line[1:])]


def _sources(build: Build) -> set[PurePosixPath]:
    """Return what the build's target takes from the context; the context itself when that is unclear."""
    try:
        stages = _stages((build.context / build.dockerfile).read_text(encoding="utf-8"))
        return set(_needed(stages, build.target))
    except ValueError:
        return {_EVERYTHING}


def _stages(text: str) -> list[tuple[str, str, list[str]]]:
    """Return name, base and instructions of each stage."""
    if re.search(r"<<-?[\"']?\w|^\s*#\s*escape\s*=", text, re.MULTILINE):
        raise ValueError("not every line is an instruction")
    text = re.sub(r"^\s*#.*\n?", "", text, flags=re.MULTILINE)
    stages: list[tuple[str, str, list[str]]] = []
    for line in re.sub(r"\\[ \t]*\n", " ", text).splitlines():
        if match := re.match(r"\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", line, re.IGNORECASE):
            stages.append(((match[2] or "").lower(), match[1].lower(), []))
        elif stages:
            stages[-1][2].append(line.strip())
    if not stages:
        raise ValueError("there is no stage")
    return stages


def _needed(stages: Sequence[tuple[str, str, list[str]]], target: str | None) -> Iterator[PurePosixPath]:
    """Yield what the target, the last stage without one, and the stages that it is made from take from the context."""
    names = [name for name, _, _ in stages]
    if target is not None and target.lower() not in names:
        raise ValueError(f"there is no stage {target}")
    left, done = [names.index(target.lower()) if target is not None else len(stages) - 1], set[int]()
    while left:
        index = left.pop()
        if index in done:
            continue
        done.add(index)
        _, base, instructions = stages[index]
        if base.startswith("$"):
            raise ValueError("a variable says what it is made from")
        left += [names.index(base)] if base in names[:index] else []
        for origin, source in (pair for line in instructions for pair in _taken(line)):
            if "$" in origin + source:
                raise ValueError("a variable says what is taken")
            if not origin:
                yield _path(source)
            elif origin in names[:index]:
                left.append(names.index(origin))
            elif origin.isdigit() and int(origin) < index:
                left.append(int(origin))


def _taken(line: str) -> Iterator[tuple[str, str]]:
    """Yield the stage or image, empty for the context, and the path of what an instruction takes from elsewhere."""
    instruction, _, rest = line.partition(" ")
    if instruction.upper() in ("COPY", "ADD"):
        flags = re.match(r"(?:\s*--\S+)*", rest)
        said, rest = (flags[0], rest[flags.end() :].strip()) if flags else ("", rest)
        origin = re.search(r"--from=(\S+)", said)
        words = json.loads(rest) if rest.startswith("[") else shlex.split(rest)
        for source in words[:-1]:
            if not source.startswith("<<") and "://" not in source:
                yield (origin[1].lower() if origin else ""), source
    elif instruction.upper() == "RUN":
        for mount in re.findall(r"--mount=(\S+)", rest):
            options = dict(option.partition("=")[::2] for option in mount.split(","))
            origin_of_mount = options.get("from", "").lower()
            if options.get("type", "bind") == "bind" or origin_of_mount:
                yield origin_of_mount, options.get("source") or options.get("src") or "."
    elif instruction.upper() == "ONBUILD":
        raise ValueError("what it takes is up to another build")


def _path(text: str) -> PurePosixPath:
    """Return a path below the context, which is the root of all paths; of a pattern, the directory above it."""
    plain = re.split(r"[*?\[\\]", text)[0]
    parts = PurePosixPath(text if plain == text else plain.rpartition("/")[0]).parts
    if ".." in parts:
        raise ValueError("leads out of the context")
    return PurePosixPath(*(part for part in parts if part != "/"))
