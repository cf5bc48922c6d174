// update is the yardstick of kernels.LIFRows (BenchmarkUpdate of package kernels): LIF neurons with a row of arrivals for
// each step, as the update of a network in hand-written C does it, 64 neurons through the steps of an epoch and then the
// next. Spikes are listed by step.
//
//	cc -O3 -march=native -mprefer-vector-width=256 -ffp-contract=off -o update bench/peers/update.c -lm && ./update
//
// prints, for rows of jumps of V and for rows of an exponential current, the steps of an epoch and the least time of a
// step of a neuron, ns. It needs AVX-512.
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N = 2048, MOST = 50 };
static const double dt = 0.1, tau = 20, tau_s = 2, v_inf = 24, v_th = 20, reset = 10, hold = 20, empty = 1e-290;
static double *v, *wake, *current, *row;
static uint32_t ids[MOST][N];
static int listed[MOST];
static long spikes;

static double *column(size_t n) {
	double *p = aligned_alloc(64, 8 * n);
	for (size_t i = 0; i < n; i++) p[i] = 0;
	return p;
}

static inline void update(long first, int steps, int jumps) {
	const double keep = -expm1(-dt / tau), decay = exp(-dt / tau_s);
	const __m512d Keep = _mm512_set1_pd(keep), Goal = _mm512_set1_pd(v_inf), Th = _mm512_set1_pd(v_th);
	const __m512d Decay = _mm512_set1_pd(decay), Share = _mm512_set1_pd(tau_s / (tau - tau_s) * (exp(-dt / tau) - decay));
	const __m512d Empty = _mm512_set1_pd(empty), Reset = _mm512_set1_pd(reset);
	memset(listed, 0, sizeof listed);
	for (int g = 0; g < N; g += 64)
		for (int d = 0; d < steps; d++) {
			double k = (double)(first + d);
			const __m512d K = _mm512_set1_pd(k);
			for (int l = g; l < g + 64; l += 8) {
				double *r = row + (size_t)d * N + l;
				__m512d V = _mm512_load_pd(v + l), W = _mm512_load_pd(wake + l), a = _mm512_load_pd(r), y;
				_mm512_store_pd(r, Empty);
				__mmask8 moves = _mm512_cmp_pd_mask(W, K, _CMP_LE_OQ);
				y = _mm512_fmadd_pd(Keep, _mm512_sub_pd(Goal, V), V);
				if (jumps) y = _mm512_add_pd(y, a);
				else {
					__m512d i = _mm512_load_pd(current + l);
					y = _mm512_fmadd_pd(Share, i, y);
					_mm512_store_pd(current + l, _mm512_fmadd_pd(Decay, i, a));
				}
				y = _mm512_mask_mov_pd(V, moves, y);
				unsigned fired = _mm512_cmp_pd_mask(y, Th, _CMP_GE_OQ);
				if (__builtin_expect(fired, 0)) {
					y = _mm512_mask_mov_pd(y, (__mmask8)fired, Reset);
					_mm512_store_pd(wake + l, _mm512_mask_mov_pd(W, (__mmask8)fired, _mm512_set1_pd(k + 1 + hold)));
					for (; fired; fired &= fired - 1) ids[d][listed[d]++] = (uint32_t)(l + __builtin_ctz(fired));
				}
				_mm512_store_pd(v + l, y);
			}
		}
	for (int d = 0; d < steps; d++) spikes += listed[d];
}

int main(void) {
	v = column(N), wake = column(N), current = column(N), row = column((size_t)MOST * N);
	for (int jumps = 1; jumps >= 0; jumps--)
		for (int s = 0; s < 4; s++) {
			const int steps = (int[]){1, 5, 15, 50}[s], calls = 600 / steps;
			double least = INFINITY;
			long first = 0;
			for (int l = 0; l < N; l++) v[l] = v_th * l / N, wake[l] = 0, current[l] = 0;
			for (int round = 0; round < 500; round++) {
				struct timespec a, b;
				clock_gettime(CLOCK_MONOTONIC, &a);
				for (int c = 0; c < calls; c++, first += steps) jumps ? update(first, steps, 1) : update(first, steps, 0);
				clock_gettime(CLOCK_MONOTONIC, &b);
				double ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
				if (ns / ((double)calls * steps * N) < least) least = ns / ((double)calls * steps * N);
			}
			printf("%s %d %.4f %.1f\n", jumps ? "jumps" : "current", steps, least, spikes / (first * dt / 1000 * N));
			spikes = 0;
		}
	return 0;
}
