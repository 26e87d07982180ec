# Every command of the project; `make` or `make help` lists them. All of them set up what they need on first use.

ENV ?= dev
LOCKS = requirements
# With their extras: pip before 23.3 takes the newest release of what another package asks for with an extra, and finds no hash for it.
COMPILE = uv pip compile --quiet --no-strip-extras --universal --generate-hashes --no-emit-index-url --no-annotate \
  --custom-compile-command "make lock" pyproject.toml

# The virtual environment's tools first, Node among them (it comes from PyPI: see `setup`).
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)

# What app/Dockerfile is written for, and the default since Docker 23.
export DOCKER_BUILDKIT := 1

# The CLI would recommend the npm tag `latest`, which is an old build under a wrong number.
export CDK_DISABLE_VERSION_CHECK := 1

# Tests that need more than Python (tests/needs.py), one after the other, and the others, which both cores do at once.
NEEDS = database or pages or processes or engine or browser or cdk or minutes
BESIDE = -q -n 2 --dist loadgroup -m "not ($(NEEDS))"

.DEFAULT_GOAL := help
.PHONY: help setup run demo migration migration-check up down test quick check check-locks format lock synth bootstrap deploy diff cost diagram capacity prices sleep wake invite secret rotate destroy rehearse bench faults screenshots status logs failures rollback rehearse-migration pipeline-bootstrap preview preview-down previews change promote smoke release-notes collect sbom licences audit

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready .venv/checkov/.ready node_modules/.ready ## Install everything the other commands need (they do it by themselves)

run: .venv/.ready-to-run ## Run the whole application here: API on 127.0.0.1:8000, UI on 127.0.0.1:8501, embedded PostgreSQL
	@python -m app.local

demo: .venv/.ready-to-run ## Load a few thousand example products into the running application
	@python -m app.demo

migration: .venv/.ready ## Write the next migration from the models: make migration MESSAGE="what changes"
	@python -m app.new_migration $(if $(CONTRACT),--contract) "$(MESSAGE)"

migration-check: .venv/.ready ## Measure what each migration keeps waiting at a million products, and kill migrators at random
	@python -m app.migration_check

up: ## Run the containers with docker compose and wait until they are healthy
	@docker compose up --build --wait
	@echo "UI http://127.0.0.1:$${UI_PORT:-8501}   API http://127.0.0.1:$${API_PORT:-8000}/docs   make down stops them"

down: ## Stop the containers; the database's volume stays (docker compose down --volumes drops it)
	@docker compose down

test: setup ## Run every check and test; make test ARGS="-k word" runs the tests it names and no more
ifdef ARGS
	@python -m pytest $(ARGS)
else
	@$(MAKE) --no-print-directory check
	@python -m pytest $(BESIDE) --cov
	@python -m pytest -m "$(NEEDS)"
endif

quick: .venv/.ready ## Lint, format, types, who imports whom, and the tests that need nothing but Python
	@ruff check --quiet . && ruff format --quiet --check . && mypy && lint-imports --no-logo >/dev/null
	@python -m pytest $(BESIDE) -p no:schemathesis --ignore=tests/end_to_end --ignore=tests/api/test_openapi.py

check: setup check-locks ## Lint (workflows too), format, types, who imports whom, the locks, and the gates of infra/gates
	@ruff check .
	@ruff format --check .
	@mypy
	@lint-imports --no-logo
	@python -m infra.pipeline.lint
	@python -m infra.gates

format: .venv/.ready ## Format the code
	@ruff check --fix . && ruff format .

lock: .venv/.ready ## Compile requirements/*.txt from pyproject.toml; `make lock UPGRADE=--upgrade` takes newer releases
	@$(COMPILE) $(UPGRADE) --python-version 3.13 --group api -o $(LOCKS)/api.txt
	@$(COMPILE) $(UPGRADE) --python-version 3.13 --group ui -o $(LOCKS)/ui.txt
	@$(COMPILE) $(UPGRADE) --python-version 3.13 --group emulator -o $(LOCKS)/emulator.txt
	@$(COMPILE) $(UPGRADE) --python-version 3.11 --group checkov -o $(LOCKS)/checkov.txt
	@$(COMPILE) $(UPGRADE) --python-version 3.11 --group dev -o $(LOCKS)/workstation.txt
	@$(COMPILE) $(UPGRADE) --python-version 3.11 --group run --constraints $(LOCKS)/workstation.txt -o $(LOCKS)/run.txt

check-locks: .venv/.ready
	@rm -rf .data/locks && mkdir -p .data && cp -r requirements .data/locks && $(MAKE) --no-print-directory lock LOCKS=.data/locks
	@diff -r requirements .data/locks || { echo "make: requirements/ does not match pyproject.toml; run make lock" >&2; exit 1; }

synth: setup ## Write the CloudFormation template of ENV (dev or prod) to cdk.out; needs no AWS account
	@cdk synth --quiet --context environment=$(ENV)

bootstrap: setup ## Prepare your AWS account and region, once: CDK's own bucket, repository (with image scanning) and roles, and AWS's
	@python -m infra.operations.cdk bootstrap
	@python -m infra.operations.service_linked_roles
	@python -m infra.operations.image_scanning

deploy: setup ## Deploy ENV to the AWS account of your credentials: verify, difference and its cost, progress, smoke test
	@python -m infra.operations deploy --env $(ENV) $(ARGS)

diff: setup ## Show what `make deploy` would change, and what that costs
	@python -m infra.operations.cdk diff --context environment=$(ENV)
	@python -m infra.operations.cost $(ENV) --against deployed

cost: setup ## Say what ENV costs a month: per resource, per service, what each safety feature adds, what is cheaper
	@python -m infra.operations.cost $(ENV) $(if $(REGION),--region $(REGION))

capacity: setup ## Say what ENV carries, and what carries TARGET requests a second: tasks, database, what breaks next, its price
	@python -m infra.operations.capacity $(ENV) $(if $(TARGET),--target-rps $(TARGET)) $(if $(REGION),--region $(REGION))

diagram: setup ## Draw the architecture anew (docs/images/architecture*.svg), from the template of prod
	@python -m infra.operations.diagram

prices: setup ## Look the price table of REGION up anew in the AWS Price List (needs credentials that may pricing:GetProducts)
	@python -m infra.operations.prices $(REGION)

sleep: setup ## Run no task of ENV and stop its database until `make wake`, and say what costs all the same
	@python -m infra.operations.sleep $(ENV)

wake: setup ## Start the database and the tasks of ENV again
	@python -m infra.operations.wake $(ENV)

invite: setup ## Let somebody sign in: make invite EMAIL=someone@example.com
	@python -m infra.operations.invite $(ENV) "$(EMAIL)"

secret: setup ## Put a secret into AWS Secrets Manager, from a prompt: make secret NAME=openai_api_key
	@python -m infra.operations.secret "$(NAME)"

rotate: setup ## Give a secret a new value and replace the tasks that have the old one: make rotate SECRET=database
	@python -m infra.operations.rotate $(ENV) "$(SECRET)"

destroy: setup ## Remove ENV from AWS, and say what stays, why, and what that costs
	@python -m infra.operations.destroy $(ENV)

status: setup ## Show how ENV is: services, targets, database, alarms, the URL, the last failures
	@python -m infra.operations status --env $(ENV) $(ARGS)

logs: setup ## Show what the services of ENV log: make logs ARGS="api --follow --since 2h"
	@python -m infra.operations logs --env $(ENV) $(ARGS)

failures: setup ## Show why tasks of ENV failed, and where to mend it
	@python -m infra.operations failures --env $(ENV) $(ARGS)

rollback: setup ## List the versions of ENV that can run; make rollback ARGS=previous goes back to the one before
	@python -m infra.operations rollback --env $(ENV) $(ARGS)

rehearse-migration: setup ## Run this checkout's migrations on a copy of the newest snapshot of ENV: how long, and whom they keep waiting
	@python -m infra.operations rehearse-migration --env $(ENV) $(ARGS)

pipeline-bootstrap: setup ## Let the workflows of REPOSITORY=OWNER/NAME deploy: a provider and roles, without keys (docs/pipeline.md)
	@python -m infra.pipeline.bootstrap "$(REPOSITORY)"

preview: setup ## Deploy the environment of pull request PR, cheap and with an end (cdk.json: preview)
	@python -m infra.pipeline.previews up "$(PR)"

preview-down: setup ## Remove the environment of pull request PR
	@python -m infra.pipeline.previews down "$(PR)"

previews: setup ## List the environments of pull requests; ARGS=--expired removes those whose time is over
	@python -m infra.pipeline.previews $(ARGS)

change: setup ## Say as Markdown what this branch changes of the templates and their cost against BASE; needs no AWS account
	@python -m infra.pipeline.change "$(or $(BASE),origin/main)"

promote: setup ## Hold that ENV would run the very images, by digest, that FROM runs
	@python -m infra.pipeline.promote $(ENV) "$(or $(FROM),dev)"

smoke: setup ## Ask ENV at its public URL whether it answers
	@python -m infra.operations smoke --env $(ENV) $(ARGS)

release-notes: .venv/.ready ## Print what CHANGELOG.md says of VERSION
	@python -m infra.pipeline.release_notes "$(VERSION)"

collect: setup ## Say which old images and snapshots could go; ARGS=--delete removes them
	@python -m infra.pipeline.collect $(ARGS)

sbom: .venv/.ready ## Write what is in both images to .data/sbom, as CycloneDX; docker compose build makes the images
	@python -m infra.pipeline.sbom .data/sbom

licences: .venv/.ready ## List the licence of each package of the images
	@python -m infra.pipeline.licences

audit: .venv/.ready ## Look for known vulnerabilities in the packages of the images; skipped where nobody can be asked
	@python -m infra.pipeline.audit

rehearse: setup ## Deploy ENV to an emulated AWS on this machine, look at it, use it, destroy it; SCENARIOS="use update" plays some
	@python -m infra.rehearsal --environment $(ENV) $(if $(SCENARIOS),--scenarios $(SCENARIOS))

bench: setup ## Measure speed, scale, transfer, UI, start and synthesis (needs wrk); make bench PART=scale does one of them
	@python -m benchmarks $(PART)

faults: .venv/.ready ## Break things while the application works, and say what it did (an engine is used where it answers)
	@python -m faults

screenshots: .venv/.ready ## Take the pictures of docs/images from a running application with example products
	@python -m tests.end_to_end.screenshots $${UI_URL:-http://127.0.0.1:8501} docs/images

.venv/.ready-to-run: requirements/run.txt
	@tools/setup run

.venv/.ready: requirements/workstation.txt
	@tools/setup python

.venv/checkov/.ready: requirements/checkov.txt | .venv/.ready
	@tools/setup checkov

node_modules/.ready: package-lock.json | .venv/.ready
	@tools/setup node
