// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RFC 7857 section 10: hosts behind one address do not share identifications. RFC 6864: of packets that are no fragments and
 * cannot become any, nobody looks at it. IPv4 alone.
 */
#include <linux/pkt_cls.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "steps.h"

#define SENT 500

/* Three fragments of one datagram of 8 and 80 bytes. */
#define FIRST  .payload = 80, .length = 24, .more = true
#define MIDDLE .payload = 80, .offset = 24, .length = 32, .more = true
#define LAST   .payload = 80, .offset = 56

static const struct setup slow_machine = { .timeout_ms = { [NAT_TIMEOUT_FRAGMENT] = MINUTES(5) } };

static uint8_t seen[65536];

/* Sends from inside; the identification that it leaves with. */
static unsigned int sent(struct router *router, const struct packet *packet, enum nat_reason why)
{
	struct outcome outcome;
	struct frame frame;
	const char *wrong;

	frame_build(&frame, packet, true);
	wrong = router_send(router, NAT_EGRESS, &frame, &outcome);
	if (wrong)
		fail_msg("%s", wrong);
	if (outcome.why != why && (why != WHY_OUT || outcome.why != WHY_OUT_NEW))
		fail_msg("reason: want %s, got %s", reason_names[why], reason_names[outcome.why]);
	if (frame_check(&outcome.frame))
		fail_msg("%s is wrong", frame_check(&outcome.frame));
	return frame_id(&outcome.frame);
}

static void is_new(unsigned int id)
{
	if (seen[id]++)
		fail_msg("identification %u was there before", id);
}

/* Where there are two CPUs, the packets go by turns. False if there is no such CPU. */
static bool use_cpu(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return !sched_setaffinity(0, sizeof(cpus), &cpus);
}

/* Two hosts with the same identification in each packet, of every kind, to one remote. */
static void unique(struct router *router)
{
	static const struct packet packets[] = {
		UDP(A, 25000, S, 53, .no_df = true),
		UDP(B, 25000, S, 53, .no_df = true),
		QUERY(ECHO, A, S, 25000, .no_df = true),
		TCP(SYN, B, 25000, S, 80, .no_df = true),
		UDP(A, 25001, S, 53, FIRST),
	};
	cpu_set_t before;

	memset(seen, 0, sizeof(seen));
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	for (int i = 0; i < SENT; i++) {
		use_cpu(i % 2);
		is_new(sent(router, &packets[i % 5], WHY_OUT));
	}
	sched_setaffinity(0, sizeof(before), &before);
}

/*
 * One CPU's to S do not repeat before its share of 65536 is used up, whatever goes to T. (Addresses of one hash would take from
 * each other; these two are not.)
 */
static void by_remote(struct router *router)
{
	static const struct packet to_s = UDP(A, 25000, S, 53, .no_df = true),
				   to_t = UDP(A, 25000, T, 53, .no_df = true);
	unsigned int share = 65536 / router_constants(router).id_step;
	struct frame s, t, out;
	cpu_set_t before;

	memset(seen, 0, sizeof(seen));
	frame_build(&s, &to_s, true);
	frame_build(&t, &to_t, true);
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	use_cpu(0);
	for (unsigned int i = 0; i < share; i++) {
		assert_int_equal(router_send_quickly(router, NAT_EGRESS, &t, &out), TC_ACT_UNSPEC);
		assert_int_equal(router_send_quickly(router, NAT_EGRESS, &s, &out), TC_ACT_UNSPEC);
		is_new(frame_id(&out));
	}
	sched_setaffinity(0, sizeof(before), &before);
}

/* What is mapped by the short way, which others take, too. */
static const struct step atomic[] = {
	{ "A opens a mapping", LAN, UDP(A, 25000, S, 53, .id = 7), WAN, UDP(EXT, 25000, S, 53, .id = 7), WHY_OUT_NEW },
	{ "S confirms it", WAN, UDP(S, 53, EXT, 25000, .id = 8), LAN, UDP(S, 53, A, 25000, .id = 8), WHY_IN },
	{ "A's next", LAN, UDP(A, 25000, S, 53, .id = 9), WAN, UDP(EXT, 25000, S, 53, .id = 9), WHY_OUT },
	{ "what comes in keeps its own", WAN, UDP(S, 53, EXT, 25000, .id = 10, .no_df = true), LAN,
	  UDP(S, 53, A, 25000, .id = 10, .no_df = true), WHY_IN },
	{ "fragments, too", WAN, UDP(S, 53, EXT, 25000, .id = 11, FIRST), LAN, UDP(S, 53, A, 25000, .id = 11, FIRST),
	  WHY_IN },
	{ "to the last", WAN, UDP(S, 53, EXT, 25000, .id = 11, LAST), LAN, UDP(S, 53, A, 25000, .id = 11, LAST),
	  WHY_IN_FRAGMENT },
};

static const struct packet error = ERROR(UNREACHABLE, 3, A, S, UDP(S, 53, A, 25000), .no_df = true);

/* A live, confirmed mapping's packets take the short way, which numbers them with the others. TCP's may not be fragmented there. */
static void confirmed(struct router *router)
{
	static const struct packet out = UDP(A, 25000, S, 53, .no_df = true);
	static const struct packet syn = TCP(SYN, A, 25002, S, 80, .no_df = true);
	static const struct packet syn_ack = TCP(SYN | ACK, S, 80, EXT, 25002);
	static const struct packet tcp = TCP(ACK, A, 25002, S, 80, .no_df = true);
	struct frame frame, result;

	memset(seen, 0, sizeof(seen));
	steps_run(router, atomic, 3);
	is_new(sent(router, &syn, WHY_OUT));
	frame_build(&frame, &syn_ack, true);
	assert_int_equal(router_send_quickly(router, NAT_INGRESS, &frame, &result), TC_ACT_UNSPEC);
	for (int i = 0; i < 100; i++) {
		is_new(sent(router, &out, WHY_OUT));
		is_new(sent(router, &tcp, WHY_OUT));
		is_new(sent(router, &error, WHY_OUT_ERROR));
	}
}

/* The fragments of a datagram keep together, whoever else sends, and however often. */
static void fragments(struct router *router)
{
	static const uint32_t hosts[] = { A, B };

	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < 20; i++) {
		unsigned int id[2];

		for (int h = 0; h < 2; h++) {
			const struct packet first = UDP(hosts[h], 25000, S, 53, FIRST);

			id[h] = sent(router, &first, WHY_OUT);
			is_new(id[h]);
		}
		for (int h = 0; h < 2; h++) {
			const struct packet middle = UDP(hosts[h], 25000, S, 53, MIDDLE);
			const struct packet last = UDP(hosts[h], 25000, S, 53, LAST);

			assert_int_equal(sent(router, &last, WHY_OUT_FRAGMENT), id[h]);
			assert_int_equal(sent(router, &middle, WHY_OUT_FRAGMENT), id[h]);
		}
	}
}

static const struct test tests[] = {
	CODE("rfc7857_10_unique", unique),
	CODE("rfc7857_10_by_remote", by_remote),
	CODE("rfc7857_10_beside_the_short_way", confirmed),
	CODE("rfc7857_10_fragments", fragments, .setup = &slow_machine),
	STEPS("rfc6864_atomic_packets_keep_theirs", atomic, .only_ipv4 = true),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
