# Every target works on a virtual environment in .venv/ that it makes itself. uv fills it: the one on the path, or the one
# that constraints.txt pins. The pip that PYTHON has brings that in half the time of one that .venv is given first.
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell uv --version >/dev/null 2>&1 && command -v uv || echo $(BIN)/uv)
.DEFAULT_GOAL := help
.PHONY: help install run dev test coverage faults test-docs test-aws lint lint-sql clean deploy destroy aws-apply aws-upload aws-land aws-crawl aws-tables

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

.venv/installed: constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; name it with PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || { echo "Making .venv"; $(PYTHON) -m venv --without-pip .venv; }
	@test -x $(UV) || { echo "Fetching uv"; \
	    awk '/^uv==/ {ours = 1} ours {print} ours && !/\\$$/ {exit}' constraints.txt > .venv/uv.txt; \
	    if $(PYTHON) -c 'import pip' 2>/dev/null; then pip="$(PYTHON) -m pip --python $(BIN)/python"; \
	    else $(BIN)/python -m ensurepip && pip="$(BIN)/python -m pip" || exit 1; fi; \
	    $$pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.txt; }
	@# uv says what it downloads; the list of all packages at its end is left out.
	@rm -f .venv/packages
	@{ $(UV) pip install --python $(BIN)/python --no-deps --require-hashes -r constraints.txt \
	    && $(UV) pip install --python $(BIN)/python --no-deps -e . && touch .venv/packages; } 2>&1 | grep --line-buffered -v '^ [+~-] ' || true
	@test -e .venv/packages
	@# What every start imports, a third of all modules, is compiled by importing it, whatever PYTHONDONTWRITEBYTECODE says;
	@# the others while nobody waits. For whoever uses a Neo4j of another place it doesn't matter if fetching it fails.
	@echo "Compiling modules"; PYTHONDONTWRITEBYTECODE= $(BIN)/python -m recograph.precompile 2>/dev/null & \
	    $(BIN)/recograph neo4j fetch || true; wait
	@$(BIN)/python -m recograph.background $(BIN)/python -m compileall -q -x '/tests?/' .venv/lib </dev/null >/dev/null 2>&1 &
	@touch $@

install: .venv/installed  ## make .venv and install everything, pinned

run: install  ## materialize every partition that has a dump
	$(BIN)/recograph run

dev: install  ## Neo4j and the Dagster UI on this machine
	$(BIN)/recograph dev

# Two at a time, each with servers of its own; the tests of a file stay together, since they share what it starts, and the
# order is that of `conftest.py`.
TOGETHER := -n 2 --dist loadfile --no-loadscope-reorder

test: install  ## run the tests
	$(BIN)/pytest $(TOGETHER) -m 'not aws and not docs'

coverage: install  ## run the tests and list the lines that none of them runs
	$(BIN)/pytest $(TOGETHER) -m 'not aws and not docs' --cov=recograph --cov-report=term-missing:skip-covered

test-docs: install  ## run the commands of README and docs
	$(BIN)/pytest -m docs

test-aws: install  ## run the tests against a stand-in of AWS (fetches Trino, Athena's engine)
	$(BIN)/pytest -m aws

faults: install  ## plant one fault for each promise and see that its test notices (PART=2/8: a part of them)
	$(BIN)/python -m recograph_tests.faults $(PART)

lint: install  ## check style, types, SQL and Terraform
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	@$(MAKE) --no-print-directory lint-sql
	! command -v terraform >/dev/null || terraform fmt -check -recursive terraform

# Which partition a model is about is asked for while it is compiled: any will do.
lint-sql: install  ## check the style of dbt's models
	RECOGRAPH_PARTITION='{"customer": "c", "snapshot_date": "2026-01-01", "customer_name": "n", "region": "r", "size": "s", "category": "c", "platform": "docebo"}' \
	    $(BIN)/sqlfluff lint --disable-progress-bar dbt_project/models

# On AWS. `make deploy BUCKET=my-lake` once, or put what differs from terraform/variables.tf into terraform/terraform.tfvars.
TERRAFORM_DIR ?= terraform
TERRAFORM := terraform -chdir=$(TERRAFORM_DIR)
export TF_IN_AUTOMATION := 1
export TF_INPUT := 0
ifdef RECOGRAPH_DATA
export TF_VAR_customers_file := $(abspath $(RECOGRAPH_DATA))/customers.yaml
endif
ifdef BUCKET
export TF_VAR_bucket := $(BUCKET)
endif
# An endpoint that isn't AWS's own has no host name for each bucket.
export TF_VAR_s3_use_path_style ?= $(if $(AWS_ENDPOINT_URL)$(AWS_ENDPOINT_URL_S3),true,false)
ON_AWS := eval "$$($(TERRAFORM) output -raw env)" && $(BIN)/recograph aws

FOR := $(if $(CUSTOMER),--customer $(CUSTOMER))

deploy: install  ## all of AWS in one go: BUCKET=my-lake; UPLOAD=no keeps the dumps of data/ here, CUSTOMER=c looks at one alone
	@$(MAKE) --no-print-directory aws-apply
	@# A bad dump of one customer is told, and keeps nobody else from being sent, landed and crawled.
	@status=0; for step in $(if $(filter no,$(UPLOAD)),,aws-upload) aws-land aws-crawl aws-tables; do $(MAKE) --no-print-directory $$step || status=1; done; exit $$status

aws-apply:  ## make or update everything with Terraform
	@command -v terraform >/dev/null || { echo "terraform 1.11 or later is needed: https://developer.hashicorp.com/terraform/install"; exit 1; }
	$(TERRAFORM) init
	$(TERRAFORM) apply -auto-approve

aws-upload: install  ## send the dumps of data/ to the bucket
	@$(ON_AWS) upload $(FOR)

aws-land: install  ## land the bucket's dumps as Parquet
	@$(ON_AWS) land $(FOR)

aws-crawl: install  ## run every customer's crawler and wait for it
	@$(ON_AWS) crawl $(FOR)

aws-tables: install  ## print the tables that can be queried in Athena
	@$(ON_AWS) tables $(FOR)

destroy: install  ## undo deploy; FORCE=1 deletes the bucket's content too
ifdef FORCE
	TF_VAR_force_destroy=true $(TERRAFORM) apply -auto-approve -target=aws_s3_bucket.lake -target=aws_athena_workgroup.pipeline -target=aws_secretsmanager_secret.neo4j
	TF_VAR_force_destroy=true $(TERRAFORM) destroy -auto-approve
else
	@$(ON_AWS) check-empty
	$(TERRAFORM) destroy -auto-approve
endif

clean:  ## remove the environment and the local state (stops the local Neo4j)
	-test ! -x $(BIN)/recograph || $(BIN)/recograph neo4j stop
	rm -rf .venv .recograph .recograph-tests
