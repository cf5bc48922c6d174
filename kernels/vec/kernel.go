package vec

import (
	"fmt"
	"slices"
	"strings"
)

// A Kernel advances a group of lanes (asm.Group) through several steps with one recording per step. Its argument is a
// struct of package asm, whose fields the Kernel names:
//
//   - States and Coefs are *Column, one value per lane. States change from step to step, Coefs do not.
//   - Rows are []float64 with one value per step and lane: that of step k, lane l at index k·Group + l. They may be
//     read and written.
//   - The struct has a field Steps int, at least 1.
//
// States stay in registers over the steps. Columns and rows start on cache lines and do not overlap.
type Kernel struct {
	Name, Doc           string // of the function, without the suffix of the instruction set; Doc goes on after the name
	Argument            string // the type of the argument, without package
	States, Coefs, Rows []string
	// Vectors is how many vectors are interleaved, by the name of the target: a divisor of Group/Lanes (16 for AVX2, 8 for
	// AVX512).
	Vectors map[string]int
	// Step records one step of one vector.
	Step func(b *Block, x *Vars)
}

// Vars are the fields of a Kernel in one vector of one step.
type Vars struct {
	kernel *Kernel
	value  map[string]Vec
	set    map[string]bool
}

// Get is the value of a state, coefficient or row before the step, or what Set has made it.
func (x *Vars) Get(field string) Vec {
	v, ok := x.value[field]
	if !ok {
		panic("bug: " + x.kernel.Name + ": no value of " + field)
	}
	return v
}

// Set changes a state or a row.
func (x *Vars) Set(field string, v Vec) {
	if !slices.Contains(x.kernel.States, field) && !slices.Contains(x.kernel.Rows, field) {
		panic("bug: " + x.kernel.Name + ": " + field + " is neither a state nor a row")
	}
	x.value[field], x.set[field] = v, true
}

// Record records a step of one vector. load gives the value of a state, coefficient or row; store receives the states
// and rows that the step has set.
func (k *Kernel) Record(b *Block, load func(field string) Vec, store func(field string, v Vec)) {
	x := &Vars{k, map[string]Vec{}, map[string]bool{}}
	for _, field := range slices.Concat(k.States, k.Coefs, k.Rows) {
		x.value[field] = load(field)
	}
	k.Step(b, x)
	for _, field := range slices.Concat(k.States, k.Rows) {
		if x.set[field] {
			store(field, x.value[field])
		}
	}
}

// GoText is the kernel as a function of package asm in plain Go, named with the suffix Go.
func (k *Kernel) GoText() string {
	b := NewBlock(k.Name, Context{Target: Go})
	k.Record(b, func(f string) Vec { return b.Load(Mem{Base: f}) }, func(f string, v Vec) { b.Store(Mem{Base: f}, v) })
	used := b.Bases()
	only := func(fields []string) []string {
		return slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return !slices.Contains(used, any(f)) })
	}
	var t strings.Builder
	fmt.Fprintf(
		&t,
		"// %sGo %s\nfunc %sGo(b *%s) {\nfor at := 0; at < Group; at += %d {\n",
		k.Name,
		k.Doc,
		k.Name,
		k.Argument,
		Go.Lanes,
	)
	array := fmt.Sprintf("[%d]float64", Go.Lanes)
	for _, f := range only(k.States) {
		fmt.Fprintf(&t, "%s := *(*%s)(b.%s[at:])\n", local(f), array, f)
	}
	for _, f := range only(k.Coefs) {
		fmt.Fprintf(&t, "%s := (*%s)(b.%s[at:])\n", local(f), array, f)
	}
	t.WriteString("for k := range b.Steps {\n")
	for _, f := range only(k.Rows) {
		fmt.Fprintf(&t, "%s := (*%s)(b.%s[k*Group+at:])\n", local(f), array, f)
	}
	fmt.Fprintf(&t, "for l := range %d {\n", Go.Lanes)
	t.WriteString(b.GoText(GoNames{Memory: func(m Mem) string { return local(m.Base.(string)) + "[l]" }}))
	t.WriteString("}\n}\n")
	for _, f := range only(k.States) {
		fmt.Fprintf(&t, "*(*%s)(b.%s[at:]) = %s\n", array, f, local(f))
	}
	t.WriteString("}\n}\n")
	return t.String()
}

// local is the name of the variable for a field.
func local(field string) string { return strings.ToLower(field[:1]) + field[1:] + "s" }
