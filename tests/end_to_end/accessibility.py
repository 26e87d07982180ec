"""What axe-core, run in a page, finds wrong with it for people who use assistive technology."""

from typing import Any

from playwright.sync_api import Page

from testkit.tools import ROOT

AXE = ROOT / "node_modules/axe-core/axe.min.js"
IMPACTS = ("serious", "critical")


def violations(page: Page) -> list[str]:
    """Return a line for each rule the page violates seriously or critically: its id, what is wrong, and where first."""
    page.evaluate(AXE.read_text(encoding="utf-8"))  # not as a script of the page, which its policy refuses
    result: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{found['id']} ({found['impact']}, {len(found['nodes'])}×): {found['help']}: {found['nodes'][0]['html']}"
        for found in result["violations"]
        if found["impact"] in IMPACTS
    ]
