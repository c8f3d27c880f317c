# Sourced by run_all.sh and run_tests.sh: makes .venv with the pinned packages, once.
# setup EXTRAS installs the project with those extras ("" or "[dev]") and sets $PYTHON.

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

# The first python3 that is new enough; PYTHON_FOR_VENV overrides it.
find_python() {
    local candidate
    for candidate in ${PYTHON_FOR_VENV:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed and none was found (tried: ${PYTHON_FOR_VENV:-python3, python3.11 to python3.14}). Install it, or name one: PYTHON_FOR_VENV=/path/to/python3 $0"
}

# One line that says why pip or venv failed, from their log.
explain() {
    local log=$1 errors last free
    errors=$(grep -siE 'error|warning: retrying' "$log")
    last=$(printf '%s\n' "$errors" | grep -iv 'warning: retrying' | tail -n 1)
    free=$(df -Pm . | awk 'NR == 2 {print $4}')
    if [ "${free:-9999}" -lt 100 ] || grep -qsiE 'no space left|errno 28|disk quota' "$log"; then
        echo "the disk is full: $free MB are free here, up to 8,000 are needed with CUDA packages"
    elif grep -qsiE 'ensurepip|No module named venv' "$log"; then
        echo "this Python has no venv module: install it (on Debian and Ubuntu: apt install python3-venv)"
    elif printf '%s' "$errors" | grep -qiE 'connection|timed out|resolution|no matching distribution|proxy'; then
        echo "the package index cannot be reached, or lacks a pinned version: $last"
    else
        echo "${last:-no reason was recorded}"
    fi
}

setup() {
    local extras=$1 python stamp wanted log=.venv/install.log
    wanted="$extras $(cat pyproject.toml constraints.txt | cksum)"
    stamp=.venv/installed
    PYTHON=.venv/bin/python
    # What run_tests.sh installs contains what run_all.sh needs.
    if [ -x "$PYTHON" ] && { [ "$(cat $stamp 2>/dev/null)" = "$wanted" ] ||
        [ "$(cat $stamp 2>/dev/null)" = "[dev] ${wanted#* }" ]; }; then
        return
    fi
    python=$(find_python) || exit 1
    mkdir -p .venv 2>/dev/null || fail "cannot write to $PWD: is it read-only?"
    echo "Setting up .venv with $("$python" --version) (once; a few minutes and several GB with CUDA packages) ..."
    "$python" -m venv .venv >.venv/venv.log 2>&1 || fail "no virtual environment: $(explain .venv/venv.log)"
    rm -f $stamp "$log"
    # --log keeps the details; a terminal still gets pip's own progress bars.
    .venv/bin/python -m pip install --disable-pip-version-check --log "$log" \
        -c constraints.txt -e ".$extras" ||
        fail "installation failed: $(explain "$log") (details: $log)"
    printf '%s' "$wanted" >$stamp
    echo "Environment ready."
}
