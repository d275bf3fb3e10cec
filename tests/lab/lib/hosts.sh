# shellcheck shell=bash
# A whole host, and what it leaves. To be sourced after engines.sh.

host_up() {
    host_network_up "$1"
    engine_signal "$1" CONT # no harm if it is not frozen
    engine_start "$1"
}

# As a machine that loses power: what is on its disk is kept, all else is gone. It answers nothing, not even with a refusal.
host_power_off() {
    local host=$1
    end_processes "host$host"
    engine_sockets_remove "$host"
    unmount_below "$(host_state "$host")" "$(host_data "$host")"
    host_network_down "$host"
    rm -rf "$(host_state "$host")/exec"
}

host_remove() {
    local host=$1
    say "removing host$host"
    host_power_off "$host"
    rm -rf "$(host_state "$host")" "$(host_data "$host")"
}

# unmount_below FOLDER...: the folders themselves, containers' file systems and network namespaces, the newest first.
unmount_below() {
    local folder mount
    for folder in "$@"; do
        while read -r mount; do
            umount --lazy "$mount" 2>/dev/null || true # it may have gone with one above
        done < <(awk -v below="$folder/" 'index($5 "/", below) == 1 { print $5 }' /proc/self/mountinfo | tac)
    done
}
