# CloudFreedom: everything a developer calls. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
NODE := scripts/node
BIN := PATH="$$(scripts/node --path):$$PATH" node_modules/.bin
BIOME := $(BIN)/biome

.PHONY: help bootstrap demo test up down check fix unit integration stories generate verify images bench bench-ledger bench-api bench-accounts ledger-replay audit-verify sim kill-rounds

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)$$/  make \1|\2/' | column -t -s '|'

bootstrap:
	@scripts/bootstrap

demo: bootstrap ## from nothing to a chat that stops at its budget, with visible progress
	@$(NODE) e2e/demo/main.ts

test: bootstrap ## every check there is; ends with 'N passed, N failed'
	@$(NODE) e2e/test.ts

up: bootstrap ## the cluster and the platform, left running; .local/env says how to reach them
	@$(NODE) e2e/platform/up.ts

down: bootstrap ## stops what `make up`, `make demo` or `make test` left running
	@$(NODE) e2e/platform/down.ts

check: bootstrap ## format, lint, types, unit tests: seconds
	@$(NODE) e2e/test.ts check

fix: bootstrap ## formats the code and applies the safe fixes of the linter
	@$(BIOME) check --write .

unit: bootstrap ## the unit tests alone
	@$(NODE) e2e/test.ts unit

integration: bootstrap ## real API server, Postgres, Redis and LiteLLM on loopback, no cluster
	@$(NODE) e2e/test.ts integration

stories: bootstrap ## the whole platform in a cluster, and a real browser
	@$(NODE) e2e/test.ts stories

generate: bootstrap ## remakes every generated file: CRDs, prices, OpenAPI, typed client, goldens
	@$(NODE) crds/src/generate.ts
	@$(NODE) e2e/prices/generate.ts
	@$(NODE) control-plane/src/openapi/generate.ts
	@$(NODE) control-plane/src/client/generate.ts
	@$(NODE) charts/src/generate.ts
	@UPDATE_GOLDENS=1 $(BIN)/vitest run --project unit operator crds
	@UPDATE_GOLDENS=1 $(BIN)/vitest run --project integration charts/src/goldens

verify: bootstrap ## fails when a generated file is not what its source makes
	@$(NODE) e2e/test.ts verify

images: bootstrap ## builds the container images
	@$(NODE) e2e/images/build.ts

bench: bootstrap ## LiteLLM with and without the hook, in one run
	@$(NODE) e2e/bench/gateway.ts

bench-ledger: bootstrap ## the ledger beside pgbench with bare statements, in one run; the last line is JSON
	@$(NODE) e2e/bench/ledger.ts

bench-accounts: bootstrap ## whether the clock tells who has an account; the last line is JSON
	@$(NODE) e2e/bench/accounts.ts

bench-api: bootstrap ## the API beside a bare express route, in one run; the last line is JSON
	@$(NODE) e2e/bench/api.ts

ledger-replay: bootstrap ## recomputes every balance of DATABASE_URL (or DATA_DIR) from its lines and compares
	@$(NODE) control-plane/src/ledger/replay.ts

audit-verify: bootstrap ## proves every audit chain of DATABASE_URL (or DATA_DIR), or names the entries that are wrong
	@$(NODE) control-plane/src/audit/verify-main.ts

sim: bootstrap ## SEED=… RUNS=…: the ledger under simulated gateways, clocks and faults, beside a model of its rules
	@$(NODE) control-plane/src/simulation/main.ts

kill-rounds: bootstrap ## ROUNDS=…: Postgres and control plane killed under load; nothing lost, nothing twice
	@$(NODE) control-plane/src/faults/main.ts
