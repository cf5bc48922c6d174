package main

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
)

// unknownMemory is what is taken to be available (bytes) on systems that do not tell: no more than a large machine has.
const unknownMemory = 1e12

// available is the memory (bytes) that this process may still take, as far as the system tells. The least of what is free, what the control group allows and GOMEMLIMIT counts.
func available() float64 {
	least := unknownMemory
	if free, ok := memFree("/proc/meminfo"); ok {
		least = free
	}
	for _, group := range []struct{ limit, used string }{
		{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
		{"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"},
	} {
		limit, ok1 := readNumber(group.limit)
		used, ok2 := readNumber(group.used)
		if ok1 && ok2 {
			least = min(least, max(0, limit-used))
		}
	}
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		least = min(least, float64(limit))
	}
	return least
}

// memFree reads what /proc/meminfo calls available.
func memFree(path string) (float64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			kB, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 64)
			return kB * 1024, err == nil
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
		return hint(fmt.Errorf("%s needs about %s of memory, but only %s are to be had", what, size(need), size(have)),
			"a smaller number, or a machine with more memory, would do")
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
