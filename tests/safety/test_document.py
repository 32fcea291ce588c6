"""docs/safety.md and docs/hardening.md claim nothing that no test shows."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
PAGES = [TESTS.parent / "docs" / f"{name}.md" for name in ("safety", "hardening")]
FILES = {path.name for path in TESTS.rglob("test_*.py")}
NAMES = {
    name for path in TESTS.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_test_that_the_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"`(?:\w+\.py::)?(test_\w+)`", page.read_text()))
    files = set(re.findall(r"`(test_\w+\.py)", page.read_text()))

    assert named
    assert not named - NAMES
    assert not files - FILES


def test_each_bound_that_the_page_claims_names_a_test() -> None:
    text = PAGES[0].read_text()
    bounds = text.partition("\n## What is bounded, and by what\n")[2].partition("\n## ")[0]
    claims = re.split(r"^\*\*", bounds, flags=re.MULTILINE)[1:]

    assert len(claims) > 20
    for claim in claims:
        assert "\n\nTests: `test_" in claim, claim
