# `make` alone explains itself.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# How many labs at once; tests and scenarios mostly wait, so two fit two cores.
LABS ?= 2
# Which modules `make mutate` tries: words of their paths; all without.
MODULES ?=
# How often `make soak` runs each variant.
N ?= 5
# The guide's checklist, tests and build steps; everything else is what its claims and its silence are put to.
GUIDE := V*,T*,S*
CLAIMS := B*,H*
CACHE = $${XDG_CACHE_HOME:-$$HOME/.cache}/tofu-ha-acceptance
# Tests on whole labs of a rehearsal: in `make full` only.
WITH_VMS := tests/rehearsal/test_machines.py tests/rehearsal/test_interrupted.py
KEPT := /var/lib/tofu-ha-acceptance

# Compiled modules are kept, whatever the environment says: hundreds of processes would compile the suite anew otherwise.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## Show this list
	@echo "Does a highly available OpenTofu backend keep its promises? Start with: make acceptance"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "Options: ARGS='…' is passed to pytest (ARGS='--topology single -k V4'), PYTHON=… chooses a Python (3.11 or newer)."

##: people

.PHONY: acceptance
acceptance: setup ## Set everything up, then let an embedded lab prove the guide's promises
	$(BIN)/pytest features/ $(ARGS)

.PHONY: tour
tour: venv ## See what this project shows: the book of promises, and a sample report (no root, no lab)
	@$(BIN)/python -m reports tour

.PHONY: setup
setup: packages venv ## Only set up: system packages, Python packages, programs, machine image (as root)
	@$(BIN)/python -m provisioning setup

.PHONY: purge
purge: ## Remove everything that was made here: labs, cache, image, virtual environment
	@echo "removing: all labs ($(KEPT)), programs and image ($(CACHE)), $(VENV), reports/runs, reports/proof, reports/soak"
	@if [ -d $(KEPT)/labs ] && [ -x $(BIN)/python ]; then $(BIN)/python -m provisioning down --all; fi
	@if [ -s $(KEPT)/system-packages ]; then \
	    echo "system packages stay; set-up had installed these, remove them if nothing else needs them:"; \
	    echo "  apt-get remove $$(tr '\n' ' ' < $(KEPT)/system-packages)"; fi
	@rm -rf "$(CACHE)" $(KEPT) $(VENV) .mutation .hypothesis reports/runs reports/latest reports/proof reports/soak reports/spec.html .mypy_cache .ruff_cache .import_linter_cache .benchmarks

##: developers

# Programs take minutes to build; meanwhile what else a developer needs is installed, and the code looked at.
.PHONY: test
test: ## Everything that continuous integration checks, the gate on the embedded lab included
	@began=$$(date +%s) && $(MAKE) packages venv && \
	    { $(MAKE) browser dev lint & $(MAKE) proxmox; made=$$?; \
      wait $$! || { echo "make test: not everything is well beside the programs, see above or run: make browser dev lint" >&2; made=1; }; \
      [ $$made -eq 0 ]; } && $(MAKE) tests gate && \
	    echo "make test: everything passed, in $$((($$(date +%s) - began) / 60)) min $$((($$(date +%s) - began) % 60)) s"

.PHONY: tests
tests: packages proxmox browser dev
	$(BIN)/pytest tests/ $(WITH_VMS:%=--ignore=%) -m "not proof" -n $(LABS) --dist worksteal $(ARGS)

.PHONY: prove
prove: setup other-stores dev ## Plant every defect into a lab of its own: which are found, which explained, which healthy checks cry wolf (ARGS=words of names)
	$(BIN)/python -m tests.faulty_labs --labs $(LABS) $(ARGS)

.PHONY: rehearsal
rehearsal: packages proxmox dev ## The guide on a stand-in of Proxmox VE: real OpenTofu and provider, a real machine behind each VM (ARGS='…')
	@$(BIN)/python -m tests.rehearsal run $(ARGS)

.PHONY: gate
gate: ## The guide on both topologies, and one variant of each of its claims, on embedded labs; two checks on a rehearsal of Proxmox VE
	$(BIN)/pytest features/ --topology single -n $(LABS)
	$(BIN)/pytest features/ --check '$(GUIDE)' -n $(LABS)
	$(BIN)/pytest features/ --check '$(CLAIMS)' --tier short -n $(LABS)
	$(BIN)/python -m tests.rehearsal run --topology single --check V1,S4

.PHONY: lint
lint: dev ## Style, types and architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: dev ## Write the code as `make lint` wants it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: unit
unit: dev ## The fast tests of the suite itself; no lab, no root
	$(BIN)/pytest tests/unit $(ARGS)

.PHONY: mutate
mutate: dev ## Change model/ and probes/ in one place at a time: do the unit tests notice? (MODULES=words of paths); hours, goes on where it was ended
	$(BIN)/python -m tests.mutation $(MODULES)

.PHONY: full
full: packages proxmox other-stores browser dev ## As `make test`, with every test, every variant (tag thorough) and new examples for properties; over an hour
	@$(MAKE) lint
	$(BIN)/pytest tests/ --hypothesis-profile intense -n $(LABS) --dist worksteal $(ARGS)
	$(BIN)/pytest features/ --topology single
	$(BIN)/pytest features/ --tier thorough
	$(BIN)/python -m tests.rehearsal run

.PHONY: pages
pages: dev ## Look at all pages in a browser (wants `make browser` once, as root)
	$(BIN)/pytest tests/pages $(ARGS)

.PHONY: benchmark
benchmark: setup browser dev ## Measure set-up, boot, tear-down and commands of the embedded lab
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: soak
soak: packages proxmox dev ## The gate N times in each variant (N=5: plain, load, a busy core, two labs, rehearsed, random order); hours, goes on where it was ended
	$(BIN)/python -m benchmarks.soak --runs $(N) $(ARGS)

.PHONY: as-written
as-written: setup dev ## Put the guide to the letter to the test, and write docs/the-guide-as-written.md and the head of README.md
	$(BIN)/python -m benchmarks.as_written $(ARGS)

.PHONY: requirements
requirements: ## Pin the newest fitting Python packages, with hashes and without any registry's name
	@tool=$$(mktemp -d) && trap 'rm -rf "$$tool"' EXIT && $(PYTHON) -m venv "$$tool" && "$$tool/bin/pip" install -q uv && \
	compile() { "$$tool/bin/uv" pip compile -q --upgrade --universal --generate-hashes --no-header --no-emit-index-url \
	    --python-version 3.11 "$$@"; } && \
	compile pyproject.toml -o requirements/run.txt && \
	compile pyproject.toml --extra dev --constraint requirements/run.txt -o requirements/dev.txt && \
	compile requirements/go.in -o requirements/go.txt && \
	compile --no-deps requirements/moto.in -o requirements/moto.txt && \
	! grep -nE 'https?://' requirements/*

##: steps of set-up

.PHONY: packages
packages:
	@PYTHON="$(PYTHON)" provisioning/setup/packages.sh

.PHONY: browser
browser: ## Install Chromium, in which tests look at the pages (as root; only for developing)
	@provisioning/setup/packages.sh --browser

.PHONY: proxmox
proxmox: venv ## What labs on Proxmox VE need: programs, and the provider for OpenTofu (no root; two minutes the first time)
	@$(BIN)/python -m provisioning setup --with proxmox

.PHONY: other-stores
other-stores: venv ## Two stores that look like S3 and cannot lock, to plant them as defects (the second as root; minutes the first time)
	@$(BIN)/python -m provisioning setup --with other-stores

# Python compiles what is imported, once; pip would compile everything.
PIP_INSTALL = $(BIN)/python -m pip install --disable-pip-version-check --no-compile --require-hashes

.PHONY: venv
venv: $(VENV)/.run ## Only the Python packages (no root; enough to test an existing lab)

.PHONY: dev
dev: $(VENV)/.dev

$(VENV)/.made: | require-python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf $(VENV); echo "set-up: making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@touch $@

$(VENV)/.run: requirements/run.txt | $(VENV)/.made
	@echo "set-up: installing $$(grep -c '==' $<) Python packages into $(VENV)"
	@$(PIP_INSTALL) -r $< || \
	    { echo "set-up: Python packages could not be installed (step: pip install -r $<). Run make again: it resumes there." >&2; exit 1; }
	@touch $@

$(VENV)/.dev: requirements/dev.txt | $(VENV)/.made
	@echo "set-up: installing $$(grep -c '==' $<) Python packages into $(VENV), for developing"
	@$(PIP_INSTALL) -r $< || \
	    { echo "set-up: Python packages could not be installed (step: pip install -r $<). Run make again: it resumes there." >&2; exit 1; }
	@touch $(VENV)/.run $@

.PHONY: require-python
require-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "set-up: Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1); name another one: make PYTHON=python3.12" >&2; exit 1; }
