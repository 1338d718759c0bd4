// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose packets are translated, and what is left alone whatever the configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "steps.h"

enum { GRE = 47, ESP = 50, SCTP = 132, IPV6 = 0x86dd, ARP = 0x0806, PPPOE = 0x8864, QINQ = 0x88a8, DOT1Q = 0x8100 };

#define BROADCAST IPV4(255, 255, 255, 255)
#define MULTICAST IPV4(239, 255, 255, 250)
#define RATE	  5
#define OUTSIDER  IPV4(10, 7, 7, 7)

static const struct setup internals = {
	.internals = { PREFIX(IPV4(192, 168, 1, 0), 24), PREFIX(IPV4(10, 0, 0, 1), 32) },
};
static const struct setup exempt = {
	.exempt_destinations = { PREFIX(IPV4(198, 51, 100, 0), 25), PREFIX(IPV4(192, 0, 2, 1), 32) },
};
static const struct setup own = { .own = { PREFIX(IPV4(203, 0, 113, 9), 32), PREFIX(IPV4(192, 168, 1, 2), 32) } };
static const struct setup no_icmp = { .ports = { NULL, NULL, "" } };
static const struct setup only_icmp = { .ports = { "", "", NULL } };
static const struct setup nothing = { .ports = { "", "", "" } };
static const struct setup limited = {
	.host_limit = { [NAT_TCP] = 1, [NAT_UDP] = 3 },
	.ports = { NULL, "20000-20099", NULL },
};

static const struct setup slowed = { .host_rate = RATE };

static const struct step other_protocols_pass[] = {
	{ "GRE outwards", LAN, OTHER(GRE, A, S), PASSED, WHY_OTHER_PROTOCOL },
	{ "GRE inwards", WAN, OTHER(GRE, S, EXT), PASSED, WHY_OTHER_PROTOCOL },
	{ "ESP outwards", LAN, OTHER(ESP, EXT, S), PASSED, WHY_OTHER_PROTOCOL },
	{ "SCTP inwards", WAN, OTHER(SCTP, S, EXT), PASSED, WHY_OTHER_PROTOCOL },
	{ "a protocol of the future", WAN, OTHER(253, S, EXT), PASSED, WHY_OTHER_PROTOCOL },
};

static const struct step other_families_pass[] = {
	{ "IPv6 outwards", LAN, UDP(A, 25000, S, 53, .ethertype = IPV6), PASSED, WHY_NOT_IP },
	{ "IPv6 inwards", WAN, UDP(S, 53, EXT, 25000, .ethertype = IPV6), PASSED, WHY_NOT_IP },
	{ "ARP", LAN, UDP(A, 25000, S, 53, .ethertype = ARP), PASSED, WHY_NOT_IP },
	{ "PPPoE", WAN, UDP(S, 53, EXT, 25000, .ethertype = PPPOE), PASSED, WHY_NOT_IP },
	{ "a VLAN tag", WAN, UDP(S, 53, EXT, 25000, .ethertype = DOT1Q), PASSED, WHY_NOT_IP },
	{ "a service VLAN's tag", LAN, UDP(A, 25000, S, 53, .ethertype = QINQ), PASSED, WHY_NOT_IP },
	{ "an 802.3 length", LAN, UDP(A, 25000, S, 53, .ethertype = 100), PASSED, WHY_NOT_IP },
};

static const struct step nobodys_addresses_pass[] = {
	{ "DHCP without an address", LAN, UDP(0, 68, BROADCAST, 67), PASSED, WHY_EXEMPT },
	{ "DHCP renewal by broadcast", LAN, UDP(EXT, 68, BROADCAST, 67), PASSED, WHY_EXEMPT },
	{ "DHCP's answer", WAN, UDP(R, 67, BROADCAST, 68), PASSED, WHY_NOT_EXTERNAL },
	{ "multicast outwards", LAN, UDP(A, 25000, MULTICAST, 1900), PASSED, WHY_EXEMPT },
	{ "multicast inwards", WAN, UDP(S, 1900, MULTICAST, 25000), PASSED, WHY_NOT_EXTERNAL },
	{ "a ping to multicast", LAN, QUERY(ECHO, A, MULTICAST, 25000), PASSED, WHY_EXEMPT },
	{ "nothing was made", UNMAPPED(NAT_UDP, 25000) },
};

static const struct step only_internals[] = {
	{ "the first prefix", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "the second", LAN, UDP(IPV4(10, 0, 0, 1), 25001, S, 53), WAN, UDP(EXT, 25001, S, 53), WHY_OUT_NEW },
	{ "any other passes", LAN, UDP(OUTSIDER, 25002, S, 53), PASSED, WHY_EXEMPT },
	{ "TCP too", LAN, TCP(ACK, OUTSIDER, 25002, S, 80), PASSED, WHY_EXEMPT },
	{ "and pings", LAN, QUERY(ECHO, OUTSIDER, S, 25002), PASSED, WHY_EXEMPT },
	{ "its errors", LAN, ERROR(UNREACHABLE, 3, OUTSIDER, S, UDP(S, 53, OUTSIDER, 25002)), PASSED, WHY_EXEMPT },
	{ "its errors about GRE", LAN, ERROR(UNREACHABLE, 2, OUTSIDER, S, OTHER(47, S, OUTSIDER)), PASSED, WHY_EXEMPT },
	{ "the router's errors about it", LAN, ERROR(QUENCH, 0, EXT, S, OTHER(47, S, OUTSIDER)), PASSED, WHY_EXEMPT },
	{ "and about its UDP", LAN, ERROR(QUENCH, 0, EXT, S, UDP(S, 53, OUTSIDER, 25002)), PASSED, WHY_EXEMPT },
	{ "about A's, without a mapping, they stay", LAN, ERROR(QUENCH, 0, EXT, S, UDP(S, 53, A, 25002)), DROPPED,
	  WHY_ICMP_NO_MAPPING },
	{ "about a fragment for A, too", LAN,
	  ERROR(QUENCH, 0, EXT, S, UDP(S, 53, A, 25002, .payload = 64, .offset = 48)), DROPPED, WHY_ICMP_NO_MAPPING },
	{ "and an exempt router's", LAN, ERROR(QUENCH, 0, OUTSIDER, S, UDP(S, 53, A, 25002)), DROPPED,
	  WHY_ICMP_NO_MAPPING },
	{ "an internal router's are not", LAN, ERROR(QUENCH, 0, A, S, UDP(S, 53, OUTSIDER, 25002)), DROPPED,
	  WHY_ICMP_NO_MAPPING },
	{ "nor are A's", LAN, ERROR(UNREACHABLE, 2, A, S, OTHER(47, S, A)), DROPPED, WHY_ICMP_NO_MAPPING },
	{ "the neighbour of the second", LAN, UDP(IPV4(10, 0, 0, 2), 25002, S, 53), PASSED, WHY_EXEMPT },
	{ "its fragments", LAN, UDP(OUTSIDER, 25002, S, 53, .payload = 64, .offset = 48), PASSED, WHY_ROUTER },
	{ "its hairpin", LAN, UDP(OUTSIDER, 25002, EXT, 25000), PASSED_TURNED, WHY_HAIRPIN_PASSED },
	{ "which A sees", WAN, UDP(OUTSIDER, 25002, EXT, 25000), LAN, UDP(OUTSIDER, 25002, A, 25000), WHY_IN },
	{ "the router itself is mapped", LAN, UDP(EXT, 25004, S, 53), WAN, UDP(EXT, 25004, S, 53), WHY_OUT_NEW },
};

static const struct step exempt_destinations[] = {
	{ "an exempt network", LAN, UDP(A, 25000, S, 53), PASSED, WHY_EXEMPT },
	{ "its other half is not", LAN, UDP(A, 25000, IPV4(198, 51, 100, 129), 53), WAN,
	  UDP(EXT, 25000, IPV4(198, 51, 100, 129), 53), WHY_OUT_NEW },
	{ "the network still is", LAN, UDP(A, 25000, S, 53), PASSED, WHY_EXEMPT },
	{ "a single host", LAN, TCP(SYN, A, 25000, Z, 80), PASSED, WHY_EXEMPT },
	{ "its neighbour is not", LAN, TCP(SYN, A, 25000, Z + 1, 80), WAN, TCP(SYN, EXT, 25000, Z + 1, 80),
	  WHY_OUT_NEW },
	{ "pings", LAN, QUERY(ECHO, A, S, 25000), PASSED, WHY_EXEMPT },
	{ "errors", LAN, ERROR(UNREACHABLE, 3, A, S, UDP(S, 53, A, 25000)), PASSED, WHY_EXEMPT },
	{ "fragments", LAN, UDP(A, 25000, S, 53, .payload = 64, .offset = 48), PASSED, WHY_EXEMPT },
	{ "filtering is as ever", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
};

static const struct step own_addresses[] = {
	{ "the interface's other address", LAN, UDP(IPV4(203, 0, 113, 9), 25000, S, 53), PASSED, WHY_EXEMPT },
	{ "one more", LAN, TCP(SYN, G, 25000, S, 53), PASSED, WHY_EXEMPT },
	{ "its fragments", LAN, UDP(G, 25000, S, 53, .payload = 64, .offset = 48), PASSED, WHY_ROUTER },
	{ "what comes to it", WAN, UDP(S, 53, G, 25000), PASSED, WHY_NOT_EXTERNAL },
	{ "A is translated", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
};

static const struct step icmp_off[] = {
	{ "pings pass", LAN, QUERY(ECHO, A, S, 25000), PASSED, WHY_PROTOCOL_OFF },
	{ "replies pass", WAN, QUERY(ECHO_REPLY, S, EXT, 25000), PASSED, WHY_UNMANAGED },
	{ "UDP does not", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "errors about UDP do not", WAN, ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, 25000, S, 53)), LAN,
	  ERROR(UNREACHABLE, 3, S, A, UDP(A, 25000, S, 53)), WHY_IN_ERROR },
	{ "errors about pings do", WAN, ERROR(UNREACHABLE, 3, S, EXT, QUERY(ECHO, EXT, S, 25000)), PASSED,
	  WHY_UNMANAGED },
};

static const struct step tcp_and_udp_off[] = {
	{ "errors about UDP pass", LAN, ERROR(UNREACHABLE, 3, A, S, UDP(S, 53, A, 25000)), PASSED, WHY_PROTOCOL_OFF },
	{ "about pings they do not", LAN, ERROR(UNREACHABLE, 3, A, S, QUERY(ECHO_REPLY, S, A, 25000)), DROPPED,
	  WHY_ICMP_NO_MAPPING },
	{ "UDP passes", LAN, UDP(A, 25000, S, 53), PASSED, WHY_PROTOCOL_OFF },
	{ "TCP passes", LAN, TCP(ACK, A, 25000, S, 80), PASSED, WHY_PROTOCOL_OFF },
	{ "UDP inwards", WAN, UDP(S, 53, EXT, 25000), PASSED, WHY_UNMANAGED },
	{ "TCP inwards", WAN, TCP(SYN, S, 53, EXT, 25000), PASSED, WHY_UNMANAGED },
	{ "pings do not", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT_NEW },
};

static const struct step all_off[] = {
	{ "UDP passes", LAN, UDP(A, 25000, S, 53), PASSED, WHY_PROTOCOL_OFF },
	{ "TCP passes", LAN, TCP(SYN, A, 25000, S, 80), PASSED, WHY_PROTOCOL_OFF },
	{ "ICMP passes", LAN, QUERY(ECHO, A, S, 25000), PASSED, WHY_PROTOCOL_OFF },
};

static const struct step host_limit[] = {
	{ "one", LAN, UDP(A, 20000, S, 53), WAN, UDP(EXT, 20000, S, 53), WHY_OUT_NEW },
	{ "two", LAN, UDP(A, 20001, S, 53), WAN, UDP(EXT, 20001, S, 53), WHY_OUT_NEW },
	{ "three", LAN, UDP(A, 20002, S, 53), WAN, UDP(EXT, 20002, S, 53), WHY_OUT_NEW },
	{ "no more", LAN, UDP(A, 20003, S, 53), DROPPED, WHY_HOST_LIMIT },
	{ "those there are work", LAN, UDP(A, 20002, T, 53), WAN, UDP(EXT, 20002, T, 53), WHY_OUT },
	{ "another host has its own", LAN, UDP(B, 20003, S, 53), WAN, UDP(EXT, 20003, S, 53), WHY_OUT_NEW },
	{ "another protocol too", LAN, TCP(SYN, A, 20003, S, 80), WAN, TCP(SYN, EXT, 20003, S, 80), WHY_OUT_NEW },
	{ "with its own limit", LAN, TCP(SYN, A, 20004, S, 80), DROPPED, WHY_HOST_LIMIT },
	{ "no limit on pings", LAN, QUERY(ECHO, A, S, 20000), WAN, QUERY(ECHO, EXT, S, 20000), WHY_OUT_NEW },
	{ "no limit on pings", LAN, QUERY(ECHO, A, S, 20001), WAN, QUERY(ECHO, EXT, S, 20001), WHY_OUT_NEW },
	{ "five minutes pass", LATER(MINUTES(5)) },
	{ "an expired one comes back", LAN, UDP(A, 20002, S, 53), WAN, UDP(EXT, 20002, S, 53), WHY_OUT_NEW },
	{ "and still no more", LAN, UDP(A, 20003, S, 53), DROPPED, WHY_HOST_LIMIT },
	{ "the hold-down passes too", LATER(MINUTES(1)) },
	{ "and all is swept", SWEPT },
	{ "now there is room for two", LAN, UDP(A, 20005, S, 53), WAN, UDP(EXT, 20005, S, 53), WHY_OUT_NEW },
	{ "two", LAN, UDP(A, 20006, S, 53), WAN, UDP(EXT, 20006, S, 53), WHY_OUT_NEW },
	{ "no more", LAN, UDP(A, 20007, S, 53), DROPPED, WHY_HOST_LIMIT },
};

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* What one host opens at once, up to what it may in this period and in those that begin meanwhile; others are served. */
static void rate_per_host(struct router *router)
{
	static const struct packet others = UDP(B, 25000, S, 53);
	size_t made = 0, refused = 0, most;
	struct outcome outcome;
	struct frame frame;
	double end = seconds();

	for (unsigned int port = 25000; port < 25040; port++) {
		struct packet packet = UDP(A, port, S, 53);

		frame_build(&frame, &packet, true);
		assert_null(router_send(router, NAT_EGRESS, &frame, &outcome));
		made += outcome.why == WHY_OUT_NEW;
		refused += outcome.why == WHY_HOST_RATE;
	}
	most = RATE * (2 + (size_t)(seconds() - end)); /* a period is longer than a second */
	if (made < RATE || made > most || made + refused != 40)
		fail_msg("made %zu, refused %zu of 40: want %d to %zu made", made, refused, RATE, most);
	frame_build(&frame, &others, true);
	assert_null(router_send(router, NAT_EGRESS, &frame, &outcome));
	assert_int_equal(outcome.why, WHY_OUT_NEW);
	end = seconds() + 10;
	do {
		struct packet packet = UDP(A, 26000, S, 53);

		frame_build(&frame, &packet, true);
		assert_null(router_send(router, NAT_EGRESS, &frame, &outcome));
	} while (outcome.why == WHY_HOST_RATE && seconds() < end);
	assert_int_equal(outcome.why, WHY_OUT_NEW);
}

static const struct test tests[] = {
	STEPS("other_protocols_pass", other_protocols_pass),
	STEPS("other_families_pass", other_families_pass, .only_ipv4 = true),
	STEPS("nobodys_addresses_pass", nobodys_addresses_pass),
	STEPS("only_internals_are_translated", only_internals, .setup = &internals),
	STEPS("exempt_destinations_pass", exempt_destinations, .setup = &exempt),
	STEPS("own_addresses_pass", own_addresses, .setup = &own),
	STEPS("icmp_switched_off", icmp_off, .setup = &no_icmp),
	STEPS("tcp_and_udp_switched_off", tcp_and_udp_off, .setup = &only_icmp),
	STEPS("all_switched_off", all_off, .setup = &nothing),
	STEPS("rfc6888_req4_limit_per_host", host_limit, .setup = &limited),
	CODE("rfc6888_req4c_rate_per_host", rate_per_host, .setup = &slowed, .only_ipv4 = false),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
