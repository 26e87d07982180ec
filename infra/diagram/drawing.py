"""An architecture as SVG: a column for each tier, in light or dark as the reader's system has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from infra.diagram.architecture import Architecture, Connection, Part, Tier

WIDTH, HEIGHT = 168, 76  # of a box, pixels
ACROSS, DOWN = 84, 56  # between boxes
MARGIN, HEAD = 40, 34  # around all, and above what is in a frame

ENGLISH = {
    "visitor": "Browser",
    "distribution": "CloudFront|HTTPS for everybody",
    "user_pool": "Cognito|who may sign in",
    "load_balancer": "Load balancer|spreads requests",
    "service": "Service",
    "scheduled": "Task by the clock",
    "database": "RDS",
    "file_system": "EFS",
    "task": "task",
    "vpc": "Virtual network (VPC)",
    "cluster": "ECS cluster on Fargate",
    "title": "Architecture of the stack",
}
PORTUGUESE = {
    "visitor": "Navegador",
    "distribution": "CloudFront|HTTPS para todos",
    "user_pool": "Cognito|quem pode entrar",
    "load_balancer": "Load balancer|reparte as requisições",
    "service": "Service",
    "scheduled": "Task com hora marcada",
    "database": "RDS",
    "file_system": "EFS",
    "task": "task",
    "vpc": "Rede virtual (VPC)",
    "cluster": "Cluster do ECS no Fargate",
    "title": "Arquitetura da stack",
}

_STYLE = """
  .b { fill: #ffffff; stroke: #0f766e; stroke-width: 1.5 } .f { fill: none; stroke: #9fb3b3; stroke-dasharray: 5 4 }
  .c { fill: #eef5f4; stroke: #9fb3b3 } text { font: 13px sans-serif; fill: #0b1a1c; text-anchor: middle }
  .t { font-weight: 600 } .h { text-anchor: start; fill: #4b5f61 }
  .p { font-size: 12px; fill: #0f766e; paint-order: stroke; stroke: #ffffff; stroke-width: 5 }
  .a { fill: none; stroke: #4b5f61; stroke-width: 1.5; marker-end: url(#arrow) } #arrow path { fill: #4b5f61 }
  .g { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    .b { fill: #182425; stroke: #14b8a6 } .c { fill: #132021 } text { fill: #e6eeee } .h { fill: #a8b9ba }
    .p { fill: #5eead4; stroke: #0f1819 } .a { stroke: #a8b9ba } #arrow path { fill: #a8b9ba } .g { fill: #0f1819 }
  }
"""


@dataclass(frozen=True)
class Box:
    """Where a part is drawn, in pixels from the left and the top."""

    x: float
    y: float

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre."""
        return self.x + WIDTH / 2, self.y + HEIGHT / 2


def boxes(found: Architecture) -> dict[str, Box]:
    """Return where each part goes: tiers that have none take no room; each column is centred."""
    tiers = [tier for tier in Tier if any(part.tier is tier for part in found.parts)]
    columns = [[part for part in found.parts if part.tier is tier] for tier in tiers]
    tallest = max(map(len, columns))
    placed = {}
    for number, column in enumerate(columns):
        top = MARGIN + 2 * HEAD + (tallest - len(column)) * (HEIGHT + DOWN) / 2
        for row, part in enumerate(_in_order(column, found.connections)):
            placed[part.name] = Box(MARGIN + number * (WIDTH + ACROSS), top + row * (HEIGHT + DOWN))
    return placed


def draw(found: Architecture, words: Mapping[str, str]) -> str:
    """Return the picture, with the words of a language."""
    placed = boxes(found)
    width = max(box.x for box in placed.values()) + WIDTH + MARGIN
    height = max(box.y for box in placed.values()) + HEIGHT + MARGIN + HEAD
    inside = [part for part in found.parts if part.tier >= Tier.ENTRANCE]
    tasks = [part for part in found.parts if part.tier is Tier.TASKS]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(words["title"])}">',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path d="M 0 0 L 10 5 L 0 10 z"/></marker></defs>',
        f'<rect class="g" width="{width:g}" height="{height:g}" rx="8"/>',
        *_frame("f", [placed[part.name] for part in inside], words["vpc"], HEAD),
        *_frame("c", [placed[part.name] for part in tasks], words["cluster"], 0),
    ]
    arrows = [_arrow(one, placed) for one in found.connections]
    lines += [line for line, _ in arrows] + [label for _, label in arrows]  # no line runs through a number
    lines += [line for part in found.parts for line in _box(part, placed[part.name], words)]
    return "\n".join([*lines, "</svg>", ""])


def _in_order(column: list[Part], connections: tuple[Connection, ...]) -> list[Part]:
    """Put who asks another one of the column above it, so that their arrow is short and goes down."""
    names = {part.name for part in column}
    asked = {one.target for one in connections if one.source in names and one.target in names}
    return sorted(column, key=lambda part: part.name in asked)


def _frame(style: str, around: list[Box], title: str, more: float) -> list[str]:
    if not around:
        return []
    pad = 14 + more / 3
    left, top = min(box.x for box in around) - pad, min(box.y for box in around) - HEAD - more
    right, bottom = max(box.x for box in around) + WIDTH + pad, max(box.y for box in around) + HEIGHT + pad
    return [
        f'<rect class="{style}" x="{left:g}" y="{top:g}" width="{right - left:g}" height="{bottom - top:g}" rx="10"/>',
        f'<text class="h" x="{left + 10:g}" y="{top + 20:g}">{escape(title)}</text>',
    ]


def _box(part: Part, box: Box, words: Mapping[str, str]) -> list[str]:
    kind, _, more = words[part.kind].partition("|")
    task = f"{words['task']}: {part.detail}" if part.tier is Tier.TASKS else part.detail
    said = [line for line in (f"{kind} {part.title}".strip(), more, task) if line]
    first = box.y + HEIGHT / 2 - 9 * (len(said) - 1) + 4
    return [
        f'<g data-part="{escape(part.name)}">',
        f'<rect class="b" x="{box.x:g}" y="{box.y:g}" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
        *(
            f'<text class="{"t" if number == 0 else ""}" x="{box.middle[0]:g}" y="{first + 18 * number:g}">'
            f"{escape(line)}</text>"
            for number, line in enumerate(said)
        ),
        "</g>",
    ]


def _arrow(one: Connection, placed: Mapping[str, Box]) -> tuple[str, str]:
    """Return a line, and the number of its port."""
    source, target = placed[one.source], placed[one.target]
    if source.x == target.x:
        down = target.y > source.y
        start = (source.middle[0], source.y + (HEIGHT if down else 0))
        end = (target.middle[0], target.y + (0 if down else HEIGHT))
        label = (start[0] + 26, (start[1] + end[1]) / 2 + 4)
        path = f"M {start[0]:g} {start[1]:g} L {end[0]:g} {end[1]:g}"
        if abs(target.y - source.y) > HEIGHT + DOWN:  # around what lies between
            side = source.x + WIDTH + ACROSS / 3
            path = (
                f"M {source.x + WIDTH:g} {source.middle[1]:g} C {side:g} {source.middle[1]:g} "
                f"{side:g} {target.middle[1]:g} {target.x + WIDTH:g} {target.middle[1]:g}"
            )
            label = (side + 10, (source.middle[1] + target.middle[1]) / 2)
    else:
        start, end = (source.x + WIDTH, source.middle[1]), (target.x, target.middle[1])
        bend = (end[0] - start[0]) / 2
        path = (
            f"M {start[0]:g} {start[1]:g} C {start[0] + bend:g} {start[1]:g} "
            f"{end[0] - bend:g} {end[1]:g} {end[0]:g} {end[1]:g}"
        )
        label = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 - 8)
    return (
        f'<path class="a" data-from="{escape(one.source)}" data-to="{escape(one.target)}" '
        f'data-port="{one.port}" d="{path}"/>',
        f'<text class="p" x="{label[0]:g}" y="{label[1]:g}">{one.port}</text>',
    )
