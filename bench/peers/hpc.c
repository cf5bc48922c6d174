// hpc is the network hpc of popsim's library in plain C: LIF neurons with one alpha current, moved exactly over a step;
// spikes are at ends of steps. Edges are rows by source of 4 bytes a target, and add to a ring of rows by step; loops
// become vectors by the compiler.
//
//	cc -O3 -march=native -ffast-math -mprefer-vector-width=512 -o hpc bench/peers/hpc.c -lm
//	./hpc 1 [huge]
//
// takes the scale (1 is 11,250 neurons) and whether memory is asked for in huge pages. It prints the processor time of
// the stretch from 0.1 to 1.1 s, in s for a second; of it the update for a step of a neuron and the delivery for an
// arrival, ns; and spikes/s per neuron.
#define _GNU_SOURCE
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { DELAY = 15, EXCITATORY = 9000, INHIBITORY = 2250, STEPS = 10000, START = 1000 };
static const double DT = 0.1, TAU = 10, TAU_S = 0.3258272240372284, C = 250, V_TH = 20, J = 45.60960032, G = 5;
static int n, ne, huge;
static double *v, *s, *y, *hold, *ring; // hold: steps until V moves; ring: arrivals by step
static uint32_t *targets, *seed, *fired;
static size_t *start;

static void *array(size_t bytes) {
	bytes = (bytes + (2 << 20) - 1) & ~(size_t)((2 << 20) - 1);
	void *a = aligned_alloc(2 << 20, bytes);
	madvise(a, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	memset(a, 0, bytes);
	return a;
}

static uint64_t state;
static uint64_t draw(void) { // xorshift64*
	state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
	return state * 2685821657736338717ULL;
}
static double uniform(void) { return ((double)(draw() >> 11) + 0.5) / 9007199254740992.0; }
static uint32_t below(uint32_t k) { return (uint32_t)((draw() >> 32) * k >> 32); }

// edges draws, for every target, sources other than itself; those of one edge after the other are counted, or placed.
static void edges(int place) {
	state = 1;
	for (int t = 0; t < n; t++)
		for (int k = 0; k < EXCITATORY + INHIBITORY; k++) {
			uint32_t from;
			do from = k < EXCITATORY ? below((uint32_t)ne) : (uint32_t)ne + below((uint32_t)(n - ne));
			while ((int)from == t);
			if (place) targets[start[from]++] = (uint32_t)t;
			else start[from + 2]++;
		}
}

static void build(void) {
	start = array(8 * ((size_t)n + 3)), targets = array(4 * (size_t)n * (EXCITATORY + INHIBITORY));
	edges(0);
	for (int i = 2; i < n + 2; i++) start[i] += start[i - 1];
	start++; // where the next edge of each goes; afterwards the ends, which are where the next one's begin
	edges(1);
	start--;
}

// update moves all neurons by a step and lists those that fire.
static int update(double *restrict row, const double *below_count, int most) {
	const double p22 = exp(-DT / TAU), p11 = exp(-DT / TAU_S), d = 1 / TAU_S - 1 / TAU, r = TAU / C;
	const double p21 = r / TAU * exp(-DT / TAU) * -expm1(-d * DT) / d;
	const double p20 = r / TAU * exp(-DT / TAU) * (-expm1(-d * DT) / d - DT * exp(-d * DT)) / d;
	const double each = J * M_E / TAU_S, rest = round(0.5 / DT);
	double *restrict V = v, *restrict S = s, *restrict Y = y, *restrict wait = hold;
	uint32_t *restrict x = seed;
#pragma GCC ivdep
	for (int i = 0; i < n; i++) {
		uint32_t u = x[i]; // xorshift32 of each neuron
		u ^= u << 13, u ^= u >> 17, u ^= u << 5;
		x[i] = u;
		double q = u * 0x1p-32, arrivals = 0;
		for (int k = 0; k < most; k++) arrivals += q >= below_count[k] ? 1 : 0;
		double next = p22 * V[i] + p21 * S[i] + p20 * Y[i];
		V[i] = wait[i] > 0 ? V[i] : next;
		wait[i] -= 1;
		S[i] = p11 * (S[i] + DT * Y[i]);
		Y[i] = p11 * Y[i] + row[i] + each * arrivals;
		row[i] = 0;
	}
	int count = 0;
	for (int i = 0; i < n; i += 16) { // most groups have none
		double top = -1e9;
		for (int j = i; j < i + 16; j++) top = fmax(top, hold[j] >= 0 ? -1e9 : v[j]);
		if (top < V_TH) continue;
		for (int j = i; j < i + 16 && j < n; j++)
			if (v[j] >= V_TH && hold[j] < 0) fired[count++] = (uint32_t)j, hold[j] = rest, v[j] = 0;
	}
	return count;
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv) {
	if (argc < 2) return fprintf(stderr, "usage: %s SCALE [huge]\n", argv[0]), 2;
	ne = (int)round(EXCITATORY * atof(argv[1])), n = ne + (int)round(INHIBITORY * atof(argv[1])), huge = argc > 2;
	const size_t stride = (size_t)n + 16;
	double **columns[] = {&v, &s, &y, &hold};
	for (int i = 0; i < 4; i++) *columns[i] = array(8 * stride);
	ring = array(8 * stride * (DELAY + 1)), seed = array(4 * stride), fired = array(4 * stride);
	build();
	for (int i = 0; i < n; i++) {
		v[i] = 5.7 + 7.2 * sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
		seed[i] = (uint32_t)(draw() >> 32) | 1, hold[i] = -1;
	}
	for (size_t i = (size_t)n; i < stride; i++) v[i] = -1e9;
	double thresholds[16], mean = 1.685 * V_TH * C / (TAU * J * M_E * TAU_S) * DT, p = exp(-mean), sum = p;
	for (int k = 0; k < 16; k++) thresholds[k] = sum, p *= mean / (k + 1), sum += p;
	double up = 0, delivery = 0, spikes = 0, arrivals = 0;
	for (int k = 0; k < START + STEPS; k++) {
		double t = now();
		int count = update(ring + stride * (size_t)(k % (DELAY + 1)), thresholds, 16);
		double t2 = now();
		double *restrict row = ring + stride * (size_t)((k + DELAY) % (DELAY + 1));
		for (int j = 0; j < count; j++) {
			const uint32_t a = fired[j];
			const double w = (int)a < ne ? J * M_E / TAU_S : -G * J * M_E / TAU_S;
			for (size_t e = start[a]; e < start[a + 1]; e++) row[targets[e]] += w;
			if (k >= START) arrivals += (double)(start[a + 1] - start[a]);
		}
		if (k >= START) up += t2 - t, delivery += now() - t2, spikes += count;
	}
	printf("hpc neurons=%d pages=%s %.3f s/model-s, update %.2f ns/neuron-step, delivery %.2f ns/arrival, %.2f Hz\n", n,
	       huge ? "2MB" : "4kB", up + delivery, up * 1e9 / ((double)n * STEPS), delivery * 1e9 / arrivals, spikes / n);
	return 0;
}
