#!/usr/bin/env bash
# Words to the person at the terminal, and Debian packages, for the other scripts. Source it: it does nothing by itself.
#
# After sourcing: the functions say, fail, quietly, may_install, apt_missing, apt_install.
set -euo pipefail

LOCK_WAIT=900

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
fail() { say "$@"; exit 1; }

# Runs a command and shows what it printed only if it fails.
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 || status=$?
    if ((status)); then
        tail -n 60 "$log" >&2
        say "failed with status $status: $*"
    fi
    rm -f "$log"
    return "$status"
}

# Whether Debian packages can be installed from here without asking anybody.
may_install() { [[ $EUID -eq 0 ]] || sudo -n true 2>/dev/null; }

# Prints those of the named Debian packages that are not installed.
apt_missing() {
    local package
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
    done
}

# Installs those of the named Debian packages that are missing, or says which ones an administrator must install.
apt_install() {
    local missing
    mapfile -t missing < <(apt_missing "$@")
    ((${#missing[@]})) || return 0
    may_install || fail "an administrator must first run: apt-get install -y ${missing[*]}"
    say "installing Debian packages: ${missing[*]}"
    local as_root=(env DEBIAN_FRONTEND=noninteractive)
    [[ $EUID -eq 0 ]] || as_root=(sudo -n "${as_root[@]}")
    # apt waits for a lock on dpkg, but not for one on its package lists: hence a lock around both.
    local install=("${as_root[@]}" flock -w "$LOCK_WAIT" /var/lib/dpkg
                   apt-get -o DPkg::Lock::Timeout="$LOCK_WAIT" install -y --no-install-recommends "${missing[@]}")
    "${install[@]}" >/dev/null 2>&1 && return 0
    quietly "${as_root[@]}" flock -w "$LOCK_WAIT" /var/lib/dpkg apt-get update || true
    quietly "${install[@]}"
}
