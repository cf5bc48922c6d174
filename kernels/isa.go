package kernels

import (
	"fmt"
	"slices"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// ISA is an instruction set that a kernel may be written for.
type ISA int

// The instruction sets: Auto, then from plain Go to the widest.
const (
	Auto   ISA = iota // the best one here
	Go                // plain Go, everywhere
	AVX2              // AVX2 and FMA3, BMI1 and POPCNT
	AVX512            // these, and AVX-512 F, DQ and BW
)

var isaNames = [...]string{"auto", "go", "avx2", "avx512"}

func (a ISA) String() string { return isaNames[a] }

// Available lists the instruction sets this processor and this build have, the widest first.
func Available() []ISA {
	have := []ISA{Go}
	if assembled && cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3, cpuid.BMI1, cpuid.POPCNT) {
		have = append([]ISA{AVX2}, have...)
		if cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512DQ, cpuid.AVX512BW) {
			have = append([]ISA{AVX512}, have...)
		}
	}
	return have
}

// Processor is the brand name of the processor.
func Processor() string { return cpuid.CPU.BrandName }

// Features lists what the processor has for arithmetic on vectors, by their names in cpuid.
func Features() []string {
	return slices.DeleteFunc(cpuid.CPU.FeatureSet(), func(name string) bool {
		return !slices.ContainsFunc([]string{"AVX", "FMA", "SSE", "ASIMD", "SVE"},
			func(kind string) bool { return strings.HasPrefix(name, kind) })
	})
}

// ParseISA reads the name of an instruction set and checks that it is available here; the empty name is "auto", which
// means the widest one.
func ParseISA(name string) (ISA, error) {
	have := Available()
	if name == "" || name == "auto" {
		return have[0], nil
	}
	var names []string
	for _, a := range have {
		if a.String() == name {
			return a, nil
		}
		names = append(names, a.String())
	}
	return Auto, fmt.Errorf("kernels: instruction set %q is not available here (have %s)", name, strings.Join(names, ", "))
}
