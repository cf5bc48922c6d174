// Package record makes the entries of the record beside a result: machine, workers, experiment.
package record

import (
	"fmt"
	"runtime"
	"strings"

	"popsim/kernels"
	"popsim/model"
	"popsim/sched"
)

// AddMachine puts into extra the processor, the system, and the cost of collecting garbage so far.
func AddMachine(extra map[string]any) {
	var gc runtime.MemStats
	runtime.ReadMemStats(&gc)
	extra["go"], extra["system"] = runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH
	extra["processor"], extra["processor_features"] = kernels.Processor(), strings.Join(kernels.Features(), " ")
	extra["cpus"], extra["cpus_allowed"] = runtime.NumCPU(), sched.Allowed()
	extra["gc_cycles"], extra["gc_pause_s"] = gc.NumGC, float64(gc.PauseTotalNs)/1e9
	extra["gc_cpu_fraction"], extra["allocated_bytes"] = gc.GCCPUFraction, gc.TotalAlloc
}

// AddWorkers puts into extra how long each worker computed and waited for the others (s), and its imbalance: its time
// divided by the mean of all, less one.
func AddWorkers(extra map[string]any, s sched.Stats) {
	busy, wait, over := make([]float64, len(s.Busy)), make([]float64, len(s.Wait)), make([]float64, len(s.Busy))
	mean := 0.0
	for i := range busy {
		busy[i], wait[i] = s.Busy[i].Seconds(), s.Wait[i].Seconds()
		mean += busy[i] / float64(len(busy))
	}
	for i := range over {
		if mean > 0 {
			over[i] = busy[i]/mean - 1
		}
	}
	extra["epochs"], extra["worker_busy_s"], extra["worker_wait_s"] = s.Epochs, busy, wait
	extra["worker_imbalance"], extra["imbalance"] = over, s.Imbalance()
}

// SpikeRule describes what a spike of a model is.
func SpikeRule(m *model.Model) string {
	if m.SpikeRule != "" {
		return m.SpikeRule
	}
	if m.Fires == model.Crossing {
		return fmt.Sprintf("upward crossing of V_th, re-armed below V_th - %v mV", model.Rearm)
	}
	return "V reaching V_th"
}
