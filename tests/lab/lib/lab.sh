# shellcheck shell=bash disable=SC2034 # the names are for the scripts that source this
# One lab: its number, its addresses, and where its parts are. To be sourced after common.sh.
#
# LAB=<0…255> picks one of several labs side by side. Host i is called host<i> and has the address 10.77.<LAB>.1<i>.

LAB=${LAB:-0}
[[ $LAB =~ ^([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])$ ]] || die "LAB must be a number from 0 to 255, not '$LAB'"

LAB_NAME=orclab$LAB
LAB_NETWORK=10.77.$LAB.0/24
LAB_GATEWAY=10.77.$LAB.1
LAB_REGISTRY=$LAB_GATEWAY:5000
LAB_REGISTRY_AUTH=$LAB_GATEWAY:5001

# What a reboot may lose, and what is too big for that: engines' images and containers, the registry's blobs.
LABS_STATE=/run/orchestrator-lab
LAB_STATE=$LABS_STATE/$LAB
LAB_DATA=${ORCHESTRATOR_LAB_DATA:-/var/tmp/orchestrator-lab}/$LAB
LAB_TLS=$LAB_STATE/tls

host_address() { printf '10.77.%s.1%s\n' "$LAB" "$1"; }
host_namespace() { printf '%s-host%s\n' "$LAB_NAME" "$1"; }
host_state() { printf '%s/hosts/%s\n' "$LAB_STATE" "$1"; }
host_data() { printf '%s/host%s\n' "$LAB_DATA" "$1"; }
host_socket() { printf '%s/docker.sock\n' "$(host_state "$1")"; }
host_pid_file() { printf '%s/engine.pid\n' "$(host_state "$1")"; }

# The numbers of the hosts that this lab has now, in order.
lab_hosts() {
    local folder
    for folder in "$LAB_STATE"/hosts/*/; do
        [[ -d $folder ]] && basename "$folder"
    done | sort -n
}

in_host() {
    local host=$1
    shift
    nsenter --net="/run/netns/$(host_namespace "$host")" -- "$@"
}

# is_running PID_FILE MARK: a process id may have been given to a stranger since, so its command line must name MARK too.
is_running() {
    local pid
    pid=$(running_pid "$1" "$2") && [[ -n $pid ]]
}

running_pid() {
    local pid
    [[ -s $1 ]] && pid=$(<"$1") && [[ -r /proc/$pid/cmdline ]] || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$2" || return 1
    printf '%s\n' "$pid"
}
