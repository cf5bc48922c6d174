package network

// Forecast is what a network will need.
type Forecast struct {
	Neurons int
	Edges   int64 // expected
	Bytes   int64
}

// Forecast computes what the network will need, from its laws alone.
func (s *Spec) Forecast() (Forecast, error) {
	if err := s.Check(); err != nil {
		return Forecast{}, err
	}
	l := newLayout(s)
	f := Forecast{Neurons: l.firsts[len(l.firsts)-1]}
	for i := range s.Projections {
		p := &s.Projections[i]
		least, most, timed, err := l.delayBounds(i)
		if err != nil {
			return f, err
		}
		from, to := float64(size(p.From)), float64(size(p.To))
		edges := from * to
		switch r := p.Rule.(type) {
		case InDegree:
			edges = to * float64(r.K)
		case OutDegree:
			edges = from * float64(r.K)
		case Probability:
			edges = from * to * r.P
		case Total:
			edges = float64(r.N)
		case OneToOne:
			edges = from
		case Edges:
			edges = float64(len(r.Pre))
		}
		per := 10.0
		_, constant := p.Weight.(Constant)
		_, drawn := p.Weight.(Draw)
		if timed {
			per = 18
		} else if constant {
			per = 2
		} else if drawn {
			per = 6
		}
		f.Edges += int64(edges)
		f.Bytes += int64(edges*per*1.05 + 4*from*float64(most-least+2))
	}
	f.Bytes += int64(f.Neurons) * 200
	return f, nil
}
