// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Measures einat on this machine's kernel:
 *
 *	bench EINAT JSON [NAME]...		NAME: only these measurements
 *
 * Every figure is a ratio to something that is measured beside it, in turn with it, in the same run: machines differ, and
 * so does one machine from one minute to the next. Whether a target is met is printed and decides nothing: the exit status
 * is 1 only if something could not be measured.
 *
 * It needs root: it loads BPF programs, and sends packets through network namespaces of its own, which have no name and so
 * are gone when it ends, however it ends.
 */
#include "bench.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

#define TIME_LIMIT 240 /* seconds; SIGALRM ends what takes longer */

static const struct measurement {
	const char *name;
	void (*run)(const struct bench *bench);
} measurements[] = {
	{ "cost", bench_cost },	      { "creation", bench_creation },
	{ "loading", bench_loading }, { "forwarding", bench_forwarding },
	{ "burst", bench_burst },     { "throughput", bench_throughput },
	{ "memory", bench_memory },
};

static bool is_wanted(const char *name, int argc, char *argv[])
{
	for (int i = 3; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc <= 3;
}

/* The last CPU, since interrupts tend to go to the first; and before whatever else wants it. */
static int pin(void)
{
	int cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		perror("sched_setaffinity");
	if (setpriority(PRIO_PROCESS, 0, -20))
		perror("setpriority");
	return cpu;
}

static void preface(void)
{
	double load[3] = { 0 };

	getloadavg(load, 3);
	printf("Figures: median, p10 .. p90, target; behind them what they come from. Load average at the start: %.2f%s\n",
	       load[0], load[0] > 0.5 ? ". THIS MACHINE IS BUSY: do not trust what follows." : ".");
}

int main(int argc, char *argv[])
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct bench bench;
	time_t start = time(NULL);

	if (argc < 3) {
		fprintf(stderr, "usage: %s EINAT JSON [NAME]...\n", argv[0]);
		return 2;
	}
	if (geteuid()) {
		fprintf(stderr, "bench: needs root, to load BPF programs and to make network namespaces\n");
		return 1;
	}
	alarm(TIME_LIMIT);
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* kernels before 5.11 */
	bench = (struct bench){ .einat = argv[1], .cpu = pin() };
	preface();
	for (size_t i = 0; i < sizeof(measurements) / sizeof(measurements[0]); i++)
		if (is_wanted(measurements[i].name, argc, argv))
			measurements[i].run(&bench);
	printf("\n%ld s\n", (long)(time(NULL) - start));
	return report_finish(argv[2]) ? 0 : 1;
}
