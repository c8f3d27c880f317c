#!/usr/bin/env bash
# Set up, get the data, train every cell that is not finished yet, render the report.
#
#   ./run_all.sh                     profile auto: full with a GPU, quick without
#   ./run_all.sh --profile smoke     options go to `python -m bench run`; see --help
#   ./run_all.sh --fresh             start over instead of reusing finished cells
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. scripts/setup.sh

setup ""
exec "$PYTHON" -m bench run "$@"
