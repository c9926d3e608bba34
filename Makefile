# make book  build the book into _build/html          make live   edit and run the chapters in JupyterLab
# make app   open the playground and the explorations in the browser, served to this machine only
# make test  build the book and pass every test        make bench  compare speeds, write results/bench.json
# make pdf   print the built book as one file, _build/html/affinepieces.pdf; needs Chromium (apt-get install chromium)
# make study  make the runs of the numerical study that are missing, write results/study
# make campaign     compare the playground with Python on 1000 runs, to the last bit
# make reseed       re-run the chapters with other random numbers
# make test-matrix  test the distributions, the lower bounds of the dependencies, and newer Pythons
# make clean        remove everything that was made
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: book pdf test test-matrix live app study campaign reseed bench clean
book: $(VENV)/.ready
	$(BIN)/python book/_tools/build.py

pdf: book
	$(BIN)/python book/_tools/pdf.py

test: book
	$(BIN)/python -m pytest -n 2 --dist loadfile --book-cache

test-matrix:
	$(PYTHON) .ci/matrix.py

live: $(VENV)/.ready
	$(BIN)/python book/_tools/live.py

app: book
	$(BIN)/python book/_tools/app.py

study: $(VENV)/.ready
	$(BIN)/affinepieces study run --preset full
	$(BIN)/affinepieces study summarise --preset full --to results/study

campaign: $(VENV)/.ready
	$(BIN)/python tests/playground/campaign.py

reseed: $(VENV)/.ready
	$(BIN)/python book/_tools/reseed.py

bench: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	$(BIN)/python benchmarks/bench.py

clean:
	[ ! -x $(BIN)/python ] || $(BIN)/python book/_tools/notebooks.py --remove
	rm -rf _build build dist book/_static/vendor $(VENV)
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.ready: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("Python %d.%d found, 3.11 or newer needed: make PYTHON=python3.11" % v[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@
