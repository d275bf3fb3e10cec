# shellcheck shell=bash
# Where tools are kept, and how they come there whole or not at all. To be sourced after lib/common.sh.

site_source=$(dirname "${BASH_SOURCE[0]}")/../images/site

# Where a tool is, or would be. The Kubernetes API server and what belongs to it are found where other projects look for
# them too: KUBEBUILDER_ASSETS of controller-runtime's envtest. What is built from sources here has its place by what they are, so
# that checkouts do not take it from each other.
tool_path() {
    case $1 in
        kube-apiserver) printf '%s\n' "${KUBEBUILDER_ASSETS:-$ORCHESTRATOR_CACHE/kubebuilder}/kube-apiserver" ;;
        kubectl-1.20) printf '%s\n' "$ORCHESTRATOR_CACHE/kubebuilder/kubectl" ;;
        site-server) printf '%s\n' "$ORCHESTRATOR_CACHE/site-server/$(_site_digest)/site-server" ;;
        aspire-dashboard) printf '%s\n' "$ORCHESTRATOR_CACHE/aspire-dashboard/Aspire.Dashboard" ;;
        *) printf '%s\n' "$ORCHESTRATOR_CACHE/bin/$1" ;;
    esac
}

# new_stage: makes $stage, a folder in the cache, so that what is made in it gets to its place by a rename. Gone when the
# (sub)shell ends.
new_stage() {
    mkdir -p "$ORCHESTRATOR_CACHE/stage"
    stage=$(mktemp -d "$ORCHESTRATOR_CACHE/stage/XXXXXX")
    # What the Go tools download or unpack is read-only.
    trap 'chmod -R u+w "$stage"; rm -rf "$stage"' EXIT
}

# place FILE_OR_FOLDER PATH: moves to PATH in one step; an older folder there goes first.
place() {
    mkdir -p "$(dirname "$2")"
    [[ ! -d $2 ]] || rm -rf "$2"
    mv -fT "$1" "$2"
}

# link TARGET PATH: makes or replaces a symbolic link in one step.
link() {
    mkdir -p "$(dirname "$2")"
    ln -sfn "$1" "$2.new.$BASHPID"
    mv -fT "$2.new.$BASHPID" "$2"
}

_site_digest() {
    cat "$site_source"/*.go "$site_source/../../deps/site-server.sh" | sha256sum | cut -c 1-16
}
