// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The designated server, which has the router's external address itself, EXT, behind another interface. "To SERVER" is, from
 * outside, the mark by which the router forwards a packet there; from inside, egress hands it over.
 */
#include <stdio.h>

#include "steps.h"

enum { SCTP = 132, GRE = 47, ESP = 50, MARK = 0x12b4 };

static const struct setup designated = { .designated_mark = MARK, .no_hold = true };
static const struct setup without_l2 = { .designated_mark = MARK, .no_l2 = true };
static const struct setup marking = { .designated_mark = MARK, .inbound_mark = 0x100 };
static const struct setup two = { .designated_mark = MARK, .two = true };
static const struct setup few_ports = { .designated_mark = MARK,
					.ports = { "25000 25002", "25000 25002", "25000 25002" } };
static const struct setup no_ports = { .designated_mark = MARK, .ports = { "", "", "" } };

#define A_OPENS                                                                                      \
	{                                                                                            \
		"A opens 25000", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW \
	}

static const struct step from_outside[] = {
	{ "TCP to a port that is not managed", WAN, TCP(SYN, S, 40000, EXT, 80), PASSED_SERVER, WHY_DESIGNATED },
	{ "its data", WAN, TCP(ACK, S, 40000, EXT, 80, .payload = 99), PASSED_SERVER, WHY_DESIGNATED },
	{ "UDP", WAN, UDP(S, 53, EXT, 53), PASSED_SERVER, WHY_DESIGNATED },
	{ "UDP to a managed port without a mapping", WAN, UDP(S, 53, EXT, 25000), PASSED_SERVER, WHY_DESIGNATED },
	{ "a ping", WAN, QUERY(ECHO, S, EXT, 7), PASSED_SERVER, WHY_DESIGNATED },
	{ "a ping with a managed identifier", WAN, QUERY(ECHO, S, EXT, 25000), PASSED_SERVER, WHY_DESIGNATED },
	{ "an answer to a ping", WAN, QUERY(ECHO_REPLY, S, EXT, 7), PASSED_SERVER, WHY_DESIGNATED },
	{ "SCTP", WAN, OTHER(SCTP, S, EXT), PASSED_SERVER, WHY_DESIGNATED },
	{ "GRE", WAN, OTHER(GRE, S, EXT), PASSED_SERVER, WHY_DESIGNATED },
	{ "ESP", WAN, OTHER(ESP, S, EXT), PASSED_SERVER, WHY_DESIGNATED },
	{ "ESP, a later fragment", WAN, OTHER(ESP, S, EXT, .offset = 16), PASSED_SERVER, WHY_DESIGNATED },
	{ "another address is not the server's", WAN, TCP(SYN, S, 40000, EXT2, 80), PASSED, WHY_NOT_EXTERNAL },
	{ "nor of another protocol", WAN, OTHER(GRE, S, EXT2), PASSED, WHY_OTHER_PROTOCOL },
	{ "nobody outside has our address", WAN, UDP(EXT, 53, EXT, 53), DROPPED, WHY_SPOOFED },
	{ "a redirect is for the router", WAN, QUERY(REDIRECT, R, EXT, 0), PASSED, WHY_OTHER_ICMP },
};

static const struct step mapped[] = {
	A_OPENS,
	{ "a stranger reaches A", WAN, UDP(Z, 99, EXT, 25000), LAN, UDP(Z, 99, A, 25000), WHY_IN },
	{ "its neighbour port is the server's", WAN, UDP(Z, 99, EXT, 25001), PASSED_SERVER, WHY_DESIGNATED },
	{ "the same port of TCP, too", WAN, TCP(SYN, Z, 99, EXT, 25000), PASSED_SERVER, WHY_DESIGNATED },
	{ "A pings", LAN, QUERY(ECHO, A, S, 5000), WAN, QUERY(ECHO, EXT, S, 5000), WHY_OUT_NEW },
	{ "A is answered", WAN, QUERY(ECHO_REPLY, S, EXT, 5000), LAN, QUERY(ECHO_REPLY, S, A, 5000), WHY_IN },
	{ "who pings with that identifier asks the server", WAN, QUERY(ECHO, S, EXT, 5000), PASSED_SERVER,
	  WHY_DESIGNATED },
	{ "the mapping ends", OVER(MINUTES(6)) },
	{ "the port is the server's", WAN, UDP(Z, 99, EXT, 25000), PASSED_SERVER, WHY_DESIGNATED },
};

static const struct step sockets[] = {
	{ "the router listens", LISTENS(NAT_TCP, EXT, 22) },
	{ "and is reached", WAN, TCP(SYN, S, 40000, EXT, 22), PASSED, WHY_ROUTER_SOCKET },
	{ "on that port alone", WAN, TCP(SYN, S, 40000, EXT, 23), PASSED_SERVER, WHY_DESIGNATED },
	{ "it has a UDP socket", LISTENS(NAT_UDP, EXT, 123) },
	{ "which is reached", WAN, UDP(S, 123, EXT, 123), PASSED, WHY_ROUTER_SOCKET },
	{ "and one on a managed port", LISTENS(NAT_UDP, EXT, 25000) },
	{ "which is reached, too", WAN, UDP(S, 123, EXT, 25000), PASSED, WHY_ROUTER_SOCKET },
	{ "from inside it is reached as ever", LAN, TCP(SYN, A, 25000, EXT, 22), TURNED, TCP(SYN, EXT, 25000, EXT, 22),
	  WHY_HAIRPIN },
	{ "by way of the mapping", ROUND, TCP(SYN, EXT, 25000, EXT, 22), PASSED, WHY_UNMANAGED },
};

static const struct step errors[] = {
	A_OPENS,
	{ "about A's packet", WAN, ERROR(UNREACHABLE, 1, R, EXT, UDP(EXT, 25000, S, 53)), LAN,
	  ERROR(UNREACHABLE, 1, R, A, UDP(A, 25000, S, 53)), WHY_IN_ERROR },
	{ "about the server's, from no managed port", WAN, ERROR(EXCEEDED, 0, R, EXT, UDP(EXT, 5060, S, 53)),
	  PASSED_SERVER, WHY_DESIGNATED },
	{ "about the server's, from a managed port", WAN, ERROR(EXCEEDED, 0, R, EXT, TCP(SYN, EXT, 25001, S, 80)),
	  PASSED_SERVER, WHY_DESIGNATED },
	{ "about its ping", WAN, ERROR(EXCEEDED, 0, R, EXT, QUERY(ECHO, EXT, S, 7)), PASSED_SERVER, WHY_DESIGNATED },
	{ "about its SCTP", WAN, ERROR(UNREACHABLE, 4, R, EXT, OTHER(SCTP, EXT, S)), PASSED_SERVER, WHY_DESIGNATED },
	{ "about a later fragment", WAN, ERROR(EXCEEDED, 1, R, EXT, UDP(EXT, 5060, S, 53, .offset = 8)), PASSED_SERVER,
	  WHY_DESIGNATED },
	{ "not about our address", WAN, ERROR(EXCEEDED, 0, R, EXT, UDP(B, 5060, S, 53)), PASSED, WHY_ROUTER },
	{ "the router has a socket", LISTENS(NAT_UDP, EXT, 5060) },
	{ "that error is its own", WAN, ERROR(EXCEEDED, 0, R, EXT, UDP(EXT, 5060, S, 53)), PASSED, WHY_UNMANAGED },
};

static const struct step fragments[] = {
	{ "a first fragment", WAN, UDP(S, 53, EXT, 5060, .payload = 40, .length = 24, .more = true), PASSED_SERVER,
	  WHY_DESIGNATED },
	{ "its follower", WAN, UDP(S, 53, EXT, 5060, .payload = 40, .offset = 24), PASSED_SERVER, WHY_DESIGNATED },
	{ "the router listens", LISTENS(NAT_UDP, EXT, 5061) },
	{ "its first fragment", WAN, UDP(S, 53, EXT, 5061, .payload = 40, .length = 24, .more = true, .id = 7), PASSED,
	  WHY_ROUTER_SOCKET },
	{ "its follower", WAN, UDP(S, 53, EXT, 5061, .payload = 40, .offset = 24, .id = 7), PASSED,
	  WHY_FRAGMENT_PASSED },
	{ "from inside, a first one", LAN, UDP(A, 25000, EXT, 5060, .payload = 40, .length = 24, .more = true),
	  PASSED_SERVER, WHY_TO_DESIGNATED },
	{ "its follower", LAN, UDP(A, 25000, EXT, 5060, .payload = 40, .offset = 24), PASSED_SERVER,
	  WHY_TO_DESIGNATED },
};

static const struct step from_inside[] = {
	{ "TCP", LAN, TCP(SYN, A, 25000, EXT, 80), PASSED_SERVER, WHY_TO_DESIGNATED },
	{ "no mapping is made of it", UNMAPPED(NAT_TCP, 25000) },
	{ "its data", LAN, TCP(ACK, A, 25000, EXT, 80, .payload = 99), PASSED_SERVER, WHY_TO_DESIGNATED },
	{ "UDP", LAN, UDP(A, 25000, EXT, 53), PASSED_SERVER, WHY_TO_DESIGNATED },
	{ "UDP to a managed port without a mapping", LAN, UDP(A, 25000, EXT, 25000), PASSED_SERVER, WHY_TO_DESIGNATED },
	{ "a ping", LAN, QUERY(ECHO, A, EXT, 7), PASSED_SERVER, WHY_TO_DESIGNATED },
	{ "an answer to the server's", LAN, QUERY(ECHO_REPLY, A, EXT, 5000), PASSED_SERVER, WHY_TO_DESIGNATED },
	{ "SCTP", LAN, OTHER(SCTP, A, EXT), PASSED_SERVER, WHY_TO_DESIGNATED },
	{ "an error about what the server has sent", LAN, ERROR(UNREACHABLE, 3, A, EXT, UDP(EXT, 5060, A, 9)),
	  PASSED_SERVER, WHY_TO_DESIGNATED },
	{ "B opens 26000", LAN, UDP(B, 26000, S, 53), WAN, UDP(EXT, 26000, S, 53), WHY_OUT_NEW },
	{ "A reaches B as ever", LAN, UDP(A, 25000, EXT, 26000), TURNED, UDP(EXT, 25000, EXT, 26000), WHY_HAIRPIN },
	{ "it comes in", ROUND, UDP(EXT, 25000, EXT, 26000), LAN, UDP(EXT, 25000, B, 26000), WHY_IN },
	{ "B objects", LAN, ERROR(UNREACHABLE, 3, B, EXT, UDP(EXT, 25000, B, 26000)), TURNED,
	  ERROR(UNREACHABLE, 3, EXT, EXT, UDP(EXT, 25000, EXT, 26000)), WHY_HAIRPIN },
	{ "the router's own goes round", LAN, TCP(SYN, EXT, 40000, EXT, 80), PASSED_TURNED, WHY_HAIRPIN_PASSED },
	{ "and is for the router", ROUND, TCP(SYN, EXT, 40000, EXT, 80), PASSED, WHY_UNMANAGED },
	{ "turned round all the same it finds the server", ROUND, TCP(SYN, A, 25000, EXT, 80), PASSED_SERVER,
	  WHY_DESIGNATED },
	{ "outside the LAN is translated", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80),
	  WHY_OUT_NEW },
};

/* Of the server itself; needs to tell its packets from the router's. */
static const struct step of_the_server[] = {
	{ "from no managed port", SERVER, TCP(SYN | ACK, EXT, 80, S, 40000), PASSED, WHY_UNMANAGED },
	{ "SCTP", SERVER, OTHER(SCTP, EXT, S), PASSED, WHY_OTHER_PROTOCOL },
	{ "its answer to a ping", SERVER, QUERY(ECHO_REPLY, EXT, S, 7), PASSED, WHY_ROUTER },
	{ "with a managed identifier", SERVER, QUERY(ECHO_REPLY, EXT, S, 5000), PASSED, WHY_ROUTER },
	{ "from a managed port: a mapping", SERVER, UDP(EXT, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "which it keeps", SERVER, UDP(EXT, 25000, T, 53), WAN, UDP(EXT, 25000, T, 53), WHY_OUT },
	{ "and is answered", WAN, UDP(S, 53, EXT, 25000), PASSED_SERVER, WHY_DESIGNATED },
	{ "now the short way, were it another's", WAN, UDP(S, 53, EXT, 25000), PASSED_SERVER, WHY_DESIGNATED },
	{ "outwards, too", SERVER, UDP(EXT, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT },
	{ "A may not have the port", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW },
	{ "A is answered", WAN, UDP(S, 53, EXT, PORT(0)), LAN, UDP(S, 53, A, 25000), WHY_IN },
	{ "nor the router", LAN, UDP(EXT, 25000, S, 53), WAN, UDP(EXT, PORT(1), S, 53), WHY_OUT_NEW },
	{ "which is answered", WAN, UDP(S, 53, EXT, PORT(1)), LAN, UDP(S, 53, EXT, 25000), WHY_IN },
	{ "A reaches the server there", LAN, UDP(A, 25000, EXT, 25000), PASSED_SERVER, WHY_TO_DESIGNATED },
	{ "an error about it", WAN, ERROR(UNREACHABLE, 1, R, EXT, UDP(EXT, 25000, S, 53)), SERVER,
	  ERROR(UNREACHABLE, 1, R, EXT, UDP(EXT, 25000, S, 53)), WHY_DESIGNATED },
	{ "the server objects", SERVER, ERROR(UNREACHABLE, 3, EXT, S, UDP(S, 53, EXT, 25000)), WAN,
	  ERROR(UNREACHABLE, 3, EXT, S, UDP(S, 53, EXT, 25000)), WHY_OUT_ERROR },
	{ "the router objects, to what was for either", LAN, ERROR(UNREACHABLE, 3, EXT, S, UDP(S, 53, EXT, 25000)),
	  PASSED, WHY_ROUTER },
	{ "its first fragment", SERVER, UDP(EXT, 25000, S, 53, .payload = 40, .length = 24, .more = true), WAN,
	  UDP(EXT, 25000, S, 53, .payload = 40, .length = 24, .more = true), WHY_OUT },
	{ "the follower", SERVER, UDP(EXT, 25000, S, 53, .payload = 40, .offset = 24), WAN,
	  UDP(EXT, 25000, S, 53, .payload = 40, .offset = 24), WHY_OUT_FRAGMENT },
	{ "a first fragment for it", WAN, UDP(S, 53, EXT, 25000, .payload = 40, .length = 24, .more = true),
	  PASSED_SERVER, WHY_DESIGNATED },
	{ "the follower", WAN, UDP(S, 53, EXT, 25000, .payload = 40, .offset = 24), PASSED_SERVER, WHY_DESIGNATED },
};

static const struct step identifiers[] = {
	{ "A pings as 5000", LAN, QUERY(ECHO, A, S, 5000), WAN, QUERY(ECHO, EXT, S, 5000), WHY_OUT_NEW },
	{ "so does the server", SERVER, QUERY(ECHO, EXT, S, 5000), WAN, QUERY(ECHO, EXT, S, PORT(0)), WHY_OUT_NEW },
	{ "it is answered", WAN, QUERY(ECHO_REPLY, S, EXT, PORT(0)), SERVER, QUERY(ECHO_REPLY, S, EXT, 5000),
	  WHY_DESIGNATED },
	{ "so is A", WAN, QUERY(ECHO_REPLY, S, EXT, 5000), LAN, QUERY(ECHO_REPLY, S, A, 5000), WHY_IN },
	{ "S asks the server with that identifier", WAN, QUERY(ECHO, S, EXT, 5000), PASSED_SERVER, WHY_DESIGNATED },
	{ "and is answered with it", SERVER, QUERY(ECHO_REPLY, EXT, S, 5000), PASSED, WHY_ROUTER },
	{ "an error about the server's", WAN, ERROR(EXCEEDED, 0, R, EXT, QUERY(ECHO, EXT, S, PORT(0))), SERVER,
	  ERROR(EXCEEDED, 0, R, EXT, QUERY(ECHO, EXT, S, 5000)), WHY_DESIGNATED },
	{ "the router pings as 6000", LAN, QUERY(ECHO, EXT, S, 6000), WAN, QUERY(ECHO, EXT, S, 6000), WHY_OUT_NEW },
	{ "and is answered", WAN, QUERY(ECHO_REPLY, S, EXT, 6000), LAN, QUERY(ECHO_REPLY, S, EXT, 6000), WHY_IN },
};

static const struct step tcp_of_the_server[] = {
	{ "it connects from a managed port", SERVER, TCP(SYN, EXT, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80),
	  WHY_OUT_NEW },
	{ "S answers", WAN, TCP(SYN | ACK, S, 80, EXT, 25000), PASSED_SERVER, WHY_DESIGNATED },
	{ "it is established", SERVER, TCP(ACK, EXT, 25000, S, 80), WAN, TCP(ACK, EXT, 25000, S, 80), WHY_OUT },
	{ "data comes", WAN, TCP(ACK, S, 80, EXT, 25000, .payload = 99), PASSED_SERVER, WHY_DESIGNATED },
	{ "data goes", SERVER, TCP(ACK, EXT, 25000, S, 80, .payload = 99), WAN,
	  TCP(ACK, EXT, 25000, S, 80, .payload = 99), WHY_OUT },
	{ "it listens on another, which has no mapping", WAN, TCP(SYN, S, 40000, EXT, 25565), PASSED_SERVER,
	  WHY_DESIGNATED },
	{ "and its answer needs none", SERVER, TCP(SYN | ACK, EXT, 25565, S, 40000), PASSED, WHY_ROUTER },
};

static const struct step a_port_of_the_routers[] = {
	{ "the router has a socket on 25000", LISTENS(NAT_UDP, EXT, 25000) },
	{ "the server gets another port", SERVER, UDP(EXT, 25000, S, 53), WAN, UDP(EXT, 25002, S, 53), WHY_OUT_NEW },
	{ "and is answered", WAN, UDP(S, 53, EXT, 25002), SERVER, UDP(S, 53, EXT, 25000), WHY_DESIGNATED },
};

static const struct step no_managed_ports[] = {
	{ "TCP", WAN, TCP(SYN, S, 40000, EXT, 25000), PASSED_SERVER, WHY_DESIGNATED },
	{ "a ping", WAN, QUERY(ECHO, S, EXT, 5000), PASSED_SERVER, WHY_DESIGNATED },
};

static const struct step second_address[] = {
	{ "the first", WAN, TCP(SYN, S, 40000, EXT, 80), PASSED_SERVER, WHY_DESIGNATED },
	{ "the second", WAN, TCP(SYN, S, 40000, EXT2, 80), PASSED_SERVER, WHY_DESIGNATED },
	{ "from inside", LAN, TCP(SYN, A, 40000, EXT2, 80), PASSED_SERVER, WHY_TO_DESIGNATED },
};

static const struct step marks[] = {
	{ "to the server, the server's mark alone", WAN, TCP(SYN, S, 40000, EXT, 80), PASSED_SERVER, WHY_DESIGNATED },
	A_OPENS,
	{ "to A, the one that is asked for", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
};

/* See test_link.c about these addresses. */
enum { H = IPV4(8, 0, 0, 1), N = IPV4(8, 0, 1, 1) };

static const struct step without_ethernet[] = {
	{ "TCP", WAN, TCP(SYN, N, 40000, EXT, 80), PASSED_SERVER, WHY_DESIGNATED },
	{ "SCTP", WAN, OTHER(SCTP, N, EXT), PASSED_SERVER, WHY_DESIGNATED },
	{ "from inside it gets a header for the server's link", LAN, TCP(SYN, H, 25000, EXT, 80), PASSED_SERVER,
	  WHY_TO_DESIGNATED },
	{ "SCTP from inside", LAN, OTHER(SCTP, H, EXT), PASSED_SERVER, WHY_TO_DESIGNATED },
	{ "H is translated", LAN, UDP(H, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
};

/* Its interface goes: all is as if there were no such server. */
static void interface_goes(struct router *router)
{
	static const struct step without[] = {
		{ "TCP is the router's", WAN, TCP(SYN, S, 40000, EXT, 80), PASSED, WHY_UNMANAGED },
		{ "SCTP, too", WAN, OTHER(SCTP, S, EXT), PASSED, WHY_OTHER_PROTOCOL },
		{ "a ping", WAN, QUERY(ECHO, S, EXT, 5000), PASSED, WHY_ROUTER_ECHO },
		{ "a managed port is closed", WAN, UDP(S, 53, EXT, 25000), DROPPED, WHY_NO_MAPPING },
		{ "from inside it is hairpinned", LAN, TCP(SYN, A, 25000, EXT, 80), TURNED,
		  TCP(SYN, EXT, 25000, EXT, 80), WHY_HAIRPIN },
		{ "SCTP is turned round", LAN, OTHER(SCTP, A, EXT), PASSED_TURNED, WHY_HAIRPIN_PASSED },
	};

	datapath_set_designated(router_datapath(router), 0);
	steps_run(router, without, sizeof(without) / sizeof(*without));
	datapath_set_designated(router_datapath(router), ROUTER_DMZ);
	steps_run(router, from_outside, 1);
}

static const struct step nobody_designated[] = {
	{ "TCP is the router's", WAN, TCP(SYN, S, 40000, EXT, 80), PASSED, WHY_UNMANAGED },
	{ "SCTP, too", WAN, OTHER(SCTP, S, EXT), PASSED, WHY_OTHER_PROTOCOL },
	{ "from inside, too", LAN, OTHER(SCTP, A, EXT), PASSED_TURNED, WHY_HAIRPIN_PASSED },
};

#define DESIGNATED(title, table, ...) STEPS(title, table, .setup = &designated, .only_ipv4 = true, __VA_ARGS__)

static const struct test tests[] = {
	DESIGNATED("from_outside", from_outside),
	DESIGNATED("mappings_are_not_the_servers", mapped),
	DESIGNATED("sockets_are_not_the_servers", sockets),
	DESIGNATED("errors", errors),
	DESIGNATED("fragments", fragments),
	DESIGNATED("from_inside", from_inside),
	CODE("its_interface_goes", interface_goes, .setup = &designated),
	DESIGNATED("without_ethernet_header", without_ethernet, .setup = &without_l2),
	DESIGNATED("no_managed_ports", no_managed_ports, .setup = &no_ports),
	DESIGNATED("two_addresses", second_address, .setup = &two),
	DESIGNATED("marks", marks, .setup = &marking),
	STEPS("without_one", nobody_designated, .only_ipv4 = true),
	STEPS("not_with_ipv6", nobody_designated, .setup = &designated, .only_ipv6 = true),
	DESIGNATED("of_the_server", of_the_server, .needs_from = true),
	DESIGNATED("tcp_of_the_server", tcp_of_the_server, .needs_from = true),
	DESIGNATED("identifiers", identifiers, .needs_from = true),
	DESIGNATED("a_port_of_the_routers", a_port_of_the_routers, .needs_from = true, .setup = &few_ports),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
