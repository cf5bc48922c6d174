//go:build ignore

// Work draws error against cost from the rows of popsim bench --kind work, of one run or of several after each other:
//
//	popsim bench --kind work --isa go | go run docs/gallery/work.go work-precision.svg
package main

import (
	"bufio"
	"log"
	"os"
	"strconv"
	"strings"

	"popsim/report"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("the name of the picture is missing")
	}
	f := &report.Figure{ShareX: true}
	marks := []report.Mark{report.Circle, report.Square, report.Triangle}
	seen := map[string]*float64{} // the cost of each row
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		// BenchmarkWork/model=M/method=X/isa=A/dt=D  calls  cost ns/model-ms  error ms-error
		fields := strings.Fields(in.Text())
		if len(fields) != 6 || !strings.HasPrefix(fields[0], "BenchmarkWork/") {
			continue
		}
		cost, err1 := strconv.ParseFloat(fields[2], 64)
		miss, err2 := strconv.ParseFloat(fields[4], 64)
		if err1 != nil || err2 != nil || !(miss < 10) {
			continue
		}
		if known := seen[fields[0]]; known != nil { // measured again: the faster one had less company
			*known = min(*known, cost)
			continue
		}
		key := map[string]string{}
		for part := range strings.SplitSeq(fields[0], "/") {
			name, value, _ := strings.Cut(part, "=")
			key[name] = value
		}
		if key["model"] == "lif" { // it has no error to show
			continue
		}
		f.Title = "error of a late spike against cost, instruction set " + key["isa"]
		if label := key["model"] + "\nerror (ms)"; len(f.Panels) == 0 || f.Panels[len(f.Panels)-1].YLabel != label {
			f.Panels = append(f.Panels, report.Panel{
				XLabel: "cost (ns per neuron and ms of model time)", YLabel: label, XLog: true, YLog: true, Height: 42,
			})
		}
		p := &f.Panels[len(f.Panels)-1]
		n := len(p.Lines)
		if n == 0 || p.Lines[n-1].Name != key["method"] {
			p.Lines = append(p.Lines, report.Line{Name: key["method"], Dash: report.Dash(n), X: make([]float64, 0, 32)})
			p.Points = append(p.Points, report.Points{Name: key["method"], Mark: marks[n%len(marks)], Open: n > 0})
			n++
		}
		l, q := &p.Lines[n-1], &p.Points[n-1]
		l.X, l.Y = append(l.X, cost), append(l.Y, miss)
		q.X, q.Y = l.X, l.Y
		seen[fields[0]] = &l.X[len(l.X)-1]
	}
	if err := f.Save(os.Args[1], true); err != nil {
		log.Fatal(err)
	}
}
