# shellcheck shell=bash
# What every script of the lab shares: words to the user, the cache, locks. To be sourced, after `set -euo pipefail`.

# Everything downloaded or built is kept here, outside the repository, and used again by every checkout.
ORCHESTRATOR_CACHE=${ORCHESTRATOR_CACHE:-${HOME:-/root}/.cache/orchestrator}
export ORCHESTRATOR_CACHE

# Some shells of root leave out where system tools are.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Progress goes to stderr: stdout belongs to answers that another program may read.
say() { printf '%s\n' "$*" >&2; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

need_root() {
    [[ $EUID -eq 0 ]] || die "needs root (network namespaces, Docker engines): run it with sudo, or as root"
}

# with_lock NAME COMMAND...: runs COMMAND while no other process holds NAME, in a subshell of its own, so that the lock ends
# with it. Processes that COMMAND leaves running must close descriptor 9, or they hold the lock for as long as they live.
with_lock() {
    local name=$1
    shift
    mkdir -p "$ORCHESTRATOR_CACHE/locks"
    (
        flock 9
        "$@"
    ) 9>"$ORCHESTRATOR_CACHE/locks/$name"
}

has_commands() {
    local command
    for command in "$@"; do
        command -v "$command" >/dev/null || return 1
    done
}

# retry SECONDS COMMAND...: polls COMMAND until it succeeds; fails once the time is over. Its output is the caller's to silence.
retry() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}
