package sweep

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"

	"popsim/pop"
	"popsim/table"
)

// Drive is the input of the neurons of a sweep besides a constant current: a waveform, noise, or both.
type Drive struct {
	Waveform  func(k int64) float64 // current added to I in step k; nil means none
	Frequency float64               // Hz, of a periodic Waveform, for the column vector_strength; 0 means none
	// Each returns Waveform and Frequency of a point, where axes of the spec's Waveform set numbers of them; Text is then
	// the waveform in writing, and Waveform and Frequency are 0.
	Each func(point int) (wave func(k int64) float64, frequency float64)
	Text string

	Noise pop.Noise
	// runs of each point, with other noise; 0 means one, without the column trial
	Trials int
	// Statistics of the trains of each row: cv2, the local coefficient of variation, and fano, of counts in 100 ms; the
	// columns cv2, cv2_se, fano, fano_se.
	Statistics []string
	Theory     func(params []float64, current float64) float64 // rate (Hz) for the column theory_Hz; nil means none
}

// drivenMeasures are those of a driven sweep, and noisyMeasures those under noise, where V has no recorded extremes.
var (
	drivenMeasures = []int{mRate, mRateError, mSpikes, mLatency, mISIFirst, mISILast, mCV, mVMin, mVMax, mStatus}
	noisyMeasures  = []int{mRate, mRateError, mSpikes, mLatency, mISIFirst, mISILast, mCV, mStatus}
)

// RunDriven runs every point of a grid, and every trial of it, under d: see DrivenJobs.
func RunDriven(ctx context.Context, spec Spec, d Drive, cfg Config) (*table.Table, error) {
	jobs, err := DrivenJobs(spec, d, cfg)
	if err != nil {
		return nil, err
	}
	r, err := RunJobs(ctx, jobs, cfg, nil)
	if err != nil {
		return nil, err
	}
	return r.Table(), nil
}

// The number of rows that advance together as one population: enough for vectors, few enough for all workers and for
// checkpoints.
const (
	leastTogether = 64
	mostTogether  = 1024
)

// DrivenJobs is the sweep of a grid, and of the trials of each point, under d: every row is a neuron of a population.
// Rates are spikes counted after Discard over their time; the error is that of counting. No point is retired, and there
// is no second resolution. A neuron's noise depends on its trial and point alone. The columns are the measures of the
// spec (status among them), vector_strength with its error, and theory_Hz. cfg is how the jobs will be run.
func DrivenJobs(spec Spec, d Drive, cfg Config) (*Jobs, error) {
	p, columns, err := spec.driven(d)
	if err != nil {
		return nil, err
	}
	s := &drivenSweep{plan: p, Drive: d, trials: max(1, d.Trials), columns: columns, isa: cfg.ISA}
	j := &Jobs{Grid: p.Grid, Trials: d.Trials, Identity: s.identity(), RunRows: s.run}
	each := int(j.Grid.Points()) * s.trials / max(1, cfg.Part.Of) / (4 * max(1, cfg.Workers))
	j.Together = min(mostTogether, max(leastTogether, each/leastTogether*leastTogether))
	for _, c := range columns {
		m := measureList[c]
		j.Columns = append(j.Columns, JobColumn{Name: m.name, Count: m.count, Words: m.words})
	}
	j.Columns = append(j.Columns, s.statisticColumns()...)
	if s.periodic() {
		j.Columns = append(j.Columns, JobColumn{Name: "vector_strength"}, JobColumn{Name: "vector_strength_se"})
	}
	if s.Theory != nil {
		j.Columns = append(j.Columns, JobColumn{Name: "theory_Hz"})
	}
	return j, j.Check()
}

// periodic reports whether there are phases to which spikes may lock.
func (s *drivenSweep) periodic() bool { return s.Frequency > 0 || s.Each != nil }

// identity is, in writing, all that decides the numbers besides grid and trials.
func (s *drivenSweep) identity() string {
	text, err := json.Marshal(s.plan.experiment())
	if err != nil {
		panic("bug: sweep: " + err.Error())
	}
	wave := fnv.New64a()
	for k := range pop.Steps(s.Time, s.Dt) {
		if s.Waveform == nil {
			break
		}
		binary.Write(wave, binary.LittleEndian, s.Waveform(k)) // never an error
	}
	return fmt.Sprintf("%s%s noise %+v wave %016x %s %v theory %t", drivenIdentity, text, s.Noise, wave.Sum64(), s.Text,
		s.Frequency, s.Theory != nil)
}

// CheckDriven returns an error if a driven sweep under d does not support the spec.
func (s Spec) CheckDriven(d Drive) error {
	_, _, err := s.driven(d)
	return err
}

// driven is the plan of a driven sweep, and its measures.
func (s Spec) driven(d Drive) (p *plan, columns []int, err error) {
	if p, err = s.plan(); err != nil {
		return nil, nil, err
	}
	if p.From != FromRest || p.Late || p.Resets {
		return nil, nil, errors.New("sweep: a sweep with a waveform or noise starts at rest and has a row for each point")
	}
	known := drivenMeasures
	if d.Noise.White != 0 || d.Noise.OU != 0 || len(d.Noise.Poisson) > 0 {
		known = noisyMeasures
	}
	columns = known
	if p.Measures != nil {
		columns = p.columns
	}
	for _, j := range columns {
		if !slices.Contains(known, j) {
			return nil, nil, fmt.Errorf("sweep: %s is not there under a waveform or noise; rate_Hz, rate_error_Hz, spikes, "+
				"latency_ms, isi_first_ms, isi_last_ms, isi_cv and status are, and V_min_mV and V_max_mV without noise",
				measureList[j].name)
		}
	}
	return p, columns, nil
}

// Driven reports whether these are the jobs of DrivenJobs.
func (j *Jobs) Driven() bool { return strings.HasPrefix(j.Identity, drivenIdentity) }

const drivenIdentity = "driven "

// MeanOfTrials is the table of RunDriven with the mean of the numbers over each point's trials, without the columns
// trial and status. With several trials each column is followed by the standard error of its mean, in place of those
// that the trials have.
func MeanOfTrials(t *table.Table, trials int) *table.Table {
	out := &table.Table{}
	for _, c := range t.Columns {
		var numbers []float64
		switch v := c.Values.(type) {
		case []float64:
			numbers = v
		case []int64:
			for _, x := range v {
				numbers = append(numbers, float64(x))
			}
		}
		if numbers == nil || c.Name == "trial" || trials > 1 && strings.HasSuffix(c.Name, "_se") {
			continue
		}
		var means, errors []float64
		for one := range slices.Chunk(numbers, trials) {
			m, sd := mean(one), 0.0
			for _, x := range one {
				sd += float64((x - m) * (x - m))
			}
			means = append(means, m)
			errors = append(errors, math.Sqrt(sd/float64(len(one)-1)/float64(len(one))))
		}
		out.Columns = append(out.Columns, table.Col(c.Name, means))
		if trials > 1 {
			out.Columns = append(out.Columns, table.Col(c.Name+"_se", errors))
		}
	}
	return out
}
