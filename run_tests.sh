#!/usr/bin/env bash
# Set up and check everything: formatting, lint, types, tests. Arguments go to pytest.
#
#   ./run_tests.sh                   what CI runs
#   ./run_tests.sh -m slow           the long checks
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. scripts/setup.sh

setup "[dev]"
"$PYTHON" -m ruff format --check .
"$PYTHON" -m ruff check .
"$PYTHON" -m mypy
if [ $# -eq 0 ]; then
    set -- -m "not slow"
fi
exec "$PYTHON" -m pytest "$@"
