# shellcheck shell=bash
# The Docker engines: the machine's own program if it has one, otherwise Debian's, unpacked. To be sourced after
# packages.sh, processes.sh, network.sh and certificates.sh.

engine_program() {
    # The machine's own are used if it has them: started by us, with a configuration of ours. Its service is left alone.
    has_commands dockerd containerd runc iptables && return
    unpack_packages engine docker.io iptables
    local root
    root=$(packages_root engine)
    # Debian chooses one of two with its "alternatives", which belong to an installation; both work side by side.
    mkdir -p "$root/usr/local/bin"
    local name
    for name in iptables iptables-save ip6tables; do
        ln -sfn ../../sbin/xtables-nft-multi "$root/usr/local/bin/$name"
    done
    use_packages engine
    XTABLES_LIBDIR=$(dirname "$(find "$root/usr/lib" -name libxt_conntrack.so -print -quit)")
    export XTABLES_LIBDIR
}

# Starts the engine if it does not run; does not wait for it.
engine_start() {
    local host=$1 state
    state=$(host_state "$host")
    engine_runs "$host" && return
    mkdir -p "$state" "$(host_data "$host")"
    host_certificate "$host"
    _engine_configuration "$host" >"$state/daemon.json"
    # containerd and dockerd leave these when they are killed, and believe them even if the process is another by now.
    rm -f "$state/docker.pid"
    is_running "$state/exec/containerd/containerd.pid" "$state/exec" || rm -f "$state/exec/containerd/containerd.pid"
    # shellcheck disable=SC2016 # $0 and $@ are the inner shell's
    start_process "host$host/engine" "$state/engine.log" \
        nsenter --net="/run/netns/$(host_namespace "$host")" -- unshare --uts -- \
        sh -c 'hostname "$0" && exec "$@"' "host$host" dockerd --config-file="$state/daemon.json"
    printf '%s\n' "$!" >"$(host_pid_file "$host")"
}

engine_wait() {
    local host=$1
    # In its first moments the process is not a dockerd yet.
    if ! { retry 30 engine_runs "$host" && retry 60 _engine_settled "$host" && engine_answers "$host"; }; then
        tail -n 20 "$(host_state "$host")/engine.log" >&2
        die "engine of host$host does not answer (its last words are above)"
    fi
}

engine_pid() { running_pid "$(host_pid_file "$1")" "$(host_state "$1")/daemon.json"; }
engine_runs() { engine_pid "$1" >/dev/null; }

engine_answers() {
    engine_runs "$1" && engine_get "$1" /_ping >/dev/null 2>&1
}

_engine_settled() { engine_answers "$1" || engine_gone "$1"; }

# engine_get HOST PATH: one request to the engine's API over its local socket.
engine_get() {
    curl --silent --show-error --fail --max-time 5 --unix-socket "$(host_socket "$1")" "http://engine$2"
}

# running, frozen, stopped, or silent (it runs, and does not answer).
engine_state() {
    local pid
    pid=$(engine_pid "$1") || {
        printf 'stopped\n'
        return
    }
    if [[ $(awk '$1 == "State:" { print $2 }' "/proc/$pid/status" 2>/dev/null) == T ]]; then
        printf 'frozen\n'
    elif engine_answers "$1"; then
        printf 'running\n'
    else
        printf 'silent\n'
    fi
}

# engine_signal HOST SIGNAL: no error if the engine does not run.
engine_signal() {
    local pid
    pid=$(engine_pid "$1") || return 0
    kill -s "$2" "$pid"
}

engine_gone() { ! engine_runs "$1"; }

# containerd's shims have their sockets in a folder that all engines of a machine share; a killed shim leaves its own.
engine_sockets_remove() {
    local file
    while read -r file; do
        rm -f "$(sed 's|^unix://||' "$file")"
    done < <(find "$(host_state "$1")/exec" -name address -path '*/moby/*' 2>/dev/null)
    # Folders that engines make wherever they run. If others use them they are not empty, and stay.
    rmdir /run/containerd/s /run/containerd /run/docker/plugins /run/docker /opt/containerd/{bin,lib} /opt/containerd \
        2>/dev/null || true
}

# Images are pulled by address, so no name server is needed: without one told, an engine waits 10 s a try for each.
_engine_configuration() {
    local host=$1 state key=
    state=$(host_state "$host")
    # Engines before 23 keep a key of old at a path that all would share; later ones no longer know the option.
    [[ $(dockerd --version) != *" 20."* ]] || key="\"deprecated-key-path\": \"$state/key.json\","
    cat <<JSON
{
  "hosts": ["unix://$(host_socket "$host")", "tcp://$(host_address "$host"):2376"],
  "tlsverify": true,
  "tlscacert": "$state/tls/ca.pem",
  "tlscert": "$state/tls/cert.pem",
  "tlskey": "$state/tls/key.pem",
  "data-root": "$(host_data "$host")",
  "exec-root": "$state/exec",
  "pidfile": "$state/docker.pid",
  $key
  "cgroup-parent": "$(host_cgroup_parent "$host")",
  "exec-opts": ["native.cgroupdriver=cgroupfs"],
  "insecure-registries": ["$LAB_REGISTRY", "$LAB_REGISTRY_AUTH"],
  "userland-proxy": false,
  "dns": ["127.0.0.1"],
  "log-driver": "json-file",
  "max-concurrent-downloads": 6
}
JSON
}
