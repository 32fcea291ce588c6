"""What a maintainer pushes: workflows, the image, the manifest. `make files` runs their own checkers."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from cio_mcp.settings import load, variables

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))


def loaded(path: Path) -> Any:
    """Return what a file of YAML holds."""
    return YAML(typ="safe", pure=True).load(path.read_text())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_write_only_where_a_job_says_so_and_ends_by_itself(path: Path) -> None:
    workflow = loaded(path)

    assert workflow["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


def test_every_python_that_the_package_takes_is_tested() -> None:
    jobs = loaded(ROOT / ".github/workflows/test.yml")["jobs"]
    tested = {*jobs["fast"]["strategy"]["matrix"]["python"]}
    tested |= {step["with"]["python-version"] for step in jobs["whole"]["steps"] if "with" in step}

    assert tested == {"3.11", "3.12", "3.13", "3.14"}


def test_nothing_is_published_with_a_key_that_somebody_keeps() -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text()

    assert re.findall(r"\$\{\{ *secrets\.", text) == []
    assert "id-token: write" in text


def test_make_has_every_target_that_a_workflow_runs() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    texts = [path.read_text() for path in WORKFLOWS]
    asked = {
        name
        for text in texts
        for names in re.findall(r"run: make ([a-z -]+)$", text, re.MULTILINE)
        for name in names.split()
    }

    assert asked
    assert asked <= targets


def test_the_manifest_runs_what_the_program_takes() -> None:
    objects = list(YAML(typ="safe", pure=True).load_all((ROOT / "kubernetes/cio-mcp.yaml").read_text()))
    (deployment,) = (one for one in objects if one["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    env = {one["name"]: one["value"] for one in container["env"]}

    assert {name.removesuffix("_FILE") for name in env} <= {*variables(), "CIO_TOKENS"}
    plain = {name: value for name, value in env.items() if not name.endswith("_FILE")}
    assert load(plain).stateless
    assert pod["terminationGracePeriodSeconds"] > load({}).drain
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        assert container[probe]["httpGet"]["path"] in {"/healthz", "/readyz"}
    assert (
        f"useradd --create-home --uid {pod['securityContext']['runAsUser']} "
        in (ROOT / "Dockerfile").read_text()
    )
