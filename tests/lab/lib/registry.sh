# shellcheck shell=bash
# Two registries over one store: one for all, one that asks for a name and a password. To be sourced after packages.sh and
# processes.sh.

registry_program() {
    command -v docker-registry >/dev/null && return
    unpack_packages registry docker-registry
    use_packages registry
}

registry_start() {
    mkdir -p "$LAB_STATE/registry" "$LAB_DATA/registry"
    _registry_password
    _registry_start open "$LAB_REGISTRY" ''
    _registry_start auth "$LAB_REGISTRY_AUTH" "auth: {htpasswd: {realm: lab, path: $LAB_STATE/registry/htpasswd}}"
}

registry_wait() {
    local address
    for address in "$LAB_REGISTRY" "$LAB_REGISTRY_AUTH"; do
        retry 20 _registry_listens "$address" || die "registry $address does not answer: see $LAB_STATE/registry"
    done
}

registry_state() {
    if is_running "$LAB_STATE/registry/$1.pid" "$LAB_STATE/registry/$1.yml"; then
        printf 'running\n'
    else
        printf 'stopped\n'
    fi
}

_registry_start() {
    local name=$1 address=$2 auth=$3 folder=$LAB_STATE/registry
    [[ $(registry_state "$name") == running ]] && return
    cat >"$folder/$name.yml" <<YAML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $LAB_DATA/registry}, delete: {enabled: true}}
http: {addr: "$address", secret: $(openssl rand -hex 16)}
$auth
YAML
    start_process registry "$folder/$name.log" docker-registry serve "$folder/$name.yml"
    printf '%s\n' "$!" >"$folder/$name.pid"
}

# The registry takes bcrypt only, which openssl does not make and Debian's ever-present perl does.
_registry_password() {
    local folder=$LAB_STATE/registry
    [[ -f $folder/htpasswd ]] && return
    openssl rand -hex 12 >"$folder/password"
    # shellcheck disable=SC2016 # perl's variables
    perl -e 'print "puller:", crypt($ARGV[0], "\$2y\$05\$" . $ARGV[1]), "\n"' \
        "$(<"$folder/password")" "$(openssl rand -hex 11)" >"$folder/htpasswd"
}

_registry_listens() {
    [[ $(curl --silent --max-time 2 --output /dev/null --write-out '%{http_code}' "http://$1/v2/") =~ ^(200|401)$ ]]
}
