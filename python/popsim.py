"""Run popsim from Python, and read what it writes.

    import popsim
    result = popsim.fi("adex", I="0:40:0.5", b=[0, 60])
    result.table["rate_Hz"]        # a NumPy array
    result.table.units["I"]        # "pA"
    result.table.pandas()          # a DataFrame, if pandas is installed
    popsim.run("lif", I=21, n=100, spikes=True).spikes["time_ms"]

The module needs NumPy; pandas and h5py only where a function says so. The program `popsim` must be on the PATH, or the
environment variable POPSIM names it. Nothing is computed here: every number comes from the program, bit for bit.
"""

import json
import os
import subprocess
import tempfile

import numpy as np

__all__ = ["Error", "Result", "Table", "read", "command", "run", "fi", "map", "bifurcation", "phase",
           "write_sonata", "read_sonata"]


class Error(Exception):
    """What popsim refused or could not do: its own words, and its exit code (2: usage, 1: failed) as `code`."""

    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


class Table:
    """Columns by name, in the order of the file. `units` gives the unit of a column ("" where it has none), `record`
    is what FILE.run.json says about the run, or None."""

    def __init__(self, columns, record=None):
        self._columns = columns
        self.record = record
        self.units = {name: _unit(name, record) for name in columns}

    @property
    def names(self):
        return list(self._columns)

    def __getitem__(self, name):
        if name not in self._columns:
            raise KeyError(f"no column {name!r}; there are {', '.join(self._columns)}")
        return self._columns[name]

    def __len__(self):
        return len(next(iter(self._columns.values()), ()))

    def __repr__(self):
        return f"<popsim table of {len(self)} rows: {', '.join(self._columns)}>"

    def structured(self):
        """The table as one NumPy structured array."""
        out = np.empty(len(self), dtype=[(name, c.dtype) for name, c in self._columns.items()])
        for name, column in self._columns.items():
            out[name] = column
        return out

    def pandas(self):
        """The table as a pandas DataFrame; its attrs hold "units" and "record"."""
        import pandas
        frame = pandas.DataFrame(self._columns)
        frame.attrs["units"], frame.attrs["record"] = self.units, self.record
        return frame


class Result:
    """What one run of the program gave. `table` is its main result (of `phase` a dictionary); `spikes`, `trace`,
    `populations` ... are there where they were asked for. `messages` is what it said on standard error."""

    def __init__(self, messages):
        self.messages = messages
        self.table = None

    @property
    def record(self):
        return getattr(self.table, "record", None)


# Endings of column names that are units, longest first, as docs/formats.md lists them.
_UNITS = {"_per_ms": "1/ms", "_GOhm": "GOhm", "_rad": "rad", "_deg": "deg", "_mV": "mV", "_ms": "ms", "_Hz": "Hz",
          "_pA": "pA", "_nS": "nS"}


def _unit(name, record):
    for parameter in (record or {}).get("parameters") or []:
        if parameter["name"] == name:
            return "" if parameter["unit"] == "1" else parameter["unit"]
    for ending, unit in _UNITS.items():
        if name.endswith(ending):
            return unit
    return ""


def read(path):
    """Read a table that popsim wrote (.csv, .npz, .npy, .parquet, .json), or the dictionary that `phase -o FILE.json`
    wrote. Missing numbers become NaN. The record beside the file, where there is one, comes along."""
    path = os.fspath(path)
    record = None
    if os.path.exists(path + ".run.json"):
        with open(path + ".run.json", encoding="utf-8") as f:
            record = json.load(f)
    ending = os.path.splitext(path)[1]
    if ending == ".npz":
        with np.load(path) as arrays:
            return Table({name: arrays[name] for name in arrays.files}, record)
    if ending == ".npy":
        array = np.load(path)
        if array.dtype.names is None:
            return Table({os.path.basename(path)[:-4]: array}, record)
        return Table({name: array[name] for name in array.dtype.names}, record)
    if ending == ".csv":
        return Table(_read_csv(path), record)
    if ending == ".parquet":
        import pandas
        frame = pandas.read_parquet(path)
        return Table({name: frame[name].to_numpy() for name in frame.columns}, record)
    if ending == ".json":
        with open(path, encoding="utf-8") as f:
            data = json.load(f)
        if isinstance(data, dict):
            return data
        names = list(data[0]) if data else []
        return Table({name: _column([_text(row[name]) for row in data]) for name in names}, record)
    raise ValueError(f"{path}: unknown ending {ending!r}; .csv, .npz, .npy, .parquet and .json can be read")


def _text(value):
    if value is None:
        return ""
    return value if isinstance(value, str) else repr(value).lower() if isinstance(value, bool) else repr(value)


def _read_csv(path):
    import csv
    with open(path, encoding="utf-8", newline="") as f:
        rows = csv.reader(f)
        header = next(rows)
        columns = list(zip(*rows)) or [()] * len(header)
    return {name: _column(list(values)) for name, values in zip(header, columns)}


def _column(values):
    """Integers where all are, else floats (a missing one is NaN), else text."""
    for convert in (lambda v: np.array([int(x) for x in v], dtype=np.int64),
                    lambda v: np.array([float(x) if x else np.nan for x in v])):
        try:
            return convert(values)
        except ValueError:
            pass
    return np.array(values, dtype=str)


def command(*arguments):
    """Run popsim with these arguments, as on the command line; return its standard output and standard error. An
    exit code other than 0 raises Error."""
    program = os.environ.get("POPSIM", "popsim")
    try:
        done = subprocess.run([program, *_strings(arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise Error(f"the program {program!r} is not there; put it on the PATH or set POPSIM", 127) from None
    if done.returncode != 0:
        faults = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        raise Error("\n".join(faults) or done.stderr.strip(), done.returncode)
    return done.stdout, done.stderr


def _strings(values):
    return [str(v) for v in values]


def run(model, *arguments, spikes=False, trace=False, rates=False, populations=False, **values):
    """`popsim run`: one row per neuron in .table; with spikes=True, .spikes; with trace="0:4" (neurons; True: those
    that the program takes), .trace; of networks also .rates and .populations.

    values: parameters and flags by name. A number sets it; a NumPy array gives each neuron its own; text is passed as
    it is ("uniform:0:40"). Flags are those of the command line without dashes, with _ for - (time="2s", n=100,
    dt="0.05ms", spikes_on_grid=True). Further arguments are passed as they are ("--waveform", "sine:10Hz:5")."""
    files = {"spikes": spikes, "trace": trace, "rates": rates, "populations": populations}
    if trace not in (False, True):
        values["of"] = trace
    return _call("run", model, arguments, values, [name for name, wanted in files.items() if wanted is not False])


def fi(model, *arguments, **values):
    """`popsim fi`: I is a range ("0:40:0.5", or an array of currents); one row per point in .table."""
    return _call("fi", model, arguments, values)


def map(model, *arguments, **values):  # noqa: A001 (the name of the command)
    """`popsim map`: a grid over any parameters (V_th="10:20/5"); one row per point in .table."""
    return _call("map", model, arguments, values)


def bifurcation(model, *arguments, **values):
    """`popsim bifurcation`: the branches in .table, the special points in .points."""
    return _call("bifurcation", model, arguments, values, ["points"])


def phase(model, *arguments, **values):
    """`popsim phase`: the dictionary of docs/formats.md in .table."""
    return _call("phase", model, arguments, values, ending=".json")


def _call(verb, model, arguments, values, files=(), ending=".npz"):
    with tempfile.TemporaryDirectory(prefix="popsim-") as folder:
        words = [verb, model, *arguments]
        for name, value in values.items():
            words += _word(verb, name, value, folder)
        paths = {"table": os.path.join(folder, "table" + ending)}
        words += ["-o", paths["table"]]
        for name in files:
            paths[name] = os.path.join(folder, name + ".npz")
            words += ["--" + name, paths[name]]
        result = Result(command(*words)[1])
        for name, path in paths.items():
            if os.path.exists(path):
                setattr(result, name, read(path))
        return result


_flags = {}


def _is_flag(verb, name):
    """Whether the help of the command lists --name."""
    if verb not in _flags:
        text = command(verb, "--help")[0]
        _flags[verb] = {word.strip(",") for word in text.split() if word.startswith("--")}
    return "--" + name in _flags[verb]


def _word(verb, name, value, folder):
    """The words of the command line for name = value: a flag if the command has one of this name, else NAME=VALUE."""
    if name == "n" and verb == "run":
        return ["-n", str(value)]
    if name == "m":
        return ["-m", value if isinstance(value, str) else ",".join(value)]
    flag = name.replace("_", "-")
    if _is_flag(verb, flag):
        if isinstance(value, bool):
            return ["--" + flag] if value else []
        return ["--" + flag, str(value)]
    if isinstance(value, np.ndarray) and verb == "run":
        path = os.path.join(folder, name + ".npy")
        np.save(path, np.asarray(value, dtype=float))
        return [f"{name}=@{path}"]
    if isinstance(value, (list, tuple, np.ndarray)):
        return [name + "=" + ",".join(repr(float(x)) for x in value)]
    return [f"{name}={value}"]


def write_sonata(spikes, path, population="default"):
    """Write a table of spikes (columns neuron, time_ms) as a SONATA spike file, with h5py."""
    import h5py
    with h5py.File(path, "w") as f:
        f.attrs["magic"] = np.uint32(0x0A7A)
        f.attrs["version"] = np.array([0, 1], dtype=np.uint32)
        group = f.create_group("spikes/" + population)
        kind = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1")
        group.attrs.create("sorting", 2, dtype=kind)
        group.create_dataset("node_ids", data=np.asarray(spikes["neuron"], dtype=np.uint64))
        group.create_dataset("timestamps", data=np.asarray(spikes["time_ms"], dtype=np.float64))
        group["timestamps"].attrs["units"] = "ms"


def read_sonata(path, population=None):
    """Read a SONATA spike file with h5py: a Table with neuron and time_ms, in the order of the file."""
    import h5py
    with h5py.File(path, "r") as f:
        groups = f["spikes"]
        if population is None:
            if len(groups) != 1:
                raise ValueError(f"{path}: name one of the populations {', '.join(groups)}")
            population = next(iter(groups))
        group = groups[population]
        return Table({"neuron": group["node_ids"][()].astype(np.int64), "time_ms": group["timestamps"][()]})
