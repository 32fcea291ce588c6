"""Imports run one way, as the sources say."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "cio_mcp"

# What each part of the package may import of the others, besides itself and the version.
ALLOWED = {
    "errors": set[str](),
    "limits": set[str](),
    "logs": set[str](),
    "traces": set[str](),
    "sandbox": set[str](),
    "settings": {"errors", "limits"},
    "redis": {"errors"},
    "client": {"errors", "limits", "redis"},
    "toolkit": {"client", "errors"},
    "tools": {"client", "errors", "toolkit"},
    "safety": {"client", "errors", "redis", "toolkit"},
    "callers": {"client", "errors", "safety", "settings", "toolkit"},
    "server": {"callers", "client", "errors", "limits", "logs", "safety", "toolkit"},
    "status": {"client", "safety", "settings", "toolkit"},
    "workspace": {"client", "limits", "safety", "settings", "tools"},
    "app": {
        *("callers", "client", "errors", "limits", "safety", "sandbox", "server", "settings", "status"),
        *("toolkit", "tools", "workspace"),
    },
    "http": {"app", "callers", "client", "errors", "safety", "settings"},
    "stdio": {"app", "settings", "traces"},
    "asgi": {"app", "http", "logs", "settings", "traces"},
    "cli": {
        *("app", "asgi", "callers", "client", "errors", "redis", "safety", "server", "settings", "toolkit"),
        *("tools", "workspace"),
    },
    "__main__": {"cli"},
    "__init__": set[str](),
}

# Who may use what others must not know about.
RESERVED = {
    "mcp": {"asgi", "cli", "http", "server"},
    "httpx": {"app", "callers", "cli", "client"},
    "opentelemetry": {"client", "server", "traces"},
    "redis": {"redis"},
    "starlette": {"asgi", "http", "sandbox"},
    "os.environ": {"settings", "cli", "traces"},  # traces: the variables are OpenTelemetry's
}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


SOURCES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_lies_below_it(path: Path) -> None:
    part = part_of(path)
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("cio_mcp.")}

    assert ours - {part, "__version__"} <= ALLOWED[part]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_uses_only_the_libraries_of_its_layer(path: Path) -> None:
    used = {library for library in RESERVED for name in imports(path) if f"{name}.".startswith(f"{library}.")}
    used |= {"os.environ"} if "os.environ" in path.read_text() or "os.getenv" in path.read_text() else set()

    assert all(part_of(path) in RESERVED[library] for library in used)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 260
