package main

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

// unknownMemory is what is taken to be available (bytes) on systems that do not tell: no more than a large machine has.
const unknownMemory = 1e12

// available is the memory (bytes) that this process may still take, as far as the system tells: the least of what is free,
// what the control groups leave and what GOMEMLIMIT allows.
func available() float64 {
	least := unknownMemory
	if free, ok := memFree("/proc/meminfo"); ok {
		least = free
	}
	least = min(least, groupsLeave("/proc/self/cgroup", "/sys/fs/cgroup"))
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		least = min(least, float64(limit))
	}
	return least
}

// groupsLeave is what the control groups of a process, of either version, let it take: the least that the group it is in and
// those around that one leave. Pages of files that could be dropped do not count as used. A container may show its own group
// as the root of the tree alone, whatever path the list names.
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

// memFree reads what /proc/meminfo calls available.
func memFree(path string) (float64, bool) {
	kB, ok := readField(path, "MemAvailable:")
	return kB * 1024, ok
}

// readField is the number behind a name on a line of its own.
func readField(path, name string) (float64, bool) {
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

func readNumber(path string) (float64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	x, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	return x, err == nil
}

// fits refuses what needs more memory than there is.
func fits(what string, need float64) error {
	if have := available(); need > have {
		return fault.Hint(fmt.Errorf("%s needs about %s of memory, but only %s are to be had", what, size(need), size(have)),
			"use a smaller number, or a machine with more memory")
	}
	return nil
}

// size writes bytes for people.
func size(bytes float64) string {
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

// held is the memory (bytes) that the process has from the system.
func held() uint64 {
	all := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(all)
	return all[0].Value.Uint64() - all[1].Value.Uint64()
}
