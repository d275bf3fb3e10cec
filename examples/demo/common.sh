# shellcheck shell=bash
# What the demonstrations share: a lab of three engines, an `orc serve` of their own, and how they talk. To be sourced from the repository's
# root; `begin` has it all up, and whatever happens afterwards, nothing of it is left.
#
# shellcheck disable=SC2034,SC2317 # some variables are for those who source this; traps and until_true call functions by name

orc=$PWD/artifacts/publish/orc
export LAB=${LAB:-0}
data=$(mktemp -d /tmp/orchestrator-demo.XXXXXX)
proxy=127.0.0.1:8080 metrics=127.0.0.1:9180 proxy_admin=127.0.0.1:9181
export KUBECONFIG=$data/admin.kubeconfig
failures=0 serve_pid='' lab_was_up=''

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' green='' red='' dim='' plain=''; fi

step() { printf '\n%s▶ %s%s\n' "$bold" "$*" "$plain"; }
run() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; "$@"; }
held() { printf '%s✔ %s%s\n' "$green" "$*" "$plain"; }
failed() { printf '%s✘ %s%s\n' "$red" "$*" "$plain"; failures=$((failures + 1)); }
now_ms() { date +%s%3N; }

finish() {
    local code=$?
    # A second Ctrl-C does not leave half of it behind.
    trap - EXIT
    trap '' INT TERM
    if ((code != 0 && code != 130 && code != 143)); then last_words; fi
    step 'Cleaning up'
    "$orc" delete webapp --all --wait --timeout 60s >/dev/null 2>&1 || true
    tests/lab/prometheus down --state "$data/prometheus" 2>/dev/null || true
    if serving; then
        kill -TERM "$serve_pid"
        wait "$serve_pid" 2>/dev/null || true
    fi
    end_proxy
    [[ $lab_was_up ]] || tests/lab/down
    rm -rf "$data"
    exit "$code"
}

serving() { [[ $serve_pid ]] && kill -0 "$serve_pid" 2>/dev/null; }

# What the processes said, before it is removed with all else.
last_words() {
    local log
    for log in serve.log proxy.log; do
        if [[ -s $data/$log ]]; then
            printf '\n%s: the last lines\n' "$log"
            tail -n 20 "$data/$log"
        fi
    done
}

# A proxy outlives a server that crashed.
end_proxy() {
    local pid
    pid=$(grep -o '"Pid":[0-9]*' "$data/proxy/process.json" 2>/dev/null | cut -d : -f 2) || return 0
    if { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- "$data"; then kill -TERM "$pid" || true; fi
}

# until SECONDS COMMAND...: tries until it succeeds.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
}

ready() { # APP COUNT
    [[ $("$orc" get webapp "$1" -o json | awk -F'[:, ]+' '/"readyReplicas"/ { print $3 }') == "$2" ]]
}

trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# begin TOOL...: the lab, the tools, the control plane, the hosts.
begin() {
    local hosts host endpoint began
    step 'Three Docker engines on this machine, each a host of its own'
    [[ -e /run/orchestrator-lab/$LAB/lab.json ]] && lab_was_up=yes
    hosts=$(grep -c '"endpoint"' "/run/orchestrator-lab/$LAB/lab.json" 2>/dev/null) || true
    tests/lab/up $((hosts > 3 ? hosts : 3))
    tests/lab/deps.sh "$@"
    hey=$(tests/lab/deps.sh --path hey)
    # shellcheck source=/dev/null
    . "/run/orchestrator-lab/$LAB/lab.env"

    step 'The control plane: API server, controllers, agents and proxy in one command'
    began=$(now_ms)
    printf '%s$ orc serve --data-folder %s%s\n' "$dim" "$data" "$plain"
    "$orc" serve --data-folder "$data" --proxy-listen "$proxy" --metrics-listen "$metrics" --proxy-admin-listen "$proxy_admin" >"$data/serve.log" 2>&1 &
    serve_pid=$!
    is_ready() { curl -fs -o /dev/null "http://$metrics/readyz"; }
    is_decided() { ! serving || is_ready; }
    if until_true 20 is_decided && serving && is_ready; then held "ready after $(($(now_ms) - began)) ms"; else
        failed 'orc serve did not become ready'
        exit 1
    fi
    for host in $LAB_HOSTS; do
        endpoint=LAB_HOST${host}_ENDPOINT
        run "$orc" hosts add "host$host" --endpoint "${!endpoint}" --tls-ca "$LAB_TLS/ca.pem" --tls-cert "$LAB_TLS/cert.pem" --tls-key "$LAB_TLS/key.pem"
    done
}
