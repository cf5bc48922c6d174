// Package bench holds the benchmarks of popsim, for go test -bench and for popsim bench.
//
// A Scenario is one kernel applied to neurons that fire: a model, a method, an instruction set, parameters shared or
// each neuron's own, a way of recording, and a number of neurons, on which depends in which cache their columns fit. A
// Population is the same under pop, with workers and epochs; Work is the cost of a given accuracy. Rows are printed in
// the format of Go benchmarks, so that benchstat reads them.
//
// A time is that of the fastest of many short calls: on a shared machine the fastest is the least disturbed. Phases of
// the neurons are spread evenly over their period, so that every call has the same number of spikes. The ratio of the
// median to the fastest call is printed when it is large.
package bench

import (
	"fmt"
	"regexp"
	"slices"

	"popsim/kernels"
	"popsim/model"
)

// Sizes of a scenario, in neurons: the columns of L1 fit the first-level cache, those of L2 the second, Memory neither.
const (
	L1     = 512
	L2     = 16384
	Memory = 4194304
)

// Scenario is one kernel with its neurons and its way of recording.
type Scenario struct {
	Model  *model.Model
	Method model.Method
	ISA    kernels.ISA
	Each   bool    // every parameter, the current and the gain are each neuron's own
	Apart  bool    // with Each: parameters differ between neurons, by 0.1 % at most; else only the currents do
	Input  bool    // an input is added in every step
	Full   bool    // an input is added in every step, and extrema are kept; else only spikes leave
	N      int     // neurons
	Dt     float64 // ms
	Firing Firing
	Trial  *Trial // the neurons are those of a trial; nil means that they fire as Firing says
}

// Name is the name of the scenario's row, after "BenchmarkKernel/".
func (s Scenario) Name() string {
	name := fmt.Sprintf("model=%s/method=%s/isa=%v/params=%s/n=%d", s.Model.Name, s.Method.Name, s.ISA, s.params(), s.N)
	switch {
	case s.Full:
		name += "/record=full"
	case s.Input:
		name += "/record=input"
	}
	return name
}

func (s Scenario) params() string {
	switch {
	case s.Apart:
		return "apart"
	case s.Each:
		return "each"
	}
	return "uniform"
}

// steps is the number of steps in a call: as many as pop takes in an epoch and sweep in a call, unless that takes so
// long that every call would be disturbed.
func (s Scenario) steps() int {
	if s.N <= L1 && s.ISA != kernels.Go {
		return 1024
	}
	return 64
}

// Selection selects scenarios. The zero value of a field means all of them.
type Selection struct {
	Models []*model.Model
	Method string
	ISA    kernels.ISA    // 0 means all that this processor has
	Quick  bool           // uniform parameters, spikes only, first-level cache
	Dt     float64        // ms; 0 means the method's own
	Rows   *regexp.Regexp // of the names of rows
}

// includes reports whether the row of that name was requested.
func (q Selection) includes(name string) bool { return q.Rows == nil || q.Rows.MatchString(name) }

// Spikes lists scenarios that measure what a spike costs: every kernel in cache at each way of firing.
func (q Selection) Spikes() ([]Scenario, error) {
	var list []Scenario
	err := q.kernels(func(k *kernels.Kernel) error {
		for _, f := range []Firing{Silent, Usual, Fast} {
			s := Scenario{Model: k.Model, Method: k.Method, ISA: k.ISA, N: L1, Dt: q.dt(k.Method), Firing: f}
			if f == Fast && k.Model.Workload.Fast == 0 || !q.includes(s.spikesName()) {
				continue
			}
			list = append(list, s)
		}
		return nil
	})
	return list, err
}

// spikesName is the name of the scenario's row, after "BenchmarkSpikes/".
func (s Scenario) spikesName() string {
	return fmt.Sprintf("model=%s/method=%s/isa=%v/firing=%v", s.Model.Name, s.Method.Name, s.ISA, s.Firing)
}

// Kernels lists the scenarios of a selection. A method without assembly has rows for plain Go alone.
func (q Selection) Kernels() ([]Scenario, error) {
	type kind struct {
		each, input, full bool
		n                 int
		apart             bool
	}
	var kinds []kind
	for _, n := range []int{L1, L2, Memory} {
		for _, each := range []bool{false, true} {
			for _, input := range []bool{false, true} {
				kinds = append(kinds, kind{each: each, input: input, n: n})
			}
			kinds = append(kinds, kind{each: each, input: true, full: true, n: n})
		}
	}
	for _, input := range []bool{false, true} {
		kinds = append(kinds, kind{each: true, apart: true, input: input, n: L1})
	}
	if q.Quick {
		kinds = kinds[:1]
	}
	var list []Scenario
	err := q.kernels(func(k *kernels.Kernel) error {
		for _, x := range kinds {
			s := Scenario{
				Model: k.Model, Method: k.Method, ISA: k.ISA, Each: x.each, Apart: x.apart, Input: x.input, Full: x.full,
				N: x.n, Dt: q.dt(k.Method),
			}
			if q.includes(s.Name()) && (!x.apart || k.Model == model.LIFModel) {
				list = append(list, s)
			}
		}
		return nil
	})
	return list, err
}

// Check returns an error if there is no kernel in the selection.
func (q Selection) Check() error {
	n := 0
	if err := q.kernels(func(*kernels.Kernel) error { n++; return nil }); err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("bench: no model has a method %q on the instruction set %v", q.Method, q.ISA)
	}
	return nil
}

// kernels calls f for every kernel of the selection.
func (q Selection) kernels(f func(*kernels.Kernel) error) error {
	models := q.Models
	if models == nil {
		models = model.All
	}
	sets := kernels.Available()
	if q.ISA != kernels.Auto {
		sets = []kernels.ISA{q.ISA}
	}
	for _, m := range models {
		methods := m.Methods
		if q.Method != "" {
			if len(models) > 1 && !slices.ContainsFunc(methods, func(x model.Method) bool { return x.Name == q.Method }) {
				continue
			}
			one, err := m.Method(q.Method)
			if err != nil {
				return err
			}
			methods = []model.Method{one}
		}
		for _, method := range methods {
			for _, isa := range sets {
				k, err := kernels.For(m, method, isa)
				if err != nil {
					return err
				}
				if k.ISA != isa {
					continue
				}
				if err := f(k); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (q Selection) dt(method model.Method) float64 {
	if q.Dt > 0 {
		return q.Dt
	}
	return method.Dt
}
