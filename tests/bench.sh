#!/usr/bin/env bash
# Benchmarks side by side with the peers, in one run, as ratios; the budgets are in the table.
#   tests/bench.sh [NAME…]    NAME: scan, latency, idle, fleet (default: all)
#   BENCH_TREE=DIR            the tree that is fingerprinted (default /usr)
#   BENCH_MANY=DIR            a tree of many entries, for memory, latency and idling (default /)
#   BENCH_ROUNDS=N            alternating rounds (default 3); the best of each counts
#   BENCH_AGENTS=N            simulated agents of the fleet (default 10000)
# JSON goes to artifacts/bench/NAME.json. Exit 1 when a budget is not met.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/deploy/requirements.sh"

tree=${BENCH_TREE:-/usr} many=${BENCH_MANY:-/} rounds=${BENCH_ROUNDS:-3}
agent=$root/artifacts/bin/telemetry-agent
simulator=$root/artifacts/bin/Telemetry.FleetSimulator/release/telemetry-fleet-simulator
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

# start_collector NAME [TOML]: its process id is in $collector.
start_collector() {
  mkdir -p "$work/$1"
  [[ -e $work/$1/collector.toml ]] ||
    printf 'data_directory = "%s"\n[agents]\nlisten = "127.0.0.1:%s"\n[operators]\nlisten = "127.0.0.1:0"\n%s\n' \
      "$work/$1/collector" "$(free_port)" "${2:-}" > "$work/$1/collector.toml"
  rm -f "$work/$1/collector/addresses.json"
  "$root/artifacts/bin/telemetry-collector" serve --config "$work/$1/collector.toml" > "$work/$1/collector.log" 2>&1 &
  collector=$!
  running+=("$collector")
  within 30 "the collector to listen" test -s "$work/$1/collector/addresses.json"
}

free_port() { perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'; }

# start_fleet NAME [TOML] [COLLECTOR_TOML]: a collector, and an agent that watches all there is as it is by default.
start_fleet() {
  local agents
  start_collector "$1" "${3:-}"
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

# Takes the points, and forgets them; where is in $sink.
start_sink() {
  local port
  port=$(free_port)
  "$simulator" sink --listen "http://127.0.0.1:$port/" > "$work/sink.log" 2>&1 &
  running+=("$!")
  sink=$(printf '[timeseries]\nkind = "influxdb"\nurl = "http://127.0.0.1:%s"' "$port")
}

# number NAME: a figure of what the simulator printed.
number() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p" | head -n 1; }

# simulate NAME OPTION…: a fleet against a collector of its own.
simulate() {
  local name=$1
  shift

  # In a shell of its own, whose programs nobody else would stop.
  running=()
  trap stop_running EXIT
  trap 'exit 130' INT TERM
  start_sink
  start_collector "$name" "$sink"
  "$simulator" --collector "$(address "$name" agents)" --pid "$collector" "$@" 2> "$work/$name/simulator.log" || { tail -n 3 "$work/$name/simulator.log" >&2; return 1; }
}

# growth WHAT OPTION…: how one figure grows while the others stand still.
growth() {
  local what=$1 result
  shift
  result=$(simulate "growth-$RANDOM" --seconds 15 "$@")
  printf '  %-24s %10.1f %10.1f %10.1f %10.2f %10.0f\n' "$what" "$(number stored_after <<< "$result")" "$(number head_ack_p50 <<< "$result")" \
    "$(number head_ack_p99 <<< "$result")" "$(number collector_cpu <<< "$result")" "$(($(number collector_resident_kb <<< "$result") / 1024))"
}

# wire: bytes of the agent's connection so far, both ways.
wire() { ss -tniH state established "dport = :$1" | grep -o 'bytes_\(sent\|received\):[0-9]*' | awk -F: '{ sum += $2 } END { print sum + 0 }'; }

bench_fleet() {
  need iproute2 command -v ss
  install_missing
  ulimit -n "$(ulimit -Hn)"
  dotnet build "$root/tests/Telemetry.FleetSimulator" -c Release -nodeReuse:false -v quiet > "$work/output" 2>&1 || { cat "$work/output" >&2; return 1; }

  local agents=${BENCH_AGENTS:-10000} result
  result=$(simulate many --agents "$agents" --seconds 60 --drift 10)
  local kb
  kb=$(ratio "$(number collector_resident_kb <<< "$result")" "$agents")
  echo "fleet of $agents agents, 60 points each in 10 s, 10 changes a second: $(number points_per_second <<< "$result") points/s, collector at $(number collector_cpu <<< "$result") of a core"
  row "$agents agents: ack of a head, p99" "$(number head_ack_p99 <<< "$result") ms" "" "" "$(number head_ack_p99 <<< "$result")" "ms" 1000
  row "$agents agents: ack of metrics, p99" "$(number health_ack_p99 <<< "$result") ms" "" "" "$(number health_ack_p99 <<< "$result")" "ms" 1000
  row "$agents agents: resident, for each" "$kb KB" "" "" "$kb" "KB" 120

  start_sink
  start_collector storm "$sink"
  "$simulator" --collector "$(address storm agents)" --pid "$collector" --agents $((agents / 2)) --seconds 5 --await-restart \
    > "$work/storm/result" 2> "$work/storm/simulator.log" &
  local fleet=$! back
  running+=("$fleet")
  within 300 "the fleet to be connected" test -s "$work/storm/result"
  kill -9 "$collector"
  wait "$collector" 2> /dev/null || true
  running=("${running[0]}" "$fleet")
  start_collector storm
  wait "$fleet" || { tail -n 3 "$work/storm/simulator.log" >&2; return 1; }
  back=$(number back_after < <(sed -n 2p "$work/storm/result"))
  row "$((agents / 2)) agents back after kill -9" "$back s" "" "" "$back" "s" 60
  row "of them refused for good" "" "" "" "$(number refused < <(sed -n 2p "$work/storm/result"))" "" 0
  stop_running

  printf '  %-24s %10s %10s %10s %10s %10s\n' growth "stored, s" "p50, ms" "p99, ms" cores "MB"
  local count
  for count in 1000 3000 "$agents"; do growth "$count agents" --agents "$count" --drift 10; done
  for count in 10000 100000 375000; do growth "$count entries" --agents 500 --entries "$count" --drift 10; done
  for count in 1 10 100; do growth "$count changes/s" --agents 1000 --drift "$count"; done

  bench_store
  bench_wire
  save fleet
}

# What the collector's store costs: two stored manifests compared, and an instance that is what its baseline says.
bench_store() {
  local result
  dotnet build "$root/tests/Telemetry.Benchmarks" -c Release -nodeReuse:false -v quiet > "$work/output" 2>&1 || { cat "$work/output" >&2; return 1; }
  result=$("$root/artifacts/bin/Telemetry.Benchmarks/release/telemetry-benchmarks")
  row "compare 375,000 entries, 100 changed" "" "" "" "$(number compare_ms <<< "$result")" "ms" 10
  row "an instance equal to its baseline" "" "" "" "$(number equal_bytes <<< "$result")" "bytes" 4096
}

# What one agent costs the network, as the kernel counts it. Without TLS as yet.
bench_wire() {
  scratch=$(mktemp -d /usr/local/share/telemetry-bench.XXXXXX)
  (cd "$scratch" && seq 50 | xargs touch)
  start_sink
  start_fleet wire "" "$sink"
  run_agent wire
  certify
  sleep 30

  local port seconds=60 before after rate
  port=$(address wire agents) port=${port##*:} port=${port%/}
  before=$(wire "$port")
  sleep "$seconds"
  rate=$(ratio "$(($(wire "$port") - before))" "$seconds")
  row "wire, idle, metrics every 10 s" "$rate B/s" "" "" "$rate" "B/s" 300

  for ((i = 1; i <= 50; i++)); do
    before=$(wire "$port")
    echo "$RANDOM" > "$scratch/$i"
    sleep 1
    after=$(wire "$port")
    awk -v b="$((after - before))" 'BEGIN { printf "%.2f\n", b / 1024 }'
  done > "$work/wire.changes"
  row "wire, one changed file, mean" "" "" "" "$(awk '{ sum += $1 } END { printf "%.1f", sum / NR }' "$work/wire.changes")" "KiB" 16
  row "wire, one changed file, greatest of 50" "" "" "" "$(sort -n "$work/wire.changes" | tail -n 1)" "KiB" 32
  stop_running
}

# The children that this script started, and no others.
stop_running() {
  kill "${running[@]}" 2> /dev/null || true
  wait "${running[@]}" 2> /dev/null || true
  running=()
}

names=("${@:-scan}")
(($#)) || names=(scan latency idle fleet)
for name in "${names[@]}"; do
  case $name in
    scan | latency | idle | fleet) ;;
    -h | --help) sed -n '2,7s/^# //p' "$0"; exit 0 ;;
    *) echo "There is no benchmark '$name'; there are: scan, latency, idle, fleet." >&2; exit 2 ;;
  esac
done

[[ -x $agent ]] || "$root/deploy/build.sh"
for name in "${names[@]}"; do
  rows=()
  "bench_$name"
done
exit "$failed"
