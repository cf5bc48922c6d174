package pop

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"popsim/kernels"
	"popsim/sched"
)

// resolve checks a spec and a configuration and fills in their defaults; duration is in ms.
func resolve(spec Spec, cfg Config, duration float64) (*Population, error) {
	m := spec.Model
	method, err := m.Method(spec.Method)
	if err != nil {
		return nil, err
	}
	if cfg.Dt == 0 {
		cfg.Dt = method.Dt
	}
	if cfg.Workers == 0 {
		cfg.Workers = sched.Allowed()
	}
	if spec.P == nil {
		spec.P = make([]kernels.Values, len(m.Params))
	}
	for j, q := range m.Params {
		if spec.P[j] == nil {
			spec.P[j] = kernels.Values{q.Default}
		}
	}
	if spec.I == nil {
		spec.I = kernels.Values{0}
	}
	if spec.Gain == nil {
		spec.Gain = kernels.Values{1}
	}
	if spec.Init == nil {
		spec.Init = make([]kernels.Values, len(m.States))
	}
	if err := check(spec, cfg, duration); err != nil {
		return nil, err
	}
	kernel, err := kernels.For(m, method, cfg.ISA)
	if err != nil {
		return nil, err
	}
	p := &Population{
		spec: spec, cfg: cfg, kernel: kernel, dt: cfg.Dt, total: Steps(duration, cfg.Dt),
		noisy: newNoisy(cfg.Noise, cfg.Dt),
	}
	p.sum.Kernel = kernel
	return p, nil
}

// check reports all errors in a spec together.
func check(spec Spec, cfg Config, duration float64) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("pop: "+format, args...)) }
	if spec.N < 1 {
		fault("%d neurons; at least 1 is needed", spec.N)
		return errors.Join(faults...)
	}
	if err := cfg.Noise.check(spec.Model); err != nil {
		faults = append(faults, err)
	}
	if !(cfg.Dt > 0) || math.IsInf(cfg.Dt, 0) {
		fault("dt is %v ms; it must be a positive number", cfg.Dt)
	}
	if !(duration >= 0) || math.IsInf(duration, 0) {
		fault("the time is %v ms; it must be a number that is not negative", duration)
	} else if duration/cfg.Dt >= 1<<53 {
		fault("%v ms are %.3g steps of %v ms; steps are counted up to 2^53", duration, duration/cfg.Dt, cfg.Dt)
	}
	if cfg.Extrema && !cfg.Noise.none() {
		fault("extremes of V are not kept under noise")
	}
	checkValues(spec, fault)
	if cfg.Trace != nil {
		for _, i := range cfg.Trace.Of {
			if i < 0 || i >= int64(spec.N) {
				fault("there is no neuron %d to trace; they go from 0 to %d", i, spec.N-1)
			}
		}
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	return checkParameters(spec)
}

// checkValues calls fault for values that are not finite, or whose number does not fit the neurons.
func checkValues(spec Spec, fault func(format string, args ...any)) {
	check := func(name string, v kernels.Values) {
		if v != nil && len(v) != 1 && len(v) != spec.N {
			fault("%s has %d values for %d neurons; 1 or %d will do", name, len(v), spec.N, spec.N)
		}
		for i, x := range v {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				fault("%s of neuron %d is %v; it must be a finite number", name, i, x)
				break
			}
		}
	}
	for j, q := range spec.Model.Params {
		check(q.Name, spec.P[j])
	}
	check("I", spec.I)
	check("gain", spec.Gain)
	for j, s := range spec.Model.States {
		check(s.Name+"0", spec.Init[j])
	}
}

// checkParameters returns the faults of the first neuron whose parameters the model does not allow.
func checkParameters(spec Spec) error {
	each := slices.ContainsFunc(spec.P, func(v kernels.Values) bool { return len(v) > 1 })
	n := 1
	if each {
		n = spec.N
	}
	p := make([]float64, len(spec.P))
	for i := range n {
		for j, v := range spec.P {
			p[j] = v.At(i)
		}
		if err := spec.Model.Check(p); err != nil {
			if each {
				return fmt.Errorf("pop: neuron %d: %w", i, err)
			}
			return err
		}
	}
	return nil
}

// Forecast returns the memory (bytes) that a run of spec with cfg will take, besides that of the slices in spec.
func Forecast(spec Spec, cfg Config) (int64, error) {
	n := spec.N
	spec.N = 1
	one := cfg
	one.Trace = nil
	single := func(v kernels.Values) kernels.Values {
		if len(v) > 1 {
			return v[:1]
		}
		return v
	}
	varies := map[string]bool{"I": len(spec.I) > 1, "gain": len(spec.Gain) > 1}
	p := slices.Clone(spec.P)
	for j := range p {
		varies[spec.Model.Params[j].Name] = len(p[j]) > 1
		p[j] = single(p[j])
	}
	spec.P, spec.I, spec.Gain = p, single(spec.I), single(spec.Gain)
	init := slices.Clone(spec.Init)
	for j := range init {
		init[j] = single(init[j])
	}
	spec.Init = init
	c, err := resolve(spec, one, 1)
	if err != nil {
		return 0, err
	}
	each := int64(c.kernel.Bytes(varies))
	if cfg.Train {
		each += trainBytes
		if cfg.mayHavePeriods(spec.Model) {
			each += recentBytes
		}
	}
	padded := (int64(n) + kernels.Group - 1) / kernels.Group * kernels.Group
	return padded * each, nil
}
