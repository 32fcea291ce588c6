"""What is installed is what was tested, by its hash."""

import contextlib
import io
import json
import re
import runpy
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PACKAGE = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PACKAGE["project"]
EXTRAS = [text for extra in PROJECT["optional-dependencies"].values() for text in extra]
CHECKS = PACKAGE["dependency-groups"].pop("checks")
GROUPS = [text for group in PACKAGE["dependency-groups"].values() for text in group if isinstance(text, str)]
BARE = [*PROJECT["dependencies"], *PACKAGE["build-system"]["requires"]]
RUNS = [*BARE, *EXTRAS]

LOCKED = re.compile(
    r"^([\w.-]+)==(\S+)([^\\\n]*)\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def locked(name: str) -> dict[str, str]:
    """Return the version of each package of a list; every line of it belongs to one that has hashes."""
    text = (ROOT / ".ci" / name).read_text()
    rest = LOCKED.sub("", text)
    assert all(line.startswith("#") for line in rest.splitlines()), rest
    return {found[1]: found[2] for found in LOCKED.finditer(text)}


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("core.txt", BARE),
        ("requirements.txt", RUNS),
        ("constraints.txt", [*RUNS, *GROUPS]),
        ("checks.txt", CHECKS),
    ],
)
def test_all_that_the_project_needs_is_listed_in_a_version_that_fits_and_with_its_hashes(
    name: str, needs: list[str]
) -> None:
    found = locked(name)
    for need in map(Requirement, needs):
        assert need.specifier.contains(found[canonicalize_name(need.name)], prereleases=True), need


def test_what_is_tested_is_what_runs() -> None:
    bare, runs, tested = map(locked, ("core.txt", "requirements.txt", "constraints.txt"))

    assert bare.items() <= runs.items() <= tested.items()


@pytest.mark.parametrize(
    "path",
    ["Makefile", "Dockerfile", "README.md", ".github/workflows/release.yml", ".github/workflows/hosts.yml"],
)
def test_nothing_is_installed_that_is_not_listed(path: str) -> None:
    lines = [
        line for line in (ROOT / path).read_text().splitlines() if re.search(r"(pip|\$\(PIP\)) install", line)
    ]
    loose = [line for line in lines if "--no-deps" not in line and "install --upgrade uv" not in line]

    assert [line for line in loose if "'cio-mcp[" not in line] == []


def test_the_release_builds_its_image_on_a_digest_and_has_a_bill_of_materials() -> None:
    release, image = (ROOT / ".github/workflows/release.yml").read_text(), (ROOT / "Dockerfile").read_text()

    assert 'echo "named=$base@$digest" >> "$GITHUB_OUTPUT"' in release
    assert "BASE: ${{ steps.base.outputs.named }}" in release
    assert '--build-arg "BASE=$BASE"' in release
    assert re.findall(r"^FROM (\S+)", image, re.MULTILINE) == ["${BASE}", "${BASE}"]
    assert ".ci/bill > dist/" in release


def test_the_bill_of_materials_lists_every_package_with_its_hashes() -> None:
    told = io.StringIO()
    with contextlib.redirect_stdout(told), pytest.raises(SystemExit) as end:
        runpy.run_path(str(ROOT / ".ci" / "bill"), run_name="__main__")
    bill = json.loads(told.getvalue())

    assert end.value.code == 0
    assert bill["bomFormat"] == "CycloneDX"
    assert {part["name"]: part["version"] for part in bill["components"]} == locked("requirements.txt")
    assert all(part["hashes"] for part in bill["components"])


def test_no_list_names_where_packages_come_from() -> None:
    for path in [*(ROOT / ".ci").iterdir(), ROOT / "Makefile", ROOT / "Dockerfile", ROOT / "README.md"]:
        assert not re.search(
            r"py" + r"pi\.org|python" + r"hosted|--index-url|--find-links", path.read_text()
        ), path
