// SPDX-License-Identifier: GPL-2.0-or-later
/* Filtering: who is let in, what is the router's, and what is left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "steps.h"

static const struct setup by_address = { .filtering = FILTERING_ADDRESS };
static const struct setup by_address_and_port = { .filtering = FILTERING_ADDRESS_AND_PORT };
static const struct setup marking = { .inbound_mark = 0x40 };

static const struct step strangers_come_in[] = {
	{ "nobody comes in before", WAN, UDP(Z, 99, EXT, 25000), DROPPED, WHY_NO_MAPPING },
	{ "and that makes no mapping", UNMAPPED(NAT_UDP, 25000) },
	{ "A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "a stranger comes in", WAN, UDP(Z, 99, EXT, 25000), LAN, UDP(Z, 99, A, 25000), WHY_IN },
	{ "the server from another port", WAN, UDP(S, 1, EXT, 25000), LAN, UDP(S, 1, A, 25000), WHY_IN },
	{ "the next port is closed", WAN, UDP(Z, 99, EXT, 25001), DROPPED, WHY_NO_MAPPING },
};

static const struct step tcp_strangers_come_in[] = {
	{ "nobody comes in before", WAN, TCP(SYN, Z, 99, EXT, 25000), DROPPED, WHY_NO_MAPPING },
	{ "A opens a mapping", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
	{ "a stranger connects", WAN, TCP(SYN, Z, 99, EXT, 25000), LAN, TCP(SYN, Z, 99, A, 25000), WHY_IN },
	{ "A accepts", LAN, TCP(SYN | ACK, A, 25000, Z, 99), WAN, TCP(SYN | ACK, EXT, 25000, Z, 99), WHY_OUT },
	{ "data from the stranger", WAN, TCP(PSH | ACK, Z, 99, EXT, 25000, .payload = 5), LAN,
	  TCP(PSH | ACK, Z, 99, A, 25000, .payload = 5), WHY_IN },
};

static const struct step unmanaged_ports_pass[] = {
	{ "UDP below", WAN, UDP(S, 53, EXT, 19999), PASSED, WHY_UNMANAGED },
	{ "UDP above", WAN, UDP(S, 53, EXT, 30000), PASSED, WHY_UNMANAGED },
	{ "UDP, first managed", WAN, UDP(S, 53, EXT, 20000), DROPPED, WHY_NO_MAPPING },
	{ "UDP, last managed", WAN, UDP(S, 53, EXT, 29999), DROPPED, WHY_NO_MAPPING },
	{ "TCP below", WAN, TCP(SYN, S, 53, EXT, 22), PASSED, WHY_UNMANAGED },
	{ "TCP above", WAN, TCP(ACK, S, 53, EXT, 65535), PASSED, WHY_UNMANAGED },
	{ "an identifier below", WAN, QUERY(ECHO_REPLY, S, EXT, 999), PASSED, WHY_UNMANAGED },
	{ "an identifier that is managed", WAN, QUERY(ECHO_REPLY, S, EXT, 1000), DROPPED, WHY_NO_MAPPING },
	{ "not to our address", WAN, UDP(S, 53, EXT2, 25000), PASSED, WHY_NOT_EXTERNAL },
	{ "not to our address, TCP", WAN, TCP(SYN, S, 53, A, 25000), PASSED, WHY_NOT_EXTERNAL },
};

static const struct step router_answers_pings[] = {
	{ "a ping with an identifier that is managed", WAN, QUERY(ECHO, S, EXT, 25000), PASSED, WHY_ROUTER_ECHO },
	{ "makes no mapping", UNMAPPED(NAT_ICMP, 25000) },
	{ "one that is not", WAN, QUERY(ECHO, S, EXT, 7), PASSED, WHY_UNMANAGED },
	{ "the router's reply is its own", LAN, QUERY(ECHO_REPLY, EXT, S, 25000), PASSED, WHY_ROUTER },
};

static const struct step routers_udp_socket[] = {
	{ "the router serves on a managed port", LISTENS(NAT_UDP, EXT, 25000) },
	{ "the world reaches it", WAN, UDP(S, 53, EXT, 25000), PASSED, WHY_ROUTER_SOCKET },
	{ "but not the next port", WAN, UDP(S, 53, EXT, 25001), DROPPED, WHY_NO_MAPPING },
	{ "nor by TCP", WAN, TCP(SYN, S, 53, EXT, 25000), DROPPED, WHY_NO_MAPPING },
	{ "A does not get its port", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW },
	{ "which is the router's now", MAPPED(NAT_UDP, 25000, EXT, 25000) },
	{ "the world still reaches it", WAN, UDP(T, 53, EXT, 25000), LAN, UDP(T, 53, EXT, 25000), WHY_IN },
	{ "it answers from its port", LAN, UDP(EXT, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "B does not get it either", LAN, UDP(B, 25000, S, 53), WAN, UDP(EXT, PORT(1), S, 53), WHY_OUT_NEW },
	{ "all has expired", LATER(MINUTES(300)) },
	{ "it is swept", SWEPT },
	{ "the world still reaches it", WAN, UDP(T, 53, EXT, 25000), PASSED, WHY_ROUTER_SOCKET },
};

static const struct step routers_udp_socket_on_any_address[] = {
	{ "the router serves on all of its addresses", LISTENS(NAT_UDP, 0, 25000) },
	{ "the world reaches it", WAN, UDP(S, 53, EXT, 25000), PASSED, WHY_ROUTER_SOCKET },
	{ "A does not get its port", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW },
};

static const struct step routers_tcp_socket[] = {
	{ "the router serves on a managed port", LISTENS(NAT_TCP, EXT, 25000) },
	{ "the world reaches it", WAN, TCP(SYN, S, 1, EXT, 25000), PASSED, WHY_ROUTER_SOCKET },
	{ "it answers", LAN, TCP(SYN | ACK, EXT, 25000, S, 1), PASSED, WHY_ROUTER },
	{ "data", WAN, TCP(ACK, S, 1, EXT, 25000, .payload = 3), PASSED, WHY_ROUTER_SOCKET },
	{ "an error about it", WAN, ERROR(UNREACHABLE, 3, R, EXT, TCP(ACK, EXT, 25000, S, 1)), PASSED,
	  WHY_ROUTER_SOCKET },
	{ "not about the next port", WAN, ERROR(UNREACHABLE, 3, R, EXT, TCP(ACK, EXT, 25001, S, 1)), DROPPED,
	  WHY_ICMP_NO_MAPPING },
	{ "A does not get its port", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, PORT(0), S, 80), WHY_OUT_NEW },
	{ "the world still reaches it", WAN, TCP(SYN, T, 1, EXT, 25000), LAN, TCP(SYN, T, 1, EXT, 25000), WHY_IN },
};

static const struct step socket_opened_later[] = {
	{ "A has the port", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "the router opens it too", LISTENS(NAT_UDP, EXT, 25000) },
	{ "A was first", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
	{ "A's mapping ends", OVER(MINUTES(5)) },
	{ "now it is the router's", WAN, UDP(S, 53, EXT, 25000), PASSED, WHY_ROUTER_SOCKET },
};

static const struct step address_dependent[] = {
	{ "A sends to S", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "S comes in", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
	{ "from any port", WAN, UDP(S, 9, EXT, 25000), LAN, UDP(S, 9, A, 25000), WHY_IN },
	{ "T does not", WAN, UDP(T, 53, EXT, 25000), DROPPED, WHY_FILTERED },
	{ "A sends to T", LAN, UDP(A, 25000, T, 1), WAN, UDP(EXT, 25000, T, 1), WHY_OUT },
	{ "now T does", WAN, UDP(T, 53, EXT, 25000), LAN, UDP(T, 53, A, 25000), WHY_IN },
	{ "no ports in ICMP", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT_NEW },
	{ "its reply", WAN, QUERY(ECHO_REPLY, S, EXT, 25000), LAN, QUERY(ECHO_REPLY, S, A, 25000), WHY_IN },
	{ "not another's", WAN, QUERY(ECHO_REPLY, Z, EXT, 25000), DROPPED, WHY_FILTERED },
	{ "five minutes pass", LATER(MINUTES(6)) },
	{ "A's port is used again for T", LAN, UDP(A, 25000, T, 1), WAN, UDP(EXT, 25000, T, 1), WHY_OUT_NEW },
	{ "S of before does not come in", WAN, UDP(S, 53, EXT, 25000), DROPPED, WHY_FILTERED },
};

static const struct step address_and_port_dependent[] = {
	{ "A sends to S", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "S comes in", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
	{ "not from another port", WAN, UDP(S, 54, EXT, 25000), DROPPED, WHY_FILTERED },
	{ "not from another address", WAN, UDP(T, 53, EXT, 25000), DROPPED, WHY_FILTERED },
	{ "the mapping is independent all the same", LAN, UDP(A, 25000, T, 53), WAN, UDP(EXT, 25000, T, 53), WHY_OUT },
	{ "T comes in", WAN, UDP(T, 53, EXT, 25000), LAN, UDP(T, 53, A, 25000), WHY_IN },
	{ "TCP to S", LAN, TCP(SYN, A, 26000, S, 80), WAN, TCP(SYN, EXT, 26000, S, 80), WHY_OUT_NEW },
	{ "S answers", WAN, TCP(SYN | ACK, S, 80, EXT, 26000), LAN, TCP(SYN | ACK, S, 80, A, 26000), WHY_IN },
	{ "a stranger is kept out", WAN, TCP(SYN, Z, 80, EXT, 26000), DROPPED, WHY_FILTERED },
	{ "ICMP to S", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT_NEW },
	{ "its reply", WAN, QUERY(ECHO_REPLY, S, EXT, 25000), LAN, QUERY(ECHO_REPLY, S, A, 25000), WHY_IN },
};

/* RFC 4787 REQ-12a: errors come from routers that nobody sent to. */
static const struct step errors_are_not_filtered[] = {
	{ "A sends to S", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "a router on the way objects", WAN, ERROR(EXCEEDED, 0, R, EXT, UDP(EXT, 25000, S, 53)), LAN,
	  ERROR(EXCEEDED, 0, R, A, UDP(A, 25000, S, 53)), WHY_IN_ERROR },
};

static const struct step marked[] = {
	{ "A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "an answer", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
};

/* With another's packet just before each the clock has been read in this jiffy, so that nearly all take the short way. */
static void marked_the_short_way(struct router *router)
{
	static const struct packet other = UDP(B, 25001, S, 53), answer = UDP(S, 53, EXT, 25000);
	uint32_t wanted = router_constants(router).inbound_mark;
	struct frame frame, before, result;
	struct outcome outcome;
	const char *wrong;

	steps_run(router, marked, sizeof(marked) / sizeof(*marked));
	frame_build(&frame, &answer, true);
	frame_build(&before, &other, true);
	for (int i = 0; i < 300; i++) {
		router_send_quickly(router, NAT_EGRESS, &before, &result);
		router_forget_counters(router);
		wrong = router_send(router, NAT_INGRESS, &frame, &outcome);
		if (wrong)
			fail_msg("%s", wrong);
		if (outcome.why != WHY_IN || outcome.mark != wanted)
			fail_msg("answer %d: mark 0x%x, want 0x%x", i, outcome.mark, wanted);
	}
}

static const struct test tests[] = {
	STEPS("rfc4787_req8_strangers_come_in", strangers_come_in),
	STEPS("rfc5382_req3_tcp_strangers_come_in", tcp_strangers_come_in),
	STEPS("unmanaged_ports_pass_and_managed_ones_do_not", unmanaged_ports_pass),
	STEPS("router_answers_pings", router_answers_pings),
	STEPS("routers_udp_socket_is_reached_and_keeps_its_port", routers_udp_socket),
	STEPS("routers_udp_socket_on_any_address", routers_udp_socket_on_any_address),
	STEPS("routers_tcp_socket_is_reached_and_keeps_its_port", routers_tcp_socket),
	STEPS("socket_opened_on_a_mapped_port", socket_opened_later),
	STEPS("rfc4787_req8_address_dependent", address_dependent, .setup = &by_address),
	STEPS("rfc4787_req8_address_and_port_dependent", address_and_port_dependent, .setup = &by_address_and_port),
	STEPS("routers_udp_socket_under_strict_filtering", routers_udp_socket, .setup = &by_address_and_port),
	STEPS("routers_tcp_socket_under_strict_filtering", routers_tcp_socket, .setup = &by_address_and_port),
	STEPS("rfc4787_req12a_errors_are_not_filtered", errors_are_not_filtered, .setup = &by_address_and_port),
	STEPS("marks_change_no_byte", marked, .setup = &marking),
	CODE("marks_the_short_way", marked_the_short_way, .setup = &marking, .only_ipv4 = false),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
