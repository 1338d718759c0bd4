// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random and broken packets through both programs, in both families and several configurations. Of each packet:
 *
 *	one counter moves, by one packet and its bytes, and the verdict is that of its reason;
 *	a packet that is dropped or passes is untouched, and one that is translated differs in what NAT may change alone;
 *	every checksum is as right, or as wrong, as it was (invariant.h);
 *	what it was translated into is what the mapping says, and no packet from outside makes or changes one.
 *
 * After each round the maps are held against each other, and everything must come back to empty.
 *
 *	test_fuzz			for as long as the other tests take
 *	test_fuzz -t SECONDS		for longer
 *	test_fuzz -s SEED -i N		again what a failure has named: the round of packet N, up to it
 */
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "invariant.h"
#include "mutant.h"
#include "refusal.h"
#include "router.h"
#include "steps.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define ROUND		512 /* packets between two resets */
#define ROUND_MIN	32  /* once the time is over, where a packet takes milliseconds */
#define SECONDS_DEFAULT 10
#define SLOTS_MAX	256
#define MSS_CLAMP	1300

#define FEW_PORTS .ports = { MUTANT_PORTS, MUTANT_PORTS, MUTANT_PORTS }, .max_sessions = 512, .max_fragments = 64

/* A configuration, and what of it the packets show. */
struct course {
	const char *name;
	struct setup setup;
	int family;
	bool checksum_none;
};

#define BOTH_FAMILIES(text, ...)                                            \
	{ "NAT44, " text, { FEW_PORTS, __VA_ARGS__ }, AF_INET, false },     \
	{                                                                   \
		"NAT66, " text, { FEW_PORTS, __VA_ARGS__ }, AF_INET6, false \
	}

static const struct course courses[] = {
	BOTH_FAMILIES("as usual", .log_level = 0),
	BOTH_FAMILIES("MSS clamp and inbound mark", .mss_clamp = MSS_CLAMP, .inbound_mark = 4),
	BOTH_FAMILIES("filtering and limits", .filtering = FILTERING_ADDRESS_AND_PORT, .host_limit = { 6, 6, 6 },
		      .host_rate = 20),
	BOTH_FAMILIES("two addresses", .two = true, .pooling = POOLING_PAIRED, .refresh_inbound = true),
	BOTH_FAMILIES("logging and policy", .log_level = 5, .internals = { PREFIX(IPV4(192, 168, 1, 0), 24) },
		      .exempt_destinations = { PREFIX(T, 32) }),
	BOTH_FAMILIES("static mappings", .forwards = { { NAT_UDP, 80, .addr = A, .internal_port = 25001 },
						       { NAT_TCP, 25016, .addr = A, .internal_port = 80 },
						       { NAT_TCP, 500, .last = 501, .addr = B, .internal_port = 25000 },
						       { NAT_UDP, 25000, .addr = B, .internal_port = 25000,
							 .remotes = { PREFIX(S, 32) } } }),
	{ "NAT44, CHECKSUM_NONE", { FEW_PORTS }, AF_INET, true },
	{ "NAT66, CHECKSUM_NONE", { FEW_PORTS }, AF_INET6, true },
};

/* A course as it runs. */
struct run {
	const struct course *course;
	struct router *router;
	uint32_t external; /* the first address, which changes */
	uint64_t packets, reasons;
	bool failed;
};

static struct run runs[COUNT(courses)];
static struct mapping slots[2][SLOTS_MAX]; /* before and after */
static double deadline;
static uint64_t seed;
static const char *program;

/* Reporting */

static void frame_print(const char *name, const struct frame *frame)
{
	printf("# %s, %zu bytes: ", name, frame->size);
	for (size_t i = 0; i < frame->size; i++)
		printf("%02x", frame->bytes[i]);
	printf("\n");
}

static void failure_print(const struct run *run, uint64_t number, const char *what, const struct frame *in,
			  const struct outcome *got)
{
	printf("# %s, packet %llu: %s\n", run->course->name, (unsigned long long)number, what);
	if (in)
		frame_print("it was", in);
	if (got && got->frame.size) {
		printf("# %s, reason %s, verdict %d\n", got->direction == NAT_EGRESS ? "outwards" : "inwards",
		       reason_names[got->why], got->verdict);
		frame_print("it is", &got->frame);
	}
	printf("# rerun: %s -s %llu -i %llu\n", program, (unsigned long long)seed, (unsigned long long)number);
	fflush(stdout);
}

/* What the mappings say */

static void slots_read(const struct run *run, struct mapping to[SLOTS_MAX])
{
	for (uint32_t slot = 0; slot < router_count_slots(run->router); slot++)
		to[slot] = router_slot(run->router, slot);
}

static bool slot_has_changed_hands(const struct mapping *before, const struct mapping *after)
{
	return before->state != after->state || before->epoch != after->epoch ||
	       before->internal_port != after->internal_port ||
	       memcmp(&before->internal_addr, &after->internal_addr, sizeof(before->internal_addr));
}

/* A new owner for one slot at most, and only where a mapping was made. */
static const char *slots_check(const struct run *run, const struct outcome *got)
{
	size_t changed = 0;

	for (uint32_t slot = 0; slot < router_count_slots(run->router); slot++) {
		if (!slot_has_changed_hands(&slots[0][slot], &slots[1][slot]))
			continue;
		if (got->direction == NAT_INGRESS)
			return "a packet from outside changed a mapping";
		changed += slots[1][slot].state == MAPPING_LIVE;
	}
	if (changed > 1)
		return "more than one mapping was made";
	if (changed && got->why != WHY_OUT_NEW && got->why != WHY_HAIRPIN)
		return "a mapping was made, and the reason says otherwise";
	if (!changed && got->why == WHY_OUT_NEW)
		return "the reason says that a mapping was made, and there is none";
	return NULL;
}

static bool addr_is(const uint8_t addr[16], const void *other)
{
	return !memcmp(addr, other, packet_family() == AF_INET6 ? 16 : 4);
}

static bool addr_is_external(const struct run *run, uint8_t number, const uint8_t addr[16])
{
	uint8_t external[16];

	address_write(number ? EXT2 : run->external, external);
	return addr_is(addr, external);
}

/* Is there a live mapping between the two endpoints? A port of -1 fits any. */
static bool endpoints_are_mapped(const struct run *run, const struct local_change *local, int internal, int external)
{
	for (uint32_t slot = 0; slot < router_count_slots(run->router); slot++) {
		const struct mapping *mapping = &slots[1][slot];

		if (!(mapping->state & MAPPING_LIVE) || !addr_is(local->addr[internal], &mapping->internal_addr) ||
		    !addr_is_external(run, mapping->external, local->addr[external]))
			continue;
		if (local->port[internal] < 0)
			return true;
		if (mapping->protocol == local->protocol && local->port[internal] == ntohs(mapping->internal_port) &&
		    local->port[external] == ntohs(mapping->external_port))
			return true;
	}
	return false;
}

static const char *translation_fits(const struct run *run, const struct translation *seen, enum nat_direction direction)
{
	int internal = direction == NAT_EGRESS ? 0 : 1;

	if (!seen->is_error)
		return endpoints_are_mapped(run, &seen->outer, internal, !internal) ? NULL : "no mapping says so";
	if (!endpoints_are_mapped(run, &seen->embedded, internal, !internal))
		return "no mapping says so of the embedded packet";
	return memcmp(seen->outer.addr[1], seen->embedded.addr[1], 16)
		       ? "the error's address is not the embedded packet's"
		       : NULL;
}

/* The packet has become the error about itself. */
static const char *refusal_check(const struct frame *in, const struct frame *out)
{
	static char text[600];
	struct frame want;

	refusal_build(&want, in);
	return frame_differs(&want, out, text, sizeof(text)) ? text : NULL;
}

/* All that must be true of what became of a packet. NULL, or what is not. */
static const char *outcome_check(const struct run *run, const struct frame *in, const struct outcome *got)
{
	const char *verdict = reason_verdicts[got->why], *what;
	struct translation seen;

	what = slots_check(run, got);
	if (what)
		return what;
	if (got->why == WHY_REWRITE_FAILED)
		return "it could not be written";
	if (got->verdict == TC_ACT_REDIRECT && refusal_is_told(got->why))
		return refusal_check(in, &got->frame);
	if (strcmp(verdict, "DONE") && got->why != WHY_HAIRPIN)
		return untouched_check(in, &got->frame);
	what = translation_check(in, &got->frame, got->direction, run->course->setup.mss_clamp, &seen);
	return what ? what : translation_fits(run, &seen, got->direction);
}

/* Running */

/* Time passes, the address changes, the daemon does what it does once a second; now and then. */
static const char *something_happens(struct run *run, struct random *random)
{
	if (random_one_in(random, 64) && datapath_read_fragments(router_datapath(run->router)))
		return "datapath_read_fragments failed";
	if (random_one_in(random, 128))
		router_later(run->router, 1000ull << random_below(random, 13));
	if (random_one_in(random, 128) && datapath_sweep(router_datapath(run->router)))
		return "datapath_sweep failed";
	if (random_one_in(random, 256)) {
		run->external = run->external == EXT ? IPV4(203, 0, 113, 4) : EXT;
		router_set_external(run->router, run->external);
	}
	return NULL;
}

static bool packet_run(struct run *run, uint64_t number)
{
	struct random random = { seed ^ (number + 1) * 0xd1342543de82ef95 };
	enum nat_direction direction = random_below(&random, NAT_DIRECTIONS);
	const char *what = something_happens(run, &random);
	struct outcome got = { 0 };
	struct frame in;

	mutant_build(&random, direction, &in);
	slots_read(run, slots[0]);
	if (!what)
		what = router_send(run->router, direction, &in, &got);
	if (what == router_refused)
		return true;
	slots_read(run, slots[1]);
	if (!what)
		what = outcome_check(run, &in, &got);
	if (what)
		failure_print(run, number, what, &in, &got);
	run->packets++;
	run->reasons |= 1ull << got.why;
	return !what;
}

static void round_open(struct run *run)
{
	packet_use_family(run->course->family);
	run->external = EXT;
	if (run->router)
		return;
	run->router = router_open(&run->course->setup);
	if (run->course->checksum_none)
		router_set_checksum_none(run->router);
	if (router_count_slots(run->router) > SLOTS_MAX)
		fail_msg("more than %d slots", SLOTS_MAX);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* The packets from the round's first to `last`, and then everything ends. */
static void round_run(uint64_t first, uint64_t last)
{
	struct run *run = &runs[first / ROUND % COUNT(courses)];
	const char *what;

	round_open(run);
	for (uint64_t number = first; number <= last && !run->failed; number++) {
		if (number - first >= ROUND_MIN && seconds() > deadline)
			break;
		run->failed = !packet_run(run, number);
	}
	if (run->failed)
		return;
	what = router_reset(run->router);
	run->failed = what;
	if (what)
		failure_print(run, last, what, NULL, NULL);
}

/*
 * Rounds until the time is over, but one of each family at least: to load the programs takes seconds on some machines. The
 * seed says which course is first. A course that has failed is over.
 */
static void rounds_run(void)
{
	uint64_t first = seed % (COUNT(courses) / 2) * 2;

	for (uint64_t round = first; round < first + 2 || seconds() < deadline; round++)
		if (!runs[round % COUNT(courses)].failed)
			round_run(round * ROUND, round * ROUND + ROUND - 1);
}

static int report(void)
{
	int failed = 0, ran = 0;

	for (size_t i = 0; i < COUNT(courses); i++) {
		struct run *run = &runs[i];

		if (run->router)
			printf("%sok %d - %s: %llu packets, %d reasons\n", run->failed ? "not " : "", ++ran,
			       run->course->name, (unsigned long long)run->packets, __builtin_popcountll(run->reasons));
		failed |= run->failed;
		router_close(run->router);
	}
	printf("1..%d\n", ran);
	return failed || !ran;
}

int main(int argc, char **argv)
{
	double limit = SECONDS_DEFAULT;
	long long only = -1;
	int option;

	program = argv[0];
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return 1;
	while ((option = getopt(argc, argv, "t:s:i:")) != -1) {
		if (option == '?')
			return 2;
		if (option == 't')
			limit = (double)strtoull(optarg, NULL, 10);
		if (option == 's')
			seed = strtoull(optarg, NULL, 0);
		if (option == 'i')
			only = atoll(optarg);
	}
	if (!router_prepare()) {
		printf("1..0 # SKIP needs root; nothing of %s was tested\n", program);
		return geteuid() ? 0 : 1;
	}
	printf("# seed %llu\n", (unsigned long long)seed);
	for (size_t i = 0; i < COUNT(courses); i++)
		runs[i].course = &courses[i];
	deadline = seconds() + (only < 0 ? limit : 1e6);
	if (only < 0)
		rounds_run();
	else
		round_run(only / ROUND * ROUND, only);
	return report();
}
