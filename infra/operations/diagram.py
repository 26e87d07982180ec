"""`make diagram`: the pictures of the architecture in docs/images, drawn from the template of prod."""

import sys
from pathlib import Path

from infra.diagram.architecture import architecture
from infra.diagram.drawing import ENGLISH, PORTUGUESE, draw
from infra.operations.pricing import TemplateError, synthesised

ENVIRONMENT = "prod"  # which has all there is
PICTURES = {"architecture.svg": ENGLISH, "architecture.pt-BR.svg": PORTUGUESE}


def main() -> int:
    """Draw them, or say why not."""
    try:
        found = architecture(synthesised(ENVIRONMENT))
    except (TemplateError, OSError) as error:
        print(f"make diagram: {error}", file=sys.stderr)
        return 1
    for name, words in PICTURES.items():
        path = Path("docs/images") / name
        path.write_text(draw(found, words), encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
