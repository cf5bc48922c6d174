//go:build !purego

package asm

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// What AVX-512 alone has: lanes of driven LIF that are packed.
	wideAlone = regexp.MustCompile(`^LIFPacked\w*$`)
	// Rows of LIF: several steps in registers with AVX-512, step after step with AVX2.
	lifRows = regexp.MustCompile(`^(LIF(?:|Drive|Jump|Exp)Rows2?)(|Alike)$`)
)

// TestAVX2Alone disassembles what the assembler has made: no routine for AVX2 may hold an instruction that an AVX2
// processor lacks. In 64-bit code the byte 62 at the start of an instruction is the EVEX prefix, without which there
// are no registers beyond 15, no masks and none of the operations of AVX-512.
func TestAVX2Alone(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program")
	}
	tool := ""
	for _, name := range []string{"objdump", "llvm-objdump", "llvm-objdump-19"} {
		if path, err := exec.LookPath(name); err == nil {
			tool = path
			break
		}
	}
	if tool == "" {
		t.Skip("no objdump")
	}
	program := filepath.Join(t.TempDir(), "kernels.test")
	build := exec.Command("go", "test", "-c", "-o", program, "popsim/kernels") // which calls them all
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(tool, "-d", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	function := regexp.MustCompile(`^[0-9a-f]+ <popsim/kernels/asm\.(.*?)(\.abi0)?>:$`)
	code := regexp.MustCompile(`^ *[0-9a-f]+:\s+((?:[0-9a-f]{2} )+)\s*(.*)$`)
	instructions, evex := map[string]int{}, map[string]int{}
	name := ""
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	for lines.Scan() {
		line := lines.Text()
		if strings.HasSuffix(line, ">:") {
			name = ""
			if m := function.FindStringSubmatch(line); m != nil {
				name = m[1]
			}
		}
		m := code.FindStringSubmatch(line)
		if name == "" || m == nil || m[2] == "" { // a line with bytes alone belongs to the instruction before
			continue
		}
		instructions[name]++
		if strings.HasPrefix(m[1], "62 ") {
			if evex[name]++; strings.HasSuffix(name, "AVX2") {
				t.Errorf("%s: %s", name, strings.TrimSpace(line))
			}
		}
	}
	wide := 0
	for name, n := range instructions {
		kind, ok := strings.CutSuffix(name, "AVX512")
		if !ok || n < 100 { // short ones may hold no EVEX prefix
			continue
		}
		if wideAlone.MatchString(kind) {
			continue
		}
		wide++
		twin := lifRows.ReplaceAllString(kind, "${1}Once$2") + "AVX2"
		if evex[name] <= 10 || instructions[twin] == 0 {
			t.Errorf("%s has %d instructions with EVEX prefixes, its twin for AVX2 %d instructions", name, evex[name],
				instructions[twin])
		}
	}
	if wide < 20 {
		t.Errorf("%d routines for AVX-512: want at least 20", wide)
	}
	t.Logf("%d routines for AVX-512 have EVEX prefixes, their twins for AVX2 none", wide)
}
