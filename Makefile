# Two commands are enough: `make up` to use Lamplight, `make test` to check it.
# ARGS goes to `lamplight up`, for example: make up ARGS="--data ./data --port 9000"

SHELL := bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# llama.cpp is compiled here once; the wheel stays in uv's cache, outside the checkout. For which
# device, scripts/llama-build says; LLAMA_DEVICE=cpu keeps it off a graphics card.
export CMAKE_ARGS ?= -DGGML_LLAMAFILE=ON

# uv does not read pip's settings; a hospital's own package mirror is usually set there.
ifneq ($(PIP_INDEX_URL),)
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

# Kept outside the checkout, so that a fresh clone is quick; `up` links from here, too.
TEST_STORE := $(HOME)/.cache/lamplight/models
TEST_MODELS := all-minilm smollm2:135m qwen2.5-coder:0.5b

.PHONY: up test check lock setup frontend prove clean

up: setup frontend
	@$(BIN)/lamplight up $(ARGS)

setup: .setup/python
frontend: .setup/frontend

.setup/tools:
	@scripts/need $(PYTHON)
	@mkdir -p .setup && touch $@

.setup/python: requirements.lock pyproject.toml | .setup/tools
	@echo "==> Python packages (the first time, llama.cpp is compiled: about six minutes)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/pip install --quiet --disable-pip-version-check uv==0.13.9
	@build=$$($(PYTHON) scripts/llama-build) && \
		$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $$build requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

.setup/frontend: package.json package-lock.json $(wildcard web/assets/*) | .setup/tools
	@echo "==> Front-end files"
	@npm ci --silent --no-fund --no-audit --ignore-scripts
	@npm run --silent build
	@touch $@

# Everything that must hold before a commit lands; .ci/run calls it.
test: setup frontend check
	@scripts/install-test-tools
	@echo "==> Models for the tests"
	@for model in $(TEST_MODELS); do LAMPLIGHT_MODELS=$(TEST_STORE) $(BIN)/lamplight pull $$model; done
	@scripts/test $(PYTEST_ARGS)

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# The full counts that take longer than a test run; results are noted in docs/evidence.md.
prove: setup frontend
	@$(BIN)/python -m benchmarks.prove

lock: setup
	@$(BIN)/uv pip compile pyproject.toml --extra test --universal --python-version 3.11 \
		--generate-hashes --no-header --quiet --upgrade --output-file requirements.lock
	@npm install --silent --package-lock-only --no-fund --no-audit

clean:
	@rm -rf .setup $(VENV) node_modules web/static/vendor
