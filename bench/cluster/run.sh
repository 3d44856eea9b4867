#!/usr/bin/env bash
# Puts and linearizable gets of three real servers on this machine, beside three of etcd.
#
# Needs Debian's packages etcd-server and wrk, and `cargo build --release -p raftarium`. Writes a
# table to standard output. Both systems sync each write to the same disk and are asked over
# HTTP/1.1 at the server that leads; etcd by its JSON gateway, the only way that speaks HTTP, which
# costs it more than gRPC would.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-8}
folder=$(mktemp -d)
pids=()
stop() {
  target/release/raftarium cluster stop --data "$folder/raftarium" >/dev/null 2>&1 || true
  for pid in "${pids[@]:-}"; do [ -n "$pid" ] && kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT

peers=""
for n in 1 2 3; do peers+="e$n=http://127.0.0.1:$((23800 + n)),"; done
for n in 1 2 3; do
  etcd --name "e$n" --data-dir "$folder/e$n" --log-level error \
    --listen-client-urls "http://127.0.0.1:$((23900 + n))" --advertise-client-urls "http://127.0.0.1:$((23900 + n))" \
    --listen-peer-urls "http://127.0.0.1:$((23800 + n))" --initial-advertise-peer-urls "http://127.0.0.1:$((23800 + n))" \
    --initial-cluster "${peers%,}" --initial-cluster-token bench --heartbeat-interval 100 --election-timeout 1000 \
    >"$folder/e$n.log" 2>&1 &
  pids+=($!)
done
target/release/raftarium cluster start --data "$folder/raftarium" --port 24101 >/dev/null

# The server that leads.
etcd_leader() {
  for n in 1 2 3; do
    status=$(curl -s -m 2 -X POST "http://127.0.0.1:$((23900 + n))/v3/maintenance/status" -d '{}') || continue
    member=$(grep -o '"member_id":"[0-9]*"' <<<"$status" | grep -o '[0-9]*') || continue
    leader=$(grep -o '"leader":"[0-9]*"' <<<"$status" | grep -o '[0-9]*') || continue
    [ "$member" = "$leader" ] && { echo "127.0.0.1:$((23900 + n))"; return; }
  done
  return 1
}
raftarium_leader() {
  for n in 1 2 3; do
    curl -s -m 2 "http://127.0.0.1:$((24100 + n))/status" | grep -q '"role":"leader"' && { echo "127.0.0.1:$((24100 + n))"; return; }
  done
  return 1
}
until etcd_leader >/dev/null && raftarium_leader >/dev/null; do sleep 0.2; done

one() { # system operation connections
  local address
  address=$("$1_leader")
  local threads=2
  [ "$3" -lt 2 ] && threads=1
  wrk -t "$threads" -c "$3" -d "${seconds}s" --latency -s bench/cluster/requests.lua "http://$address" -- "$1" "$2" |
    awk '/Requests\/sec/ { rate = $2 } / 50%/ { median = $2 } / 99%/ { high = $2 } /Non-2xx/ { bad = $NF }
      END { printf "%s | %s | %s%s", rate, median, high, bad ? " (" bad " refused)" : "" }'
}

echo "| | connections | system | requests/s | median | 99 % |"
echo "| --- | --- | --- | --- | --- | --- |"
for operation in put get; do
  for connections in 1 64 256; do
    for system in raftarium etcd raftarium etcd; do
      echo "| $operation | $connections | $system | $(one "$system" "$operation" "$connections") |"
    done
  done
done
