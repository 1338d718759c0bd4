// SPDX-License-Identifier: GPL-2.0-or-later
/* Fragments (RFC 4787 REQ-14): the first one says where the others go. */
#include "steps.h"

static const struct setup few_records = { .max_fragments = 64 };
static const struct setup only_udp = { .ports = { "", NULL, "" } };

/* Three fragments of one datagram of 8 and 80 bytes. */
#define FIRST  .payload = 80, .length = 24, .more = true
#define MIDDLE .payload = 80, .offset = 24, .length = 32, .more = true
#define LAST   .payload = 80, .offset = 56

static const struct step outwards[] = {
	{ "first", LAN, UDP(A, 25000, S, 53, FIRST), WAN, UDP(EXT, 25000, S, 53, FIRST), WHY_OUT_NEW },
	{ "middle", LAN, UDP(A, 25000, S, 53, MIDDLE), WAN, UDP(EXT, 25000, S, 53, MIDDLE), WHY_OUT_FRAGMENT },
	{ "last", LAN, UDP(A, 25000, S, 53, LAST), WAN, UDP(EXT, 25000, S, 53, LAST), WHY_OUT_FRAGMENT },
	{ "the middle again", LAN, UDP(A, 25000, S, 53, MIDDLE), WAN, UDP(EXT, 25000, S, 53, MIDDLE),
	  WHY_OUT_FRAGMENT },
	{ "a second datagram", LAN, UDP(A, 25000, S, 53, FIRST, .id = 7), WAN, UDP(EXT, 25000, S, 53, FIRST, .id = 7),
	  WHY_OUT },
	{ "its last", LAN, UDP(A, 25000, S, 53, LAST, .id = 7), WAN, UDP(EXT, 25000, S, 53, LAST, .id = 7),
	  WHY_OUT_FRAGMENT },
};

static const struct step changed_port[] = {
	{ "A has the port", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "B's first", LAN, UDP(B, 25000, S, 53, FIRST), WAN, UDP(EXT, PORT(0), S, 53, FIRST), WHY_OUT_NEW },
	{ "B's last", LAN, UDP(B, 25000, S, 53, LAST), WAN, UDP(EXT, PORT(0), S, 53, LAST), WHY_OUT_FRAGMENT },
	{ "A's of the same identification", LAN, UDP(A, 25000, S, 53, LAST), DROPPED, WHY_FRAGMENT_HELD },
	{ "the answer's first", WAN, UDP(S, 53, EXT, PORT(0), FIRST), LAN, UDP(S, 53, B, 25000, FIRST), WHY_IN },
	{ "the answer's last", WAN, UDP(S, 53, EXT, PORT(0), LAST), LAN, UDP(S, 53, B, 25000, LAST), WHY_IN_FRAGMENT },
};

static const struct step inwards[] = {
	{ "A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "first", WAN, UDP(S, 53, EXT, 25000, FIRST), LAN, UDP(S, 53, A, 25000, FIRST), WHY_IN },
	{ "last, overtaking", WAN, UDP(S, 53, EXT, 25000, LAST), LAN, UDP(S, 53, A, 25000, LAST), WHY_IN_FRAGMENT },
	{ "middle", WAN, UDP(S, 53, EXT, 25000, MIDDLE), LAN, UDP(S, 53, A, 25000, MIDDLE), WHY_IN_FRAGMENT },
	{ "a stranger's with the same identification", WAN, UDP(Z, 53, EXT, 25000, LAST), DROPPED, WHY_FRAGMENT_HELD },
	{ "the record is inwards only", LAN, UDP(A, 25000, S, 53, LAST), DROPPED, WHY_FRAGMENT_HELD },
};

static const struct step other_protocols[] = {
	{ "a long ping", LAN, QUERY(ECHO, A, S, 25000, FIRST), WAN, QUERY(ECHO, EXT, S, 25000, FIRST), WHY_OUT_NEW },
	{ "its end", LAN, QUERY(ECHO, A, S, 25000, LAST), WAN, QUERY(ECHO, EXT, S, 25000, LAST), WHY_OUT_FRAGMENT },
	{ "a long reply", WAN, QUERY(ECHO_REPLY, S, EXT, 25000, FIRST), LAN, QUERY(ECHO_REPLY, S, A, 25000, FIRST),
	  WHY_IN },
	{ "its end", WAN, QUERY(ECHO_REPLY, S, EXT, 25000, LAST), LAN, QUERY(ECHO_REPLY, S, A, 25000, LAST),
	  WHY_IN_FRAGMENT },
	{ "TCP", LAN, TCP(SYN, A, 25000, S, 80, FIRST), WAN, TCP(SYN, EXT, 25000, S, 80, FIRST), WHY_OUT_NEW },
	{ "its end", LAN, TCP(SYN, A, 25000, S, 80, LAST), WAN, TCP(SYN, EXT, 25000, S, 80, LAST), WHY_OUT_FRAGMENT },
	{ "protocols are told apart", LAN, UDP(A, 25000, S, 80, LAST), DROPPED, WHY_FRAGMENT_HELD },
};

static const struct step before_the_first[] = {
	{ "outwards", LAN, UDP(A, 25000, S, 53, LAST), DROPPED, WHY_FRAGMENT_HELD },
	{ "inwards", WAN, UDP(S, 53, EXT, 25000, LAST), DROPPED, WHY_FRAGMENT_HELD },
	{ "no mapping was made", UNMAPPED(NAT_UDP, 25000) },
	{ "a first that is dropped", WAN, UDP(S, 53, EXT, 25000, FIRST), DROPPED, WHY_NO_MAPPING },
	{ "leaves nothing", WAN, UDP(S, 53, EXT, 25000, LAST), DROPPED, WHY_FRAGMENT_HELD },
};

static const struct step what_passes[] = {
	{ "to a port that is not managed", WAN, UDP(S, 53, EXT, 53, FIRST), PASSED, WHY_UNMANAGED },
	{ "its last", WAN, UDP(S, 53, EXT, 53, LAST), PASSED, WHY_FRAGMENT_PASSED },
	{ "the router's own", LAN, UDP(EXT, 53, S, 53, FIRST), PASSED, WHY_UNMANAGED },
	{ "its last", LAN, UDP(EXT, 53, S, 53, LAST), PASSED, WHY_FRAGMENT_PASSED },
	{ "the router's own without a first", LAN, UDP(EXT, 53, S, 53, LAST, .id = 9), PASSED, WHY_ROUTER },
	{ "not to us", WAN, UDP(S, 53, A, 53, LAST), PASSED, WHY_NOT_EXTERNAL },
	{ "a long ping for the router", WAN, QUERY(ECHO, S, EXT, 25000, FIRST), PASSED, WHY_ROUTER_ECHO },
	{ "its last", WAN, QUERY(ECHO, S, EXT, 25000, LAST), PASSED, WHY_FRAGMENT_PASSED },
	{ "the router serves", LISTENS(NAT_UDP, EXT, 25000) },
	{ "for its socket", WAN, UDP(S, 53, EXT, 25000, FIRST, .id = 3), PASSED, WHY_ROUTER_SOCKET },
	{ "its last", WAN, UDP(S, 53, EXT, 25000, LAST, .id = 3), PASSED, WHY_FRAGMENT_PASSED },
	{ "GRE", WAN, OTHER(47, S, EXT, .offset = 24), PASSED, WHY_OTHER_PROTOCOL },
};

static const struct step records_expire[] = {
	{ "first", LAN, UDP(A, 25000, S, 53, FIRST), WAN, UDP(EXT, 25000, S, 53, FIRST), WHY_OUT_NEW },
	{ "a second passes", LATER(SECONDS(1)) },
	{ "middle", LAN, UDP(A, 25000, S, 53, MIDDLE), WAN, UDP(EXT, 25000, S, 53, MIDDLE), WHY_OUT_FRAGMENT },
	{ "another passes", OVER(SECONDS(1)) },
	{ "last", LAN, UDP(A, 25000, S, 53, LAST), DROPPED, WHY_FRAGMENT_HELD },
};

static const struct step mapping_ends_between[] = {
	{ "first", LAN, UDP(A, 25000, S, 53, FIRST), WAN, UDP(EXT, 25000, S, 53, FIRST), WHY_OUT_NEW },
	{ "first of the answer", WAN, UDP(S, 53, EXT, 25000, FIRST), LAN, UDP(S, 53, A, 25000, FIRST), WHY_IN },
	{ "the address changes", NEW_ADDRESS(EXT2) },
	{ "last outwards", LAN, UDP(A, 25000, S, 53, LAST), DROPPED, WHY_FRAGMENT_UNKNOWN },
	{ "last inwards", WAN, UDP(S, 53, EXT, 25000, LAST), PASSED, WHY_NOT_EXTERNAL },
};

static const struct step tiny[] = {
	{ "eight bytes of TCP", LAN, TCP(SYN, A, 25000, S, 80, .length = 8, .more = true), DROPPED, WHY_MALFORMED },
	{ "inwards", WAN, TCP(SYN, S, 80, EXT, 25000, .length = 16, .more = true), DROPPED, WHY_MALFORMED },
	{ "eight bytes of UDP will do", LAN, UDP(A, 25000, S, 53, .length = 8, .more = true), WAN,
	  UDP(EXT, 25000, S, 53, .length = 8, .more = true), WHY_OUT_NEW },
	{ "the rest", LAN, UDP(A, 25000, S, 53, .offset = 8), WAN, UDP(EXT, 25000, S, 53, .offset = 8),
	  WHY_OUT_FRAGMENT },
};

static const struct step with_options[] = {
	{ "first", LAN, UDP(A, 25000, S, 53, FIRST, .ip_options = 12), WAN,
	  UDP(EXT, 25000, S, 53, FIRST, .ip_options = 12), WHY_OUT_NEW },
	{ "last", LAN, UDP(A, 25000, S, 53, LAST, .ip_options = 40), WAN,
	  UDP(EXT, 25000, S, 53, LAST, .ip_options = 40), WHY_OUT_FRAGMENT },
};

static const struct step checksum_zero[] = {
	{ "first", LAN, UDP(A, 25000, S, 53, FIRST, .no_checksum = true), WAN,
	  UDP(EXT, 25000, S, 53, FIRST, .no_checksum = true), WHY_OUT_NEW },
	{ "last", LAN, UDP(A, 25000, S, 53, LAST, .no_checksum = true), WAN,
	  UDP(EXT, 25000, S, 53, LAST, .no_checksum = true), WHY_OUT_FRAGMENT },
};

static const struct step protocol_switched_off[] = {
	{ "first", LAN, QUERY(ECHO, A, S, 25000, FIRST), PASSED, WHY_PROTOCOL_OFF },
	{ "last", LAN, QUERY(ECHO, A, S, 25000, LAST), PASSED, WHY_FRAGMENT_PASSED },
};

/* RFC 4787 REQ-14a: a flood takes no more than its share of memory, and the newest datagrams come through. */
static void flood(struct router *router)
{
	static const struct step mapping = { "A opens a mapping",    LAN,	 UDP(A, 25000, S, 53), WAN,
					     UDP(EXT, 25000, S, 53), WHY_OUT_NEW };

	step_run(router, &mapping);
	for (unsigned int i = 0; i < 1000; i++) {
		struct step first = {
			"first of many", WAN, UDP(Z, 53, EXT, 25000, FIRST), LAN, UDP(Z, 53, A, 25000, FIRST), WHY_IN
		};
		struct step last = { "its last",     WAN, UDP(Z, 53, EXT, 25000, LAST), LAN, UDP(Z, 53, A, 25000, LAST),
				     WHY_IN_FRAGMENT };

		first.packet.saddr = first.expected.saddr = last.packet.saddr = last.expected.saddr = Z + i;
		step_run(router, &first);
		if (i % 10 == 0)
			step_run(router, &last);
	}
}

static const struct test tests[] = {
	STEPS("outwards", outwards),
	STEPS("changed_port_both_ways", changed_port),
	STEPS("inwards", inwards),
	STEPS("icmp_and_tcp", other_protocols, .only_ipv4 = true),
	STEPS("follower_before_its_first_is_held", before_the_first),
	STEPS("followers_of_what_passed_pass", what_passes),
	STEPS("records_expire", records_expire),
	STEPS("mapping_ends_between", mapping_ends_between),
	STEPS("first_fragment_without_ports", tiny),
	STEPS("ip_options", with_options),
	STEPS("no_udp_checksum", checksum_zero),
	STEPS("protocol_switched_off", protocol_switched_off, .setup = &only_udp),
	CODE("rfc4787_req14a_flood", flood, .setup = &few_records, .only_ipv4 = false),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
