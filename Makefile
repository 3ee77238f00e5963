# Everything runs in a .venv made here. `make demo` and `make test` need Python 3.11+ and make, nothing else.
PYTHON ?= python3
UV_VERSION = 0.13.9
VENV = .venv
BIN = $(VENV)/bin
UV = $(BIN)/uv

.DEFAULT_GOAL := help
.PHONY: help setup browser demo test check format coverage bench docs examples soak matrix lock clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; '$(PYTHON)' is $$($(PYTHON) -V). Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(BIN)/uv
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --require-hashes -r requirements/dev.txt
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --no-index -e .
	@touch $@

# The published 0.0.18 in an environment of its own: the client we did not write.
$(VENV)/.peer: requirements/peer.txt | $(BIN)/uv
	@$(UV) venv --quiet --clear --python $(BIN)/python $(VENV)/peer
	@VIRTUAL_ENV=$(VENV)/peer $(UV) pip install --quiet --require-hashes -r requirements/peer.txt
	@touch $@

# What we are measured against, beside our own: too much to load into every test run.
$(VENV)/.bench: requirements/bench.txt requirements/dev.txt pyproject.toml | $(BIN)/uv
	@$(UV) venv --quiet --clear --python $(BIN)/python $(VENV)/bench
	@for name in dev bench; do VIRTUAL_ENV=$(VENV)/bench $(UV) pip install --quiet --require-hashes -r requirements/$$name.txt || exit 1; done
	@VIRTUAL_ENV=$(VENV)/bench $(UV) pip install --quiet --no-deps --no-build-isolation --no-index -e .
	@touch $@

setup: $(VENV)/.dev $(VENV)/.peer ## Make the environment that everything below uses

browser: ## Install Chromium for the tests of the report, where apt can; without it they are skipped
	@command -v chromium >/dev/null || { command -v apt-get >/dev/null && apt-get -qq update && \
		apt-get -qq install -y --no-install-recommends chromium fonts-dejavu-core >/dev/null; } || \
		echo "Chromium cannot be had here: the tests that need it will be skipped"

demo: $(VENV)/.dev ## Play a scripted phone conversation against the example agent
	@$(BIN)/sayna-testing demo

test: setup ## Run the test suite
	@$(BIN)/python -m pytest -n auto

check: setup ## Lint, types (mypy and pyright, both strict), import directions
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/pyright
	@$(BIN)/lint-imports

format: setup ## Format and fix what can be fixed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup $(VENV)/.bench ## Compare speed and size with others, side by side in one run
	@for one in benchmarks/*.py; do echo "# $$one"; $(BIN)/python $$one || failed=1; done; exit $${failed:-0}

$(VENV)/.docs: requirements/docs.txt | $(BIN)/uv
	@$(UV) venv --quiet --clear --python $(BIN)/python $(VENV)/docs
	@VIRTUAL_ENV=$(VENV)/docs $(UV) pip install --quiet --require-hashes -r requirements/docs.txt
	@touch $@

docs: setup $(VENV)/.docs ## Build the documentation into site/, with the reference written anew
	@$(BIN)/python docs/generate.py >/dev/null
	@$(VENV)/docs/bin/zensical build --clean --strict

coverage: setup ## Run the test suite and show the lines and branches that it misses
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n auto
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --fail-under=100

# A user's project: nothing but the built wheel. Without the extra the plugin keeps out of the way.
examples: setup ## Run the tests of the example projects against the built wheel, in a clean environment
	@rm -rf $(VENV)/examples
	@$(BIN)/python -m build --wheel --no-isolation -o $(VENV)/examples/dist . >/dev/null
	@sed -n 's/ \\$$//; /^[a-z].*==/p' requirements/dev.txt >$(VENV)/examples/pins.txt
	@for env in plain full; do $(UV) venv --quiet --python $(BIN)/python $(VENV)/examples/$$env || exit 1; done
	@VIRTUAL_ENV=$(VENV)/examples/plain $(UV) pip install --quiet -c $(VENV)/examples/pins.txt $(VENV)/examples/dist/*.whl pytest
	@cd $(VENV)/examples && echo "def test_plain(): import sayna_client, sayna_testing" >test_plain.py && \
		plain/bin/python -m pytest -q -W error -c /dev/null --rootdir . test_plain.py
	@VIRTUAL_ENV=$(VENV)/examples/full $(UV) pip install --quiet -c $(VENV)/examples/pins.txt "$$(echo $(VENV)/examples/dist/*.whl)[testing]" fastapi
	@cp -r docs/examples $(VENV)/examples/projects
	@cd $(VENV)/examples/projects && for project in */test_*.py; do PYTHONPATH=. ../full/bin/python -m pytest -q -W error \
		-o asyncio_default_fixture_loop_scope=function -c /dev/null --rootdir . $$(dirname $$project) || exit 1; done

RUNS = 3.11-dev 3.12-dev 3.13-dev 3.11-lowest
TESTS = tests
matrix: $(VENV)/.peer ## Run the test suite with every supported Python, and with the oldest dependencies
	@for run in $(RUNS); do \
		python=python$${run%-*}; requirements=requirements/$${run#*-}.txt; export VIRTUAL_ENV=$(VENV)/matrix/$$run; \
		$$python -c "" 2>/dev/null || { echo "== $$python is not on PATH: skipped"; continue; }; \
		echo "== $$($$python -V), $$requirements"; \
		$(UV) venv --quiet --clear --python "$$(command -v $$python)" $$VIRTUAL_ENV && \
		$(UV) pip install --quiet --require-hashes -r $$requirements && \
		$(UV) pip install --quiet --no-deps --no-build-isolation --no-index -e . && \
		$$VIRTUAL_ENV/bin/python -m pytest -q -n auto $(TESTS) || exit 1; \
	done

soak: setup ## Ten minutes of mixed traffic with faults; SECONDS=60 makes it one
	@$(BIN)/python -W error -X dev -m tests.soak --seconds $(SECONDS)
SECONDS = 600

COMPILE = pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-annotate --no-header
lock: | $(BIN)/uv ## Pin and hash the requirements again
	@$(UV) $(COMPILE) --generate-hashes pyproject.toml --extra testing --extra media requirements/dev.in -o requirements/dev.txt
	@$(UV) $(COMPILE) --resolution lowest-direct pyproject.toml --extra testing --extra media -o $(VENV)/lowest.txt
	@rm -f requirements/lowest.txt  # old pins would be preferred
	@$(UV) $(COMPILE) --generate-hashes -c $(VENV)/lowest.txt pyproject.toml --extra testing --extra media requirements/dev.in \
		-o requirements/lowest.txt
	@for name in docs bench peer; do $(UV) $(COMPILE) --generate-hashes requirements/$$name.in -o requirements/$$name.txt || exit 1; done

clean: ## Remove the environment and build leftovers
	@rm -rf $(VENV) build dist site .coverage .coverage.* .hypothesis
