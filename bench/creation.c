// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a new mapping costs, by how many of the ports are in use. One plane for each filling, all open at once and in turn.
 * New endpoints come from ports of any number, as hosts choose them: with all ports free each keeps its own, with few left
 * nearly each needs another. What is made is freed again, so that the filling stays what it was.
 */
#include "bench.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plane.h"
#include "report.h"
#include "traffic.h"
#include "traffic.skel.h"

#define ROUNDS	  120
#define PER_ROUND 16
#define PORT_LOW  1024
#define PORT_HIGH 65535
#define LONG_AGO  (10 * 60 * 60) /* seconds: behind every timeout with its hold-down */

static const struct level {
	const char *what;
	double filled;
} levels[] = {
	{ "0 % of the ports in use", 0 }, { "50 %", 0.5 }, { "90 %", 0.9 }, { "99 %", 0.99 }, { "99.9 %", 0.999 }
};

#define LEVELS (sizeof(levels) / sizeof(levels[0]))

struct race {
	struct plane planes[LEVELS];
	struct samples costs[LEVELS]; /* ns of a packet that makes a mapping */
	struct samples round[LEVELS];
	struct samples ratios[LEVELS];
	struct traffic_bpf *traffic;
	struct samples empty;
};

/* A packet of an endpoint that was never seen before. Hosts 10.x.x.x fill; 172.16.x.x probe. */
static void frame_of_stranger(struct frame *frame, bool probes)
{
	static uint32_t number;
	struct frame_endpoint from = { .port = htons(PORT_LOW + random() % (PORT_HIGH - PORT_LOW + 1)) };
	struct frame_endpoint remote = frame_endpoint_of(AF_INET, "198.51.100.1", 53);

	number++;
	from.addr[0] = probes ? htonl(0xac100000 | (number & 0xfffff)) : htonl(0x0a000000 | (number & 0xffffff));
	frame_build(frame, AF_INET, IPPROTO_UDP, 0, &from, &remote, 18);
}

static bool plane_fill(struct plane *plane, double filled)
{
	uint32_t wanted = plane->slot_count * filled;
	struct frame frame;

	for (uint32_t i = 0; i < wanted; i++) {
		frame_of_stranger(&frame, false);
		if (program_run(datapath_program_fd(plane->dp, NAT_EGRESS), &frame, NULL).action != TC_ACT_UNSPEC)
			return false;
	}
	return true;
}

/* Ends the mappings of the probing hosts; the sweep frees their ports. Gives their number. */
static unsigned int probes_end(struct plane *plane)
{
	struct timespec now;
	unsigned int count = 0;
	uint32_t past;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	past = ((now.tv_sec - LONG_AGO) * 1000000000LL) >> NAT_TICK_SHIFT;
	for (uint32_t slot = 0; slot < plane->slot_count; slot++) {
		struct mapping *map = plane_slot(plane, slot);

		if (map->state == MAPPING_LIVE && ntohl(map->internal_addr.word[0]) >> 20 == 0xac1) {
			map->expires = past;
			count++;
		}
	}
	datapath_sweep(plane->dp);
	return count;
}

/* A few new mappings on one plane. False if one was refused. */
static bool probe(struct race *race, size_t level)
{
	struct plane *plane = &race->planes[level];
	int fd = datapath_program_fd(plane->dp, NAT_EGRESS);
	struct frame frame;

	samples_clear(&race->round[level]);
	for (int i = 0; i < PER_ROUND; i++) {
		struct verdict verdict;

		frame_of_stranger(&frame, true);
		verdict = program_run(fd, &frame, NULL);
		if (verdict.action != TC_ACT_UNSPEC)
			return false;
		samples_add(&race->round[level], verdict.run_ns);
		samples_add(&race->costs[level], verdict.run_ns);
		verdict = program_run(bpf_program__fd(race->traffic->progs.empty), &frame, NULL);
		samples_add(&race->empty, verdict.run_ns);
	}
	return probes_end(plane) == PER_ROUND;
}

static bool race_round(struct race *race, bool forth)
{
	double empty;

	for (size_t i = 0; i < LEVELS; i++)
		if (!probe(race, forth ? i : LEVELS - 1 - i))
			return false;
	empty = samples_median(&race->empty);
	for (size_t i = 0; i < LEVELS; i++)
		samples_add(&race->ratios[i],
			    (samples_median(&race->round[i]) - empty) / (samples_median(&race->round[0]) - empty));
	return true;
}

static void race_report(struct race *race)
{
	double empty = samples_median(&race->empty);

	for (size_t i = 0; i < LEVELS; i++) {
		double cost = samples_median(&race->costs[i]) - empty;
		struct target target = { i + 1 == LEVELS ? AT_MOST : NO_TARGET, 3 };

		report_row(levels[i].what, "x", &race->ratios[i], target,
			   (struct beside[]){ { "ns", cost },
					      { "p90 ns", samples_quantile(&race->costs[i], 0.9) - empty },
					      { "per s", 1e9 / cost },
					      { NULL, 0 } });
	}
}

void bench_creation(const struct bench *bench)
{
	static const struct port_range ports[NAT_PROTOCOLS] = { [NAT_UDP] = { PORT_LOW, PORT_HIGH } };
	static struct race race;
	bool fine = true;
	int err = 0;

	(void)bench;
	report_area("Cost of a new mapping, 64,512 ports", "the same with all of them free");
	race.traffic = traffic_bpf__open_and_load();
	if (!race.traffic)
		err = -1;
	for (size_t i = 0; !err && i < LEVELS; i++) {
		err = plane_open(&race.planes[i], AF_INET, ports);
		fine = err || plane_fill(&race.planes[i], levels[i].filled) ? fine : false;
	}
	for (int i = 0; !err && fine && i < ROUNDS; i++)
		fine = race_round(&race, i % 2);
	if (err)
		report_missing("new mappings", "load the programs");
	else if (!fine)
		report_missing("new mappings", "one was refused, or not freed, with ports left");
	else
		race_report(&race);
	for (size_t i = 0; i < LEVELS; i++)
		plane_close(&race.planes[i]);
	traffic_bpf__destroy(race.traffic);
}
