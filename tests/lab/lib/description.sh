# shellcheck shell=bash
# What a lab is, for programs: lab.json (tests in C#) and lab.env (shells). To be sourced after lab.sh and engines.sh.

describe_lab() {
    mkdir -p "$LAB_STATE"
    _lab_json >"$LAB_STATE/lab.json.part"
    mv "$LAB_STATE/lab.json.part" "$LAB_STATE/lab.json"
    _lab_env >"$LAB_STATE/lab.env.part"
    mv "$LAB_STATE/lab.env.part" "$LAB_STATE/lab.env"
}

_lab_json() {
    local host hosts=()
    for host in $(lab_hosts); do
        hosts+=("$(
            cat <<JSON
    {
      "name": "host$host",
      "index": $host,
      "address": "$(host_address "$host")",
      "endpoint": "tcp://$(host_address "$host"):2376",
      "socket": "$(host_socket "$host")",
      "networkNamespace": "/run/netns/$(host_namespace "$host")",
      "pidFile": "$(host_pid_file "$host")",
      "log": "$(host_state "$host")/engine.log"
    }
JSON
        )")
    done
    cat <<JSON
{
  "lab": $LAB,
  "network": "$LAB_NETWORK",
  "gateway": "$LAB_GATEWAY",
  "state": "$LAB_STATE",
  "docker": "$(command -v docker || true)",
  "tls": {
    "ca": "$LAB_TLS/client/ca.pem",
    "certificate": "$LAB_TLS/client/cert.pem",
    "key": "$LAB_TLS/client/key.pem"
  },
  "strangerTls": {
    "ca": "$LAB_TLS/stranger/ca.pem",
    "certificate": "$LAB_TLS/stranger/cert.pem",
    "key": "$LAB_TLS/stranger/key.pem"
  },
  "registry": "$LAB_REGISTRY",
  "registryWithPassword": {
    "address": "$LAB_REGISTRY_AUTH",
    "username": "puller",
    "password": "$(<"$LAB_STATE/registry/password")"
  },
  "images": [$(printf '"%s", ' "${SAMPLES[@]/#/$LAB_REGISTRY/}" | sed 's/, $//')],
  "hosts": [
$(
        IFS=$'\n'
        sed '$!s/^    }$/    },/' <<<"${hosts[*]}"
    )
  ]
}
JSON
}

_lab_env() {
    local host
    cat <<ENV
LAB=$LAB
LAB_GATEWAY=$LAB_GATEWAY
LAB_REGISTRY=$LAB_REGISTRY
LAB_REGISTRY_AUTH=$LAB_REGISTRY_AUTH
LAB_REGISTRY_USERNAME=puller
LAB_REGISTRY_PASSWORD=$(<"$LAB_STATE/registry/password")
LAB_STATE=$LAB_STATE
LAB_TLS=$LAB_TLS/client
LAB_STRANGER_TLS=$LAB_TLS/stranger
LAB_DOCKER=$(command -v docker || true)
LAB_HOSTS="$(lab_hosts | xargs)"
ENV
    for host in $(lab_hosts); do
        cat <<ENV
LAB_HOST${host}_ADDRESS=$(host_address "$host")
LAB_HOST${host}_ENDPOINT=tcp://$(host_address "$host"):2376
LAB_HOST${host}_SOCKET=$(host_socket "$host")
LAB_HOST${host}_NETNS=/run/netns/$(host_namespace "$host")
LAB_HOST${host}_PID_FILE=$(host_pid_file "$host")
ENV
    done
}
