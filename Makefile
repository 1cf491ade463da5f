# `make demo` and `make test` need only Python 3.11+ and make; they set up the rest.
.DEFAULT_GOAL := help
.PHONY: help demo test checks lint types layers unit soak mutate calibrate debt-bench bench docs clean
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Solvent needs Python 3.11 or newer; set PYTHON=...'; exit 2; }
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --clear --python $(PYTHON) $(VENV) && \
		VIRTUAL_ENV=$(VENV) uv pip install --quiet --compile-bytecode -e '.[dev]'; \
	else \
		$(PYTHON) -m venv --clear $(VENV) && $(BIN)/pip install --quiet --no-compile --disable-pip-version-check -e '.[dev]'; \
	fi
	@touch $@

demo: $(STAMP) ## live two real models' lives on real data (four to ten minutes)
	$(BIN)/solvent demo build/demo

test: $(STAMP) ## everything that must pass: checks beside the tests, which leave time idle
	@$(MAKE) --no-print-directory -j2 unit checks

checks: lint types layers ## lint, types, layering

lint: $(STAMP) ## ruff
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy

layers: $(STAMP) ## imports point down the floors
	$(BIN)/lint-imports

unit: $(STAMP) ## unit, property and end-to-end tests
	$(BIN)/pytest -n auto --dist worksteal -q

soak: $(STAMP) ## the long draws of the fault and promise tests
	SOLVENT_SOAK=12 $(BIN)/pytest -n auto --dist worksteal -q

mutate: $(STAMP) ## mutate 200 drawn projects: no false hit, no needless rerun (about half an hour)
	$(BIN)/python tests/promises/mutate.py

calibrate: $(STAMP) ## draw every promise of the statistics at length (about five minutes)
	$(BIN)/python tests/promises/calibrate.py
	$(BIN)/python docs/generate.py

docs: $(STAMP) ## write the generated reference pages
	$(BIN)/python docs/generate.py

debt-bench: $(STAMP) ## recall and precision of the debt rules on seeded programs
	$(BIN)/python benchmarks/bench_debt.py

bench: $(STAMP) ## run every benchmark, one after the other
	for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done
	$(BIN)/python docs/generate.py

clean: ## remove what the targets made
	rm -rf $(VENV) build dist
