package sweep

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"popsim/equations"
	"popsim/model"
)

// A checkpoint is a file with the results of a range of chains: a line that says what it is, a line of JSON with the
// experiment and the range, the columns as little-endian float64, the lists of values, and a SHA-256 of all that. It is
// written under a temporary name and renamed, so a file with a final name is complete; the checksum detects damage to
// it later.

// generation is increased when the same experiment gives other numbers than before, so that older files are refused.
const generation = 1

var checkpointMagic = fmt.Sprintf("popsim sweep checkpoint %d\n", generation)

// header is the second line of a checkpoint.
type header struct {
	Experiment experiment
	Jobs       *jobsText `json:",omitempty"` // of Jobs, whose Experiment is empty
	First, End int       // chains; rows of Jobs
	Work       Work
	Record     json.RawMessage `json:",omitempty"` // of a part, see Config.Record
}

// Work is the cost of a checkpoint or part.
type Work struct {
	LaneSteps int64
	Seconds   float64
}

func (w *Work) add(v Work) { w.LaneSteps, w.Seconds = w.LaneSteps+v.LaneSteps, w.Seconds+v.Seconds }

// experiment is a resolved Spec as it is written to JSON.
type experiment struct {
	Model, Method string
	P             []exact
	I             exact
	Init          []exact
	Axes          []axisText
	Zip           bool
	Time, Discard exact
	Dt, Coarse    exact
	Equations     string `json:",omitempty"` // the text of the file of Model
	From          string
	Full, NoError bool
	Late, Resets  bool
	Measures      []string
}

type axisText struct {
	Name, Unit string
	Values     []exact `json:",omitempty"`
	N          int
	Ends       [4]exact // start, stop, step, ticks
	Log        bool
}

// exact is a float64 that JSON holds exactly, also NaN: as a string.
type exact float64

func (x exact) MarshalJSON() ([]byte, error) {
	return strconv.AppendQuote(nil, strconv.FormatFloat(float64(x), 'g', -1, 64)), nil
}

func (x *exact) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	v, err := strconv.ParseFloat(s, 64)
	*x = exact(v)
	return err
}

func exacts(values []float64) (found []exact) {
	for _, v := range values {
		found = append(found, exact(v))
	}
	return found
}

func floats(values []exact) (found []float64) {
	for _, v := range values {
		found = append(found, float64(v))
	}
	return found
}

func (p *plan) experiment() experiment {
	x := experiment{
		Model: p.Model.Name, Method: p.Method, P: exacts(p.P), I: exact(p.I), Init: exacts(p.Init), Zip: p.Grid.Zip,
		Time: exact(p.Time), Discard: exact(p.Discard), Dt: exact(p.Dt), Coarse: exact(p.coarse), From: p.From.String(),
		Full: p.Full, NoError: p.NoError, Late: p.Late, Resets: p.Resets, Equations: p.Model.Text,
	}
	if p.Model.File != "" {
		x.Model = p.Model.File
	}
	for _, j := range p.columns {
		x.Measures = append(x.Measures, measureList[j].name)
	}
	x.Axes = axisTexts(p.Grid.Axes)
	return x
}

// axisTexts returns axes in the form in which they are written.
func axisTexts(axes []Axis) (texts []axisText) {
	for _, a := range axes {
		ends := [4]exact{exact(a.start), exact(a.stop), exact(a.step), exact(a.ticks)}
		texts = append(texts, axisText{a.Name, a.Unit, exacts(a.list), a.n, ends, a.log})
	}
	return texts
}

// gridOf is the inverse of axisTexts.
func gridOf(axes []axisText, zip bool) (g Grid, err error) {
	g.Zip = zip
	for _, a := range axes {
		if a.N < 0 || a.Values != nil && a.N != len(a.Values) {
			return g, fmt.Errorf("the header announces %d values of %s, and has %d", a.N, a.Name, len(a.Values))
		}
		g.Axes = append(g.Axes, Axis{
			Name: a.Name, Unit: a.Unit, list: floats(a.Values), n: a.N,
			start: float64(a.Ends[0]), stop: float64(a.Ends[1]), step: float64(a.Ends[2]), ticks: float64(a.Ends[3]), log: a.Log,
		})
	}
	return g, nil
}

// spec returns the Spec of an experiment.
func (x experiment) spec() (s Spec, err error) {
	s = Spec{
		Method: x.Method, P: floats(x.P), I: float64(x.I), Init: floats(x.Init), Time: float64(x.Time),
		Discard: float64(x.Discard),
		Dt:      float64(x.Dt), Full: x.Full, NoError: x.NoError, Late: x.Late, Resets: x.Resets,
		Measures: x.Measures,
	}
	if s.Grid, err = gridOf(x.Axes, x.Zip); err != nil {
		return s, err
	}
	if s.From, err = ParseFrom(x.From); err == nil {
		s.Model, err = x.model()
	}
	return s, err
}

// model is a built-in model, or that of the equations that the experiment holds.
func (x experiment) model() (*model.Model, error) {
	if x.Equations != "" {
		return equations.Parse(x.Model, []byte(x.Equations))
	}
	return model.Lookup(x.Model)
}

// text returns the experiment as JSON. Two experiments are the same if their texts are.
func (x experiment) text() []byte {
	text, err := json.Marshal(x)
	if err != nil {
		panic("bug: sweep: " + err.Error())
	}
	return text
}

// checkpoint returns the content of a checkpoint with the chains first to end-1 of r, which have cost work; record is
// stored with it if it is not nil.
func (r *Result) checkpoint(first, end int, work Work, record any) []byte {
	var b bytes.Buffer
	b.WriteString(checkpointMagic)
	h := header{Experiment: r.plan.experiment(), First: first, End: end, Work: work}
	if text, err := json.Marshal(record); err == nil && record != nil {
		h.Record = text // a record that JSON cannot hold is left out: the part is worth more
	}
	head, err := json.Marshal(h)
	if err != nil {
		panic("bug: sweep: " + err.Error())
	}
	b.Write(head)
	b.WriteByte('\n')
	lo, hi := r.slotRange(first, end)
	for _, j := range r.plan.kept() {
		b.Write(doubles(r.columns[j][lo:hi]))
	}
	for _, lists := range r.lists() {
		for _, list := range lists[lo:hi] {
			b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(list))))
			b.Write(doubles(list))
		}
	}
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:])
	return b.Bytes()
}

// lists returns the lists of values by slot that r stores.
func (r *Result) lists() (kept [][][]float64) {
	for _, l := range [][][]float64{r.late, r.resets} {
		if l != nil {
			kept = append(kept, l)
		}
	}
	return kept
}

// slotRange returns the range of indices in the columns of the chains first to end-1.
func (r *Result) slotRange(first, end int) (lo, hi int) {
	return r.plan.slot(first, 0) - r.base, r.plan.slot(end-1, 0) + r.plan.links(end-1) - r.base
}

func doubles(values []float64) []byte {
	b := make([]byte, 0, 8*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

// checkpointFile is a complete checkpoint or part on disk.
type checkpointFile struct {
	path string
	header
	start, end int64 // of the columns and lists, bytes
}

// openCheckpoint reads a file once, with little memory, and checks that it is complete and undamaged.
func openCheckpoint(path string) (q checkpointFile, err error) {
	f, err := os.Open(path)
	if err != nil {
		return q, fmt.Errorf("sweep: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return q, fmt.Errorf("sweep: %w", err)
	}
	sum := sha256.New()
	q.path, q.end = path, info.Size()-sha256.Size
	if q.end < 0 {
		return q, torn(path)
	}
	body := bufio.NewReaderSize(io.TeeReader(io.LimitReader(f, q.end), sum), 1<<16)
	if magic := make([]byte, len(checkpointMagic)); q.end < int64(len(magic)) {
		return q, torn(path)
	} else if _, err := io.ReadFull(body, magic); err != nil || string(magic) != checkpointMagic {
		return q, fmt.Errorf("sweep: %s is no checkpoint of a sweep, or one of another version", path)
	}
	head, err := body.ReadBytes('\n')
	if err != nil {
		return q, torn(path)
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return q, fmt.Errorf("sweep: %w", err)
	}
	stored, err := io.ReadAll(f)
	if err != nil || !bytes.Equal(stored, sum.Sum(nil)) {
		return q, torn(path)
	}
	if json.Unmarshal(head, &q.header) != nil || q.First < 0 || q.First >= q.End {
		return q, torn(path)
	}
	q.start = int64(len(checkpointMagic) + len(head))
	return q, nil
}

// identity returns the text of the experiment or the jobs that the file belongs to.
func (q checkpointFile) identity() []byte {
	if q.Jobs != nil {
		return q.Jobs.bytes()
	}
	return q.Experiment.text()
}

// size returns the number of chains and of points of the sweep that the file belongs to; 0 if they are not known.
func (q checkpointFile) size() (chains, points int) {
	if q.Jobs != nil {
		j, err := q.Jobs.jobs()
		if err != nil {
			return 0, 0
		}
		return j.Rows(), j.Rows()
	}
	spec, err := q.Experiment.spec()
	if err != nil {
		return 0, 0
	}
	chains, _ = spec.chains()
	return chains, int(spec.Grid.Points()) * len(spec.From.branches())
}

// payload returns the content of the file after its header, without the checksum.
func (q checkpointFile) payload() ([]byte, error) {
	f, err := os.Open(q.path)
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	defer f.Close()
	b := make([]byte, q.end-q.start)
	if _, err := f.ReadAt(b, q.start); err != nil {
		return nil, fmt.Errorf("sweep: %s: %w", q.path, err)
	}
	return b, nil
}

func torn(path string) error {
	return fmt.Errorf("sweep: %s is torn: its checksum does not fit; remove it and run its part again", path)
}

// load reads a checkpoint into r.
func (r *Result) load(h checkpointFile) error {
	path := h.path
	payload, err := h.payload()
	if err != nil {
		return err
	}
	if h.End > r.plan.chains() {
		return torn(path)
	}
	lo, hi := r.slotRange(h.First, h.End)
	if lo < 0 || hi > r.slots() {
		return fmt.Errorf("sweep: %s holds chains %d to %d, which do not belong here", path, h.First, h.End-1)
	}
	next := func() (float64, bool) {
		if len(payload) < 8 {
			return 0, false
		}
		x := math.Float64frombits(binary.LittleEndian.Uint64(payload))
		payload = payload[8:]
		return x, true
	}
	ok := true
	for _, j := range r.plan.kept() {
		for i := lo; i < hi && ok; i++ {
			r.columns[j][i], ok = next()
		}
	}
	for _, lists := range r.lists() {
		for i := lo; i < hi && ok; i++ {
			if len(payload) < 4 {
				return torn(path)
			}
			n := int(binary.LittleEndian.Uint32(payload))
			payload = payload[4:]
			if ok = n <= len(payload)/8; ok {
				lists[i] = make([]float64, n)
				for k := range n {
					lists[i][k], _ = next()
				}
			}
		}
	}
	if !ok || len(payload) > 0 {
		return torn(path)
	}
	return nil
}

// The names of checkpoints and parts begin with the path they are kept for.
const (
	checkpointMark = ".checkpoint-"
	partMark       = ".part-"
	tempMark       = ".tmp"
)

// PartPath returns the path of the file of a part.
func PartPath(keep string, p Part) string {
	return fmt.Sprintf("%s%s%d-of-%d", keep, partMark, p.Number, p.Of)
}

func checkpointPath(keep string, first, end int) string {
	return fmt.Sprintf("%s%s%d-%d", keep, checkpointMark, first, end)
}

// beside lists the files whose names begin with path followed by mark, in the order of their names.
func beside(path, mark string) ([]string, error) {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(dir + "."))
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	var found []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), base+mark) {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	return found, nil
}

// Discard removes the checkpoints of a sweep with Config.Keep = path; it is called after the table is written.
func Discard(path string) error {
	found, err := beside(path, checkpointMark)
	for _, name := range found {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// HasCheckpoints reports whether there are checkpoints of a sweep with Config.Keep = path.
func HasCheckpoints(path string) bool {
	found, err := beside(path, checkpointMark)
	return err == nil && slices.ContainsFunc(found, func(name string) bool { return !strings.HasSuffix(name, tempMark) })
}

// write writes a file completely or not at all.
func write(path string, data []byte) error {
	f, err := os.Create(path + tempMark)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}

// leastSlot is the least number of bytes that a slot takes in a checkpoint: the measures that kept always includes.
const leastSlot = 4 * 8

// chains counts the chains of a spec without laying them out.
func (s Spec) chains() (int, error) {
	if err := s.Grid.Check(); err != nil {
		return 0, err
	}
	n := 0
	for _, from := range s.From.branches() {
		points, j := int(s.Grid.Points()), s.Grid.axis("I")
		if from != FromRest && j < 0 {
			return 0, fmt.Errorf("from %s carries states through the currents, but I is no axis", s.From)
		}
		if from != FromRest {
			points /= s.Grid.Axes[j].Len()
		}
		n += points
	}
	return n, nil
}

// Digest is a short name of the experiment, the same for all its parts.
func (r *Result) Digest() string { return r.plan.experiment().digest() }

// Digest is that of every Result of the spec. The error is that of Check.
func (s Spec) Digest() (string, error) {
	p, err := s.plan()
	if err != nil {
		return "", err
	}
	return p.experiment().digest(), nil
}

func (x experiment) digest() string { return digestOf(x.text()) }

func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
