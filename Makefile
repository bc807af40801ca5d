# The two commands: `make demo` and `make test`. Everything else is a part of them; `make help` lists it.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
LOCAL  := $(PY) -m deployment.local
# A cluster knows who asks: `make deploy PLATFORM_PROFILE=cluster`, and `make cluster`, which is up and deploy.
ifeq ($(PLATFORM_PROFILE),cluster)
ADMINISTRATOR := --as administrator
OPERATOR := --as operator
endif
ON_A_CLUSTER := $(addprefix tests/e2e/test_,saga.py order_life.py waiting_orders.py drivers.py stock.py)
SIDE_BY_SIDE := -n 3 --no-loadscope-reorder
# pip takes nothing without a hash, and builds the one package that has no wheel with the locked setuptools.
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation -r
LOCKS   := requirements.lock deployment/requirements.lock deployment/local/requirements.lock deployment/requirements-build.lock
UV_LOCK := UV_CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-strip-extras --no-emit-index-url

export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help setup lock audit release demo up deploy cluster prometheus plan grants history rollback prune schemas-check schemas-release catalogue dashboards api new dlq deadlines publish listen monitor down status logs clean test test-deploy test-cluster simulate drill chaos outage fuzz bench containers check format

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 17

$(VENV)/.ready: deployment/requirements-build.lock deployment/local/requirements.lock
	@case "$$PWD" in *:*) echo "error: $$PWD has a colon in it, so no venv can be made there: move the checkout"; exit 1;; esac
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: $$($(PYTHON) --version) is too old: 3.11 or newer is needed; try make PYTHON=python3.12"; exit 1; }
	@echo "installing Python packages into $(VENV) …"
	@$(PYTHON) -m venv $(VENV) || { echo "error: no venv: on Debian, apt install python3-venv"; exit 1; }
	@$(INSTALL) deployment/requirements-build.lock
	@$(INSTALL) deployment/local/requirements.lock
	@touch $@

$(VENV)/.tests: $(VENV)/.ready tests/requirements.lock
	@echo "installing what the tests need into $(VENV) …"
	@$(INSTALL) tests/requirements.lock
	@touch $@

# Each lock begins with the versions of the tests' one: what is tested is what is deployed.
lock: $(VENV)/.tests ## lock what the requirements*.txt need, by hash; newer versions of it: make lock ARGS=--upgrade
	@$(UV_LOCK) tests/requirements.txt --output-file tests/requirements.lock $(ARGS)
	@for lock in $(LOCKS); do \
		cp tests/requirements.lock $$lock; \
		$(UV_LOCK) $${lock%.lock}.txt --output-file $$lock || exit 1; \
	done

audit: $(VENV)/.tests ## known vulnerabilities of what is locked; says so where their database can't be reached
	@$(PY) -m deployment.release.audit

release: audit ## what a release of this commit consists of, with SBOM and checksums: build/release
	@$(PY) -m deployment.release

setup: $(VENV)/.tests ## install and download everything; works offline afterwards
	@$(LOCAL) setup
	@$(PY) pulsar-admin-scripts/catalogue.py --install
	@$(PY) -m deployment.monitoring.prometheus || echo "  without it, make prometheus and some tests don't work"

up: $(VENV)/.ready ## start PostgreSQL, Pulsar, its functions worker and the BFF
	@$(LOCAL) up

deploy: $(VENV)/.ready ## create databases, topics, schemas and functions on the running platform, or update them
	@$(LOCAL) run -- $(PY) -m deployment.databases
	@$(LOCAL) run $(ADMINISTRATOR) -- $(PY) pulsar-admin-scripts/provision.py
	@test -z "$(ADMINISTRATOR)" || $(LOCAL) run $(ADMINISTRATOR) -- $(PY) pulsar-admin-scripts/grants.py
	@$(LOCAL) run -- $(PY) pulsar-admin-scripts/deploy.py

cluster: ## several nodes of each kind with TLS and tokens, and all of it deployed; then: make status PLATFORM_PROFILE=cluster
	@$(MAKE) --no-print-directory up deploy PLATFORM_PROFILE=cluster

demo: up deploy ## the whole thing: platform, functions, and orders to watch
	@$(LOCAL) run -- $(PY) -m deployment.local.demo

prometheus: $(VENV)/.ready ## Prometheus with our alerts, watching the running platform; Ctrl-C ends it
	@$(PY) -m deployment.monitoring $(ARGS)

plan: $(VENV)/.ready ## what `make deploy` would change on the running platform; changes nothing
	@$(LOCAL) run -- $(PY) pulsar-admin-scripts/provision.py --plan
	@$(LOCAL) run -- $(PY) pulsar-admin-scripts/deploy.py --plan

grants: $(VENV)/.ready ## give each role what it needs, on a cluster with authorization: make grants ARGS=--plan; also --revoke, --roles
	@$(LOCAL) run $(ADMINISTRATOR) -- $(PY) pulsar-admin-scripts/grants.py $(ARGS)

history: $(VENV)/.ready ## what was deployed, by whom, when, from which commit: make history ARGS="crear-orden"
	@$(LOCAL) run -- $(PY) pulsar-admin-scripts/deploy.py history $(ARGS)

rollback: $(VENV)/.ready ## undo the last deployment; or make rollback ARGS="crear-orden --to 7"
	@$(LOCAL) run -- $(PY) pulsar-admin-scripts/deploy.py rollback $(ARGS)

prune: $(VENV)/.ready ## delete receipts older than a week
	@$(LOCAL) run -- $(PY) -m deployment.databases.prune

schemas-check: $(VENV)/.ready ## is every schema compatible with every version of it that was released?
	@$(PY) pulsar-admin-scripts/schemas.py check

schemas-release: $(VENV)/.ready ## put today's versions of the schemas on record
	@$(PY) pulsar-admin-scripts/schemas.py release

catalogue: $(VENV)/.tests ## the message catalogue: AsyncAPI, the drawing of the topology, an HTML page
	@$(PY) pulsar-admin-scripts/catalogue.py

dashboards: $(VENV)/.ready ## Grafana dashboards, from schemas and functions
	@$(PY) pulsar-admin-scripts/dashboards.py

api: $(VENV)/.ready ## OpenAPI document, Postman collection and .http file of the HTTP API
	@$(PY) -m bff.contract.collections

new: $(VENV)/.tests ## lay out a new command topic: make new TOPIC=ordenes/comando-archivar-orden
	@$(PY) pulsar-admin-scripts/new.py $(TOPIC)

dlq: $(VENV)/.ready ## dead letters: make dlq ARGS="list"; also show, redrive, discard
	@$(LOCAL) run $(OPERATOR) -- $(PY) pulsar-admin-scripts/dlq.py $(ARGS)

deadlines: $(VENV)/.ready ## suspend and resume giving orders up: make deadlines ARGS="suspend --reason '…'"; also status
	@$(LOCAL) run $(OPERATOR) -- $(PY) pulsar-admin-scripts/deadlines.py $(ARGS)

publish: $(VENV)/.ready ## publish messages: make publish ARGS="ordenes/comando-crear-orden order.json"
	@$(LOCAL) run $(OPERATOR) -- $(PY) pulsar-admin-scripts/publish.py $(ARGS)

listen: $(VENV)/.ready ## messages as they come: make listen ARGS="--order UUID"
	@$(LOCAL) run $(OPERATOR) -- $(PY) pulsar-admin-scripts/listen.py $(ARGS)

monitor: $(VENV)/.ready ## topics, functions, dead letters, live; one look: make monitor ARGS="--once"
	@$(LOCAL) run -- $(PY) pulsar-admin-scripts/monitor.py $(ARGS)

down: $(VENV)/.ready ## stop the platform; data stays
	@$(LOCAL) down

status: $(VENV)/.ready ## what runs
	@$(LOCAL) status

logs: $(VENV)/.ready ## the ends of all logs; of one: make logs NAME=crear-orden
	@$(LOCAL) logs $(NAME)

clean: $(VENV)/.ready ## stop the platform and remove its data
	@$(LOCAL) clean

test: setup ## unit, contract, integration and end-to-end tests, on ports and data of their own
	@$(PY) -m pytest tests -m "not slow" $(SIDE_BY_SIDE) $(ARGS)

test-deploy: setup ## deploy, rollback, canary: all that can go wrong, ten minutes; the shorter ones are in `make test`
	@$(PY) -m pytest -v tests/e2e/test_deploy.py $(ARGS)

test-cluster: setup ## the saga's end-to-end tests, roles, tokens, the loss of nodes on a secured cluster, ten minutes
	@$(PY) -m pytest -v tests/cluster $(ON_A_CLUSTER) --cluster $(ARGS)

chaos: setup ## ten minutes of kill -9 of everything while orders flow: make chaos ARGS="--minutes 60", or "--cluster"
	@$(PY) -m tests.chaos.run --report tests/chaos $(ARGS)

outage: setup ## ten minutes without each database and the broker while orders flow: all end as iniciada; less: make outage ARGS="productos --minutes 2"
	@$(PY) -m tests.chaos.outage $(ARGS)

drill: setup ## six faults on a platform of its own: alert, view and runbook of each are checked
	@$(PY) -m pytest -v tests/e2e/test_drill.py $(ARGS)

simulate: setup ## a minute of stories in virtual time, outages of hours in it; more: make simulate ARGS="--minutes 60" or "--seed 7"
	@$(PY) -m tests.simulation.run $(ARGS)

fuzz: setup ## 10,000 schemathesis cases and 100,000 raw bodies against the BFF; more: make fuzz ARGS="--cases 50000 --seed 7"
	@$(PY) -m tests.fuzz.run $(ARGS)

bench: setup ## speed, size, start-up: a table, and build/bench/index.html; less: make bench ARGS="--only http"
	@$(PY) -m tests.load.run $(ARGS)

containers: setup ## build the images and start deployment/compose.yaml with podman, as root: two minutes, the first time five
	@$(PY) -m tests.containers.run $(ARGS)

check: $(VENV)/.tests schemas-check ## ruff, mypy --strict, import-linter, shellcheck, names, sizes, links, schemas, the catalogue, dashboards, the API's files
	@$(PY) pulsar-admin-scripts/catalogue.py --check
	@$(PY) -m bff.contract.collections --check
	@$(PY) pulsar-admin-scripts/dashboards.py --check
	@$(PY) -m tests.house
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy functions bff deployment pulsar-admin-scripts tests
	@cd deployment/local/instance && ../../../$(VENV)/bin/mypy --config-file mypy.ini .
	@PYTHONPATH=pulsar-admin-scripts $(VENV)/bin/lint-imports
	@$(VENV)/bin/shellcheck .ci/run deployment/make-secrets deployment/docker/with-secrets \
		tests/containers/stand-ins/docker-entrypoint.sh $(addprefix tests/containers/stand-ins/pulsar/bin/,pulsar pulsar-admin pulsar-shell)

format: $(VENV)/.tests ## mend what ruff can mend
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .
