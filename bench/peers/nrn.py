#!/usr/bin/python3
"""nrn.py: the question hh in NEURON, with a tenth of the neurons: staggered Crank-Nicolson (secondorder = 2), which is what
popsim's strang-cn does too; its built-in hh mechanism with 1952 values and tabulated rates. Setting up is not timed."""

import time

import numpy as np
from neuron import h

import questions as q

N = q.N // 10
h.secondorder = 2
h.celsius = 6.3
h.load_file("stdrun.hoc")
h.dt = q.TASKS["hh"]["dt"]
h.steps_per_ms = 1 / h.dt
keep, times, neurons = [], h.Vector(), h.Vector()
for i, density in enumerate(q.currents(N)):
    cell = h.Section(name=f"cell{i}")
    cell.L = cell.diam = 10  # um; the area in cm2 is pi 1e-6
    cell.cm = 1
    cell.insert("hh")
    cell.el_hh = -54.387
    clamp = h.IClamp(cell(0.5))
    clamp.dur, clamp.amp = 1e9, density * np.pi * 1e-3  # nA
    detector = h.NetCon(cell(0.5)._ref_v, None, sec=cell)
    detector.threshold = 0
    detector.record(times, neurons, i)
    keep += [cell, clamp, detector]
h.finitialize(-65)
start = time.process_time()
h.continuerun(q.TASKS["hh"]["time"])
took = time.process_time() - start
q.answer("hh", took, len(times), n=N, error=q.tenth("hh", neurons.as_numpy(), times.as_numpy(), N))
