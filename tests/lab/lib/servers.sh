# shellcheck shell=bash
# Servers on loopback that outlive the script which starts them, known by their pid files. To be sourced after common.sh.

# start_process FOLDER NAME COMMAND...: in the background, in a session of its own, holding no lock of ours. Its output goes
# to FOLDER/NAME.log, its pid to FOLDER/NAME.pid.
start_process() {
    local folder=$1 name=$2
    shift 2
    setsid "$@" >"$folder/$name.log" 2>&1 </dev/null 9>&- &
    printf '%s\n' "$!" >"$folder/$name.pid"
    disown # the shell has nothing to say about its end
    # Until it has become the program, process_of does not know it, and it would pass for ended.
    retry 5 has_begun "$folder" "$name" "$!" || true
}

has_begun() { is_running "$1" "$2" || ! kill -0 "$3" 2>/dev/null; }

# process_of FOLDER NAME: prints the pid if that very process still runs. A pid may have become another's: every command
# started here names a path inside FOLDER.
process_of() {
    local pid
    pid=$(cat "$1/$2.pid" 2>/dev/null) || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$1/" || return 1
    printf '%s\n' "$pid"
}

is_running() { process_of "$@" >/dev/null; }

# kill_process FOLDER NAME [SIGNAL]: and waits until it is gone.
kill_process() {
    local pid
    pid=$(process_of "$1" "$2") || return 0
    kill "-${3:-KILL}" "$pid" 2>/dev/null || true
    retry 30 is_gone "$1" "$2" || die "$2 ($pid) does not end"
    rm -f "$1/$2.pid"
}

is_gone() { ! is_running "$@"; }

# free_port: a TCP port of loopback that nothing listens on now. Outside of Linux' range for outgoing connections and of
# DockerHosts' default port range.
free_port() {
    local port
    while true; do
        port=$((30000 + RANDOM % 2700))
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    printf '%s\n' "$port"
}

# end_with_parent FOLDER PID COMMAND...: runs COMMAND once process PID has ended, so that a test run that is killed leaves no
# server behind. An empty PID: never. COMMAND's script calls stop_waiting_for_parent itself.
end_with_parent() {
    local folder=$1 pid=$2
    shift 2
    [[ $pid ]] || return 0
    stop_waiting_for_parent "$folder"
    # shellcheck disable=SC2016 # for the inner shell
    start_process "$folder" parent bash -c 'tail --pid="$1" -f /dev/null; shift; exec "$@"' "$folder/parent" "$pid" "$@"
}

# Except when it is the waiting process that, having waited, became the caller.
stop_waiting_for_parent() {
    [[ $(process_of "$1" parent) == "$$" ]] || kill_process "$1" parent
}
