# `make run` needs Python 3.11 or newer, make and git; everything else lands in .venv.
.DEFAULT_GOAL := help
SHELL := /bin/sh

# The first interpreter that is new enough; `make run PYTHON=...` chooses another.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$name && break; done)
BIN := .venv/bin
SOURCES := manage.py portal webjobs tests
# The checks never touch the data of a portal that runs from this directory.
CHECK := env -u DATABASE_URL -u REDIS_URL DATA_DIR=.venv/check-data
# More than two cores ask for: many tests wait for processes.
WORKERS ?= 4
# A test of real processes may find a busy machine: a failure is tried again, and listed with its cause.
# Their hundreds of processes compile every module but once, also where images say otherwise.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --max-worker-restart 0 --reruns 2 --reruns-delay 1 --rerun-show-tracebacks -r aR

.PHONY: help
help:
	@echo "make run      start the portal (installs what it needs first)"
	@echo "make test     all checks and tests, on SQLite and on PostgreSQL"
	@echo "make test-clients  Azure's own clients against a portal; needs Node.js and 1 GB"
	@echo "make test-images    the image built and docker-compose.yml brought up; needs Docker"
	@echo "make lint     formatting, style, types, deployment and migration checks"
	@echo "make unit     the fast tests only"
	@echo "make bench    how fast it is here, beside the machine's own limits and other programs"
	@echo "make soak     kill parts of a portal at random under load and check what must hold"
	@echo "make screenshots  pictures of every page, into screenshots/"
	@echo "make format   format the code and mend what can be mended"

.PHONY: run
run: venv
	@$(call install,requirements.txt,requirements.txt)
	@case "$$PACKAGES_STORAGE" in s3:*) $(call install,requirements-s3.txt,requirements-s3.txt);; esac
	@exec $(BIN)/python manage.py up

.PHONY: test
test: lint
	$(PYTEST)
	@$(BIN)/python -m tests.support.postgres $(PYTEST) -m "not browser and not own_database"

.PHONY: test-clients
test-clients: client-packages
	TEST_CLIENTS=.venv-clients $(BIN)/python -m pytest -n 2 tests/clients

# Of its own, so that a machine may fetch them while it tests something else.
.PHONY: client-packages
client-packages: tools
	@$(call client,python,requirements.txt)
	@$(call client,az,requirements-az.txt)
	@stamp=tests/clients/node_modules/.stamp; now=$$(cksum < tests/clients/package-lock.json); \
	if [ "$$now" != "$$(cat $$stamp 2>/dev/null)" ]; then \
		(cd tests/clients && npm ci --ignore-scripts --no-audit --no-fund) || exit 1; \
		echo "$$now" > $$stamp; \
	fi

.PHONY: test-images
test-images: tools
	TEST_IMAGES=1 $(BIN)/python -m pytest -p no:randomly tests/images

.PHONY: lint
lint: tools
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(CHECK) $(BIN)/mypy $(SOURCES)
	$(CHECK) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(CHECK) $(BIN)/python manage.py makemigrations --check --dry-run

.PHONY: unit
unit: tools
	$(BIN)/python -m pytest tests/unit

.PHONY: bench
bench: tools
	@ROWS="$(ROWS)" QUICK="$(QUICK)" FULL="$(FULL)" $(BIN)/python -m tests.bench

.PHONY: soak
soak: tools
	@MINUTES="$(MINUTES)" SEED="$(SEED)" KEEP="$(KEEP)" $(BIN)/python -m tests.soak

.PHONY: screenshots
screenshots: tools
	@ONLY="$(ONLY)" $(BIN)/python -m tests.screenshots

.PHONY: format
format: tools
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: tools
tools: venv
	@$(call install,tests/requirements.txt,requirements.txt requirements-s3.txt tests/requirements.txt)

.PHONY: venv
venv:
	@if ! $(BIN)/python -c 'import pip' 2>/dev/null; then \
		if [ -z "$(PYTHON)" ]; then \
			echo "Python 3.11 or newer is needed and was not found; name it: make PYTHON=/path/to/python3" >&2; \
			exit 1; \
		fi; \
		if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Python 3.11 or newer is needed; $(PYTHON) is not." >&2; \
			exit 1; \
		fi; \
		if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
			echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv" >&2; \
			exit 1; \
		fi; \
		echo "Making .venv with $$($(PYTHON) --version)"; \
		$(PYTHON) -m venv --clear .venv; \
	fi

# $(1): the file to install; $(2): the files whose change calls for a new installation.
define install
stamp=.venv/$(subst /,-,$(1)).stamp; \
now=$$(cat $(2) | cksum); \
if [ "$$now" != "$$(cat $$stamp 2>/dev/null)" ]; then \
	echo "Installing the packages of $(1)"; \
	$(BIN)/python -m pip install --disable-pip-version-check --no-input -r $(1) || exit 1; \
	echo "$$now" > $$stamp; \
fi
endef

# $(1): the environment below .venv-clients; $(2): what it holds.
define client
stamp=.venv-clients/$(1).stamp; \
now=$$(cksum < tests/clients/$(2)); \
if [ "$$now" != "$$(cat $$stamp 2>/dev/null)" ]; then \
	echo "Installing the packages of tests/clients/$(2)"; \
	$(BIN)/python -m venv --clear .venv-clients/$(1) || exit 1; \
	.venv-clients/$(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
		--no-compile -r tests/clients/$(2) || exit 1; \
	echo "$$now" > $$stamp; \
fi
endef
