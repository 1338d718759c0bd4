// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hairpinning (RFC 4787 REQ-9): what leaves for our own external address is turned round and comes in again. A test run
 * delivers nothing, so the packet that was turned round is sent in by the next step.
 */
#include "steps.h"

#define B_OPENS                                                                                      \
	{                                                                                            \
		"B opens 26000", LAN, UDP(B, 26000, S, 53), WAN, UDP(EXT, 26000, S, 53), WHY_OUT_NEW \
	}

static const struct setup few_ports = { .ports = { "25000", "25000", "25000" } };

static const struct setup two = { .two = true };

static const struct step udp[] = {
	B_OPENS,
	{ "A sends to B's external endpoint", LAN, UDP(A, 25000, EXT, 26000), TURNED, UDP(EXT, 25000, EXT, 26000),
	  WHY_HAIRPIN },
	{ "B sees A's external endpoint", ROUND, UDP(EXT, 25000, EXT, 26000), LAN, UDP(EXT, 25000, B, 26000), WHY_IN },
	{ "B answers it", LAN, UDP(B, 26000, EXT, 25000), TURNED, UDP(EXT, 26000, EXT, 25000), WHY_HAIRPIN },
	{ "A sees B's external endpoint", ROUND, UDP(EXT, 26000, EXT, 25000), LAN, UDP(EXT, 26000, A, 25000), WHY_IN },
	{ "it is the same mapping outside", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT },
};

static const struct step udp_changed[] = {
	B_OPENS,
	{ "A's 26000 is taken", LAN, UDP(A, 26000, EXT, 26000), TURNED, UDP(EXT, PORT(0), EXT, 26000), WHY_HAIRPIN },
	{ "it comes in", ROUND, UDP(EXT, PORT(0), EXT, 26000), LAN, UDP(EXT, PORT(0), B, 26000), WHY_IN },
	{ "B answers", LAN, UDP(B, 26000, EXT, PORT(0)), TURNED, UDP(EXT, 26000, EXT, PORT(0)), WHY_HAIRPIN },
	{ "A has it", ROUND, UDP(EXT, 26000, EXT, PORT(0)), LAN, UDP(EXT, 26000, A, 26000), WHY_IN },
};

static const struct step tcp[] = {
	{ "B opens 26000", LAN, TCP(SYN, B, 26000, S, 80), WAN, TCP(SYN, EXT, 26000, S, 80), WHY_OUT_NEW },
	{ "A connects to it", LAN, TCP(SYN, A, 25000, EXT, 26000), TURNED, TCP(SYN, EXT, 25000, EXT, 26000),
	  WHY_HAIRPIN },
	{ "B has it", ROUND, TCP(SYN, EXT, 25000, EXT, 26000), LAN, TCP(SYN, EXT, 25000, B, 26000), WHY_IN },
	{ "B accepts", LAN, TCP(SYN | ACK, B, 26000, EXT, 25000), TURNED, TCP(SYN | ACK, EXT, 26000, EXT, 25000),
	  WHY_HAIRPIN },
	{ "A has it", ROUND, TCP(SYN | ACK, EXT, 26000, EXT, 25000), LAN, TCP(SYN | ACK, EXT, 26000, A, 25000),
	  WHY_IN },
	{ "A's side is established", MAPPED(NAT_TCP, 25000, A, 25000, .sessions = 1, .lasts_ms = MINUTES(124)) },
	{ "B's side too", MAPPED(NAT_TCP, 26000, B, 26000, .sessions = 1, .lasts_ms = MINUTES(124)) },
};

static const struct step query[] = {
	{ "A pings the external address", LAN, QUERY(ECHO, A, EXT, 25000), TURNED, QUERY(ECHO, EXT, EXT, 25000),
	  WHY_HAIRPIN },
	{ "B's mapping", LAN, QUERY(ECHO, B, S, 26000), WAN, QUERY(ECHO, EXT, S, 26000), WHY_OUT_NEW },
	{ "a reply to B's identifier from inside", LAN, QUERY(ECHO, A, EXT, 26000), TURNED,
	  QUERY(ECHO, EXT, EXT, PORT(0)), WHY_HAIRPIN },
};

static const struct step errors[] = {
	B_OPENS,
	{ "A sends to B", LAN, UDP(A, 25000, EXT, 26000), TURNED, UDP(EXT, 25000, EXT, 26000), WHY_HAIRPIN },
	{ "B has it", ROUND, UDP(EXT, 25000, EXT, 26000), LAN, UDP(EXT, 25000, B, 26000), WHY_IN },
	{ "B objects", LAN, ERROR(UNREACHABLE, 3, B, EXT, UDP(EXT, 25000, B, 26000)), TURNED,
	  ERROR(UNREACHABLE, 3, EXT, EXT, UDP(EXT, 25000, EXT, 26000)), WHY_HAIRPIN },
	{ "A hears of it", ROUND, ERROR(UNREACHABLE, 3, EXT, EXT, UDP(EXT, 25000, EXT, 26000)), LAN,
	  ERROR(UNREACHABLE, 3, EXT, A, UDP(A, 25000, EXT, 26000)), WHY_IN_ERROR },
};

static const struct step to_oneself[] = {
	{ "A sends to its own external endpoint", LAN, UDP(A, 25000, EXT, 25000), TURNED, UDP(EXT, 25000, EXT, 25000),
	  WHY_HAIRPIN },
	{ "and has it", ROUND, UDP(EXT, 25000, EXT, 25000), LAN, UDP(EXT, 25000, A, 25000), WHY_IN },
};

static const struct step to_the_router[] = {
	{ "A asks the router at its external address", LAN, UDP(A, 25000, EXT, 53), TURNED, UDP(EXT, 25000, EXT, 53),
	  WHY_HAIRPIN },
	{ "the router has it", ROUND, UDP(EXT, 25000, EXT, 53), PASSED, WHY_UNMANAGED },
	{ "the router answers", LAN, UDP(EXT, 53, EXT, 25000), PASSED_TURNED, WHY_HAIRPIN_PASSED },
	{ "A has it", ROUND, UDP(EXT, 53, EXT, 25000), LAN, UDP(EXT, 53, A, 25000), WHY_IN },
};

static const struct step from_the_router[] = {
	B_OPENS,
	{ "the router sends from a port of its own", LAN, UDP(EXT, 5353, EXT, 26000), PASSED_TURNED,
	  WHY_HAIRPIN_PASSED },
	{ "B has it", ROUND, UDP(EXT, 5353, EXT, 26000), LAN, UDP(EXT, 5353, B, 26000), WHY_IN },
	{ "B answers", LAN, UDP(B, 26000, EXT, 5353), TURNED, UDP(EXT, 26000, EXT, 5353), WHY_HAIRPIN },
	{ "the router has it", ROUND, UDP(EXT, 26000, EXT, 5353), PASSED, WHY_UNMANAGED },
};

static const struct step not_ours[] = {
	{ "GRE is turned round as it is", LAN, OTHER(47, A, EXT), PASSED_TURNED, WHY_HAIRPIN_PASSED },
	{ "and passes", ROUND, OTHER(47, A, EXT), PASSED, WHY_OTHER_PROTOCOL },
	{ "another address is no hairpin", LAN, UDP(A, 25000, EXT2, 25000), WAN, UDP(EXT, 25000, EXT2, 25000),
	  WHY_OUT_NEW },
};

static const struct step dropped[] = {
	{ "A has the only port", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "there is none for B", LAN, UDP(B, 25000, EXT, 25000), DROPPED, WHY_NO_PORT },
	{ "TCP without a mapping", LAN, TCP(ACK, B, 25000, EXT, 25000), DROPPED, WHY_TCP_NO_MAPPING },
};

static const struct step fragmented[] = {
	B_OPENS,
	{ "a first fragment", LAN, UDP(A, 25000, EXT, 26000, .payload = 40, .length = 24, .more = true), TURNED,
	  UDP(EXT, 25000, EXT, 26000, .payload = 40, .length = 24, .more = true), WHY_HAIRPIN },
	{ "its follower", LAN, UDP(A, 25000, EXT, 26000, .payload = 40, .offset = 24), TURNED,
	  UDP(EXT, 25000, EXT, 26000, .payload = 40, .offset = 24), WHY_HAIRPIN },
	{ "the first comes in", ROUND, UDP(EXT, 25000, EXT, 26000, .payload = 40, .length = 24, .more = true), LAN,
	  UDP(EXT, 25000, B, 26000, .payload = 40, .length = 24, .more = true), WHY_IN },
	{ "the follower too", ROUND, UDP(EXT, 25000, EXT, 26000, .payload = 40, .offset = 24), LAN,
	  UDP(EXT, 25000, B, 26000, .payload = 40, .offset = 24), WHY_IN_FRAGMENT },
};

/* The whole of it from outside, without our mark: A sends to B's external endpoint, says it. */
static const struct step spoofed[] = {
	B_OPENS,
	{ "A opens 25000", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "S confirms it: the short way is open", WAN, UDP(S, 53, EXT, 26000), LAN, UDP(S, 53, B, 26000), WHY_IN },
	{ "UDP", WAN, UDP(EXT, 25000, EXT, 26000), DROPPED, WHY_SPOOFED },
	{ "UDP from no port of ours", WAN, UDP(EXT, 53, EXT, 26000), DROPPED, WHY_SPOOFED },
	{ "UDP without a checksum", WAN, UDP(EXT, 25000, EXT, 26000, .no_checksum = true), DROPPED, WHY_SPOOFED },
	{ "UDP to a port of the router's", WAN, UDP(EXT, 25000, EXT, 53), DROPPED, WHY_SPOOFED },
	{ "UDP to an internal host", WAN, UDP(EXT, 25000, B, 26000), DROPPED, WHY_SPOOFED },
	{ "a first fragment", WAN, UDP(EXT, 25000, EXT, 26000, .payload = 40, .length = 24, .more = true), DROPPED,
	  WHY_SPOOFED },
	{ "its follower", WAN, UDP(EXT, 25000, EXT, 26000, .payload = 40, .offset = 24), DROPPED, WHY_SPOOFED },
	{ "a ping for the router", WAN, QUERY(ECHO, EXT, EXT, 25000), DROPPED, WHY_SPOOFED },
	{ "an error about what B sent", WAN, ERROR(UNREACHABLE, 3, EXT, EXT, UDP(EXT, 26000, S, 53)), DROPPED,
	  WHY_SPOOFED },
	{ "an error about what B sent to A", WAN, ERROR(UNREACHABLE, 3, EXT, EXT, UDP(EXT, 26000, EXT, 25000)), DROPPED,
	  WHY_SPOOFED },
	{ "GRE", WAN, OTHER(47, EXT, EXT), DROPPED, WHY_SPOOFED },
	{ "what is honest still comes in", WAN, UDP(S, 53, EXT, 26000), LAN, UDP(S, 53, B, 26000), WHY_IN },
};

static const struct step spoofed_tcp[] = {
	{ "B opens 26000", LAN, TCP(SYN, B, 26000, S, 80), WAN, TCP(SYN, EXT, 26000, S, 80), WHY_OUT_NEW },
	{ "S answers", WAN, TCP(SYN | ACK, S, 80, EXT, 26000), LAN, TCP(SYN | ACK, S, 80, B, 26000), WHY_IN },
	{ "a SYN", WAN, TCP(SYN, EXT, 25000, EXT, 26000), DROPPED, WHY_SPOOFED },
	{ "data, the short way", WAN, TCP(ACK, EXT, 25000, EXT, 26000, .payload = 40), DROPPED, WHY_SPOOFED },
	{ "a RST", WAN, TCP(RST, EXT, 25000, EXT, 26000), DROPPED, WHY_SPOOFED },
};

static const struct step spoofed_other_address[] = {
	{ "B opens 26000", LAN, UDP(B, 26000, S, 53), WAN, UDP(EXT, 26000, S, 53), WHY_OUT_NEW },
	{ "S confirms it", WAN, UDP(S, 53, EXT, 26000), LAN, UDP(S, 53, B, 26000), WHY_IN },
	{ "from our second address", WAN, UDP(EXT2, 25000, EXT, 26000), DROPPED, WHY_SPOOFED },
	{ "from the first", WAN, UDP(EXT, 25000, EXT, 26000), DROPPED, WHY_SPOOFED },
};

static void users_mark(struct router *router)
{
	static const struct step steps[] = {
		B_OPENS,
		{ "A sends to B", LAN, UDP(A, 25000, EXT, 26000), TURNED, UDP(EXT, 25000, EXT, 26000), WHY_HAIRPIN },
		{ "A sends to S", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT },
		{ "S answers", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
		{ "some mark is not ours", WAN, UDP(EXT, 25000, EXT, 26000), DROPPED, WHY_SPOOFED },
		{ "ours is taken off what passes, too", ROUND, UDP(S, 53, EXT, 53), PASSED, WHY_UNMANAGED },
	};

	router_set_mark(router, 0x5);
	steps_run(router, steps, sizeof(steps) / sizeof(*steps));
}

static const struct step after_a_change[] = {
	{ "the address changes", NEW_ADDRESS(EXT2) },
	{ "the new one is turned round", LAN, UDP(A, 25000, EXT2, 26000), TURNED, UDP(EXT2, 25000, EXT2, 26000),
	  WHY_HAIRPIN },
	{ "the old one is no longer", LAN, UDP(A, 25000, EXT, 26000), WAN, UDP(EXT2, 25000, EXT, 26000), WHY_OUT },
};

static const struct test tests[] = {
	STEPS("rfc4787_req9a_udp_external_source", udp),
	STEPS("rfc4787_req9a_udp_changed_port", udp_changed),
	STEPS("rfc5382_req8_tcp", tcp),
	STEPS("rfc5508_req7_query", query),
	STEPS("rfc5508_req7_errors", errors),
	STEPS("to_oneself", to_oneself),
	STEPS("to_the_router", to_the_router),
	STEPS("from_the_router", from_the_router),
	STEPS("what_is_not_ours", not_ours),
	STEPS("fragments", fragmented),
	STEPS("after_a_change_of_address", after_a_change),
	STEPS("spoofed_from_outside", spoofed),
	STEPS("spoofed_from_outside_tcp", spoofed_tcp),
	STEPS("spoofed_from_outside_two_addresses", spoofed_other_address, .setup = &two),
	CODE("marks", users_mark, .only_ipv4 = false),
	STEPS("what_is_dropped_is_not_turned_round", dropped, .setup = &few_ports),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
