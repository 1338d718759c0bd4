// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the running daemon holds: its own resident memory, and the kernel's for its maps and programs, as the kernel accounts
 * it for each (memlock in /proc/PID/fdinfo: since 6.4 what a map really takes, before an estimate by its size).
 */
#include "bench.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "testbed.h"

#define OBJECTS_MAX 128
#define MB	    1e6

struct memory {
	double maps, programs; /* bytes */
	double resident;
	unsigned int seen[OBJECTS_MAX]; /* ids: several descriptors may be of one map */
	size_t seen_count;
};

/* True the first time that a map (or, with the top bit, a program) is seen. */
static bool is_new(struct memory *memory, unsigned int id)
{
	for (size_t i = 0; i < memory->seen_count; i++)
		if (memory->seen[i] == id)
			return false;
	if (memory->seen_count < OBJECTS_MAX)
		memory->seen[memory->seen_count++] = id;
	return true;
}

static void descriptor_read(struct memory *memory, const char *path)
{
	unsigned int map = 0, program = 0;
	unsigned long bytes = 0;
	char line[256];
	FILE *from;

	from = fopen(path, "r");
	while (from && fgets(line, sizeof(line), from)) {
		sscanf(line, "map_id: %u", &map);
		sscanf(line, "prog_id: %u", &program);
		sscanf(line, "memlock: %lu", &bytes);
	}
	if (from)
		fclose(from);
	if (map && is_new(memory, map))
		memory->maps += bytes;
	else if (!map && program && is_new(memory, program | 1U << 31))
		memory->programs += bytes;
}

static bool memory_read(struct memory *memory, pid_t pid)
{
	char path[320], line[256];
	struct dirent *entry;
	unsigned long kb = 0;
	FILE *from;
	DIR *dir;

	*memory = (struct memory){ 0 };
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, entry->d_name);
		descriptor_read(memory, path);
	}
	if (dir)
		closedir(dir);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	from = fopen(path, "r");
	while (from && fgets(line, sizeof(line), from))
		sscanf(line, "VmRSS: %lu", &kb);
	if (from)
		fclose(from);
	memory->resident = (double)kb * 1024;
	return memory->maps > 0 && memory->resident > 0;
}

static void configuration_run(const struct bench *bench, const char *ports, const char *what, struct target target)
{
	struct testbed testbed;
	struct memory memory;

	if (testbed_open(&testbed, ROUTER_EINAT, bench->einat, ports)) {
		report_missing(what, "%s", testbed.why);
	} else if (!memory_read(&memory, testbed.daemon)) {
		report_missing(what, "/proc/%d has no figures", testbed.daemon);
	} else {
		report_single(what, "MB", (memory.maps + memory.programs) / MB, target,
			      (struct beside[]){ { "maps MB", memory.maps / MB },
						 { "programs MB", memory.programs / MB },
						 { NULL, 0 } });
		report_single("  the daemon, resident", "MB", memory.resident / MB, (struct target){ AT_MOST, 2 },
			      NULL);
	}
	testbed_close(&testbed);
}

void bench_memory(const struct bench *bench)
{
	report_area("Memory of the running daemon, IPv4, as /proc/PID/fdinfo and status say", "");
	configuration_run(bench, NULL, "kernel, by default", (struct target){ AT_MOST, 12 });
	configuration_run(bench, "1-65535", "kernel, every port", (struct target){ NO_TARGET, 0 });
}
