"""What the sources must hold to: imports run one way, files stay short, SQL runs on every Python."""

import ast
import re
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

pytestmark = pytest.mark.repeating

PACKAGE = Path(__file__).parent.parent / "cio_mcp"

# What each part of the package imports of the others, besides itself and the version: of those above it here.
ALLOWED = {
    "errors": set[str](),
    "files": set[str](),
    "limits": set[str](),
    "logs": set[str](),
    "traces": set[str](),
    "liquid": set[str](),
    "pictures": set[str](),
    "sandbox": {"liquid"},
    "databases": {"errors", "files"},
    "settings": {"errors", "files", "limits"},
    "client": {"databases", "errors", "limits"},
    "toolkit": {"client", "errors", "liquid"},
    "tools": {"client", "errors", "limits", "liquid", "toolkit"},
    "safety": {"client", "databases", "errors", "files", "settings", "toolkit"},
    "auth": {"client", "errors", "files", "safety", "settings", "toolkit"},
    "app": {
        *("auth", "client", "errors", "files", "limits", "logs", "pictures", "safety", "sandbox"),
        *("settings", "toolkit", "tools"),
    },
    "server": {"app", "auth", "client", "errors", "limits", "pictures", "safety", "toolkit"},
    "transports": {
        *("app", "auth", "client", "errors", "logs", "safety", "server", "settings", "toolkit", "traces"),
    },
    "asgi": {"transports"},
    "testing": {"sandbox"},
    "cli": {
        *("app", "auth", "client", "databases", "errors", "files", "logs", "pictures", "safety", "sandbox"),
        *("server", "settings", "toolkit", "tools", "transports"),
    },
    "__main__": {"cli"},
    "__init__": set[str](),
}

# The rooms of the toolkit. Each imports of the toolkit only those before it; the registry stands above them.
ROOMS = ("arguments", "answers", "metrics", "texts", "people", "rows")

# Who may use what others must not know about.
RESERVED = {
    "liquid": {"liquid"},
    "babel": {"liquid"},
    "mcp": {"cli", "server", "transports"},
    "httpx": {"app", "auth", "cli", "client", "testing"},
    "opentelemetry": {"app", "client", "traces"},
    "keyring": {"settings"},
    "redis": {"databases"},
    "resvg_py": {"pictures"},
    "ruamel": {"cli"},
    "starlette": {"transports"},
    "tomlkit": {"cli"},
    "os.environ": {"settings", "cli", "traces"},  # traces: the variables are OpenTelemetry's
}


# A placeholder such as ?1, after a word of SQL.
NUMBERED = re.compile(r"\b(?:SELECT|VALUES|SET|WHERE|AND|OR|BY)\b.*\?\d")


@dataclass(frozen=True)
class Source:
    """A file of the package: where it is, the part it belongs to, and what it uses."""

    place: str
    part: str
    lines: int
    uses: frozenset[str]


def module_of(place: str) -> str:
    return ".".join(("cio_mcp", *Path(place).with_suffix("").parts)).removesuffix(".__init__")


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def source(path: Path) -> Source:
    text, place = path.read_text(encoding="utf-8"), path.relative_to(PACKAGE)
    uses = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            uses |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            uses |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call):
            uses |= by_name(node)
    uses |= {"os.environ"} if "os.environ" in text or "os.getenv" in text else set()
    return Source(str(place), place.parts[0].removesuffix(".py"), len(text.splitlines()), frozenset(uses))


def by_name(call: ast.Call) -> set[str]:
    """Return the module that a call imports by its name, as far as the name is written there."""
    what = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if what not in {"import_module", "__import__"}:
        return set()
    name = call.args[0].values[0] if isinstance(call.args[0], ast.JoinedStr) else call.args[0]
    assert isinstance(name, ast.Constant), f"nobody can tell what {ast.unparse(call)} imports"
    return {str(name.value)}


def floor(module: str) -> int:
    """Return how high a module of the toolkit lies."""
    rooms = [f"{module}.".startswith(f"cio_mcp.toolkit.{room}.") for room in ROOMS]
    return rooms.index(True) if any(rooms) else len(ROOMS)


@cache
def sources() -> list[Source]:
    return [source(path) for path in sorted(PACKAGE.rglob("*.py"))]


def test_a_module_imports_only_what_lies_below_it() -> None:
    upwards = [
        f"{file.place} imports {name}"
        for file in sources()
        for name in sorted(file.uses)
        if name.startswith("cio_mcp.")
        and name.split(".")[1] not in ALLOWED.get(file.part, set()) | {file.part, "__version__"}
    ]
    upstairs = [
        f"{file.place} imports {name}"
        for file in sources()
        for name in sorted(file.uses)
        if file.part == "toolkit" and name.startswith("cio_mcp.toolkit.")
        if floor(name) > floor(module_of(file.place))
    ]

    assert not upwards + upstairs, "\n".join(upwards + upstairs)


def test_parts_lie_one_above_the_other_and_import_all_that_they_may() -> None:
    parts = list(ALLOWED)
    used: dict[str, set[str]] = {part: set() for part in parts}
    for file in sources():
        used[file.part] |= {name.split(".")[1] for name in file.uses if name.startswith("cio_mcp.")}

    assert set(ROOMS) == {path.parent.name for path in PACKAGE.glob("toolkit/*/__init__.py")}
    for part, allowed in ALLOWED.items():
        assert allowed <= set(parts[: parts.index(part)])
        assert allowed <= used[part]


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not even in a function, or for types alone."""
    named = {module_of(file.place): file for file in sources()}
    imports = {
        module: {other for name in file.uses for other in (name, name.rpartition(".")[0]) if other in named}
        for module, file in named.items()
    }
    for module, others in imports.items():  # a package's face is imported before whatever is in it
        others -= {other for other in others if f"{module}.".startswith(f"{other}.")}

    TopologicalSorter(imports).prepare()  # raises CycleError, which names the modules


def test_a_module_uses_only_the_libraries_of_its_layer() -> None:
    strangers = [
        f"{file.place} uses {name}"
        for file in sources()
        for name in sorted(file.uses)
        for library, users in RESERVED.items()
        if f"{name}.".startswith(f"{library}.") and file.part not in users
    ]

    assert not strangers, "\n".join(strangers)


def test_a_file_can_be_read_in_one_sitting() -> None:
    long = [f"{file.place} has {file.lines} lines" for file in sources() if file.lines > 250]

    assert not long, "\n".join(long)


# Functions that take an encoding, and the number of arguments with which they have one.
TEXT = {"read_text": 1, "write_text": 2}


def test_text_is_read_and_written_as_utf_8_whatever_the_host_has_set() -> None:
    careless = [
        f"{path.relative_to(PACKAGE)}:{call.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for call in nodes(path)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and len(call.args) < TEXT.get(call.func.attr, 0)
        and not any(keyword.arg == "encoding" for keyword in call.keywords)
    ]

    assert not careless


def test_no_statement_numbers_its_placeholders() -> None:
    """Python 3.12.1 warns of `?1` with a sequence, and 3.14 refuses it: `?` in turn, or `:name`."""
    numbered = [
        f"{path.name}:{node.lineno} {node.value}"
        for tree in (PACKAGE, Path(__file__).parent)
        for path in sorted(tree.rglob("*.py"))
        if re.search(r"\?\d", path.read_text(encoding="utf-8"))  # to parse all of them takes seconds
        for node in nodes(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and NUMBERED.search(node.value)
    ]

    assert not numbered, "\n".join(numbered)
