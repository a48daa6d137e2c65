#!/usr/bin/env bash
# Everything the other scripts need before they can start, on a fresh Debian 12: Python's venv module and a compiler
# (netifaces has no wheel for Python 3.11), a virtual environment, and this package installed in it, editable.
#
# Source it, or run it once to prepare a machine. It says nothing when nothing is to be done, and does nothing twice.
# Two runs at the same time wait for each other.
#
#   ECONDUIT_VENV   where the virtual environment is or shall be; default: .venv in this clone
#
# After sourcing: $ROOT (this clone), $VENV, its programs in PATH, and the functions of _packages.sh.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
VENV=${ECONDUIT_VENV:-$ROOT/.venv}
[[ $VENV == /* ]] || VENV=$PWD/$VENV
source "$ROOT/scripts/_packages.sh"

# Prints the Debian packages without which the virtual environment cannot be made. What counts is what works, not what
# dpkg says: Python may come from elsewhere.
needed_for_venv() {
    if ! command -v python3 >/dev/null; then
        echo python3-venv python3-dev gcc libc6-dev
        return
    fi
    python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    python3 -c 'import os, sysconfig; os.stat(sysconfig.get_paths()["include"] + "/Python.h")' 2>/dev/null ||
        echo python3-dev
    command -v cc >/dev/null || echo gcc libc6-dev
}

# The stamp's first line says what the environment was made of: a change means a new one. Its second line says what was
# installed in it.
stamp() {
    # Asked of the Python behind a virtual environment, so that a script called from another gets the same answer.
    echo "$VENV $(python3 -c 'import os, sys; print(os.path.realpath(sys._base_executable), sys.version.split()[0])')"
    (cd "$ROOT" && echo "$ROOT $(cat pyproject.toml setup.py conf/version.py | sha256sum)")
}

prepare() {
    local packages
    mkdir -p "$VENV" 2>/dev/null && [[ -w $VENV && -w $ROOT ]] ||
        fail "cannot write to $VENV and $ROOT: use a clone of your own"
    # The lock is the directory itself: it stays when an environment is rebuilt in it.
    exec 9<"$VENV"
    flock -w "$LOCK_WAIT" 9 || fail "another set-up of $VENV has not ended for $LOCK_WAIT s"
    local now was=""
    command -v python3 >/dev/null && now=$(stamp) || now=""
    [[ -f $VENV/.stamp ]] && was=$(<"$VENV/.stamp")
    [[ -n $now && $now == "$was" && -x $VENV/bin/pytest ]] && return 0

    read -r -d '' -a packages < <(needed_for_venv) || true
    ((${#packages[@]} == 0)) || apt_install "${packages[@]}"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or later is needed"
    now=$(stamp)
    if [[ -n $(ls -A "$VENV") && ! -f $VENV/pyvenv.cfg ]]; then
        fail "$VENV is neither empty nor a virtual environment: remove it, or set ECONDUIT_VENV"
    fi
    say "preparing $VENV (a minute or two the first time)"
    if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1 || [[ -n $was && ${was%%$'\n'*} != "${now%%$'\n'*}" ]]; then
        quietly python3 -m venv --clear "$VENV" || exit 1
    fi
    rm -f "$VENV/.stamp"
    (cd "$ROOT" && quietly "$VENV/bin/python" -m pip install --disable-pip-version-check -q -e '.[test,check]') ||
        fail "the Python packages named above could not be installed: the first run downloads them and needs the network"
    echo "$now" >"$VENV/.stamp"
}

(prepare) || exit 1
export VENV PATH="$VENV/bin:$PATH"
