/* plain TASK: the questions (adex, hh) in plain C, as a careful user writes them: one loop over the neurons in every step,
   left to the compiler to make into vectors. Prints  seconds spikes error. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N = 10000, MAX = 200 * N };
static double I[N], v[N], w[N], m[N], h[N], n[N], old[N];
static int who[MAX];
static double when[MAX];
static long spikes;

static void fire(int i, double t) { who[spikes] = i; when[spikes++] = t; }

static void adex(int steps, double dt) {
    for (int i = 0; i < N; i++) v[i] = -65, w[i] = 0;
    for (int k = 0; k < steps; k++) {
        for (int i = 0; i < N; i++) {
            double x = v[i];
            v[i] = x + dt / 10 * (-(x + 65) + 3.48 * exp((x + 59.9) / 3.48) - w[i] + I[i]);
            w[i] += dt / 30 * (x + 65 - w[i]);
        }
        for (int i = 0; i < N; i++)
            if (v[i] > -30) v[i] = -68, w[i] += 1, fire(i, (k + 1) * dt);
    }
}

static double relax(double x, double a, double b, double dt) {
    double s = a + b, inf = a / s;
    return inf + (x - inf) * exp(-dt * s);
}

static void hh(int steps, double dt) {
    for (int i = 0; i < N; i++) v[i] = -65, m[i] = 0.05293248525724958, h[i] = 0.5961207535084603, n[i] = 0.3176769140606974;
    static char armed[N];
    memset(armed, 1, N);
    for (int k = 0; k < steps; k++) {
        memcpy(old, v, sizeof old);
        for (int i = 0; i < N; i++) {
            double x = old[i], gna = 120 * m[i] * m[i] * m[i] * h[i], gk = 36 * n[i] * n[i] * n[i] * n[i];
            double g = gna + gk + 0.3, inf = (I[i] + gna * 50 - gk * 77 - 0.3 * 54.387) / g;
            v[i] = inf + (x - inf) * exp(-dt * g);
            m[i] = relax(m[i], 0.1 * (x + 40) / (1 - exp(-(x + 40) / 10)), 4 * exp(-(x + 65) / 18), dt);
            h[i] = relax(h[i], 0.07 * exp(-(x + 65) / 20), 1 / (1 + exp(-(x + 35) / 10)), dt);
            n[i] = relax(n[i], 0.01 * (x + 55) / (1 - exp(-(x + 55) / 10)), 0.125 * exp(-(x + 65) / 80), dt);
        }
        for (int i = 0; i < N; i++) {
            if (armed[i] && v[i] > 0) fire(i, (k + 1) * dt), armed[i] = 0;
            else if (v[i] < -20) armed[i] = 1;
        }
    }
}

static double tenth(int neuron, double true_time) {
    int k = 0;
    for (long s = 0; s < spikes; s++)
        if (who[s] == neuron && ++k == 10) return fabs(when[s] - true_time);
    return INFINITY;
}

int main(int argc, char **argv) {
    int is_hh = argc > 1 && !strcmp(argv[1], "hh");
    struct timespec a, b;
    for (int i = 0; i < N; i++) I[i] = 10 + 10. * i / (N - 1);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    if (is_hh) hh(10000, 0.02);
    else adex(10000, 0.1);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    double first = tenth(0, is_hh ? 133.926338676868 : 290.360765117236), last = tenth(N - 1, is_hh ? 105.888690372739 : 113.102041847324);
    printf("%.6f %ld %.6g\n", b.tv_sec - a.tv_sec + 1e-9 * (b.tv_nsec - a.tv_nsec), spikes, first > last ? first : last);
    return 0;
}
