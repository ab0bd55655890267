# Everything a developer or operator types. `make` alone prints this page.

PYTHON ?= python3
WORKERS ?= 2
ARGS ?=

# PROXX_VENV names a virtual environment that somebody else keeps: nothing is installed there.
VENV := $(or $(PROXX_VENV),.venv)
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input

# A stamp is a copy of the lock that was installed: a changed lock installs again, an unchanged one costs nothing.
BASE := $(if $(PROXX_VENV),,$(VENV)/.base.stamp)
DEV := $(if $(PROXX_VENV),,$(VENV)/.dev.stamp)
LOCK := requirements/$(if $(filter uvicorn,$(PROXX_SERVER)),uvicorn,base).txt

.DEFAULT_GOAL := help
.PHONY: help run dev demo test test-js test-agents check format lint types stairs tests bench bench-database migrate lock clean

help: ## print this page
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(BASE) ## set up and start proxx: server, worker, console
	@exec $(BIN)/python -m proxx.run

dev: $(DEV) ## the same, restarting whenever the code changes
	@exec $(BIN)/python -m proxx.run --reload

demo: $(BASE) ## the same beside a simulated provider, with traffic to look at
	@exec $(BIN)/python -m proxx.run --demo

test: check ## set up and check everything: exactly what CI runs

check: lint types stairs tests ## format, lint, types, stairs, tests

format: $(DEV) ## put the code into shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lint: $(DEV) ## formatting and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(DEV) ## strict types
	$(BIN)/mypy .

stairs: $(DEV) ## imports go down the stairs, never up
	$(BIN)/lint-imports --no-cache

# What pytest compiles is kept for the next time, whatever the shell says: it is half of a collection.
tests: $(DEV) ## the tests; ARGS=tests/routing for a part
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

test-js: $(DEV) ## the official JavaScript libraries; needs Node.js 20 and npm
	$(BIN)/python -m tests.js $(ARGS)

test-agents: $(DEV) ## real coding agents do a task through proxx; downloads a gigabyte
	$(BIN)/python -m tests.agents $(ARGS)

bench: $(DEV) ## measure against a direct connection; writes benchmarks/results
	$(BIN)/python -m benchmarks.run $(ARGS)

bench-database: $(DEV) ## measure the store with ten million calls on Postgres (DATABASE_URL_TEST)
	$(BIN)/python -m benchmarks.database $(ARGS)

migrate: $(BASE) ## bring the database up to date
	@$(BIN)/python manage.py migrate

lock: $(DEV) ## compile requirements/*.in to hash-locked *.txt
	$(COMPILE) requirements/base.in -o requirements/base.txt
	$(COMPILE) -c requirements/base.txt requirements/uvicorn.in -o requirements/uvicorn.txt
	$(COMPILE) -c requirements/base.txt requirements/otel.in -o requirements/otel.txt
	$(COMPILE) -c requirements/uvicorn.txt -c requirements/otel.txt requirements/dev.in -o requirements/dev.txt

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header $(ARGS)

clean: ## remove what can be made again (never data or .env)
	rm -rf $(VENV) tests/js/node_modules tests/signin/oidc_server/node_modules staticfiles .mypy_cache .ruff_cache .hypothesis .import_linter_cache

ifndef PROXX_VENV
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "proxx needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(BASE): $(LOCK) | $(BIN)/python
	@cmp -s $< $@ || { echo "Installing the locked packages, about a minute"; $(PIP) install --require-hashes -r $<; }
	@cp $< $@

$(DEV): requirements/dev.txt | $(BASE)
	@cmp -s $< $@ || { echo "Installing the locked packages for development"; $(PIP) install --require-hashes -r $<; }
	@cp $< $@
endif
