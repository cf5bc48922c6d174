#!/usr/bin/python3
"""coba.py: coba (4,000 and 40,000 neurons) and cobahh in plain C (coba.c) and in popsim, in one run on one machine.

    apt-get install python3 gcc
    bench/peers/coba.py

Seconds of processor time on one core for a second of the network, without building: of C the least and the mean of 20
stretches of 100 ms, of popsim the lowest tenth of laps of 15 steps (`bench --kind network`); cobahh at 0.1 ms, which is
no row of it, by a run of 1.1 s less one of 0.1 s. C asks for pages of 4 kB, or of 2 MB where the row says so. Then the
error of V of the two methods on the grid, from their formulas. The tables are Markdown.
"""

import math
import pathlib
import random
import re
import resource
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def plain_c(program, *arguments):
    text = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=True).stdout
    least, mean, hz = (float(re.search(p, text)[1]) for p in (r"least ([\d.]+)", r"mean ([\d.]+)", r"([\d.]+) Hz"))
    return least, mean, hz


def bench(program, name, spikes):
    row = rf"network={name}/spikes={spikes}/.*/workers=1$"
    command = [program, "bench", "--kind", "network", "--rows", row, "--quiet"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    value = {unit: float(x) for x, unit in re.findall(r"([\d.e+-]+) (\S+)", text.split("BenchmarkNetwork")[1])}
    return value["cpu-s/model-s"], value["Hz"]


def run(program, *arguments):
    """Processor time of a second of popsim run, less what a tenth of a second takes beside it."""
    times = []
    for duration in ("100ms", "1100ms"):
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [program, "run", *arguments, "--time", duration, "--workers", "1", "--quiet"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime)
    return times[1] - times[0]


def errors(dt=0.1, steps=20000):
    """Root mean squares of the errors of V (mV) of a coba neuron without threshold, with arrivals at ends of steps: of
    exponential Euler with the conductances at the start of the step, and of the means with Magnus's second term. The
    same by 32 parts of each step is taken as exact."""
    random.seed(1)
    e, i, v, sums = 4.0, 20.0, [-60.0, -60.0, -60.0], [0.0, 0.0]

    def relax(v, a, d):
        return d / a + (v - d / a) * math.exp(-a)

    def means(v, h, e, i):
        (me, te), (mi, ti) = share(h / 5), share(h / 10)
        a, d = h / 20 * (1 + me * e + mi * i), h / 20 * (-60 - 80 * mi * i)
        return relax(v, a, d) + h / 20 * (-80 * ti * i * a - (te * e + ti * i) * d) / 12

    parts = 32
    for _ in range(steps):
        v[0] = relax(v[0], dt / 20 * (1 + e + i), dt / 20 * (-60 - 80 * i))
        v[1] = means(v[1], dt, e, i)
        for k in range(parts):
            t = k * dt / parts
            v[2] = means(v[2], dt / parts, e * math.exp(-t / 5), i * math.exp(-t / 10))
        for j in range(2):
            sums[j] += (v[j] - v[2]) ** 2
        e, i = e * math.exp(-dt / 5) + 0.6 * (random.random() < 1.2 * dt), i * math.exp(-dt / 10)
        i += 6.7 * (random.random() < 0.3 * dt)
    return [math.sqrt(s / steps) for s in sums]


def share(x):
    """Mean and tilt of exp(-t) from 0 to x, as popsim's shareOf."""
    phi = -math.expm1(-x) / x
    psi = (phi - math.exp(-x)) / x
    return phi, 12 * (psi - 0.5 * phi)


def main():
    with tempfile.TemporaryDirectory() as directory:
        c, program = directory + "/coba", directory + "/popsim"
        flags = ["-O3", "-march=native", "-ffast-math", "-mprefer-vector-width=512"]
        subprocess.run(["cc", *flags, "-o", c, ROOT / "bench/peers/coba.c", "-lm"], check=True)
        subprocess.run(["go", "build", "-o", program, "./cmd/popsim"], cwd=ROOT, check=True)
        print("| network | C, least | C, mean | Hz | popsim, grid | Hz | C/popsim | inside | C/popsim |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        for name, row, n, huge in (("coba", "coba", 4000, []), ("coba", "coba-40000", 40000, []),
                                   ("coba", "coba-40000", 40000, ["huge"])):
            least, mean, hz = plain_c(c, name, n, 0.1, *huge)
            grid, rate = bench(program, row, "grid")
            inside, _ = bench(program, row, "inside")
            pages = ", C with pages of 2 MB" if huge else ""
            print(f"| {row}{pages} | {least:.3g} | {mean:.3g} | {hz:.3g} | {grid:.3g} | {rate:.3g} | {least / grid:.3g} | "
                  f"{inside:.3g} | {least / inside:.2g} |", flush=True)
        for dt in (0.1, 0.05):
            least, mean, hz = plain_c(c, "cobahh", 4000, dt)
            grid, inside = (run(program, "cobahh", "--dt", f"{dt}ms", *f) for f in (["--spikes-on-grid"], []))
            print(f"| cobahh, dt {dt} ms | {least:.3g} | {mean:.3g} | {hz:.3g} | {grid:.3g} | | {least / grid:.3g} | "
                  f"{inside:.3g} | {least / inside:.2g} |", flush=True)
        print("\nerror of V on the grid at 0.1 ms, mV: exponential Euler {:.2g}, popsim {:.2g}".format(*errors()))


main()
