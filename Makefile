# The commands a newcomer learns: make setup, check, test, run, bench. Every one does its own set-up.
.PHONY: setup check test test-compiled wheel run bench soak stubs docs clean
.DEFAULT_GOAL := test

PYTHON ?= python3
BIN := .venv/bin
FLAGS ?= -n auto --dist loadfile
SERVICES := $(patsubst %-,%,$(subst _,-,$(notdir $(patsubst %/__init__.py,%,$(wildcard cumulo/services/*/*/__init__.py)))))

# What users get, in an environment of its own: the wheel, its hot path compiled. CUMULO_PURE=1: the sources, at once.
ifeq ($(filter-out 0,$(CUMULO_PURE)),)
USED := build/venv
else
USED := .venv
endif

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

build/wheel/ready: hatch_build.py pyproject.toml $(shell find cumulo -name '*.py' -o -name '*.json')
	@echo "compiling cumulo, about a minute: CUMULO_PURE=1 does without"
	@if command -v uv >/dev/null; then \
		uv venv --quiet --seed --allow-existing --python '>=3.11' build/venv; \
	else \
		$(PYTHON) -m venv build/venv && build/venv/bin/python -m pip install --quiet --upgrade 'pip>=25.1'; \
	fi
	@rm -rf build/wheel && build/venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir build/wheel .
	@touch $@

build/venv/ready: build/wheel/ready
	@if command -v uv >/dev/null; then \
		uv pip install --quiet --python build/venv --reinstall-package cumulo build/wheel/*.whl --group dev; \
	else \
		build/venv/bin/python -m pip install --quiet --force-reinstall --no-deps build/wheel/*.whl && \
		build/venv/bin/python -m pip install --quiet build/wheel/*.whl --group dev; \
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

# The same tests on the wheel, where the sources are out of sight; those of the sources themselves are left out.
# TESTS="tests/gateway tests/wire" runs a part of them.
test-compiled: build/venv/ready
	@rm -rf build/tests && mkdir -p build/tests
	@cp -r tests bench docs changelog pyproject.toml README.md CONTRIBUTING.md Makefile build/tests
	cd build/tests && ../venv/bin/pytest $(FLAGS) --ignore tests/house --ignore tests/scenarios/test_readme.py $(TESTS)

# The hot path must compile: what cannot be would fall back to pure Python without anybody noticing.
wheel: build/wheel/ready
	@ls build/wheel/*.whl | grep -v none-any || { echo "the wheel is not compiled: pip wheel -v --no-deps . says why"; exit 1; }

run: $(USED)/ready
	@$(USED)/bin/cumulo start $(ARGS)

bench: $(USED)/ready
	$(USED)/bin/python bench/run.py $(ARGS)

soak: .venv/ready
	$(BIN)/pytest -m soak --timeout 3600 $(ARGS)

docs: .venv/ready
	$(BIN)/cumulo coverage --markdown docs/services

clean:
	rm -rf .venv build dist cumulo/stubs .mypy_cache .ruff_cache
