/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The measurements, in the order in which they run. Each reports its own rows, also those that it could not measure. */
#ifndef BENCH_H
#define BENCH_H

struct bench {
	const char *einat; /* path of the program that is measured */
	int cpu;	   /* where whatever is measured runs */
};

void bench_cost(const struct bench *bench);
void bench_creation(const struct bench *bench);
void bench_loading(const struct bench *bench);
void bench_forwarding(const struct bench *bench);
void bench_burst(const struct bench *bench);
void bench_throughput(const struct bench *bench);
void bench_memory(const struct bench *bench);

#endif
