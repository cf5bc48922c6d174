package rng

import (
	"math"
	"os"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// draws is the number of draws in the tests of laws: more in the long form.
func draws() int {
	if os.Getenv("POPSIM_LONG") != "" {
		return 1 << 28
	}
	return 1 << 20
}

// TestPhiloxVectors compares with the known answers that the authors publish (Random123, kat_vectors).
func TestPhiloxVectors(t *testing.T) {
	const all = 0xffffffff
	for _, c := range []struct {
		counter Block
		key     [2]uint32
		want    Block
	}{
		{Block{}, [2]uint32{}, Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{Block{all, all, all, all}, [2]uint32{all, all}, Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{
			Block{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
			[2]uint32{0xa4093822, 0x299f31d0},
			Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		},
	} {
		if got := Philox4x32(c.counter, c.key); got != c.want {
			t.Errorf("Philox4x32(%x, %x) = %x, want %x", c.counter, c.key, got, c.want)
		}
	}
}

// TestStreamsBatch: batch functions give what At gives.
func TestStreamsBatch(t *testing.T) {
	s := NewStream(7, "weight E to I")
	words := make([]uint32, 11)
	s.Words(words, 3, 100)
	for j, w := range words {
		if want := s.At(3, 100+uint32(j/4))[j%4]; w != want {
			t.Errorf("Words[%d] = %x, want %x", j, w, want)
		}
	}
	s.WordsOf(words, 50, 9, 2)
	blocks := make([]Block, len(words))
	s.Blocks(blocks, 50, 9)
	for j, w := range words {
		if want := s.At(50+uint32(j), 9); w != want[2] || blocks[j] != want {
			t.Errorf("id %d: word %x, block %x, want %x", 50+j, w, blocks[j], want)
		}
	}
}

// TestStreamsDiffer: seeds, names, ids and counters that differ give other words.
func TestStreamsDiffer(t *testing.T) {
	seen := map[uint64]string{}
	for _, name := range []string{"a", "b"} {
		for seed := range uint64(3) {
			for id := range uint32(20) {
				for counter := range uint32(20) {
					w := NewStream(seed, name).Uint64(id, counter)
					if before, ok := seen[w]; ok {
						t.Fatalf("%x twice: %s and %s", w, before, name)
					}
					seen[w] = name
				}
			}
		}
	}
}

// TestFunctions: Log and Exp, which are within 1 ulp of the exact value, are within 2 of the standard library, whose
// Exp in assembly is within 1 too.
func TestFunctions(t *testing.T) {
	const ulps = 2
	s := NewStream(1, "functions")
	for i := range uint32(100_000) {
		u := s.Uniform(i, 0)
		x := math.Ldexp(u, int(s.At(i, 1)[0]%2000)-1000)
		if got, want := Log(x), math.Log(x); math.Abs(got-want) > ulps*ulp(want) {
			t.Fatalf("Log(%v) = %v, want %v", x, got, want)
		}
		x = 1400 * (u - 0.5)
		if got, want := Exp(x), math.Exp(x); math.Abs(got-want) > ulps*ulp(want) {
			t.Fatalf("Exp(%v) = %v, want %v", x, got, want)
		}
	}
	if Log(1) != 0 || Exp(0) != 1 || Exp(-800) != 0 || !math.IsInf(Exp(710), 1) {
		t.Error("Log(1), Exp(0), Exp(-800), Exp(710) =", Log(1), Exp(0), Exp(-800), Exp(710))
	}
}

func ulp(x float64) float64 { return math.Nextafter(math.Abs(x), math.Inf(1)) - math.Abs(x) }

// normalError bounds the error of Normal32: the cubic's on the widest cells, those where the density falls fastest.
const normalError = 2.5e-8

// TestNormalQuantile: Normal32 inverts the distribution function, at every scale of the tail, increases, and is odd.
func TestNormalQuantile(t *testing.T) {
	worst := 0.0
	check := func(w uint32) {
		u := Uniform32(w)
		got := Normal32(w)
		want := -math.Sqrt2 * math.Erfcinv(2*u)
		worst = max(worst, math.Abs(got-want))
		if mirror := Normal32(^w); mirror != -got {
			t.Fatalf("Normal32(%x) = %v, Normal32(%x) = %v", w, got, ^w, mirror)
		}
		if w > 0 && Normal32(w-1) > got {
			t.Fatalf("Normal32(%x) = %v > Normal32(%x) = %v", w-1, Normal32(w-1), w, got)
		}
	}
	for w := range uint32(1 << 16) {
		check(w)
		check(w << 15)
		check(w*32768 + 77)
	}
	if worst > normalError {
		t.Errorf("largest error %v, allowed %v", worst, normalError)
	}
	if x := Normal32(math.MaxUint32); x < 6.33 || x > 6.34 {
		t.Errorf("largest deviate %v, want 6.338", x)
	}
}

// leastP is the probability below which a test of a law fails. Seeds are fixed, so a test that passes always passes.
const leastP = 1e-3

// chiSquared returns the probability of counts at least as far from those expected. Cells of fewer than 20 are joined.
func chiSquared(counts []int, probabilities []float64) float64 {
	total := 0
	for _, c := range counts {
		total += c
	}
	stat, cells := 0.0, 0
	var c, e float64
	for i, p := range probabilities {
		c += float64(counts[i])
		e += p * float64(total)
		if e >= 20 {
			stat += (c - e) * (c - e) / e
			cells++
			c, e = 0, 0
		}
	}
	if e > 0 {
		stat += (c - e) * (c - e) / max(e, 1)
		cells++
	}
	return distuv.ChiSquared{K: float64(cells - 1)}.Survival(stat)
}

// TestContinuousLaws draws from each continuous law and compares moments, cells of the body and cells of the tail.
func TestContinuousLaws(t *testing.T) {
	const mu, sigma = 0.3, 0.5
	laws := []struct {
		name           string
		at             func(Block) float64
		cdf            func(float64) float64
		mean, variance float64
		edges          []float64
	}{
		{
			"uniform32", func(b Block) float64 { return Uniform32(b[0]) }, func(x float64) float64 { return x }, 0.5,
			1.0 / 12, grid(0.001, 0.999, 500),
		},
		{
			"uniform64", func(b Block) float64 { return Uniform64(uint64(b[1])<<32 | uint64(b[0])) },
			func(x float64) float64 { return x }, 0.5, 1.0 / 12, grid(0.001, 0.999, 500),
		},
		{"normal", func(b Block) float64 { return Normal32(b[2]) }, normalCDF, 0, 1, grid(-4.5, 4.5, 301)},
		{
			"exponential32", func(b Block) float64 { return Exponential32(b[3]) },
			func(x float64) float64 { return -math.Expm1(-x) }, 1, 1, grid(0.01, 13, 300),
		},
		{
			"exponential64", func(b Block) float64 { return Exponential64(uint64(b[1])<<32 | uint64(b[0])) },
			func(x float64) float64 { return -math.Expm1(-x) }, 1, 1, grid(0.01, 13, 300),
		},
		{
			"lognormal", func(b Block) float64 { return LogNormal32(b[1], mu, sigma) },
			func(x float64) float64 { return normalCDF((math.Log(x) - mu) / sigma) },
			math.Exp(mu + sigma*sigma/2), math.Expm1(sigma*sigma) * math.Exp(2*mu+sigma*sigma), grid(0.2, 8, 300),
		},
	}
	n := draws()
	for _, law := range laws {
		t.Run(law.name, func(t *testing.T) {
			s := NewStream(11, law.name)
			counts := make([]int, len(law.edges)+1)
			step := law.edges[1] - law.edges[0]
			var sum, sum2 float64
			for i := range n {
				x := law.at(s.At(uint32(i), 0))
				sum += x - law.mean
				sum2 += (x - law.mean) * (x - law.mean)
				counts[min(max(int(math.Floor((x-law.edges[0])/step))+1, 0), len(law.edges))]++
			}
			p := make([]float64, len(counts))
			before := 0.0
			for i, e := range law.edges {
				p[i] = law.cdf(e) - before
				before = law.cdf(e)
			}
			p[len(p)-1] = 1 - before
			if q := chiSquared(counts, p); q < leastP {
				t.Errorf("chi-squared test: probability %v", q)
			}
			// Four standard errors of the mean; of the variance with a kurtosis of at most 12, that of lognormal and
			// exponential.
			if m := sum / float64(n); math.Abs(m) > 4*math.Sqrt(law.variance/float64(n)) {
				t.Errorf("mean %v, want %v", law.mean+m, law.mean)
			}
			if v := sum2 / float64(n); math.Abs(v-law.variance) > 4*law.variance*math.Sqrt(11/float64(n)) {
				t.Errorf("variance %v, want %v", v, law.variance)
			}
		})
	}
}

func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

func grid(lo, hi float64, n int) []float64 {
	g := make([]float64, n)
	for i := range g {
		g[i] = lo + (hi-lo)*float64(i)/float64(n-1)
	}
	return g
}

// TestSerialIndependence: pairs of normal deviates of neighbouring ids, of neighbouring counters, and of words of one
// block are uncorrelated, and so are their squares.
func TestSerialIndependence(t *testing.T) {
	s := NewStream(5, "pairs")
	n := min(draws(), 1<<22)
	for name, pair := range map[string]func(i uint32) (uint32, uint32){
		"ids":      func(i uint32) (uint32, uint32) { return s.At(i, 0)[0], s.At(i+1, 0)[0] },
		"counters": func(i uint32) (uint32, uint32) { return s.At(0, i)[0], s.At(0, i+1)[0] },
		"words":    func(i uint32) (uint32, uint32) { b := s.At(i, i); return b[0], b[1] },
		"names":    func(i uint32) (uint32, uint32) { return s.At(i, 0)[0], NewStream(5, "pairt").At(i, 0)[0] },
		"seeds":    func(i uint32) (uint32, uint32) { return s.At(i, 0)[0], NewStream(6, "pairs").At(i, 0)[0] },
	} {
		var xy, squares float64
		for i := range uint32(n) {
			v, w := pair(i)
			x, y := Normal32(v), Normal32(w)
			xy += x * y
			squares += (x*x - 1) * (y*y - 1)
		}
		if z := xy / math.Sqrt(float64(n)); math.Abs(z) > 4 {
			t.Errorf("%s: correlation of %v standard errors", name, z)
		}
		if z := squares / (2 * math.Sqrt(float64(n))); math.Abs(z) > 4 {
			t.Errorf("%s: correlation of squares of %v standard errors", name, z)
		}
	}
}

// TestDiscreteLaws compares thresholds with probabilities of the laws, and draws with both.
func TestDiscreteLaws(t *testing.T) {
	laws := map[string]struct {
		set            func(c *Counts) error
		p              func(k int) float64
		mean, variance float64
	}{}
	for _, m := range []float64{1e-9, 0.01, 0.2, 1.6, 8, 40, 1000, 3e5} {
		law := distuv.Poisson{Lambda: m}
		laws["poisson "+formatted(m)] = struct {
			set            func(c *Counts) error
			p              func(k int) float64
			mean, variance float64
		}{func(c *Counts) error { return c.SetPoisson(m) }, func(k int) float64 { return law.Prob(float64(k)) }, m, m}
	}
	for _, b := range []struct {
		n int
		p float64
	}{{1, 0.3}, {10, 0.5}, {1000, 0.002}, {250, 0.99}, {100_000, 0.1}, {5, 1}, {5, 0}} {
		law := distuv.Binomial{N: float64(b.n), P: b.p}
		laws["binomial "+formatted(float64(b.n))+" "+formatted(b.p)] = struct {
			set            func(c *Counts) error
			p              func(k int) float64
			mean, variance float64
		}{
			func(c *Counts) error { return c.SetBinomial(b.n, b.p) },
			func(k int) float64 {
				if b.p == 0 || b.p == 1 {
					return map[bool]float64{true: 1}[float64(k) == float64(b.n)*b.p]
				}
				return law.Prob(float64(k))
			},
			float64(b.n) * b.p, float64(b.n) * b.p * (1 - b.p),
		}
	}
	// resolution is that of a threshold, twice, and what the product of ratios and distuv's logarithms of factorials lose.
	resolution := func(p float64) float64 { return 2*0x1p-32 + 1e-8*p }
	n := draws()
	var c Counts // set anew for each law: memory of the one before leaves no trace
	for name, law := range laws {
		if err := law.set(&c); err != nil {
			t.Fatal(err)
		}
		first, thresholds := c.Thresholds()
		before, p := 0.0, make([]float64, len(thresholds)+1)
		for i := range p {
			next := 0x1p32
			if i < len(thresholds) {
				next = float64(thresholds[i])
			}
			p[i] = law.p(first + i)
			if got := (next - before) / 0x1p32; math.Abs(got-p[i]) > resolution(p[i]) {
				t.Fatalf("%s: P(%d) = %v, want %v", name, first+i, got, p[i])
			}
			before = next
		}
		s := NewStream(3, name)
		counts := make([]int, len(p))
		var sum, sum2 float64
		for i := range n / 4 {
			k := c.At(s.At(uint32(i), 0)[0])
			counts[k-first]++
			sum += float64(k) - law.mean
			sum2 += (float64(k) - law.mean) * (float64(k) - law.mean)
		}
		m := float64(n / 4)
		if len(counts) > 1 && law.variance > 1e-4 {
			if q := chiSquared(counts, p); q < leastP {
				t.Errorf("%s: chi-squared test: probability %v", name, q)
			}
			if math.Abs(sum/m) > 4*math.Sqrt(law.variance/m) {
				t.Errorf("%s: mean %v, want %v", name, law.mean+sum/m, law.mean)
			}
			if v := sum2 / m; math.Abs(v-law.variance) > 4*law.variance*math.Sqrt((2+1/law.variance)/m) {
				t.Errorf("%s: variance %v, want %v", name, v, law.variance)
			}
		}
	}
}

func formatted(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// TestCountsSearch: At is the number of thresholds that are <= the word, at and beside every threshold.
func TestCountsSearch(t *testing.T) {
	for _, mean := range []float64{0, 1.6, 200, 40000} {
		c, err := NewPoisson(mean)
		if err != nil {
			t.Fatal(err)
		}
		first, thresholds := c.Thresholds()
		for i, w := range thresholds {
			above := i + 1
			for above < len(thresholds) && thresholds[above] == w {
				above++
			}
			if got := c.At(w); got != first+above {
				t.Fatalf("mean %v: At(threshold %d) = %d, want %d", mean, i, got, first+above)
			}
			if got := c.At(w - 1); got > first+i {
				t.Fatalf("mean %v: At(threshold %d - 1) = %d, want at most %d", mean, i, got, first+i)
			}
		}
		if got := c.At(0); got != first {
			t.Errorf("mean %v: At(0) = %d, want %d", mean, got, first)
		}
	}
}

// TestRefusals: means and probabilities outside their range are errors.
func TestRefusals(t *testing.T) {
	for _, m := range []float64{-1, math.NaN(), math.Inf(1), 1e9} {
		if _, err := NewPoisson(m); err == nil {
			t.Errorf("NewPoisson(%v) gives no error", m)
		}
	}
	for _, p := range []float64{-0.1, 1.1, math.NaN()} {
		if _, err := NewBinomial(10, p); err == nil {
			t.Errorf("NewBinomial(10, %v) gives no error", p)
		}
	}
	if _, err := NewBinomial(-1, 0.5); err == nil {
		t.Error("NewBinomial(-1, 0.5) gives no error")
	}
}

// TestBelow: each value is taken by a share of words that differs from 1/n by less than one word.
func TestBelow(t *testing.T) {
	for _, n := range []uint32{1, 2, 7, 77169, 1 << 31} {
		if Below(0, n) != 0 || Below(math.MaxUint32, n) != n-1 || Below64(math.MaxUint64, uint64(n)) != uint64(n)-1 {
			t.Errorf("Below %d: ends %d, %d", n, Below(0, n), Below(math.MaxUint32, n))
		}
	}
	const n = 1000
	counts, p := make([]int, n), make([]float64, n)
	s := NewStream(2, "below")
	for i := range draws() {
		counts[Below(s.At(uint32(i), 0)[3], n)]++
	}
	for i := range p {
		p[i] = 1.0 / n
	}
	if q := chiSquared(counts, p); q < leastP {
		t.Errorf("chi-squared test: probability %v", q)
	}
}

func TestLogNormalOf(t *testing.T) {
	mu, sigma := LogNormalOf(2, 1)
	if m, v := math.Exp(mu+sigma*sigma/2), math.Expm1(sigma*sigma)*math.Exp(2*mu+sigma*sigma); math.Abs(m-2) > 1e-14 ||
		math.Abs(v-1) > 1e-14 {
		t.Errorf("mean %v, variance %v, want 2, 1", m, v)
	}
}

// TestSameBits: sums of draws have the bits they had when they were defined, on every architecture.
func TestSameBits(t *testing.T) {
	s := NewStream(42, "bits")
	c, _ := NewPoisson(37.5)
	b, _ := NewBinomial(1000, 0.03)
	h := uint64(0)
	for i := range uint32(100_000) {
		w := s.At(i, 5)
		for _, x := range []float64{
			Normal32(w[0]), Exponential32(w[1]), LogNormal32(w[2], 0.1, 0.7), Uniform32(w[3]),
			float64(c.At(w[0])), float64(b.At(w[1])),
		} {
			h = (h ^ math.Float64bits(x)) * 0x100000001b3
		}
	}
	const want = 0x3219d735a3130e0b
	if h != want {
		t.Errorf("hash of draws %#x, want %#x", h, uint64(want))
	}
}

// TestNothingAllocates: draws, and a distribution set anew, need no memory.
func TestNothingAllocates(t *testing.T) {
	s := NewStream(1, "memory")
	words, x, k := make([]uint32, 64), make([]float64, 64), make([]int32, 64)
	c, _ := NewPoisson(20)
	if n := testing.AllocsPerRun(100, func() {
		s.Words(words, 1, 2)
		Normals(x, words)
		Uniforms(x, words)
		Exponentials(x, words)
		c.Fill(k, words)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { c.SetPoisson(1.5) }); n != 0 {
		t.Errorf("SetPoisson: %v allocations", n)
	}
}

func BenchmarkDraws(b *testing.B) {
	s := NewStream(1, "bench")
	words, x, k := make([]uint32, 1024), make([]float64, 1024), make([]int32, 1024)
	c, _ := NewPoisson(1.6)
	s.Words(words, 0, 0)
	for _, m := range []struct {
		name string
		fill func()
	}{
		{"words", func() { s.Words(words, 1, 2) }},
		{"normal", func() { Normals(x, words) }},
		{"uniform", func() { Uniforms(x, words) }},
		{"exponential", func() { Exponentials(x, words) }},
		{"poisson", func() { c.Fill(k, words) }},
	} {
		b.Run(m.name, func(b *testing.B) {
			for range b.N {
				m.fill()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/draw")
		})
	}
	b.Run("set-poisson", func(b *testing.B) {
		for range b.N {
			c.SetPoisson(1.6)
		}
	})
}
