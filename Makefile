# The commands a newcomer learns: make setup, check, test, run, bench. Every one does its own set-up.
.PHONY: setup check test run bench soak stubs docs clean
.DEFAULT_GOAL := test

PYTHON ?= python3
BIN := .venv/bin
FLAGS ?= -n auto --dist loadfile
SERVICES := $(patsubst %-,%,$(subst _,-,$(notdir $(patsubst %/__init__.py,%,$(wildcard cumulo/services/*/*/__init__.py)))))

setup: .venv/ready

.venv/ready: pyproject.toml
	@if command -v uv >/dev/null; then \
		uv venv --quiet --seed --allow-existing --python '>=3.11' .venv && \
		uv pip install --quiet --python .venv --editable . --group dev; \
	else \
		$(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1' && \
		$(BIN)/python -m pip install --quiet --editable . --group dev; \
	fi
	@touch $@

stubs: .venv/ready
	@$(BIN)/python -m cumulo.wire.stubs $(SERVICES) --into cumulo/stubs

check: .venv/ready stubs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest tests/house

test: check
	$(BIN)/pytest $(FLAGS)

run: .venv/ready
	@$(BIN)/cumulo start $(ARGS)

bench: .venv/ready
	$(BIN)/python bench/run.py $(ARGS)

soak: .venv/ready
	$(BIN)/pytest -m soak --timeout 3600 $(ARGS)

docs: .venv/ready
	$(BIN)/cumulo coverage --markdown docs/services

clean:
	rm -rf .venv build dist cumulo/stubs .mypy_cache .ruff_cache
