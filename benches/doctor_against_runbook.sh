#!/usr/bin/env bash
# Times `flowgate doctor` against the runbook's own commands, in turn, in one run, and prints the
# ratio of the medians. Starts two stand-ins on free ports in a temp dir and ends them, by pid.
# Needs curl, lsof and python3.
#
#   benches/doctor_against_runbook.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-31}
for tool in curl lsof python3; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 2; }
done
cargo build --release --quiet
flowgate=$PWD/target/release/flowgate

box=$(mktemp -d)
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$box"
}
trap cleanup EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
litellm=$(free_port)
proxy=$(free_port)
mkdir -p "$box"/config "$box"/.router/runtime/{bin,pids,process-logs} "$box"/.router/{auths,secrets}
chmod 700 "$box"/.router/{auths,secrets}
ln -s "$flowgate" "$box/.router/runtime/bin/litellm"
ln -s "$flowgate" "$box/.router/runtime/bin/CLIProxyAPIPlus"

cat > "$box/config/cliproxyapi.yaml" <<YAML
host: 127.0.0.1
port: $proxy
auth-dir: ./.router/auths
api-keys: [sk-bench-upstream-0001]
YAML
cat > "$box/.router/runtime/litellm.active.yaml" <<YAML
model_list:
  - model_name: gpt-5
    litellm_params:
      model: openai/gpt-5
      api_base: http://127.0.0.1:$proxy/v1
      api_key: sk-bench-upstream-0001
general_settings:
  master_key: sk-bench-master-0001
YAML
printf '{"type":"codex","access_token":"at-bench-0001","refresh_token":"rt-bench-0001","expired":"2099-01-01T00:00:00Z"}' \
  > "$box/.router/auths/codex-bench.json"
printf 'bench-management-0001' > "$box/.router/secrets/management.key"
cat > "$box/config/flowgate.yaml" <<YAML
paths:
  runtime_dir: ../.router/runtime
  active_config: ../.router/runtime/litellm.active.yaml
  state_file: ../.router/runtime/state.json
  log_file: ../.router/runtime/events.log
services:
  litellm:
    port: $litellm
    readiness_path: /health/readiness
    command:
      cwd: ..
      args: [.router/runtime/bin/litellm, standin, litellm, --config, .router/runtime/litellm.active.yaml, --host, 127.0.0.1, --port, "$litellm"]
  cliproxyapi_plus:
    port: $proxy
    readiness_path: /
    command:
      cwd: ..
      args: [.router/runtime/bin/CLIProxyAPIPlus, standin, cliproxyapi, -config, config/cliproxyapi.yaml]
litellm_base: {}
profiles:
  balanced: {}
YAML
find "$box" -type f -exec chmod 600 {} +

start() { # NAME COMMAND...
  local name=$1
  shift
  (cd "$box" && MANAGEMENT_PASSWORD=bench-management-0001 exec "$@") > "$box/.router/runtime/process-logs/$name.log" 2>&1 &
  pids+=($!)
  echo $! > "$box/.router/runtime/pids/$name.pid"
}
start cliproxyapi_plus .router/runtime/bin/CLIProxyAPIPlus standin cliproxyapi -config config/cliproxyapi.yaml
start litellm .router/runtime/bin/litellm standin litellm --config .router/runtime/litellm.active.yaml --host 127.0.0.1 --port "$litellm"
for url in "http://127.0.0.1:$proxy/" "http://127.0.0.1:$litellm/health/readiness"; do
  curl -fs -o /dev/null --retry 100 --retry-delay 0 --retry-connrefused --retry-max-time 20 "$url"
done

# Runbook sections 1, 3, 4 and 5 as they are typed, with the keys that the answers need.
runbook() {
  lsof -nP -iTCP:"$litellm" -sTCP:LISTEN
  lsof -nP -iTCP:"$proxy" -sTCP:LISTEN
  ls -l "$box/.router/auths"
  ls -l "$box/.router/runtime/bin"
  curl -is -H 'Authorization: Bearer sk-bench-master-0001' "http://127.0.0.1:$litellm/v1/models"
  curl -is -H 'Authorization: Bearer sk-bench-upstream-0001' "http://127.0.0.1:$proxy/v1/models"
  tail -n 50 "$box"/.router/runtime/process-logs/litellm.log
  tail -n 50 "$box"/.router/runtime/process-logs/cliproxyapi_plus.log
}
doctor() { "$flowgate" --config "$box/config/flowgate.yaml" doctor; }

time_into() { # FILE FUNCTION
  local begun ended
  begun=$(date +%s%N)
  "$2" > "$box/out" 2>&1 || true
  ended=$(date +%s%N)
  echo $(((ended - begun) / 1000)) >> "$1"
}
for _ in $(seq "$rounds"); do
  time_into "$box/runbook.us" runbook
  time_into "$box/doctor.us" doctor
done
"$flowgate" --config "$box/config/flowgate.yaml" doctor --json > "$box/last.json" || true

python3 - "$box" "$flowgate" <<'PY'
import json, resource, statistics, subprocess, sys
box, flowgate = sys.argv[1:]
ms = {name: sorted(int(line) / 1000 for line in open(f"{box}/{name}.us")) for name in ("runbook", "doctor")}
for name, times in ms.items():
    print(f"{name:8} median {statistics.median(times):6.1f} ms   best {times[0]:6.1f}   worst {times[-1]:6.1f}   n={len(times)}")
print(f"ratio    {statistics.median(ms['runbook']) / statistics.median(ms['doctor']):.1f} times as fast as the runbook's commands")
last = json.load(open(f"{box}/last.json"))
slow = sorted(last["timings"], key=lambda row: -row["ms"])[:4]
print(f"inside   exit {last['exitCode']}, {last['durationMs']} ms; slowest probes:", ", ".join(f"{row['probe']} {row['ms']} ms" for row in slow))
subprocess.run([flowgate, "--config", f"{box}/config/flowgate.yaml", "doctor", "--json"], stdout=subprocess.DEVNULL)
print(f"memory   {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB at most")
PY
