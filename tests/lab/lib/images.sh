# shellcheck shell=bash
# Images without an engine and without a network: a root folder becomes a layer, a configuration and a manifest, kept in the
# cache, and is pushed to a registry over its HTTP API. To be sourced after packages.sh.
#
# An image's folder holds manifest.json and blobs/<sha256>, and a file "key" that says what it was made of.

image_folder() { printf '%s/images/%s\n' "$ORCHESTRATOR_CACHE" "${1/://}"; }

# image_is_current NAME:TAG KEY
image_is_current() {
    local folder
    folder=$(image_folder "$1")
    [[ -f $folder/key && $(<"$folder/key") == "$2" ]]
}

# image_write NAME:TAG KEY ROOT CONFIG: ROOT is a folder, CONFIG the "config" object of the image (Env, Cmd, …) in JSON.
# Times and owners are fixed, so that the same content has the same digest on every machine.
image_write() {
    local folder part key=$2 root=$3 config=$4 layer diff
    folder=$(image_folder "$1")
    part=$folder.part
    rm -rf "$part"
    mkdir -p "$part/blobs"
    tar --create --file "$part/layer" --directory "$root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner .
    diff=$(_sha256 "$part/layer")
    gzip --no-name -6 "$part/layer"
    layer=$(_blob "$part" "$part/layer.gz")
    printf '{"architecture":"%s","os":"linux","created":"1970-01-01T00:00:00Z","config":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"1970-01-01T00:00:00Z","created_by":"%s"}]}' \
        "$(dpkg --print-architecture)" "$config" "$diff" "$1" >"$part/config"
    config=$(_blob "$part" "$part/config")
    cat >"$part/manifest.json" <<JSON
{
  "schemaVersion": 2,
  "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
  "config": {
    "mediaType": "application/vnd.docker.container.image.v1+json",
    "size": $(stat -c %s "$part/blobs/$config"),
    "digest": "sha256:$config"
  },
  "layers": [
    {
      "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
      "size": $(stat -c %s "$part/blobs/$layer"),
      "digest": "sha256:$layer"
    }
  ]
}
JSON
    printf '%s' "$key" >"$part/key"
    rm -rf "$folder"
    mv "$part" "$folder"
}

# image_push NAME:TAG REGISTRY: nothing is sent that the registry has.
image_push() {
    local name=${1%:*} tag=${1#*:} base=http://$2/v2/${1%:*} folder blob upload
    folder=$(image_folder "$1")
    [[ $(_registry_digest "$base/manifests/$tag") == "sha256:$(_sha256 "$folder/manifest.json")" ]] && return
    for blob in "$folder"/blobs/*; do
        _registry --head --output /dev/null "$base/blobs/sha256:${blob##*/}" 2>/dev/null && continue
        upload=$(_registry --request POST --output /dev/null --write-out '%header{location}' "$base/blobs/uploads/")
        [[ $upload == *\?* ]] && upload+='&' || upload+='?'
        _registry --upload-file "$blob" --output /dev/null "${upload}digest=sha256:${blob##*/}"
    done
    _registry --upload-file "$folder/manifest.json" --output /dev/null \
        --header 'Content-Type: application/vnd.docker.distribution.manifest.v2+json' "$base/manifests/$tag"
    say "pushed $name:$tag to $2"
}

_registry() { curl --silent --show-error --fail --max-time 60 "$@"; }

_registry_digest() {
    _registry --head --output /dev/null --write-out '%header{docker-content-digest}' \
        --header 'Accept: application/vnd.docker.distribution.manifest.v2+json' "$1" 2>/dev/null || true
}

_sha256() { sha256sum "$1" | cut -d ' ' -f 1; }

# _blob FOLDER FILE: moves FILE to where its digest says, and prints the digest.
_blob() {
    local digest
    digest=$(_sha256 "$2")
    mv "$2" "$1/blobs/$digest"
    printf '%s\n' "$digest"
}
