# shellcheck shell=bash
# Debian packages without installing them. To be sourced after common.sh.
#
# Installing docker.io, apache2 or a registry would start services, take ports and change firewall policies of the machine.
# So packages are downloaded and unpacked into the cache, with those of their dependencies that the machine lacks.
#
#   need_commands ip=iproute2 curl      installs plain tools (that start nothing) if their command is missing
#   unpack_packages engine docker.io    unpacks into the cache, once
#   use_packages engine                 puts what was unpacked on PATH and on the library path of this process
#   use_go toolchain FOLDER             the same for a Go that was unpacked; whatever it keeps is in FOLDER
#   packages_root engine                prints the folder

packages_root() { printf '%s\n' "$ORCHESTRATOR_CACHE/packages/$1"; }

# need_commands COMMAND[=PACKAGE]...: only for packages that start no service.
need_commands() {
    local entry missing=()
    for entry in "$@"; do
        command -v "${entry%%=*}" >/dev/null || missing+=("${entry#*=}")
    done
    ((${#missing[@]} == 0)) && return
    need_root
    say "installing ${missing[*]} (apt)"
    with_lock apt _apt_twice _apt_install "${missing[@]}"
}

# unpack_packages NAME PACKAGE...: a folder that exists is complete, since it gets its name last. It is kept for as long as
# the same packages are asked for.
unpack_packages() {
    local name=$1
    shift
    _is_unpacked "$name" "$@" && return
    with_lock "packages-$name" _unpack_packages "$name" "$@"
}

use_packages() {
    local root triplet
    root=$(packages_root "$1")
    triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || printf '%s-linux-gnu' "$(uname -m)")
    export PATH="$root/usr/local/bin:$root/usr/sbin:$root/usr/bin:$root/sbin:$root/bin:$PATH"
    export LD_LIBRARY_PATH="$root/usr/lib/$triplet:$root/lib/$triplet${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
}

# Programs come out static and without a look at the network: modules are those that were unpacked.
use_go() {
    use_packages "$1"
    GOROOT=$(packages_root "$1")/usr/lib/go-1.19
    export GOROOT PATH="$GOROOT/bin:$PATH" HOME="$2" GOCACHE="$2/go-cache" TMPDIR="$2" CGO_ENABLED=0 GO111MODULE=off
}

_is_unpacked() {
    local root
    root=$(packages_root "$1")
    [[ -f $root/.packages && $(<"$root/.packages") == "${*:2}" ]]
}

_unpack_packages() {
    local name=$1 root part
    shift
    _is_unpacked "$name" "$@" && return # another process did it while this one waited
    root=$(packages_root "$name")
    part=$root.part
    say "getting $* and what it needs (Debian packages, unpacked into $root)"
    rm -rf "$part" "$root"
    mkdir -p "$part/debs" "$part/root"
    with_lock apt _apt_twice _download "$part/debs" "$@" || die "could not download $*"
    local deb
    for deb in "$part"/debs/*.deb; do
        dpkg-deb --extract "$deb" "$part/root" || die "could not unpack $deb"
    done
    printf '%s' "$*" >"$part/root/.packages"
    mv "$part/root" "$root"
    rm -rf "$part"
}

# The packages asked for, whether or not the machine has them, and what apt would install for them beside.
_download() {
    local folder=$1 plan packages
    shift
    plan=$(apt-get install --simulate --no-install-recommends "$@" 2>&1) || {
        say "$plan"
        return 1
    }
    # "Inst name (version …)" is new; "Inst name [old] (new …)" is an upgrade of what the machine has, and not needed.
    packages=$({
        printf '%s\n' "$@"
        awk '$1 == "Inst" && $3 !~ /^\[/ { print $2 }' <<<"$plan"
    } | sort -u)
    rm -f "$folder"/*
    # shellcheck disable=SC2086 # a list of package names
    (cd "$folder" && apt-get download -q -q -o APT::Sandbox::User=root $packages >&2)
}

_apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q -q --no-install-recommends \
        -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" >&2
}

# A machine may have no package lists yet, or ones so old that what they name is gone: then they are fetched, and it is tried again.
_apt_twice() {
    "$@" 2>/dev/null && return
    say "fetching the package lists (apt-get update)"
    apt-get update -q -q >&2
    "$@"
}
