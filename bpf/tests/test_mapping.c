// SPDX-License-Identifier: GPL-2.0-or-later
/* Mappings: made by packets from inside, kept by them, and the same whoever the remote is. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "steps.h"

static const struct setup refreshed_inwards = { .refresh_inbound = true };
static const struct setup without_address = { .no_address = true };

static const struct step udp_ignores_remote[] = {
	{ "A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "A uses it again", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT },
	{ "for the server's other port", LAN, UDP(A, 25000, S, 54), WAN, UDP(EXT, 25000, S, 54), WHY_OUT },
	{ "for another server", LAN, UDP(A, 25000, T, 53), WAN, UDP(EXT, 25000, T, 53), WHY_OUT },
	{ "a server answers", WAN, UDP(T, 53, EXT, 25000), LAN, UDP(T, 53, A, 25000), WHY_IN },
	{ "it is A's", MAPPED(NAT_UDP, 25000, A, 25000) },
};

static const struct step tcp_ignores_remote[] = {
	{ "A opens a mapping", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
	{ "A connects elsewhere from that port", LAN, TCP(SYN, A, 25000, T, 81), WAN, TCP(SYN, EXT, 25000, T, 81),
	  WHY_OUT },
	{ "it is A's", MAPPED(NAT_TCP, 25000, A, 25000) },
};

static const struct step icmp_ignores_remote[] = {
	{ "A pings", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT_NEW },
	{ "A pings another", LAN, QUERY(ECHO, A, T, 25000), WAN, QUERY(ECHO, EXT, T, 25000), WHY_OUT },
};

static const struct step chosen_port_ignores_remote[] = {
	{ "A keeps 25000", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "B cannot keep it", LAN, UDP(B, 25000, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW },
	{ "B has the same port for another server", LAN, UDP(B, 25000, T, 54), WAN, UDP(EXT, PORT(0), T, 54), WHY_OUT },
	{ "an answer to B", WAN, UDP(S, 53, EXT, PORT(0)), LAN, UDP(S, 53, B, 25000), WHY_IN },
	{ "an answer to A", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
	{ "B's other port has another one", LAN, UDP(B, 6000, S, 53), WAN, UDP(EXT, PORT(1), S, 53), WHY_OUT_NEW },
	{ "B's state", MAPPED(NAT_UDP, PORT(0), B, 25000) },
	{ "A's state", MAPPED(NAT_UDP, 25000, A, 25000) },
};

static const struct step protocols_are_apart[] = {
	{ "A opens a UDP mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "which lets no TCP in", WAN, TCP(SYN, S, 53, EXT, 25000), DROPPED, WHY_NO_MAPPING },
	{ "nor an echo reply", WAN, QUERY(ECHO_REPLY, S, EXT, 25000), DROPPED, WHY_NO_MAPPING },
	{ "B has the same number for TCP", LAN, TCP(SYN, B, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80),
	  WHY_OUT_NEW },
	{ "and G for ICMP", LAN, QUERY(ECHO, G, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT_NEW },
	{ "UDP is A's", MAPPED(NAT_UDP, 25000, A, 25000) },
	{ "TCP is B's", MAPPED(NAT_TCP, 25000, B, 25000) },
	{ "ICMP is G's", MAPPED(NAT_ICMP, 25000, G, 25000) },
};

static const struct step refresh_outwards[] = {
	{ "A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "it lasts two minutes", MAPPED(NAT_UDP, 25000, A, 25000, .lasts_ms = MINUTES(2)) },
	{ "100 s pass", LATER(SECONDS(100)) },
	{ "A refreshes it", LAN, UDP(A, 25000, T, 53), WAN, UDP(EXT, 25000, T, 53), WHY_OUT },
	{ "it lasts two minutes again", MAPPED(NAT_UDP, 25000, A, 25000, .lasts_ms = MINUTES(2)) },
	{ "100 s pass", LATER(SECONDS(100)) },
	{ "it is still there", WAN, UDP(Z, 9, EXT, 25000), LAN, UDP(Z, 9, A, 25000), WHY_IN },
};

static const struct step confirmed_from_outside[] = {
	{ "A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "an answer confirms it", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
	{ "it lasts five minutes", MAPPED(NAT_UDP, 25000, A, 25000, .lasts_ms = MINUTES(5)) },
	{ "four minutes pass", LATER(MINUTES(4)) },
	{ "A refreshes it", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT },
	{ "five minutes again", MAPPED(NAT_UDP, 25000, A, 25000, .lasts_ms = MINUTES(5)) },
};

static const struct step no_refresh_inwards[] = {
	{ "A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "a minute passes", LATER(MINUTES(1)) },
	{ "an answer", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
	{ "five minutes count from A's packet", MAPPED(NAT_UDP, 25000, A, 25000, .lasts_ms = MINUTES(4)) },
	{ "three minutes pass", LATER(MINUTES(3)) },
	{ "outsiders do not refresh", WAN, UDP(Z, 9, EXT, 25000), LAN, UDP(Z, 9, A, 25000), WHY_IN },
	{ "a minute is left", MAPPED(NAT_UDP, 25000, A, 25000, .lasts_ms = MINUTES(1)) },
	{ "a minute passes", OVER(MINUTES(1)) },
	{ "it has ended", WAN, UDP(Z, 9, EXT, 25000), DROPPED, WHY_NO_MAPPING },
};

static const struct step refresh_inwards[] = {
	{ "A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "a minute passes", LATER(MINUTES(1)) },
	{ "an answer refreshes it", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
	{ "all five minutes", MAPPED(NAT_UDP, 25000, A, 25000, .lasts_ms = MINUTES(5)) },
};

static const struct step address_to_come[] = {
	{ "there is none yet", LAN, UDP(A, 25000, S, 53), DROPPED, WHY_NO_ADDRESS },
	{ "nothing comes in", WAN, UDP(S, 53, EXT, 25000), PASSED, WHY_NOT_EXTERNAL },
	{ "the address is there", NEW_ADDRESS(EXT) },
	{ "A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "the address is gone", NEW_ADDRESS(0) },
	{ "A is cut off", LAN, UDP(A, 25000, S, 53), DROPPED, WHY_NO_ADDRESS },
};

/* RFC 4787 REQ-7: the far side may use the same private addresses. */
static const struct step addresses_overlap[] = {
	{ "to a remote with B's address", LAN, UDP(A, 25000, B, 53), WAN, UDP(EXT, 25000, B, 53), WHY_OUT_NEW },
	{ "which answers", WAN, UDP(B, 53, EXT, 25000), LAN, UDP(B, 53, A, 25000), WHY_IN },
	{ "a remote with A's own address", WAN, UDP(A, 25000, EXT, 25000), LAN, UDP(A, 25000, A, 25000), WHY_IN },
};

static const struct step routers_own_traffic[] = {
	{ "from a port that is not managed", LAN, UDP(EXT, 5353, S, 53), PASSED, WHY_UNMANAGED },
	{ "TCP too, whatever the flags", LAN, TCP(ACK, EXT, 5353, S, 80), PASSED, WHY_UNMANAGED },
	{ "from a managed port it is mapped", LAN, UDP(EXT, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "the answer reaches the router", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, EXT, 25000), WHY_IN },
	{ "A does not get the router's port", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW },
	{ "A has 26000", LAN, UDP(A, 26000, S, 53), WAN, UDP(EXT, 26000, S, 53), WHY_OUT_NEW },
	{ "the router's 26000 gives way", LAN, UDP(EXT, 26000, S, 53), WAN, UDP(EXT, PORT(1), S, 53), WHY_OUT_NEW },
	{ "its answer comes back", WAN, UDP(S, 53, EXT, PORT(1)), LAN, UDP(S, 53, EXT, 26000), WHY_IN },
	{ "established TCP of the router from before", LAN, TCP(ACK, EXT, 27000, S, 80), PASSED, WHY_ROUTER },
	{ "its own ping", LAN, QUERY(ECHO, EXT, S, 999), PASSED, WHY_UNMANAGED },
};

static const struct step port_zero[] = {
	{ "source port 0 is mapped", LAN, UDP(A, 0, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW },
	{ "and back", WAN, UDP(S, 53, EXT, PORT(0)), LAN, UDP(S, 53, A, 0), WHY_IN },
	{ "external port 0 is nobody's", WAN, UDP(S, 53, EXT, 0), PASSED, WHY_UNMANAGED },
	{ "identifier 0", LAN, QUERY(ECHO, A, S, 0), WAN, QUERY(ECHO, EXT, S, PORT(1)), WHY_OUT_NEW },
	{ "its reply", WAN, QUERY(ECHO_REPLY, S, EXT, PORT(1)), LAN, QUERY(ECHO_REPLY, S, A, 0), WHY_IN },
};

/* Lets `endpoints` say that A's port 25000 has the slot of this external one. */
static void entry_forge(struct router *router, unsigned int external_port)
{
	struct endpoint endpoint = { .port = htons(25000), .protocol = NAT_UDP };
	uint32_t slot = 0;
	struct mapping mapping;

	while (mapping = router_slot(router, slot),
	       mapping.protocol != NAT_UDP || ntohs(mapping.external_port) != external_port)
		slot++;
	address_write(A, (uint8_t *)&endpoint.addr);
	assert_int_equal(bpf_map_update_elem(datapath_map_fd(router_datapath(router), "endpoints"), &endpoint, &slot,
					     BPF_ANY),
			 0);
}

/* An entry to a slot that is not its endpoint's costs a packet. */
static void wrong_entry(struct router *router)
{
	static const struct step to_a_free_slot[] = {
		{ "A's is lost", LAN, UDP(A, 25000, S, 53), DROPPED, WHY_BUSY },
		{ "the next is not", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
		{ "B opens 26000", LAN, UDP(B, 26000, S, 53), WAN, UDP(EXT, 26000, S, 53), WHY_OUT_NEW },
		{ "all ends", OVER(MINUTES(10)) },
		{ "B's comes back", LAN, UDP(B, 26000, S, 53), WAN, UDP(EXT, 26000, S, 53), WHY_OUT_NEW },
		{ "and is swept but for B's", SWEPT },
	};
	static const struct step to_bs[] = {
		{ "A's is lost", LAN, UDP(A, 25000, S, 53), DROPPED, WHY_BUSY },
		{ "the next is not", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
		{ "B's is as it was", LAN, UDP(B, 26000, S, 53), WAN, UDP(EXT, 26000, S, 53), WHY_OUT },
	};

	entry_forge(router, 25000);
	steps_run(router, to_a_free_slot, sizeof(to_a_free_slot) / sizeof(*to_a_free_slot));
	entry_forge(router, 26000);
	steps_run(router, to_bs, sizeof(to_bs) / sizeof(*to_bs));
}

static const struct test tests[] = {
	STEPS("rfc4787_req1_udp_mapping_ignores_remote", udp_ignores_remote),
	STEPS("rfc5382_req1_tcp_mapping_ignores_remote", tcp_ignores_remote),
	STEPS("rfc5508_req1_query_mapping_ignores_remote", icmp_ignores_remote),
	STEPS("rfc4787_req1_chosen_port_ignores_remote", chosen_port_ignores_remote),
	STEPS("protocols_have_mappings_of_their_own", protocols_are_apart),
	STEPS("rfc4787_req6_outbound_refresh", refresh_outwards),
	STEPS("rfc4787_req5_confirmed_mapping_lasts_five_minutes", confirmed_from_outside),
	STEPS("rfc4787_req6a_no_inbound_refresh_by_default", no_refresh_inwards),
	STEPS("rfc4787_req7_overlapping_addresses", addresses_overlap),
	STEPS("routers_own_traffic", routers_own_traffic),
	STEPS("port_zero", port_zero),
	CODE("an_entry_to_a_wrong_slot", wrong_entry, .only_ipv4 = false),
	STEPS("rfc4787_req6a_inbound_refresh_by_choice", refresh_inwards, .setup = &refreshed_inwards),
	STEPS("no_external_address_yet", address_to_come, .setup = &without_address),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
