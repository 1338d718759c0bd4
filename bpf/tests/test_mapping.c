// SPDX-License-Identifier: GPL-2.0-or-later
/* Mappings: made by packets from inside, kept by them, and the same whoever the remote is. */
#include "steps.h"

static const struct step eim_udp[] = {
	{ "A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "A uses it again", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT },
	{ "the same server's other port", LAN, UDP(A, 25000, S, 54), WAN, UDP(EXT, 25000, S, 54), WHY_OUT },
	{ "another server", LAN, UDP(A, 25000, T, 53), WAN, UDP(EXT, 25000, T, 53), WHY_OUT },
	{ "it is A's", MAPPED(NAT_UDP, 25000, A, 25000, .lasts_ms = MINUTES(2)) },
};

static const struct test tests[] = {
	STEPS("rfc4787_req1_udp_mapping_ignores_remote", eim_udp),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
