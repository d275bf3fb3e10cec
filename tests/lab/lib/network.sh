# shellcheck shell=bash
# The lab's network: a bridge that joins a network namespace a host. To be sourced after lab.sh.
#
# The bridge lives in a namespace of its own, and the machine is joined to it as one more host, with the address
# 10.77.<LAB>.1. So what hosts say to one another never passes the machine's firewall, whose rules and policies are left as
# they are. Hosts have no default route: nothing of the lab can leave the machine.

_switch=$LAB_NAME-switch

network_up() {
    with_lock labs _guard_addresses
    _add_namespace "$_switch"
    if ! ip -n "$_switch" link show dev bridge &>/dev/null; then
        ip -n "$_switch" link add name bridge type bridge forward_delay 0
        ip -n "$_switch" link set dev bridge up
    fi
    if ! ip link show dev "$LAB_NAME" &>/dev/null; then
        ip link add name "$LAB_NAME" type veth peer name machine netns "$_switch"
        ip -n "$_switch" link set dev machine master bridge up
        ip address add "$LAB_GATEWAY/24" dev "$LAB_NAME"
    fi
    ip link set dev "$LAB_NAME" up
}

# No packet for an address of any lab may ever leave the machine by its default route, whatever is missing. A network of the
# machine's own in that range would be shadowed: then there is no lab.
_guard_addresses() {
    local route taken=
    while read -r route; do
        [[ $route == "blackhole 10.77.0.0/16"* || $route == *" dev orclab"* ]] || taken+="$route; "
    done < <(ip -4 route show root 10.77.0.0/16)
    [[ -z $taken ]] || die "this machine uses the lab's addresses (10.77.0.0/16) already: $taken"
    mkdir -p "$LAB_STATE" # what tells other labs that the route is still needed
    ip route replace blackhole 10.77.0.0/16 metric 4000
}

# network_check HOST: hosts must reach the machine. Where its firewall is against that, a rule of the lab's own lets them in.
network_check() {
    _reaches_registry "$1" && return
    say "this machine's firewall refuses input from $LAB_NAME: adding a rule that lets it in, until lab-down"
    touch "$LAB_STATE/input-rule"
    iptables --wait --insert INPUT "${_input_rule[@]}"
    _reaches_registry "$1" || die "hosts cannot reach the registry at $LAB_REGISTRY: what refuses input from $LAB_NAME?"
}

_input_rule=(--in-interface "$LAB_NAME" --jump ACCEPT)

_reaches_registry() {
    retry 2 in_host "$1" curl --silent --max-time 1 --output /dev/null "http://$LAB_REGISTRY/v2/"
}

network_down() {
    local namespace
    if [[ -f $LAB_STATE/input-rule ]]; then
        engine_program # it brings iptables
        iptables --wait --delete INPUT "${_input_rule[@]}" 2>/dev/null || true # the machine may have reloaded its rules
    fi
    ip link delete dev "$LAB_NAME" 2>/dev/null || true # not there if lab-up was cut short
    for namespace in "/run/netns/$LAB_NAME-"*; do
        [[ ! -e $namespace ]] || ip netns delete "${namespace##*/}"
    done
    with_lock labs _release_addresses
}

_release_addresses() {
    rm -rf "$LAB_STATE"
    rmdir "$LABS_STATE" 2>/dev/null || return 0 # there are other labs
    ip route delete blackhole 10.77.0.0/16 metric 4000 2>/dev/null || true
}

host_network_up() {
    local host=$1 namespace
    namespace=$(host_namespace "$host")
    _add_namespace "$namespace"
    if ! ip -n "$namespace" link show dev eth0 &>/dev/null; then
        # A machine keeps its hardware address when it starts again, or its neighbours would look for the old one for seconds.
        ip -n "$namespace" link add name eth0 address "$(printf '02:77:%02x:00:00:%02x' "$LAB" "$host")" type veth \
            peer name "host$host" netns "$_switch"
        ip -n "$namespace" address add "$(host_address "$host")/24" dev eth0
        ip -n "$_switch" link set dev "host$host" master bridge up
    fi
    in_host "$host" sysctl -q -w net.ipv4.ip_forward=1
    host_mend "$host"
}

host_network_down() {
    [[ ! -e /run/netns/$(host_namespace "$1") ]] || ip netns delete "$(host_namespace "$1")"
}

host_cut() { ip -n "$(host_namespace "$1")" link set dev eth0 down; }
host_mend() { ip -n "$(host_namespace "$1")" link set dev eth0 up; }

host_link() {
    if [[ $(ip -n "$(host_namespace "$1")" link show dev eth0 2>/dev/null) == *[\<,]UP[,\>]* ]]; then
        printf 'up\n'
    else
        printf 'cut\n'
    fi
}

_add_namespace() {
    [[ -e /run/netns/$1 ]] && ip netns exec "$1" true 2>/dev/null && return
    rm -f "/run/netns/$1" # a name that a reboot left without its namespace
    ip netns add "$1"
    ip -n "$1" link set dev lo up
}
