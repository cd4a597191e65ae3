# Everything a person or CI runs. Each target does its own set-up.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: help demo run test lint unit soak bench lock setup setup-dev servers clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: setup ## a whole site on this machine: broker, devices, gateway, alerts (ARGS="--for 60s --lang zh")
	@exec $(BIN)/fgw demo $(ARGS)

run: setup ## the gateway itself, set up by FGW_… variables (ARGS="--site site.yaml")
	@exec $(BIN)/fgw run $(ARGS)

test: setup-dev servers lint unit ## format, lint, types, import rules, tests with the real servers

lint: setup-dev ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: setup-dev servers
	$(BIN)/python -m pytest -n 3 --dist worksteal -m "not soak" $(ARGS)

soak: setup-dev servers ## the long runs
	$(BIN)/python -m pytest -m soak $(ARGS)

bench: setup-dev servers ## measure throughput, CPU by stage, latency and memory beside a plain script
	$(BIN)/python -m tests.bench $(ARGS)

setup: $(VENV)/.ready
setup-dev: $(VENV)/.ready-dev

$(VENV)/.ready: requirements.lock pyproject.toml
	@deploy/prepare.sh python "$(PYTHON)"
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@echo "installing dependencies …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock $(VENV)/.ready
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

servers: ## install Debian's mosquitto, influxdb, victoria-metrics, chromium and a Chinese font for the tests, where they are missing
	@deploy/prepare.sh servers

lock: ## bring the lock files up to date
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra demo --group build --generate-hashes --universal --no-emit-index-url --no-header --quiet --python-version 3.11 -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra demo --group build --group dev --generate-hashes --universal --no-emit-index-url --no-header --quiet --python-version 3.11 -c requirements.lock -o requirements-dev.lock

clean: ## remove what the other targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
