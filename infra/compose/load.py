"""Compose YAML -> plain data: dicts with string keys, lists and scalars, as Docker Compose reads them."""

import re
from collections.abc import Iterable
from typing import Any

import yaml


def load(text: str) -> Any:
    """Parse one YAML document, with anchors and `<<`; raises ValueError with one sentence naming the line."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        return None if node is None else loader.construct_object(node, deep=True)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise ValueError(f"not valid YAML{line}: {' '.join(filter(None, [error.context, error.problem]))}") from None
    except yaml.reader.ReaderError as error:
        line_number = text.count("\n", 0, error.position) + 1
        raise ValueError(f"not valid YAML, line {line_number}: a character that YAML does not allow") from None


class _Loader(yaml.SafeLoader):
    """YAML 1.2 scalars, as Compose has them: `yes`, `no`, `on`, `off` and `22:22` are strings."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own way)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        if isinstance(node, yaml.MappingNode):
            self._refuse_duplicates(node)
            self.flatten_mapping(node)
        return {self._name(key): self.construct_object(value, deep=deep) for key, value in node.value}

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        # PyYAML leaves both the merged and the overriding pair: keep the last, or it looks like a duplicate next time.
        super().flatten_mapping(node)
        node.value = list({self._name(key): (key, value) for key, value in node.value}.values())

    def _refuse_duplicates(self, node: yaml.MappingNode) -> None:
        seen = set()
        for key, _ in node.value:
            name = self._name(key)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{name!r} is there twice", key.start_mark)
            seen.add(name)

    def _name(self, key: yaml.Node) -> str:
        if key.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
            raise yaml.constructor.ConstructorError(None, None, "a key must be a string: quote it", key.start_mark)
        return str(key.value)


def _resolve(tag: str, pattern: str, first: Iterable[str]) -> None:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{pattern})$"), list(first))


_resolve("merge", "<<", "<")
_resolve("null", "~|null|Null|NULL|", ["~", "n", "N", ""])
_resolve("bool", "true|True|TRUE|false|False|FALSE", "tTfF")
_resolve("int", "[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[1-9][0-9_]*|0)", "-+0123456789")
_resolve("float", r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789")
_resolve("timestamp", r"\d{4}-\d\d?-\d\d?([Tt\s].*)?", "0123456789")


def _integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node)).replace("_", "")
    return int(re.sub(r"^([-+]?)0o?(?=[0-7])", r"\g<1>0o", text), 0)


def _float(_: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    return float(node.value)


def _timestamp(_: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    # Compose rewrites 2024-01-01 as 2024-01-01 00:00:00 +0000 UTC, which nobody means.
    raise yaml.constructor.ConstructorError(None, None, f"quote the date {node.value}", node.start_mark)


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _timestamp)
