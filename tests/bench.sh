#!/usr/bin/env bash
# Benchmarks side by side with the peers, in one run, as ratios; the budgets are in the table.
#   tests/bench.sh [NAME…]    NAME: scan, latency, idle, wire (a part of fleet), fleet, reevaluate, decide, timeseries (default: all)
#   BENCH_TREE=DIR            the tree that is fingerprinted (default /usr)
#   BENCH_MANY=DIR            a tree of many entries, for memory, latency and idling (default /)
#   BENCH_ROUNDS=N            alternating rounds (default 3); the best of each counts
#   BENCH_AGENTS=N            simulated agents of the fleet (default 10000); when that misses a
#                             budget, the largest of a short series that holds is looked for
# JSON goes to artifacts/bench/NAME.json. Exit 1 when a budget is not met.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/deploy/requirements.sh"

tree=${BENCH_TREE:-/usr} many=${BENCH_MANY:-/} rounds=${BENCH_ROUNDS:-3}
agent=$root/artifacts/bin/telemetry-agent
simulator=$root/artifacts/bin/Telemetry.FleetSimulator/release/telemetry-fleet-simulator
benchmarks=$root/artifacts/bin/Telemetry.Benchmarks/release/telemetry-benchmarks
results=$root/artifacts/bench
work=$(mktemp -d)
running=()
failed=0
rows=() points=()

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
  if [[ -z $value ]] || awk -v v="$value" -v b="$budget" 'BEGIN { exit !(v > b) }'; then
    verdict=missed
    failed=1
  fi
  rows+=("$(printf '{"what": "%s", "ours": "%s", "peer": "%s", "theirs": "%s", "value": %s, "unit": "%s", "budget": %s, "verdict": "%s"}' \
    "$what" "$ours" "$peer" "$theirs" "${value:-null}" "$unit" "$budget" "$verdict")")
  printf '%-34s %12s  %-22s %10s  %8s %-5s ≤ %-6s %s\n' "$what" "$ours" "$peer" "$theirs" "$value" "$unit" "$budget" "$verdict"
}

# figure WHAT VALUE UNIT: a row without a budget.
figure() {
  rows+=("$(printf '{"what": "%s", "value": %s, "unit": "%s", "verdict": "measured"}' "$1" "$2" "$3")")
  printf '%-34s %12s  %-22s %10s  %8s %-5s\n' "$1" "$2 $3" "" "" "$2" "$3"
}

save() {
  mkdir -p "$results"
  (IFS=,; printf '{"cpu": "%s", "kernel": "%s", "rounds": %s, "rows": [%s], "growth": [%s]}\n' \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(uname -r)" "$rounds" "${rows[*]}" "${points[*]}") > "$results/$1.json"
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
    printf 'data_directory = "%s"\n[agents]\nlisten = "127.0.0.1:%s"\n[operators]\nlisten = "127.0.0.1:%s"\n%s\n' \
      "$work/$1/collector" "$(free_port)" "$(free_port)" "${2:-}" > "$work/$1/collector.toml"
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

# Nothing changes but what this machine changes by itself; all probes every 10 s.
bench_idle() {
  need inotify-tools command -v inotifywait
  install_missing
  local seconds=${BENCH_IDLE:-120} peer before peer_before
  start_sink
  start_fleet idle "$(printf '[health.intervals]\nsystemd_units = "10s"\n')" "$sink"
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

# number NAME: a figure of what the simulator printed, as exact as anybody reads it.
number() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p" | awk 'NR == 1 { print $1 == int($1) ? $1 : sprintf("%.2f", $1) }'; }

# certified NAME: options of the simulator, in ${fleet_of[@]}, for a fleet of that collector that is certified and judged.
certified() {
  fleet_of=(--collector "$(address "$1" agents)" --operators "$(address "$1" operators)" --token-file "$work/$1/collector/admin.token" --pid "$collector")
}

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
  certified "$name"
  "$simulator" "${fleet_of[@]}" "$@" 2> "$work/$name/simulator.log" || tail -n 3 "$work/$name/simulator.log" >&2
}

# steady COUNT: simulates as many agents and, after that, a storm of half of them; what they met with is in $result and $storm.
steady() {
  local lines
  lines=$(simulate "steady-$1" --agents "$1" --seconds 60 --drift 10 --storm "$(($1 / 2))")
  result=$(sed -n 1p <<< "$lines") storm=$(sed -n 2p <<< "$lines")
  [[ -n $result ]] || { echo "The simulator told nothing of $1 agents." >&2; return 1; }
}

# steady_rows COUNT: what was measured with so many, and whether it holds.
steady_rows() {
  local kb missed_before=$failed holds
  kb=$(ratio "$(number collector_resident_kb <<< "$result")" "$1")
  failed=0
  echo "fleet of $1 agents, 60 points each in 10 s, 10 changes a second: $(number points_per_second <<< "$result") points/s, $(number heads <<< "$result") heads, $(number deviations <<< "$result") deviations"
  row "$1 agents: not connected" "" "" "" "$(($1 - $(number connected <<< "$result")))" "" 0
  row "$1 agents: changes not told" "" "" "" "$(number untold <<< "$result")" "" 0
  row_of "$1 agents: ack of a head, p99" head_ack_p99 ms 1000 <<< "$result"
  row_of "$1 agents: ack of metrics, p99" health_ack_p99 ms 1000 <<< "$result"
  row_of "$1 agents: change to deviation, p99" deviation_p99 ms 1000 <<< "$result"
  row "$1 agents: resident, for each" "$kb KB" "" "" "$kb" "KB" 120
  figure "$1 agents: collector" "$(number collector_cpu <<< "$result")" cores
  figure "$1 agents: simulator" "$(number simulator_cpu <<< "$result")" cores
  if [[ -n $storm ]]; then
    row_of "$(($1 / 2)) of $1 back after a cut" back_after s 60 <<< "$storm"
    row "of them refused for good" "" "" "" "$(number refused <<< "$storm")" "" 0
    figure "metrics meanwhile, p99" "$(number health_ack_p99 <<< "$storm")" ms
  fi
  holds=$failed
  failed=$((missed_before | failed))
  return "$holds"
}

# row_of WHAT NAME UNIT BUDGET: the row of a figure of what the simulator printed.
row_of() {
  local value
  value=$(number "$2")
  row "$1" "$value $3" "" "" "$value" "$3" "$4"
}

# limits COUNT: in words, what the fleet met with that keeps more agents from being served.
limits() {
  awk -v cores="$(nproc)" -v collector="$(number collector_cpu <<< "$result")" -v simulator="$(number simulator_cpu <<< "$result")" \
    -v kb="$(number collector_resident_kb <<< "$result")" -v agents="$1" -v head="$(number head_ack_p99 <<< "$result")" \
    -v metrics="$(number health_ack_p99 <<< "$result")" -v deviation="$(number deviation_p99 <<< "$result")" 'BEGIN {
      printf "%d agents are limited by:", agents
      if (collector + simulator > 0.85 * cores)
        printf " the processors (the collector has %.2f of %d cores, the simulator %.2f);", collector, cores, simulator
      if (kb / agents > 120) printf " memory (%.0f KB each);", kb / agents
      if (head > 1000 || metrics > 1000 || deviation > 1000)
        printf " p99 (%.0f ms of heads, %.0f ms of metrics, %.0f ms of deviations);", head, metrics, deviation
      print " the rows that were missed say by how much."
    }'
}

# growth OF COUNT OPTION…: how one figure grows while the others stand still.
growth() {
  local of=$1 count=$2 result
  shift 2
  result=$(simulate "growth-$RANDOM" --seconds 15 "$@")
  [[ -n $result ]] || { echo "The simulator told nothing of $count $of." >&2; return 1; }
  points+=("$(printf '{"of": "%s", "count": %s, "stored_s": %s, "head_ack_p50_ms": %s, "head_ack_p99_ms": %s, "deviation_p99_ms": %s, "collector_cores": %s, "collector_mb": %s}' \
    "$of" "$count" "$(number stored_after <<< "$result")" "$(number head_ack_p50 <<< "$result")" "$(number head_ack_p99 <<< "$result")" \
    "$(number deviation_p99 <<< "$result")" "$(number collector_cpu <<< "$result")" "$(($(number collector_resident_kb <<< "$result") / 1024))")")
  printf '  %-24s %10.1f %10.1f %10.1f %10.1f %10.2f %10.0f\n' "$count $of" "$(number stored_after <<< "$result")" "$(number head_ack_p50 <<< "$result")" \
    "$(number head_ack_p99 <<< "$result")" "$(number deviation_p99 <<< "$result")" "$(number collector_cpu <<< "$result")" \
    "$(($(number collector_resident_kb <<< "$result") / 1024))"
}

# wire: bytes of the agent's connection so far, both ways.
wire() { ss -tniH state established "dport = :$1" | grep -o 'bytes_\(sent\|received\):[0-9]*' | awk -F: '{ sum += $2 } END { print sum + 0 }'; }

bench_fleet() {
  need iproute2 command -v ss
  install_missing
  ulimit -n "$(ulimit -Hn)"
  dotnet build "$root/tests/Telemetry.FleetSimulator" -c Release -nodeReuse:false -v quiet > "$work/output" 2>&1 || { cat "$work/output" >&2; return 1; }

  local agents=${BENCH_AGENTS:-10000} result storm count
  steady "$agents"
  if ! steady_rows "$agents"; then
    limits "$agents"
    for count in 8000 6500 5000; do
      ((count < agents)) || continue
      steady "$count"
      if steady_rows "$count"; then
        echo "$count agents hold."
        break
      fi
      limits "$count"
    done
  fi
  bench_restart "$((agents / 2))"

  printf '  %-24s %10s %10s %10s %10s %10s %10s\n' growth "stored, s" "p50, ms" "p99, ms" "told, p99" cores "MB"
  for count in $((agents / 10)) $((agents / 3)) "$agents"; do growth agents "$count" --agents "$count" --drift 10; done
  for count in 10000 100000 375000; do growth entries "$count" --agents 500 --entries "$count" --drift 10; done
  for count in 1 10 100; do growth changes/s "$count" --agents 1000 --drift "$count"; done

  bench_store
  bench_wire
  save fleet
}

# bench_restart COUNT: as many agents lose their collector to a kill -9, all at once, and have it back a moment later.
bench_restart() {
  start_sink
  start_collector restart "$sink"
  certified restart
  "$simulator" "${fleet_of[@]}" --agents "$1" --seconds 5 --await-restart > "$work/restart/result" 2> "$work/restart/simulator.log" &
  local fleet=$! back connected
  running+=("$fleet")
  within 300 "the fleet to be connected" test -s "$work/restart/result"
  kill -9 "$collector"
  wait "$collector" 2> /dev/null || true
  running=("${running[0]}" "$fleet")
  start_collector restart
  wait "$fleet" || tail -n 3 "$work/restart/simulator.log" >&2
  back=$(sed -n 2p "$work/restart/result") connected=$(number connected <<< "$back")
  row_of "$1 agents back after kill -9" back_after s 60 <<< "$back"
  row "of them not back" "" "" "" "$(($1 - ${connected:-0}))" "" 0
  row "of them refused for good" "" "" "" "$(number refused <<< "$back")" "" 0
  stop_running
}

build_benchmarks() {
  dotnet build "$root/tests/Telemetry.Benchmarks" -c Release -nodeReuse:false -v quiet > "$work/output" 2>&1 || { cat "$work/output" >&2; return 1; }
}

# What the collector's store costs: two stored manifests compared, and an instance that is what its baseline says.
bench_store() {
  local result
  build_benchmarks
  result=$("$benchmarks" store 375000)
  row "compare 375,000 entries, 100 changed" "" "" "" "$(number compare_ms <<< "$result")" "ms" 10
  row "an instance equal to its baseline" "" "" "" "$(number equal_bytes <<< "$result")" "bytes" 4096
}

# A fleet judged anew, by bases of two sizes: what it takes follows the differences, which are the same, and not the entries.
bench_reevaluate() {
  local result entries few many
  build_benchmarks
  for entries in 100000 375000; do
    result=$("$benchmarks" reevaluate "$entries" 1000)
    figure "1,000 instances × $entries entries" "$(number seconds <<< "$result")" s
    figure "transitions written" "$(number transitions <<< "$result")" ""
    figure "memory, grown by at most" "$(number grown_mb <<< "$result")" MB
    [[ -n ${few:-} ]] || few=$(number seconds <<< "$result")
    many=$(number seconds <<< "$result")
  done
  row "judging anew, by entries" "$many s" "100,000 entries" "$few s" "$(ratio "$many" "$few")" "x" 1.3
  save reevaluate
}

# One decision about what 500 instances share: what somebody else's write waits for it.
bench_decide() {
  local result
  build_benchmarks
  result=$("$benchmarks" decide 375000)
  row "acknowledging 10,000: a write waits" "" "" "" "$(number acknowledge_wait_ms <<< "$result")" "ms" 1000
  row "approving 10,000: a write waits" "" "" "" "$(number approve_wait_ms <<< "$result")" "ms" 1000
  figure "approving 10,000, and judging anew" "$(number approve_s <<< "$result")" s
  save decide
}

# start_influxd: a real one, with data of its own; where it listens is in $influxd.
start_influxd() {
  local port
  port=$(free_port)
  influxd=http://127.0.0.1:$port
  printf 'reporting-disabled = true\nbind-address = "127.0.0.1:0"\n[meta]\ndir = "%s/meta"\n[data]\ndir = "%s/data"\nwal-dir = "%s/wal"\n[http]\nbind-address = "127.0.0.1:%s"\nlog-enabled = false\n' \
    "$work/influxd" "$work/influxd" "$work/influxd" "$port" > "$work/influxd.conf"
  /usr/bin/influxd -config "$work/influxd.conf" > "$work/influxd.log" 2>&1 &
  running+=("$!")
  within 30 "influxd to answer" curl -sf "$influxd/ping"
}

# Empty, and with what it still had to do for what was there before done.
empty_influxd() {
  curl -sf -XPOST "$influxd/query" --data-urlencode 'q=DROP DATABASE telemetry' > /dev/null
  curl -sf -XPOST "$influxd/query" --data-urlencode 'q=CREATE DATABASE telemetry' > /dev/null
  sleep 2
}

curl_batches() { curl -sS --fail -Z --parallel-max 4 -K "$work/curl.conf"; }

# Queued points to a real influxd by our writer, and the same batches, compressed before, by curl: in turns.
bench_timeseries() {
  need influxdb test -x /usr/bin/influxd
  need curl command -v curl
  install_missing
  build_benchmarks
  local points=1200000 result batch ours theirs
  result=$("$benchmarks" encode)
  figure "encoding a point" "$(number ns_per_point <<< "$result")" ns
  row "encoding a point, allocated" "" "" "" "$(number bytes_allocated_per_point <<< "$result")" "bytes" 1
  start_influxd
  mkdir "$work/batches"
  for ((round = 1; round <= rounds; round++)); do
    empty_influxd
    result=$("$benchmarks" points "$influxd" "$points" $( ((round > 1)) || echo "$work/batches"))
    number points_per_second <<< "$result" >> "$work/points.ours"
    number cpu_s_per_million <<< "$result" >> "$work/points.cpu"
    if ((round == 1)); then
      for batch in "$work"/batches/*.gz; do
        printf 'url = "%s/write?db=telemetry&precision=n"\nheader = "Content-Encoding: gzip"\nheader = "Expect:"\ndata-binary = "@%s"\noutput = "/dev/null"\nnext\n' "$influxd" "$batch"
      done | sed '$d' > "$work/curl.conf"
    fi
    empty_influxd
    printf '%.2f\n' "$(ratio "$points" "$(seconds curl_batches)")" >> "$work/points.curl"
  done
  stop_running
  ours=$(sort -n "$work/points.ours" | tail -n 1) theirs=$(sort -n "$work/points.curl" | tail -n 1)
  figure "processor, a million points" "$(least < "$work/points.cpu")" s

  # Of their time ours may take 1 / 0.8.
  row "points written, time against curl" "$ours/s" "curl -Z" "$theirs/s" "$(ratio "$theirs" "$ours")" "x" 1.25
  save timeseries
}

# What one agent costs the network, as the kernel counts it. Without TLS as yet.
bench_wire() {
  scratch=$(mktemp -d /usr/local/share/telemetry-bench.XXXXXX)
  (cd "$scratch" && seq 50 | xargs touch)
  start_sink
  start_fleet wire "$(printf '[health.intervals]\nsystemd_units = "10s"\n')" "$sink"
  run_agent wire
  certify
  sleep 30

  local port seconds=60 before after rate
  port=$(address wire agents) port=${port##*:} port=${port%/}
  before=$(wire "$port")
  sleep "$seconds"
  rate=$(ratio "$(($(wire "$port") - before))" "$seconds")
  row "wire, idle, all probes every 10 s" "$rate B/s" "" "" "$rate" "B/s" 300

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
(($#)) || names=(scan latency idle fleet reevaluate decide timeseries)
for name in "${names[@]}"; do
  case $name in
    scan | latency | idle | wire | fleet | reevaluate | decide | timeseries) ;;
    -h | --help) sed -n '2,9s/^# //p' "$0"; exit 0 ;;
    *) echo "There is no benchmark '$name'; there are: scan, latency, idle, wire, fleet, reevaluate, decide, timeseries." >&2; exit 2 ;;
  esac
done

[[ -x $agent ]] || "$root/deploy/build.sh"
for name in "${names[@]}"; do
  rows=() points=()
  "bench_$name"
done
exit "$failed"
