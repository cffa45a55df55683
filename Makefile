# Every goal sets up .venv by itself; nothing but Python 3.11 or newer and make is needed beforehand.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SEEDS ?= 2000
PAGE := $(shell find frontend -path frontend/node_modules -prune -o -type f -print 2>/dev/null)
LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header

.DEFAULT_GOAL := help
.PHONY: help demo run test coverage simulate crash fuzz check proto openapi docs leaks lock bench clean page-types

help:
	@echo "mexc-sniper: see every new spot listing on MEXC the moment it exists, and trade it under limits"
	@echo
	@echo "  make demo    the whole product against the bundled exchange simulator; no keys, no internet"
	@echo "  make run     the same against MEXC itself (starts stopped; press Start on the page)"
	@echo "  make test    all tests (browser and PostgreSQL tests run where those are installed)"
	@echo "  make simulate SEEDS=20000    thousands of seeded lives in virtual time, and bugs planted on purpose"
	@echo "  make check   format, lint, types, import rules"
	@echo "  make coverage  branch coverage against its bars: money modules 95 %, the project 85 %"
	@echo
	@echo "  make bench   measure what the README promises      make proto    regenerate the protobuf modules"
	@echo "  make docs    regenerate the generated documents    make lock     renew requirements/*.txt"
	@echo "  make leaks   search ten minutes of a run full of faults for twelve planted secrets"
	@echo "  make crash   kill, cut and spoil everything, hundreds of times (about an hour)"
	@echo "  make fuzz    hostile frames, bodies, settings and API calls by the ten thousand"
	@echo "  make clean   remove what was built (keeps your data)"
	@echo
	@echo "  Options pass through ARGS:  make demo ARGS=\"--port 9000 --fresh\"    Another Python:  make test PYTHON=python3.12"

demo: $(VENV)/.installed
	@$(BIN)/mexc-sniper demo $(ARGS)

run: $(VENV)/.installed
	@$(BIN)/mexc-sniper run $(ARGS)

test: $(VENV)/.dev $(VENV)/.installed
	$(BIN)/python -m tests $(ARGS)

coverage: $(VENV)/.dev $(VENV)/.installed
	$(BIN)/python -m tests.coverage_bars $(ARGS)

simulate: $(VENV)/.dev $(VENV)/.installed
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --record $(ARGS)
	$(BIN)/python -m tests.simulation.planted

crash: $(VENV)/.dev $(VENV)/.installed
	@$(BIN)/python -m tests.crash $(ARGS)

fuzz: $(VENV)/.dev $(VENV)/.installed
	@$(BIN)/python -m tests.fuzz $(ARGS)

check: $(VENV)/.dev $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -p no:randomly tests/test_architecture.py
	$(MAKE) --no-print-directory page-types

page-types: frontend/node_modules/.dev
	@test -x frontend/node_modules/.bin/tsc || $(BIN)/python frontend/npm.py ci  # a page built meanwhile took it away
	$(BIN)/python frontend/npm.py run types

frontend/node_modules/.dev: frontend/package-lock.json | $(VENV)/.dev $(VENV)/.installed
	$(BIN)/python frontend/npm.py ci
	@touch $@

proto: $(VENV)/.dev
	$(BIN)/python -m grpc_tools.protoc -Isrc --python_out=src --pyi_out=src src/mexc_proto/*.proto

openapi: $(VENV)/.dev $(VENV)/.installed
	$(BIN)/python -m mexc_sniper.web.openapi

docs: openapi
	$(BIN)/python -m mexc_sniper.app.docs
	$(BIN)/python -m mexc_sniper.app.dashboards

leaks: $(VENV)/.dev $(VENV)/.installed
	$(BIN)/python -m tests.app.leaks $(ARGS)

lock: $(BIN)/python
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile pyproject.toml --extra dev $(LOCK) --upgrade -q -o requirements/dev.txt
	$(BIN)/uv pip compile pyproject.toml -c requirements/dev.txt $(LOCK) --upgrade -q -o requirements/runtime.txt

bench: $(VENV)/.dev $(VENV)/.installed
	@for bench in bench/*.py; do echo "== $$bench"; $(BIN)/python -m "bench.$$(basename "$$bench" .py)" $(ARGS) || exit 1; done

clean:
	rm -rf $(VENV) build dist artifacts .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
		.coverage* htmlcov frontend/node_modules src/mexc_sniper/web/static
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment is made once; the stamps below make every later call instant.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "No '$(PYTHON)' was found: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mexc-sniper needs Python 3.11 or newer and '$(PYTHON)' is $$($(PYTHON) -V 2>&1): name a newer one, such as make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python could not make a virtual environment: on Debian and Ubuntu install the package python3-venv" >&2; exit 1; }

$(VENV)/.runtime: requirements/runtime.txt | $(BIN)/python
	@echo "Installing what the program needs into $(VENV) (once, about a minute) ..."
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --require-hashes -r requirements/runtime.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime | $(BIN)/python
	@echo "Installing the tools for tests and checks into $(VENV) (once, about two minutes) ..."
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.runtime pyproject.toml $(wildcard hatch_build.py) $(PAGE)
	@echo "Building the page and installing mexc-sniper (once, and again when they change) ..."
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps -e .
	@touch $@
