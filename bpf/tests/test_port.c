// SPDX-License-Identifier: GPL-2.0-or-later
/* Choosing external ports: the internal one where it can be had, else one that suits, to the last one. */
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "steps.h"

#define HOST(n) (IPV4(10, 0, 0, 1) + (n)) /* an internal host of its own for each mapping */

static const struct setup ragged = { .ports = { "80 443 20001-20007 20011 20100-20163 65535",
						"1 2 7 1022-1025 4096-4159 4161 32767-32769 65534", "5-6 1000" } };
static const struct setup one_port = { .ports = { "443", "25000", "7" } };
static const struct setup low_and_high = { .ports = { "500-503 20000-20003", "500-599 20000-20099", NULL } };
static const struct setup hundred = { .ports = { "20000-20099", "20000-20099", "20000-20099" } };
static const struct setup ten_thousand = { .ports = { "", NULL, "" } };
static const struct setup everything = { .ports = { "", "0-65535", "" } };
static const struct setup four = { .ports = { "20000-20003", "20000-20003", NULL } };

static struct packet packet_of(enum nat_protocol protocol, uint32_t host, unsigned int port)
{
	struct packet packet = { .saddr = host, .daddr = S, .sport = port, .dport = 53, .payload = 8 };

	packet.protocol = protocol == NAT_TCP ? 6 : protocol == NAT_UDP ? 17 : 1;
	if (protocol == NAT_TCP)
		packet.flags = SYN;
	if (protocol == NAT_ICMP) {
		packet.type = ECHO;
		packet.dport = port;
	}
	return packet;
}

/* Opens a mapping and gives its external port, or -1 if the packet was dropped for want of one. */
static int port_open(struct router *router, enum nat_protocol protocol, uint32_t host, unsigned int port)
{
	struct packet packet = packet_of(protocol, host, port);
	struct outcome outcome;
	struct frame frame;
	const char *wrong;

	frame_build(&frame, &packet, true);
	wrong = router_send(router, NAT_EGRESS, &frame, &outcome);
	if (wrong)
		fail_msg("%s", wrong);
	if (outcome.why == WHY_NO_PORT)
		return -1;
	if (outcome.why != WHY_OUT_NEW)
		fail_msg("host %u, port %u: reason %d, want OUT_NEW", host - HOST(0), port, outcome.why);
	if (!router_manages(router, protocol, frame_sport(&outcome.frame)))
		fail_msg("port %u became %d, which is not managed", port, frame_sport(&outcome.frame));
	return frame_sport(&outcome.frame);
}

/* The same many times, with less of a look. */
static int port_open_quickly(struct router *router, enum nat_protocol protocol, uint32_t host, unsigned int port)
{
	struct packet packet = packet_of(protocol, host, port);
	struct frame frame, result;

	frame_build(&frame, &packet, true);
	if (router_send_quickly(router, NAT_EGRESS, &frame, &result) == TC_ACT_SHOT)
		return -1;
	return frame_sport(&result);
}

static void assert_kept(struct router *router, enum nat_protocol protocol, unsigned int first, unsigned int last)
{
	for (unsigned int port = first; port <= last; port++) {
		int got = port_open(router, protocol, A, port);

		if (got != (int)port)
			fail_msg("sport: want %u, got %d", port, got);
	}
}

static void kept_in_ragged_sets(struct router *router)
{
	assert_kept(router, NAT_TCP, 80, 80);
	assert_kept(router, NAT_TCP, 443, 443);
	assert_kept(router, NAT_TCP, 20001, 20007);
	assert_kept(router, NAT_TCP, 20011, 20011);
	assert_kept(router, NAT_TCP, 20100, 20163);
	assert_kept(router, NAT_TCP, 65535, 65535);
	assert_kept(router, NAT_UDP, 1, 2);
	assert_kept(router, NAT_UDP, 1022, 1025);
	assert_kept(router, NAT_UDP, 4096, 4159);
	assert_kept(router, NAT_UDP, 32767, 32769);
	assert_kept(router, NAT_UDP, 65534, 65534);
	assert_kept(router, NAT_ICMP, 5, 6);
	assert_kept(router, NAT_ICMP, 1000, 1000);
}

/* Every port of 65536, from outside: dropped if it is managed, passed if it is not. */
static void ragged_sets_are_exact(struct router *router)
{
	for (int protocol = 0; protocol < NAT_PROTOCOLS; protocol++) {
		struct packet packet = packet_of(protocol, S, 53);
		struct frame frame, result;

		packet.daddr = EXT;
		packet.type = ECHO_REPLY;
		for (unsigned int port = 0; port < 65536; port++) {
			bool managed = router_manages(router, protocol, port);
			int verdict;

			if (port % 7 && !managed && !router_manages(router, protocol, port + 1) &&
			    !router_manages(router, protocol, port - 1))
				continue; /* a seventh of what is far from any managed port will do */
			packet.dport = port;
			if (protocol == NAT_ICMP)
				packet.sport = port;
			frame_build(&frame, &packet, true);
			verdict = router_send_quickly(router, NAT_INGRESS, &frame, &result);
			if ((verdict == TC_ACT_SHOT) != managed)
				fail_msg("protocol %d, port %u: verdict %d, managed %d", protocol, port, verdict,
					 managed);
		}
	}
}

static void parity_is_kept(struct router *router)
{
	bool seen[65536] = { false };

	for (unsigned int i = 0; i < 200; i++) {
		unsigned int internal = i < 100 ? 25000 + i % 2 : 6000 + i % 2;
		int got = port_open(router, NAT_UDP, HOST(i), internal);

		if (got < 0 || got % 2 != (int)internal % 2)
			fail_msg("internal port %u: want the same parity, got %d", internal, got);
		if (seen[got])
			fail_msg("port %d is given out twice", got);
		seen[got] = true;
	}
}

static void side_of_1024_is_kept(struct router *router)
{
	static const unsigned int ports[] = { 53, 1023, 1, 512, 1024, 5353, 65535, 1025, 0 };

	for (unsigned int i = 0; i < 100; i++) {
		unsigned int internal = ports[i % 9];
		int got = port_open(router, NAT_UDP, HOST(i), internal);

		if (got < 0 || (got < 1024) != (internal < 1024) || got % 2 != (int)internal % 2)
			fail_msg("internal port %u: want its side of 1024 and its parity, got %d", internal, got);
	}
}

/* When its kind is used up: first the parity goes, then the side, and every port is used in the end. */
static void kinds_used_up(struct router *router)
{
	static const struct {
		int first, last, parity;
	} want[] = { { 500, 503, 0 }, { 500, 503, 1 }, { 20000, 20003, 0 }, { 20000, 20003, 1 } };

	for (unsigned int i = 0; i < 8; i++) {
		int got = port_open(router, NAT_TCP, HOST(i), 22);

		if (got < want[i / 2].first || got > want[i / 2].last || got % 2 != want[i / 2].parity)
			fail_msg("mapping %u: want %d-%d of parity %d, got %d", i, want[i / 2].first, want[i / 2].last,
				 want[i / 2].parity, got);
	}
	assert_int_equal(port_open(router, NAT_TCP, HOST(8), 22), -1);
}

static void last_of_a_hundred(struct router *router, enum nat_protocol protocol)
{
	static const struct step over = { "all of it is over", LATER(MINUTES(10)) };
	bool seen[65536] = { false };

	for (unsigned int i = 0; i < 100; i++) {
		int got = port_open(router, protocol, HOST(i), 4711);

		if (got < 0 || seen[got])
			fail_msg("mapping %u: want a port of its own, got %d", i, got);
		seen[got] = true;
	}
	assert_int_equal(port_open(router, protocol, HOST(100), 4711), -1);
	assert_int_equal(port_open(router, protocol, HOST(100), 20050), -1);
	step_run(router, &over);
	assert_int_equal(datapath_sweep(router_datapath(router)), 0);
	assert_true(port_open(router, protocol, HOST(100), 4711) >= 0);
}

static void every_tcp_port_is_used(struct router *router)
{
	last_of_a_hundred(router, NAT_TCP);
}

static void every_udp_port_is_used(struct router *router)
{
	last_of_a_hundred(router, NAT_UDP);
}

static void every_identifier_is_used(struct router *router)
{
	last_of_a_hundred(router, NAT_ICMP);
}

/* Whichever port is the only free one is found: each of a set in turn, by an internal port that is not managed. */
static void only_free_port_is_found(struct router *router)
{
	for (unsigned int port = 20000; port < 20100; port++)
		assert_int_equal(port_open_quickly(router, NAT_UDP, HOST(port - 20000), port), port);
	for (unsigned int port = 20000; port < 20100; port++) {
		router_expire(router, NAT_UDP, port);
		assert_int_equal(datapath_sweep(router_datapath(router)), 0);
		assert_int_equal(port_open(router, NAT_UDP, HOST(200 + port), 4711 + port % 2), port);
		assert_int_equal(port_open(router, NAT_UDP, HOST(400), 4711), -1);
	}
}

static void last_of_ten_thousand(struct router *router)
{
	static const unsigned int lasts[] = { 20000, 20001, 20126, 20127, 20128, 25000, 28191, 28192, 29998, 29999 };
	uint8_t *seen = calloc(65536, 1);

	for (unsigned int i = 0; i < 10000; i++) {
		int got = port_open_quickly(router, NAT_UDP, HOST(i), 4711);

		if (got < 20000 || got > 29999 || seen[got])
			fail_msg("mapping %u: want a free port, got %d", i, got);
		seen[got] = 1;
	}
	free(seen);
	assert_int_equal(port_open(router, NAT_UDP, HOST(10000), 4711), -1);
	for (unsigned int i = 0; i < sizeof(lasts) / sizeof(*lasts); i++) {
		router_expire(router, NAT_UDP, lasts[i]);
		assert_int_equal(datapath_sweep(router_datapath(router)), 0);
		assert_int_equal(port_open(router, NAT_UDP, HOST(10000 + i), 4710 + i % 2), lasts[i]);
	}
	assert_int_equal(router_count_endpoints(router), 10000);
}

/* 65535 ports: every group of every region. */
static void all_ports(struct router *router)
{
	uint8_t *seen = calloc(65536, 1);

	for (unsigned int i = 0; i < 65535; i++) {
		int got = port_open_quickly(router, NAT_UDP, HOST(i / 16), i % 16 << 12 | 7);

		if (got < 1 || seen[got])
			fail_msg("mapping %u: want a free port, got %d", i, got);
		seen[got] = 1;
	}
	free(seen);
	assert_int_equal(port_open(router, NAT_UDP, HOST(10000), 4711), -1);
}

#define GUESSES 100

/*
 * RFC 6056: who knows one chosen port does not know the next. Consecutive ones lie apart and in both halves, each of the bits
 * that a port of one parity is found by is random, and the next time they are others.
 */
static void assert_hard_to_guess(struct router *router, unsigned int host, int before[GUESSES])
{
	int last = 0, near = 0, low = 0, same = 0, lasts = 0;
	bool seen[64] = { false };

	for (unsigned int i = 0; i < GUESSES; i++) {
		int got = port_open(router, NAT_UDP, HOST(host + i), 4711);

		near += abs(got - last) < 64;
		low += got < 25000;
		same += got == before[i];
		lasts += !seen[got / 2 % 64];
		seen[got / 2 % 64] = true;
		before[i] = last = got;
	}
	if (near > 20)
		fail_msg("%d of %d chosen ports lie next to the one before", near, GUESSES);
	if (low < 20 || low > 80)
		fail_msg("%d of %d chosen ports lie in the lower half", low, GUESSES);
	if (same > 20)
		fail_msg("%d of %d chosen ports are those of the last time", same, GUESSES);
	if (lasts < 25) /* of 64 about 50 */
		fail_msg("the last 6 bits of %d chosen ports have %d values", GUESSES, lasts);
}

static void hard_to_guess(struct router *router)
{
	int ports[GUESSES] = { 0 };

	assert_hard_to_guess(router, 0, ports);
	router_end_all(router);
	assert_int_equal(datapath_sweep(router_datapath(router)), 0);
	assert_hard_to_guess(router, 1000, ports);
}

/* Eight ports of ten are in use: of the others no two stand side by side. */
static void hard_to_guess_when_full(struct router *router)
{
	int ports[GUESSES] = { 0 };

	for (unsigned int port = 20000; port < 30000; port++)
		if (port % 10 != 5 && port % 10 != 8)
			port_open_quickly(router, NAT_UDP, HOST(2000 + port), port);
	assert_hard_to_guess(router, 0, ports);
}

static const struct step one_port_each[] = {
	{ "A has it", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "there is none for B", LAN, UDP(B, 25000, S, 53), DROPPED, WHY_NO_PORT },
	{ "nor for A's next", LAN, UDP(A, 25001, S, 53), DROPPED, WHY_NO_PORT },
	{ "it is over, and nobody sweeps", LATER(MINUTES(5)) },
	{ "B has it, though odd", LAN, UDP(B, 25001, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "TCP: below 1024 for want of another", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 443, S, 80),
	  WHY_OUT_NEW },
	{ "none for B", LAN, TCP(SYN, B, 443, S, 80), DROPPED, WHY_NO_PORT },
	{ "ICMP", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 7), WHY_OUT_NEW },
	{ "none for B", LAN, QUERY(ECHO, B, S, 7), DROPPED, WHY_NO_PORT },
	{ "its reply", WAN, QUERY(ECHO_REPLY, S, EXT, 7), LAN, QUERY(ECHO_REPLY, S, A, 25000), WHY_IN },
};

static const struct step full[] = {
	{ "1", LAN, UDP(A, 1, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW },
	{ "2", LAN, UDP(A, 2, S, 53), WAN, UDP(EXT, PORT(1), S, 53), WHY_OUT_NEW },
	{ "3", LAN, UDP(A, 3, S, 53), WAN, UDP(EXT, PORT(2), S, 53), WHY_OUT_NEW },
	{ "4", LAN, UDP(A, 4, S, 53), WAN, UDP(EXT, PORT(3), S, 53), WHY_OUT_NEW },
	{ "no more", LAN, UDP(A, 5, S, 53), DROPPED, WHY_NO_PORT },
	{ "those there are still work", LAN, UDP(A, 3, T, 53), WAN, UDP(EXT, PORT(2), T, 53), WHY_OUT },
	{ "both ways", WAN, UDP(Z, 9, EXT, PORT(2)), LAN, UDP(Z, 9, A, 3), WHY_IN },
	{ "TCP has its own", LAN, TCP(SYN, A, 5, S, 80), WAN, TCP(SYN, EXT, PORT(4), S, 80), WHY_OUT_NEW },
	{ "they end, but are held", OVER(MINUTES(2)) },
	{ "for B there is none yet", LAN, UDP(B, 5, S, 53), DROPPED, WHY_NO_PORT },
};

/* As often as it takes: a packet tries three ports, and BUSY says that all three have turned out to be the router's. */
static void port_ask(struct router *router, uint32_t host, unsigned int port, struct outcome *outcome)
{
	struct packet packet = packet_of(NAT_UDP, host, port);
	struct frame frame;

	frame_build(&frame, &packet, true);
	for (int tries = 0; tries < 4; tries++) {
		const char *wrong = router_send(router, NAT_EGRESS, &frame, outcome);

		if (wrong)
			fail_msg("%s", wrong);
		if (outcome->why != WHY_BUSY)
			return;
	}
}

/* The router listens on all but one of the ports: that one is found, and none of the others given away. */
static void routers_ports_are_not_given_away(struct router *router)
{
	struct outcome outcome;

	for (unsigned int port = 20000; port < 20003; port++)
		router_listen(router, NAT_UDP, EXT, port);
	port_ask(router, A, 4711, &outcome);
	assert_int_equal(outcome.why, WHY_OUT_NEW);
	assert_int_equal(frame_sport(&outcome.frame), 20003);
	port_ask(router, B, 20000, &outcome);
	assert_int_equal(outcome.why, WHY_NO_PORT);
}

static const struct test tests[] = {
	CODE("rfc4787_req4_parity_is_kept", parity_is_kept, .only_ipv4 = false),
	CODE("rfc6056_hard_to_guess", hard_to_guess, .only_ipv4 = false),
	CODE("rfc6056_hard_to_guess_when_full", hard_to_guess_when_full, .only_ipv4 = false),
	CODE("kept_where_free_in_ragged_sets", kept_in_ragged_sets, .setup = &ragged, .only_ipv4 = false),
	CODE("ragged_sets_are_exact", ragged_sets_are_exact, .setup = &ragged, .only_ipv4 = false),
	CODE("rfc4787_req3a_side_of_1024_is_kept", side_of_1024_is_kept, .setup = &low_and_high, .only_ipv4 = false),
	CODE("parity_goes_before_the_side", kinds_used_up, .setup = &low_and_high, .only_ipv4 = false),
	STEPS("sets_of_one_port", one_port_each, .setup = &one_port),
	STEPS("no_port_left", full, .setup = &four),
	CODE("routers_ports_are_not_given_away", routers_ports_are_not_given_away, .setup = &four, .only_ipv4 = false),
	CODE("every_tcp_port_is_used", every_tcp_port_is_used, .setup = &hundred, .only_ipv4 = false),
	CODE("every_udp_port_is_used", every_udp_port_is_used, .setup = &hundred, .only_ipv4 = false),
	CODE("every_identifier_is_used", every_identifier_is_used, .setup = &hundred, .only_ipv4 = false),
	CODE("rfc4787_req11_only_free_port_is_found", only_free_port_is_found, .setup = &hundred, .only_ipv4 = false),
	CODE("rfc4787_req11_last_of_ten_thousand", last_of_ten_thousand, .setup = &ten_thousand, .only_ipv4 = false),
	CODE("all_65535_ports_are_used", all_ports, .setup = &everything),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
