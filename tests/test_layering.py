"""Imports run one way, as the sources say."""

import ast
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "cio_mcp"

# What each part of the package may import of the others, besides itself and the version.
ALLOWED = {
    "errors": set[str](),
    "files": set[str](),
    "limits": set[str](),
    "logs": set[str](),
    "traces": set[str](),
    "sandbox": set[str](),
    "databases": {"errors"},
    "settings": {"errors", "limits"},
    "client": {"databases", "errors", "files", "limits"},
    "toolkit": {"client", "errors"},
    "tools": {"client", "errors", "limits", "toolkit"},
    "safety": {"client", "databases", "errors", "files", "settings", "toolkit"},
    "auth": {"client", "errors", "files", "safety", "settings", "toolkit", "tools"},
    "app": {
        *("auth", "client", "errors", "files", "limits", "logs", "safety", "sandbox", "settings", "toolkit"),
        "tools",
    },
    "server": {"app", "auth", "client", "errors", "limits", "safety", "toolkit"},
    "transports": {
        *("app", "auth", "client", "errors", "logs", "safety", "server", "settings", "toolkit", "tools"),
        "traces",
    },
    "asgi": {"transports"},
    "cli": {
        *("app", "auth", "client", "databases", "errors", "files", "logs", "safety", "sandbox", "server"),
        *("settings", "toolkit", "tools", "transports"),
    },
    "__main__": {"cli"},
    "__init__": set[str](),
}

# Who may use what others must not know about.
RESERVED = {
    "mcp": {"cli", "server", "transports"},
    "httpx": {"app", "auth", "cli", "client"},
    "opentelemetry": {"app", "client", "traces"},
    "redis": {"databases"},
    "starlette": {"sandbox", "transports"},
    "os.environ": {"settings", "cli", "traces"},  # traces: the variables are OpenTelemetry's
}


@dataclass(frozen=True)
class Source:
    """A file of the package: where it is, the part it belongs to, and what it uses."""

    place: str
    part: str
    lines: int
    uses: frozenset[str]


def source(path: Path) -> Source:
    text, place = path.read_text(), path.relative_to(PACKAGE)
    uses = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            uses |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            uses |= {f"{node.module}.{alias.name}" for alias in node.names}
    uses |= {"os.environ"} if "os.environ" in text or "os.getenv" in text else set()
    return Source(str(place), place.parts[0].removesuffix(".py"), len(text.splitlines()), frozenset(uses))


SOURCES = [source(path) for path in sorted(PACKAGE.rglob("*.py"))]


def test_a_module_imports_only_what_lies_below_it() -> None:
    upwards = [
        f"{file.place} imports {name}"
        for file in SOURCES
        for name in sorted(file.uses)
        if name.startswith("cio_mcp.")
        and name.split(".")[1] not in ALLOWED.get(file.part, set()) | {file.part, "__version__"}
    ]

    assert not upwards, "\n".join(upwards)


def test_a_module_uses_only_the_libraries_of_its_layer() -> None:
    strangers = [
        f"{file.place} uses {name}"
        for file in SOURCES
        for name in sorted(file.uses)
        for library, users in RESERVED.items()
        if f"{name}.".startswith(f"{library}.") and file.part not in users
    ]

    assert not strangers, "\n".join(strangers)


def test_a_file_can_be_read_in_one_sitting() -> None:
    long = [f"{file.place} has {file.lines} lines" for file in SOURCES if file.lines > 250]

    assert not long, "\n".join(long)
