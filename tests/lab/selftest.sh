#!/usr/bin/env bash
# Proves the lab on a lab of its own: [LAB=9] tests/lab/selftest.sh. Ends with "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")"
export LAB=${LAB:-9}
. lib/all.sh
. lib/leftovers.sh

need_root
[[ ! -e $LAB_STATE ]] || die "lab $LAB is up, and this needs one of its own: make lab-down LAB=$LAB, or give another LAB"
work=$(mktemp -d)
trap 'rm -rf "$work"; ./down 2>/dev/null' EXIT
passed=0 failed=0

# check NAME COMMAND...: what COMMAND prints is shown only if it fails.
check() {
    local name=$1 started=$EPOCHREALTIME status
    shift
    # As a condition of an "if", a command would run without errexit, and a check would go on after what failed.
    set +e
    (
        set -e
        "$@"
    ) >"$work/output" 2>&1
    status=$?
    set -e
    if ((status == 0)); then
        passed=$((passed + 1))
        printf 'ok      %6.2f s  %s\n' "$(elapsed "$started")" "$name"
    else
        failed=$((failed + 1))
        printf 'not ok  %6.2f s  %s\n' "$(elapsed "$started")" "$name"
        sed 's/^/        /' "$work/output"
    fi
}

elapsed() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { print to - from }'; }
is() { [[ $1 == "$2" ]] || { printf 'expected: %s\nwas:      %s\n' "$2" "$1"; return 1; }; }
refused() { ! "$@" || { printf 'worked, and should not: %s\n' "$*"; return 1; }; }

get() { curl --silent --show-error --fail --max-time "${SECONDS_AT_MOST:-5}" "$@"; }
docker_on() {
    docker --tlsverify --tlscacert "$LAB_TLS/client/ca.pem" --tlscert "$LAB_TLS/client/cert.pem" \
        --tlskey "$LAB_TLS/client/key.pem" --host "tcp://$(host_address "$1"):2376" "${@:2}"
}
api() { # api HOST WHOSE_CERTIFICATE
    get --cacert "$LAB_TLS/$2/ca.pem" --cert "$LAB_TLS/$2/cert.pem" --key "$LAB_TLS/$2/key.pem" \
        "https://$(host_address "$1"):2376/_ping"
}
run_sample() { # run_sample HOST PORT IMAGE [OPTION...]
    docker_on "$1" run --detach --name "sample-$2" --publish "$(host_address "$1"):$2:8080" \
        --env "ORC_REPLICA=replica-$2" --env "ORC_HOST=host$1" "${@:4}" "$LAB_REGISTRY/$3"
    retry 10 get --output /dev/null "http://$(host_address "$1"):$2/"
}
page_of() { get "http://$(host_address "$1"):$2/any/path"; }
expected_page() { printf 'version: %s\nreplica: replica-%s\nhost: host%s' "$3" "$2" "$1"; }

comes_up_again_without_a_change() {
    local before after
    before=$(cat "$LAB_STATE"/hosts/*/engine.pid "$LAB_STATE"/registry/*.pid "$LAB_STATE/lab.json")
    ./up 3
    after=$(cat "$LAB_STATE"/hosts/*/engine.pid "$LAB_STATE"/registry/*.pid "$LAB_STATE/lab.json")
    is "$after" "$before"
}

plain_http_is_refused() { refused get "http://$(host_address 1):2376/_ping"; }
no_certificate_is_refused() { refused get --cacert "$LAB_TLS/client/ca.pem" "https://$(host_address 1):2376/_ping"; }
every_host_is_reached_with_the_client_certificate() {
    for host in 1 2 3; do is "$(api "$host" client)" OK; done
}
the_servers_certificate_names_its_host_only() {
    refused get --cacert "$LAB_TLS/client/ca.pem" --cert "$LAB_TLS/client/cert.pem" --key "$LAB_TLS/client/key.pem" \
        --connect-to "::$(host_address 2):2376" "https://$(host_address 1):2376/_ping"
}

a_container_answers_the_machine_and_other_hosts() {
    run_sample 1 20001 web:v1
    is "$(page_of 1 20001)" "$(expected_page 1 20001 v1)"
    is "$(in_host 2 curl --silent --max-time 5 "http://$(host_address 1):20001/")" "$(expected_page 1 20001 v1)"
    is "$(in_host 1 curl --silent --max-time 5 "http://$(host_address 1):20001/")" "$(expected_page 1 20001 v1)"
}
httpd_answers() {
    run_sample 2 20002 httpd:v2
    is "$(page_of 2 20002)" "$(expected_page 2 20002 v2)"
}
site_answers() {
    run_sample 2 20006 site:v1
    is "$(page_of 2 20006)" "$(expected_page 2 20006 v1)"
}
requests_are_logged() {
    is "$(docker_on 1 logs sample-20001 | grep -c 'GET /any/path 200')" 1
    is "$(docker_on 2 logs sample-20002 | grep -c '"GET /any/path HTTP/1.1" 200')" 1
}
many_requests_at_once_are_served() {
    local answers
    answers=$(seq 200 | xargs -P 40 -I{} curl --silent --max-time 20 --output /dev/null --write-out '%{http_code}\n' \
        "http://$(host_address 1):20001/{}" | sort | uniq -c | xargs)
    is "$answers" "200 200"
}
port_is_obeyed() {
    docker_on 1 run --detach --name port --publish "$(host_address 1):20003:9000" --env PORT=9000 "$LAB_REGISTRY/web:v2"
    retry 5 get --output /dev/null "http://$(host_address 1):20003/"
}
unhealthy_on_demand() {
    is "$(get "http://$(host_address 1):20001/healthz")" ok
    docker_on 1 exec sample-20001 touch /tmp/unhealthy
    refused get "http://$(host_address 1):20001/healthz"
    docker_on 1 exec sample-20001 rm /tmp/unhealthy
}

# stop_in_flight HOST PORT PATH BYTES: the answer that is on its way is finished, and the stop waits no longer than that.
stop_in_flight() {
    local started ended
    get --output "$work/slow" --write-out '%{http_code} %{size_download}' "http://$(host_address "$1"):$2$3" >"$work/answer" &
    sleep 0.3
    docker_on "$1" kill --signal TERM "sample-$2"
    wait $!
    started=$EPOCHREALTIME
    docker_on "$1" wait "sample-$2"
    ended=$(elapsed "$started")
    is "$(<"$work/answer")" "200 $4"
    is "$(docker_on "$1" inspect --format '{{.State.ExitCode}}' "sample-$2")" 0
    awk -v seconds="$ended" 'BEGIN { exit !(seconds < 1) }' || { printf 'stopped %s s after the answer\n' "$ended"; return 1; }
}
idle_stop_is_quick() {
    local started
    docker_on "$1" start "sample-$2"
    retry 5 get --output /dev/null "http://$(host_address "$1"):$2/"
    started=$EPOCHREALTIME
    docker_on "$1" stop "sample-$2"
    awk -v seconds="$(elapsed "$started")" 'BEGIN { exit !(seconds < 1) }'
}
broken_exits_with_1() {
    docker_on 1 run --name broken "$LAB_REGISTRY/broken:v1" && return 1
    is "$(docker_on 1 inspect --format '{{.State.ExitCode}}' broken)" 1
}
an_absent_image_is_not_found() {
    refused docker_on 1 pull "$LAB_REGISTRY/web:none" 2>&1 | grep -F 'manifest unknown'
}
the_second_registry_wants_a_password() {
    local folder=$work/login
    refused docker_on 3 pull "$LAB_REGISTRY_AUTH/web:v1"
    mkdir -p "$folder"
    printf '{"auths": {"%s": {"auth": "%s"}}}' "$LAB_REGISTRY_AUTH" \
        "$(printf 'puller:%s' "$(<"$LAB_STATE/registry/password")" | base64 -w 0)" >"$folder/config.json"
    docker_on 3 --config "$folder" pull "$LAB_REGISTRY_AUTH/web:v1"
}

cut_and_mend() {
    run_sample 3 20005 web:v1
    ./host cut 3
    ./host cut 3
    refused get --max-time 1 "http://$(host_address 3):20005/"
    refused ./status
    is "$(engine_state 3)" running
    ./host mend 3
    ./host mend 3
    is "$(page_of 3 20005)" "$(expected_page 3 20005 v1)"
}
freeze_and_thaw() {
    ./host freeze 3
    ./host freeze 3
    is "$(engine_state 3)" frozen
    SECONDS_AT_MOST=1 refused api 3 client
    is "$(page_of 3 20005)" "$(expected_page 3 20005 v1)"
    ./host thaw 3
    ./host thaw 3
    is "$(api 3 client)" OK
}
kill_and_start() {
    ./host kill-engine 3
    ./host kill-engine 3
    is "$(engine_state 3)" stopped
    refused api 3 client
    is "$(page_of 3 20005)" "$(expected_page 3 20005 v1)"
    ./host start-engine 3
    ./host start-engine 3
    is "$(api 3 client)" OK
}
power_off_and_on() {
    docker_on 3 rm --force sample-20005
    run_sample 3 20005 web:v1 --restart always
    ./host power-off 3
    ./host power-off 3
    refused get --max-time 1 "http://$(host_address 3):20005/"
    refused ./host mend 3
    ./host power-on 3
    ./host power-on 3
    retry 10 page_of 3 20005
}
an_empty_machine_in_its_place() {
    refused ./host replace 3
    ./host power-off 3
    ./host replace 3
    is "$(api 3 client)" OK
    is "$(docker_on 3 ps --all --quiet)" ""
    is "$(docker_on 3 images --quiet)" ""
}
up_repairs() {
    ./host kill-engine 1
    ./host cut 2
    ./host freeze 3
    kill -KILL "$(<"$LAB_STATE/registry/open.pid")"
    ./up 3
    ./status
}
fewer_and_more_hosts() {
    ./up 2
    is "$(lab_hosts | xargs)" "1 2"
    ./up 3
    ./status
}
bad_arguments_are_told() {
    local arguments
    for arguments in "" "cut" "cut x" "burn 1" "cut 1 2"; do
        # shellcheck disable=SC2086 # split on purpose
        refused ./host $arguments >"$work/usage" 2>&1
        grep -q '^usage:' "$work/usage"
    done
    refused ./host cut 9
    refused ./up none
    LAB=256 refused ./up 1
    LAB=07 refused ./up 1
}
down_after_kills() {
    ./host kill-engine 1
    ./host freeze 2
    kill -KILL "$(<"$LAB_STATE/registry/auth.pid")"
    ip netns delete "$(host_namespace 3)"
    ./down
    ./down
}
nothing_is_left() {
    traces >"$work/after"
    diff "$work/before" "$work/after"
}

need_commands jq
engine_program
registry_program
samples_build
traces >"$work/before"
check "lab-up of 3" ./up 3
check "lab-up again changes nothing" comes_up_again_without_a_change
check "lab-status" ./status
check "lab.json is JSON" jq -e '.hosts | length == 3' "$LAB_STATE/lab.json"
check "every engine is reached with the client certificate" every_host_is_reached_with_the_client_certificate
check "plain HTTP is refused" plain_http_is_refused
check "no certificate is refused" no_certificate_is_refused
check "a stranger's certificate is refused" refused api 1 stranger
check "a server's certificate names its own host only" the_servers_certificate_names_its_host_only
check "web answers the machine, other hosts and its own" a_container_answers_the_machine_and_other_hosts
check "httpd answers" httpd_answers
check "site answers" site_answers
check "requests are logged" requests_are_logged
check "PORT is obeyed" port_is_obeyed
check "many requests at once" many_requests_at_once_are_served
check "web is unhealthy on demand" unhealthy_on_demand
check "web finishes what it serves on SIGTERM" stop_in_flight 1 20001 '/slow?ms=1000' 47
check "httpd finishes what it serves on SIGTERM" stop_in_flight 2 20002 /slow 32768
check "site finishes what it serves on SIGTERM" stop_in_flight 2 20006 '/slow?ms=1000' 47
check "web stops in under a second" idle_stop_is_quick 1 20001
check "httpd stops in under a second" idle_stop_is_quick 2 20002
check "site stops in under a second" idle_stop_is_quick 2 20006
check "broken exits with 1" broken_exits_with_1
check "an absent image is not found" an_absent_image_is_not_found
check "the second registry wants a password" the_second_registry_wants_a_password
check "cut and mend" cut_and_mend
check "freeze and thaw" freeze_and_thaw
check "kill and start the engine" kill_and_start
check "power off and on" power_off_and_on
check "an empty machine in its place" an_empty_machine_in_its_place
check "lab-up repairs" up_repairs
check "fewer and more hosts" fewer_and_more_hosts
check "bad arguments are told" bad_arguments_are_told
check "lab-down after kills" down_after_kills
check "nothing is left" nothing_is_left
printf '%s passed, %s failed\n' "$passed" "$failed"
((failed == 0))
