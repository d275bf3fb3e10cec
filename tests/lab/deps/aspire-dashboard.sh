#!/usr/bin/env bash
# The Aspire dashboard: an OTLP receiver with an API to read what it got, and the only one that comes as a NuGet package. 130 MB.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
source "$here/../lib/common.sh"
# shellcheck source=cache.sh
source "$here/cache.sh"

version=13.6.5
dashboard=$(tool_path aspire-dashboard)

bring() {
    [[ ! -x $dashboard ]] || return 0 # another process did it while this one waited
    local architecture package
    case $(uname -m) in
        aarch64) architecture=arm64 ;;
        *) architecture=x64 ;;
    esac
    package=Aspire.Dashboard.Sdk.linux-$architecture
    say "getting $package $version (NuGet)"
    new_stage
    cat >"$stage/get.csproj" <<PROJECT
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageDownload Include="$package" Version="[$version]" /></ItemGroup>
</Project>
PROJECT
    (cd "$stage" && dotnet restore --packages "$stage/packages" -v quiet >&2) || die "could not download $package"
    mv "$stage/packages/${package,,}/$version/tools" "$stage/dashboard"
    chmod 0755 "$stage/dashboard/Aspire.Dashboard"
    place "$stage/dashboard" "$(dirname "$dashboard")"
}

[[ -x $dashboard ]] || with_lock aspire-dashboard bring
