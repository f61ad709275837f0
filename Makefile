# make lab: read and run the book · make test: check everything · make book: the static pages · make pdf: the book on paper · make record: run chapters anew
PYTHON ?= python3
EXTRAS := book,test,data,peers
RUN := OMP_NUM_THREADS=1 PYTHONHASHSEED=0 .venv/bin/python
WORKERS ?= 2

.PHONY: lab test book pdf record check bench lint clean
.DEFAULT_GOAL := lab

.venv/ready: pyproject.toml constraints.txt share/lab-defaults.json share/lab-server.json
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	touch $@

lab: .venv/ready
	@$(RUN) -m jupyter trust tests/recorded/*/*.ipynb >/dev/null 2>&1 || true
	OMP_NUM_THREADS=1 PYTHONHASHSEED=0 .venv/bin/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root)

book: .venv/ready
	$(RUN) -m sphinx -q -W --keep-going -b html -c book chapters _build/html
	@echo "The book is at _build/html/index.html"

pdf: .venv/ready
	$(RUN) book/pdf.py

test: book
	$(RUN) -m ruff check .
	$(RUN) -m pytest -n $(WORKERS) --dist loadscope --all-chapters

check: .venv/ready
	$(RUN) -m spaces_core.checks $(or $(CHAPTERS),$(wildcard chapters/*/*.md))

record: .venv/ready
	$(RUN) -m spaces_core.lab.record $(CHAPTERS)

bench: .venv/ready
	$(RUN) -m tests.benchmarks $(TOPICS)

clean:
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
