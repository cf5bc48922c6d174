// update is the yardstick of kernels.LIFRows (BenchmarkUpdate of package kernels): LIF neurons with a row of arrivals for
// each step, as the update of a network in hand-written C does it, 64 neurons through the steps of an epoch and then the
// next. Spikes are listed by step.
//
//	cc -O3 -march=native -mprefer-vector-width=256 -ffp-contract=off -o update bench/peers/update.c -lm && ./update
//
// prints the steps of an epoch and the least time of a step of a neuron, ns, for rows of jumps of V where all neurons are
// alike and where each has parameters of its own, and for rows of an exponential current. It takes AVX-512 where it is
// compiled for it, else AVX2 and FMA3 (-march=x86-64-v3).
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __AVX512F__
typedef __m512d vector;
typedef __mmask8 mask;
#define V(operation) _mm512_##operation##_pd
#define compare(x, predicate, y) _mm512_cmp_pd_mask(x, y, predicate)
#define choose(m, x, y) _mm512_mask_mov_pd(y, m, x)
#define bits(m) (m)
#else
typedef __m256d vector, mask;
#define V(operation) _mm256_##operation##_pd
#define compare(x, predicate, y) _mm256_cmp_pd(x, y, predicate)
#define choose(m, x, y) _mm256_blendv_pd(y, x, m)
#define bits(m) _mm256_movemask_pd(m)
#endif

enum { N = 2048, MOST = 50, LANES = sizeof(vector) / 8 };
enum rows { JUMPS, EACH, CURRENT, KINDS };
static const char *const names[KINDS] = {"jumps", "each", "current"};
static const double dt = 0.1, tau = 20, tau_s = 2, v_inf = 24, v_th = 20, reset = 10, hold = 20, empty = 1e-290;
static double *v, *wake, *current, *row;
static double *keeps, *goals, *thresholds, *resets, *holds; // EACH
static uint32_t ids[MOST][N];
static int listed[MOST];
static long spikes;

static double *column(size_t n, double x) {
	double *p = aligned_alloc(64, 8 * n);
	for (size_t i = 0; i < n; i++) p[i] = x;
	return p;
}

static inline __attribute__((always_inline)) void update(long first, int steps, enum rows kind) {
	const double decay = exp(-dt / tau_s);
	vector Keep = V(set1)(-expm1(-dt / tau)), Goal = V(set1)(v_inf), Th = V(set1)(v_th), Reset = V(set1)(reset);
	vector Hold = V(set1)(hold);
	const vector Decay = V(set1)(decay), Share = V(set1)(tau_s / (tau - tau_s) * (exp(-dt / tau) - decay));
	const vector Empty = V(set1)(empty);
	memset(listed, 0, sizeof listed);
	for (int g = 0; g < N; g += 64)
		for (int d = 0; d < steps; d++) {
			const vector K = V(set1)((double)(first + d)), Next = V(set1)((double)(first + d + 1));
			for (int l = g; l < g + 64; l += LANES) {
				double *r = row + (size_t)d * N + l;
				if (kind == EACH) Keep = V(load)(keeps + l), Goal = V(load)(goals + l), Th = V(load)(thresholds + l);
				vector x = V(load)(v + l), W = V(load)(wake + l), a = V(load)(r), y;
				V(store)(r, Empty);
				mask moves = compare(W, _CMP_LE_OQ, K);
				y = V(fmadd)(Keep, V(sub)(Goal, x), x);
				if (kind != CURRENT) y = V(add)(y, a);
				else {
					vector i = V(load)(current + l);
					y = V(fmadd)(Share, i, y);
					V(store)(current + l, V(fmadd)(Decay, i, a));
				}
				y = choose(moves, y, x);
				mask above = compare(y, _CMP_GE_OQ, Th);
				unsigned fired = (unsigned)bits(above);
				if (__builtin_expect(fired, 0)) {
					if (kind == EACH) Reset = V(load)(resets + l), Hold = V(load)(holds + l);
					y = choose(above, Reset, y);
					V(store)(wake + l, choose(above, V(add)(Next, Hold), W));
					for (; fired; fired &= fired - 1) ids[d][listed[d]++] = (uint32_t)(l + __builtin_ctz(fired));
				}
				V(store)(v + l, y);
			}
		}
	for (int d = 0; d < steps; d++) spikes += listed[d];
}

static void epoch(long first, int steps, enum rows kind) {
	switch (kind) {
	case JUMPS: update(first, steps, JUMPS); break;
	case EACH: update(first, steps, EACH); break;
	default: update(first, steps, CURRENT);
	}
}

int main(void) {
	v = column(N, 0), wake = column(N, 0), current = column(N, 0), row = column((size_t)MOST * N, 0);
	keeps = column(N, -expm1(-dt / tau)), goals = column(N, v_inf), thresholds = column(N, v_th);
	resets = column(N, reset), holds = column(N, hold);
	for (enum rows kind = 0; kind < KINDS; kind++)
		for (int s = 0; s < 4; s++) {
			const int steps = (int[]){1, 5, 15, 50}[s], calls = 600 / steps;
			double least = INFINITY;
			long first = 0;
			for (int l = 0; l < N; l++) v[l] = v_th * l / N, wake[l] = 0, current[l] = 0;
			for (int round = 0; round < 500; round++) {
				struct timespec a, b;
				clock_gettime(CLOCK_MONOTONIC, &a);
				for (int c = 0; c < calls; c++, first += steps) epoch(first, steps, kind);
				clock_gettime(CLOCK_MONOTONIC, &b);
				double ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
				if (ns / ((double)calls * steps * N) < least) least = ns / ((double)calls * steps * N);
			}
			printf("%s %d %.4f %.1f\n", names[kind], steps, least, spikes / (first * dt / 1000 * N));
			spikes = 0;
		}
	return 0;
}
