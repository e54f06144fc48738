#!/usr/bin/env bash
# Installs what the tests need, builds, checks the format, publishes the programs and runs the tests.
#   --all   the long tier too: storms, fault rounds, booted systems, browsers, fleets
# The last line is "N passed, N failed, N skipped"; exit 0 only if nothing failed. With CI set, a skipped test fails.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/deploy/requirements.sh"

limit=25m
filter=(--filter-not-trait Category=Record --filter-not-trait Category=Long)
case ${1:-} in
  "") ;;
  --all) limit=5h filter=(--filter-not-trait Category=Record) ;;
  -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;;
  *) echo "Usage: tests/run.sh [--all]" >&2; exit 2 ;;
esac

passed=0 failed=0 skipped=0
log=$(mktemp)

# However this ends, the last line tells, and no way to end early counts as success.
finish() {
  local status=$?
  rm -f "$log"
  if ((status != 0 && failed == 0)); then
    failed=1
  fi
  echo "$passed passed, $failed failed, $skipped skipped"
  ((failed == 0)) || exit 1
}
trap finish EXIT
trap 'exit 130' INT TERM

step() {
  local name=$1 start=$SECONDS
  shift
  echo ":: $name"
  if ! "$@"; then
    echo "tests/run.sh: '$name' failed; what comes after it was not done." >&2
    exit 1
  fi
  echo "   $((SECONDS - start)) s"
}

# The components that tests run against are the real ones.
install() {
  need_sdk || return 1
  need_native_toolchain
  need git command -v git
  need curl command -v curl
  need procps command -v pgrep
  need procps command -v sysctl
  need procps command -v vmstat
  need sysstat command -v iostat
  need monitoring-plugins-basic test -x /usr/lib/nagios/plugins/check_load
  need iproute2 command -v ss
  need util-linux command -v findmnt
  need systemd command -v systemctl
  need perl-base command -v perl
  need libaugeas0 has_library libaugeas.so.0
  need augeas-lenses test -d /usr/share/augeas/lenses/dist
  need sudo command -v cvtsudoers
  need influxdb test -x /usr/bin/influxd
  need victoria-metrics test -x /usr/bin/victoria-metrics
  need mtree-netbsd command -v mtree
  need attr command -v getfattr
  need rsync command -v rsync
  need vim-tiny command -v vim.tiny
  need logrotate command -v logrotate
  need e2fsprogs command -v mkfs.ext4
  need mount command -v losetup
  need rpm test -x /usr/bin/rpmbuild
  need debootstrap test -x /usr/sbin/debootstrap
  if [[ ${filter[*]} != *Long* ]]; then
    need systemd-container command -v systemd-nspawn
  fi
  install_missing
}

# Builds log to a file rather than a pipe: a compiler server that outlives the build would keep the pipe open.
build() {
  dotnet build Telemetry.sln -c Release -nodeReuse:false -v quiet > "$log" 2>&1 || { cat "$log" >&2; return 1; }
}

check_format() {
  dotnet format Telemetry.sln --no-restore --verify-no-changes > "$log" 2>&1 || { cat "$log" >&2; return 1; }
}

publish() {
  "$root/deploy/build.sh" "$root/artifacts/bin"
}

# One summary over all projects. A module that crashed, or has no tests, counts as no failed test but as an error.
run_tests() {
  local status=0
  timeout --kill-after=30s "$limit" dotnet test --solution Telemetry.sln -c Release --no-build --no-ansi --no-progress \
    --max-parallel-test-modules 1 ${CI:+--fail-skips on} "${filter[@]}" 2>&1 | tee "$log" || status=$?

  passed=$(count succeeded)
  failed=$(($(count failed) + $(count error)))
  skipped=$(count skipped)
  if ((status == 124)); then
    echo "The tests took longer than $limit." >&2
  fi
  if ((failed == 0 && (status != 0 || passed == 0))); then
    failed=1
  fi
}

count() {
  sed -nE "s/^ *$1: ([0-9]+).*/\1/p" "$log" | tail -n 1 | grep . || echo 0
}

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en
export TELEMETRY_BIN=$root/artifacts/bin

cd "$root"
step "What the tests need" install
step "Build" build
step "Format" check_format
step "Publish" publish
echo ":: Tests"
run_tests
