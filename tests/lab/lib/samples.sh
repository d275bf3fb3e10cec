# shellcheck shell=bash
# The sample images: web (busybox), site (a Go program of ours), httpd (Debian's apache2), broken (exits at once). To be sourced
# after images.sh.

SAMPLES=(web:v1 web:v2 site:v1 site:v2 httpd:v1 httpd:v2 broken:v1)

_samples_source=$(dirname "${BASH_SOURCE[0]}")/../images
_samples_deps=$(dirname "${BASH_SOURCE[0]}")/../deps

samples_build() {
    unpack_packages busybox busybox-static
    local image key
    for image in "${SAMPLES[@]}"; do
        key=$(_sample_key "$image")
        image_is_current "$image" "$key" && continue
        with_lock "image-${image/:/-}" _sample_build "$image" "$key"
    done
}

samples_push() {
    local image
    for image in "${SAMPLES[@]}"; do
        image_push "$image" "$1"
    done
}

# What an image is made of: the sources here and the packages they are joined with.
_sample_key() {
    {
        printf '%s\n' "$1"
        find "$_samples_source" "$_samples_deps/site-server.sh" "${BASH_SOURCE[0]}" -type f -exec sha256sum {} + | cut -d ' ' -f 1 | sort
    } | sha256sum | cut -d ' ' -f 1
}

_sample_build() {
    local image=$1 key=$2 root
    image_is_current "$image" "$key" && return
    say "building image $image"
    root=$(mktemp -d)
    "_sample_${image%:*}" "$root" "$image" "$key"
    rm -rf "$root"
}

_sample_web() {
    local root=$1 image=$2 key=$3
    _busybox_root "$root"
    install -m 755 "$_samples_source"/web/* "$root/bin/"
    _write_server "$image" "$key" "$root"
}

_sample_site() {
    local root=$1 image=$2 key=$3
    "$_samples_deps.sh" site-server
    _busybox_root "$root"
    install -m 755 "$("$_samples_deps.sh" --path site-server)" "$root/bin/server"
    _write_server "$image" "$key" "$root"
}

# _write_server IMAGE KEY ROOT: of a root folder with a /bin/server.
_write_server() {
    image_write "$1" "$2" "$3" '{
        "Env": ["PATH=/bin", "PORT=8080", "VERSION='"${1#*:}"'"],
        "Cmd": ["/bin/server"], "User": "65534:65534", "WorkingDir": "/", "ExposedPorts": {"8080/tcp": {}},
        "StopSignal": "SIGTERM", "Labels": {"org.opencontainers.image.version": "'"${1#*:}"'"}}'
}

_sample_httpd() {
    local root=$1 image=$2 key=$3 apache module files=()
    unpack_packages apache apache2-bin
    apache=$(packages_root apache)
    _busybox_root "$root"
    install -m 755 "$_samples_source/httpd/server" "$root/bin/server"
    install -m 644 -D "$_samples_source/httpd/httpd.conf" "$root/etc/httpd.conf"
    install -m 644 -D "$_samples_source/httpd/index.shtml" "$root/srv/index.shtml"
    printf 'ok\n' >"$root/srv/healthz"
    head -c 32768 /dev/zero | tr '\0' . >"$root/srv/slow"
    files=(/usr/sbin/apache2)
    while read -r module; do
        files+=("$module")
    done < <(awk '$1 == "LoadModule" { print $3 }' "$_samples_source/httpd/httpd.conf")
    for module in "${files[@]}"; do
        install -m 755 -D "$apache$module" "$root$module"
    done
    _copy_libraries "$root" "$apache" "${files[@]}"
    printf 'www-data:x:33:33:www-data:/:/bin/sh\n' >>"$root/etc/passwd"
    image_write "$image" "$key" "$root" '{
        "Env": ["PATH=/bin", "PORT=8080", "VERSION='"${image#*:}"'", "ORC_REPLICA=none", "ORC_HOST=none"],
        "Cmd": ["/bin/server"], "User": "33:33", "WorkingDir": "/", "ExposedPorts": {"8080/tcp": {}},
        "StopSignal": "SIGTERM", "Labels": {"org.opencontainers.image.version": "'"${image#*:}"'"}}'
}

# _copy_libraries ROOT PACKAGES FILE...: the shared libraries that FILEs need, unpacked ones or the machine's, into ROOT/usr/lib,
# and the loader to where programs look for it.
_copy_libraries() {
    local root=$1 packages=$2 library
    shift 2
    while read -r library; do
        if [[ $library == */ld-linux* ]]; then
            install -m 755 -D "$library" "$root$library"
        else
            install -m 644 -D "$library" "$root/usr/lib/${library##*/}"
        fi
    done < <(
        use_packages apache
        {
            ldd "${@/#/$packages}"
            ldconfig -p | grep -F -m 1 libgcc_s.so.1 # looked for by glibc when a thread ends
        } | grep -oE '/[^ ]+\.so[^ ]*' | grep -v "^$packages/usr/lib/apache2/" | sort -u
    )
}

_sample_broken() {
    local root=$1 image=$2 key=$3
    _busybox_root "$root"
    image_write "$image" "$key" "$root" '{
        "Env": ["PATH=/bin"], "Cmd": ["/bin/sh", "-c", "echo broken as asked; exit 1"], "User": "65534:65534"}'
}

_busybox_root() {
    local root=$1 busybox applet
    busybox=$(packages_root busybox)/bin/busybox
    mkdir -p "$root/bin" "$root/etc"
    install -d -m 1777 "$root/tmp"
    printf 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$root/etc/passwd"
    for applet in $("$busybox" --list); do
        ln -s busybox "$root/bin/$applet"
    done
    install -m 755 "$busybox" "$root/bin/busybox" # in place of the link of its own name
}
