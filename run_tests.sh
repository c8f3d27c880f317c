#!/usr/bin/env bash
# Set up and check everything: formatting, lint, types, tests. Arguments go to pytest.
#
#   ./run_tests.sh                   what CI runs: all but the slow tests, on every core
#   ./run_tests.sh --fast            a loop while you write: without the tests marked heavy
#   ./run_tests.sh -m slow           the long checks, one after the other
#   ./run_tests.sh tests/bench/data  some tests only
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. scripts/setup.sh

setup "[dev]"
"$PYTHON" -m ruff format --check .
"$PYTHON" -m ruff check .
"$PYTHON" -m mypy
# A file's tests stay together, for they share what is costly to make; heavy ones come first.
spread=(-n auto --dist loadfile --no-loadscope-reorder)
case "${1-}" in
"") set -- "${spread[@]}" -m "not slow" ;;
--fast) set -- "${spread[@]}" -m "not slow and not heavy" "${@:2}" ;;
esac
exec "$PYTHON" -m pytest --durations=25 "$@"
