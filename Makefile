# make demo      install into .venv and run the whole chain on the built-in example
# make test      install what tests need as well, and run them (under ten minutes)
# make test-long the tests that take minutes each
# make lint types architecture    what CI holds besides
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
CONFIG ?= example:homelessness
NAME := $(lastword $(subst :, ,$(CONFIG)))
# Two worker processes are as many as the smallest machine has cores.
WORKERS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# The tests start many Pythons: what the first has compiled, the others read.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-long lint format types architecture check benchmark benchmark-accuracy benchmark-speed benchmark-segments audit schema picture clean
.DEFAULT_GOAL := demo

demo: .venv/installed
	$(BIN)/demand run $(CONFIG)
	@echo "The report: $(CURDIR)/outputs/$(NAME)/report.html"

test: .venv/installed-test
	$(BIN)/python -m pytest -m "not long" -n $(WORKERS) --dist worksteal

test-long: .venv/installed-test
	$(BIN)/python -m pytest -m long

lint: .venv/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: .venv/installed-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: .venv/installed-test
	$(BIN)/mypy

architecture: .venv/installed-test
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python -m pytest -q tests/architecture

# All that CI asks for, the tests apart.
check: lint types architecture

benchmark: .venv/installed
	$(BIN)/python benchmarks/help.py
	$(BIN)/python benchmarks/chain.py
	$(BIN)/python benchmarks/planning.py

# Needs the public statistics (DEMAND_REAL_DATA); hours on two cores, and peers' forecasts are kept in outputs/peers.
benchmark-accuracy: .venv/installed
	$(BIN)/python benchmarks/accuracy.py --cache outputs/peers

# On a quiet computer: half an hour or more.
benchmark-speed: .venv/installed
	$(BIN)/python benchmarks/speed.py

# A million people into segments, beside MiniBatchKMeans.
benchmark-segments: .venv/installed
	$(BIN)/python benchmarks/scale.py

schema: .venv/installed
	$(BIN)/demand schema > configs/schema.json

# Licences of all pinned packages, and known faults in them; where the database of faults cannot be reached, it says so.
audit: .venv/installed-test
	$(BIN)/python -m pip install --quiet pip-audit || echo "pip-audit cannot be installed here"
	$(BIN)/python benchmarks/audit.py

# The picture on the README's first page, from the report that `make demo` made.
picture: demo
	chromium --headless --no-sandbox --disable-gpu --disable-background-networking --hide-scrollbars --window-size=1200,1500 \
	  --screenshot=docs/report.png "file://$(CURDIR)/outputs/$(NAME)/report.html"

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The environment is made once, and again where the declared packages change; the package itself is linked, so that edits count at once.
.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make demo PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	@touch $@

.venv/installed-test: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test]'
	@touch .venv/installed $@
