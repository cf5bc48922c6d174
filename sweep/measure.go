package sweep

import (
	"fmt"
	"slices"
	"strings"

	"popsim/model"
)

// The measures of a point, in the order of columns. A record holds all of them.
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
	mStatus
	mPattern
	mPeriod
	mAdaptation
	mEnded
	measures
)

type record [measures]float64

// kind says how a measure stands in a table.
type kind int

const (
	number kind = iota
	count
	word
)

var measureList = [measures]struct {
	name string
	kind kind
	doc  string
}{
	mRate:       {"rate_Hz", number, "1000 / mean interval of the spikes after discard; 0 where fewer than two"},
	mRateError:  {"rate_error_Hz", number, "estimate of the numerical error of the rate, from a second resolution"},
	mSpikes:     {"spikes", count, "spikes in the whole run"},
	mLatency:    {"latency_ms", number, "time of the first spike"},
	mISIFirst:   {"isi_first_ms", number, "first interval of the whole run"},
	mISILast:    {"isi_last_ms", number, "last interval of the whole run"},
	mCV:         {"isi_cv", number, "coefficient of variation of the intervals after discard"},
	mVMin:       {"V_min_mV", number, "lowest V after discard"},
	mVMax:       {"V_max_mV", number, "highest V after discard"},
	mStatus:     {"status", word, "ok, or one word for what is to be known of this point: " + strings.Join(statusNames[1:], ", ")},
	mPattern:    {"pattern", word, "the firing pattern by the rule of Pattern: " + strings.Join(patternNames, ", ")},
	mPeriod:     {"period", count, "spikes after which the train repeats itself; empty where it does not"},
	mAdaptation: {"adaptation", number, "mean of (next - this)/(next + this) over neighbouring intervals of the whole run"},
	mEnded:      {"ended", word, "how the run ended: " + strings.Join(endNames, ", ")},
}

// contract is what a sweep tells unless asked for something else.
var contract = []string{
	"rate_Hz", "rate_error_Hz", "spikes", "latency_ms", "isi_first_ms", "isi_last_ms", "isi_cv", "V_min_mV", "V_max_mV", "status",
}

// MeasureNames lists the columns that can be asked for; a name may be given without its unit.
func MeasureNames() []string {
	names := make([]string, measures)
	for j, m := range measureList {
		names[j] = m.name
	}
	return names
}

// MeasureDoc says what a column means.
func MeasureDoc(name string) string {
	for _, m := range measureList {
		if m.name == name {
			return m.doc
		}
	}
	return ""
}

// measuresOf finds measures by name, with or without the unit. Status is always among them.
func measuresOf(names []string) ([]int, error) {
	if names == nil {
		names = contract
	}
	var found []int
	for _, name := range names {
		j := slices.IndexFunc(measureList[:], func(m struct {
			name string
			kind kind
			doc  string
		}) bool {
			return m.name == name || strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(m.name, "_Hz"), "_ms"), "_mV") == name
		})
		if j < 0 {
			if near := model.Nearest(name, MeasureNames()); near != "" {
				return nil, fmt.Errorf("sweep: there is no measure %q; did you mean %q?", name, near)
			}
			return nil, fmt.Errorf("sweep: there is no measure %q (have %s)", name, strings.Join(MeasureNames(), ", "))
		}
		if !slices.Contains(found, j) {
			found = append(found, j)
		}
	}
	if !slices.Contains(found, mStatus) {
		found = append(found, mStatus)
	}
	return found, nil
}

// Status words.
const (
	statusOK = iota
	statusNaN
	statusDrift
	statusStopped
	statusSubthreshold
)

var statusNames = []string{
	"ok",
	"nan",          // a state left the numbers; a smaller dt may help
	"drift",        // the intervals still change at the end: more time or more discard is needed
	"stopped",      // a train that ended long before the run did
	"subthreshold", // an oscillation goes on below V_th: no spikes by definition
}

// How a run ended.
const (
	endTime = iota
	endRest
	endSettled
	endNaN
)

var endNames = []string{"time", "rest", "settled", "nan"}
