# Every target works on a virtual environment in .venv/ that it makes itself; uv is used when it is there.
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)
.DEFAULT_GOAL := help
.PHONY: help install run dev test test-aws lint clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

.venv/installed: constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; name it with PYTHON=..."; exit 1; }
ifdef UV
	test -x $(BIN)/python || uv venv --quiet --python $(PYTHON) .venv
	uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r constraints.txt
	uv pip install --quiet --python $(BIN)/python --no-deps -e .
else
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
endif
	# Hundreds of modules are imported at every start: compile them once, whatever PYTHONDONTWRITEBYTECODE says.
	-@$(BIN)/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1
	@touch $@

install: .venv/installed  ## make .venv and install everything, pinned

run: install  ## materialize every partition that has a dump
	$(BIN)/recograph run

dev: install  ## Neo4j and the Dagster UI on this machine
	$(BIN)/recograph dev

test: install  ## run the tests
	$(BIN)/pytest -m 'not aws'

test-aws: install  ## run the tests against a stand-in of AWS (fetches Trino; needs a JDK 24 or later)
	$(BIN)/pytest -m aws

lint: install  ## check style, types, SQL and Terraform
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar dbt_project/models
	! command -v terraform >/dev/null || terraform fmt -check -recursive terraform

clean:  ## remove the environment and the local state (stops the local Neo4j)
	-test ! -x $(BIN)/recograph || $(BIN)/recograph neo4j stop
	rm -rf .venv .recograph
