"""The questions that popsim and its peers answer, in the words all of them share: ms, mV, and R = 1 so that currents are in mV.

adex  10000 AdEx neurons with popsim's default parameters, currents from 10 to 20, 1 s at dt 0.1 by forward Euler, all
      spikes kept.
hh    10000 Hodgkin-Huxley neurons, currents from 10 to 20 uA/cm2, 200 ms at dt 0.02 by exponential Euler, all spikes
      (upward crossings of 0 mV) kept.
map   rates of 200 x 50 AdEx neurons over current (5 to 25) and b (0 to 10), 2 s, from the intervals after the first 500 ms.

The first and the last neuron of adex and hh are those of kernels/testdata, which knows their tenth spikes.
"""

import json

import numpy as np

N = 10000
DISCARD = 500.0  # ms, of the map
TASKS = {
    "adex": dict(time=1000.0, dt=0.1),
    "hh": dict(time=200.0, dt=0.02),
    "map": dict(time=2000.0, dt=0.1),
}
TENTH = {"adex": (290.360765117236, 113.102041847324), "hh": (133.926338676868, 105.888690372739)}  # ms
ADEX_START = dict(V=-65.0, w=0.0)
HH_START = dict(V=-65.0, m=0.05293248525724958, h=0.5961207535084603, n=0.3176769140606974)


def currents(n=N):
    return np.linspace(10, 20, n)


def grid():
    """Current and b of each neuron of the map; b varies fastest."""
    i, b = np.meshgrid(np.linspace(5, 25, 200), np.linspace(0, 10, 50), indexing="ij")
    return i.ravel(), b.ravel()


def tenth(task, neurons, times, n=N):
    """Largest error (ms) of the tenth spikes of the first and the last neuron."""
    neurons, times = np.asarray(neurons), np.asarray(times)
    errors = []
    for who, true in zip((0, n - 1), TENTH[task]):
        mine = np.sort(times[neurons == who])
        errors.append(abs(mine[9] - true) if len(mine) >= 10 else np.inf)
    return max(errors)


def answer(task, seconds, spikes, n=N, error=None):
    """Print what a peer found: seconds of processor time of the simulation, and the spikes of all neurons."""
    q = TASKS[task]
    print(json.dumps(dict(seconds=seconds, dt=TASKS[task]["dt"], n=n, spikes=spikes, error=error)))
