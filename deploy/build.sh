#!/usr/bin/env bash
# Publishes the programs into DIR (default artifacts/bin):
#   telemetry-agent       native, for this machine's architecture, with libe_sqlite3.so beside it
#   telemetry-collector   a link into DIR/collector, where its libraries are; needs the ASP.NET Core 10 runtime
#   telemetryctl          the same program under its other name
# Any warning fails, those of the native compiler too. Needs no root if a C compiler and zlib's headers are there.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/deploy/requirements.sh"

case ${1:-} in
  -h | --help) echo "Usage: deploy/build.sh [DIR]"; exit 0 ;;
  -*) echo "Usage: deploy/build.sh [DIR]" >&2; exit 2 ;;
esac

case $(uname -m) in
  x86_64) runtime=linux-x64 ;;
  aarch64) runtime=linux-arm64 ;;
  *) echo "No agent for $(uname -m): x86_64 and aarch64 are supported." >&2; exit 1 ;;
esac

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en

cd "$root"
need_sdk
need_native_toolchain
install_missing

mkdir -p "${1:-artifacts/bin}"
dir=$(cd "${1:-artifacts/bin}" && pwd)
mkdir -p artifacts
work=$(mktemp -d "$root/artifacts/build.XXXXXX")
trap 'rm -rf "$work"' EXIT

# What a service audit says today is no warning of ours (NU1901 to NU1904).
publish() {
  local project=$1
  shift
  echo "Publishing $project"
  if ! dotnet publish "$project" -c Release -nodeReuse:false -v minimal "$@" > "$work/log" 2>&1; then
    cat "$work/log" >&2
    echo "$project did not build." >&2
    return 1
  fi
  if grep -E 'warning [A-Z]+[0-9]+' "$work/log" | grep -vE 'warning NU190[1-4]' >&2; then
    echo "$project built with warnings, which count as errors." >&2
    return 1
  fi
}

publish agent -r "$runtime" -o "$work/agent"
publish collector --no-self-contained -o "$work/collector"

# Renamed into place, so that a program that runs keeps the file it was started from.
place() {
  local file=$1 name
  name=$(basename "$file")
  cp "$file" "$dir/.$name.new"
  mv -f "$dir/.$name.new" "$dir/$name"
}

place "$work/agent/telemetry-agent"
for library in "$work"/agent/*.so; do
  place "$library"
done

rm -f "$work/collector"/*.pdb "$work/collector"/*.xml
if [[ -e $dir/collector && ! -e $dir/collector/telemetry-collector.dll ]]; then
  echo "$dir/collector is not ours; choose another directory." >&2
  exit 1
fi
rm -rf "$dir/collector"
mv "$work/collector" "$dir/collector"
ln -sfn collector/telemetry-collector "$dir/telemetry-collector"
ln -sfn telemetry-collector "$dir/telemetryctl"

echo "Published to $dir:"
ls -lh "$dir" | awk '/telemetry|sqlite/ { printf "  %-8s %s %s %s\n", $5, $9, $10, $11 }'
