# `make demo` and `make test` do all set-up on a machine that has Python 3.11+, git and make.
# `make PYTHON=python3.13 test` runs them on another Python, which gets an environment of its own.

PYTHON ?= python3
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
VENV ?= .venv$(if $(filter-out python3,$(PYTHON)),-$(VERSION))
BIN := $(VENV)/bin
# Whatever the machine has set: tests start many processes, and each would compile all that it imports.
export PYTHONDONTWRITEBYTECODE :=

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test test-fast lint fix compat constraints clean

demo: $(VENV)/installed ## the main operations on the embedded sandbox, no account needed
	@$(BIN)/cio-mcp demo

test: $(VENV)/ready ## every test, on all cores, with branch coverage
	@$(BIN)/python -m pytest --numprocesses=auto --dist=loadgroup --cov --cov-report=term $(ARGS)

test-fast: $(VENV)/ready ## the tests that start no process
	@$(BIN)/python -m pytest -m "not processes" $(ARGS)

lint: $(VENV)/ready ## style, types, and what git tracks
	@.ci/tracked
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

fix: $(VENV)/ready ## mend style, write generated lists anew
	@$(BIN)/ruff format .
	@$(BIN)/python -m tests.generated
	@$(BIN)/ruff check --fix .

compat: $(VENV)/ready ## frameworks, SDKs and tools of others, in their newest versions; needs npm
	@VENV=$(VENV) tests/compat/run $(ARGS)

constraints: $(VENV)/made ## the versions that CI and the image install: the newest that fit
	@$(PIP) install --upgrade uv
	@VENV=$(VENV) .ci/constrain $(ARGS)

clean: ## forget everything that was set up
	rm -rf .venv .venv-* .cache .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	"cio-mcp needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 demo")'
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# Nothing is installed that is not in these lists, by its hash; what builds the package is among it.
$(VENV)/installed: $(VENV)/made pyproject.toml .ci/requirements.txt
	@$(PIP) install --require-hashes --no-deps --requirement .ci/requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/ready: $(VENV)/installed .ci/constraints.txt
	@$(PIP) install --require-hashes --no-deps --requirement .ci/constraints.txt
	@touch $@
