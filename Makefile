# `make demo` and `make test` do all set-up on a machine that has Python 3.11+, git and make.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test lint fix compat constraints clean

demo: .venv/installed ## the main operations on the embedded sandbox, no account needed
	@$(BIN)/cio-mcp demo

test: .venv/ready ## every test, with branch coverage
	@$(BIN)/python -m pytest --cov --cov-report=term $(ARGS)

lint: .venv/ready ## style, types, and what git tracks
	@.ci/tracked
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

fix: .venv/ready ## mend style, write generated lists anew
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/python -m tests.generated

compat: .venv/ready ## frameworks, SDKs and tools of others, in their newest versions; needs npm
	@tests/compat/run $(ARGS)

constraints: .venv/made ## the versions that CI installs: the newest that fit
	@$(PIP) install --upgrade --upgrade-strategy eager --editable ".[otel,redis]" --group dev
	@{ head -n 2 .ci/constraints.txt; $(PIP) freeze --exclude-editable; } > .venv/constraints.txt
	@mv .venv/constraints.txt .ci/constraints.txt

clean: ## forget everything that was set up
	rm -rf .venv .cache .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	"cio-mcp needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 demo")'
	@echo "Setting up .venv ..."
	@$(PYTHON) -m venv .venv
	@$(PIP) install --upgrade "pip>=25.1"
	@touch $@

.venv/installed: .venv/made pyproject.toml .ci/constraints.txt
	@$(PIP) install --constraint .ci/constraints.txt --editable .
	@touch $@

.venv/ready: .venv/installed
	@$(PIP) install --constraint .ci/constraints.txt --editable ".[otel,redis]" --group dev
	@touch $@
