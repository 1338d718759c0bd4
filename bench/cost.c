// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What one packet of a live mapping costs: the time that the kernel says a run of the program took, less that of the empty
 * program, against the floor of bench/floor.bpf.h. The three run in turn, in half of the batches the other way round: what
 * the caches hold is then what another one left, for each of them alike. And all is loaded afresh several times, since where
 * the kernel puts a program and its maps makes a difference of its own.
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

#define LOADS	   6
#define BATCHES	   12 /* of each load */
#define BATCH_RUNS 250

/* Internal ports: one that einat manages, and that a mapping keeps; and one that it does not, as most hosts choose. */
enum { PORT_KEPT = 25000, PORT_CHANGED = 40001 };

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

/* The medians of each batch, and their ratios; or what went wrong. */
struct result {
	struct samples medians[PROGRAMS], ratios;
	const char *why;
};

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

/* Brings a packet through; *port becomes the port that the direction has changed, or not. */
static int packet_through(const struct plane *plane, enum nat_direction direction, const struct frame *frame,
			  uint16_t *port)
{
	size_t ports = plane->family == AF_INET6 ? 14 + 40 : 14 + 20;
	struct frame result;
	struct verdict verdict = program_run(datapath_program_fd(plane->dp, direction), frame, &result);

	memcpy(port, result.bytes + ports + (direction == NAT_INGRESS ? 2 : 0), sizeof(*port));
	return verdict.action == TC_ACT_UNSPEC ? 0 : verdict.action < 0 ? verdict.action : -EPROTO;
}

/* A packet each way, for TCP a handshake: UDP is confirmed then, and TCP established. */
static int conversation_start(const struct plane *plane, int protocol, uint16_t internal_port,
			      struct conversation *conversation)
{
	static const uint8_t handshake[][NAT_DIRECTIONS] = {
		{ FRAME_SYN, FRAME_SYN | FRAME_ACK }, { FRAME_ACK, FRAME_ACK }, /* these are kept */
	};
	int family = plane->family, err = 0;
	struct frame_endpoint internal = frame_endpoint_of(family,
							   family == AF_INET6 ? "2001:db8:192::100" : "192.168.1.100",
							   internal_port);
	struct frame_endpoint external = frame_endpoint_of(family, plane_external(family), 0);
	struct frame_endpoint remote = frame_endpoint_of(family,
							 family == AF_INET6 ? "2001:db8:198::1" : "198.51.100.1", 53);
	struct frame *frames = conversation->frames;
	uint16_t port = 0;

	for (size_t i = 0; !err && i < sizeof(handshake) / sizeof(handshake[0]); i++) {
		frame_build(&frames[NAT_EGRESS], family, protocol, handshake[i][NAT_EGRESS], &internal, &remote, 18);
		err = packet_through(plane, NAT_EGRESS, &frames[NAT_EGRESS], &external.port);
		if (err)
			break;
		frame_build(&frames[NAT_INGRESS], family, protocol, handshake[i][NAT_INGRESS], &remote, &external, 18);
		err = packet_through(plane, NAT_INGRESS, &frames[NAT_INGRESS], &port);
	}
	return err ?: port == internal.port ? 0 : -EPROTO;
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

/* One batch. False if a run failed. */
static bool batch_run(const int fd[PROGRAMS], const struct frame *frame, bool reverse, struct samples runs[PROGRAMS])
{
	for (int i = 0; i < PROGRAMS; i++)
		samples_clear(&runs[i]);
	for (int i = 0; i < BATCH_RUNS * PROGRAMS; i++) {
		int which = reverse ? PROGRAMS - 1 - i % PROGRAMS : i % PROGRAMS;
		struct verdict verdict = program_run(fd[which], frame, NULL);

		if (verdict.action != TC_ACT_UNSPEC)
			return false;
		samples_add(&runs[which], verdict.run_ns);
	}
	return true;
}

/* The batches of one load. NULL, or what is wrong. */
static const char *contest_run(const struct contest *contest, enum nat_direction direction, const struct frame *frame,
			       bool is_more_work, struct result *result)
{
	const int fd[PROGRAMS] = {
		[EMPTY] = bpf_program__fd(contest->traffic->progs.empty),
		[FLOOR] = contest->floor.fd[direction],
		[EINAT] = datapath_program_fd(contest->plane.dp, direction),
	};
	static struct samples runs[PROGRAMS];

	if (!is_more_work && !is_same_work(fd, frame))
		return "the floor and einat make different packets of the same one";
	for (int batch = 0; batch <= BATCHES; batch++) {
		double median[PROGRAMS];

		if (!batch_run(fd, frame, batch % 2, runs))
			return "a program gave another verdict, or did not run";
		for (int i = 0; i < PROGRAMS; i++)
			median[i] = samples_median(&runs[i]);
		if (!batch || median[FLOOR] <= median[EMPTY]) /* the first is for warming up */
			continue;
		for (int i = 0; i < PROGRAMS; i++)
			samples_add(&result->medians[i], median[i]);
		samples_add(&result->ratios, (median[EINAT] - median[EMPTY]) / (median[FLOOR] - median[EMPTY]));
	}
	return NULL;
}

/* Every kind of packet, with the results of all loads. */
static const struct packet_kind {
	const char *what[NAT_DIRECTIONS];
	int family, protocol;
	uint16_t internal_port;
	bool no_df; /* outwards it gets another identification, which the floor does not give it */
} kinds[] = {
	{ { "IPv4 UDP out", "IPv4 UDP in" }, AF_INET, IPPROTO_UDP, PORT_KEPT, false },
	{ { "IPv4 TCP out", "IPv4 TCP in" }, AF_INET, IPPROTO_TCP, PORT_KEPT, false },
	{ { "IPv6 UDP out", "IPv6 UDP in" }, AF_INET6, IPPROTO_UDP, PORT_KEPT, false },
	{ { "IPv6 TCP out", "IPv6 TCP in" }, AF_INET6, IPPROTO_TCP, PORT_KEPT, false },
	{ { "IPv4 UDP out, port changed", "IPv4 UDP in, port changed" }, AF_INET, IPPROTO_UDP, PORT_CHANGED, false },
	{ { "IPv4 TCP out, port changed", "IPv4 TCP in, port changed" }, AF_INET, IPPROTO_TCP, PORT_CHANGED, false },
	{ { "IPv6 UDP out, port changed", "IPv6 UDP in, port changed" }, AF_INET6, IPPROTO_UDP, PORT_CHANGED, false },
	{ { "IPv6 TCP out, port changed", "IPv6 TCP in, port changed" }, AF_INET6, IPPROTO_TCP, PORT_CHANGED, false },
	{ { "IPv4 UDP out, without DF", NULL }, AF_INET, IPPROTO_UDP, PORT_KEPT, true },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct result results[KINDS][NAT_DIRECTIONS];

/* All kinds of a family's packets with what was loaded once. */
static void load_run(int family)
{
	struct contest contest;
	int loaded = contest_open(&contest, family);

	for (size_t i = 0; i < KINDS; i++) {
		struct conversation conversation;
		int err = loaded;

		if (kinds[i].family != family)
			continue;
		err = err
			      ?: conversation_start(&contest.plane, kinds[i].protocol, kinds[i].internal_port,
						    &conversation);
		if (kinds[i].no_df)
			frame_clear_df(&conversation.frames[NAT_EGRESS]);
		for (int direction = 0; direction < NAT_DIRECTIONS && kinds[i].what[direction]; direction++) {
			struct result *result = &results[i][direction];
			const char *why = err ? strerror(-err) : NULL;

			why = why
				      ?: contest_run(&contest, direction, &conversation.frames[direction],
						     kinds[i].no_df, result);
			result->why = why ?: result->why;
		}
	}
	if (!loaded)
		contest_close(&contest);
}

static void result_report(const char *what, struct result *result, struct target target)
{
	if (result->why)
		report_missing(what, "%s", result->why);
	else
		report_row(what, "x", &result->ratios, target,
			   (struct beside[]){ { "einat ns", samples_median(&result->medians[EINAT]) },
					      { "floor ns", samples_median(&result->medians[FLOOR]) },
					      { "empty ns", samples_median(&result->medians[EMPTY]) },
					      { NULL, 0 } });
}

void bench_cost(const struct bench *bench)
{
	(void)bench;
	report_area("Cost of a packet of a live mapping, above an empty program", "the floor");
	for (int i = 0; i < LOADS; i++) {
		load_run(AF_INET);
		load_run(AF_INET6);
	}
	for (size_t i = 0; i < KINDS; i++)
		for (int direction = 0; direction < NAT_DIRECTIONS && kinds[i].what[direction]; direction++)
			result_report(kinds[i].what[direction], &results[i][direction], targets[direction]);
}
