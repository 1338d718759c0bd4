// SPDX-License-Identifier: GPL-2.0-or-later
/* Static mappings: there before any packet, in both directions, whatever happens to the others. */
#include "steps.h"

/* Two of them on ports that are not managed, a range, one on a port that is, and one that is T's alone. */
#define FORWARDS                                                                                                     \
	.forwards = {                                                                                                \
		{ NAT_TCP, 8000, .addr = A, .internal_port = 80 },                                                   \
		{ NAT_UDP, 5000, .last = 5009, .addr = B, .internal_port = 6000 },                                   \
		{ NAT_UDP, 25000, .addr = A, .internal_port = 7000 },                                                \
		{ NAT_TCP, 443, .addr = B, .internal_port = 443, .remotes = { PREFIX(T, 32) } },                     \
		{ NAT_UDP, 443, .addr = B, .internal_port = 443, .remotes = { PREFIX(IPV4(198, 51, 100, 0), 24) } }, \
	}

#define STATIC_MS (((1ull << 30) << NAT_TICK_SHIFT) / 1000000)

#define FIRST .payload = 80, .length = 24, .more = true
#define LAST  .payload = 80, .offset = 56

static const struct setup forwards = { FORWARDS };
static const struct setup two = { FORWARDS, .two = true };
static const struct setup named = {
	.forwards = { { NAT_UDP, 8000, .addr = A, .internal_port = 80, .external = 1 },
		      { NAT_UDP, 8000, .addr = B, .internal_port = 81 },
		      { NAT_UDP, 25000, .addr = A, .internal_port = 7000, .external = 1 },
		      { NAT_TCP, 443, .addr = B, .internal_port = 80, .external = 1 } },
	.two = true,
};
static const struct setup by_address = { FORWARDS, .filtering = FILTERING_ADDRESS_AND_PORT };
static const struct setup limited = { FORWARDS, .host_limit = { 1, 1, 1 }, .host_rate = 2 };
static const struct setup only_static = { FORWARDS, .ports = { "", "", "" } };
static const struct setup others_internal = { FORWARDS, .internals = { PREFIX(IPV4(10, 0, 0, 0), 8) } };

static const struct step tcp[] = {
	{ "it is there", MAPPED(NAT_TCP, 8000, A, 80, .sessions = 1, .lasts_ms = STATIC_MS) },
	{ "a stranger connects", WAN, TCP(SYN, Z, 99, EXT, 8000), LAN, TCP(SYN, Z, 99, A, 80), WHY_IN },
	{ "A accepts", LAN, TCP(SYN | ACK, A, 80, Z, 99), WAN, TCP(SYN | ACK, EXT, 8000, Z, 99), WHY_OUT },
	{ "no session is counted", MAPPED(NAT_TCP, 8000, A, 80, .sessions = 1) },
	{ "data", WAN, TCP(PSH | ACK, Z, 99, EXT, 8000, .payload = 5), LAN, TCP(PSH | ACK, Z, 99, A, 80, .payload = 5),
	  WHY_IN },
	{ "data back", LAN, TCP(ACK, A, 80, Z, 99, .payload = 5), WAN, TCP(ACK, EXT, 8000, Z, 99, .payload = 5),
	  WHY_OUT },
	{ "the end", WAN, TCP(FIN | ACK, Z, 99, EXT, 8000), LAN, TCP(FIN | ACK, Z, 99, A, 80), WHY_IN },
	{ "both ways", LAN, TCP(FIN | ACK, A, 80, Z, 99), WAN, TCP(FIN | ACK, EXT, 8000, Z, 99), WHY_OUT },
	{ "a refusal", LAN, TCP(RST, A, 80, S, 99), WAN, TCP(RST, EXT, 8000, S, 99), WHY_OUT },
	{ "it is as it was", MAPPED(NAT_TCP, 8000, A, 80, .sessions = 1, .lasts_ms = STATIC_MS) },
	{ "A connects from there", LAN, TCP(SYN, A, 80, S, 80), WAN, TCP(SYN, EXT, 8000, S, 80), WHY_OUT },
	{ "A's other ports are like any", LAN, TCP(SYN, A, 81, S, 80), WAN, TCP(SYN, EXT, PORT(0), S, 80),
	  WHY_OUT_NEW },
	{ "UDP is another's", WAN, UDP(Z, 99, EXT, 8000), PASSED, WHY_UNMANAGED },
};

static const struct step udp[] = {
	{ "it is there", MAPPED(NAT_UDP, 25000, A, 7000, .sessions = 1, .lasts_ms = STATIC_MS) },
	{ "a stranger", WAN, UDP(Z, 99, EXT, 25000), LAN, UDP(Z, 99, A, 7000), WHY_IN },
	{ "A's answer", LAN, UDP(A, 7000, Z, 99), WAN, UDP(EXT, 25000, Z, 99), WHY_OUT },
	{ "A's own packet", LAN, UDP(A, 7000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT },
	{ "without a checksum", WAN, UDP(Z, 99, EXT, 25000, .no_checksum = true), LAN,
	  UDP(Z, 99, A, 7000, .no_checksum = true), WHY_IN },
	{ "A's 25000 is like any", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW },
	{ "it is as it was", MAPPED(NAT_UDP, 25000, A, 7000, .sessions = 1, .lasts_ms = STATIC_MS) },
};

static const struct step range[] = {
	{ "the port before", WAN, UDP(Z, 99, EXT, 4999), PASSED, WHY_UNMANAGED },
	{ "the first", WAN, UDP(Z, 99, EXT, 5000), LAN, UDP(Z, 99, B, 6000), WHY_IN },
	{ "one in the middle", WAN, UDP(Z, 99, EXT, 5003), LAN, UDP(Z, 99, B, 6003), WHY_IN },
	{ "the last", WAN, UDP(Z, 99, EXT, 5009), LAN, UDP(Z, 99, B, 6009), WHY_IN },
	{ "the port behind", WAN, UDP(Z, 99, EXT, 5010), PASSED, WHY_UNMANAGED },
	{ "the last outwards", LAN, UDP(B, 6009, S, 53), WAN, UDP(EXT, 5009, S, 53), WHY_OUT },
	{ "behind it", LAN, UDP(B, 6010, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW },
};

static const struct step without_end[] = {
	{ "300 days pass", LATER(MINUTES(300 * 24 * 60)) },
	{ "its ports are swept", SWEPT },
	{ "a stranger", WAN, UDP(Z, 99, EXT, 25000), LAN, UDP(Z, 99, A, 7000), WHY_IN },
	{ "that is as at first", MAPPED(NAT_UDP, 25000, A, 7000, .sessions = 1, .lasts_ms = STATIC_MS) },
	{ "300 days pass", LATER(MINUTES(300 * 24 * 60)) },
	{ "a packet from A", LAN, UDP(A, 7000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT },
	{ "that is as at first", MAPPED(NAT_UDP, 25000, A, 7000, .sessions = 1, .lasts_ms = STATIC_MS) },
	{ "300 days pass", LATER(MINUTES(300 * 24 * 60)) },
	{ "data, without a SYN", WAN, TCP(ACK, Z, 99, EXT, 8000, .payload = 5), LAN,
	  TCP(ACK, Z, 99, A, 80, .payload = 5), WHY_IN },
	{ "and back", LAN, TCP(ACK, A, 80, Z, 99, .payload = 5), WAN, TCP(ACK, EXT, 8000, Z, 99, .payload = 5),
	  WHY_OUT },
};

static const struct step nobody_elses[] = {
	{ "G does not get it", LAN, UDP(G, 25000, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW },
	{ "nor one that is not managed", LAN, UDP(G, 5000, S, 53), WAN, UDP(EXT, PORT(1), S, 53), WHY_OUT_NEW },
	{ "nor does the router", LAN, UDP(EXT, 5000, S, 53), WAN, UDP(EXT, PORT(2), S, 53), WHY_OUT_NEW },
	{ "which has its answer", WAN, UDP(S, 53, EXT, PORT(2)), LAN, UDP(S, 53, EXT, 5000), WHY_IN },
	{ "the router's TCP from before", LAN, TCP(ACK, EXT, 8000, S, 80), PASSED, WHY_ROUTER },
	{ "all of that ends", LATER(MINUTES(300)) },
	{ "its ports are swept", SWEPT },
	{ "it is A's", MAPPED(NAT_UDP, 25000, A, 7000, .sessions = 1) },
	{ "and B's", MAPPED(NAT_UDP, 5000, B, 6000, .sessions = 1) },
};

static const struct step routers_socket[] = {
	{ "the router listens there", LISTENS(NAT_UDP, EXT, 5000) },
	{ "a stranger gets to B", WAN, UDP(Z, 99, EXT, 5000), LAN, UDP(Z, 99, B, 6000), WHY_IN },
	{ "B answers", LAN, UDP(B, 6000, Z, 99), WAN, UDP(EXT, 5000, Z, 99), WHY_OUT },
};

static const struct step hairpinned[] = {
	{ "B calls", LAN, TCP(SYN, B, 26000, EXT, 8000), TURNED, TCP(SYN, EXT, 26000, EXT, 8000), WHY_HAIRPIN },
	{ "A hears it", ROUND, TCP(SYN, EXT, 26000, EXT, 8000), LAN, TCP(SYN, EXT, 26000, A, 80), WHY_IN },
	{ "A answers", LAN, TCP(SYN | ACK, A, 80, EXT, 26000), TURNED, TCP(SYN | ACK, EXT, 8000, EXT, 26000),
	  WHY_HAIRPIN },
	{ "B hears it", ROUND, TCP(SYN | ACK, EXT, 8000, EXT, 26000), LAN, TCP(SYN | ACK, EXT, 8000, B, 26000),
	  WHY_IN },
	{ "one to another", LAN, UDP(A, 7000, EXT, 5000), TURNED, UDP(EXT, 25000, EXT, 5000), WHY_HAIRPIN },
	{ "which has it", ROUND, UDP(EXT, 25000, EXT, 5000), LAN, UDP(EXT, 25000, B, 6000), WHY_IN },
	{ "to oneself", LAN, UDP(A, 7000, EXT, 25000), TURNED, UDP(EXT, 25000, EXT, 25000), WHY_HAIRPIN },
	{ "and back", ROUND, UDP(EXT, 25000, EXT, 25000), LAN, UDP(EXT, 25000, A, 7000), WHY_IN },
	{ "not from outside", WAN, UDP(EXT, 25000, EXT, 5000), DROPPED, WHY_SPOOFED },
};

static const struct step from_the_router[] = {
	{ "the router calls", LAN, TCP(SYN, EXT, 40000, EXT, 8000), PASSED_TURNED, WHY_HAIRPIN_PASSED },
	{ "A hears it", ROUND, TCP(SYN, EXT, 40000, EXT, 8000), LAN, TCP(SYN, EXT, 40000, A, 80), WHY_IN },
	{ "A answers", LAN, TCP(SYN | ACK, A, 80, EXT, 40000), TURNED, TCP(SYN | ACK, EXT, 8000, EXT, 40000),
	  WHY_HAIRPIN },
	{ "the router hears it", ROUND, TCP(SYN | ACK, EXT, 8000, EXT, 40000), PASSED, WHY_UNMANAGED },
};

static const struct step fragmented[] = {
	{ "first", WAN, UDP(S, 53, EXT, 5001, FIRST), LAN, UDP(S, 53, B, 6001, FIRST), WHY_IN },
	{ "last", WAN, UDP(S, 53, EXT, 5001, LAST), LAN, UDP(S, 53, B, 6001, LAST), WHY_IN_FRAGMENT },
	{ "first outwards", LAN, UDP(B, 6001, S, 53, FIRST), WAN, UDP(EXT, 5001, S, 53, FIRST), WHY_OUT },
	{ "last outwards", LAN, UDP(B, 6001, S, 53, LAST), WAN, UDP(EXT, 5001, S, 53, LAST), WHY_OUT_FRAGMENT },
	{ "one of a stranger's", WAN, TCP(ACK, S, 53, EXT, 443, FIRST, .id = 7), DROPPED, WHY_NOT_PERMITTED },
	{ "leaves nothing", WAN, TCP(ACK, S, 53, EXT, 443, LAST, .id = 7), DROPPED, WHY_FRAGMENT_HELD },
};

static const struct step errors[] = {
	{ "about A's packet", WAN, ERROR(UNREACHABLE, 1, R, EXT, UDP(EXT, 25000, S, 53)), LAN,
	  ERROR(UNREACHABLE, 1, R, A, UDP(A, 7000, S, 53)), WHY_IN_ERROR },
	{ "about A's answer", WAN, ERROR(UNREACHABLE, 4, R, EXT, TCP(ACK, EXT, 8000, Z, 99)), LAN,
	  ERROR(UNREACHABLE, 4, R, A, TCP(ACK, A, 80, Z, 99)), WHY_IN_ERROR },
	{ "about B's answer to T", WAN, ERROR(UNREACHABLE, 4, R, EXT, TCP(ACK, EXT, 443, T, 99)), LAN,
	  ERROR(UNREACHABLE, 4, R, B, TCP(ACK, B, 443, T, 99)), WHY_IN_ERROR },
	{ "A's own", LAN, ERROR(UNREACHABLE, 3, A, Z, UDP(Z, 99, A, 7000)), WAN,
	  ERROR(UNREACHABLE, 3, EXT, Z, UDP(Z, 99, EXT, 25000)), WHY_OUT_ERROR },
	{ "a router's on the way to B", LAN, ERROR(EXCEEDED, 0, G, Z, UDP(Z, 99, B, 6002)), WAN,
	  ERROR(EXCEEDED, 0, EXT, Z, UDP(Z, 99, EXT, 5002)), WHY_OUT_ERROR },
};

static const struct step remotes[] = {
	{ "T is let in", WAN, TCP(SYN, T, 99, EXT, 443), LAN, TCP(SYN, T, 99, B, 443), WHY_IN },
	{ "and has its answer", LAN, TCP(SYN | ACK, B, 443, T, 99), WAN, TCP(SYN | ACK, EXT, 443, T, 99), WHY_OUT },
	{ "T's data", WAN, TCP(ACK, T, 99, EXT, 443, .payload = 5), LAN, TCP(ACK, T, 99, B, 443, .payload = 5),
	  WHY_IN },
	{ "S is not", WAN, TCP(SYN, S, 99, EXT, 443), DROPPED, WHY_NOT_PERMITTED },
	{ "nor its data", WAN, TCP(ACK, S, 99, EXT, 443, .payload = 5), DROPPED, WHY_NOT_PERMITTED },
	{ "not even when B has sent to it", LAN, TCP(SYN, B, 443, S, 80), WAN, TCP(SYN, EXT, 443, S, 80), WHY_OUT },
	{ "is it", WAN, TCP(SYN | ACK, S, 80, EXT, 443), DROPPED, WHY_NOT_PERMITTED },
	{ "to UDP S's network is let in", WAN, UDP(S, 99, EXT, 443), LAN, UDP(S, 99, B, 443), WHY_IN },
	{ "and again", WAN, UDP(S, 99, EXT, 443), LAN, UDP(S, 99, B, 443), WHY_IN },
	{ "Z is not", WAN, UDP(Z, 99, EXT, 443), DROPPED, WHY_NOT_PERMITTED },
	{ "nor is A by the external address", LAN, UDP(A, 26000, EXT, 443), TURNED, UDP(EXT, 26000, EXT, 443),
	  WHY_HAIRPIN },
	{ "which is no remote of it", ROUND, UDP(EXT, 26000, EXT, 443), DROPPED, WHY_NOT_PERMITTED },
	{ "300 days pass", LATER(MINUTES(300 * 24 * 60)) },
	{ "T is let in", WAN, TCP(SYN, T, 99, EXT, 443), LAN, TCP(SYN, T, 99, B, 443), WHY_IN },
	{ "S is not", WAN, TCP(SYN, S, 99, EXT, 443), DROPPED, WHY_NOT_PERMITTED },
};

static const struct step filtered[] = {
	{ "a stranger is let in", WAN, UDP(Z, 99, EXT, 25000), LAN, UDP(Z, 99, A, 7000), WHY_IN },
	{ "unless there are remotes", WAN, UDP(Z, 99, EXT, 443), DROPPED, WHY_NOT_PERMITTED },
	{ "which are", WAN, UDP(S, 99, EXT, 443), LAN, UDP(S, 99, B, 443), WHY_IN },
	{ "another of A's mappings", LAN, UDP(A, 26000, S, 53), WAN, UDP(EXT, 26000, S, 53), WHY_OUT_NEW },
	{ "filters", WAN, UDP(Z, 99, EXT, 26000), DROPPED, WHY_FILTERED },
};

static const struct step another_address[] = {
	{ "A has another mapping, too", LAN, UDP(A, 26000, S, 53), WAN, UDP(EXT, 26000, S, 53), WHY_OUT_NEW },
	{ "the address changes", NEW_ADDRESS(EXT2) },
	{ "a stranger finds A there", WAN, UDP(Z, 99, EXT2, 25000), LAN, UDP(Z, 99, A, 7000), WHY_IN },
	{ "and B", WAN, UDP(Z, 99, EXT2, 5000), LAN, UDP(Z, 99, B, 6000), WHY_IN },
	{ "A answers from it", LAN, UDP(A, 7000, Z, 99), WAN, UDP(EXT2, 25000, Z, 99), WHY_OUT },
	{ "its TCP goes on", LAN, TCP(ACK, A, 80, S, 80), WAN, TCP(ACK, EXT2, 8000, S, 80), WHY_OUT },
	{ "the other mapping has ended", WAN, UDP(S, 53, EXT2, 26000), DROPPED, WHY_NO_MAPPING },
	{ "the old address is nobody's", WAN, UDP(Z, 99, EXT, 25000), PASSED, WHY_NOT_EXTERNAL },
	{ "there is none", NEW_ADDRESS(0) },
	{ "nothing comes in", WAN, UDP(Z, 99, EXT2, 25000), PASSED, WHY_NOT_EXTERNAL },
	{ "and nothing leaves", LAN, UDP(A, 7000, Z, 99), DROPPED, WHY_NO_ADDRESS },
	{ "its ports are swept", SWEPT },
	{ "the first is back", NEW_ADDRESS(EXT) },
	{ "A answers from it", LAN, UDP(A, 7000, Z, 99), WAN, UDP(EXT, 25000, Z, 99), WHY_OUT },
	{ "a first fragment", WAN, UDP(S, 53, EXT, 5001, FIRST), LAN, UDP(S, 53, B, 6001, FIRST), WHY_IN },
	{ "the address changes", NEW_ADDRESS(EXT2) },
	{ "an error", WAN, ERROR(UNREACHABLE, 1, R, EXT2, UDP(EXT2, 25000, S, 53)), LAN,
	  ERROR(UNREACHABLE, 1, R, A, UDP(A, 7000, S, 53)), WHY_IN_ERROR },
};

static const struct step of_either[] = {
	{ "the second's", WAN, UDP(Z, 99, EXT2, 8000), LAN, UDP(Z, 99, A, 80), WHY_IN },
	{ "A answers from it", LAN, UDP(A, 80, Z, 99), WAN, UDP(EXT2, 8000, Z, 99), WHY_OUT },
	{ "A's own packet", LAN, UDP(A, 80, S, 53), WAN, UDP(EXT2, 8000, S, 53), WHY_OUT },
	{ "the same port of the first is B's", WAN, UDP(Z, 99, EXT, 8000), LAN, UDP(Z, 99, B, 81), WHY_IN },
	{ "B answers from that", LAN, UDP(B, 81, Z, 99), WAN, UDP(EXT, 8000, Z, 99), WHY_OUT },
	{ "a managed port of the second", WAN, UDP(Z, 99, EXT2, 25000), LAN, UDP(Z, 99, A, 7000), WHY_IN },
	{ "is nobody's of the first", WAN, UDP(Z, 99, EXT, 25000), DROPPED, WHY_NO_MAPPING },
	{ "G gets that", LAN, UDP(G, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "TCP of the second", WAN, TCP(SYN, Z, 99, EXT2, 443), LAN, TCP(SYN, Z, 99, B, 80), WHY_IN },
	{ "not of the first", WAN, TCP(SYN, Z, 99, EXT, 443), PASSED, WHY_UNMANAGED },
	{ "B calls A by the second", LAN, UDP(B, 81, EXT2, 8000), TURNED, UDP(EXT, 8000, EXT2, 8000), WHY_HAIRPIN },
	{ "A hears it", ROUND, UDP(EXT, 8000, EXT2, 8000), LAN, UDP(EXT, 8000, A, 80), WHY_IN },
};

static const struct step of_the_first[] = {
	{ "the first address has it", WAN, UDP(Z, 99, EXT, 25000), LAN, UDP(Z, 99, A, 7000), WHY_IN },
	{ "the second does not", WAN, UDP(Z, 99, EXT2, 25000), DROPPED, WHY_NO_MAPPING },
	{ "nor what is not managed", WAN, UDP(Z, 99, EXT2, 5000), PASSED, WHY_UNMANAGED },
	{ "A leaves by it", LAN, UDP(A, 7000, Z, 99), WAN, UDP(EXT, 25000, Z, 99), WHY_OUT },
};

static const struct step uncounted[] = {
	{ "static ones do not count", LAN, UDP(A, 7000, Z, 99), WAN, UDP(EXT, 25000, Z, 99), WHY_OUT },
	{ "A may have one", LAN, UDP(A, 26000, S, 53), WAN, UDP(EXT, 26000, S, 53), WHY_OUT_NEW },
	{ "and no other", LAN, UDP(A, 26001, S, 53), DROPPED, WHY_HOST_LIMIT },
	{ "but for those", LAN, TCP(SYN, A, 80, S, 80), WAN, TCP(SYN, EXT, 8000, S, 80), WHY_OUT },
};

static const struct step none_managed[] = {
	{ "a stranger", WAN, UDP(Z, 99, EXT, 25000), LAN, UDP(Z, 99, A, 7000), WHY_IN },
	{ "A's answer", LAN, UDP(A, 7000, Z, 99), WAN, UDP(EXT, 25000, Z, 99), WHY_OUT },
	{ "what else A sends is left alone", LAN, UDP(A, 26000, Z, 99), PASSED, WHY_PROTOCOL_OFF },
	{ "what else comes in, too", WAN, UDP(Z, 99, EXT, 26000), PASSED, WHY_UNMANAGED },
};

static const struct step not_internal[] = {
	{ "A is none of the internal networks", LAN, UDP(A, 26000, S, 53), PASSED, WHY_EXEMPT },
	{ "a stranger gets to it", WAN, UDP(Z, 99, EXT, 25000), LAN, UDP(Z, 99, A, 7000), WHY_IN },
	{ "and has its answer", LAN, UDP(A, 7000, Z, 99), WAN, UDP(EXT, 25000, Z, 99), WHY_OUT },
};

static const struct test tests[] = {
	STEPS("tcp_both_ways", tcp, .setup = &forwards),
	STEPS("udp_both_ways", udp, .setup = &forwards),
	STEPS("range_outside_the_managed_ports", range, .setup = &forwards),
	STEPS("never_ends", without_end, .setup = &forwards),
	STEPS("nobody_else_gets_the_port", nobody_elses, .setup = &forwards),
	STEPS("goes_before_a_socket_of_the_router", routers_socket, .setup = &forwards),
	STEPS("hairpinned", hairpinned, .setup = &forwards),
	STEPS("from_the_router", from_the_router, .setup = &forwards),
	STEPS("fragments", fragmented, .setup = &forwards),
	STEPS("icmp_errors", errors, .setup = &forwards),
	STEPS("remotes", remotes, .setup = &forwards),
	STEPS("survives_a_change_of_address", another_address, .setup = &forwards),
	STEPS("whatever_the_filtering", filtered, .setup = &by_address),
	STEPS("of_two_externals_the_first", of_the_first, .setup = &two),
	STEPS("of_two_externals_either", of_either, .setup = &named),
	STEPS("counts_towards_no_limit", uncounted, .setup = &limited),
	STEPS("without_any_managed_port", none_managed, .setup = &only_static),
	STEPS("of_a_host_that_is_not_internal", not_internal, .setup = &others_internal),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
