// SPDX-License-Identifier: GPL-2.0-or-later
/* How mappings end: by time, by hold-down, by a sweep, by a new external address. */
#include <setjmp.h>
#include <stdarg.h>
#include <linux/pkt_cls.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "steps.h"

#define COARSE_MS   10	  /* how far the data plane's clock may lag behind ours */
#define REFRESH_MS  1100  /* a refresh is written once a second: what mappings may last longer for it */
#define DEADLINE_MS 20000 /* for what takes a fraction of a second on a machine that is not stuck */

/* Times that a test can wait for. */
#define SHORT_TIMES                                          \
	.timeout_ms = { [NAT_TIMEOUT_UDP] = 300,             \
			[NAT_TIMEOUT_UDP_CONFIRMED] = 700,   \
			[NAT_TIMEOUT_TCP_TRANSITORY] = 400,  \
			[NAT_TIMEOUT_TCP_ESTABLISHED] = 900, \
			[NAT_TIMEOUT_ICMP] = 250,            \
			[NAT_TIMEOUT_FRAGMENT] = 200,        \
			[NAT_TIMEOUT_HOLD] = 500 }
static const struct setup shortly = { SHORT_TIMES };
static const struct setup shortly_by_address = { SHORT_TIMES, .filtering = FILTERING_ADDRESS };
static const struct setup without_hold = { .no_hold = true };

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

/* Sends the packet until something else becomes of it, and gives the time since `began`. */
static uint64_t poll_until_not(struct router *router, enum nat_direction direction, const struct packet *packet,
			       enum nat_reason why, uint64_t began)
{
	struct frame frame;

	frame_build(&frame, packet, true);
	for (;;) {
		struct timespec pause = { .tv_nsec = 5000000 };
		struct outcome outcome;
		const char *wrong = router_send(router, direction, &frame, &outcome);

		if (wrong)
			fail_msg("%s", wrong);
		if (outcome.why != why)
			return now_ms() - began;
		if (now_ms() - began > DEADLINE_MS)
			fail_msg("still the same after %d ms", DEADLINE_MS);
		nanosleep(&pause, NULL);
	}
}

static void assert_lasted(uint64_t ms, uint64_t want)
{
	if (ms + COARSE_MS < want)
		fail_msg("lasted %llu ms: want %llu", ms + 0ull, want + 0ull);
}

static void udp_by_the_clock(struct router *router)
{
	static const struct step open = { "A opens a mapping",	  LAN,	      UDP(A, 25000, S, 53), WAN,
					  UDP(EXT, 25000, S, 53), WHY_OUT_NEW };
	static const struct packet answer = UDP(S, 53, EXT, 25000);
	uint64_t began = now_ms();

	step_run(router, &open);
	/* the first answer makes 700 ms of the 300 */
	assert_lasted(poll_until_not(router, NAT_INGRESS, &answer, WHY_IN, began), 700);
}

static void unconfirmed_by_the_clock(struct router *router)
{
	static const struct step open = { "A opens a mapping",	  LAN,	      UDP(A, 25000, S, 53), WAN,
					  UDP(EXT, 25000, S, 53), WHY_OUT_NEW };
	uint64_t began = now_ms();
	struct mapping mapping;

	step_run(router, &open);
	do {
		mapping = router_mapping(router, NAT_UDP, 25000);
		if (now_ms() - began > DEADLINE_MS)
			fail_msg("still there after %d ms", DEADLINE_MS);
	} while (router_mapping_is_live(router, &mapping));
	assert_lasted(now_ms() - began, 300);
}

static void tcp_by_the_clock(struct router *router)
{
	static const struct step open[] = {
		{ "A connects", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
	};
	static const struct packet stranger = TCP(ACK, Z, 9, EXT, 25000);
	uint64_t began = now_ms();

	steps_run(router, open, 1);
	assert_lasted(poll_until_not(router, NAT_INGRESS, &stranger, WHY_IN, began), 400);
}

static void icmp_by_the_clock(struct router *router)
{
	static const struct step open[] = {
		{ "A pings", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT_NEW },
	};
	static const struct packet reply = QUERY(ECHO_REPLY, S, EXT, 25000);
	uint64_t began = now_ms();

	steps_run(router, open, 1);
	assert_lasted(poll_until_not(router, NAT_INGRESS, &reply, WHY_IN, began), 250);
}

/*
 * Outbound packets keep it: it is alive long after it would have ended. With another's packet just before each the clock has
 * been read in this jiffy, so that these may take the short way.
 */
static void kept_beside(struct router *router, const struct packet *other)
{
	static const struct packet out = UDP(A, 25000, S, 53);
	static const struct timespec pause = { .tv_nsec = 20000000 };
	uint64_t began = now_ms(), last = began;
	struct frame frame, before, result;
	struct outcome outcome;

	frame_build(&frame, &out, true);
	frame_build(&before, other ?: &out, true);
	router_send_quickly(router, NAT_EGRESS, &frame, &result);
	while (now_ms() - began < 1000) {
		uint64_t sent = now_ms();
		const char *wrong;

		if (other) {
			nanosleep(&pause, NULL);
			router_send_quickly(router, NAT_EGRESS, &before, &result);
		}
		wrong = router_send(router, NAT_EGRESS, &frame, &outcome);
		if (wrong)
			fail_msg("%s", wrong);
		if (outcome.why != WHY_OUT && now_ms() - last < 300 - COARSE_MS)
			fail_msg("ended %llu ms after a packet from inside", sent - last + 0ull);
		last = sent;
	}
}

static void kept_by_the_clock(struct router *router)
{
	kept_beside(router, NULL);
}

/* Nobody has answered it; then somebody has. */
static void kept_the_short_way(struct router *router)
{
	static const struct packet other = UDP(B, 25001, S, 53), answer = UDP(S, 53, EXT, 25000);
	struct frame frame, result;

	kept_beside(router, &other);
	frame_build(&frame, &answer, true);
	assert_int_equal(router_send_quickly(router, NAT_INGRESS, &frame, &result), TC_ACT_UNSPEC);
	kept_beside(router, &other);
}

/*
 * TCP that goes on for longer than a refresh may stay unwritten, in one direction, keeps all of its time from the last packet
 * on: a connection that the short way takes for steady must not be left with less (RFC 5382 REQ-5).
 */
static void tcp_kept_beside(struct router *router, enum nat_direction direction, const struct packet *packet)
{
	static const struct packet other = TCP(ACK, B, 26000, S, 80);
	static const struct timespec pause = { .tv_nsec = 20000000 };
	uint64_t began = now_ms(), sent;
	struct frame frame, before, result;
	struct mapping mapping;

	frame_build(&frame, packet, true);
	frame_build(&before, &other, true);
	do {
		nanosleep(&pause, NULL);
		router_send_quickly(router, NAT_EGRESS, &before, &result);
		sent = now_ms();
		assert_int_equal(router_send_quickly(router, direction, &frame, &result), TC_ACT_UNSPEC);
	} while (now_ms() - began < 1600);
	mapping = router_mapping(router, NAT_TCP, 25000);
	if (router_mapping_lasts_ms(&mapping) + (int64_t)(now_ms() - sent) + COARSE_MS < 900)
		fail_msg("%s: lasts %lld ms: want 900", direction == NAT_EGRESS ? "outwards" : "inwards",
			 router_mapping_lasts_ms(&mapping) + 0ll);
}

static void tcp_kept_the_short_way(struct router *router)
{
	static const struct step handshake[] = {
		{ "A connects", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
		{ "S answers", WAN, TCP(SYN | ACK, S, 80, EXT, 25000), LAN, TCP(SYN | ACK, S, 80, A, 25000), WHY_IN },
		{ "established", LAN, TCP(ACK, A, 25000, S, 80), WAN, TCP(ACK, EXT, 25000, S, 80), WHY_OUT },
		{ "B connects", LAN, TCP(SYN, B, 26000, S, 80), WAN, TCP(SYN, EXT, 26000, S, 80), WHY_OUT_NEW },
		{ "S answers", WAN, TCP(SYN | ACK, S, 80, EXT, 26000), LAN, TCP(SYN | ACK, S, 80, B, 26000), WHY_IN },
		{ "established", LAN, TCP(ACK, B, 26000, S, 80), WAN, TCP(ACK, EXT, 26000, S, 80), WHY_OUT },
	};
	static const struct packet out = TCP(ACK, A, 25000, S, 80), in = TCP(ACK, S, 80, EXT, 25000);

	steps_run(router, handshake, sizeof(handshake) / sizeof(*handshake));
	tcp_kept_beside(router, NAT_EGRESS, &out);
	tcp_kept_beside(router, NAT_INGRESS, &in);
}

static void hold_by_the_clock(struct router *router)
{
	static const struct step open = { "A opens a mapping",	  LAN,	      UDP(A, 25000, S, 53), WAN,
					  UDP(EXT, 25000, S, 53), WHY_OUT_NEW };
	uint64_t began = now_ms();
	struct mapping mapping;

	step_run(router, &open);
	do {
		if (datapath_sweep(router_datapath(router)))
			fail_msg("datapath_sweep");
		mapping = router_mapping(router, NAT_UDP, 25000);
		if (now_ms() - began > DEADLINE_MS)
			fail_msg("still not free after %d ms", DEADLINE_MS);
	} while (mapping.state != MAPPING_FREE);
	assert_lasted(now_ms() - began, 300 + 500);
}

#define A_OPENS                                                                                          \
	{                                                                                                \
		"A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW \
	}

static const struct step revived_on_its_port[] = {
	{ "A keeps 25000", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "B gets another port", LAN, UDP(B, 25000, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW },
	{ "two minutes pass", OVER(MINUTES(2)) },
	{ "B's has ended", WAN, UDP(S, 53, EXT, PORT(0)), DROPPED, WHY_NO_MAPPING },
	{ "B's is gone from view", UNMAPPED(NAT_UDP, PORT(0)) },
	{ "B has the same port again", LAN, UDP(B, 25000, T, 53), WAN, UDP(EXT, PORT(0), T, 53), WHY_OUT_NEW },
	{ "answers come in", WAN, UDP(T, 53, EXT, PORT(0)), LAN, UDP(T, 53, B, 25000), WHY_IN },
	{ "an hour passes, and nobody sweeps", LATER(MINUTES(60)) },
	{ "B has the same port again", LAN, UDP(B, 25000, T, 53), WAN, UDP(EXT, PORT(0), T, 53), WHY_OUT_NEW },
	{ "it is not confirmed any more", MAPPED(NAT_UDP, PORT(0), B, 25000, .lasts_ms = MINUTES(2)) },
};

/* RFC 4787 REQ-5 and RFC 5382 REQ-5 give the least: a refresh not written since one was just before must not cost any of it. */
static const struct step never_too_short[] = {
	A_OPENS,
	{ "TCP", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
	{ "ICMP", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT_NEW },
	{ "0.9 s pass", LATER(900) },
	{ "UDP again", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT },
	{ "TCP again", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT },
	{ "ICMP again", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT },
	{ "59.5 s pass", LATER(59500) },
	{ "ICMP is there", WAN, QUERY(ECHO_REPLY, S, EXT, 25000), LAN, QUERY(ECHO_REPLY, S, A, 25000), WHY_IN },
	{ "two minutes have, nearly", LATER(60000) },
	{ "UDP is there", MAPPED(NAT_UDP, 25000, A, 25000) },
	{ "four minutes have, nearly", LATER(120000) },
	{ "TCP is there", MAPPED(NAT_TCP, 25000, A, 25000) },
};

static const struct step held_from_others[] = {
	A_OPENS,
	{ "it ends", OVER(MINUTES(2)) },
	{ "B does not get the port", LAN, UDP(B, 25000, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW },
	{ "a sweep changes nothing", SWEPT },
	{ "G does not get it either", LAN, UDP(G, 25000, S, 53), WAN, UDP(EXT, PORT(1), S, 53), WHY_OUT_NEW },
	{ "A itself does", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "it ends again, two minutes ago", OVER(MINUTES(4)) },
	{ "now another may have it", LAN, UDP(Z, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "A's answers do not reach Z by A's mapping", MAPPED(NAT_UDP, 25000, Z, 25000) },
	{ "A gets another", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, PORT(2), S, 53), WHY_OUT_NEW },
};

static const struct step not_held[] = {
	A_OPENS,
	{ "it ends", OVER(MINUTES(2)) },
	{ "B gets the port at once", LAN, UDP(B, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
};

static const struct step swept[] = {
	A_OPENS,
	{ "TCP", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
	{ "ICMP", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT_NEW },
	{ "a sweep leaves them", SWEPT },
	{ "UDP", MAPPED(NAT_UDP, 25000, A, 25000) },
	{ "TCP", MAPPED(NAT_TCP, 25000, A, 25000) },
	{ "ICMP", MAPPED(NAT_ICMP, 25000, A, 25000) },
};

static void sweep_frees(struct router *router)
{
	static const struct step later = { "four minutes and hold-down pass", LATER(MINUTES(7)) };

	steps_run(router, swept, sizeof(swept) / sizeof(*swept));
	assert_int_equal(router_count_endpoints(router), 3);
	step_run(router, &later);
	assert_int_equal(router_count_endpoints(router), 3);
	assert_int_equal(datapath_sweep(router_datapath(router)), 0);
	assert_int_equal(router_count_endpoints(router), 0);
	for (int protocol = 0; protocol < NAT_PROTOCOLS; protocol++)
		assert_int_equal(router_mapping(router, protocol, 25000).state, MAPPING_FREE);
}

/* Nobody sweeps: the packet path removes the stale endpoint of the port that it takes. */
static void taking_over_removes_the_endpoint(struct router *router)
{
	static const struct step steps[] = {
		A_OPENS,
		{ "it ends, two minutes ago", OVER(MINUTES(4)) },
		{ "B takes it over", LAN, UDP(B, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	};

	steps_run(router, steps, sizeof(steps) / sizeof(*steps));
	assert_int_equal(router_count_endpoints(router), 1);
}

static const struct step address_changes[] = {
	A_OPENS,
	{ "TCP", LAN, TCP(SYN, A, 26000, S, 80), WAN, TCP(SYN, EXT, 26000, S, 80), WHY_OUT_NEW },
	{ "established", WAN, TCP(SYN | ACK, S, 80, EXT, 26000), LAN, TCP(SYN | ACK, S, 80, A, 26000), WHY_IN },
	{ "the same address again", NEW_ADDRESS(EXT) },
	{ "changes nothing", MAPPED(NAT_UDP, 25000, A, 25000) },
	{ "a new address", NEW_ADDRESS(EXT2) },
	{ "the mappings are dead at once", UNMAPPED(NAT_UDP, 25000) },
	{ "TCP too", UNMAPPED(NAT_TCP, 26000) },
	{ "nothing comes in by the new address", WAN, UDP(S, 53, EXT2, 25000), DROPPED, WHY_NO_MAPPING },
	{ "the old one is not ours", WAN, UDP(S, 53, EXT, 25000), PASSED, WHY_NOT_EXTERNAL },
	{ "A's TCP goes on from nowhere", LAN, TCP(ACK, A, 26000, S, 80), DROPPED, WHY_TCP_NO_MAPPING },
	{ "A's UDP has the same port there", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT2, 25000, S, 53), WHY_OUT_NEW },
	{ "and answers", WAN, UDP(S, 53, EXT2, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
	{ "a port of before is not held", LAN, TCP(SYN, B, 26000, S, 80), WAN, TCP(SYN, EXT2, 26000, S, 80),
	  WHY_OUT_NEW },
	{ "it was A's: no session is left", MAPPED(NAT_TCP, 26000, B, 26000, .lasts_ms = MINUTES(4)) },
	{ "back to the old address", NEW_ADDRESS(EXT) },
	{ "what was mapped there stays dead", WAN, UDP(S, 53, EXT, 25000), DROPPED, WHY_NO_MAPPING },
	{ "no address", NEW_ADDRESS(0) },
	{ "nothing goes out", LAN, UDP(A, 25000, S, 53), DROPPED, WHY_NO_ADDRESS },
};

static const struct test tests[] = {
	STEPS("revived_on_the_same_port", revived_on_its_port),
	STEPS("rfc4787_req5_never_too_short", never_too_short),
	STEPS("rfc6888_req8_held_from_others", held_from_others),
	STEPS("swept_only_when_over", swept),
	CODE("sweep_frees_ports_and_endpoints", sweep_frees, .only_ipv4 = false),
	CODE("taking_over_removes_the_endpoint", taking_over_removes_the_endpoint, .only_ipv4 = false),
	STEPS("address_changes", address_changes),
	STEPS("hold_down_switched_off", not_held, .setup = &without_hold),
	CODE("confirmed_udp_ends_by_the_clock", udp_by_the_clock, .setup = &shortly, .only_ipv4 = false),
	CODE("unconfirmed_udp_ends_by_the_clock", unconfirmed_by_the_clock, .setup = &shortly, .only_ipv4 = false),
	CODE("tcp_ends_by_the_clock", tcp_by_the_clock, .setup = &shortly, .only_ipv4 = false),
	CODE("icmp_ends_by_the_clock", icmp_by_the_clock, .setup = &shortly, .only_ipv4 = false),
	CODE("rfc4787_req8_permitted_as_long_as_mapped", udp_by_the_clock, .setup = &shortly_by_address,
	     .only_ipv4 = false),
	CODE("udp_is_kept_by_the_clock", kept_by_the_clock, .setup = &shortly, .only_ipv4 = false),
	CODE("udp_is_kept_the_short_way", kept_the_short_way, .setup = &shortly, .only_ipv4 = false),
	CODE("rfc5382_req5_tcp_is_kept_the_short_way", tcp_kept_the_short_way, .setup = &shortly, .only_ipv4 = false),
	CODE("port_is_free_by_the_clock", hold_by_the_clock, .setup = &shortly, .only_ipv4 = false),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
