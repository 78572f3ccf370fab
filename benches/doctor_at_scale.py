#!/usr/bin/env python3
"""Measures `flowgate doctor` on a machine that is full: wall time and peak memory (VmHWM).

10,000 listening sockets, 500 processes, a log of 1 GiB, 2,000 token files, a LiteLLM config of
1 MiB (the largest that is read) and one of 5 MiB; each alone and all together, in a temp dir and,
where `unshare` gives one, a network of its own. Nothing but what it started is ended.

    benches/doctor_at_scale.py [FLOWGATE [ROUNDS]]

FLOWGATE is the program, by default target/release/flowgate. The limits are those of the doctor: 5 s
for one look, 50 MiB. Exits 1 when one is passed.
"""
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIMIT_SECONDS, LIMIT_MIB = 5.0, 50.0
MIB = 1 << 20
INSIDE = "FLOWGATE_BENCH_OWN_NETWORK"


def enter_network():
    """Becomes itself in a network of its own, where 10,000 ports are nobody's."""
    if os.environ.get(INSIDE):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    for flags in (["--net"], ["--map-root-user", "--net"]):
        if subprocess.run(["unshare", *flags, "true"], stderr=subprocess.DEVNULL).returncode == 0:
            os.execvpe("unshare", ["unshare", *flags, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})
    print("NOT ISOLATED: unshare gives no network of its own", file=sys.stderr)


class Gateway:
    """A sound gateway of two stand-ins, and what is put beside them."""

    def __init__(self, flowgate):
        self.flowgate, self.processes, self.sockets = flowgate, [], []
        self.box = tempfile.mkdtemp(prefix="flowgate-scale-")
        os.chmod(self.box, 0o755)
        self.ports = {name: free_port() for name in ("litellm", "cliproxyapi_plus")}
        self.write_files()
        self.start("cliproxyapi_plus", "standin", "cliproxyapi", "-config", "config/cliproxyapi.yaml")
        self.start("litellm", "standin", "litellm", "--config", ".router/runtime/litellm.active.yaml",
                   "--host", "127.0.0.1", "--port", str(self.ports["litellm"]))
        for port in self.ports.values():
            wait_for(lambda: is_listening(port))

    def path(self, below):
        return os.path.join(self.box, below)

    def write(self, below, text, mode=0o600):
        path = self.path(below)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)

    def write_files(self):
        litellm, proxy = self.ports["litellm"], self.ports["cliproxyapi_plus"]
        for program in ("litellm", "CLIProxyAPIPlus"):
            os.makedirs(self.path(".router/runtime/bin"), exist_ok=True)
            os.symlink(self.flowgate, self.path(f".router/runtime/bin/{program}"))
        self.write("config/cliproxyapi.yaml", f"host: 127.0.0.1\nport: {proxy}\nauth-dir: ./.router/auths\n"
                   "api-keys: [sk-bench-upstream-0001]\n")
        self.litellm_config(0)
        self.write("config/flowgate.yaml", f"""\
paths:
  runtime_dir: ../.router/runtime
  active_config: ../.router/runtime/litellm.active.yaml
  state_file: ../.router/runtime/state.json
  log_file: ../.router/runtime/events.log
services:
  litellm:
    port: {litellm}
    readiness_path: /health/readiness
    command:
      cwd: ..
      args: [.router/runtime/bin/litellm, standin, litellm, --config, .router/runtime/litellm.active.yaml, --host, 127.0.0.1, --port, "{litellm}"]
  cliproxyapi_plus:
    port: {proxy}
    readiness_path: /
    command:
      cwd: ..
      args: [.router/runtime/bin/CLIProxyAPIPlus, standin, cliproxyapi, -config, config/cliproxyapi.yaml]
litellm_base: {{}}
profiles:
  balanced: {{}}
""")
        self.token(0)
        os.chmod(self.path(".router/auths"), 0o700)

    def litellm_config(self, size):
        """At least `size` bytes of deployments."""
        proxy = self.ports["cliproxyapi_plus"]
        head = "general_settings:\n  master_key: sk-bench-master-0001\nmodel_list:\n"
        entries, length, number = [], len(head), 0
        while not entries or length < size:
            name = "gpt-5" if number == 0 else f"gpt-5-copy-{number:06d}"
            entry = (f"  - model_name: {name}\n    litellm_params:\n      model: openai/gpt-5\n"
                     f"      api_base: http://127.0.0.1:{proxy}/v1\n      api_key: sk-bench-upstream-0001\n")
            if size and length + len(entry) > size and size <= MIB:
                break
            entries.append(entry)
            length, number = length + len(entry), number + 1
        self.write(".router/runtime/litellm.active.yaml", head + "".join(entries))

    def token(self, number):
        self.write(f".router/auths/codex-{number:04d}.json", json.dumps({
            "type": "codex", "email": f"u{number}@example.com", "access_token": f"at-bench-{number:08d}",
            "refresh_token": f"rt-bench-{number:08d}", "expired": "2099-01-01T00:00:00Z"}))

    def start(self, name, *args):
        program = "litellm" if name == "litellm" else "CLIProxyAPIPlus"
        log = self.path(f".router/runtime/process-logs/{name}.log")
        os.makedirs(os.path.dirname(log), exist_ok=True)
        with open(log, "ab") as out:
            process = subprocess.Popen([self.path(f".router/runtime/bin/{program}"), *args], cwd=self.box,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        self.processes.append(process)
        self.write(f".router/runtime/pids/{name}.pid", str(process.pid), 0o644)

    def look(self):
        """Wall seconds, peak MiB and the document of one look."""
        begun = time.monotonic()
        process = subprocess.Popen([self.flowgate, "doctor", "--json"], cwd=self.box, stdout=subprocess.PIPE,
                                   env={"PATH": os.environ["PATH"], "HOME": self.box})
        out = process.stdout.read()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        return time.monotonic() - begun, usage.ru_maxrss / 1024, json.loads(out)

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()
        for one in self.sockets:
            one.close()
        shutil.rmtree(self.box)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def is_listening(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def wait_for(is_met, seconds=20):
    end = time.monotonic() + seconds
    while not is_met():
        if time.monotonic() > end:
            raise TimeoutError("waited in vain")
        time.sleep(0.01)


def sockets(gateway):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = 10_100
    if limit != resource.RLIM_INFINITY and limit < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    else:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, limit))
    for number in range(10_000):
        one = socket.socket()
        one.bind((f"127.77.{number // 250}.{number % 250 + 1}", 19_999))
        one.listen(1)
        gateway.sockets.append(one)


def processes(gateway):
    for number in range(500):
        name = "litellm" if number % 10 == 0 else "sleep"
        gateway.processes.append(subprocess.Popen(["sleep", "infinity"] if name == "sleep" else
                                                  ["bash", "-c", f"exec -a {name} sleep infinity"]))


def log(gateway):
    line = b'INFO:     127.0.0.1:50000 - "POST /v1/chat/completions HTTP/1.1" 200 OK\n'
    block = line * (MIB // len(line))
    with open(gateway.path(".router/runtime/process-logs/litellm.log"), "ab") as file:
        while file.tell() < 1024 * MIB:
            file.write(block)


def tokens(gateway):
    for number in range(1, 2000):
        gateway.token(number)


def config_read(gateway):
    gateway.litellm_config(MIB)


def config_large(gateway):
    gateway.litellm_config(5 * MIB)


CASES = [
    ("nothing beside it", []),
    ("10,000 listening sockets", [sockets]),
    ("500 processes", [processes]),
    ("a log of 1 GiB", [log]),
    ("2,000 token files", [tokens]),
    ("a config of 1 MiB", [config_read]),
    ("a config of 5 MiB", [config_large]),
    ("all, the config of 1 MiB", [sockets, processes, log, tokens, config_read]),
    ("all, the config of 5 MiB", [sockets, processes, log, tokens, config_large]),
]


def main():
    flowgate = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "target/release/flowgate"))
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    enter_network()
    is_over = False
    print("| | wall ms, median | wall ms, most | peak MiB | roots, unknowns |\n|---|---|---|---|---|")
    for name, steps in CASES:
        gateway = Gateway(flowgate)
        try:
            for step in steps:
                step(gateway)
            looks = [gateway.look() for _ in range(rounds)]
        finally:
            gateway.end()
        walls = sorted(wall for wall, _, _ in looks)
        peak = max(memory for _, memory, _ in looks)
        document = looks[-1][2]
        roots = [one["key"] for one in document["findings"] if not one["causedBy"] and one["severity"] != "info"]
        unknowns = [one["what"] for one in document["unknowns"] if not one["optional"]]
        is_over = is_over or walls[-1] > LIMIT_SECONDS or peak > LIMIT_MIB
        print(f"| {name} | {walls[len(walls) // 2] * 1000:.0f} | {walls[-1] * 1000:.0f} | {peak:.0f} | "
              f"{', '.join(roots + unknowns) or '–'} |", flush=True)
        slow = sorted(document["timings"], key=lambda row: -row["ms"])[:3]
        print("  slowest:", ", ".join(f"{row['probe']} {row['ms']} ms" for row in slow), file=sys.stderr)
    return 1 if is_over else 0


if __name__ == "__main__":
    sys.exit(main())
