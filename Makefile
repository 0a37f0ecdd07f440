.DEFAULT_GOAL := help
.PHONY: help setup demo demo-site test benchmark lint format clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make .venv and install MariaDB and Redis where they are missing
	@scripts/setup

demo: setup ## Feed 200 messages to three nodes, kill one, and count
	@.venv/bin/python -m dogan_agents.lab.demo

demo-site: ## The same on a site of a bench, through a real mailbox
	@scripts/on-bench env/bin/python -m dogan_agents.lab.demo_site

test: setup ## Run every suite that this machine can run
	@scripts/test

benchmark: setup ## Measure against the peers
	@.venv/bin/python -m benchmarks

lint: setup ## Check style, types, layers and scripts
	@scripts/lint

format: setup ## Put the code in the house style
	@.venv/bin/ruff check --fix --quiet .
	@.venv/bin/ruff format .

clean: ## Remove .venv and what was built
	rm -rf .venv build
