# shellcheck shell=bash
# What a lab might leave on the machine, as lines to compare. To be sourced after lab.sh.

# With other labs up, only what bears this lab's number or name: the rest may change meanwhile.
traces() {
    local mine=.
    if compgen -G "$LABS_STATE/*" >/dev/null; then
        mine="$LAB_NAME\\b|orchestrator-lab/$LAB\\b|10\\.77\\.$LAB\\."
    fi
    _all_traces | { grep -E -- "$mine" || true; } | sort
}

# Much of this may be absent: no pipe here fails for that.
_all_traces() (
    set +e +o pipefail
    ip netns list | sed 's/^/namespace: /; s/ (id.*//'
    ip -o link show | awk '{ print "link: " $2 }'
    ip -4 route show | sed 's/^/route: /'
    # Not the place that iproute2 makes for the names of namespaces, which it never takes away.
    awk '$5 != "/run/netns" { print "mount: " $5 }' /proc/self/mountinfo
    find /sys/fs/cgroup -type d \( -name "$LAB_NAME*" -o -name moby -o -name docker \) 2>/dev/null | sed 's/^/group: /'
    iptables-save 2>/dev/null | grep -v '^#' | sed 's/\[[0-9:]*\]//; s/^/rule: /'
    find /run/orchestrator-lab /run/docker /run/containerd /opt/containerd /etc/docker /var/lib/docker /var/tmp/orchestrator-lab \
        -maxdepth 1 2>/dev/null | sed 's/^/file: /'
    sysctl -a 2>/dev/null | grep -E '^net\.(bridge|ipv4\.(ip_forward|conf\.(all|default)))' | sed 's/^/setting: /'
    local folder
    for folder in /proc/[0-9]*; do
        # Zombies have no command line, and are init's to bury.
        tr '\0' ' ' 2>/dev/null <"$folder/cmdline" | grep -E 'dockerd|containerd|docker-registry|/bin/(server|handler)' || true
    done | sed 's/^/process: /'
)
