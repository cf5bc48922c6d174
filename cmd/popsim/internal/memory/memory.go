// Package memory returns how much memory the process may take and has taken, so that work which does not fit is an
// error before it begins.
package memory

import (
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"

	"popsim/fault"
)

// unknown is the memory (bytes) assumed to be available on systems that do not report it: that of a large machine.
const unknown = 1e12

// Available returns the memory (bytes) that this process may still take, as far as the system reports it: the least of
// the free memory, the rest of the control groups' limits and that of GOMEMLIMIT.
func Available() float64 {
	least := unknown
	if free, ok := memFree("/proc/meminfo"); ok {
		least = free
	}
	least = min(least, groupsLeave("/proc/self/cgroup", "/sys/fs/cgroup"))
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		least = min(least, float64(limit))
	}
	return least
}

// groupsLeave returns the memory (bytes) that the control groups of a process, version 1 or 2, still allow: the least
// over its own group and all groups above it. list is /proc/self/cgroup, root where the tree of groups is mounted.
// Cached pages of files that the system could drop do not count as used. In a container the own group may be shown only
// as the root of the tree, whatever path the list names; therefore the root is always included.
func groupsLeave(list, root string) float64 {
	least := math.Inf(1)
	text, err := os.ReadFile(list)
	if err != nil {
		return least
	}
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		base, limit, used, idle := root, "memory.max", "memory.current", "inactive_file"
		if parts[1] != "" {
			if !slices.Contains(strings.Split(parts[1], ","), "memory") {
				continue
			}
			base, limit, used, idle = root+"/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
		}
		for group := path.Clean("/" + parts[2]); ; group = path.Dir(group) {
			dir := base + group
			most, ok1 := readNumber(filepath.Join(dir, limit))
			taken, ok2 := readNumber(filepath.Join(dir, used))
			if ok1 && ok2 {
				files, _ := readField(filepath.Join(dir, "memory.stat"), idle)
				least = min(least, max(0, most-taken+files))
			}
			if group == "/" {
				break
			}
		}
	}
	return least
}

// memFree reads MemAvailable of /proc/meminfo, in bytes.
func memFree(path string) (float64, bool) {
	kB, ok := readField(path, "MemAvailable:")
	return kB * 1024, ok
}

// readField returns the number that follows name on a line of a file; ok is false where there is none.
func readField(path, name string) (value float64, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name {
			x, err := strconv.ParseFloat(fields[1], 64)
			return x, err == nil
		}
	}
	return 0, false
}

// readNumber returns the number that a file consists of.
func readNumber(path string) (value float64, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	x, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	return x, err == nil
}

// Fits returns an error if what needs more memory (bytes) than is available.
func Fits(what string, need float64) error {
	if have := Available(); need > have {
		return fault.Hint(fmt.Errorf("%s needs about %s of memory; %s are available", what, Size(need), Size(have)),
			"use a smaller number, or a machine with more memory")
	}
	return nil
}

// Size formats a number of bytes with three digits and a unit, as 1.04 GB.
func Size(bytes float64) string {
	for _, u := range []struct {
		scale float64
		unit  string
	}{{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if bytes >= u.scale {
			return fmt.Sprintf("%.3g %s", bytes/u.scale, u.unit)
		}
	}
	return fmt.Sprintf("%.0f B", bytes)
}

// Held returns the memory (bytes) that the process holds from the system now: on Linux its resident pages, where those
// of the edges of networks are too, which the runtime of Go does not count; elsewhere what that runtime counts.
func Held() uint64 {
	if kB, ok := readField("/proc/self/status", "VmRSS:"); ok {
		return uint64(kB) * 1024
	}
	all := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(all)
	return all[0].Value.Uint64() - all[1].Value.Uint64()
}
