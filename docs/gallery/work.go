//go:build ignore

// Work draws error against cost from the rows of popsim bench --kind work:
//
//	popsim bench --kind work --isa go | go run docs/gallery/work.go work-precision.svg
package main

import (
	"bufio"
	"fmt"
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
	panels, isa := map[string]*report.Panel{}, ""
	var order []string
	marks := []report.Mark{report.Circle, report.Square, report.Triangle}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		// BenchmarkWork/model=M/method=X/isa=A/dt=D  calls  cost ns/model-ms  error ms-error
		fields := strings.Fields(in.Text())
		if len(fields) != 6 || !strings.HasPrefix(fields[0], "BenchmarkWork/") {
			continue
		}
		key := map[string]string{}
		for part := range strings.SplitSeq(fields[0], "/") {
			name, value, _ := strings.Cut(part, "=")
			key[name] = value
		}
		cost, err1 := strconv.ParseFloat(fields[2], 64)
		miss, err2 := strconv.ParseFloat(fields[4], 64)
		if err1 != nil || err2 != nil || key["model"] == "lif" || !(miss < 10) { // lif has no error to show
			continue
		}
		isa = key["isa"]
		p := panels[key["model"]]
		if p == nil {
			p = &report.Panel{
				XLabel: "cost (ns per neuron and ms of model time)", YLabel: key["model"] + "\nerror (ms)",
				XLog: true, YLog: true, Height: 42,
			}
			panels[key["model"]] = p
			order = append(order, key["model"])
		}
		n := len(p.Lines)
		if n == 0 || p.Lines[n-1].Name != key["method"] {
			p.Lines = append(p.Lines, report.Line{Name: key["method"], Dash: report.Dash(n)})
			p.Points = append(p.Points, report.Points{Name: key["method"], Mark: marks[n%len(marks)], Open: n > 0})
			n++
		}
		l, q := &p.Lines[n-1], &p.Points[n-1]
		l.X, l.Y = append(l.X, cost), append(l.Y, miss)
		q.X, q.Y = l.X, l.Y
	}
	f := &report.Figure{Title: fmt.Sprintf("error of a late spike against cost, instruction set %s", isa), ShareX: true}
	for _, name := range order {
		f.Panels = append(f.Panels, *panels[name])
	}
	if err := f.Save(os.Args[1], true); err != nil {
		log.Fatal(err)
	}
}
