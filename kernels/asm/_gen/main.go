// Command _gen writes the vector kernels of package asm. Each model has one file here, whose functions are run once per
// instruction set; README.md says how to write one.
//
//	go generate ./kernels/asm       # from the root of popsim: go -C _gen run .
//	go -C kernels/asm/_gen run . -v # and what each block costs
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"

	"popsim/kernels/asm"
)

// files lists what is written from the kernels of NAME.go here: the assembly NAME_amd64.s and, of those whose plain Go
// is generated, NAME_plain.go.
var files = []struct {
	name    string
	kernels []func(f *file, w isa)
	plain   []func() string
}{
	{name: "exp", kernels: []func(*file, isa){exp}},
	{name: "draws", kernels: []func(*file, isa){
		philoxWords, philoxWordsOf, philoxWordsAt, philoxWordsFrom,
		philoxCounts, philoxInstants, offsets("PhiloxOffsets", false), offsets("PhiloxOffsetsOf", true),
		philoxNormals, philoxScaled, addCounts,
	}},
	{name: "rows", kernels: assemblies(rowKernels), plain: plains(rowKernels)},
	{name: "lifrows", kernels: assemblies(lifRowKernels), plain: plains(lifRowKernels)},
	{name: "steps", kernels: append(
		assemblies(stepKernels), pairPlaces, byteBits, expLIF(false), expLIF(true), splitPairs, triplePlaces, splitTriples,
	), plain: plains(stepKernels)},
	{name: "lifstep", kernels: append(assemblies(lifStepKernels), triplePlaces), plain: plains(lifStepKernels)},
	{name: "gates", kernels: assemblies(gateKernels), plain: plains(gateKernels)},
	{name: "coupled", kernels: assemblies(coupledKernels), plain: plains(coupledKernels)},
	{name: "bits", kernels: []func(*file, isa){countBits, addBits}},
	{name: "runs", kernels: []func(*file, isa){
		addEdges("AddOnes", 1, false), addEdges("AddPairs", 2, false), addEdges("AddPairsMarked", 2, true), findEdges,
	}},
	{name: "weights", kernels: []func(*file, isa){
		addWeights("AddWeights", 1), addWeights("AddWeightPairs", 2), addWeights("AddWeightTriples", 3),
	}},
	{name: "counted", kernels: []func(*file, isa){
		addCounted("AddCounted", false), addCounted("AddCountedFalls", true),
	}},
	{name: "lists", kernels: []func(*file, isa){listBits, listNear}},
	{name: "targets", kernels: []func(*file, isa){countTargets, sumCounts}},
	{name: "triples", kernels: []func(*file, isa){addAlike}},
	{name: "prefetch", kernels: []func(*file, isa){prefetch, prefetchRange}},
	{name: "lif", kernels: []func(*file, isa){
		lif("LIF", false, map[string]widths{"AVX2": {held: 4, ahead: 8}, "AVX512": {held: 8}}),
		lif("LIFFull", true, map[string]widths{"AVX2": {held: 2, lean: 4}, "AVX512": {held: 4}}),
		lifPacked("LIFPacked"), lifPacked("LIFPackedCurrents", asm.LIFI),
		lifPacked("LIFPackedOwn", asm.PackedCoefs[:]...), lifPackable,
	}},
	{name: "flow", kernels: []func(*file, isa){exponential("Flow", 8, true, map[string]Tuning{
		"AVX2": {Near: 14, Live: 6, Skew: 0.2}, "AVX512": {Near: 20, Live: 14, Skew: 0.3, Reuse: 4},
	}, flow)}},
	{name: "euler", kernels: []func(*file, isa){
		exponential("Euler", 8, false,
			map[string]Tuning{"AVX2": {Near: 8, Live: 6, Skew: 0.1, Reuse: 2}, "AVX512": {Live: 10}}, euler),
	}, plain: []func() string{eulerPlain("EIF", false), eulerPlain("AdEx", true)}},
	{name: "hh", kernels: []func(*file, isa){
		hhKernel("HHStrang", 4, eight, nil, hhStrang),
		hhKernel("HHRK4", 4, four, map[string]Tuning{"AVX2": {Near: 20, Live: 7, Skew: 0.2, Reuse: 2}}, hhRK4(hhDeriv)),
		hhKernel("HHExpEuler", 4, eight, nil, hhExpEuler),
	}},
	{name: "hhtm", kernels: []func(*file, isa){
		hhKernel("HHTMStrang", 4, four, nil, hhtmStrang),
		hhKernel("HHTMRK4", 4, four, nil, hhRK4(hhtmDeriv)),
		hhKernel("HHTMExpEuler", 4, four, nil, hhtmExpEuler),
	}, plain: []func() string{
		hhtmPlain("Strang", hhtmStrang), hhtmPlain("RK4", hhRK4(hhtmDeriv)), hhtmPlain("ExpEuler", hhtmExpEuler),
		hhtmPlainGates,
	}},
	{name: "rhh", kernels: []func(*file, isa){
		rhhCut(8, map[string]Tuning{"AVX2": {Near: 14, Live: 6, Skew: 0.1}}),
		rhhSubsteps(8, 4, map[string]Tuning{"AVX2": {Near: 14, Live: 7, Skew: 0.2}}),
		hhKernel("RHHRK4", 2, eight, map[string]Tuning{"AVX2": {Skew: 0.1}}, hhRK4(rhhDeriv)),
		hhKernel("RHHExpEuler", 2, eight, map[string]Tuning{"AVX2": {Near: 14, Live: 6, Skew: 0.2}}, rhhExpEuler),
	}},
}

// assemblies and plains list the printers of kernels.
func assemblies[K interface{ assembly(*file, isa) }](kernels []K) (all []func(*file, isa)) {
	for _, k := range kernels {
		all = append(all, k.assembly)
	}
	return all
}

func plains[K interface{ plain() string }](kernels []K) (all []func() string) {
	for _, k := range kernels {
		all = append(all, k.plain)
	}
	return all
}

// attributes are those of tables in read-only memory.
const attributes = attr.RODATA | attr.NOPTR

// four or eight vectors at a time, with either instruction set.
var (
	four  = map[string]int{"AVX2": 4, "AVX512": 4}
	eight = map[string]int{"AVX2": 8, "AVX512": 8}
)

// A file collects the functions and constants of one assembly file.
type file struct {
	name    string
	ctx     *build.Context
	consts  map[string][]uint64 // constants by instruction set, in order of first use
	spills  map[string]int      // stack slots by function
	reports []string
}

func main() {
	flags := flag.NewFlagSet("_gen", flag.ExitOnError) // avo keeps the global one for itself
	out := flags.String("out", "..", "directory of package asm")
	verbose := flags.Bool("v", false, "print what each block costs")
	flags.Parse(os.Args[1:]) // exits on errors
	if err := generate(*out, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "_gen:", err)
		os.Exit(1)
	}
}

// generate writes everything or, on any error, nothing.
func generate(dir string, verbose bool) error {
	cfg := printer.Config{Name: "popsim/kernels/asm/_gen", Pkg: "asm"}
	written := map[string][]byte{}
	stubs := ir.NewFile()
	for _, m := range files {
		f := &file{name: m.name, ctx: build.NewContext(), consts: map[string][]uint64{}, spills: map[string]int{}}
		f.ctx.Package("popsim/kernels/asm")
		f.ctx.ConstraintExpr("!purego")
		for _, kernel := range m.kernels {
			for _, w := range isas {
				kernel(f, w)
			}
		}
		compiled, err := f.compile()
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if written[m.name+"_amd64.s"], err = printer.NewGoAsm(cfg).Print(compiled); err != nil {
			return err
		}
		if len(m.plain) > 0 {
			if written[m.name+"_plain.go"], err = plainFile(m.plain); err != nil {
				return fmt.Errorf("%s: plain Go: %w", m.name, err)
			}
		}
		stubs.Constraints = compiled.Constraints
		for _, fn := range compiled.Functions() {
			stubs.AddSection(fn)
		}
		if verbose {
			fmt.Println(strings.Join(f.reports, "\n"))
		}
	}
	var err error
	if written["stubs_amd64.go"], err = printer.NewStubs(cfg).Print(stubs); err != nil {
		return err
	}
	return write(dir, written)
}

// write writes files under temporary names and renames them, so that each is complete at any time.
func write(dir string, files map[string][]byte) error {
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name+".new"), b, 0o644); err != nil {
			return err
		}
	}
	for name := range files {
		if err := os.Rename(filepath.Join(dir, name+".new"), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// compile adds the constants, lets avo place the general registers, and proves that no function uses what its
// instruction set lacks.
func (f *file) compile() (*ir.File, error) {
	for _, w := range isas {
		if len(f.consts[w.Name]) == 0 {
			continue
		}
		f.ctx.StaticGlobal(f.table(w))
		f.ctx.DataAttributes(attributes)
		for _, u := range f.consts[w.Name] {
			for range f.copies(w) {
				f.ctx.AppendDatum(operand.U64(u))
			}
		}
	}
	out, err := f.ctx.Result()
	if err != nil {
		return nil, err
	}
	for _, fn := range out.Functions() {
		if f.spills[fn.Name] == 0 {
			fn.Nodes = fn.Nodes[2:]
		}
	}
	if err := pass.Compile.Execute(out); err != nil {
		return nil, err
	}
	for _, fn := range out.Functions() {
		for _, w := range isas {
			if strings.HasSuffix(fn.Name, w.Name) {
				if err := w.verify(fn); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

// verify returns an error if a function uses registers, instructions or suffixes that w does not have.
func (w isa) verify(fn *ir.Function) error {
	for _, in := range fn.Instructions() {
		for _, op := range in.Operands {
			if !w.has(op) {
				return fmt.Errorf("%s: %s: %s is not a register of %s", fn.Name, in.Opcode, op.Asm(), w.Name)
			}
		}
		if w.kmask() {
			continue
		}
		for _, ext := range in.ISA {
			if strings.HasPrefix(ext, "AVX512") || len(in.Suffixes) > 0 {
				return fmt.Errorf("%s: %s is not an instruction of %s", fn.Name, in.OpcodeWithSuffixes(), w.Name)
			}
		}
	}
	return nil
}

func (f *file) table(w isa) string { return f.name + "Consts" + w.Name }

// copies is how often a constant is repeated: AVX-512 broadcasts one float64 in the operand itself; AVX2 needs a full
// vector, for which the 32-byte alignment of Go's read-only data suffices.
func (f *file) copies(w isa) int {
	if w.kmask() {
		return 1
	}
	return w.Lanes
}

// table is a vector of AVX-512 in read-only memory.
func (f *Func) table(x []uint64) operand.Mem {
	t := f.file.consts[f.W.Name]
	i := 0
	for ; i < len(t) && !(len(t)-i >= len(x) && slices.Equal(t[i:i+len(x)], x)); i++ {
	}
	if i == len(t) {
		f.file.consts[f.W.Name] = append(t, x...)
	}
	return operand.NewDataAddr(operand.NewStaticSymbol(f.file.table(f.W)), 8*i)
}

// constant is the place of u in the table, and whether it is there only once.
func (f *Func) constant(u uint64) (m operand.Mem, one bool) {
	t := f.file.consts[f.W.Name]
	i := slices.Index(t, u)
	if i < 0 {
		i = len(t)
		f.file.consts[f.W.Name] = append(t, u)
	}
	n := f.file.copies(f.W)
	return operand.NewDataAddr(operand.NewStaticSymbol(f.file.table(f.W)), 8*n*i), n == 1
}
