#!/usr/bin/python3
"""hpc.py: hpc (11,250 neurons, 127 million synapses) in plain C (hpc.c) and in popsim, in one run on one machine.

    apt-get install python3 gcc
    bench/peers/hpc.py

Seconds of processor time on one core for the second of the network from 0.1 to 1.1 s, without building: of popsim a run
of 1.1 s less one of 0.1 s; the least of three rounds in turns. Both ask for pages of 2 MB. The table is Markdown.
"""

import pathlib
import re
import resource
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = 3


def plain_c(program):
    text = subprocess.run([program, "1", "huge"], capture_output=True, text=True, check=True).stdout
    return float(re.search(r"([\d.]+) s/model-s", text)[1])


def run(program, *arguments):
    times = []
    for duration in ("100ms", "1100ms"):
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [program, "run", "hpc", *arguments, "--time", duration, "--workers", "1", "--quiet"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime)
    return times[1] - times[0]


def main():
    with tempfile.TemporaryDirectory() as directory:
        c, program = directory + "/hpc", directory + "/popsim"
        flags = ["-O3", "-march=native", "-ffast-math", "-mprefer-vector-width=512"]
        subprocess.run(["cc", *flags, "-o", c, ROOT / "bench/peers/hpc.c", "-lm"], check=True)
        subprocess.run(["go", "build", "-o", program, "./cmd/popsim"], cwd=ROOT, check=True)
        rounds = [(plain_c(c), run(program, "--spikes-on-grid"), run(program)) for _ in range(ROUNDS)]
        least, grid, inside = (min(x) for x in zip(*rounds))
        print("| | C | popsim, grid | C/popsim | inside | C/popsim |\n| --- | --- | --- | --- | --- | --- |")
        print(f"| hpc | {least:.3g} | {grid:.3g} | {least / grid:.3g} | {inside:.3g} | {least / inside:.3g} |")
        print("inside, each round:", " ".join(f"{x[2]:.3g}" for x in rounds), "C:", " ".join(f"{x[0]:.3g}" for x in rounds))


main()
