"""Draw pictures of the README and of the tutorial with matplotlib, from popsim's tables:

    python3 python/figures.py FILE ...        (adex-family.pdf lif-fi.svg hh-bifurcation.png ...)

The name of a file before its ending chooses the picture; the ending chooses the format.
"""

import os
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import popsim


def adex_family(ax):
    table = popsim.fi("adex", b="0:60:20", I="0:40:0.5").table
    for b in np.unique(table["b"]):
        curve = table["b"] == b
        ax.plot(table["I"][curve], table["rate_Hz"][curve], label=f"b = {b:g} {table.units['b']}")
    ax.set(xlabel=f"I ({table.units['I']})", ylabel="rate (Hz)")
    ax.legend()


def lif_fi(ax):
    # 20 pA is the rheobase V_th/R: the curve starts there, with infinite slope.
    table = popsim.fi("lif", I="19:40:0.25").table
    firing = table["rate_Hz"] > 0
    ax.plot(table["I"][firing], table["rate_Hz"][firing], "k-")
    ax.plot(table["I"][~firing], table["rate_Hz"][~firing], "k-")
    ax.set(xlabel=f"I ({table.units['I']})", ylabel="rate (Hz)")


def hh_bifurcation(ax):
    result = popsim.bifurcation("hh", I="0:160")
    table = result.table
    for branch in np.unique(table["branch"]):
        rows = table["branch"] == branch
        stable = table["stable"][rows] == "true"
        x = table["I"][rows]
        for V in (table["V_min_mV"][rows], table["V_max_mV"][rows]):
            ax.plot(x, np.where(stable, V, np.nan), "k-")
            ax.plot(x, np.where(stable, np.nan, V), "k--", linewidth=0.8)
    points = result.points
    ax.plot(points["I"], points["V_mV"], "o", markerfacecolor="white", color="C1")
    ax.set(xlabel=f"I ({table.units['I']})", ylabel="V (mV)")


figures = {"adex-family": adex_family, "lif-fi": lif_fi, "hh-bifurcation": hh_bifurcation}


def main(paths):
    for path in paths:
        name = os.path.splitext(os.path.basename(path))[0]
        if name not in figures:
            sys.exit(f"{path}: there is no picture {name}; there are {', '.join(figures)}")
        figure, ax = plt.subplots(figsize=(4.5, 3), layout="constrained")
        figures[name](ax)
        figure.savefig(path)


if __name__ == "__main__":
    main(sys.argv[1:] or [name + ".pdf" for name in figures])
