#!/usr/bin/python3
"""jit.py TASK: the questions (adex, hh) in Python compiled by numba, as a careful user writes them. Compilation is not timed."""

import math
import sys
import time

import numba
import numpy as np

import questions as q


@numba.njit(fastmath=True)
def adex(I, steps, dt, who, when):
    n, spikes = len(I), 0
    v, w = np.full(n, -65.0), np.zeros(n)
    for k in range(steps):
        for i in range(n):
            x = v[i]
            v[i] += dt * (-(x + 65) + 3.48 * math.exp((x + 59.9) / 3.48) - w[i] + I[i]) / 10
            w[i] += dt * (x + 65 - w[i]) / 30
        for i in range(n):
            if v[i] > -30:
                v[i] = -68
                w[i] += 1
                who[spikes], when[spikes] = i, (k + 1) * dt
                spikes += 1
    return spikes


@numba.njit(fastmath=True)
def hh(I, steps, dt, who, when):
    count, spikes = len(I), 0
    v, m = np.full(count, -65.0), np.full(count, 0.05293248525724958)
    h, n = np.full(count, 0.5961207535084603), np.full(count, 0.3176769140606974)
    armed = np.ones(count, numba.boolean)
    for k in range(steps):
        for i in range(count):
            x = v[i]
            gna, gk = 120 * m[i] ** 3 * h[i], 36 * n[i] ** 4
            g = gna + gk + 0.3
            inf = (I[i] + gna * 50 - gk * 77 - 0.3 * 54.387) / g
            v[i] = inf + (x - inf) * math.exp(-dt * g)
            a = 0.1 * (x + 40) / (1 - math.exp(-(x + 40) / 10))
            s = a + 4 * math.exp(-(x + 65) / 18)
            m[i] = a / s + (m[i] - a / s) * math.exp(-dt * s)
            a = 0.07 * math.exp(-(x + 65) / 20)
            s = a + 1 / (1 + math.exp(-(x + 35) / 10))
            h[i] = a / s + (h[i] - a / s) * math.exp(-dt * s)
            a = 0.01 * (x + 55) / (1 - math.exp(-(x + 55) / 10))
            s = a + 0.125 * math.exp(-(x + 65) / 80)
            n[i] = a / s + (n[i] - a / s) * math.exp(-dt * s)
        for i in range(count):
            if armed[i] and v[i] > 0:
                who[spikes], when[spikes] = i, (k + 1) * dt
                spikes += 1
                armed[i] = False
            elif v[i] < -20:
                armed[i] = True
    return spikes


task = sys.argv[1]
simulate = {"adex": adex, "hh": hh}[task]
dt = q.TASKS[task]["dt"]
who, when = np.zeros(200 * q.N, np.int64), np.zeros(200 * q.N)
simulate(q.currents(), 2, dt, who, when)
start = time.process_time()
spikes = simulate(q.currents(), round(q.TASKS[task]["time"] / dt), dt, who, when)
took = time.process_time() - start
q.answer(task, took, spikes, error=q.tenth(task, who[:spikes], when[:spikes]))
