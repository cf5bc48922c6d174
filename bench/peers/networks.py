#!/usr/bin/python3
"""networks.py [cuba] [coba] [coba_40000] [cobahh] [brunel] [hpc_fifth]: networks of popsim's library in Brian2, as
C++ programs, and in popsim.

    apt-get install python3-brian g++
    bench/peers/networks.py

Each takes a second of model time in steps of 0.1 ms (cobahh: 0.05 ms), spikes on the grid, with the same equations, sizes, laws of
connections, delays and inputs; neither side keeps spikes but their number. Times are processor time in seconds for that
second on one core: of Brian2 of a run of 1 s less one of 0.1 s, scaled, so that building does not count; of popsim by
`bench --kind network`, which leaves building out: means over all its laps. Rates tell that both do the same work.
hpc_fifth (hpc at scale 0.2: 2,250 neurons, 25 million synapses) takes Brian2 3 GB. The table is Markdown.
"""

import pathlib
import re
import resource
import subprocess
import sys
import tempfile

import brian2 as b2
import numpy as np
from brian2 import Hz, ms, mV

ROOT = pathlib.Path(__file__).resolve().parents[2]


def lif(n, equations, tau, rest, threshold, reset, refractory):
    return b2.NeuronGroup(n, equations, threshold=f"v > {threshold}*mV", reset=f"v = {reset}*mV",
                          refractory=refractory * ms, namespace={"tau": tau * ms, "rest": rest * mV}, method="exact")


def connect(source, target, p, effect, delay):
    s = b2.Synapses(source, target, on_pre=effect)
    s.connect(p=p)
    s.delay = delay * ms
    return s


def cuba():
    g = lif(4000, """dv/dt = (ge+gi-(v-rest))/tau : volt (unless refractory)
        dge/dt = -ge/(5*ms) : volt
        dgi/dt = -gi/(10*ms) : volt""", 20, -49, -50, -60, 5)
    g.v = "-60*mV + rand()*10*mV"
    return [g, connect(g[:3200], g, 0.02, "ge_post += 1.62*mV", 0.1),
            connect(g[3200:], g, 0.02, "gi_post += -9*mV", 0.1)]


def coba(n=4000):
    g = b2.NeuronGroup(n, """
        dv/dt = (-60*mV - v + ge*(0*mV - v) + gi*(-80*mV - v))/(20*ms) : volt (unless refractory)
        dge/dt = -ge/(5*ms) : 1
        dgi/dt = -gi/(10*ms) : 1
        """, threshold="v > -50*mV", reset="v = -60*mV", refractory=5 * ms, method="exponential_euler")
    g.v, g.ge, g.gi = "-65*mV + 5*mV*randn()", "randn()*1.5 + 4", "randn()*12 + 20"
    return [g, connect(g[:n * 4 // 5], g, 80 / n, "ge_post += 0.6", 0.1),
            connect(g[n * 4 // 5:], g, 80 / n, "gi_post += 6.7", 0.1)]


def coba_40000():
    return coba(40000)


def cobahh():
    """Currents in mV/ms, conductances in 1/ms: divided by 1 uF/cm2."""
    b2.defaultclock.dt = 0.05 * ms
    g = b2.NeuronGroup(4000, """
        dv/dt = (0.05*(-60*mV-v) + ge*(0*mV-v) + gi*(-80*mV-v) + 100*m**3*h*(50*mV-v) + 30*n**4*(-90*mV-v))/ms : volt
        dm/dt = (0.32*4/exprel((13-u)/4)*(1-m) - 0.28*5/exprel((u-40)/5)*m)/ms : 1
        dn/dt = (0.032*5/exprel((15-u)/5)*(1-n) - 0.5*exp((10-u)/40)*n)/ms : 1
        dh/dt = (0.128*exp((17-u)/18)*(1-h) - 4/(1+exp((40-u)/5))*h)/ms : 1
        dge/dt = -ge/(5*ms) : 1
        dgi/dt = -gi/(10*ms) : 1
        u = v/mV + 63 : 1
        """, threshold="v > -20*mV", refractory=3 * ms, method="exponential_euler")
    g.v, g.ge, g.gi = "-65*mV + 5*mV*randn()", "0.2 + 0.075*randn()", "1 + 0.6*randn()"
    return [g, connect(g[:3200], g, 0.02, "ge_post += 0.03", 0.1), connect(g[3200:], g, 0.02, "gi_post += 0.335", 0.1)]


def brunel():
    g = lif(12500, "dv/dt = -(v-rest)/tau : volt (unless refractory)", 20, 0, 20, 10, 2)
    g.v = "rand()*20*mV"
    drive = b2.PoissonInput(g, "v", 1000, 20 * Hz, 0.1 * mV)
    return [g, connect(g[:10000], g, 0.1, "v_post += 0.1*mV", 1.5),
            connect(g[10000:], g, 0.1, "v_post += -0.5*mV", 1.5), drive]


def hpc_fifth():
    """Currents in pA, V in mV; in-degrees 9000 and 2250 with replacement, without autapses."""
    ne, ni, tau_s, j = 1800, 450, 0.3258272240372284, 45.60960032
    g = b2.NeuronGroup(ne + ni, """
        dv/dt = (0.04*s - v)/(10*ms) : 1 (unless refractory)
        ds/dt = y/ms - s/(0.3258272240372284*ms) : 1
        dy/dt = -y/(0.3258272240372284*ms) : 1
        """, threshold="v >= 20", reset="v = 0", refractory=0.5 * ms, method="exact")
    g.v = "5.7 + 7.2*randn()"
    rise, draw = j * np.e / tau_s, np.random.default_rng(1)
    parts = [g]
    for first, n, degree, weight in ((0, ne, 9000, rise), (ne, ni, 2250, -5 * rise)):
        post = np.repeat(np.arange(ne + ni, dtype=np.int32), degree)
        own = (post >= first) & (post < first + n)
        pre = (draw.random(post.size) * (n - own)).astype(np.int32) + first
        pre += own & (pre >= post)  # all but the neuron itself
        s = b2.Synapses(g, g, on_pre=f"y_post += {weight!r}")
        s.connect(i=pre, j=post)
        s.delay = 1.5 * ms
        parts.append(s)
    rate = 1.685 * 20 * 250 / (10 * j * np.e * tau_s)  # 1/ms
    return parts + [b2.PoissonInput(g, "y", 1000, rate * Hz, rise)]


def brian(make, duration):
    """Processor time in s and spikes of a run of so many ms."""
    b2.device.reinit()
    b2.device.activate(build_on_run=False)
    b2.start_scope()
    b2.seed(1)
    b2.defaultclock.dt = 0.1 * ms
    parts = make()
    spikes = b2.SpikeMonitor(parts[0], record=False)
    b2.Network(*parts, spikes).run(duration * ms)
    with tempfile.TemporaryDirectory() as directory:
        b2.device.build(directory=directory, run=False)
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        b2.device.run(directory, with_output=False, run_args=[])
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        return end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime, spikes.num_spikes / parts[0].N


def popsim(program, name, spikes):
    row = rf"network={name}/spikes={spikes}/.*/workers=1$"
    command = [program, "bench", "--kind", "network", "--rows", row, "--quiet"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    value = {unit: float(x) for x, unit in re.findall(r"([\d.e+-]+) (\S+)", text.split("BenchmarkNetwork")[1])}
    return value["mean-cpu-s/model-s"], value["mean-Hz"]


def main():
    b2.set_device("cpp_standalone", build_on_run=False)
    with tempfile.TemporaryDirectory() as directory:
        program = directory + "/popsim"
        subprocess.run(["go", "build", "-o", program, "./cmd/popsim"], cwd=ROOT, check=True)
        print("| network | Brian2 | Hz | popsim, grid | Hz | Brian2/popsim | popsim, inside | Brian2/popsim |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        chosen = [x for x in (cuba, coba, coba_40000, cobahh, brunel, hpc_fifth)
                  if x.__name__ in sys.argv[1:] or not sys.argv[1:]]
        for make in chosen:
            (short, few), (long, many) = brian(make, 100), brian(make, 1000)
            ours = {s: popsim(program, make.__name__.replace("_", "-"), s) for s in ("grid", "inside")}
            theirs = (long - short) / 0.9
            (grid, rate), (inside, _) = ours["grid"], ours["inside"]
            print(f"| {make.__name__} | {theirs:.3g} | {(many - few) / 0.9:.3g} | {grid:.3g} | {rate:.3g} | "
                  f"{theirs / grid:.3g} | {inside:.3g} | {theirs / inside:.3g} |", flush=True)


main()
