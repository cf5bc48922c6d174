// A barrier of two threads in C: the least mean of many lots of 2000 barriers without work, the time in which a cache
// line goes to the other core and back, and the efficiency with about 1, 2, 4 and 20 us of arithmetic for each thread
// between barriers (lowest twentieth of lots of 20, as in BenchmarkEfficiency of package sched).
//
//	cc -O2 -o barrier bench/peers/barrier.c -lpthread && ./barrier
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct {
	_Alignas(128) atomic_long turn;
} flag;
static flag flags[2];
static volatile double results[2][16];
enum { LOTS = 4000, LOT = 20, EMPTY_LOTS = 50, EMPTY = 2000 };
static int lots, lot;
static long length; // of the work
static double times[LOTS];

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void meet(int me, long turn) {
	atomic_store_explicit(&flags[me].turn, turn, memory_order_release);
	for (int n = 0; atomic_load_explicit(&flags[!me].turn, memory_order_acquire) < turn;)
		if (++n < 4000) __builtin_ia32_pause(); else sched_yield();
}

static double arithmetic(long n) { // dependent multiplications and additions
	double x = 1;
	for (long i = 0; i < n; i++) {
		x = x * 0.999 + 1e-3;
		__asm__ volatile("" : "+x"(x)); // is not computed at another time
	}
	return x;
}

static void *work(void *arg) {
	int me = arg != 0;
	long turn = 1;
	meet(me, turn++);
	for (int i = 0; i < lots; i++) {
		double begin = now();
		for (int j = 0; j < lot; j++) {
			if (length) results[me][0] = arithmetic(length);
			meet(me, turn++);
		}
		if (!me) times[i] = (now() - begin) / lot;
	}
	return 0;
}

static void *answer(void *arg) { // the cache line is that of flags[0]
	long end = *(long *)arg;
	for (long i = 1; i < end; i += 2) {
		while (atomic_load_explicit(&flags[0].turn, memory_order_acquire) != i) {}
		atomic_store_explicit(&flags[0].turn, i + 1, memory_order_release);
	}
	return 0;
}

static int by_size(const void *a, const void *b) { double x = *(const double *)a, y = *(const double *)b; return (x > y) - (x < y); }

static double run(long n, int how_many, int each, double share) {
	length = n, lots = how_many, lot = each;
	for (int i = 0; i < 2; i++) atomic_store(&flags[i].turn, 0);
	pthread_t other;
	pthread_create(&other, 0, work, (void *)1);
	work(0);
	pthread_join(other, 0);
	qsort(times, lots, sizeof *times, by_size);
	return times[(int)(lots * share)];
}

static double alone(long n) { // median
	enum { TRIES = 101, TIMES = 100 };
	double all[TRIES];
	for (int i = 0; i < TRIES; i++) {
		double begin = now();
		for (int j = 0; j < TIMES; j++) results[0][0] = arithmetic(n);
		all[i] = (now() - begin) / TIMES;
	}
	qsort(all, TRIES, sizeof *all, by_size);
	return all[TRIES / 2];
}

static double line(void) {
	double least = 1e9;
	for (int i = 0; i < 300; i++) {
		long end = 400;
		atomic_store(&flags[0].turn, 0);
		pthread_t other;
		pthread_create(&other, 0, answer, &end);
		double begin = 0;
		for (long k = 0; k < end; k += 2) {
			if (k == 2) begin = now(); // the other has begun
			atomic_store_explicit(&flags[0].turn, k + 1, memory_order_release);
			while (atomic_load_explicit(&flags[0].turn, memory_order_acquire) != k + 2) {}
		}
		double t = (now() - begin) / (end / 2 - 1);
		if (t < least) least = t;
		pthread_join(other, 0);
	}
	return least;
}

int main(void) {
	printf("line-ns %.0f barrier-ns %.0f", line(), run(0, EMPTY_LOTS, EMPTY, 0));
	for (int i = 0; i < 4; i++) {
		int us = (int[]){1, 2, 4, 20}[i];
		long n = us * 250;
		for (int k = 0; k < 2; k++) n = (long)(n * us * 1000 / alone(n));
		double each = alone(n), epoch = run(n, LOTS, LOT, 0.05);
		printf(" efficiency-%dus %.3f", us, each / epoch);
	}
	printf("\n");
}
