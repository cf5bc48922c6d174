"""Writes traj/*_HHTM.*: spike times and states of hhtm by extrapolated midpoint steps (Gragg, Bulirsch, Stoer) in 30 digits. Needs mpmath."""
import json
from mpmath import mp, mpf, exp, expm1

mp.dps = 30
TOL = mpf("1e-17")  # of a step, in each variable
DEFAULT = dict(C="1", g_Na="100", g_K="30", g_L="0.05", E_Na="50", E_K="-90", E_L="-60", V_th="-20", V_T="-63")


def ratio(x):  # x/(1 - exp(-x))
    return mpf(1) if x == 0 else x / -expm1(-x)


def rates(s):
    return (mpf("1.28") * ratio((s - 13) / 4), mpf("1.4") * ratio((40 - s) / 5), mpf("0.128") * exp((17 - s) / 18),
            4 / (1 + exp((40 - s) / 5)), mpf("0.16") * ratio((s - 15) / 5), exp((10 - s) / 40) / 2)


def slope(p, i, y):
    v, m, h, n = y
    am, bm, ah, bh, an, bn = rates(v - p["V_T"])
    dv = (i - p["g_Na"] * m**3 * h * (v - p["E_Na"]) - p["g_K"] * n**4 * (v - p["E_K"]) - p["g_L"] * (v - p["E_L"])) / p["C"]
    return [dv, am * (1 - m) - bm * m, ah * (1 - h) - bh * h, an * (1 - n) - bn * n]


def step(p, i, y, H, levels=10):
    """The state after H ms, and the error of the last level of extrapolation."""
    f0, rows = slope(p, i, y), []
    for k in range(1, levels + 1):
        n = 2 * k
        h = H / n
        a, b = y, [u + h * d for u, d in zip(y, f0)]
        for _ in range(n - 1):
            d = slope(p, i, b)
            a, b = b, [u + 2 * h * g for u, g in zip(a, d)]
        d = slope(p, i, b)
        row = [[(u + w + h * g) / 2 for u, w, g in zip(a, b, d)]]
        for j in range(1, k):
            f = (mpf(k) / (k - j)) ** 2 - 1
            row.append([u + (u - w) / f for u, w in zip(row[j - 1], rows[-1][j - 1])])
        rows.append(row)
        if k > 3:
            err = max(abs(u - w) for u, w in zip(row[-1], row[-2]))
            if err < TOL:
                return row[-1], err
    return rows[-1][-1], err


def run(case):
    p = {k: mpf(v) for k, v in {**DEFAULT, **case["text"]}.items()}
    t, y, H = mpf(0), [mpf(x) for x in case["y0"]], mpf("0.1")
    stops = sorted(set([mpf(s[0]) for s in case["segments"]] + [mpf(x) for x in case["times"]] + [mpf(case["t_end"])]))
    spikes, states = [], []
    for stop in [s for s in stops if s > 0]:
        i = [mpf(str(c)) for at, c in case["segments"] if mpf(at) <= t][-1]
        while t < stop:
            h = min(H, stop - t)
            new, err = step(p, i, y, h)
            if err > TOL:
                H = h / 2
                continue
            if y[0] < p["V_th"] <= new[0]:
                lo, hi, root = mpf(0), h, h
                flo, fhi = y[0] - p["V_th"], new[0] - p["V_th"]
                for _ in range(60):
                    root = (lo * fhi - hi * flo) / (fhi - flo)
                    f = step(p, i, y, root)[0][0] - p["V_th"]
                    if abs(f) < mpf("1e-15"):
                        break
                    if f < 0:
                        lo, flo, fhi = root, f, fhi / 2
                    else:
                        hi, fhi, flo = root, f, flo / 2
                spikes.append(t + root)
            t, y = t + h, new
            H = min(h * mpf("1.3"), mpf("0.5"))
        if float(stop) in [float(x) for x in case["times"]]:
            states.append((stop, y))
    return spikes, states


def steady(v, vt):
    am, bm, ah, bh, an, bn = rates(mpf(v) - mpf(vt))
    return [float(x) for x in (mpf(v), am / (am + bm), ah / (ah + bh), an / (an + bn))]


CASES = [
    ("HHTM_I0", {}, [[0, 0]], -65, 80), ("HHTM_I1", {}, [[0, 1]], -65, 60), ("HHTM_I5", {}, [[0, 5]], -65, 60), ("HHTM_I10", {}, [[0, 10]], -70, 40),
    ("HHTM_step", {}, [[0, -1], [20, 4]], -70, 60), ("HHTM_VT-55", {"V_T": "-55"}, [[0, 3]], -65, 60),
    ("HHTM_gNa50", {"g_Na": "50", "g_K": "5", "g_L": "0.1", "E_K": "-90", "E_L": "-70", "V_T": "-61.5"}, [[0, 2]], -70, 80),
]
cases, spikes, states = [], ["case,threshold,k,t_ms,w_before_reset"], ["case,t_ms,V,x1,x2,x3"]
for name, text, segments, v0, end in CASES:
    times = [2, 10, 20, end]
    case = dict(id=name, model="HHTM", params={k: float(v) for k, v in text.items()}, y0=steady(v0, text.get("V_T", "-63")), segments=segments, t_end=end)
    s, y = run(dict(case, text=text, times=times))
    cases.append(case)
    spikes += [f"{name},V_th,{k + 1},{mp.nstr(t, 17)}," for k, t in enumerate(s)]
    states += [f"{name},{float(t):g}," + ",".join(mp.nstr(x, 17) for x in row) for t, row in y]
for path, lines in (("spikes", spikes), ("states", states)):
    open(f"traj/{path}_HHTM.csv", "w").write("\n".join(lines) + "\n")
json.dump(cases, open("traj/cases_HHTM.json", "w"), indent=1)
