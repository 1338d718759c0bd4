// SPDX-License-Identifier: GPL-2.0-or-later
/* ICMP (RFC 5508): queries, whose identifier is their port, and errors, which quote a packet that we translated. */
#include "steps.h"

enum { TIMESTAMP = 13, TIMESTAMP_REPLY = 14, SOLICITATION = 10 };

#define A_SENDS                                                                                           \
	{                                                                                                 \
		"A sends from 25000", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW \
	}
#define B_SENDS                                                                                                    \
	{                                                                                                          \
		"B's 25000 becomes another", LAN, UDP(B, 25000, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW \
	}
#define A_CONNECTS                                                                                                     \
	{                                                                                                              \
		"A connects from 25000", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW \
	}
#define B_CONNECTS                                                                                               \
	{                                                                                                        \
		"B's 25000 becomes another", LAN, TCP(SYN, B, 25000, S, 80), WAN, TCP(SYN, EXT, PORT(1), S, 80), \
			WHY_OUT_NEW                                                                              \
	}
#define A_PINGS                                                                                                   \
	{                                                                                                         \
		"A pings with 25000", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT_NEW \
	}
#define B_PINGS                                                                                                \
	{                                                                                                      \
		"B's 25000 becomes another", LAN, QUERY(ECHO, B, S, 25000), WAN, QUERY(ECHO, EXT, S, PORT(2)), \
			WHY_OUT_NEW                                                                            \
	}

static const struct step queries[] = {
	A_PINGS,
	{ "the reply", WAN, QUERY(ECHO_REPLY, S, EXT, 25000), LAN, QUERY(ECHO_REPLY, S, A, 25000), WHY_IN },
	B_PINGS,
	{ "B's reply", WAN, QUERY(ECHO_REPLY, S, EXT, PORT(2)), LAN, QUERY(ECHO_REPLY, S, B, 25000), WHY_IN },
	{ "A's next ping", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT },
	{ "a timestamp request", LAN, QUERY(TIMESTAMP, A, S, 25002), WAN, QUERY(TIMESTAMP, EXT, S, 25002),
	  WHY_OUT_NEW },
	{ "its reply", WAN, QUERY(TIMESTAMP_REPLY, S, EXT, 25002), LAN, QUERY(TIMESTAMP_REPLY, S, A, 25002), WHY_IN },
};

static const struct step query_filtering[] = {
	{ "no reply comes in before", WAN, QUERY(ECHO_REPLY, S, EXT, 25000), DROPPED, WHY_NO_MAPPING },
	A_PINGS,
	{ "anybody may reply", WAN, QUERY(ECHO_REPLY, Z, EXT, 25000), LAN, QUERY(ECHO_REPLY, Z, A, 25000), WHY_IN },
	{ "anybody may ask", WAN, QUERY(ECHO, Z, EXT, 25000), LAN, QUERY(ECHO, Z, A, 25000), WHY_IN },
	{ "A's reply goes out", LAN, QUERY(ECHO_REPLY, A, Z, 25000), WAN, QUERY(ECHO_REPLY, EXT, Z, 25000), WHY_OUT },
};

static const struct step query_timeout[] = {
	A_PINGS,
	{ "a minute", MAPPED(NAT_ICMP, 25000, A, 25000, .lasts_ms = MINUTES(1)) },
	{ "40 s pass", LATER(SECONDS(40)) },
	{ "A's next ping", LAN, QUERY(ECHO, A, T, 25000), WAN, QUERY(ECHO, EXT, T, 25000), WHY_OUT },
	{ "a minute again", MAPPED(NAT_ICMP, 25000, A, 25000, .lasts_ms = MINUTES(1)) },
	{ "a minute passes", OVER(MINUTES(1)) },
	{ "it has ended", WAN, QUERY(ECHO_REPLY, S, EXT, 25000), DROPPED, WHY_NO_MAPPING },
};

static const struct step replies_make_nothing[] = {
	{ "a reply from inside", LAN, QUERY(ECHO_REPLY, A, S, 25000), DROPPED, WHY_ICMP_NO_MAPPING },
	{ "made nothing", UNMAPPED(NAT_ICMP, 25000) },
};

static const struct step neither_query_nor_error[] = {
	{ "a redirect from outside", WAN, QUERY(REDIRECT, R, EXT, 25000), PASSED, WHY_OTHER_ICMP },
	{ "a redirect outwards", LAN, QUERY(REDIRECT, EXT, S, 25000), PASSED, WHY_OTHER_ICMP },
	{ "router solicitation", LAN, QUERY(SOLICITATION, EXT, S, 0), PASSED, WHY_OTHER_ICMP },
	{ "a type of the future", WAN, QUERY(200, S, EXT, 25000), PASSED, WHY_OTHER_ICMP },
};

/* Inwards: the quoted packet is one of ours, on its way from the external endpoint. */

#define ERROR_IN(sentence, kind, number)                                                 \
	{                                                                                \
		sentence, WAN, ERROR(kind, number, R, EXT, UDP(EXT, 25000, S, 53)), LAN, \
			ERROR(kind, number, R, A, UDP(A, 25000, S, 53)), WHY_IN_ERROR    \
	}

static const struct step error_types_in[] = {
	A_SENDS,
	ERROR_IN("port unreachable", UNREACHABLE, 3),
	ERROR_IN("fragmentation needed", UNREACHABLE, 4),
	ERROR_IN("source quench", QUENCH, 0),
	ERROR_IN("time exceeded", EXCEEDED, 0),
	ERROR_IN("parameter problem", PARAMETER, 1),
	{ "from the server itself", WAN, ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, 25000, S, 53)), LAN,
	  ERROR(UNREACHABLE, 3, S, A, UDP(A, 25000, S, 53)), WHY_IN_ERROR },
	{ "the mapping is as before", MAPPED(NAT_UDP, 25000, A, 25000, .lasts_ms = MINUTES(2)) },
};

static const struct step errors_change_no_lifetime[] = {
	A_CONNECTS,
	{ "S accepts", WAN, TCP(SYN | ACK, S, 80, EXT, 25000), LAN, TCP(SYN | ACK, S, 80, A, 25000), WHY_IN },
	{ "an hour passes", LATER(MINUTES(60)) },
	{ "S is unreachable", WAN, ERROR(UNREACHABLE, 1, R, EXT, TCP(ACK, EXT, 25000, S, 80)), LAN,
	  ERROR(UNREACHABLE, 1, R, A, TCP(ACK, A, 25000, S, 80)), WHY_IN_ERROR },
	{ "it does not end", MAPPED(NAT_TCP, 25000, A, 25000, .sessions = 1, .lasts_ms = MINUTES(64)) },
	{ "A is unreachable", LAN, ERROR(UNREACHABLE, 1, A, S, TCP(ACK, S, 80, A, 25000)), WAN,
	  ERROR(UNREACHABLE, 1, EXT, S, TCP(ACK, S, 80, EXT, 25000)), WHY_OUT_ERROR },
	{ "nor is it refreshed", MAPPED(NAT_TCP, 25000, A, 25000, .sessions = 1, .lasts_ms = MINUTES(64)) },
};

static const struct step quoted_udp[] = {
	A_SENDS,
	B_SENDS,
	{ "a port that was changed", WAN, ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, PORT(0), S, 53)), LAN,
	  ERROR(UNREACHABLE, 3, S, B, UDP(B, 25000, S, 53)), WHY_IN_ERROR },
	{ "no UDP checksum", WAN, ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, PORT(0), S, 53, .no_checksum = true)), LAN,
	  ERROR(UNREACHABLE, 3, S, B, UDP(B, 25000, S, 53, .no_checksum = true)), WHY_IN_ERROR },
	{ "the whole packet is quoted", WAN,
	  ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, PORT(0), S, 53, .payload = 200), .quoted_bytes = 208), LAN,
	  ERROR(UNREACHABLE, 3, S, B, UDP(B, 25000, S, 53, .payload = 200), .quoted_bytes = 208), WHY_IN_ERROR },
	{ "as far as an odd byte", WAN,
	  ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, PORT(0), S, 53, .payload = 200), .quoted_bytes = 101), LAN,
	  ERROR(UNREACHABLE, 3, S, B, UDP(B, 25000, S, 53, .payload = 200), .quoted_bytes = 101), WHY_IN_ERROR },
	{ "with more behind it, as RFC 4884 has it", WAN,
	  ERROR(EXCEEDED, 0, R, EXT, UDP(EXT, PORT(0), S, 53, .payload = 100), .quoted_bytes = 108, .payload = 12), LAN,
	  ERROR(EXCEEDED, 0, R, B, UDP(B, 25000, S, 53, .payload = 100), .quoted_bytes = 108, .payload = 12),
	  WHY_IN_ERROR },
};

static const struct step quoted_tcp[] = {
	A_CONNECTS,
	B_CONNECTS,
	{ "eight bytes, port kept", WAN, ERROR(UNREACHABLE, 4, R, EXT, TCP(ACK, EXT, 25000, S, 80)), LAN,
	  ERROR(UNREACHABLE, 4, R, A, TCP(ACK, A, 25000, S, 80)), WHY_IN_ERROR },
	{ "eight bytes, port changed", WAN, ERROR(UNREACHABLE, 4, R, EXT, TCP(ACK, EXT, PORT(1), S, 80)), LAN,
	  ERROR(UNREACHABLE, 4, R, B, TCP(ACK, B, 25000, S, 80)), WHY_IN_ERROR },
	{ "16 bytes: nothing of the checksum", WAN,
	  ERROR(UNREACHABLE, 4, R, EXT, TCP(ACK, EXT, PORT(1), S, 80), .quoted_bytes = 16), LAN,
	  ERROR(UNREACHABLE, 4, R, B, TCP(ACK, B, 25000, S, 80), .quoted_bytes = 16), WHY_IN_ERROR },
	{ "18 bytes: all of the checksum", WAN,
	  ERROR(UNREACHABLE, 4, R, EXT, TCP(ACK, EXT, PORT(1), S, 80), .quoted_bytes = 18), LAN,
	  ERROR(UNREACHABLE, 4, R, B, TCP(ACK, B, 25000, S, 80), .quoted_bytes = 18), WHY_IN_ERROR },
	{ "a whole segment with options", WAN,
	  ERROR(UNREACHABLE, 4, R, EXT, TCP(ACK, EXT, PORT(1), S, 80, .tcp_options = 12, .payload = 500),
		.quoted_bytes = 532),
	  LAN,
	  ERROR(UNREACHABLE, 4, R, B, TCP(ACK, B, 25000, S, 80, .tcp_options = 12, .payload = 500),
		.quoted_bytes = 532),
	  WHY_IN_ERROR },
};

static const struct step quoted_query[] = {
	A_PINGS,
	B_PINGS,
	{ "identifier kept", WAN, ERROR(EXCEEDED, 0, R, EXT, QUERY(ECHO, EXT, S, 25000)), LAN,
	  ERROR(EXCEEDED, 0, R, A, QUERY(ECHO, A, S, 25000)), WHY_IN_ERROR },
	{ "identifier changed", WAN, ERROR(EXCEEDED, 0, R, EXT, QUERY(ECHO, EXT, S, PORT(2))), LAN,
	  ERROR(EXCEEDED, 0, R, B, QUERY(ECHO, B, S, 25000)), WHY_IN_ERROR },
	{ "all of it quoted", WAN, ERROR(EXCEEDED, 0, R, EXT, QUERY(ECHO, EXT, S, PORT(2)), .quoted_bytes = 40), LAN,
	  ERROR(EXCEEDED, 0, R, B, QUERY(ECHO, B, S, 25000), .quoted_bytes = 40), WHY_IN_ERROR },
};

static const struct step options_everywhere[] = {
	A_SENDS,
	B_SENDS,
	{ "options in the outer header", WAN, ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, PORT(0), S, 53), .ip_options = 8),
	  LAN, ERROR(UNREACHABLE, 3, S, B, UDP(B, 25000, S, 53), .ip_options = 8), WHY_IN_ERROR },
	{ "in the quoted one", WAN, ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, PORT(0), S, 53, .ip_options = 12)), LAN,
	  ERROR(UNREACHABLE, 3, S, B, UDP(B, 25000, S, 53, .ip_options = 12)), WHY_IN_ERROR },
	{ "as many as there can be in both", WAN,
	  ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, PORT(0), S, 53, .ip_options = 40), .ip_options = 40), LAN,
	  ERROR(UNREACHABLE, 3, S, B, UDP(B, 25000, S, 53, .ip_options = 40), .ip_options = 40), WHY_IN_ERROR },
	{ "outwards", LAN, ERROR(UNREACHABLE, 3, B, S, UDP(S, 53, B, 25000, .ip_options = 40), .ip_options = 40), WAN,
	  ERROR(UNREACHABLE, 3, EXT, S, UDP(S, 53, EXT, PORT(0), .ip_options = 40), .ip_options = 40), WHY_OUT_ERROR },
};

static const struct step errors_without_mapping[] = {
	{ "about a managed port without one", WAN, ERROR(UNREACHABLE, 3, R, EXT, UDP(EXT, 25000, S, 53)), DROPPED,
	  WHY_ICMP_NO_MAPPING },
	{ "about the router's own packet", WAN, ERROR(UNREACHABLE, 3, R, EXT, UDP(EXT, 53, S, 53)), PASSED,
	  WHY_UNMANAGED },
	{ "about nobody's packet", WAN, ERROR(UNREACHABLE, 3, R, EXT, UDP(A, 25000, S, 53)), PASSED, WHY_ROUTER },
	{ "about GRE", WAN, ERROR(UNREACHABLE, 3, R, EXT, OTHER(47, EXT, S)), PASSED, WHY_OTHER_PROTOCOL },
	{ "about an error", WAN, ERROR(UNREACHABLE, 3, R, EXT, QUERY(UNREACHABLE, EXT, S, 25000)), PASSED,
	  WHY_OTHER_ICMP },
	{ "about a redirect", WAN, ERROR(UNREACHABLE, 3, R, EXT, QUERY(REDIRECT, EXT, S, 25000)), PASSED,
	  WHY_OTHER_ICMP },
	{ "about a later fragment", WAN,
	  ERROR(UNREACHABLE, 3, R, EXT, UDP(EXT, 25000, S, 53, .payload = 100, .offset = 48)), DROPPED,
	  WHY_FRAGMENT_UNKNOWN },
	A_SENDS,
	{ "five minutes pass", LATER(MINUTES(5)) },
	{ "about a mapping that has ended", WAN, ERROR(UNREACHABLE, 3, R, EXT, UDP(EXT, 25000, S, 53)), DROPPED,
	  WHY_ICMP_NO_MAPPING },
	{ "it does not bring it back", UNMAPPED(NAT_UDP, 25000) },
};

static const struct step quoted_first_fragment[] = {
	A_SENDS,
	{ "about a first fragment", WAN,
	  ERROR(EXCEEDED, 1, R, EXT, UDP(EXT, 25000, S, 53, .payload = 100, .length = 48, .more = true)), LAN,
	  ERROR(EXCEEDED, 1, R, A, UDP(A, 25000, S, 53, .payload = 100, .length = 48, .more = true)), WHY_IN_ERROR },
};

/* Outwards: the quoted packet is one that we let in, on its way to the internal endpoint. */

#define ERROR_OUT(sentence, kind, number)                                                  \
	{                                                                                  \
		sentence, LAN, ERROR(kind, number, A, S, UDP(S, 53, A, 25000)), WAN,       \
			ERROR(kind, number, EXT, S, UDP(S, 53, EXT, 25000)), WHY_OUT_ERROR \
	}

static const struct step error_types_out[] = {
	A_SENDS,
	ERROR_OUT("port unreachable", UNREACHABLE, 3),
	ERROR_OUT("fragmentation needed", UNREACHABLE, 4),
	ERROR_OUT("source quench", QUENCH, 0),
	ERROR_OUT("time exceeded", EXCEEDED, 1),
	ERROR_OUT("parameter problem", PARAMETER, 0),
	{ "to a stranger", LAN, ERROR(UNREACHABLE, 3, A, Z, UDP(Z, 9, A, 25000)), WAN,
	  ERROR(UNREACHABLE, 3, EXT, Z, UDP(Z, 9, EXT, 25000)), WHY_OUT_ERROR },
	{ "from a router inside", LAN, ERROR(UNREACHABLE, 1, G, S, UDP(S, 53, A, 25000)), WAN,
	  ERROR(UNREACHABLE, 1, EXT, S, UDP(S, 53, EXT, 25000)), WHY_OUT_ERROR },
	{ "from this router, which has translated it", LAN, ERROR(UNREACHABLE, 1, EXT, S, UDP(S, 53, A, 25000)), WAN,
	  ERROR(UNREACHABLE, 1, EXT, S, UDP(S, 53, EXT, 25000)), WHY_OUT_ERROR },
};

static const struct step changed_ports_out[] = {
	A_SENDS,
	B_SENDS,
	A_CONNECTS,
	B_CONNECTS,
	A_PINGS,
	B_PINGS,
	{ "UDP", LAN, ERROR(UNREACHABLE, 3, B, S, UDP(S, 53, B, 25000)), WAN,
	  ERROR(UNREACHABLE, 3, EXT, S, UDP(S, 53, EXT, PORT(0))), WHY_OUT_ERROR },
	{ "UDP without checksum", LAN, ERROR(UNREACHABLE, 3, B, S, UDP(S, 53, B, 25000, .no_checksum = true)), WAN,
	  ERROR(UNREACHABLE, 3, EXT, S, UDP(S, 53, EXT, PORT(0), .no_checksum = true)), WHY_OUT_ERROR },
	{ "TCP, eight bytes", LAN, ERROR(UNREACHABLE, 3, B, S, TCP(ACK, S, 80, B, 25000)), WAN,
	  ERROR(UNREACHABLE, 3, EXT, S, TCP(ACK, S, 80, EXT, PORT(1))), WHY_OUT_ERROR },
	{ "TCP, all of it", LAN,
	  ERROR(UNREACHABLE, 3, B, S, TCP(ACK, S, 80, B, 25000, .payload = 99), .quoted_bytes = 119), WAN,
	  ERROR(UNREACHABLE, 3, EXT, S, TCP(ACK, S, 80, EXT, PORT(1), .payload = 99), .quoted_bytes = 119),
	  WHY_OUT_ERROR },
	{ "a reply to a ping", LAN, ERROR(UNREACHABLE, 3, B, S, QUERY(ECHO_REPLY, S, B, 25000)), WAN,
	  ERROR(UNREACHABLE, 3, EXT, S, QUERY(ECHO_REPLY, S, EXT, PORT(2))), WHY_OUT_ERROR },
};

static const struct step errors_out_without_mapping[] = {
	{ "about a packet that we did not let in", LAN, ERROR(UNREACHABLE, 3, A, S, UDP(S, 53, A, 25000)), DROPPED,
	  WHY_ICMP_NO_MAPPING },
	{ "the router's own, about a packet to itself", LAN, ERROR(UNREACHABLE, 3, EXT, S, UDP(S, 53, EXT, 53)), PASSED,
	  WHY_ROUTER },
	{ "the router's own about a managed port", LAN, ERROR(UNREACHABLE, 3, EXT, S, UDP(S, 53, EXT, 25000)), PASSED,
	  WHY_ROUTER },
	{ "the router's own, about GRE to itself", LAN, ERROR(UNREACHABLE, 2, EXT, S, OTHER(47, S, EXT)), PASSED,
	  WHY_ROUTER },
	{ "about GRE", LAN, ERROR(UNREACHABLE, 3, A, S, OTHER(47, S, A)), DROPPED, WHY_ICMP_NO_MAPPING },
	{ "about an error", LAN, ERROR(UNREACHABLE, 3, A, S, QUERY(UNREACHABLE, S, A, 25000)), DROPPED,
	  WHY_ICMP_NO_MAPPING },
	{ "nothing was made", UNMAPPED(NAT_UDP, 25000) },
};

/* RFC 5508 REQ-5a: the router's own mapping has another port, since A has this one. */
static const struct step errors_about_the_routers_own[] = {
	{ "A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "the router sends from the same port", LAN, UDP(EXT, 25000, S, 53), WAN, UDP(EXT, PORT(0), S, 53),
	  WHY_OUT_NEW },
	{ "and objects to the answer", LAN, ERROR(UNREACHABLE, 3, EXT, S, UDP(S, 53, EXT, 25000)), WAN,
	  ERROR(UNREACHABLE, 3, EXT, S, UDP(S, 53, EXT, PORT(0))), WHY_OUT_ERROR },
};

static const struct test tests[] = {
	STEPS("rfc5508_req1_queries", queries, .only_ipv4 = true),
	STEPS("rfc5508_req1_query_filtering", query_filtering),
	STEPS("rfc5508_req2_query_timeout", query_timeout),
	STEPS("replies_make_no_mapping", replies_make_nothing),
	STEPS("rfc5508_req10_neither_query_nor_error", neither_query_nor_error),
	STEPS("rfc5508_req4_errors_in", error_types_in),
	STEPS("rfc4787_req12_errors_change_no_lifetime", errors_change_no_lifetime),
	STEPS("rfc5508_req4_quoted_udp", quoted_udp),
	STEPS("rfc5508_req4_quoted_tcp", quoted_tcp),
	STEPS("rfc5508_req4_quoted_query", quoted_query),
	STEPS("rfc5508_req3_options_everywhere", options_everywhere),
	STEPS("rfc5508_req4_errors_without_mapping", errors_without_mapping),
	STEPS("rfc5508_req4_quoted_first_fragment", quoted_first_fragment),
	STEPS("rfc5508_req5_errors_out", error_types_out),
	STEPS("rfc5508_req5_changed_ports_out", changed_ports_out),
	STEPS("rfc5508_req5_errors_out_without_mapping", errors_out_without_mapping),
	STEPS("rfc5508_req5_errors_about_the_routers_own", errors_about_the_routers_own),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
