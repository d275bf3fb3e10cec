#!/usr/bin/env bash
# Tools that Debian packages: unpacked into the cache, so that no service of theirs is ever started.
#   debian.sh TOOL
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
source "$here/../lib/common.sh"
# shellcheck source=../lib/packages.sh
source "$here/../lib/packages.sh"
# shellcheck source=cache.sh
source "$here/cache.sh"

tool=$1
program=usr/bin/$tool
case $tool in
    etcd) package=etcd-server ;;
    promtool) package=prometheus ;;
    haproxy) package=haproxy program=usr/sbin/haproxy ;;
    pebble | pebble-challtestsrv) package=pebble ;;
    gnuplot) package=gnuplot program=usr/bin/gnuplot-nox ;;
    nginx | keepalived) program=usr/sbin/$tool package=$tool ;;
    docker) package=engine ;;
    ssh) package=openssh ;;
    sshd) package=openssh program=usr/sbin/sshd ;;
    systemd-socket-activate) package=systemd ;;
    *) package=$tool ;;
esac
packages=("$package")
case $package in
    # Docker's client comes with the engine, in the folder that the lab unpacks (lib/engines.sh).
    engine) packages=(docker.io iptables) ;;
    gnuplot) packages=(gnuplot-nox fonts-dejavu-core) ;;
    # Of one version, whatever the machine has.
    openssh) packages=(openssh-server openssh-client) ;;
    systemd) packages=(systemd libsystemd-shared) ;;
esac

# A program whose libraries the machine lacks is started with those that were unpacked beside it.
write_launcher() {
    new_stage
    cat >"$stage/launcher" <<LAUNCHER
#!/bin/sh
LD_LIBRARY_PATH='$library_path' exec '$(packages_root "$package")/$program' "\$@"
LAUNCHER
    chmod 0755 "$stage/launcher"
    mkdir -p "$(dirname "$(tool_path "$tool")")"
    place "$stage/launcher" "$(tool_path "$tool")"
}

bring() {
    unpack_packages "$package" "${packages[@]}"
    [[ ! -x $(tool_path "$tool") ]] || return 0
    # systemd's library is of one version with its programs, and in a folder of its own.
    if [[ $package == systemd || $(ldd "$(packages_root "$package")/$program" 2>/dev/null) == *"not found"* ]]; then
        local library_path
        library_path=$(unset LD_LIBRARY_PATH && use_packages "$package" && printf '%s' "$LD_LIBRARY_PATH")
        [[ $package != systemd ]] || library_path+=:${library_path%%:*}/systemd
        write_launcher
    else
        link "$(packages_root "$package")/$program" "$(tool_path "$tool")"
    fi
}

[[ -x $(tool_path "$tool") ]] || with_lock "tool-$tool" bring
