#!/usr/bin/env bash
# Times the start of `flowgate --version` against /bin/true, in turn, in one run, and prints the
# ratio of the medians and the size of the binary. Needs python3.
#
#   benches/startup.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-501}
command -v python3 >/dev/null || { echo "needs python3" >&2; exit 2; }
cargo build --release --quiet

python3 - "$PWD/target/release/flowgate" "$rounds" <<'PY'
import os, statistics, sys, time
flowgate, rounds = sys.argv[1], int(sys.argv[2])
null = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]

def once(argv):
    begun = time.perf_counter_ns()
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=null)
    _, status = os.waitpid(pid, 0)
    took = time.perf_counter_ns() - begun
    assert status == 0, argv
    return took / 1e6

commands = {"true": ["/bin/true"], "flowgate": [flowgate, "--version"]}
ms = {name: [] for name in commands}
for _ in range(rounds):
    for name, argv in commands.items():
        ms[name].append(once(argv))
for name, times in ms.items():
    times.sort()
    print(f"{name:8} median {statistics.median(times):5.2f} ms   best {times[0]:5.2f}   n={len(times)}")
print(f"ratio    {statistics.median(ms['flowgate']) / statistics.median(ms['true']):.2f} times /bin/true")
print(f"size     {os.path.getsize(flowgate) / 1e6:.2f} MB")
PY
