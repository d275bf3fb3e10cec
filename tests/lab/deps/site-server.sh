#!/usr/bin/env bash
# The server of the sample image "site": built with Debian's Go from tests/lab/images/site, once for each state of it. Takes some
# 20 s; 450 MB while it builds.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
source "$here/../lib/common.sh"
# shellcheck source=../lib/packages.sh
source "$here/../lib/packages.sh"
# shellcheck source=cache.sh
source "$here/cache.sh"

server=$(tool_path site-server)
toolchain=site-server-toolchain

bring() {
    [[ ! -x $server ]] || return 0 # another process did it while this one waited
    unpack_packages "$toolchain" golang-1.19-go golang-golang-x-net-dev
    say "building the server of the sample image site"
    new_stage
    (
        use_go "$toolchain" "$stage"
        GOPATH=$(packages_root "$toolchain")/usr/share/gocode
        export GOPATH
        cd "$site_source"
        go build -trimpath -ldflags '-s -w' -o "$stage/site-server" .
    )
    place "$stage/site-server" "$server"
    rm -rf "$(packages_root "$toolchain")"
}

[[ -x $server ]] || with_lock site-server bring
