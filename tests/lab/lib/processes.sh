# shellcheck shell=bash
# The lab's processes, in control groups of the lab's own. To be sourced after lab.sh.
#
# Engines, their containerd, its shims and all containers are born into these groups and cannot leave them, so that they are
# found and ended even if whoever started them was killed.

# One hierarchy to keep account of processes: version 2's if there is one (alone or beside version 1), else a version 1's.
_process_hierarchy() {
    local root
    for root in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd /sys/fs/cgroup/pids; do
        [[ -f $root/cgroup.procs ]] && printf '%s\n' "$root" && return
    done
    die "no control groups are mounted at /sys/fs/cgroup: Docker engines need them"
}

# The parent of the control groups of a host's containers, as an engine wants it told.
host_cgroup_parent() { printf '/%s/host%s/containers\n' "$LAB_NAME" "$1"; }

# start_process GROUP LOG COMMAND...: runs COMMAND detached from this session, in the lab's control group GROUP.
start_process() {
    local group log=$2
    group=$(_process_hierarchy)/$LAB_NAME/$1
    shift 2
    mkdir -p "$group"
    (
        printf '%s\n' "$BASHPID" >"$group/cgroup.procs"
        exec </dev/null >>"$log" 2>&1
        # A process that kept with_lock's descriptor would hold the lock for ever; one of the caller's, keep him waiting.
        for descriptor in "/proc/$BASHPID/fd/"*; do
            descriptor=${descriptor##*/}
            ((descriptor <= 2)) || exec {descriptor}>&-
        done
        exec setsid "$@"
    ) &
}

# end_processes [GROUP]: kills what runs in the lab, or in one group of it, and removes the emptied control groups.
end_processes() {
    local group=$LAB_NAME${1:+/$1}
    retry 20 _kill_all "$(_process_hierarchy)/$group" \
        || die "processes do not end: $(_processes "$(_process_hierarchy)/$group" | xargs)"
    local hierarchy
    for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*/; do
        [[ -d $hierarchy/$group ]] || continue
        # A group whose last process has just ended may be busy for a moment longer.
        retry 5 _remove_groups "$hierarchy/$group" || die "control group is still in use: $hierarchy/$group"
    done
}

_processes() {
    [[ -d $1 ]] || return 0
    # A group may go away while it is read.
    find "$1" -name cgroup.procs -exec cat {} + 2>/dev/null || true
}

_kill_all() {
    local pids
    pids=$(_processes "$1")
    [[ -z $pids ]] && return
    # shellcheck disable=SC2086 # a list of numbers
    kill -KILL $pids 2>/dev/null || true # some may have ended by themselves
    return 1
}

_remove_groups() {
    find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
    [[ ! -d $1 ]]
}
