# make lab: read and run the book · make test: check everything once · make audit: check it under other processors' kernels, seeds and misprints
# make book: the static pages · make pdf: the book on paper · make edited: check what was edited, in seconds · make record: run chapters anew
PYTHON ?= python3
EXTRAS := checks,book,test,data,peers
RUN := OMP_NUM_THREADS=1 PYTHONHASHSEED=0 .venv/bin/python
WORKERS ?= 2

.PHONY: lab test audit book pdf record check edited bench clean
.DEFAULT_GOAL := lab

.venv/ready: pyproject.toml constraints.txt
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	touch $@

lab: .venv/ready
	$(RUN) -m spaces_core.lab.opening

book: .venv/ready
	$(RUN) -m sphinx -q -W --keep-going -b html -c book chapters _build/html
	@echo "The book is at _build/html/index.html"

pdf: .venv/ready
	$(RUN) book/pdf.py

test: book
	$(RUN) -m ruff check -q .
	$(RUN) -m pytest -q -n $(WORKERS) --dist loadscope --all-chapters

check: .venv/ready
	$(RUN) -m spaces_core.checks $(or $(CHAPTERS),$(wildcard chapters/*/*.md))

edited: .venv/ready
	$(RUN) -m spaces_core.lab.edited $(CHAPTERS)

record: .venv/ready
	$(RUN) -m spaces_core.lab.record $(CHAPTERS)

audit: .venv/ready
	$(RUN) -m spaces_core.lab.audit $(CHAPTERS)

bench: .venv/ready
	$(RUN) -m tests.benchmarks $(TOPICS)

clean:
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
