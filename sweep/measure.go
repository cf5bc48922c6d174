package sweep

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"popsim/model"
)

// The numbers of the measures of a point, in the order of the columns. A record holds all of them.
const (
	mRate = iota
	mRateError
	mSpikes
	mLatency
	mISIFirst
	mISILast
	mCV
	mVMin
	mVMax
	mWMin
	mWMax
	mStatus
	mPattern
	mMargin
	mPeriod
	mAdaptation
	mEnded
	mEndedAt
	mBurstSpikes
	mBurstRate
	measures
)

// record holds the measures of a point; NaN where one is missing.
type record [measures]float64

// measure is a column of the table.
type measure struct {
	name  string
	count bool     // a whole number, never missing
	words []string // what its values stand for, or nil for numbers
	doc   string
}

var measureList = [measures]measure{
	mRate: {"rate_Hz", false, nil, "1000 / mean interval of the spikes after discard, over whole periods where the " +
		"train repeats itself; 0 where fewer than two"},
	mRateError: {"rate_error_Hz", false, nil, "estimate of the error of the rate: numerical, from a second resolution, " +
		"and what the length of the run leaves open"},
	mSpikes:   {"spikes", true, nil, "spikes in the whole run"},
	mLatency:  {"latency_ms", false, nil, "time of the first spike"},
	mISIFirst: {"isi_first_ms", false, nil, "first interval of the whole run"},
	mISILast:  {"isi_last_ms", false, nil, "last interval of the whole run"},
	mCV:       {"isi_cv", false, nil, "coefficient of variation of the intervals after discard; cv means the same"},
	mVMin:     {"V_min_mV", false, nil, "lowest V after discard"},
	mVMax:     {"V_max_mV", false, nil, "highest V after discard"},
	mWMin:     {"w_min_pA", false, nil, "lowest w after discard, of a model that has one"},
	mWMax:     {"w_max_pA", false, nil, "highest w after discard"},
	mStatus: {"status", false, statusNames, "ok, or one word for what is to be known of this point: " +
		strings.Join(statusNames[1:], ", ")},
	mPattern: {"pattern", false, patternNames, "the firing pattern by the rule in docs/numerics.md: " +
		strings.Join(patternNames, ", ")},
	mMargin: {"pattern_margin", false, nil, "how far the quantity that decided the pattern is from its bound, as a " +
		"factor; near 1 means a close call; missing where nothing was close"},
	mPeriod: {"period", false, nil, "spikes after which the train repeats itself; empty where it does not"},
	mAdaptation: {"adaptation", false, nil, "mean of (next - this)/(next + this) over neighbouring intervals of the " +
		"whole run"},
	mEnded: {"ended", false, endNames, "how the run ended: " + strings.Join(endNames, ", ")},
	mEndedAt: {"ended_ms", false, nil, "when it ended: of a neuron that runs away, when that was seen; empty where a " +
		"state became NaN"},
	mBurstSpikes: {
		"burst_spikes", false, nil,
		"spikes per burst of a bursting train, over whole periods; empty of others",
	},
	mBurstRate: {"burst_rate_Hz", false, nil, "bursts per second of a bursting train"},
}

// usual are the columns if Spec.Measures is nil.
var usual = []string{
	"rate_Hz", "rate_error_Hz", "spikes", "latency_ms", "isi_first_ms", "isi_last_ms", "isi_cv", "V_min_mV", "V_max_mV",
	"status",
}

// MeasureNames lists the names of all measures; Spec.Measures may give them without their unit.
func MeasureNames() []string {
	names := make([]string, measures)
	for j, m := range measureList {
		names[j] = m.name
	}
	return names
}

// MeasureDoc describes a measure in a sentence; "" for an unknown name.
func MeasureDoc(name string) string {
	if j := measureNamed(name); j >= 0 {
		return measureList[j].doc
	}
	return ""
}

// MeasureColumn returns the name, with its unit, of a measure that is named with or without it; "" for an unknown name.
func MeasureColumn(name string) string {
	if j := measureNamed(name); j >= 0 {
		return measureList[j].name
	}
	return ""
}

// MeasureWords lists the words that the values 0, 1, 2 ... of a measure stand for; nil for a measure that is a number.
func MeasureWords(name string) []string {
	if j := measureNamed(name); j >= 0 {
		return slices.Clone(measureList[j].words)
	}
	return nil
}

// measureNamed returns the number of a measure, named with or without its unit, or -1. What networks call cv is isi_cv.
func measureNamed(name string) int {
	if name == "cv" {
		return mCV
	}
	return slices.IndexFunc(measureList[:], func(m measure) bool { return m.name == name || unitless(m.name) == name })
}

// SetMeasures sets Measures, Late and Resets from names, with or without their unit. V and w stand for the two columns
// of their extremes, isi for Late and w_reset for Resets. Both Late and Resets are an error, because each gives rows of
// its own. Unknown names are reported by Check.
func (s *Spec) SetMeasures(names []string) error {
	for _, m := range names {
		switch m {
		case "isi", "isi_ms":
			s.Late = true
		case "w_reset", "w_reset_pA":
			s.Resets = true
		case "V":
			s.Measures = append(s.Measures, "V_min_mV", "V_max_mV")
		case "w":
			s.Measures = append(s.Measures, "w_min_pA", "w_max_pA")
		default:
			s.Measures = append(s.Measures, m)
		}
	}
	if s.Late && s.Resets {
		return errors.New("sweep: isi and w_reset both give rows of their own")
	}
	return nil
}

// measuresOf returns the numbers of measures, named with or without their unit. Status is always among them.
func measuresOf(names []string) ([]int, error) {
	if names == nil {
		names = usual
	}
	var found []int
	var faults []error
	for _, name := range names {
		j := measureNamed(name)
		switch {
		case j < 0:
			hint := "have " + strings.Join(MeasureNames(), ", ")
			if near := model.Nearest(name, MeasureNames()); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			faults = append(faults, fmt.Errorf("sweep: there is no measure %q; %s", name, hint))
		case !slices.Contains(found, j):
			found = append(found, j)
		}
	}
	if !slices.Contains(found, mStatus) {
		found = append(found, mStatus)
	}
	return found, errors.Join(faults...)
}

// unitless returns the name of a measure without its unit.
func unitless(name string) string {
	for _, unit := range []string{"_Hz", "_ms", "_mV", "_pA"} {
		name = strings.TrimSuffix(name, unit)
	}
	return name
}

// How a run ended.
const (
	endTime = iota
	endRest
	endSettled
	endNaN
	endRunaway
)

var endNames = []string{"time", "rest", "settled", "nan", "runaway"}
