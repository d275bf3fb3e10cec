#!/usr/bin/env bash
# A real kube-apiserver, and a kubectl five years older than the newest: version 1.20.2, built from Debian 12's source
# package with Debian's Go. Takes 5 to 15 minutes of processor time and 1.5 GB while it builds, at low priority, once;
# 250 MB are kept. GOMAXPROCS=1 keeps it to one core.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
source "$here/../lib/common.sh"
# shellcheck source=../lib/packages.sh
source "$here/../lib/packages.sh"
# shellcheck source=cache.sh
source "$here/cache.sh"

assets=$ORCHESTRATOR_CACHE/kubebuilder
toolchain=kubernetes-toolchain

# Raised when the way of building changes, so that caches follow.
build_number=3

is_current() {
    [[ -x $assets/kube-apiserver && -x $assets/kubectl && $(cat "$assets/.build-number" 2>/dev/null) == "$build_number" ]]
}

# The archive that Debian's own package is built from, out of the mirror that the machine gets its packages from. Sources
# are seldom among a machine's package sources: apt is given a list and state folders of its own, in the stage.
get_source() {
    local mirror private
    # shellcheck disable=SC2016 # apt fills in the $(…)
    mirror=$(apt-get indextargets --format '$(REPO_URI)' \
        'Identifier: Packages' 'Origin: Debian' 'Codename: bookworm' 'Component: main' | sed -n 1p)
    [[ $mirror ]] || die "no source of Debian 12 (bookworm) packages on this machine: kube-apiserver is built from one of them"
    mkdir -p "$stage/apt/sources" "$stage/apt/lists/partial" "$stage/apt/cache/archives/partial" "$stage/source"
    cat >"$stage/apt/sources/bookworm.sources" <<SOURCES
Types: deb-src
URIs: $mirror
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
    private=(-q -q -o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$stage/apt/sources"
        -o "Dir::State::lists=$stage/apt/lists" -o "Dir::Cache=$stage/apt/cache" -o APT::Sandbox::User=root)
    apt-get "${private[@]}" update >&2
    (cd "$stage" && apt-get "${private[@]}" source --download-only --tar-only kubernetes >&2)
    tar -xzf "$stage"/kubernetes_*.orig.tar.gz -C "$stage/source" --strip-components=1
}

# What this version, made for Go 1.15, needs to run as it should when built with 1.19.
mend_source() {
    # The reflect2 of that time crashes the server on the first write of a custom resource.
    local reflect2=github.com/modern-go/reflect2
    rm -r "$stage/source/vendor/${reflect2:?}"
    cp -r "$(packages_root "$toolchain")/usr/share/gocode/src/$reflect2" "$stage/source/vendor/$reflect2"
    # This compares addresses, not values; Go 1.18 gave all zero values one address, and "" was refused as null.
    local validator=$stage/source/vendor/k8s.io/kube-openapi/pkg/validation/validate/type.go
    sed -i 's/data == nil || reflect\.DeepEqual(reflect\.Zero(reflect\.TypeOf(data)), reflect\.ValueOf(data))/data == nil/' "$validator"
    ! grep -q 'reflect\.Zero' "$validator" || die "$validator is not what it was"
}

build() {
    local log=$ORCHESTRATOR_CACHE/kubernetes-build.log
    (
        use_go "$toolchain" "$stage"
        export GOFLAGS=-mod=vendor
        unset MAKEFLAGS MAKELEVEL MFLAGS # of a 'make deps' that this runs under: not for this make
        cd "$stage/source" && nice -n 19 make WHAT="cmd/kube-apiserver cmd/kubectl"
    ) >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        die "kube-apiserver could not be built; all of it is in $log"
    }
}

bring() {
    is_current && return # another process did it while this one waited
    need_commands make
    unpack_packages "$toolchain" golang-1.19-go rsync golang-github-modern-go-reflect2-dev
    say "building kube-apiserver and kubectl 1.20 from Debian's source package (minutes; once)"
    new_stage
    get_source
    mend_source
    build
    local output
    output=$stage/source/_output/local/bin/linux/$(dpkg --print-architecture)
    place "$output/kubectl" "$assets/kubectl"
    place "$output/kube-apiserver" "$assets/kube-apiserver"
    printf '%s\n' "$build_number" >"$assets/.build-number"
    rm -rf "$(packages_root "$toolchain")"
}

if [[ ${1:-} == kube-apiserver && ${KUBEBUILDER_ASSETS:-} ]]; then
    [[ -x $(tool_path kube-apiserver) ]] || die "KUBEBUILDER_ASSETS is set, and there is no kube-apiserver in $KUBEBUILDER_ASSETS"
    exit
fi
is_current || with_lock kubernetes-1.20 bring
