package dynamics

import (
	"errors"
	"math"

	"popsim/model"
)

// A cycle is a function u of s in [0, 1] with u' = T f(u) and u(0) = u(1). It is approximated by a polynomial of degree
// deg on each interval of a mesh, which obeys the equation at the deg Gauss points of every interval. At the ends of
// the intervals, and for the period, the error falls with the 2·deg-th power of their width.
const deg = 4

// Positions of the Gauss points and of the deg+1 nodes of an interval of length 1, the weights of the former, and the
// polynomials that are 1 at one node and 0 at the others: their values and slopes at the Gauss points.
var (
	gaussAt     = [deg]float64{0.06943184420297371, 0.33000947820757187, 0.6699905217924281, 0.9305681557970263}
	gaussWeight = [deg]float64{0.17392742256872692, 0.32607257743127305, 0.32607257743127305, 0.17392742256872692}
	basis       = func() (values [deg][deg + 1]float64) {
		for k, x := range gaussAt {
			values[k], _ = lagrange(x)
		}
		return values
	}()
	basisSlope = func() (slopes [deg][deg + 1]float64) {
		for k, x := range gaussAt {
			_, slopes[k] = lagrange(x)
		}
		return slopes
	}()
)

// lagrange evaluates the polynomials of the nodes 0, 1/deg, ..., 1, and their slopes, at x.
func lagrange(x float64) (value, slope [deg + 1]float64) {
	for i := range value {
		value[i] = 1
		for j := range value {
			if j == i {
				continue
			}
			den := float64(i-j) / deg
			slope[i] = slope[i]*(x-float64(j)/deg)/den + value[i]/den
			value[i] *= (x - float64(j)/deg) / den
		}
	}
	return value, slope
}

// orbit is an approximate cycle, or a difference of two on the same mesh.
type orbit struct {
	mesh   []float64 // 0 = mesh[0] < ... < mesh[n] = 1
	u      []float64 // the states at the deg·n+1 nodes; the last repeats the first
	period float64   // ms
	mu     float64   // the free parameter
}

func newOrbit(mesh []float64, dim int) orbit {
	return orbit{mesh: mesh, u: make([]float64, (deg*(len(mesh)-1)+1)*dim)}
}

// plus is o + h·d.
func (o orbit) plus(h float64, d orbit) orbit {
	sum := orbit{o.mesh, make([]float64, len(o.u)), o.period + h*d.period, o.mu + h*d.mu}
	for k := range sum.u {
		sum.u[k] = o.u[k] + h*d.u[k]
	}
	return sum
}

// at evaluates the orbit at s and writes the state to y.
func (o orbit) at(s float64, y []float64) {
	lo, hi := 0, len(o.mesh)-2
	for lo < hi {
		if mid := (lo + hi + 1) / 2; o.mesh[mid] <= s {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	value, _ := lagrange((s - o.mesh[lo]) / (o.mesh[lo+1] - o.mesh[lo]))
	o.mix(lo, &value, y)
}

// mix writes to y the combination of the nodes of interval j with the given weights.
func (o orbit) mix(j int, weights *[deg + 1]float64, y []float64) {
	d := len(y)
	nodes := o.u[j*deg*d:]
	for c := range y {
		sum := 0.0
		for i, w := range weights {
			sum += w * nodes[i*d+c]
		}
		y[c] = sum
	}
}

// moved is the orbit on another mesh.
func (o orbit) moved(mesh []float64, dim int) orbit {
	n := newOrbit(mesh, dim)
	n.period, n.mu = o.period, o.mu
	for j := range len(mesh) - 1 {
		for i := range deg {
			s := mesh[j] + (mesh[j+1]-mesh[j])*float64(i)/deg
			k := (j*deg + i) * dim
			o.at(s, n.u[k:k+dim])
		}
	}
	copy(n.u[len(n.u)-dim:], n.u[:dim])
	return n
}

// linear is a linear form on orbits: the sum of all products with its entries.
type linear struct {
	u          []float64
	period, mu float64
}

func (l linear) of(o orbit) float64 {
	sum := l.period*o.period + l.mu*o.mu
	last := len(l.u)
	for k := range last {
		sum += l.u[k] * o.u[k]
	}
	return sum
}

// collocator solves the equations of a cycle.
type collocator struct {
	*system
	dim       int
	unit      []float64 // a typical size of each state variable
	muUnit    float64   // and of the free parameter
	byMu      []float64 // ∂f/∂μ where it is constant: when μ is the current
	local     []float64 // deg·dim rows of [nodes 1..deg | node 0 | T | μ | residual]
	solved    []float64 // per interval deg·dim rows of [node 0 | T | μ | 1] after elimination
	eliminate []float64 // per interval dim rows of [x_j | x_j+1 | x_0 | T | μ | 1]
}

func newCollocator(s *system, muUnit float64) *collocator {
	c := &collocator{system: s, dim: s.dim(), muUnit: muUnit, unit: []float64{s.vUnit}}
	for _, x := range s.m.States[1:] {
		if x.Unit == "1" || s.m.Outside() {
			c.unit = append(c.unit, 1)
		} else {
			c.unit = append(c.unit, 50/s.p[s.m.Index("R")])
		}
	}
	if s.index < 0 {
		c.byMu = make([]float64, c.dim)
		zero, y := make([]float64, c.dim), make([]float64, c.dim)
		s.m.Steady(s.p, -60, y)
		s.m.Deriv(s.p, 0, y, zero)
		s.m.Deriv(s.p, 1, y, c.byMu)
		for k := range zero {
			c.byMu[k] -= zero[k]
		}
	}
	return c
}

// inner is the linear form x ↦ <x, o>: the mean over the cycle of the product of the states, each in its unit, plus the
// products of the periods, relative to period, and of the parameters.
func (c *collocator) inner(o orbit, period float64) linear {
	l := c.meanOf(o.mesh, func(j, k int, y []float64) { o.mix(j, &basis[k], y) })
	l.period, l.mu = o.period/(period*period), o.mu/(c.muUnit*c.muUnit)
	return l
}

// phase is the linear form x ↦ ∫ <x, o'> ds, which is zero on differences that do not shift the cycle o along itself.
func (c *collocator) phase(o orbit) linear {
	return c.meanOf(o.mesh, func(j, k int, y []float64) {
		o.mix(j, &basisSlope[k], y)
		for i := range y {
			y[i] /= o.mesh[j+1] - o.mesh[j]
		}
	})
}

// meanOf is the linear form x ↦ ∫ <x, v> ds for a function v known at the Gauss points.
func (c *collocator) meanOf(mesh []float64, v func(j, k int, y []float64)) linear {
	l := linear{u: make([]float64, (deg*(len(mesh)-1)+1)*c.dim)}
	y := make([]float64, c.dim)
	for j := range len(mesh) - 1 {
		for k := range deg {
			v(j, k, y)
			w := (mesh[j+1] - mesh[j]) * gaussWeight[k]
			for i := range deg + 1 {
				for x := range y {
					l.u[(j*deg+i)*c.dim+x] += w * basis[k][i] * y[x] / (c.unit[x] * c.unit[x])
				}
			}
		}
	}
	return l
}

var errSingular = errors.New("dynamics: singular linear system")

// condense linearises the equations of collocation at o and eliminates all nodes but the first of each interval: node i
// of interval j moves by solved[j]·(dx_j, dT, dμ, 1).
func (c *collocator) condense(o orbit) error {
	d, n := c.dim, len(o.mesh)-1
	rows, width := deg*d, deg*d+d+3
	if len(c.local) == 0 {
		c.local = make([]float64, rows*width)
	}
	if len(c.solved) != n*rows*(d+3) {
		c.solved = make([]float64, n*rows*(d+3))
	}
	y, dy, dmu, f, jac := make([]float64, d), make([]float64, d), make([]float64, d), make([]float64, d),
		make([]float64, d*d)
	ok := true
	c.system.at(o.mu)
	copy(dmu, c.byMu)
	for j := range n {
		h := o.mesh[j+1] - o.mesh[j]
		for k := range deg {
			o.mix(j, &basis[k], y)
			o.mix(j, &basisSlope[k], dy)
			c.deriv(y, f)
			c.jacobian(y, jac)
			if c.byMu == nil {
				c.byParameter(y, o.mu, dmu)
			}
			for r := range d {
				row := c.local[(k*d+r)*width : (k*d+r+1)*width]
				clear(row)
				for i := range deg + 1 {
					at := (i - 1) * d
					if i == 0 {
						at = rows
					}
					for s := range d {
						row[at+s] = -h * o.period * basis[k][i] * jac[r*d+s]
					}
					row[at+r] += basisSlope[k][i]
				}
				// These equations are solved for the unknown nodes, with all other terms on the right side.
				for s := range d {
					row[rows+s] = -row[rows+s]
				}
				row[rows+d] = h * f[r]
				row[rows+d+1] = h * o.period * dmu[r]
				row[rows+d+2] = h*o.period*f[r] - dy[r]
				ok = ok && !math.IsNaN(row[rows+d+2])
			}
		}
		if !solveRows(c.local, rows, width) {
			return errSingular
		}
		for r := range rows {
			copy(c.solved[(j*rows+r)*(d+3):(j*rows+r+1)*(d+3)], c.local[r*width+rows:(r+1)*width])
		}
	}
	if !ok {
		return errSingular
	}
	return nil
}

// solveRows solves the rows×rows system at the left of a for all columns to its right, in place, by elimination with
// row pivots.
func solveRows(a []float64, rows, width int) bool {
	for k := range rows {
		pivot, largest := k, math.Abs(a[k*width+k])
		for r := k + 1; r < rows; r++ {
			if x := math.Abs(a[r*width+k]); x > largest {
				pivot, largest = r, x
			}
		}
		if !(largest > 0) {
			return false
		}
		top := a[k*width : (k+1)*width]
		if pivot != k {
			other := a[pivot*width : (pivot+1)*width]
			for x := k; x < width; x++ {
				top[x], other[x] = other[x], top[x]
			}
		}
		inverse := 1 / top[k]
		for r := k + 1; r < rows; r++ {
			row := a[r*width : (r+1)*width]
			f := row[k] * inverse
			if f == 0 {
				continue
			}
			for x := k + 1; x < width; x++ {
				row[x] -= f * top[x]
			}
		}
	}
	for k := rows - 1; k >= 0; k-- {
		row := a[k*width : (k+1)*width]
		inverse := 1 / row[k]
		for x := rows; x < width; x++ {
			row[x] *= inverse
		}
		for r := range k {
			up := a[r*width : (r+1)*width]
			f := up[k]
			for x := rows; x < width; x++ {
				up[x] -= f * row[x]
			}
		}
	}
	return true
}

// correct solves the condensed equations together with two linear ones, form·dx = value, for the change dx. With
// homogeneous set the residuals of collocation count as zero.
func (c *collocator) correct(mesh []float64, forms [2]linear, values [2]float64, homogeneous bool) (orbit, error) {
	d, n := c.dim, len(mesh)-1
	one := 1.0
	if homogeneous {
		one = 0
	}
	var rows [2]bordering
	for b, l := range forms {
		rows[b] = c.border(l, values[b], n, one)
	}
	closing := c.closeChain(n, one, &rows)
	width := 3*d + 3
	// x_n is x_0.
	size, wide := d+2, d+3
	last := make([]float64, size*wide)
	for r := range d {
		row := closing[r*width:]
		for x := range d {
			last[r*wide+x] = row[d+x] + row[2*d+x]
		}
		copy(last[r*wide+d:r*wide+d+3], row[3*d:3*d+3])
	}
	for b := range rows {
		for x := range d {
			last[(d+b)*wide+x] = rows[b].nodes[x] + rows[b].nodes[n*d+x]
		}
		copy(last[(d+b)*wide+d:], rows[b].tail[:])
	}
	if !solveRows(last, size, wide) {
		return orbit{}, errSingular
	}
	dx := newOrbit(mesh, d)
	dx.period, dx.mu = last[d*wide+size], last[(d+1)*wide+size]
	for r := range d {
		dx.u[r] = last[r*wide+size]
	}
	c.unfold(dx, one)
	if math.IsNaN(dx.period) || math.IsNaN(dx.u[0]) {
		return dx, errSingular
	}
	return dx, nil
}

// condensed is the condensed equation of component i%dim of node 1+i/dim of interval j.
func (c *collocator) condensed(j, i int) []float64 {
	rows, across := deg*c.dim, c.dim+3
	return c.solved[(j*rows+i)*across : (j*rows+i+1)*across]
}

// bordering is a linear equation in the first nodes of the intervals, dT and dμ: one of the two beside the chain of
// intervals.
type bordering struct {
	nodes []float64  // n+1 times dim
	tail  [3]float64 // of dT, of dμ, and the right side
}

// border writes the equation form·dx = value in the first nodes of n intervals, by the condensed equations for the
// others.
func (c *collocator) border(l linear, value float64, n int, one float64) bordering {
	d := c.dim
	e := bordering{nodes: make([]float64, (n+1)*d), tail: [3]float64{l.period, l.mu, value}}
	for j := range n {
		for x := range d {
			e.nodes[j*d+x] += l.u[j*deg*d+x]
		}
		for i := range (deg - 1) * d {
			w := l.u[(j*deg+1)*d+i]
			row := c.condensed(j, i)
			for x := range d {
				e.nodes[j*d+x] += w * row[x]
			}
			e.tail[0] += w * row[d]
			e.tail[1] += w * row[d+1]
			e.tail[2] -= w * row[d+2] * one
		}
	}
	return e
}

// closeChain eliminates all first nodes but x_0 and x_n from the chain of n intervals, and from the equations beside
// it. It keeps the rows from which the eliminated nodes follow in c.eliminate, and returns the remaining ones: dim
// rows, with columns for x_n-1 (empty), x_n, x_0, dT, dμ and the right side. Orthogonal transformations stay accurate
// when solutions grow by many orders of magnitude along the cycle (Wright, SIAM J. Sci. Stat. Comput. 13:742, 1992).
func (c *collocator) closeChain(n int, one float64, beside *[2]bordering) (left []float64) {
	d := c.dim
	// Columns: x_j, x_j+1, x_0, dT, dμ, right side.
	width := 3*d + 3
	if len(c.eliminate) != n*d*width {
		c.eliminate = make([]float64, n*d*width)
	}
	block := make([]float64, 2*d*width)
	bottom := block[d*width:]
	place := func(j int, firstBlock int) { // -G x_j + x_j+1 - ... = g at the bottom, with x_j in the given column block
		for r := range d {
			row, g := bottom[r*width:(r+1)*width], c.condensed(j, (deg-1)*d+r)
			clear(row)
			for x := range d {
				row[firstBlock*d+x] = -g[x]
			}
			row[d+r] = 1
			row[3*d], row[3*d+1], row[3*d+2] = -g[d], -g[d+1], g[d+2]*one
		}
	}
	place(0, 2)
	for j := 1; j < n; j++ {
		// The remaining equations of the chain so far contain x_j (their second block) and x_0.
		for r := range d {
			top := block[r*width : (r+1)*width]
			copy(top, bottom[r*width:(r+1)*width])
			copy(top[:d], top[d:2*d])
			clear(top[d : 2*d])
		}
		place(j, 0)
		triangulate(block, 2*d, d, width)
		copy(c.eliminate[j*d*width:(j+1)*d*width], block[:d*width])
		for b := range beside {
			p, tail := beside[b].nodes, &beside[b].tail
			for k := range d { // p[j] = y R, solved for y from the left
				row := block[k*width : (k+1)*width]
				y := p[j*d+k] / row[k]
				for x := k + 1; x < d; x++ {
					p[j*d+x] -= y * row[x]
				}
				for x := range d {
					p[(j+1)*d+x] -= y * row[d+x]
					p[x] -= y * row[2*d+x]
				}
				tail[0] -= y * row[3*d]
				tail[1] -= y * row[3*d+1]
				tail[2] -= y * row[3*d+2]
			}
		}
	}
	return bottom
}

// unfold finds all nodes of dx from its first, its period and its parameter.
func (c *collocator) unfold(dx orbit, one float64) {
	d, n := c.dim, len(dx.mesh)-1
	width := 3*d + 3
	x0 := dx.u[:d]
	copy(dx.u[n*deg*d:], x0)
	for j := n - 1; j >= 1; j-- {
		x, next := dx.u[j*deg*d:], dx.u[(j+1)*deg*d:]
		for k := d - 1; k >= 0; k-- {
			row := c.eliminate[(j*d+k)*width : (j*d+k+1)*width]
			sum := row[3*d+2] - row[3*d]*dx.period - row[3*d+1]*dx.mu
			for y := range d {
				sum -= row[d+y]*next[y] + row[2*d+y]*x0[y]
			}
			for y := k + 1; y < d; y++ {
				sum -= row[y] * x[y]
			}
			x[k] = sum / row[k]
		}
	}
	for j := range n {
		x := dx.u[j*deg*d:]
		for i := range (deg - 1) * d {
			row := c.condensed(j, i)
			sum := row[d]*dx.period + row[d+1]*dx.mu + row[d+2]*one
			for y := range d {
				sum += row[y] * x[y]
			}
			x[d+i] = sum
		}
	}
}

// triangulate brings the first cols columns of a rows×width matrix to triangular form by Householder reflections.
func triangulate(a []float64, rows, cols, width int) {
	v := make([]float64, rows)
	for k := range cols {
		norm := 0.0
		for r := k; r < rows; r++ {
			v[r] = a[r*width+k]
			norm += v[r] * v[r]
		}
		norm = math.Copysign(math.Sqrt(norm), v[k])
		if norm == 0 {
			continue
		}
		scale := 1 / (norm * (norm + v[k]))
		v[k] += norm
		for x := k; x < width; x++ {
			sum := 0.0
			for r := k; r < rows; r++ {
				sum += v[r] * a[r*width+x]
			}
			sum *= scale
			for r := k; r < rows; r++ {
				a[r*width+x] -= sum * v[r]
			}
		}
	}
}

// multipliers are the Floquet multipliers without the trivial one, the largest modulus first, from the equations as
// last condensed at o. The direction of the flow is projected out interval by interval, so that the trivial multiplier
// cannot be mistaken for another one however large those are.
func (c *collocator) multipliers(o orbit) []complex128 {
	d, n := c.dim, len(o.mesh)-1
	rows, across := deg*d, d+3
	k := d - 1
	if k == 0 {
		return nil
	}
	frame := func(j int) []float64 { // columns 1.. span the complement of the flow at mesh point j
		f := make([]float64, d)
		y := make([]float64, d)
		copy(y, o.u[j*deg*d:])
		c.deriv(y, f)
		return complement(f, c.unit)
	}
	chain := make([][]float64, n)
	from := frame(0)
	start := from
	for j := range n {
		to := start
		if j+1 < n {
			to = frame(j + 1)
		}
		g := make([]float64, d*k)
		chain[j] = make([]float64, k*k)
		for r := range d { // G·from, in units of the states
			for x := range k {
				for y := range d {
					g[r*k+x] += c.solved[(j*rows+(deg-1)*d+r)*across+y] * c.unit[y] / c.unit[r] * from[y*d+x+1]
				}
			}
		}
		for r := range k {
			for x := range k {
				for y := range d {
					chain[j][r*k+x] += to[y*d+r+1] * g[y*k+x]
				}
			}
		}
		from = to
	}
	return byModulus(chainEigenvalues(chain, k))
}

// chainEigenvalues are the eigenvalues of the product of k×k matrices, the first applied first. They may lie more
// decimal places apart than a float64 has: orthogonal iteration round the chain turns every matrix triangular, and the
// product of triangular matrices keeps the digits of each diagonal element.
func chainEigenvalues(chain [][]float64, k int) []complex128 {
	const rounds = 4
	q := identity(k)
	var begin, product []float64
	for range rounds {
		begin, product = q, identity(k)
		for j := range chain {
			var r []float64
			next := make([]float64, k*k)
			q, r = orthogonal(chain[j], q, k)
			multiply(next, r, product, k)
			product = next
		}
	}
	// Blocks of the rotation from the first frame to the last that are not diagonal belong to eigenvalues of similar
	// modulus.
	turn, rest := make([]float64, k*k), make([]float64, k*k)
	for r := range k {
		for c := range k {
			for x := range k {
				turn[r*k+c] += begin[x*k+r] * q[x*k+c]
			}
		}
	}
	const apart = 1e6
	var found []complex128
	for from := 0; from < k; {
		m := k - from
		clear(rest)
		largest := 0.0
		for r := range m {
			for c := range m {
				for x := range m {
					rest[r*m+c] += turn[(from+r)*k+from+x] * product[(from+x)*k+from+c]
				}
				if r > 0 && c > 0 {
					largest = max(largest, math.Abs(rest[r*m+c]))
				}
			}
		}
		if m > 1 && math.Abs(rest[0]) < apart*largest {
			return append(found, eigenvalues(rest[:m*m], m)...)
		}
		found = append(found, complex(rest[0], 0))
		from++
	}
	return found
}

// multiply writes a·b to out; all are k×k.
func multiply(out, a, b []float64, k int) {
	for r := range k {
		for c := range k {
			for x := range k {
				out[r*k+c] += a[r*k+x] * b[x*k+c]
			}
		}
	}
}

// orthogonal factors a·q into an orthogonal matrix and an upper triangular one, by Gram and Schmidt.
func orthogonal(a, q []float64, k int) (to, r []float64) {
	to, r = make([]float64, k*k), make([]float64, k*k)
	multiply(to, a, q, k)
	for c := range k {
		for range 2 { // twice is enough
			for b := range c {
				dot := 0.0
				for x := range k {
					dot += to[x*k+b] * to[x*k+c]
				}
				r[b*k+c] += dot
				for x := range k {
					to[x*k+c] -= dot * to[x*k+b]
				}
			}
		}
		norm := 0.0
		for x := range k {
			norm = math.Hypot(norm, to[x*k+c])
		}
		r[c*k+c] = norm
		for x := range k {
			to[x*k+c] /= norm
		}
	}
	return to, r
}

func identity(k int) []float64 {
	a := make([]float64, k*k)
	for i := range k {
		a[i*k+i] = 1
	}
	return a
}

// complement is an orthogonal matrix whose first column is along f, both in the given units.
func complement(f, unit []float64) []float64 {
	d := len(f)
	q, v := make([]float64, d*d), make([]float64, d)
	norm := 0.0
	for r := range d {
		v[r] = f[r] / unit[r]
		norm += v[r] * v[r]
	}
	norm = math.Copysign(math.Sqrt(norm), v[0])
	scale := norm * (norm + v[0])
	v[0] += norm
	for r := range d {
		for x := range d {
			if r == x {
				q[r*d+x] = 1
			}
			if scale != 0 {
				q[r*d+x] -= v[r] * v[x] / scale
			}
		}
	}
	return q
}

// adapted is a mesh with n intervals on which the leading error of interpolation is spread evenly (de Boor).
func (c *collocator) adapted(o orbit, n int) []float64 {
	d, old := c.dim, len(o.mesh)-1
	// The deg-th derivative is constant in an interval; its jumps give the next one.
	top := make([]float64, old*d)
	binomial := [deg + 1]float64{1, -4, 6, -4, 1}
	for j := range old {
		h := math.Pow((o.mesh[j+1]-o.mesh[j])/deg, deg)
		for x := range d {
			for i, b := range binomial {
				top[j*d+x] += b * o.u[(j*deg+i)*d+x] / (h * c.unit[x])
			}
		}
	}
	jump := make([]float64, old+1)
	for j := range old {
		before := (j + old - 1) % old
		width := (o.mesh[j+1] - o.mesh[j] + o.mesh[before+1] - o.mesh[before]) / 2
		for x := range d {
			jump[j] += math.Abs(top[j*d+x]-top[before*d+x]) / width
		}
	}
	jump[old] = jump[0]
	density, total := make([]float64, old), 0.0
	for j := range old {
		density[j] = math.Pow((jump[j]+jump[j+1])/2, 1./(deg+1))
		total += density[j] * (o.mesh[j+1] - o.mesh[j])
	}
	sum := make([]float64, old+1)
	for j := range old { // a tenth of the points is spread evenly in time
		sum[j+1] = sum[j] + (density[j]+0.1*total+1e-300)*(o.mesh[j+1]-o.mesh[j])
	}
	mesh := make([]float64, n+1)
	mesh[n] = 1
	for k, j := 1, 0; k < n; k++ {
		want := sum[old] * float64(k) / float64(n)
		for sum[j+1] < want {
			j++
		}
		mesh[k] = o.mesh[j] + (o.mesh[j+1]-o.mesh[j])*(want-sum[j])/(sum[j+1]-sum[j])
	}
	return mesh
}

// extremes finds the smallest and largest V of the orbit, and the s of the largest.
func (o orbit) extremes(dim int) (vMin, vMax, sMax float64) {
	lowest, highest := 0, 0
	for k := 0; k < len(o.u); k += dim {
		if o.u[k] < o.u[lowest] {
			lowest = k
		}
		if o.u[k] > o.u[highest] {
			highest = k
		}
	}
	_, vMin = o.peak(lowest/dim, dim, -1)
	sMax, vMax = o.peak(highest/dim, dim, 1)
	return vMin, vMax, sMax
}

// peak refines the largest (sign 1) or smallest (-1) V around a node by golden section on the polynomials beside it.
func (o orbit) peak(node, dim int, sign float64) (s, v float64) {
	n := len(o.mesh) - 1
	y := make([]float64, dim)
	nodeAt := func(k int) float64 {
		j := k / deg
		if j == n {
			return 1
		}
		return o.mesh[j] + (o.mesh[j+1]-o.mesh[j])*float64(k%deg)/deg
	}
	f := func(s float64) float64 {
		o.at(s-math.Floor(s), y)
		return sign * y[0]
	}
	lo, hi := nodeAt(max(node-1, 0)), nodeAt(min(node+1, n*deg))
	if node == 0 || node == n*deg { // across the seam
		lo, hi = nodeAt(n*deg-1)-1, nodeAt(1)
	}
	const golden = 0.6180339887498949
	a, b := hi-golden*(hi-lo), lo+golden*(hi-lo)
	fa, fb := f(a), f(b)
	for range 40 {
		if fa > fb {
			hi, b, fb = b, a, fa
			a = hi - golden*(hi-lo)
			fa = f(a)
		} else {
			lo, a, fa = a, b, fb
			b = lo + golden*(hi-lo)
			fb = f(b)
		}
	}
	if own := sign * o.u[node*dim]; own > fa {
		return nodeAt(node), sign * own
	}
	s = a - math.Floor(a)
	return s, sign * fa
}

// ceiling is the V no cycle may reach: V_th where the model resets.
func (s *system) ceiling() float64 {
	if s.m.Fires != model.Reset {
		return math.Inf(1)
	}
	return s.threshold()
}
