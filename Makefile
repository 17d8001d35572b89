# The verbs of the book. `make help` lists them; everything else is the tools' own commands (README.md, CONTRIBUTING.md).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PACKAGE := $(shell find envnet_tutorial -type f -not -path '*/__pycache__/*')
UV := UV_HTTP_TIMEOUT=300 $(BIN)/python -m uv pip
PIP := $(BIN)/python -m pip install --disable-pip-version-check
LOCK := --universal --python-version 3.11 --custom-compile-command "make lock"
# Processes at a time; a lesson that trains takes up to 3 GB. They share the cores, so each computes on one thread, and no
# thread of torch that waits for another may spin meanwhile.
PROCESSES ?= 3
TOGETHER := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -n $(PROCESSES)

.PHONY: help book pdf test notebooks lint format lock repository clean
.DELETE_ON_ERROR:

help:  ## say what each verb does
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

book: $(READY) _build/.package  ## execute the lessons and build the pages into _build/html
	@# A page with a warning would pass as unchanged next time, so a failed build leaves nothing to reuse.
	$(BIN)/jupyter-book build -W --keep-going --config book/_config.yml --toc book/_toc.yml . \
		|| { rm -rf _build/.doctrees; exit 1; }
	@echo "The book is built. Open file://$(CURDIR)/_build/html/index.html"

pdf: book  ## print the built book, with a still for each thing that moves, into _build/html/book.pdf
	$(BIN)/python -m scripts.pdf
	@# Now that there is a PDF, the front page links it.
	$(MAKE) book

test: $(READY)  ## run everything: package, lessons, book, pages in a browser
	@# Lessons compute and many tests wait, so they run side by side; the lessons first, because they take longest.
	$(TOGETHER) --dist loadfile --no-loadscope-reorder --timeout 900 --nbval --nbval-current-env \
		-m "not pages" notebooks tests
	@# Those outputs have just been reproduced, so the book may use them and need not execute the lessons again.
	$(MAKE) _build/.package
	$(BIN)/python -m scripts.notebooks reuse notebooks/*.ipynb
	$(MAKE) book
	$(TOGETHER) tests/test_book.py tests/test_book_browser.py
	@$(BIN)/python -m scripts.browser

notebooks: $(READY)  ## execute the lessons in place and store what git should keep of them
	$(BIN)/python -m scripts.notebooks execute notebooks/*.ipynb

lint: $(READY)  ## refuse what the formatter would change and what the linter warns of
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY)  ## let the formatter change it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(READY)  ## resolve requirements.in into exact pins: requirements.txt, and requirements.lock with their hashes
	$(UV) compile --quiet $(LOCK) --output-file requirements.txt requirements.in
	@# A folder has no hash, so the package itself is no part of the lock.
	$(UV) compile --quiet $(LOCK) --generate-hashes --no-annotate --no-emit-package envnet-tutorial \
		--output-file requirements.lock requirements.txt

repository:  ## point every link at a fork: make repository URL=https://github.com/you/your-fork
	$(PYTHON) -m scripts.repository $(URL)

clean:  ## remove the built book, keep the environment
	rm -rf _build

# The execution cache knows a notebook by its cells alone: forget it when what they import has changed.
_build/.package: $(PACKAGE) requirements.txt
	rm -rf _build/.jupyter_cache _build/.doctrees
	mkdir -p _build
	touch $@

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "The book needs Python 3.11 or newer: name one, as in make book PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null \
		|| { echo "This Python cannot make environments: install python3-venv (apt-get install python3-venv) first" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.txt
	@# uv installs the same files four times as fast, with its own certificates or, behind a proxy, the system's; else pip does.
	$(PIP) --quiet --require-hashes --requirement $(VENV)/uv.txt \
		&& { $(UV) install --python $(BIN)/python --require-hashes --requirement requirements.lock \
			|| $(UV) install --system-certs --python $(BIN)/python --require-hashes --requirement requirements.lock; } \
		|| $(PIP) --require-hashes --requirement requirements.lock
	@# The package from this folder, built by the setuptools that is pinned: nothing more is fetched.
	$(PIP) --quiet --no-deps --no-build-isolation --editable .
	touch $@
