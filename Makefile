# Every target sets up what it needs on a fresh Debian or Ubuntu, and says so.

SWIFT ?= swift
export PORC_WARNINGS_AS_ERRORS := 1
# The tests start servers and terraform: more of them at once only wait for each other.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH := 6

.PHONY: help setup build release dev demo test torture bench format lint clean

help: ## Shows this.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## Installs what is missing: libraries, curl and jq; checks for Swift and Terraform.
	@scripts/setup

build: setup ## Builds porc and pine into .build/debug.
	$(SWIFT) build

release: setup ## Builds them optimised, into .build-release/release.
	$(SWIFT) build -c release --scratch-path .build-release

demo: build ## Watches a blueprint travel from a file to applied infrastructure, then cleans up.
	@scripts/demo

dev: build ## Runs PORC with an embedded Terraform Enterprise and Port, until Ctrl-C.
	.build/debug/porc dev --templates examples/templates

test: setup ## Builds everything with warnings as errors and runs all tests.
	@scripts/setup chromium chromium-driver || echo "There is no Chromium here: the test of Port's page in a browser is left out." >&2
	$(SWIFT) build --build-tests
	scripts/with-aws $(SWIFT) test --skip-build

torture: setup ## Kills PORC at a thousand random instants, and rehearses 200 lifecycles with a failing TFE; see Makefile for their variables.
	$(SWIFT) build --build-tests
	PORC_TORTURE_KILLS=$${PORC_TORTURE_KILLS:-1000} PORC_REHEARSAL_LIFECYCLES=$${PORC_REHEARSAL_LIFECYCLES:-200} \
	  $(SWIFT) test --skip-build --filter 'EndToEndTests.(CrashTests|RehearsalTests)'

bench: release ## Measures PORC as it is built for production; the figures as JSON too, in bench/report.json.
	@scripts/setup wrk
	bench/bench.py --json bench/report.json $(BENCH)

format: ## Lays the code out.
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests

lint: ## Says what 'make format' would change, and fails if it would.
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests

clean: ## Removes what was built.
	rm -rf .build .build-release
