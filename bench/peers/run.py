#!/usr/bin/python3
"""run.py [TASK ...]: ask popsim and whatever peers this machine has the same questions (see questions.py), in turns on one
core, and print Markdown tables: processor time, the ratio to popsim, and the error. Times are those of the whole program from
start to exit for popsim, and of the simulation alone, without compilation, set-up and files, for the peers. Processor time is
taken because seconds of work find no undisturbed moment on a shared machine.

Debian has the peers: apt-get install python3-brian python3-numba python3-neuron gcc. What is missing is left out.
Environment: CORE, the core to stay on (default the last one allowed); ROUNDS (default 3).
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

import questions as q

HERE = os.path.dirname(os.path.abspath(__file__))
CORE = os.environ.get("CORE", str(max(os.sched_getaffinity(0))))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
DIR = tempfile.mkdtemp()
POPSIM = os.path.join(DIR, "popsim")
SETS = {  # parameters and initial state of a question, for popsim
    "adex": ["adex", "V0=-65", "w0=0"],
    "hh": ["hh"] + [f"{x}0={y!r}" for x, y in q.HH_START.items()],
}


def run(command, cores=CORE):
    """Run a program; what it printed, or None if it failed, its seconds of processor time, and those from start to exit."""
    usage, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(["taskset", "-c", cores] + command, cwd=HERE, capture_output=True, text=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - usage.ru_utime - usage.ru_stime
    if done.returncode != 0:
        print(f"run.py: {' '.join(command)}: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return None, cpu, wall
    return done.stdout, cpu, wall


def popsim(task, method, dt):
    """A population under popsim, with all spikes written to a file."""
    np.save(f"{DIR}/I.npy", q.currents())
    text, cpu, _ = run([POPSIM, "run"] + SETS[task] + [
        f"I=@{DIR}/I.npy", "--method", method, "--dt", str(dt), "--time", f"{q.TASKS[task]['time']}ms", "--workers", "1",
        "--spikes", f"{DIR}/spikes.npz", "-o", f"{DIR}/neurons.npz", "--force", "--quiet"])
    if text is None:
        return None
    spikes = np.load(f"{DIR}/spikes.npz")
    return dict(seconds=cpu, dt=dt, n=q.N, spikes=len(spikes["neuron"]), error=q.tenth(task, spikes["neuron"], spikes["time_ms"]))


def script(*command):
    """A peer that is a Python script."""
    text, _, _ = run(["/usr/bin/python3"] + list(command))
    return None if text is None else json.loads(text.strip().splitlines()[-1])


def plain(task):
    """Plain C."""
    text, _, _ = run([f"{DIR}/plain", task])
    if text is None:
        return None
    seconds, spikes, error = map(float, text.split())
    return dict(seconds=seconds, dt=q.TASKS[task]["dt"], n=q.N, spikes=spikes, error=error)


def best(peers):
    """The fastest answer of each peer, all of them asked in turns."""
    found = {}
    for _ in range(ROUNDS):
        for name, ask in peers.items():
            answer = ask()
            if answer and (name not in found or answer["seconds"] < found[name]["seconds"]):
                found[name] = answer
    return found


def population(task, peers, same):
    """The table of a population; ratios are to the row called same, for a neuron and millisecond of model time."""
    found = best(peers)
    span = q.TASKS[task]["time"]
    per_ms = {name: 1e9 * a["seconds"] / (a["n"] * span) for name, a in found.items()}
    print(f"\n| {task} | ns per neuron-step | ns per neuron and ms | ratio | rate, Hz | error of the 10th spike, ms |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, a in found.items():
        ratio = per_ms[name] / per_ms[same]
        print(f"| {name} | {per_ms[name] * a['dt']:.3g} | {per_ms[name]:.3g} | {ratio:.3g} | {1000 * a['spikes'] / a['n'] / span:.2f} | {a['error']:.2g} |")


def popsim_map(out, extra, cores):
    """The map under popsim; its seconds of processor time and from start to exit, or None."""
    text, cpu, wall = run([POPSIM, "map", "adex", "V0=-65", "w0=0", "I=5:25/200", "b=0:10/50", "--time", "2s", "--discard", f"{q.DISCARD}ms",
                            "-m", "rate", "-o", out, "--force", "--quiet"] + extra, cores)
    return None if text is None else (cpu, wall)


def rate_map():
    """The table of the map. Errors are relative, against popsim at a tenth of its step."""
    both = ",".join(map(str, sorted(os.sched_getaffinity(0))))
    reference = f"{DIR}/reference.npz"
    if popsim_map(reference, ["--dt", "0.01", "--full"], both) is None:
        return
    true = np.load(reference)["rate_Hz"]

    def error(rate):
        off = np.abs(rate - true)[true > 0] / true[true > 0]
        return np.median(off), np.quantile(off, 0.99)

    def ours(extra, cores):
        def ask():
            took = popsim_map(f"{DIR}/map.npz", extra, cores)
            return took and dict(seconds=took[0], wall=took[1], error=error(np.load(f"{DIR}/map.npz")["rate_Hz"]))
        return ask

    def brian(mode):
        def ask():
            answer = script("brian.py", "map", mode, f"{DIR}/brian.npy")
            return answer and dict(seconds=answer["seconds"], error=error(np.load(f"{DIR}/brian.npy")))
        return ask

    found = best({
        "popsim, defaults, all cores": ours([], both),
        "popsim, defaults, one core": ours(["--workers", "1"], CORE),
        "popsim, euler, dt 0.1, every point to its end, one core": ours(["--method", "euler", "--dt", "0.1", "--full", "--workers", "1"], CORE),
        "Brian2, compiled runtime, euler, dt 0.1, one core": brian("cython"),
        "Brian2, C++ program, euler, dt 0.1, one core": brian("standalone"),
    })
    base = next(iter(found.values()))["seconds"]
    print("\n| map | processor s | ratio | start to exit, s | median error of the rate | 99 % of the points below |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, a in found.items():
        wall = f"{a['wall']:.3g}" if "wall" in a else ""
        print(f"| {name} | {a['seconds']:.3g} | {a['seconds'] / base:.3g} | {wall} | {a['error'][0]:.1e} | {a['error'][1]:.1e} |")


def main():
    tasks = sys.argv[1:] or list(q.TASKS)
    subprocess.run(["go", "build", "-o", POPSIM, "./cmd/popsim"], cwd=os.path.join(HERE, "../.."), check=True)
    if set(tasks) != {"map"}:
        subprocess.run(["gcc", "-O3", "-march=native", "-ffast-math", "-o", f"{DIR}/plain", f"{HERE}/plain.c", "-lmvec", "-lm"], check=True)
    if "adex" in tasks:
        population("adex", {
            "popsim, euler, dt 0.1": lambda: popsim("adex", "euler", 0.1),
            "plain C, euler, dt 0.1": lambda: plain("adex"),
            "numba, euler, dt 0.1": lambda: script("jit.py", "adex"),
            "Brian2, compiled runtime, euler, dt 0.1": lambda: script("brian.py", "adex", "cython"),
            "Brian2, C++ program, euler, dt 0.1": lambda: script("brian.py", "adex", "standalone"),
            "popsim, flow, dt 0.1": lambda: popsim("adex", "flow", 0.1),
        }, "popsim, euler, dt 0.1")
    if "hh" in tasks:
        population("hh", {
            "popsim, exp-euler, dt 0.02": lambda: popsim("hh", "exp-euler", 0.02),
            "plain C, exponential Euler, dt 0.02": lambda: plain("hh"),
            "numba, exponential Euler, dt 0.02": lambda: script("jit.py", "hh"),
            "Brian2, compiled runtime, exponential Euler, dt 0.02": lambda: script("brian.py", "hh", "cython"),
            "Brian2, C++ program, exponential Euler, dt 0.02": lambda: script("brian.py", "hh", "standalone"),
            "popsim, strang-cn, dt 0.02": lambda: popsim("hh", "strang-cn", 0.02),
            "NEURON, staggered Crank-Nicolson, dt 0.02": lambda: script("nrn.py"),
        }, "popsim, exp-euler, dt 0.02")
    if "map" in tasks:
        rate_map()


try:
    main()
finally:
    shutil.rmtree(DIR)
