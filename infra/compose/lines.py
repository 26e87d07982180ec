"""Where in a compose file a key is."""

from pathlib import Path

import yaml


def line_of(file: Path, service: str, key: str) -> int:
    """Return the line (from 1) of a dotted key of a service, or of the nearest above it that is there.

    What comes in by `<<` is found where the service itself stands.
    """
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, yaml.YAMLError):
        return 1
    line = 1
    for part in ("services", service, *key.split(".")):
        if not isinstance(node, yaml.MappingNode):
            break
        found = next(((k, v) for k, v in node.value if k.value == part), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line
