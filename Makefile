# `make` lists the targets. Everything lives in .venv; nothing outside this folder is touched.

VENV := .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/.ready
# Some pythons on the PATH are only placeholders, so each is asked to run, and whether it can make an environment.
CANDIDATES ?= python3.13 python3.12 python3.11 python3 python
UV := uv>=0.8,<1

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint ci verbs lock clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Create .venv with the locked dependencies (done once, again when they change)
	@echo "$(VENV) is ready. Next: make demo"

demo: $(STAMP) ## Start a local Slack and the bot, with sample people; prints the page's address
	@$(PYTHON) -m bot demo

test: $(STAMP) ## Run the tests, on all cores
	@$(PYTHON) -m pytest -n auto

lint: $(STAMP) ## Check style, types and who imports whom
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy --strict
	@$(VENV)/bin/lint-imports --no-logo

ci: ## Everything that has to pass: lint, documents, tests on the oldest and the newest Python here
	@.ci/run

verbs: $(STAMP) ## Write the README's table of verbs from the table of acts
	@$(PYTHON) -m tests.verbs

lock: $(STAMP) ## Write requirements.lock anew from both pyproject.toml, with the newest versions it allows
	@$(PYTHON) -m pip install --quiet '$(UV)'
	@UV_CUSTOM_COMPILE_COMMAND='make lock' $(VENV)/bin/uv pip compile --quiet --upgrade --universal --generate-hashes \
		--no-emit-index-url --no-annotate --python-version 3.11 \
		--extra demo --extra dev --no-emit-package localslack pyproject.toml -o requirements.lock
	@echo "requirements.lock is written; make setup installs it."

clean: ## Remove .venv and everything else that can be made again (the database in var/ stays)
	rm -rf $(VENV) build dist *.egg-info localslack/build localslack/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find bot localslack tests bench -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(STAMP): requirements.lock pyproject.toml localslack/pyproject.toml
	@set -eu; \
	[ -x $(PYTHON) ] && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		rm -rf $(VENV); found=; old=; bare=; \
		for candidate in $(CANDIDATES); do \
			version=$$($$candidate -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue; \
			if ! $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then old="$$version"; \
			elif ! $$candidate -c 'import ensurepip, venv' 2>/dev/null; then bare="$$version"; \
			else found="$$candidate"; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			if [ -n "$$bare" ]; then \
				echo "Python $$bare is here, but cannot make environments. Install its venv module, then try again:"; \
				echo "  Debian, Ubuntu: sudo apt install python$$bare-venv"; \
			else \
				echo "Python 3.11 or newer is needed$${old:+; found is only $$old}. Install it, then try again:"; \
				echo "  Debian, Ubuntu: sudo apt install python3 python3-venv"; \
				echo "  Fedora:         sudo dnf install python3"; \
				echo "  macOS:          brew install python"; \
				echo "  all others:     https://www.python.org/downloads/"; \
			fi; \
			exit 1; \
		fi; \
		echo "Creating $(VENV) with Python $$version."; \
		$$found -m venv $(VENV); \
	}; \
	echo "Installing the locked dependencies; the first time this takes a minute or two."; \
	$(PYTHON) -m pip install --quiet --require-hashes -r requirements.lock; \
	PYTHONWARNINGS=ignore $(PYTHON) -m pip install --quiet --no-deps --no-build-isolation --editable . --editable ./localslack; \
	touch $(STAMP)
