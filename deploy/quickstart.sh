#!/usr/bin/env bash
# Drift detection on this machine with one command: builds, starts a collector and an agent, certifies the machine as it
# is now (baseline quickstart:1), and shows every deviation from it until Ctrl-C.
#   --watch DIR…   what to watch (default: /etc /usr/bin /usr/sbin /usr/lib/systemd)
#   --data DIR     all it leaves behind (default: artifacts/quickstart); a second start goes on where the first ended
#   --demo         watches a scratch tree instead, tampers with it, and exits 0 only if exactly that was found
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
data=$root/artifacts/quickstart
watch=(/etc /usr/bin /usr/sbin /usr/lib/systemd)
demo=no
chosen=no

usage() { sed -n '2,6s/^# \{0,1\}//p' "$0"; }
die() { echo "quickstart: $*" >&2; exit 1; }
wrong_usage() { echo "quickstart: $1 See deploy/quickstart.sh --help." >&2; exit 2; }

while (($#)); do
  case $1 in
    --demo) demo=yes; shift ;;
    --data) [[ $# -ge 2 ]] || wrong_usage "--data needs a directory."; data=$2; shift 2 ;;
    --watch)
      shift
      watch=() chosen=yes
      while (($#)) && [[ $1 != --* ]]; do watch+=("$1"); shift; done
      ((${#watch[@]})) || wrong_usage "--watch needs a directory." ;;
    -h | --help) usage; exit 0 ;;
    *) wrong_usage "'$1' is not an option." ;;
  esac
done

[[ $demo == no || $chosen == no ]] || wrong_usage "--demo watches a tree of its own; leave out --watch."

# ---- What the agent wants from the system: without it settings are not parsed, and everything else works

source "$root/deploy/requirements.sh"
need libaugeas0 has_library libaugeas.so.0
need augeas-lenses test -d /usr/share/augeas/lenses/dist
install_missing || echo "quickstart: settings are not parsed." >&2

# ---- Build

bin=${TELEMETRY_BIN:-$root/artifacts/bin}
if [[ -z ${TELEMETRY_BIN:-} ]]; then
  echo ":: Building (a few minutes the first time)"
  mkdir -p "$root/artifacts"
  "$root/deploy/build.sh" "$bin" > "$root/artifacts/quickstart-build.log" 2>&1 || {
    cat "$root/artifacts/quickstart-build.log" >&2
    exit 1
  }
fi

# ---- Where everything lies

if [[ $demo == yes ]]; then
  scratch=$(mktemp -d)
  data=$scratch/data
  watch=("$scratch/tree")
  mkdir -p "$scratch/tree"
fi
mkdir -p "$data"
data=$(cd "$data" && pwd)

address() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$data/collector/addresses.json"; }
is_taken() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }
port() { if is_taken "$1"; then echo 0; else echo "$1"; fi; }

# A list of TOML strings.
toml_list() {
  local item list=""
  for item in "$@"; do
    item=${item//\\/\\\\}
    list+="${list:+, }\"${item//\"/\\\"}\""
  done
  echo "[$list]"
}

collector_pid="" agent_pid="" watch_pid=""
stop() {
  if [[ -n $watch_pid ]]; then
    # Before the collector goes, which it would complain about.
    kill "$watch_pid" 2> /dev/null || true
    wait "$watch_pid" || true
  fi
  [[ -z $agent_pid ]] || kill "$agent_pid" 2> /dev/null || true
  [[ -z $collector_pid ]] || kill "$collector_pid" 2> /dev/null || true
  wait
  [[ $demo == no ]] || rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 130' INT TERM

# Waits for a command to succeed, and gives up when a program it depends on has ended.
wait_for() {
  local what=$1 pid=$2 log=$3
  shift 3
  for ((tries = 0; tries < 1200; tries++)); do
    "$@" && return 0
    kill -0 "$pid" 2> /dev/null || break
    sleep 0.1
  done
  tail -n 5 "$log" >&2
  die "$what did not happen; the whole log is $log"
}

# ---- Collector

if [[ -s $data/collector/addresses.json ]]; then
  running=$(address operators)
  ! is_taken "${running##*:}" || die "one already runs on $data, listening on $running; stop it, or choose another folder with --data."
fi
cat > "$data/collector.toml" << EOF
data_directory = "$data/collector"
[agents]
listen = "127.0.0.1:$(port 7443)"
[operators]
listen = "127.0.0.1:$(port 7080)"
EOF
rm -f "$data/collector/addresses.json"
"$bin/telemetry-collector" serve --config "$data/collector.toml" > "$data/collector.log" 2>&1 &
collector_pid=$!
wait_for "the collector's start" "$collector_pid" "$data/collector.log" test -s "$data/collector/addresses.json"

agents=$(address agents)
server=$(address operators)
at=(--server "$server" --token-file "$data/collector/admin.token")
ctl() { "$bin/telemetryctl" "$@" "${at[@]}"; }

# ---- Agent

if [[ $demo == yes ]]; then
  source "$root/deploy/demo.sh"
  demo_plant "$scratch/tree"
fi
include=()
for dir in "${watch[@]}"; do
  if [[ -d $dir ]]; then
    include+=("$(cd "$dir" && pwd)")
  else
    echo "quickstart: $dir is not a directory; it is not watched." >&2
  fi
done
((${#include[@]})) || die "there is nothing to watch."

cat > "$data/agent.toml" << EOF
collector = "$agents"
state_directory = "$data/agent"
[watch]
include = $(toml_list "${include[@]}")
exclude = $(toml_list "$data")
[scan]
interval = "2s"
EOF
if [[ $demo == yes ]]; then
  # Sockets come and go by themselves, and the demo shows what was done to it and nothing else.
  printf '[system]\nfacts = []\n' >> "$data/agent.toml"
fi
"$bin/telemetry-agent" run --config "$data/agent.toml" > "$data/agent.log" 2>&1 &
agent_pid=$!

# ---- Baseline

instance_field() { ctl instances list --output json | sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" | head -n 1; }
has_head() { [[ -n $(instance_field observed_at) ]]; }

echo ":: Fingerprinting ${include[*]}"
wait_for "the first fingerprint" "$agent_pid" "$data/agent.log" has_head
instance=$(instance_field id)
if ctl baselines list --output json | grep -q '"name": "quickstart"'; then
  echo ":: Comparing with what was certified before, in $data"
else
  ctl baselines capture quickstart:1 --instance "$instance" --output table
fi
ctl baselines bind quickstart --instance "$instance" > "$data/bind.log"

# ---- Show

if [[ $demo == yes ]]; then
  demo_run "$scratch/tree" "$data"
  exit
fi

cat << EOF
:: Watching ${include[*]}
   The collector listens on $server; its token is in $data/collector/admin.token. In another terminal:

     export TELEMETRY_SERVER=$server TELEMETRY_TOKEN=\$(cat $(printf %q "$data")/collector/admin.token)
     $(printf %q "$bin")/telemetryctl instances list
     $(printf %q "$bin")/telemetryctl deviations list --state open

   Change something that is watched, and it shows up here. What was meant to change is certified as the next version:

     $(printf %q "$bin")/telemetryctl baselines capture quickstart:2 --instance $instance
EOF
if ctl deviations list --state open --output json | grep -q '"id"'; then
  echo ":: Open since before (the newest 20)"
  ctl deviations list --state open --output table | head -n 21
fi

# In the background, because a shell that waits for a command in the foreground hears no signal but the terminal's.
"$bin/telemetryctl" deviations watch --output table "${at[@]}" &
watch_pid=$!
wait "$watch_pid"
