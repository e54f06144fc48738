# Sourced by quickstart.sh: a scratch tree, what is done to it, and what must be found.

demo_plant() {
  local tree=$1
  mkdir -p "$tree/etc/app" "$tree/bin" "$tree/data/old"
  echo "port = 80" > "$tree/etc/app/app.conf"
  echo "debug = no" > "$tree/etc/app/debug.conf"
  echo "one" > "$tree/data/same-size"
  echo "remove me" > "$tree/data/removed"
  echo "rename me" > "$tree/data/name"
  echo "inside" > "$tree/data/old/inside"
  echo "was a file" > "$tree/data/becomes-directory"
  cp /bin/true "$tree/bin/tool"
  ln -s ../etc/app/app.conf "$tree/data/link"
  head -c 300000 /dev/zero > "$tree/data/big"
}

# What is done, and beside it what must be found: change and path.
demo_tamper() {
  local tree=$1
  echo "port = 8080" > "$tree/etc/app/app.conf";               expect changed etc/app/app.conf
  chmod 4755 "$tree/bin/tool";                                 expect changed bin/tool
  chmod 0600 "$tree/etc/app/debug.conf";                       expect changed etc/app/debug.conf
  rm "$tree/data/removed";                                     expect removed data/removed
  echo "new" > "$tree/etc/app/extra.conf";                     expect added etc/app/extra.conf
  mv "$tree/data/name" "$tree/data/other-name";                expect removed data/name; expect added data/other-name
  mv "$tree/data/old" "$tree/data/moved";                      expect removed data/old; expect removed data/old/inside
                                                               expect added data/moved; expect added data/moved/inside
  ln -sfn /etc/passwd "$tree/data/link";                       expect changed data/link
  printf 'x' | dd of="$tree/data/big" bs=1 seek=200000 conv=notrunc status=none
                                                               expect changed data/big
  rm "$tree/data/becomes-directory"
  mkdir "$tree/data/becomes-directory";                        expect changed data/becomes-directory

  # Same size, and its time put back: only the content tells.
  touch -r "$tree/data/same-size" "$tree/../stamp"
  echo "two" > "$tree/data/same-size"
  touch -r "$tree/../stamp" "$tree/data/same-size";            expect changed data/same-size
}

demo_run() {
  local tree=$1 data=$2 seen=$2/seen expected=$2/expected marker=etc/app/after-everything
  : > "$expected"
  expect() { echo "$1 $tree/$2" >> "$expected"; }

  # "change key" of every deviation that was shown and not closed, as it was shown last. A file that becomes a directory is gone first.
  shown() {
    awk '$3 == "opened" || $3 == "changed" { now[$8] = $5 " " $6 }
         $3 == "closed" { delete now[$8] }
         END { for (id in now) print now[id] }' "$seen"
  }
  has_shown() { shown | grep -qxF "$1"; }
  all_closed() { ctl deviations list --state open --output json | grep -qx '\[\]'; }

  "$bin/telemetryctl" deviations watch --output table "${at[@]}" > "$seen" 2> "$data/watch.log" &
  watch_pid=$!
  wait_for "following deviations" "$watch_pid" "$data/watch.log" grep -q Following "$data/watch.log"

  # A scratch copy of the tree is what it is put back from afterwards.
  cp -a "$tree" "$tree.certified"
  echo ":: Tampering"
  demo_tamper "$tree"
  wait_for "the last change's deviation" "$agent_pid" "$data/agent.log" has_shown "changed $tree/data/same-size"

  # One more change: whatever was found before it has been shown by then.
  echo "last" > "$tree/$marker"; expect added "$marker"
  wait_for "the marker's deviation" "$agent_pid" "$data/agent.log" has_shown "added $tree/$marker"
  cat "$seen"

  local difference
  if ! difference=$(diff <(sort "$expected") <(shown | sort)); then
    echo "$difference" >&2
    die "the demo found something else than was done ('<' was expected and not found, '>' was found and not expected)."
  fi

  echo ":: Putting everything back"
  rm -rf "$tree"
  cp -a "$tree.certified" "$tree"
  wait_for "every deviation to close" "$agent_pid" "$data/agent.log" all_closed
  echo ":: All $(wc -l < "$expected") expected deviations were shown, and no other; all closed when the tree was put back."
}
