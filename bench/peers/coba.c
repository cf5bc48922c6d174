// coba is the networks coba and cobahh of popsim's library in plain C: conductances decay by a factor each step, and V and
// the gates move by exponential Euler with the conductances at the start of the step; spikes are at ends of steps and
// arrive a step later. Edges are rows by source of 4 bytes a target; loops become vectors by the compiler, exponentials
// those of libmvec.
//
//	cc -O3 -march=native -ffast-math -mprefer-vector-width=512 -o coba bench/peers/coba.c -lm
//	./coba coba 4000 0.1 [huge]
//
// takes the name of the network, its neurons, the step in ms and whether memory is asked for in huge pages. It prints
// the least processor time of a stretch of 100 ms from 0.1 s on, and the mean of all, in s for a second; both for one
// part at a time, ns: the update for a step of a neuron, the delivery for an arrival; and spikes/s per neuron.
#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { STRETCHES = 20 };
static int n, huge;
static double dt;
static double *v, *ge, *gi, *hold, *m, *h, *p; // hold: steps until V moves, or a spike counts, again; p: gate n of cobahh
static uint32_t *targets, *start, *fired[2];
static int count[2];

static void *array(size_t bytes) {
	bytes = (bytes + (2 << 20) - 1) & ~(size_t)((2 << 20) - 1);
	void *a = aligned_alloc(2 << 20, bytes);
	madvise(a, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	memset(a, 0, bytes);
	return a;
}

static uint64_t state = 1;
static double uniform(void) { // xorshift64*
	state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
	return ((double)((state * 2685821657736338717ULL) >> 11) + 0.5) / 9007199254740992.0;
}
static double normal(void) { return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform()); }

// build draws each pair with probability 80/n.
static void build(void) {
	const double per = log1p(-80.0 / n);
	size_t room = (size_t)n * 90 + 1000, edges = 0;
	targets = array(4 * room), start = array(4 * ((size_t)n + 1));
	for (int s = 0; s < n; s++) {
		start[s] = (uint32_t)edges;
		for (double t = floor(log(uniform()) / per); t < n; t += 1 + floor(log(uniform()) / per))
			targets[edges++] = (uint32_t)t;
	}
	start[n] = (uint32_t)edges;
}

// list appends the neurons whose V is beyond the threshold and which are not held to f.
static int list(uint32_t *f, double threshold, double steps, double reset, int resets) {
	int k = 0;
	for (int i = 0; i < n; i += 16) { // most groups have none
		double most = -1e9;
		for (int j = i; j < i + 16; j++) most = fmax(most, hold[j] > 0 ? -1e9 : v[j]);
		if (most <= threshold) continue;
		for (int j = i; j < i + 16; j++)
			if (v[j] > threshold && hold[j] <= 0) {
				f[k++] = (uint32_t)j, hold[j] = steps;
				if (resets) v[j] = reset;
			}
	}
	return k;
}

// coba: conductances in units of the leak.
static int coba(uint32_t *f) {
	const double de = exp(-dt / 5), di = exp(-dt / 10), a0 = dt / 20;
	double *restrict V = v, *restrict E = ge, *restrict X = gi, *restrict wait = hold;
#pragma GCC ivdep
	for (int i = 0; i < n; i++) {
		double e = E[i], x = X[i], a = 1 + e + x, goal = (-60 - 80 * x) / a;
		double next = goal + (V[i] - goal) * exp(-a0 * a);
		V[i] = wait[i] > 0 ? V[i] : next;
		wait[i] -= 1;
		E[i] = e * de, X[i] = x * di;
	}
	return list(f, -50, round(5 / dt), -60, 1);
}

static inline double exprel(double x) { x += 1e-9; return (exp(x) - 1) / x; }

// cobahh: conductances over C, 1/ms.
static int cobahh(uint32_t *f) {
	const double de = exp(-dt / 5), di = exp(-dt / 10), step = dt;
	double *restrict V = v, *restrict E = ge, *restrict X = gi, *restrict wait = hold;
	double *restrict gm = m, *restrict gh = h, *restrict gn = p;
#pragma GCC ivdep
	for (int i = 0; i < n; i++) {
		double e = E[i], x = X[i], u = V[i] + 63, M = gm[i], H = gh[i], P = gn[i];
		double na = 100 * M * M * M * H, k = 30 * P * P * P * P;
		double a = 0.05 + e + x + na + k, goal = (0.05 * -60 - 80 * x + 50 * na - 90 * k) / a;
		double am = 0.32 * 4 / exprel((13 - u) / 4), bm = 0.28 * 5 / exprel((u - 40) / 5);
		double ap = 0.032 * 5 / exprel((15 - u) / 5), bp = 0.5 * exp((10 - u) / 40);
		double ah = 0.128 * exp((17 - u) / 18), bh = 4 / (1 + exp((40 - u) / 5));
		V[i] = goal + (V[i] - goal) * exp(-step * a);
		gm[i] = am / (am + bm) + (M - am / (am + bm)) * exp(-step * (am + bm));
		gn[i] = ap / (ap + bp) + (P - ap / (ap + bp)) * exp(-step * (ap + bp));
		gh[i] = ah / (ah + bh) + (H - ah / (ah + bh)) * exp(-step * (ah + bh));
		wait[i] -= 1;
		E[i] = e * de, X[i] = x * di;
	}
	return list(f, -20, round(3 / dt), 0, 0);
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv) {
	if (argc < 4) return fprintf(stderr, "usage: %s coba|cobahh NEURONS DT [huge]\n", argv[0]), 2;
	const int hh = !strcmp(argv[1], "cobahh");
	n = atoi(argv[2]), dt = atof(argv[3]), huge = argc > 4;
	double **columns[] = {&v, &ge, &gi, &hold, &m, &h, &p};
	for (int i = 0; i < 7; i++) *columns[i] = array(8 * (size_t)n + 128);
	for (int i = 0; i < 2; i++) fired[i] = array(4 * (size_t)n);
	build();
	for (int i = 0; i < n; i++) {
		v[i] = hh ? -65 + 5 * normal() : -60 + 10 * uniform();
		ge[i] = hh ? 0.2 + 0.075 * normal() : 4 + 1.5 * normal();
		gi[i] = hh ? 1 + 0.6 * normal() : 20 + 12 * normal();
	}
	const double we = hh ? 0.03 : 0.6, wi = hh ? 0.335 : 6.7;
	const int each = (int)round(100 / dt), excitatory = n * 4 / 5;
	double least = INFINITY, sum = 0, update = 0, delivery = 0, spikes = 0, arrivals = 0;
	for (int s = 0; s <= STRETCHES; s++) {
		double begin = now(), up = 0, all = 0;
		for (int k = 0; k < each; k++) {
			uint32_t *last = fired[k & 1], *new = fired[~k & 1];
			double t = k % 8 ? 0 : now(); // one step in eight is timed in parts
			count[~k & 1] = hh ? cobahh(new) : coba(new);
			double t2 = k % 8 ? 0 : now();
			for (int j = 0; j < count[k & 1]; j++) { // those of the step before
				uint32_t a = last[j];
				double *to = (int)a < excitatory ? ge : gi, w = (int)a < excitatory ? we : wi;
				for (uint32_t e = start[a]; e < start[a + 1]; e++) to[targets[e]] += w;
				if (k % 8 == 0) all += start[a + 1] - start[a];
			}
			if (k % 8 == 0) up += t2 - t, delivery += s ? now() - t2 : 0;
			if (s) spikes += count[~k & 1];
		}
		double took = 10 * (now() - begin);
		if (!s) continue; // not counted
		if (took < least) least = took;
		sum += took / STRETCHES, update += up, arrivals += all;
	}
	printf("%s neurons=%d dt=%g pages=%s least %.4f mean %.4f s/model-s, ", argv[1], n, dt, huge ? "2MB" : "4kB", least, sum);
	printf("update %.3f ns/neuron-step, delivery %.2f ns/arrival, %.2f Hz\n",
	       update * 1e9 / ((double)n * STRETCHES * (each / 8)), delivery * 1e9 / arrivals, spikes / n / (0.1 * STRETCHES));
	return 0;
}
