#!/usr/bin/python3
"""errors.py: how far spikes of networks of the library are from where they belong, with spikes on the grid and inside
the step.

    bench/peers/errors.py

The error of a run is the median, over the neurons, of the distance of the first spike after 2 ms from that of the
reference: later ones say more of chaos than of the method. The reference has spikes inside the step: exact, but for
rounding, where neurons are lif with currents or jumps; for coba and cobahh, which have no random input, with an eighth
of the step. The table is Markdown.
"""

import csv
import pathlib
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
NETWORKS = {  # settings, time in ms, the step of the reference where it is another
    "brunel": ([], 40, None),
    "cuba": ([], 40, None),
    "coba": ([], 40, "0.0125ms"),
    "cobahh": ([], 40, "0.00625ms"),
    "hpc": (["scale=0.2"], 20, None),
    "microcircuit": (["scale=0.1", "dc=1"], 40, None),
}


def firsts(program, directory, name, settings, time, options):
    """Time of the first spike of each neuron, ms."""
    path = pathlib.Path(directory, "spikes.csv")
    subprocess.run([program, "run", name, *settings, "--time", f"{time}ms", "--spikes", path, "-o", "/dev/null",
                    "--quiet", "--force", *options], check=True)
    first = {}
    with open(path) as rows:
        for row in csv.reader(rows):
            if row[0].isdigit() and float(row[1]) > 2:
                first.setdefault(row[0], float(row[1]))
    return first


def main():
    with tempfile.TemporaryDirectory() as directory:
        program = directory + "/popsim"
        subprocess.run(["go", "build", "-o", program, "./cmd/popsim"], cwd=ROOT, check=True)
        print("| network | neurons compared | grid, ms | inside, ms |")
        print("| --- | --- | --- | --- |")
        for name, (settings, time, fine) in NETWORKS.items():
            def run(*options):
                return firsts(program, directory, name, settings, time, options)
            grid, inside = run("--spikes-on-grid"), run()
            exact = run("--dt", fine) if fine else inside
            def error(spikes):
                return statistics.median(abs(t - exact[i]) for i, t in spikes.items() if i in exact)
            print(f"| {name} | {len(exact)} | {error(grid):.2g} | {error(inside):.2g} |", flush=True)


main()
