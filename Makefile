# Two commands: `make demo` (the whole loop on a year of real flights) and `make test`.
# They need Python 3.11, 3.12 or 3.13 and make; everything else is installed into .venv, once.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
BIN := .venv/bin
export ML_ASSETS_HOME ?= $(CURDIR)/var/demo
export DAGSTER_HOME := $(ML_ASSETS_HOME)/dagster
export DAGSTER_DISABLE_TELEMETRY := yes
export DO_NOT_TRACK := 1
export FEAST_USAGE := False
export GX_ANALYTICS_ENABLED := false
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: help demo ui check test test-long test-fast bench lint setup clean

help: ## What there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: .venv/installed ## A year of flights: land, train, score, judge, retrain; ends with a table
	@$(BIN)/ml-assets demo

check: .venv/installed ## All mistakes of all declarations, with file and line
	@$(BIN)/ml-assets check

ui: .venv/installed ## Dagster's UI, MLflow's UI and the reports over that state
	@$(BIN)/ml-assets ui

test: .venv/installed lint ## Style, types and the tests
	@$(BIN)/pytest -m "not long" --numprocesses 2 --dist loadfile

test-long: .venv/spark ## The tests that take minutes each: browser, dg's commands, the retail problems, Spark
	@$(BIN)/pytest -m long --numprocesses 2 --dist loadfile

test-fast: .venv/installed ## The tests that take seconds
	@$(BIN)/pytest -m "not slow and not long"

bench: .venv/bench ## Ours against others, on this machine; two hours or more (benchmarks/README.md)
	@for each in point_in_time online validation_cost validation_rates pruning_rules tuning external_memory \
		drift_speed drift_alarms replay; do \
		echo "== $$each"; $(BIN)/python -m benchmarks.$$each || exit 1; done

lint: .venv/installed ## Style, types, direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

setup: .venv/installed ## Only install

clean: ## Remove what demo and setup made
	rm -rf var .venv

# uv installs in half a minute what takes pip several; it lives in the environment it fills.
.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "$$($(PYTHON) --version) does not fit: Python 3.11 to 3.13 is needed. Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
	@touch $@

# Pyspark is 450 MB and Optuna is only compared with: neither is installed before it is needed.
.venv/spark .venv/bench: .venv/%: .venv/installed
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[dev,$*]'
	@touch $@
