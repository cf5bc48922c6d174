#!/usr/bin/python3
"""brian.py TASK cython|standalone [RATES.npy]: the questions in Brian2, by its compiled runtime or as a C++ program.

Only the run itself is timed, in seconds of processor time: neither code generation nor compilation.
"""

import resource
import sys
import tempfile
import time

import numpy as np
import brian2 as b2
from brian2 import ms

import questions as q

task, mode = sys.argv[1], sys.argv[2]
b2.prefs.codegen.target = "cython"
if mode == "standalone":
    directory = tempfile.TemporaryDirectory()
    b2.set_device("cpp_standalone", build_on_run=False)
b2.defaultclock.dt = q.TASKS[task]["dt"] * ms
duration = q.TASKS[task]["time"] * ms

if task == "hh":
    group = b2.NeuronGroup(q.N, """
        dv/dt = (I - 120*m**3*h*(v-50) - 36*n**4*(v+77) - 0.3*(v+54.387))/ms : 1
        dm/dt = (0.1*(v+40)/(1-exp(-(v+40)/10))*(1-m) - 4*exp(-(v+65)/18)*m)/ms : 1
        dh/dt = (0.07*exp(-(v+65)/20)*(1-h) - 1/(1+exp(-(v+35)/10))*h)/ms : 1
        dn/dt = (0.01*(v+55)/(1-exp(-(v+55)/10))*(1-n) - 0.125*exp(-(v+65)/80)*n)/ms : 1
        I : 1 (constant)
        """, threshold="v > 0", refractory="v > -20", method="exponential_euler")
    group.I = q.currents()
    group.v, group.m, group.h, group.n = (q.HH_START[x] for x in "Vmhn")
else:
    group = b2.NeuronGroup(q.N, """
        dv/dt = (-(v+65) + 3.48*exp((v+59.9)/3.48) - w + I)/(10*ms) : 1
        dw/dt = ((v+65) - w)/(30*ms) : 1
        I : 1 (constant)
        b : 1 (constant)
        """, threshold="v > -30", reset="v = -68; w += b", method="euler")
    group.I, group.b = q.grid() if task == "map" else (q.currents(), 1)
    group.v, group.w = -65, 0
spikes = b2.SpikeMonitor(group)
network = b2.Network(group, spikes)

if mode == "standalone":
    network.run(duration)
    b2.device.build(directory=directory.name, run=False)
    start = resource.getrusage(resource.RUSAGE_CHILDREN)
    b2.device.run(b2.device.project_dir, with_output=False, run_args=[])
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime
else:
    network.store()
    network.run(10 * b2.defaultclock.dt)  # compile
    network.restore()
    start = time.process_time()
    network.run(duration)
    took = time.process_time() - start

neurons, times = np.asarray(spikes.i), np.asarray(spikes.t / ms)
if task == "map":
    late = times >= q.DISCARD
    order = np.lexsort((times[late], neurons[late]))
    n, t = neurons[late][order], times[late][order]
    count = np.bincount(n, minlength=q.N)
    end = np.cumsum(count)
    rate = np.zeros(q.N)
    some = count >= 2
    rate[some] = 1000 * (count[some] - 1) / (t[end[some] - 1] - t[(end - count)[some]])
    np.save(sys.argv[3], rate)
    q.answer(task, took, len(times))
else:
    q.answer(task, took, len(times), error=q.tenth(task, neurons, times))
