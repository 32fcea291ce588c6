"""What the docs show and no test runs from there, each with the reason."""

# By how a command begins. Those of cio-mcp are read by its own parser all the same.
NOT_RUN = {
    "cio-mcp setup": "asks a person; tests/cli/test_setup.py drives it at a terminal",
    "cio-mcp config": "writes a client's file; tests/cli/test_config.py and test_clients.py do it",
    "cio-mcp doctor": "examines this machine; tests/cli/test_doctor.py",
    "cio-mcp serve": "runs until it is ended; tests/transports/test_transports.py",
    "cio-mcp sandbox": "runs until it is ended; tests/cli/test_sandbox.py",
    "cio-mcp stop": "stops every server of this user; tests/safety/",
    "cio-mcp resume": "the same",
    "cio-mcp token": "writes a file of tokens; tests/auth/test_tokens.py",
    "cio-mcp tools": "tests/cli/test_tools.py",
    "cio-mcp export": "needs the reader's workspace; tests/cli/test_export.py",
    "cio-mcp load": "needs the reader's file; tests/cli/load/",
    "cio-mcp templates": "tests/cli/test_templates.py, with the calls of docs/templates.md",
    "cio-mcp audit": "needs a record; tests/safety/audit/",
    "cio-mcp$": "waits for a client; tests/transports/test_stdio.py",
    "cio-mcp call set_loyalty_tier": "needs the example's package; tests/test_extensions.py installs it",
    r"(?:\S+=\S+ ?)+$": "settings alone; each that is named is one that the program has",
    "kill ": "ends the reader's own server",
    "systemctl ": "acts on the reader's machine",
    "make ": "each target is a job of CI",
    "(pipx|uv tool) install": "make first-call installs the wheel by both runners",
    "uvx ": "make first-call runs it",
    "python3 -m venv": "the Makefile's own first step",
    "\\S*pip install": "the Makefile's own second step, and the README's for a person's own environment",
    "export ": "sets a variable for the commands below it",
    "claude ": "needs Claude Code and an account",
    "curl ": "tests/cli/test_sandbox.py asks the same with httpx",
    "openssl ": "makes a secret for the reader",
    "docker ": "no engine is at hand",
    "npx ": "make bundle and make compat run the same programs",
}

# By page and language, where a block is not even read as what it is.
NOT_READ = {
    ("docs/operations.md", "nginx"): "make compat runs nginx with a configuration of the same form",
    ("docs/sandbox.md", "text"): "what tests/sandbox/test_explaining.py reads, as a person sees it",
    ("docs/sandbox.md", "js"): "make compat ARGS=sandbox runs the SDK for Node.js on the sandbox",
    ("docs/frameworks/typescript.md", "js"): "make compat ARGS=frameworks runs exactly these modules",
    ("docs/recipes/nightly-agent.md", "ini"): "a unit of systemd, for the reader's machine",
}
