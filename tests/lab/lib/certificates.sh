# shellcheck shell=bash
# The lab's certificates: an authority, a client, a stranger, and a server a host. To be sourced after lab.sh.
#
# In each folder are ca.pem, cert.pem and key.pem, the names that DOCKER_CERT_PATH means.

certificates_up() {
    [[ -f $LAB_TLS/client/cert.pem ]] && return
    mkdir -p "$LAB_TLS"
    chmod 700 "$LAB_STATE"
    _authority "$LAB_TLS/authority"
    _authority "$LAB_TLS/authority-of-strangers"
    # The stranger trusts the engines, but no engine trusts him: for tests of what a wrong certificate gets.
    _certificate "$LAB_TLS/stranger" "$LAB_TLS/authority-of-strangers" stranger extendedKeyUsage=clientAuth
    cp "$LAB_TLS/authority/cert.pem" "$LAB_TLS/stranger/ca.pem"
    _certificate "$LAB_TLS/client" "$LAB_TLS/authority" client extendedKeyUsage=clientAuth
}

host_certificate() {
    [[ -f $(host_state "$1")/tls/cert.pem ]] && return
    _certificate "$(host_state "$1")/tls" "$LAB_TLS/authority" "host$1" extendedKeyUsage=serverAuth \
        "subjectAltName=IP:$(host_address "$1")"
}

_authority() {
    mkdir -p "$1"
    _openssl_request "$1" -subj "/CN=$LAB_NAME ${1##*/}" -addext basicConstraints=critical,CA:TRUE \
        -addext keyUsage=critical,keyCertSign,cRLSign
}

# _certificate FOLDER AUTHORITY NAME EXTENSION...: cert.pem gets its name last, so that what is there is complete.
_certificate() {
    local folder=$1 authority=$2 name=$3 extension extensions=()
    shift 3
    for extension in "$@"; do
        extensions+=(-addext "$extension")
    done
    mkdir -p "$folder"
    cp "$authority/cert.pem" "$folder/ca.pem"
    _openssl_request "$folder" -subj "/CN=$name" -CA "$authority/cert.pem" -CAkey "$authority/key.pem" \
        -addext basicConstraints=critical,CA:FALSE "${extensions[@]}"
}

_openssl_request() {
    local folder=$1 answer
    shift
    answer=$(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -sha256 -days 365 \
        -keyout "$folder/key.pem" -out "$folder/cert.pem.part" "$@" 2>&1) || die "openssl: $answer"
    chmod 600 "$folder/key.pem"
    mv "$folder/cert.pem.part" "$folder/cert.pem"
}
