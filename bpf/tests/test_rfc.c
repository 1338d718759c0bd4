// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requirements of the RFCs that none of the other files is about; docs/rfc-compliance.md lists all of them. A test has the
 * number of its RFC and of the requirement (RFC 7857: of the section) in its name.
 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "steps.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define DEADLINE_MS   10000

static const struct setup one_port = { .ports = { "25000", "25000", "25000" } };
static const struct setup logging = { .ports = { NULL, "25000", NULL }, .log_level = 3 };
static const struct setup pool = { .two = true, .pooling = POOLING_PAIRED };
static const struct setup pool_of_one_port = { .two = true,
					       .pooling = POOLING_PAIRED,
					       .ports = { "25000", "25000", "25000" } };
static const struct setup pool_without_udp = { .two = true, .pooling = POOLING_PAIRED, .without_udp = 2 };
static const struct setup first_without_udp = { .two = true, .pooling = POOLING_PAIRED, .without_udp = 1 };
static const struct setup shortly_held = { .timeout_ms = { [NAT_TIMEOUT_FRAGMENT] = 1000 } };
static const struct setup first_of_two = { .two = true, .pooling = POOLING_FIRST };
static const struct setup strict_and_refreshed_inwards = { .filtering = FILTERING_ADDRESS, .refresh_inbound = true };

#define A_OPENS                                                                                          \
	{                                                                                                \
		"A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW \
	}

/* The same external port for two hosts would do, had they different remotes: RFC 4787 section 4.2.1 says no. */
static const struct step udp_no_overloading[] = {
	A_OPENS,
	{ "none for B, though its remote is another", LAN, UDP(B, 25000, T, 54), DROPPED, WHY_NO_PORT },
	{ "nor for A's other port", LAN, UDP(A, 25001, T, 54), DROPPED, WHY_NO_PORT },
	{ "it is A's", MAPPED(NAT_UDP, 25000, A, 25000) },
};

static const struct step tcp_no_overloading[] = {
	{ "A connects", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
	{ "none for B, though its remote is another", LAN, TCP(SYN, B, 25000, T, 81), DROPPED, WHY_NO_PORT },
	{ "it is A's", MAPPED(NAT_TCP, 25000, A, 25000) },
};

/* What the behaviour is with ports to spare, it is without. */
static const struct step same_when_full[] = {
	A_OPENS,
	{ "there is no port left", LAN, UDP(B, 25000, S, 53), DROPPED, WHY_NO_PORT },
	{ "mapping ignores the remote", LAN, UDP(A, 25000, T, 54), WAN, UDP(EXT, 25000, T, 54), WHY_OUT },
	{ "so does filtering", WAN, UDP(Z, 9, EXT, 25000), LAN, UDP(Z, 9, A, 25000), WHY_IN },
	{ "five minutes for an answered mapping", MAPPED(NAT_UDP, 25000, A, 25000, .lasts_ms = MINUTES(5)) },
	{ "hairpinning", LAN, UDP(A, 25000, EXT, 25000), TURNED, UDP(EXT, 25000, EXT, 25000), WHY_HAIRPIN },
	{ "it comes in", ROUND, UDP(EXT, 25000, EXT, 25000), LAN, UDP(EXT, 25000, A, 25000), WHY_IN },
};

/* RFC 6888 REQ-11d: nobody's mapping makes room for another's, whatever its age. */
static const struct step no_room_is_made[] = {
	A_OPENS,
	{ "nearly two minutes pass", LATER(SECONDS(119)) },
	{ "B's packet is dropped", LAN, UDP(B, 25000, S, 53), DROPPED, WHY_NO_PORT },
	{ "A's mapping is there", MAPPED(NAT_UDP, 25000, A, 25000) },
	{ "TCP", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
	{ "B's SYN is dropped", LAN, TCP(SYN, B, 25000, S, 80), DROPPED, WHY_NO_PORT },
	{ "A's mapping is there", MAPPED(NAT_TCP, 25000, A, 25000) },
	{ "ICMP", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT_NEW },
	{ "B's ping is dropped", LAN, QUERY(ECHO, B, S, 25000), DROPPED, WHY_NO_PORT },
	{ "A's mapping is there", MAPPED(NAT_ICMP, 25000, A, 25000) },
};

/* No answer, now or later; a SYN from inside that follows is not hindered by the one from outside. */
static const struct step unsolicited_syn[] = {
	{ "S's SYN is dropped", WAN, TCP(SYN, S, 80, EXT, 25000), DROPPED, WHY_NO_MAPPING },
	{ "and again", WAN, TCP(SYN, S, 80, EXT, 25000), DROPPED, WHY_NO_MAPPING },
	{ "nothing was made", UNMAPPED(NAT_TCP, 25000) },
	{ "five seconds pass", LATER(SECONDS(5)) },
	{ "A connects to S", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
	{ "S's SYN was forgotten", MAPPED(NAT_TCP, 25000, A, 25000, .sessions = 0) },
	{ "S tries once more: both open at once", WAN, TCP(SYN, S, 80, EXT, 25000), LAN, TCP(SYN, S, 80, A, 25000),
	  WHY_IN },
	{ "they are connected", MAPPED(NAT_TCP, 25000, A, 25000, .sessions = 1, .lasts_ms = MINUTES(124)) },
};

/* A quoted packet may have been broken, or had a checksum that was yet to be computed. */
static const struct step quoted_checksum_is_wrong[] = {
	A_OPENS,
	{ "from outside", WAN, ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, 25000, S, 53, .damage = 0x1234)), LAN,
	  ERROR(UNREACHABLE, 3, S, A, UDP(A, 25000, S, 53, .damage = 0x1234)), WHY_IN_ERROR },
	{ "from inside", LAN, ERROR(UNREACHABLE, 3, A, S, UDP(S, 53, A, 25000, .damage = 0x1234)), WAN,
	  ERROR(UNREACHABLE, 3, EXT, S, UDP(S, 53, EXT, 25000, .damage = 0x1234)), WHY_OUT_ERROR },
};

/* A message that fills no, one, several chunks of what is summed up at a time, and one byte more. */
#define BROKEN_BOTH_WAYS(bytes, ...)                                                                                \
	{ "from outside", WAN,                                                                                      \
	  ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, 25000, S, 53, .payload = 1200), .quoted_bytes = (bytes),           \
		__VA_ARGS__),                                                                                       \
	  DROPPED, WHY_ICMP_CHECKSUM },                                                                             \
	{                                                                                                           \
		"from inside", LAN,                                                                                 \
			ERROR(UNREACHABLE, 3, A, S, UDP(S, 53, A, 25000, .payload = 1200), .quoted_bytes = (bytes), \
			      __VA_ARGS__),                                                                         \
			DROPPED, WHY_ICMP_CHECKSUM                                                                  \
	}
#define WHOLE_BOTH_WAYS(bytes, ...)                                                                                 \
	{ "right from outside",                                                                                     \
	  WAN,                                                                                                      \
	  ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, 25000, S, 53, .payload = 1200), .quoted_bytes = (bytes),           \
		__VA_ARGS__),                                                                                       \
	  LAN,                                                                                                      \
	  ERROR(UNREACHABLE, 3, S, A, UDP(A, 25000, S, 53, .payload = 1200), .quoted_bytes = (bytes), __VA_ARGS__), \
	  WHY_IN_ERROR },                                                                                           \
	{                                                                                                           \
		"right from inside", LAN,                                                                           \
			ERROR(UNREACHABLE, 3, A, S, UDP(S, 53, A, 25000, .payload = 1200), .quoted_bytes = (bytes), \
			      __VA_ARGS__),                                                                         \
			WAN,                                                                                        \
			ERROR(UNREACHABLE, 3, EXT, S, UDP(S, 53, EXT, 25000, .payload = 1200),                      \
			      .quoted_bytes = (bytes), __VA_ARGS__),                                                \
			WHY_OUT_ERROR                                                                               \
	}
#define EACH_LENGTH(bytes) \
	BROKEN_BOTH_WAYS(bytes, .damage = 0x2222), BROKEN_BOTH_WAYS(bytes, .damage = 0x0100), WHOLE_BOTH_WAYS(bytes)

static const struct step error_is_broken[] = {
	A_OPENS,
	EACH_LENGTH(8),
	EACH_LENGTH(15),
	EACH_LENGTH(16),
	EACH_LENGTH(36),
	EACH_LENGTH(37),
	EACH_LENGTH(99),
	EACH_LENGTH(100),
	EACH_LENGTH(528),
	EACH_LENGTH(1208),
	{ "options before it", WAN,
	  ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, 25000, S, 53), .ip_options = 16, .damage = 0x2222), DROPPED,
	  WHY_ICMP_CHECKSUM },
	{ "of a fragment nothing can be told", WAN,
	  ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, 25000, S, 53, .payload = 100), .quoted_bytes = 60, .length = 64,
		.more = true, .damage = 0x2222),
	  LAN,
	  ERROR(UNREACHABLE, 3, S, A, UDP(A, 25000, S, 53, .payload = 100), .quoted_bytes = 60, .length = 64,
		.more = true, .damage = 0x2222),
	  WHY_IN_ERROR },
	{ "the mapping is there", MAPPED(NAT_UDP, 25000, A, 25000) },
};

static const struct step quoted_header_is_broken[] = {
	A_OPENS,
	{ "from outside", WAN, ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, 25000, S, 53, .header_damage = 1)), DROPPED,
	  WHY_ICMP_CHECKSUM },
	{ "from inside", LAN, ERROR(UNREACHABLE, 3, A, S, UDP(S, 53, A, 25000, .header_damage = 0x8000)), DROPPED,
	  WHY_ICMP_CHECKSUM },
	{ "with options", WAN,
	  ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, 25000, S, 53, .ip_options = 4, .header_damage = 1)), DROPPED,
	  WHY_ICMP_CHECKSUM },
	{ "with as many as there may be", WAN,
	  ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, 25000, S, 53, .ip_options = 40, .header_damage = 1)), DROPPED,
	  WHY_ICMP_CHECKSUM },
	{ "which are right", WAN, ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, 25000, S, 53, .ip_options = 40)), LAN,
	  ERROR(UNREACHABLE, 3, S, A, UDP(A, 25000, S, 53, .ip_options = 40)), WHY_IN_ERROR },
};

static const struct step query_errors[] = {
	{ "A pings", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT_NEW },
	{ "40 s pass", LATER(SECONDS(40)) },
	{ "the ping was too far", WAN, ERROR(EXCEEDED, 0, R, EXT, QUERY(ECHO, EXT, S, 25000)), LAN,
	  ERROR(EXCEEDED, 0, R, A, QUERY(ECHO, A, S, 25000)), WHY_IN_ERROR },
	{ "neither ended nor refreshed", MAPPED(NAT_ICMP, 25000, A, 25000, .lasts_ms = SECONDS(20)) },
	{ "the reply was refused", LAN, ERROR(UNREACHABLE, 3, A, S, QUERY(ECHO_REPLY, S, A, 25000)), WAN,
	  ERROR(UNREACHABLE, 3, EXT, S, QUERY(ECHO_REPLY, S, EXT, 25000)), WHY_OUT_ERROR },
	{ "neither ended nor refreshed", MAPPED(NAT_ICMP, 25000, A, 25000, .lasts_ms = SECONDS(20)) },
	{ "20 s pass", OVER(SECONDS(20)) },
	{ "it has ended", WAN, QUERY(ECHO_REPLY, S, EXT, 25000), DROPPED, WHY_NO_MAPPING },
};

/* Inbound refresh is on, and only those count who are let in. */
static const struct step filtered_do_not_refresh[] = {
	A_OPENS,
	{ "100 s pass", LATER(SECONDS(100)) },
	{ "a stranger is kept out", WAN, UDP(Z, 9, EXT, 25000), DROPPED, WHY_FILTERED },
	{ "20 s are left", MAPPED(NAT_UDP, 25000, A, 25000, .lasts_ms = SECONDS(20)) },
	{ "S comes in", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
	{ "five minutes", MAPPED(NAT_UDP, 25000, A, 25000, .lasts_ms = MINUTES(5)) },
};

/* What A's stack answers on its own to whatever comes must not keep the port open. */
static const struct step refusals_do_not_refresh[] = {
	A_OPENS,
	{ "100 s pass", LATER(SECONDS(100)) },
	{ "A refuses S's packet", LAN, ERROR(UNREACHABLE, 3, A, S, UDP(S, 53, A, 25000)), WAN,
	  ERROR(UNREACHABLE, 3, EXT, S, UDP(S, 53, EXT, 25000)), WHY_OUT_ERROR },
	{ "20 s are left", MAPPED(NAT_UDP, 25000, A, 25000, .lasts_ms = SECONDS(20)) },
	{ "A connects", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
	{ "three minutes pass", LATER(MINUTES(3)) },
	{ "Z's SYN", WAN, TCP(SYN, Z, 9, EXT, 25000), LAN, TCP(SYN, Z, 9, A, 25000), WHY_IN },
	{ "A refuses", LAN, TCP(RST | ACK, A, 25000, Z, 9), WAN, TCP(RST | ACK, EXT, 25000, Z, 9), WHY_OUT },
	{ "one minute is left", MAPPED(NAT_TCP, 25000, A, 25000, .lasts_ms = MINUTES(1)) },
	{ "S accepts", WAN, TCP(SYN | ACK, S, 80, EXT, 25000), LAN, TCP(SYN | ACK, S, 80, A, 25000), WHY_IN },
	{ "A answers", LAN, TCP(ACK, A, 25000, S, 80), WAN, TCP(ACK, EXT, 25000, S, 80), WHY_OUT },
	{ "an hour passes", LATER(MINUTES(60)) },
	{ "Z's SYN again", WAN, TCP(SYN, Z, 9, EXT, 25000), LAN, TCP(SYN, Z, 9, A, 25000), WHY_IN },
	{ "A refuses Z again", LAN, TCP(RST | ACK, A, 25000, Z, 9), WAN, TCP(RST | ACK, EXT, 25000, Z, 9), WHY_OUT },
	{ "an hour is gone", MAPPED(NAT_TCP, 25000, A, 25000, .sessions = 1, .lasts_ms = MINUTES(64)) },
};

/* Protocols that NATs are known to meddle with, with the internal endpoint in the payload (RFC 4787 section 7). */
static void no_alg(struct router *router)
{
	static const struct {
		uint32_t port;
		const char *text;
	} protocols[] = {
		{ 21, "PORT 192,168,1,100,97,168\r\n" },
		{ 69, "\0\1file\0octet" },
		{ 5060,
		  "REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.100:25000\r\nContact: <sip:a@192.168.1.100:25000>\r\n" },
		{ 1723, "192.168.1.100:25000" },
		{ 3478, "\0\1\0\0\x21\x12\xa4\x42 192.168.1.100:25000" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		struct packet out = UDP(A, 25000, S, protocols[i].port, .no_checksum = true, .payload = 110);
		struct packet wanted = UDP(EXT, 25000, S, protocols[i].port, .no_checksum = true, .payload = 110);
		struct frame frame, want;
		struct outcome got;
		const char *wrong;
		char text[600];

		frame_build(&frame, &out, true);
		frame_build(&want, &wanted, true);
		strcpy((char *)frame.bytes + frame.size - 110, protocols[i].text);
		strcpy((char *)want.bytes + want.size - 110, protocols[i].text);
		wrong = router_send(router, NAT_EGRESS, &frame, &got);
		if (wrong)
			fail_msg("port %u: %s", protocols[i].port, wrong);
		if (frame_differs(&want, &got.frame, text, sizeof(text)))
			fail_msg("port %u: %s", protocols[i].port, text);
	}
}

/* What the daemon's log is made of: at level 3, mappings made and ended. */
static void remember_event(const struct nat_event *event, void *arg)
{
	struct nat_event *events = arg, none = { 0 };

	events[event->type == EVENT_MAPPING_NEW ? 0 : event->type == EVENT_MAPPING_END ? 1 : 2] = *event;
	if (event->type != EVENT_PACKET &&
	    (memcmp(event->remote_addr, none.remote_addr, sizeof(none.remote_addr)) || event->remote_port))
		fail_msg("the event of a mapping names a remote");
}

static void no_destination_in_the_log(struct router *router)
{
	static const struct step steps[] = {
		A_OPENS,
		{ "again", LAN, UDP(A, 25000, T, 53), WAN, UDP(EXT, 25000, T, 53), WHY_OUT },
		{ "an answer", WAN, UDP(T, 53, EXT, 25000), LAN, UDP(T, 53, A, 25000), WHY_IN },
		{ "it ends", LATER(MINUTES(8)) },
		{ "and is swept", SWEPT },
	};
	struct nat_event events[3] = { { 0 } };

	steps_run(router, steps, ARRAY_SIZE(steps));
	assert_int_equal(datapath_read_events(router_datapath(router), remember_event, events), 0);
	assert_int_equal(events[0].level, 3); /* both were seen */
	assert_int_equal(events[1].level, 3);
	assert_int_equal(events[0].internal_addr[0], htonl(A));
	assert_int_equal(events[2].level, 0); /* and no packet's */
}

/* Several external addresses (RFC 4787 REQ-2) */

#define HOST(n) (IPV4(10, 0, 0, 1) + (n))
#define HOSTS	32

/* Sends from inside, and gives the external address that it leaves by; 0 if it does not, for want of a port. */
static uint32_t external_of(struct router *router, const struct packet *packet)
{
	struct outcome outcome;
	struct frame frame;
	const char *wrong;

	frame_build(&frame, packet, true);
	wrong = router_send(router, NAT_EGRESS, &frame, &outcome);
	if (wrong)
		fail_msg("%s", wrong);
	if (outcome.why == WHY_NO_PORT)
		return 0;
	if (outcome.why != WHY_OUT_NEW && outcome.why != WHY_OUT)
		fail_msg("reason %d, want OUT or OUT_NEW", outcome.why);
	return frame_is_from(&outcome.frame, EXT) ? EXT : frame_is_from(&outcome.frame, EXT2) ? EXT2 : 1;
}

static uint32_t external_of_udp(struct router *router, uint32_t host, unsigned int port)
{
	struct packet packet = UDP(host, port, S, 53);

	return external_of(router, &packet);
}

/* The first host that is paired with this address. Opens a mapping of port 25000 for each that it tries. */
static uint32_t host_paired_with(struct router *router, uint32_t external)
{
	for (uint32_t host = HOST(0); host < HOST(HOSTS); host++)
		if (external_of_udp(router, host, 25000) == external)
			return host;
	fail_msg("of %d hosts none has the external address %08x", HOSTS, external);
	return 0;
}

/* Whatever a host opens, to whomever and by which protocol, has one external address; and both are in use. */
static void paired(struct router *router)
{
	size_t second = 0;

	for (uint32_t host = HOST(0); host < HOST(HOSTS); host++) {
		struct packet others[] = {
			UDP(host, 26001, T, 99),       UDP(host, 7, S, 53),	   TCP(SYN, host, 25000, S, 80),
			TCP(SYN, host, 21000, Z, 443), QUERY(ECHO, host, S, 5000), UDP(host, 25000, Z, 1),
		};
		uint32_t external = external_of_udp(router, host, 25000);

		if (external != EXT && external != EXT2)
			fail_msg("host %u has the external address %08x", host - HOST(0), external);
		for (size_t i = 0; i < ARRAY_SIZE(others); i++)
			assert_int_equal(external_of(router, &others[i]), external);
		second += external == EXT2;
	}
	if (!second || second == HOSTS)
		fail_msg("of %d hosts %zu have the second address", HOSTS, second);
}

/* The same port of two hosts: each keeps it, on its own address, and answers find their way. */
static void paired_both_ways(struct router *router)
{
	uint32_t one = host_paired_with(router, EXT), other = host_paired_with(router, EXT2);
	struct step steps[] = {
		{ "one", LAN, UDP(one, 28000, S, 53), WAN, UDP(EXT, 28000, S, 53), WHY_OUT_NEW },
		{ "the other", LAN, UDP(other, 28000, S, 53), WAN, UDP(EXT2, 28000, S, 53), WHY_OUT_NEW },
		{ "an answer to one", WAN, UDP(S, 53, EXT, 28000), LAN, UDP(S, 53, one, 28000), WHY_IN },
		{ "an answer to the other", WAN, UDP(S, 53, EXT2, 28000), LAN, UDP(S, 53, other, 28000), WHY_IN },
		{ "one calls the other", LAN, UDP(one, 28000, EXT2, 28000), TURNED, UDP(EXT, 28000, EXT2, 28000),
		  WHY_HAIRPIN },
		{ "which hears it", ROUND, UDP(EXT, 28000, EXT2, 28000), LAN, UDP(EXT, 28000, other, 28000), WHY_IN },
	};

	steps_run(router, steps, ARRAY_SIZE(steps));
}

/* RFC 7857 section 4: a host whose address has no port left is not given one of another address. */
static void paired_and_out_of_ports(struct router *router)
{
	uint32_t external = external_of_udp(router, HOST(0), 25000);

	assert_int_equal(external_of_udp(router, HOST(0), 25001), 0);
	assert_int_equal(external_of_udp(router, HOST(0), 25000), external);
	host_paired_with(router, external == EXT ? EXT2 : EXT); /* there is one to be had there */
}

/* An address without UDP ports is nobody's for UDP, and whose it would be goes out by the other one all the same. */
static void second_has_no_udp(struct router *router)
{
	size_t second = 0;

	for (uint32_t host = HOST(0); host < HOST(HOSTS); host++) {
		struct packet tcp = TCP(SYN, host, 25000, S, 80);

		assert_int_equal(external_of_udp(router, host, 25000), EXT);
		second += external_of(router, &tcp) == EXT2;
	}
	if (!second || second == HOSTS)
		fail_msg("of %d hosts %zu have the second address for TCP", HOSTS, second);
}

/* Where the only address that has UDP ports is gone, UDP waits for it, and does not leave as it is. */
static void the_one_with_udp_goes(struct router *router)
{
	static const struct step gone[] = {
		{ "UDP waits", LAN, UDP(A, 25000, S, 53), DROPPED, WHY_NO_ADDRESS },
		{ "another's, too", LAN, UDP(B, 25000, S, 53), DROPPED, WHY_NO_ADDRESS },
		{ "TCP has the other one", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80),
		  WHY_OUT_NEW },
	};
	static const struct step back[] = {
		{ "UDP goes on", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT2, 25000, S, 53), WHY_OUT_NEW },
	};
	__be32 none[4] = { 0 }, second[4] = { 0 };

	address_write(EXT2, (uint8_t *)second);
	assert_int_equal(datapath_set_external_at(router_datapath(router), 1, none), 0);
	steps_run(router, gone, ARRAY_SIZE(gone));
	assert_int_equal(datapath_set_external_at(router_datapath(router), 1, second), 0);
	steps_run(router, back, ARRAY_SIZE(back));
}

static void first_external_for_all(struct router *router)
{
	for (uint32_t host = HOST(0); host < HOST(HOSTS); host++) {
		assert_int_equal(external_of_udp(router, host, 25000), EXT);
		assert_int_equal(external_of_udp(router, host, 6000), EXT);
	}
}

/* Fragments before their first (RFC 4787 REQ-14) */

#define FIRST .payload = 80, .length = 24, .more = true
#define LAST  .payload = 80, .offset = 24

/* A socket that sees what leaves by lo, which is the router's external interface here. */
static int capture_open(void)
{
	struct sockaddr_ll lo = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = 1 };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	if (fd < 0 || bind(fd, (struct sockaddr *)&lo, sizeof(lo)))
		fail_msg("no packet socket");
	return fd;
}

/* The next frame that leaves. What leaves by lo comes in again: not that. */
static void capture_next(int fd, struct frame *frame)
{
	struct sockaddr_ll from = { 0 };
	socklen_t size = sizeof(from);
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	ssize_t length;

	do {
		if (poll(&poll_fd, 1, DEADLINE_MS) != 1)
			fail_msg("nothing was sent on within %d ms", DEADLINE_MS);
		length = recvfrom(fd, frame->bytes, sizeof(frame->bytes), 0, (struct sockaddr *)&from, &size);
		if (length < 0)
			fail_msg("recvfrom");
	} while (from.sll_pkttype != PACKET_OUTGOING);
	frame->size = length;
	frame->l2 = ETH_HLEN;
}

static void fragments_read(struct router *router)
{
	assert_int_equal(datapath_read_fragments(router_datapath(router)), 0);
}

static void assert_sent_on(int fd, const struct packet *packet)
{
	struct frame want, got;
	char text[600];

	frame_build(&want, packet, true);
	capture_next(fd, &got);
	frame_take_id(&want, &got);
	if (frame_differs(&want, &got, text, sizeof(text)))
		fail_msg("sent on: %s", text);
}

static uint64_t counted(struct router *router, enum nat_direction direction, enum nat_reason why)
{
	struct counter counter;

	assert_int_equal(datapath_read_counter(router_datapath(router), direction, why, &counter), 0);
	return counter.packets;
}

/* Waits until a packet has left an attached program for this reason: what is sent on passes the hooks, no test run. */
static void await_count(struct router *router, enum nat_direction direction, enum nat_reason why, uint64_t want)
{
	for (int ms = 0; counted(router, direction, why) < want; ms++) {
		if (ms == DEADLINE_MS)
			fail_msg("%s: reason %d was not counted within %d ms, SPOOFED %llu times in all",
				 direction == NAT_EGRESS ? "egress" : "ingress", why, DEADLINE_MS,
				 (unsigned long long)counted(router, NAT_INGRESS, WHY_SPOOFED));
		poll(NULL, 0, 1);
	}
	assert_int_equal(counted(router, direction, why), want);
}

static void out_of_order_outwards(struct router *router)
{
	static const struct step steps[] = {
		{ "the last comes first", LAN, UDP(A, 25000, S, 53, LAST), DROPPED, WHY_FRAGMENT_HELD },
		{ "the first", LAN, UDP(A, 25000, S, 53, FIRST), WAN, UDP(EXT, 25000, S, 53, FIRST), WHY_OUT_NEW },
	};
	static const struct packet translated = UDP(EXT, 25000, S, 53, LAST);
	uint64_t before = counted(router, NAT_EGRESS, WHY_OUT_FRAGMENT);
	int fd = capture_open();

	assert_int_equal(datapath_attach(router_datapath(router)), 0);
	step_run(router, &steps[0]);
	fragments_read(router);
	step_run(router, &steps[1]);
	fragments_read(router);
	assert_sent_on(fd, &translated);
	await_count(router, NAT_EGRESS, WHY_OUT_FRAGMENT, before + 1);
	datapath_detach(router_datapath(router));
	router_forget_counters(router);
	close(fd);
}

/* The three steps of a last fragment that comes before the first: it leaves by the interface, is turned round there, and
 * comes in, and our address as its source is not taken for spoofed. */
static void comes_back(struct router *router, const struct step *steps)
{
	uint64_t turned = counted(router, NAT_EGRESS, WHY_FRAGMENT_RETURNED);
	uint64_t in = counted(router, NAT_INGRESS, WHY_IN_FRAGMENT);
	uint64_t spoofed = counted(router, NAT_INGRESS, WHY_SPOOFED);

	assert_int_equal(datapath_attach(router_datapath(router)), 0);
	step_run(router, &steps[0]);
	step_run(router, &steps[1]);
	fragments_read(router);
	step_run(router, &steps[2]);
	fragments_read(router);
	await_count(router, NAT_EGRESS, WHY_FRAGMENT_RETURNED, turned + 1);
	await_count(router, NAT_INGRESS, WHY_IN_FRAGMENT, in + 1);
	await_count(router, NAT_INGRESS, WHY_SPOOFED, spoofed);
	datapath_detach(router_datapath(router));
	router_forget_counters(router);
}

static const struct step last_first[] = {
	A_OPENS,
	{ "the last comes first", WAN, UDP(S, 53, EXT, 25000, LAST), DROPPED, WHY_FRAGMENT_HELD },
	{ "the first", WAN, UDP(S, 53, EXT, 25000, FIRST), LAN, UDP(S, 53, A, 25000, FIRST), WHY_IN },
};

static void out_of_order_inwards(struct router *router)
{
	comes_back(router, last_first);
}

/* The same for one that was turned round before it was held. */
static void out_of_order_hairpinned(struct router *router)
{
	static const struct step steps[] = {
		A_OPENS,
		{ "the last comes first", ROUND, UDP(EXT, 26000, EXT, 25000, LAST), DROPPED, WHY_FRAGMENT_HELD },
		{ "the first", ROUND, UDP(EXT, 26000, EXT, 25000, FIRST), LAN, UDP(EXT, 26000, A, 25000, FIRST),
		  WHY_IN },
	};

	comes_back(router, steps);
}

/* Sends a follower whose first nobody has seen. */
static bool follower_is_held(struct router *router, enum nat_direction direction, uint32_t source, unsigned int id)
{
	struct packet inwards = UDP(source, 53, EXT, 25000, LAST, .id = 1 + id);
	struct packet outwards = UDP(source, 25000, S, 53, LAST, .id = 1 + id);
	struct outcome outcome;
	struct frame frame;
	const char *wrong;

	frame_build(&frame, direction == NAT_INGRESS ? &inwards : &outwards, true);
	wrong = router_send(router, direction, &frame, &outcome);
	if (wrong)
		fail_msg("%s", wrong);
	if (outcome.why != WHY_FRAGMENT_HELD && outcome.why != WHY_FRAGMENT_UNKNOWN)
		fail_msg("follower %u: reason %d", id, outcome.why);
	return outcome.why == WHY_FRAGMENT_HELD;
}

/*
 * More followers without a first than anybody holds: whole packets, and fragments in order, come through all the while.
 * One source leaves something to the others, and what comes from outside to the inside.
 */
static void flood_of_followers(struct router *router)
{
	static const struct step opens = A_OPENS;
	static const struct step others[] = {
		{ "a whole packet", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
		{ "in order: the first", WAN, UDP(S, 53, EXT, 25000, FIRST), LAN, UDP(S, 53, A, 25000, FIRST), WHY_IN },
		{ "the last", WAN, UDP(S, 53, EXT, 25000, LAST), LAN, UDP(S, 53, A, 25000, LAST), WHY_IN_FRAGMENT },
		{ "outwards", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT },
	};
	size_t held = 0;

	step_run(router, &opens);
	for (unsigned int i = 0; i < 1000; i++) {
		held += follower_is_held(router, NAT_INGRESS, Z, i);
		fragments_read(router);
		if (i % 100 == 99)
			steps_run(router, others, ARRAY_SIZE(others));
	}
	if (held != NAT_HOLD_BUDGET / 2)
		fail_msg("held of one source: want %d, got %zu", NAT_HOLD_BUDGET / 2, held);
	if (!follower_is_held(router, NAT_INGRESS, S, 0))
		fail_msg("one source leaves nothing to the others");
	for (unsigned int i = 0; i < 1000; i++) {
		held += follower_is_held(router, NAT_INGRESS, Z + i, i);
		fragments_read(router);
	}
	if (held != NAT_HOLD_BUDGET - 1)
		fail_msg("held of all: want %d, got %zu", NAT_HOLD_BUDGET, held + 1);
	if (!follower_is_held(router, NAT_EGRESS, A, 0))
		fail_msg("a flood from outside leaves nothing to the inside");
	assert_int_equal(datapath_sweep(router_datapath(router)), 0);
	if (!follower_is_held(router, NAT_INGRESS, Z, 1))
		fail_msg("the sweep does not fill the budget up");
	for (unsigned int i = 0; i < NAT_HOLD_BUDGET; i++) /* faster than the daemon takes them */
		held = follower_is_held(router, NAT_INGRESS, Z + i, i);
	if (held || !follower_is_held(router, NAT_EGRESS, A, 1))
		fail_msg("the directions share a buffer");
}

/* Many more firsts than the buffer of what the daemon is told takes, while one follower is held: its own is not overlooked. */
static void flood_of_firsts(struct router *router)
{
	uint64_t in = counted(router, NAT_INGRESS, WHY_IN_FRAGMENT);
	struct frame frame, result;

	assert_int_equal(datapath_attach(router_datapath(router)), 0);
	step_run(router, &last_first[0]);
	step_run(router, &last_first[1]);
	fragments_read(router);
	for (unsigned int i = 0; i < 1500; i++) {
		struct packet first = UDP(Z + i, 53, EXT, 25000, FIRST);

		frame_build(&frame, &first, true);
		router_send_quickly(router, NAT_INGRESS, &frame, &result);
	}
	router_forget_counters(router);
	step_run(router, &last_first[2]);
	fragments_read(router);
	assert_int_equal(counted(router, NAT_INGRESS, WHY_IN_FRAGMENT), in);
	assert_int_equal(datapath_sweep(router_datapath(router)), 0);
	await_count(router, NAT_INGRESS, WHY_IN_FRAGMENT, in + 1);
	datapath_detach(router_datapath(router));
	router_forget_counters(router);
}

/* RFC 4787 REQ-14a: what is never completed is held for its time and no longer, and leaves its place to others. */
static void held_for_a_time(struct router *router)
{
	size_t held = 0;

	for (unsigned int i = 0; i < 2 * NAT_HOLD_BUDGET; i++) {
		held += follower_is_held(router, NAT_INGRESS, Z + i, i);
		fragments_read(router);
	}
	assert_int_equal(held, NAT_HOLD_BUDGET);
	poll(NULL, 0, 1100);
	assert_int_equal(datapath_sweep(router_datapath(router)), 0);
	comes_back(router, last_first);
}

static const struct test tests[] = {
	CODE("rfc4787_req10_no_alg", no_alg, .only_ipv4 = false),
	CODE("rfc4787_req14_out_of_order_fragments_outwards", out_of_order_outwards, .only_ipv4 = false),
	CODE("rfc4787_req14_out_of_order_fragments_inwards", out_of_order_inwards, .only_ipv4 = false),
	CODE("rfc4787_req14_out_of_order_fragments_hairpinned", out_of_order_hairpinned, .only_ipv4 = false),
	CODE("rfc4787_req14a_flood_of_firsts", flood_of_firsts, .only_ipv4 = false),
	CODE("rfc4787_req14a_flood_of_followers", flood_of_followers, .only_ipv4 = false),
	CODE("rfc4787_req14a_held_for_a_time", held_for_a_time, .setup = &shortly_held, .only_ipv4 = false),
	STEPS("rfc5382_req4_unsolicited_syn_is_not_answered", unsolicited_syn),
	STEPS("rfc5508_req3_wrong_checksum", error_is_broken),
	STEPS("rfc5508_req3a_quoted_header_is_wrong", quoted_header_is_broken, .only_ipv4 = true),
	STEPS("rfc5508_req3c_quoted_checksum_is_not_validated", quoted_checksum_is_wrong),
	STEPS("rfc5508_req6_query_errors_change_no_lifetime", query_errors),
	STEPS("rfc7857_7_1_refusals_do_not_refresh", refusals_do_not_refresh),
	STEPS("rfc7857_7_filtered_packets_do_not_refresh", filtered_do_not_refresh,
	      .setup = &strict_and_refreshed_inwards),
	STEPS("rfc4787_req3_no_port_overloading", udp_no_overloading, .setup = &one_port),
	STEPS("rfc5382_req7_no_port_overloading", tcp_no_overloading, .setup = &one_port),
	STEPS("rfc4787_req11_the_same_when_full", same_when_full, .setup = &one_port),
	STEPS("rfc6888_req11d_no_mapping_makes_room", no_room_is_made, .setup = &one_port),
	CODE("rfc4787_req2_paired", paired, .setup = &pool, .only_ipv4 = false),
	CODE("rfc4787_req2_paired_both_ways", paired_both_ways, .setup = &pool, .only_ipv4 = false),
	CODE("rfc7857_4_paired_and_out_of_ports", paired_and_out_of_ports, .setup = &pool_of_one_port,
	     .only_ipv4 = false),
	CODE("the_address_with_udp_ports_goes", the_one_with_udp_goes, .setup = &first_without_udp, .only_ipv4 = false),
	CODE("an_address_without_udp_ports", second_has_no_udp, .setup = &pool_without_udp, .only_ipv4 = false),
	CODE("rfc6888_req2_one_address_for_all_by_default", first_external_for_all, .setup = &first_of_two,
	     .only_ipv4 = false),
	CODE("rfc6888_req12_no_destination_in_the_log", no_destination_in_the_log, .setup = &logging),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
