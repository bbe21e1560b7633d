# One command each, the same on every machine and in CI.
#   make run     serve a demo shop                make prove   the promises at their stated figures (long)
#   make test    the suite at small figures       make bench   the measurements
#   make lint    style, types, imports, anatomy   make docs    write the reference pages from the code
#   make format  put the source in order          make lock    renew requirements/*.txt (LOCK_ARGS=--upgrade)

PYTHON ?= python3
PYTEST_ARGS ?= -n $(shell n=$$(($$(nproc) + 1)); echo $$((n < 5 ? n : 5))) --dist worksteal
BENCH_ARGS ?=
LOCK_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest -q
LOCK := $(BIN)/uv pip compile --quiet pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header $(LOCK_ARGS)
CODE := $(wildcard kernel plugins tests bench examples conftest.py)

.PHONY: run test lint format prove bench docs lock clean
.DELETE_ON_ERROR:

run: $(VENV)/run.stamp
	$(BIN)/duka run --demo

test: $(VENV)/dev.stamp
	$(PYTEST) -m "not prove" $(PYTEST_ARGS)

prove: $(VENV)/dev.stamp
	$(PYTEST) -m prove

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy $(CODE)
	cd examples/loyalty && MYPYPATH=$(CURDIR) $(CURDIR)/$(BIN)/mypy --strict --explicit-package-bases loyalty
	$(BIN)/lint-imports
	$(BIN)/python -m kernel.testing.conformance
	$(BIN)/python -m kernel.testing.surface

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix --exit-zero --quiet $(CODE)
	$(BIN)/ruff format $(CODE)

bench: $(VENV)/dev.stamp
	$(BIN)/python -m bench $(BENCH_ARGS)

docs: $(VENV)/dev.stamp
	$(BIN)/python -W ignore -m kernel.testing.reference
	$(PYTEST) tests/docs

lock: $(VENV)/dev.stamp
	$(LOCK) --group build -o requirements/run.txt
	$(LOCK) --group dev -c requirements/run.txt -o requirements/dev.txt
	! grep -n '://' requirements/*.txt

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps: a venv is made once, and filled again when what it should hold has changed.

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Duka needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/dev.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $(VENV)/run.stamp $@
