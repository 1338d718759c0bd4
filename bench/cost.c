// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What one packet of a live mapping costs: the time that the kernel says a run of the program took, less that of the empty
 * program, against the floor of bench/floor.bpf.h. The three run in turn, to and fro, so that none of them always finds the
 * cache as the same other one left it.
 */
#include "bench.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "floor44.skel.h"
#include "floor66.skel.h"
#include "plane.h"
#include "report.h"
#include "traffic.h"
#include "traffic.skel.h"

#define BATCHES	   60
#define BATCH_RUNS 300

static const struct target targets[NAT_DIRECTIONS] = {
	[NAT_EGRESS] = { AT_MOST, 1.6 },
	[NAT_INGRESS] = { AT_MOST, 1.4 },
};

/* The floor of a family, on the maps of a plane. */
struct floor {
	int family;
	void *skeleton;
	int fd[NAT_DIRECTIONS];
};

struct contest {
	struct plane plane;
	struct floor floor;
	struct traffic_bpf *traffic;
};

/* What takes part, in the order of a batch. */
enum { EMPTY, FLOOR, EINAT, PROGRAMS };

static int maps_share(const struct plane *plane, struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		int fd, err;

		if (bpf_map__is_internal(map))
			continue;
		fd = datapath_map_fd(plane->dp, bpf_map__name(map));
		err = fd < 0 ? fd : bpf_map__reuse_fd(map, fd);
		if (err)
			return err;
	}
	return 0;
}

/* The two skeletons differ in the names of their types alone. */
#define FLOOR_FAMILY(name)                                                                                           \
	static int open_##name(struct floor *floor, const struct plane *plane)                                       \
	{                                                                                                            \
		struct frame_endpoint external = frame_endpoint_of(plane->family, plane_external(plane->family), 0); \
		struct name##_bpf *skel = name##_bpf__open();                                                        \
		int err;                                                                                             \
                                                                                                                     \
		if (!skel)                                                                                           \
			return -errno;                                                                               \
		floor->skeleton = skel;                                                                              \
		memcpy((void *)&skel->rodata->external_addr, external.addr, sizeof(skel->rodata->external_addr));    \
		for (int i = 0; i < NAT_PROTOCOLS; i++)                                                              \
			*(__u32 *)&skel->rodata->first_slot[i] = plane_first_slot(plane, i);                         \
		err = maps_share(plane, skel->obj);                                                                  \
		err = err ?: name##_bpf__load(skel);                                                                 \
		floor->fd[NAT_EGRESS] = bpf_program__fd(skel->progs.floor_egress);                                   \
		floor->fd[NAT_INGRESS] = bpf_program__fd(skel->progs.floor_ingress);                                 \
		return err;                                                                                          \
	}

FLOOR_FAMILY(floor44)
FLOOR_FAMILY(floor66)

static void floor_close(struct floor *floor)
{
	if (floor->family == AF_INET6)
		floor66_bpf__destroy(floor->skeleton);
	else
		floor44_bpf__destroy(floor->skeleton);
}

static void contest_close(struct contest *contest)
{
	floor_close(&contest->floor);
	traffic_bpf__destroy(contest->traffic);
	plane_close(&contest->plane);
}

static int contest_open(struct contest *contest, int family)
{
	int err;

	*contest = (struct contest){ .floor.family = family };
	err = plane_open(&contest->plane, family, plane_default_ports);
	if (err)
		return err;
	contest->traffic = traffic_bpf__open_and_load();
	if (!contest->traffic)
		err = -errno;
	else if (family == AF_INET6)
		err = open_floor66(&contest->floor, &contest->plane);
	else
		err = open_floor44(&contest->floor, &contest->plane);
	if (err)
		contest_close(contest);
	return err;
}

/* The packets of one live mapping, one each way. */
struct conversation {
	struct frame frames[NAT_DIRECTIONS];
};

static int packet_through(const struct plane *plane, enum nat_direction direction, const struct frame *frame)
{
	struct verdict verdict = program_run(datapath_program_fd(plane->dp, direction), frame, NULL);

	return verdict.action == TC_ACT_UNSPEC ? 0 : verdict.action < 0 ? verdict.action : -EPROTO;
}

/* A packet each way, for TCP a handshake: UDP is confirmed then, and TCP established. */
static int conversation_start(const struct plane *plane, int protocol, struct conversation *conversation)
{
	static const uint8_t handshake[][NAT_DIRECTIONS] = {
		{ FRAME_SYN, FRAME_SYN | FRAME_ACK }, { FRAME_ACK, FRAME_ACK }, /* these are kept */
	};
	int family = plane->family, err = 0;
	struct frame_endpoint internal = frame_endpoint_of(family,
							   family == AF_INET6 ? "2001:db8:192::100" : "192.168.1.100",
							   25000);
	struct frame_endpoint external = frame_endpoint_of(family, plane_external(family), 25000);
	struct frame_endpoint remote = frame_endpoint_of(family,
							 family == AF_INET6 ? "2001:db8:198::1" : "198.51.100.1", 53);

	for (size_t i = 0; !err && i < sizeof(handshake) / sizeof(handshake[0]); i++) {
		struct frame *frames = conversation->frames;

		frame_build(&frames[NAT_EGRESS], family, protocol, handshake[i][NAT_EGRESS], &internal, &remote, 18);
		frame_build(&frames[NAT_INGRESS], family, protocol, handshake[i][NAT_INGRESS], &remote, &external, 18);
		err = packet_through(plane, NAT_EGRESS, &frames[NAT_EGRESS]);
		err = err ?: packet_through(plane, NAT_INGRESS, &frames[NAT_INGRESS]);
	}
	return err;
}

/* What is compared must do the same work: the floor's packet is the NAT's packet, byte for byte. */
static bool is_same_work(const int fd[PROGRAMS], const struct frame *frame)
{
	struct frame results[PROGRAMS];

	for (int i = FLOOR; i < PROGRAMS; i++)
		if (program_run(fd[i], frame, &results[i]).action != TC_ACT_UNSPEC)
			return false;
	return results[FLOOR].size == results[EINAT].size &&
	       !memcmp(results[FLOOR].bytes, results[EINAT].bytes, results[FLOOR].size) &&
	       memcmp(results[FLOOR].bytes, frame->bytes, frame->size);
}

/* One batch: medians of all three. False if a run failed. */
static bool batch_run(const int fd[PROGRAMS], const struct frame *frame, struct samples runs[PROGRAMS])
{
	for (int i = 0; i < PROGRAMS; i++)
		samples_clear(&runs[i]);
	for (int i = 0; i < BATCH_RUNS * PROGRAMS; i++) {
		int turn = i % PROGRAMS, which = i / PROGRAMS % 2 ? PROGRAMS - 1 - turn : turn;
		struct verdict verdict = program_run(fd[which], frame, NULL);

		if (verdict.action != TC_ACT_UNSPEC)
			return false;
		samples_add(&runs[which], verdict.run_ns);
	}
	return true;
}

static void contest_run(const struct contest *contest, enum nat_direction direction, const struct frame *frame,
			const char *what)
{
	const int fd[PROGRAMS] = {
		[EMPTY] = bpf_program__fd(contest->traffic->progs.empty),
		[FLOOR] = contest->floor.fd[direction],
		[EINAT] = datapath_program_fd(contest->plane.dp, direction),
	};
	struct samples runs[PROGRAMS] = { 0 }, medians[PROGRAMS] = { 0 }, ratios = { 0 };

	if (!is_same_work(fd, frame)) {
		report_missing(what, "the floor and einat make different packets of the same one");
		return;
	}
	for (int batch = 0; batch < BATCHES; batch++) {
		double median[PROGRAMS];

		if (!batch_run(fd, frame, runs)) {
			report_missing(what, "a program gave another verdict, or did not run");
			return;
		}
		for (int i = 0; i < PROGRAMS; i++) {
			median[i] = samples_median(&runs[i]);
			samples_add(&medians[i], median[i]);
		}
		if (batch && median[FLOOR] > median[EMPTY]) /* the first one is for warming up */
			samples_add(&ratios, (median[EINAT] - median[EMPTY]) / (median[FLOOR] - median[EMPTY]));
	}
	report_row(what, "x", &ratios, targets[direction],
		   (struct beside[]){ { "einat ns", samples_median(&medians[EINAT]) },
				      { "floor ns", samples_median(&medians[FLOOR]) },
				      { "empty ns", samples_median(&medians[EMPTY]) },
				      { NULL, 0 } });
	for (int i = 0; i < PROGRAMS; i++) {
		samples_free(&runs[i]);
		samples_free(&medians[i]);
	}
	samples_free(&ratios);
}

static void family_run(int family)
{
	static const char *const direction_names[NAT_DIRECTIONS] = { "out", "in" };
	static const int protocols[] = { IPPROTO_UDP, IPPROTO_TCP };
	const char *family_name = family == AF_INET6 ? "IPv6" : "IPv4";
	struct contest contest;
	int err = contest_open(&contest, family);

	if (err) {
		report_missing(family_name, "load the programs: %s", strerror(-err));
		return;
	}
	for (int direction = 0; direction < NAT_DIRECTIONS; direction++)
		for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
			struct conversation conversation;
			char what[32];

			snprintf(what, sizeof(what), "%s %s %s", family_name,
				 protocols[i] == IPPROTO_TCP ? "TCP" : "UDP", direction_names[direction]);
			err = conversation_start(&contest.plane, protocols[i], &conversation);
			if (err)
				report_missing(what, "make a mapping: %s", strerror(-err));
			else
				contest_run(&contest, direction, &conversation.frames[direction], what);
		}
	contest_close(&contest);
}

void bench_cost(const struct bench *bench)
{
	(void)bench;
	report_area("Cost of a packet of a live mapping, above an empty program", "the floor");
	family_run(AF_INET);
	family_run(AF_INET6);
}
