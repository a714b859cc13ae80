# Sirena. `make demo` and `make test` do all their own set-up; `make help` lists the rest.
PYTHON ?= python3.11
# a venv made through a link to a Python that lies nowhere usual, as uv's does, would not find that Python's library
REAL_PYTHON = "$$($(PYTHON) -c 'import os, sys; print(os.path.realpath(sys.executable))')"
BIN := .venv/bin
UV := $(BIN)/uv
SIRENA_HOME ?= $(CURDIR)/var/demo
T ?= tests
# where it is set, as in many containers, each of thousands of processes would compile Sirena anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test test-fresh test-compat test-containers compiled python servers attack lint reformat bench docs lock clean node-packages

help: ## list the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

install: .venv/runtime compiled ## install Sirena into .venv: hashed, locked dependencies; needs the network once

demo: install ## the whole chain on a synthetic hospital (KEEP=1 leaves it running)
	SIRENA_HOME="$(SIRENA_HOME)" $(BIN)/sirena demo $(if $(KEEP),--keep)

test: servers .venv/development compiled node-packages ## install everything and run all tests (T=path for some)
	TESTS_NEED_POSTGRESQL=1 $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder $(T)

ifeq ($(MAKECMDGOALS),test)
# the environment is made while the servers are installed; Python, which makes the one, comes first
MAKEFLAGS += -j2
.venv/base servers: | python
endif

test-fresh: ## make a fresh Debian 12 by debootstrap, clone this repository into it, and run `make demo` and `make test` there
	sh scripts/test_fresh.sh

test-compat: .venv-compat/ready ## the chain on MLflow 2.17.1, in an environment of its own
	PYTHONPATH=src .venv-compat/bin/python -m pytest tests/compat

test-containers: .venv/development ## build the image and run the compose file with podman
	TESTS_OF_CONTAINERS=1 $(BIN)/python -m pytest -s tests/containers

attack: servers .venv/development node-packages ## attack a stack: routes × roles, accounts of the machine, known tricks, forged stores, requests with mistakes (N=2000)
	TESTS_NEED_POSTGRESQL=1 ATTACK_EVERY=1 ATTACK_REQUESTS=$(or $(N),2000) $(BIN)/pytest -q -s -p no:cacheprovider \
		$(addprefix tests/integration/server/,test_walk_of_roles.py test_attacks.py test_entry_refuses.py test_stored_scripts.py test_foreign_access.py) \
		$(addprefix tests/unit/access/,test_routes.py test_paths.py test_immutable.py test_stage_rules.py test_tag_rules.py) \
		tests/integration/access/test_installed_routes.py tests/integration/registry/test_ledger_is_the_authority.py tests/integration/registry/test_registered_artifacts.py

# the accounts of a stack's parts may not write here, and would compile it at every start
compiled: .venv/runtime
	@$(BIN)/python -m compileall -q src/sirena

python:
	@bash scripts/install_debian_packages.sh python3.11 python3.11-venv

servers:
	@bash scripts/install_debian_packages.sh

node-packages: .venv/development
	@$(BIN)/python -m tests.node_packages >/dev/null

lint: .venv/development ## formatting, ruff, mypy, bandit, secrets, pip-audit
	$(BIN)/ruff format --check src tests benchmarks scripts
	$(BIN)/ruff check src tests benchmarks scripts
	$(BIN)/mypy
	$(BIN)/bandit -q -r src -c pyproject.toml
	sh scripts/audit_dependencies.sh $(BIN)

reformat: .venv/development ## let ruff format and mend
	$(BIN)/ruff format src tests benchmarks scripts
	$(BIN)/ruff check --fix src tests benchmarks scripts

bench: .venv/development ## measure; results in benchmarks/results
	$(BIN)/python benchmarks/run.py

docs: .venv/development ## check that documents and program agree
	$(BIN)/pytest tests/unit/docs

lock: .venv/development ## compile the hashed locks anew
	$(UV) pip compile -q --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml -o requirements.lock
	$(UV) pip compile -q --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --extra ray --group dev -o requirements-dev.lock
	$(UV) pip compile -q --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --group compat --override requirements-compat.in -o requirements-compat.lock

clean: ## remove the environment and everything the demo wrote
	rm -rf .venv .venv-compat var

.venv/base: requirements-tools.lock
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: apt-get install python3.11 python3.11-venv"; exit 1; }
	$(REAL_PYTHON) -m venv .venv || { echo "venv is needed: apt-get install python3.11-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-tools.lock
	@touch $@

.venv/runtime: .venv/base requirements.lock pyproject.toml
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@# what a stack's accounts may import; uv would compile the libraries' own tests too. One file is written for Python 2.
	@$(BIN)/python -m compileall -qq -j 2 -x 'site-packages/.*/tests?/' $(CURDIR)/.venv/lib || true
	@touch $@

.venv/development: .venv/runtime requirements-dev.lock
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

.venv-compat/ready: .venv/base requirements-compat.lock
	$(REAL_PYTHON) -m venv --without-pip .venv-compat
	$(UV) pip install --quiet --compile-bytecode --python .venv-compat/bin/python --require-hashes -r requirements-compat.lock
	@touch $@
