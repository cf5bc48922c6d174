package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// builds are programs that must write the bytes that this one writes: other compilers' choices, other processors. Those
// that do not run here run under an emulator of one process, qemu-user. Outside of the kernels (draws, resting states,
// means of intervals) some have other digits, because Go fuses products with sums there, or its exp does or does not:
// those must give the spikes and states of given neurons to the bit all the same.
var builds = []struct {
	name, want string // the best instruction set that dispatch must find
	env, tags  string
	emulator   []string
	digits     bool // other ones outside of the kernels
}{
	{"purego", "go", "", "purego", nil, false},
	{"GOAMD64=v3", "", "GOAMD64=v3", "", nil, true},
	{"Haswell", "avx2", "GOARCH=amd64", "", []string{"qemu-x86_64", "-cpu", "Haswell"}, false}, // AVX2, no AVX-512
	{"Nehalem", "go", "GOARCH=amd64", "", []string{"qemu-x86_64", "-cpu", "Nehalem"}, true},    // neither, nor FMA
	{"arm64", "go", "GOARCH=arm64", "", []string{"qemu-aarch64"}, true},
	{"riscv64", "go", "GOARCH=riscv64", "", []string{"qemu-riscv64"}, true},
	{"s390x", "go", "GOARCH=s390x", "", []string{"qemu-s390x"}, true}, // most significant byte first
}

// givenCommands have all parameters and start states given, none drawn; of what they write only spikes and trace are
// compared. Currents are those of a file, 40 from lo to hi.
var givenCommands = map[string]struct {
	command string
	lo, hi  float64
}{
	"lif":  {"run lif V0=3 t_ref=1.23 --time 120ms", 17, 60},
	"eif":  {"run eif V0=-61 t_ref=1.23 --time 120ms", 3, 30},
	"adex": {"run adex V0=-61 w0=3 t_ref=1.23 --time 120ms", 5, 60},
	"hh":   {"run hh V0=-61 m0=0.1 h0=0.5 n0=0.4 --time 60ms", 5, 60},
	"hhtm": {"run hhtm V0=-61 m0=0.1 h0=0.5 n0=0.4 --time 60ms", 1, 30},
	"rhh":  {"run rhh V0=-45 h0=0.4 --time 60ms", -5, 30},
}

// TestSameBytesElsewhere builds popsim for other processors and compares what sameCommands write there, with every
// method.
func TestSameBytesElsewhere(t *testing.T) {
	if !long {
		t.Skip("builds popsim seven times and emulates it; POPSIM_LONG=1 does so")
	}
	for _, b := range builds {
		t.Run(b.name, func(t *testing.T) {
			var run []string
			if len(b.emulator) > 0 {
				emulator, err := exec.LookPath(b.emulator[0])
				if err != nil {
					t.Skip(err)
				}
				run = append([]string{emulator}, b.emulator[1:]...)
			}
			program := filepath.Join(t.TempDir(), "popsim")
			build := exec.Command("go", "build", "-tags", b.tags, "-o", program, ".")
			build.Env = append(os.Environ(), "CGO_ENABLED=0", b.env)
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			run = append(run, program)
			elsewhere := func(args ...string) (stdout string) {
				t.Helper()
				var out, warnings bytes.Buffer
				cmd := exec.Command(run[0], append(run[1:], args...)...)
				cmd.Stdout, cmd.Stderr = &out, &warnings
				if err := cmd.Run(); err != nil {
					t.Fatalf("popsim %s: %v\n%s", strings.Join(args, " "), err, warnings.String())
				}
				return out.String()
			}
			if has := elsewhere("version"); !strings.Contains(has, "instruction sets "+b.want) {
				t.Errorf("instruction sets %q come first, want %s", has, b.want)
			}
			t.Chdir(t.TempDir())
			for _, m := range model.All {
				for _, method := range m.Methods {
					var currents strings.Builder
					g := givenCommands[m.Name]
					for i := range 40 {
						fmt.Fprintln(&currents, g.lo+(g.hi-g.lo)/39*float64(i))
					}
					if err := os.WriteFile("currents.csv", []byte(currents.String()), 0o666); err != nil {
						t.Fatal(err)
					}
					given := g.command + " -n 40 I=@currents.csv --spikes spikes.csv --trace trace.csv --of 0:39 --every 0.7ms"
					printed(t, given, method.Name, kernels.Auto, 2)
					want := files(t, given)
					elsewhere(printedArgs(given, method.Name, "auto", 2)...)
					if got := files(t, given); got != want || strings.Count(want, "\n") < 1000 {
						t.Errorf("%s --method %s: other bytes:\n%s", given, method.Name, firstDifference(got, want))
					}
					if b.digits {
						continue
					}
					for i, command := range sameCommands[m.Name] {
						if len(b.emulator) > 0 && i != 1 && method.Name != m.Methods[0].Name {
							continue // too slow
						}
						want := printed(t, command, method.Name, kernels.Auto, 2)
						args := printedArgs(command, method.Name, "auto", 2)
						got := elsewhere(args...) + files(t, command)
						if got != want {
							t.Errorf("%s --method %s: other bytes:\n%s", command, method.Name, firstDifference(got, want))
						}
					}
				}
			}
			if b.want == "go" {
				cmd := exec.Command(run[0], append(run[1:], strings.Fields("run lif I=21 --time 1ms --isa avx2")...)...)
				if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != exitMisused {
					t.Errorf("--isa avx2: exit %d\n%s", cmd.ProcessState.ExitCode(), out)
				}
			}
		})
	}
}
