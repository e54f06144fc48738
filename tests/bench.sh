#!/usr/bin/env bash
# Benchmarks side by side with the peers, in one run, as ratios; the budgets are in the table.
#   tests/bench.sh [NAME…]    NAME: scan, latency, idle (default: all)
#   BENCH_TREE=DIR            the tree that is fingerprinted (default /usr)
#   BENCH_MANY=DIR            a tree of many entries, for memory, latency and idling (default /)
#   BENCH_ROUNDS=N            alternating rounds (default 3); the best of each counts
# JSON goes to artifacts/bench/NAME.json. Exit 1 when a budget is not met.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/deploy/requirements.sh"

tree=${BENCH_TREE:-/usr} many=${BENCH_MANY:-/} rounds=${BENCH_ROUNDS:-3}
agent=$root/artifacts/bin/telemetry-agent
results=$root/artifacts/bench
work=$(mktemp -d)
running=()
failed=0
rows=()

finish() {
  ((${#running[@]} == 0)) || kill "${running[@]}" 2> /dev/null || true
  rm -rf "$work" ${scratch:+"$scratch"}
}
trap finish EXIT
trap 'exit 130' INT TERM

# seconds COMMAND…: its wall time; what it prints goes to a file.
seconds() {
  local start=$EPOCHREALTIME status=0
  "$@" > "$work/output" 2>&1 || status=$?
  awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", b - a }'
  return "$status"
}

least() { sort -n | head -n 1; }
middle() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'; }

# row WHAT OURS PEER PEER_VALUE VALUE UNIT BUDGET
row() {
  local what=$1 ours=$2 peer=$3 theirs=$4 value=$5 unit=$6 budget=$7 verdict=met
  if awk -v v="$value" -v b="$budget" 'BEGIN { exit !(v > b) }'; then
    verdict=missed
    failed=1
  fi
  rows+=("$(printf '{"what": "%s", "ours": "%s", "peer": "%s", "theirs": "%s", "value": %s, "unit": "%s", "budget": %s, "verdict": "%s"}' \
    "$what" "$ours" "$peer" "$theirs" "$value" "$unit" "$budget" "$verdict")")
  printf '%-34s %12s  %-22s %10s  %8s %-5s ≤ %-6s %s\n' "$what" "$ours" "$peer" "$theirs" "$value" "$unit" "$budget" "$verdict"
}

save() {
  mkdir -p "$results"
  (IFS=,; printf '{"cpu": "%s", "kernel": "%s", "rounds": %s, "rows": [%s]}\n' \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(uname -r)" "$rounds" "${rows[*]}") > "$results/$1.json"
}

# memory PID NAME: a figure of /proc/PID/status in MB.
memory() { awk -v name="$2:" '$1 == name { printf "%.1f", $2 / 1024 }' "/proc/$1/status"; }

# start_agent NAME DIR: an agent that keeps its state and tells nobody, looking again every second.
start_agent() {
  mkdir -p "$work/$1"
  cat > "$work/$1/agent.toml" << TOML
state_directory = "$work/$1/state"
[watch]
include = ["$2"]
exclude = ["$work"]
[scan]
interval = "1s"
rescan = "1s"
[health]
interval = "1h"
[log]
level = "debug"
TOML
  run_agent "$1"
}

# run_agent NAME: the one with that configuration.
run_agent() {
  "$agent" run --config "$work/$1/agent.toml" > "$work/$1/log" 2>&1 &
  pid=$!
  running+=("$pid")
}

stop_agent() {
  kill "$pid"
  wait "$pid" || true
  running=()
}

# await COUNT PATTERN FILE: without polling, which would take time from what is measured.
await() {
  local found
  found=$(timeout 600 grep -m "$1" -c -- "$2" < <(exec tail -n +1 -f --pid="$pid" "$3")) || true
  ((found == $1)) || { cat "$3" >&2; return 1; }
}

first_look() { start_agent "$1" "$2"; await 1 'New head' "$work/$1/log"; }
hash_tree() { find "$tree" -xdev -type f -print0 | xargs -0 -P2 -n 512 sha256sum; }

# The same attributes as ours. Sizes and times of directories change where nothing did.
configure_aide() {
  cat > "$work/aide.conf" << CONF
database_in=file:$work/aide.db
database_out=file:$work/aide.db.new
gzip_dbout=no
log_level=error
report_url=stdout
report_level=minimal
num_workers=2
$tree d ftype+p+u+g+acl+xattrs
$tree f,l,b,c,p,s ftype+p+u+g+s+l+acl+xattrs+sha256
CONF
}

aide_check() { aide --config="$work/aide.conf" --check; }

aide_init() {
  aide --config="$work/aide.conf" --init
  mv "$work/aide.db.new" "$work/aide.db"
}

bench_scan() {
  need aide command -v aide
  install_missing
  configure_aide

  echo "scan of $tree: $(find "$tree" -xdev | wc -l) entries; $rounds rounds, the page cache warm"
  hash_tree > /dev/null
  for ((round = 1; round <= rounds; round++)); do
    seconds hash_tree >> "$work/sha256sum.times"
    seconds first_look "full-$round" "$tree" >> "$work/full.times"
    pid=$(pgrep -f "$work/full-$round/agent.toml")
    await 6 'still holds' "$work/full-$round/log"
    sed -n 's/.* still holds.* in \([0-9.]*\) s$/\1/p' "$work/full-$round/log" | tail -n +2 >> "$work/rescan.times"
    kill "$pid"
    seconds aide_init >> "$work/aide-init.times"
    seconds aide_check >> "$work/aide-check.times"
  done

  local full rescan hash init check
  full=$(least < "$work/full.times") hash=$(least < "$work/sha256sum.times") rescan=$(middle < "$work/rescan.times")
  init=$(least < "$work/aide-init.times") check=$(least < "$work/aide-check.times")
  row "first full fingerprint" "$full s" "xargs -P2 sha256sum" "$hash s" "$(ratio "$full" "$hash")" "x" \
    "$(grep -q -w sha_ni /proc/cpuinfo && echo 0.35 || echo 0.80)"
  row "first full fingerprint" "$full s" "aide --init" "$init s" "$(ratio "$full" "$init")" "x" 0.20
  row "rescan, nothing changed" "$rescan s" "aide --check" "$check s" "$(ratio "$rescan" "$check")" "x" 0.02

  first_look many "$many"
  await 3 'still holds\|New head' "$work/many/log"
  local entries
  entries=$(sed -n 's/.* \([0-9]*\) entries.*/\1/p' "$work/many/log" | tail -n 1)
  row "resident, $entries entries, steady" "$(memory "$pid" VmRSS) MB" "" "" "$(memory "$pid" VmRSS)" "MB" 32
  row "resident, $entries entries, peak" "$(memory "$pid" VmHWM) MB" "" "" "$(memory "$pid" VmHWM)" "MB" 48
  stop_agent
  save scan
}

# start_fleet NAME [TOML]: a collector, and an agent that watches all there is as it is by default, certified as bench:1.
start_fleet() {
  mkdir -p "$work/$1"
  printf 'data_directory = "%s"\n[agents]\nlisten = "127.0.0.1:0"\n[operators]\nlisten = "127.0.0.1:0"\n' "$work/$1/collector" > "$work/$1/collector.toml"
  "$root/artifacts/bin/telemetry-collector" serve --config "$work/$1/collector.toml" > "$work/$1/collector.log" 2>&1 &
  running+=("$!")
  within 30 "the collector to listen" test -s "$work/$1/collector/addresses.json"
  local agents
  agents=$(address "$1" agents)
  at=(--server "$(address "$1" operators)" --token-file "$work/$1/collector/admin.token")
  cat > "$work/$1/agent.toml" << TOML
collector = "$agents"
state_directory = "$work/$1/state"
[watch]
include = ["$many"]
exclude = ["$work"]
[log]
level = "debug"
${2:-}
TOML
}

address() { sed -n "s/.*\"$2\": *\"\([^\"]*\)\".*/\1/p" "$work/$1/collector/addresses.json"; }
ctl() { "$root/artifacts/bin/telemetryctl" "$@" "${at[@]}" --output json; }
field() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" | head -n 1; }

has_head() { [[ -n $(ctl instances list | field observed_at) ]]; }

# within SECONDS WHAT COMMAND…: until the command succeeds.
within() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    ((SECONDS < end)) || { echo "Waited in vain for $what." >&2; tail -n 5 "$work"/*/*log >&2; return 1; }
    sleep 0.5
  done
}

certify() {
  within 300 "the first head" has_head
  instance=$(ctl instances list | field id)
  ctl baselines capture bench:1 --instance "$instance" > /dev/null
  ctl baselines bind bench --instance "$instance" > /dev/null
}

# From the return of the system call to a line of another process that watches.
bench_latency() {
  scratch=$(mktemp -d /usr/local/share/telemetry-bench.XXXXXX)
  mkdir "$scratch/files" "$scratch/settings"
  (cd "$scratch/files" && seq 2000 | xargs touch)
  for ((i = 1; i <= 200; i++)); do echo "kernel.panic = 0" > "$scratch/settings/$i.conf"; done
  start_fleet latency "$(printf '[settings]\nallow = ["%s/settings/*.conf"]\n' "$scratch")"
  {
    sed "s|^files = \[\"/etc/sysctl.conf\"|files = [\"$scratch/settings/*.conf\", \"/etc/sysctl.conf\"|" "$root/deploy/policies/default.toml"
  } > "$work/policy.toml"
  ctl policies set "$work/policy.toml" > /dev/null
  run_agent latency
  certify
  echo "latency with $(awk '/New head.*entries/ { for (i = 1; i < NF; i++) if ($(i + 1) ~ /^entries/) print $i; exit }' "$work/latency/log") entries"
  sleep 5

  local what count middle most greatest
  while read -r what count middle most greatest; do
    row "$count single changes, $what, p50" "$middle ms" "" "" "$middle" "ms" 50
    row "$count single changes, $what, p99" "$most ms" "greatest" "$greatest ms" "$most" "ms" 250
  done < <(perl "$root/tests/latency.pl" "$scratch" 7 "$root/artifacts/bin/telemetryctl" deviations watch "${at[@]}" --output json)
  ((${#rows[@]} == 4)) || { echo "latency.pl did not measure all." >&2; return 1; }
  stop_running
  save latency
}

# ticks PID: processor time of a process and its children that ended, in hundredths of a second.
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 + $14 + $15 }' "/proc/$1/stat"; }

# Nothing changes but what this machine changes by itself; metrics every 10 s.
bench_idle() {
  need inotify-tools command -v inotifywait
  install_missing
  local seconds=${BENCH_IDLE:-120} peer before peer_before
  start_fleet idle
  run_agent idle
  certify
  inotifywait -q -m -r "$many" -o "$work/inotifywait" --exclude '^/(proc|sys|dev|run|tmp)/' 2> "$work/inotifywait.err" &
  peer=$!
  running+=("$peer")
  sleep 60
  before=$(ticks "$pid") peer_before=$(ticks "$peer")
  sleep "$seconds"
  local ours theirs
  ours=$(ratio "$(($(ticks "$pid") - before))" "$seconds") theirs=$(ratio "$(($(ticks "$peer") - peer_before))" "$seconds")
  row "idle, processor" "$ours %" "inotifywait -r" "$theirs %" "$ours" "%" 0.5
  row "idle, resident" "$(memory "$pid" VmRSS) MB" "inotifywait -r" "$(memory "$peer" VmRSS) MB" "$(memory "$pid" VmRSS)" "MB" 32
  row "connected, peak since its start" "$(memory "$pid" VmHWM) MB" "inotifywait -r" "$(memory "$peer" VmHWM) MB" "$(memory "$pid" VmHWM)" "MB" 48
  stop_running
  save idle
}

# The children that this script started, and no others.
stop_running() {
  kill "${running[@]}" 2> /dev/null || true
  wait "${running[@]}" 2> /dev/null || true
  running=()
}

names=("${@:-scan}")
(($#)) || names=(scan latency idle)
for name in "${names[@]}"; do
  case $name in
    scan | latency | idle) ;;
    -h | --help) sed -n '2,6s/^# //p' "$0"; exit 0 ;;
    *) echo "There is no benchmark '$name'; there are: scan, latency, idle." >&2; exit 2 ;;
  esac
done

[[ -x $agent ]] || "$root/deploy/build.sh"
for name in "${names[@]}"; do
  rows=()
  "bench_$name"
done
exit "$failed"
