#!/usr/bin/env bash
# Brings the programs that tests, the demo and benchmarks use into the cache, outside the repository. What it needs for that
# (npm, unzip) it installs if it is missing; no service is touched. Says only what it does; silent when there is nothing to do.
#
#   tests/lab/deps.sh [tool…]       brings the named tools, or all of them
#   tests/lab/deps.sh --path tool   prints where a tool is; exit code 1 and how to get it, if it is not there
#   tests/lab/deps.sh --list        prints the tools
#
# The cache is $ORCHESTRATOR_CACHE or ~/.cache/orchestrator. Safe to run many times, and at the same time.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
source "$here/lib/common.sh"
# shellcheck source=deps/cache.sh
source "$here/deps/cache.sh"

# Tool to the script that brings it. One script may bring several that come together.
declare -A script=(
    [kubectl]=kubectl-and-helm [helm]=kubectl-and-helm
    [kube-apiserver]=kubernetes-1.20 [kubectl-1.20]=kubernetes-1.20
    [etcd]=debian [prometheus]=debian [promtool]=debian
    [wrk]=debian [hey]=debian [haproxy]=debian [nginx]=debian [caddy]=debian [docker]=debian
    [ssh]=debian [sshd]=debian [keepalived]=debian
    [gnuplot]=debian
    [pebble]=debian [pebble-challtestsrv]=debian
    [site-server]=site-server
    [aspire-dashboard]=aspire-dashboard
    [systemd-socket-activate]=debian
)
order=(kubectl helm etcd prometheus promtool wrk hey haproxy nginx caddy docker ssh sshd keepalived gnuplot pebble pebble-challtestsrv aspire-dashboard systemd-socket-activate site-server kubectl-1.20 kube-apiserver)

known() {
    [[ -n ${script[$1]:-} ]] || die "no tool '$1'; there are: ${order[*]}"
}

case ${1:-} in
    -h | --help)
        sed -n '2,/^set/{s/^# \{0,1\}//;/^set/d;p}' "${BASH_SOURCE[0]}"
        ;;
    --list)
        printf '%s\n' "${order[@]}"
        ;;
    --path)
        known "${2:?a tool is needed}"
        path=$(tool_path "$2")
        [[ -x $path ]] || die "$2 is not in the cache: 'make deps' or 'tests/lab/deps.sh $2' brings it"
        printf '%s\n' "$path"
        ;;
    -*)
        die "no option '$1'; see --help"
        ;;
    *)
        (($#)) || set -- "${order[@]}"
        for tool in "$@"; do
            known "$tool"
        done
        for tool in "$@"; do
            "$here/deps/${script[$tool]}.sh" "$tool"
        done
        ;;
esac
