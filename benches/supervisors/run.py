#!/usr/bin/env python3
"""flowgate's supervisor against runit, s6 and daemontools, in one interleaved run.

    benches/supervisors/run.py RAW.json [ROUNDS] [LINES]

One tiny C child (child.c) that stamps the clocks at main() and when it listens. In each round every
supervisor in turn, in an order that moves on by one each round, starts it and is asked whether it
runs; when all have been up for 1.6 s each has its child killed with SIGKILL; then flowgate itself is
killed, started again, and has to answer the death of the child that it took up. At the end: what each
does when its own process is killed, memory and wake-ups with two services idle, and LINES numbered
lines through the log of a service, in bursts at full speed. Raw figures go to RAW.json, a table to
stdout.

Needs cc and a release build of flowgate (or FLOWGATE=its path); apt-get install runit s6 daemontools.
A supervisor that is missing is said and left out. Uses free ports on loopback and a temp dir; ends by pid what it started.
"""

import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FLOWGATE = Path(os.environ.get("FLOWGATE", ROOT / "target/release/flowgate"))
UP = 1.6
# Bursts at full speed, as long as the log may be, with room between them for the one that compares:
# a reader that is slower than the writer by more than a rotation hears that it missed some.
BURST = 100_000
LINE = "%.0f " + "of a line as long as those of a program that says what it does and why " + "x" * 16
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def ms(ns):
    return ns / 1e6


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(what, condition, seconds=20):
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise SystemExit(f"waited in vain for {what}")
        time.sleep(0.0005)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] not in "ZX"
    except OSError:
        return False


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


class Supervised:
    """A child under one supervisor."""

    def __init__(self, box):
        self.box = box / self.name
        self.box.mkdir()
        self.stamps = self.box / "stamps"
        self.port = free_port()
        self.seen = 0

    def stamp(self, what, after=0):
        """The first stamp of this kind since the last mark."""
        try:
            lines = self.stamps.read_text()[self.seen :].splitlines()
        except FileNotFoundError:
            return None
        for line in lines:
            kind, monotonic, real, pid = line.split()
            if kind == what and int(monotonic) >= after:
                return {"monotonic": int(monotonic), "real": int(real), "pid": int(pid)}
        return None

    def mark(self):
        self.seen = self.stamps.stat().st_size if self.stamps.exists() else 0

    def warm_start(self):
        self.mark()
        begun = now()
        subprocess.run(self.start_command(), check=True, **QUIET)
        returned = now()
        main = wait_for("main", lambda: self.stamp("main"))
        listen = wait_for("listen", lambda: self.stamp("listen"))
        self.child = main["pid"]
        self.listen = listen
        return {
            "warm_to_exec": ms(main["monotonic"] - begun),
            "warm_returned": ms(returned - begun),
            "returned_after_listen": ms(returned - listen["monotonic"]),
        }

    def crash(self):
        self.mark()
        begun = now()
        os.kill(self.child, signal.SIGKILL)
        main = wait_for("the next main", lambda: self.stamp("main", begun))
        self.child = main["pid"]
        return ms(main["monotonic"] - begun)

    def stop(self):
        subprocess.run(self.stop_command(), check=True, **QUIET)
        wait_for("the stop", lambda: not is_alive(self.child))

    def second_copy(self):
        """Kills the process that supervises the child; whether another copy was started beside it."""
        (Path(self.service) / "down").unlink()
        self.warm_start()
        time.sleep(UP)
        keeper = int(Path(f"/proc/{self.child}/stat").read_text().rsplit(") ", 1)[1].split()[1])
        self.mark()
        os.kill(keeper, signal.SIGKILL)
        # runsvdir looks every five seconds.
        time.sleep(7)
        first, copy = self.child, self.stamp("main")
        lived = is_alive(first)
        if lived:
            os.kill(first, signal.SIGKILL)
        self.forget()
        return {"child_lived": lived, "second_copy": copy is not None}

    def forget(self):
        """After its keeper was killed the child that runs now is another one."""
        write(Path(self.service) / "down", "")
        subprocess.run(self.stop_command(), check=False, **QUIET)
        time.sleep(1.5)
        for line in self.stamps.read_text().splitlines():
            pid = int(line.split()[3])
            if is_alive(pid) and b"stamps" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)

    def idle_pids(self):
        """The supervisor and all below it but the child."""
        pids, todo = [], [self.root.pid]
        while todo:
            pid = todo.pop()
            pids.append(pid)
            for task in Path(f"/proc/{pid}/task").iterdir():
                todo += [int(one) for one in (task / "children").read_text().split()]
        children = {str(CHILD)}
        return [pid for pid in pids if os.readlink(f"/proc/{pid}/exe") not in children]

    def end(self):
        self.root.send_signal(self.end_signal)
        self.root.wait()


class Classic(Supervised):
    """runit, s6 and daemontools: a folder with a script each, a logger beside it."""

    end_signal = signal.SIGTERM
    notify = ""

    def __init__(self, box):
        super().__init__(box)
        for name in ("bench", "other"):
            port = self.port if name == "bench" else free_port()
            stamps = self.stamps if name == "bench" else self.box / "others"
            service = self.box / "scan" / name
            write(service / "run", f"#!/bin/sh\nexec {CHILD} {stamps} {port}{self.notify}\n", 0o755)
            write(service / "log/run", f"#!/bin/sh\nexec {self.logger} {self.box}/{name}.log\n", 0o755)
            write(service / "down", "")
            if self.notify:
                write(service / "notification-fd", "3\n")
            (self.box / f"{name}.log").mkdir()
        self.service = str(self.box / "scan" / "bench")
        self.root = subprocess.Popen(self.scan(), cwd=self.box, start_new_session=True, **QUIET)
        wait_for(self.name, self.is_there)
        time.sleep(2)

    def scan(self):
        return [self.scanner, str(self.box / "scan")]

    def is_there(self):
        return (self.box / "scan/other/supervise/control").exists()

    def start_other(self):
        subprocess.run([*self.start_command()[:-1], str(self.box / "scan/other")], check=True, **QUIET)

    def end(self):
        for name in ("bench", "other"):
            subprocess.run([*self.exit_command, str(self.box / "scan" / name)], check=False, **QUIET)
        super().end()
        time.sleep(0.5)
        for pid in [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if is_alive(pid)]:
            try:
                if os.readlink(f"/proc/{pid}/cwd").startswith(str(self.box)):
                    os.kill(pid, signal.SIGKILL)
            except OSError:
                pass


class Runit(Classic):
    name, scanner, logger, end_signal = "runit", "runsvdir", "svlogd", signal.SIGHUP
    exit_command = ["sv", "force-shutdown"]

    def start_command(self):
        return ["sv", "start", self.service]

    def stop_command(self):
        return ["sv", "force-stop", self.service]


class S6(Classic):
    name, scanner, logger, notify = "s6", "s6-svscan", "s6-log", " 3"
    exit_command = ["s6-svc", "-xd"]

    def start_command(self):
        return ["s6-svc", "-uwU", self.service]

    def stop_command(self):
        return ["s6-svc", "-dwD", self.service]


class Daemontools(Classic):
    name, scanner, logger = "daemontools", "svscan", "multilog"
    exit_command = ["svc", "-dx"]

    def start_command(self):
        return ["svc", "-u", self.service]

    def stop_command(self):
        return ["svc", "-d", self.service]


class Flowgate(Supervised):
    name = "flowgate"
    end_signal = signal.SIGTERM

    def __init__(self, box):
        super().__init__(box)
        litellm, proxy = free_port(), free_port()
        write(self.box / "active.yaml", "model_list: []\ngeneral_settings: {master_key: sk-bench-0001}\n", 0o600)
        write(self.box / "proxy.yaml", f"host: 127.0.0.1\nport: {proxy}\nauth-dir: ./auths\napi-keys: [k]\n", 0o600)
        (self.box / "auths").mkdir()
        write(
            self.box / "bulk.sh",
            f"""for burst in $(seq 0 {LINES // BURST - 1}); do
  seq -f '{LINE}' $((burst * {BURST} + 1)) $((burst * {BURST} + {BURST}))
  sleep 0.15
done
exec sleep 3600
""",
        )
        write(
            self.box / "config/flowgate.yaml",
            f"""config_version: 2
paths: {{runtime_dir: ../run, active_config: ../active.yaml, state_file: ../state.json, log_file: ../events.log}}
services:
  litellm:
    port: {litellm}
    readiness_path: /health
    command: {{cwd: .., args: [{FLOWGATE}, standin, litellm, --config, active.yaml]}}
  cliproxyapi_plus:
    port: {proxy}
    readiness_path: /v1/models
    command: {{cwd: .., args: [{FLOWGATE}, standin, cliproxyapi, -config, proxy.yaml]}}
  bench:
    port: {self.port}
    readiness_path: /
    command: {{cwd: .., args: [{CHILD}, {self.stamps}, "{self.port}"]}}
  bulk:
    command: {{cwd: .., args: [sh, bulk.sh]}}
litellm_base: {{}}
profiles: {{p: {{}}}}
""",
        )
        self.run("service", "start", "bench")
        self.run("service", "stop", "bench")

    def argv(self, *args):
        return [str(FLOWGATE), "--config", str(self.box / "config/flowgate.yaml"), *args]

    def run(self, *args):
        subprocess.run(self.argv(*args), check=True, **QUIET)

    def start_command(self):
        return self.argv("service", "start", "bench")

    def stop_command(self):
        return self.argv("service", "stop", "bench")

    def supervisor(self):
        return json.loads((self.box / "run/supervisor/supervisor.lock").read_text())["pid"]

    def readiness_lag(self):
        """From listen to what the supervisor noted as the moment of readiness."""
        history = (self.box / "run/supervisor/bench.history.jsonl").read_text().splitlines()
        ready = [json.loads(line)["at"] for line in history if '"kind":"ready"' in line][-1]
        whole, _, rest = ready.rstrip("Z").partition(".")
        seconds = time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - time.timezone
        return ms(int(seconds) * 10**9 + int(rest.ljust(9, "0")[:9] or 0) - self.listen["real"])

    def adopt(self):
        """Kills the supervisor; how long a command takes that starts the next one and hears of the child."""
        before = self.child
        pid = self.supervisor()
        os.kill(pid, signal.SIGKILL)
        wait_for("the end", lambda: not is_alive(pid))
        self.mark()
        begun = now()
        said = subprocess.run(self.start_command(), check=True, capture_output=True, text=True).stdout
        took = ms(now() - begun)
        assert f"pid={before}" in said and is_alive(before) and self.stamp("main") is None, said
        assert self.supervisor() != pid
        return took

    def idle_pids(self):
        return [self.supervisor()]

    def start_other(self):
        self.run("service", "stop", "bench")
        self.run("service", "start", "litellm")
        self.run("service", "start", "cliproxyapi_plus")

    def bulk(self):
        """Every line of a writer in bursts at full speed, once and in order, through rotations."""
        follower = subprocess.Popen(
            self.argv("service", "logs", "bulk", "-f", "-n", "0"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        starting = subprocess.Popen(self.argv("service", "start", "bulk"), **QUIET)
        expected = subprocess.Popen(["seq", "-f", LINE, "1", str(LINES)], stdout=subprocess.PIPE)
        begun, compared, copies, is_same = time.monotonic(), 0, set(), True
        while is_same and (wanted := expected.stdout.read(1 << 20)):
            got = follower.stdout.read(len(wanted))
            is_same = got == wanted
            compared += got.count(b"\n")
            try:
                copies.add(os.stat(self.box / "run/process-logs/bulk.log.1").st_ino)
            except FileNotFoundError:
                pass
        starting.wait()
        expected.kill()
        took = time.monotonic() - begun
        log = self.box / "run/process-logs/bulk.log"
        time.sleep(6)
        facts, copy = log.stat(), Path(f"{log}.1")
        follower.kill()
        said = follower.communicate()[1].decode()
        self.run("service", "stop", "bulk")
        return {
            "lines": compared, "same": is_same, "seconds": took,
            "copies_seen_while_written": len(copies), "follower_said": said,
            "log_length": facts.st_size, "log_on_disk": facts.st_blocks * 512, "copy": copy.stat().st_size if copy.exists() else 0,
        }

    def end(self):
        self.run("service", "stop", "all")
        os.kill(self.supervisor(), signal.SIGTERM)


def idle(system, seconds=30):
    """Memory and wake-ups of all processes of a supervisor, with two services that rest."""
    pids = system.idle_pids()

    def switches():
        count = 0
        for pid in pids:
            for task in Path(f"/proc/{pid}/task").iterdir():
                for line in (task / "status").read_text().splitlines():
                    if line.startswith("voluntary_ctxt_switches"):
                        count += int(line.split()[1])
        return count

    def ticks():
        fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split() for pid in pids]
        return sum(int(one[11]) + int(one[12]) for one in fields)

    before, cpu = switches(), ticks()
    time.sleep(seconds)
    woken, cpu = (switches() - before) / seconds, ticks() - cpu
    pss = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                pss += int(line.split()[1])
    return {"processes": len(pids), "pss_kib": pss, "wakeups_per_second": woken,
            "cpu_ms_per_30s": cpu * 1000 / os.sysconf("SC_CLK_TCK") * 30 / seconds}


def summary(values):
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return {"n": len(ordered), "median": statistics.median(ordered), "p95": p95,
            "min": ordered[0], "max": ordered[-1]}


def main():
    global LINES, CHILD
    raw = Path(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    LINES = int(sys.argv[3]) if len(sys.argv) > 3 else 10_000_000
    if not FLOWGATE.exists():
        raise SystemExit("needs cargo build --release")
    box = Path(tempfile.mkdtemp(prefix="flowgate-bench-"))
    CHILD = box / "child"
    subprocess.run(["cc", "-O2", "-o", str(CHILD), str(HERE / "child.c")], check=True)
    systems = []
    result = {"machine": f"{platform.machine()} Linux {platform.release()}, {os.cpu_count()} cores",
              "load_at_begin": os.getloadavg(), "rounds": rounds, "samples": {}}
    try:
        for kind in (Flowgate, Runit, S6, Daemontools):
            if kind is not Flowgate and not shutil.which(kind.scanner):
                print(f"{kind.name} is missing: apt-get install {kind.name}", file=sys.stderr)
                continue
            systems.append(kind(box))
        samples = {system.name: {} for system in systems}

        def note(system, name, value):
            samples[system.name].setdefault(name, []).append(value)

        for number in range(rounds):
            turn = systems[number % len(systems) :] + systems[: number % len(systems)]
            for system in turn:
                for name, value in system.warm_start().items():
                    note(system, name, value)
                if isinstance(system, Flowgate):
                    note(system, "readiness_lag", system.readiness_lag())
            time.sleep(UP)
            for system in turn:
                note(system, "crash_to_exec", system.crash())
            flowgate = systems[0]
            # As if a person had started it, so that the next crash is a first one again.
            flowgate.stop()
            flowgate.warm_start()
            time.sleep(UP)
            note(flowgate, "adopt", flowgate.adopt())
            time.sleep(0.3)
            note(flowgate, "adopted_crash_to_exec", flowgate.crash())
            for system in turn:
                system.stop()
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
        result["samples"] = samples
        result["load_at_end"] = os.getloadavg()
        result["keeper_killed"] = {
            system.name: [system.second_copy() for _ in range(3)] for system in systems[1:]
        }
        result["bulk"] = systems[0].bulk()
        result["idle"] = {}
        for system in systems:
            if isinstance(system, Classic):
                system.end()
                fresh = type(system)(Path(tempfile.mkdtemp(dir=box)))
                systems[systems.index(system)] = system = fresh
                system.warm_start()
            system.start_other()
        time.sleep(12)
        for system in systems:
            result["idle"][system.name] = idle(system)
    finally:
        for system in systems:
            system.end()
        raw.write_text(json.dumps(result, indent=1))
        shutil.rmtree(box, ignore_errors=True)
    print("| ms | " + " | ".join(["system", "n", "median", "p95", "min", "max"]) + " |")
    for name in ("crash_to_exec", "warm_to_exec", "warm_returned", "returned_after_listen",
                 "readiness_lag", "adopt", "adopted_crash_to_exec"):
        for system in samples:
            if name in samples[system]:
                s = summary(samples[system][name])
                print(f"| {name} | {system} | {s['n']} | {s['median']:.2f} | {s['p95']:.2f} | {s['min']:.2f} | {s['max']:.2f} |")
    for part in ("keeper_killed", "bulk", "idle"):
        print(part, json.dumps(result[part]))
    print(f"load {result['load_at_begin']} to {result['load_at_end']}")


main()
