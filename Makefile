# Order Desk. `make run` serves it, `make test` checks it; see the README.
.POSIX:
.SUFFIXES:
.PHONY: help run test system-packages format demo import dump bench soak audit screenshots clean

VENV = .venv
PY = $(VENV)/bin/python
ORDERS = 2000
FILE =

help:
	@echo "make run                      serve Order Desk at http://localhost:8501"
	@echo "make test                     run every check and test"
	@echo "make demo ORDERS=1000000      fill an empty or demo database with demo orders"
	@echo "make import FILE=orders.xlsx  import your own orders"
	@echo "make dump FILE=orders.xlsx    write everything as an import workbook"
	@echo "make bench                    measure, side by side with the plain alternative"
	@echo "make soak                     attack refunds, rights and mail at full size, for half an hour at most"
	@echo "make audit                    look for known vulnerabilities; needs the network"
	@echo "make screenshots              make the pictures of the README anew"
	@echo "make format                   format the code"

run: $(VENV)/installed
	$(VENV)/bin/streamlit run app.py

demo: $(VENV)/installed
	$(PY) -m core demo --orders $(ORDERS)

import: $(VENV)/installed
	@[ -n "$(FILE)" ] || { echo "Name the file: make import FILE=orders.xlsx" >&2; exit 2; }
	$(PY) -m core import "$(FILE)"

dump: $(VENV)/installed
	@[ -n "$(FILE)" ] || { echo "Name the file: make dump FILE=orders.xlsx" >&2; exit 2; }
	$(PY) -m core dump "$(FILE)"

# What failed in the browser, while two of them shared the processors, runs once more, alone.
# The main job, refunds and vouchers are tried in it on PostgreSQL as well.
ON_POSTGRESQL = tests/e2e/test_download.py tests/e2e/test_refunds.py tests/e2e/test_vouchers.py
test:
	$(MAKE) -j 2 $(VENV)/installed-dev system-packages
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(PY) -m pytest -n 2 tests/core tests/pages
	$(PY) -m pytest -n 2 --dist loadfile tests/e2e || \
		$(PY) -m pytest --last-failed --last-failed-no-failures none tests/e2e
	$(PY) -m pytest -n 2 --dist loadfile --database postgresql $(ON_POSTGRESQL)

system-packages:
	sh tests/install_system_packages.sh

bench: $(VENV)/installed-dev $(VENV)-bench/installed system-packages
	$(PY) -m tests.bench

soak: $(VENV)/installed-dev
	sh tests/install_system_packages.sh office
	$(PY) -m tests.soak

screenshots: $(VENV)/installed-dev system-packages
	$(PY) -m tests.tour

# pip-audit fails on a known vulnerability; where nobody could be asked, that is said as well.
audit: $(VENV)-audit/installed
	@$(VENV)-audit/bin/pip-audit --strict --requirement requirements.txt --disable-pip --no-deps \
		--progress-spinner off --timeout 30 || { \
		echo "make audit: a vulnerability is listed above, or the advisory service could not be" \
		"reached, and then nothing was checked: look at the lines above." >&2; exit 1; }

format: $(VENV)/installed-dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

clean:
	rm -rf $(VENV) $(VENV)-audit $(VENV)-bench .mypy_cache .pytest_cache .ruff_cache .hypothesis .bench

$(VENV)/bin/pip:
	sh tests/make_venv.sh $(VENV)

$(VENV)-audit/installed: requirements-audit.txt
	sh tests/make_venv.sh $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(VENV)-bench/installed: requirements-bench.txt
	sh tests/make_venv.sh $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(VENV)/installed: $(VENV)/bin/pip requirements.txt
	@echo "Installing what Order Desk needs into $(VENV): a minute or two"
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
