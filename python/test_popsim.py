"""Tests of popsim.py. They need the program (POPSIM, or on the PATH), NumPy, pandas and h5py."""

import os
import tempfile
import unittest

import numpy as np

import popsim


class Run(unittest.TestCase):
    def test_formats_agree(self):
        with tempfile.TemporaryDirectory() as folder:
            tables = []
            for ending in ("csv", "npz", "json"):
                path = os.path.join(folder, "t." + ending)
                popsim.command("fi", "adex", "I=0:40:10", "b=0,60", "-o", path)
                tables.append(popsim.read(path))
            for table in tables[1:]:
                self.assertEqual(tables[0].names, table.names)
                for name in table.names:
                    np.testing.assert_array_equal(tables[0][name], table[name])
            self.assertEqual(tables[0].units["I"], "pA")
            self.assertEqual(tables[0].units["rate_Hz"], "Hz")
            self.assertEqual(tables[0].units["latency_ms"], "ms")

    def test_lif_period(self):
        result = popsim.run("lif", I=21, n=3, time="1s", spikes=True, trace="0:1")
        # The period is t_ref + tau log(R I / (R I - V_th)) = 1 + 10 log 21 ms.
        period = 1 + 10 * np.log(21)
        first = result.spikes["time_ms"][result.spikes["neuron"] == 0]
        np.testing.assert_allclose(np.diff(first), period, atol=1e-9)
        self.assertEqual(sorted(set(result.trace["neuron"])), [0, 1])
        self.assertEqual(result.record["model"], "lif")

    def test_array_per_neuron(self):
        currents = np.array([19.0, 21.0, 30.0])
        table = popsim.run("lif", I=currents, n=3).table
        np.testing.assert_array_equal(table["spikes"] > 0, [False, True, True])

    def test_pandas(self):
        frame = popsim.map("lif", I=[19, 21], tau="5:20/4", m=["rate", "latency"]).table.pandas()
        self.assertEqual(len(frame), 8)
        self.assertEqual(frame.attrs["units"]["tau"], "ms")
        self.assertTrue(frame["latency_ms"].isna().any())

    def test_phase_and_bifurcation(self):
        plane = popsim.phase("adex", I=7).table
        self.assertTrue(plane["fixed_points"])
        labels = list(popsim.bifurcation("hh", I="0:20").points["label"])
        self.assertIn("hopf", labels)

    def test_errors(self):
        with self.assertRaises(popsim.Error) as caught:
            popsim.run("lif", V_thh=20)
        self.assertEqual(caught.exception.code, 2)
        self.assertIn("V_th", str(caught.exception))
        with self.assertRaises(KeyError):
            popsim.run("lif").table["rate"]

    def test_sonata(self):
        spikes = popsim.run("lif", I=30, n=5, spikes=True).spikes
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "spikes.h5")
            popsim.write_sonata(spikes, path, "E")
            back = popsim.read_sonata(path)
        for name in ("neuron", "time_ms"):
            np.testing.assert_array_equal(back[name], spikes[name])

    def test_network(self):
        result = popsim.run("cuba", time="20ms", populations=True, spikes=True)
        self.assertEqual(list(result.populations["population"]), ["E", "I"])
        self.assertTrue(np.all(np.diff(result.spikes["time_ms"]) >= 0))


if __name__ == "__main__":
    unittest.main()
