# Everything here sets itself up: it needs python3 (3.11 or newer, with venv) and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: help serve test test-slow check demo bench conformance wheel clean

help:           ## what there is to make
	@grep -E '^[a-z-]+: .*##|^[a-z-]+:  +##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 14

# two stages: what serving needs, and on top of it what developing needs
$(BIN)/.serves: pyproject.toml emulator/__init__.py
	@$(PYTHON) -c 'import sys; sys.exit("jobfish needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || { echo "making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(BIN)/.installed: $(BIN)/.serves
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo,test]'
	@touch $@

$(BIN)/.conforms: $(BIN)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo,test,conformance]'
	@touch $@

serve: $(BIN)/.serves          ## serve the emulator; ARGS='--rate 60' passes options on
	@$(BIN)/jobfish serve $(ARGS)

test: check                    ## lint, types, import contracts and tests
	$(BIN)/python -m pytest -n auto -m 'not slow' $(ARGS)

test-slow: $(BIN)/.installed   ## the tests that take longer
	$(BIN)/python -m pytest -m slow $(ARGS)

check: $(BIN)/.installed       ## lint, types and import contracts alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

demo: $(BIN)/.installed        ## drive an emulator with the redfish library
	$(BIN)/python examples/bios_job.py $(ARGS)

bench: $(BIN)/.installed       ## measure; ARGS='get fleet' picks benchmarks
	$(BIN)/python -m benchmarks $(ARGS)

conformance: $(BIN)/.conforms  ## let DMTF's validators look at it; ARGS='rack-server --tool service' picks
	$(BIN)/python -m conformance $(ARGS)

wheel: $(BIN)/.installed       ## build the wheel into dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:                         ## remove what was built
	rm -rf $(VENV) dist build *.egg-info
