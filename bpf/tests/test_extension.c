// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IPv6: extension headers in any order and number (RFC 8200 section 4), and what belongs to the link (RFC 4861).
 * An atomic fragment header, of a packet in one piece (RFC 6946), is one like the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "steps.h"

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define HOP	   0
#define ROUTING	   43 /* type 4 */
#define FRAGMENT   44
#define AH	   51
#define NOTHING	   59
#define OPTIONS	   60
#define ALL_NODES  IPV4(224, 0, 0, 1) /* ff02::e000:1 */
#define LENGTH_MAX 3
#define SEVEN	   .extensions = 7, .extension = { HOP, OPTIONS, ROUTING, FRAGMENT, OPTIONS, OPTIONS, OPTIONS }
#define EIGHT	   .extensions = 8, .extension = { HOP, OPTIONS, ROUTING, FRAGMENT, OPTIONS, OPTIONS, OPTIONS, OPTIONS }
#define WITH(...)  .extensions = sizeof((uint8_t[]){ __VA_ARGS__ }), .extension = { __VA_ARGS__ }

static const struct packet sent = UDP(EXT, 25000, S, 53), had_sent = UDP(A, 25000, S, 53);
static const struct packet received = UDP(S, 53, A, 25000), had_received = UDP(S, 53, EXT, 25000);

static const struct step opening[] = {
	{ "UDP", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "TCP", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
	{ "ping", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT_NEW },
};

static const struct step each_way[] = {
	{ "UDP out", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT },
	{ "UDP in", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
	{ "TCP out", LAN, TCP(ACK, A, 25000, S, 80), WAN, TCP(ACK, EXT, 25000, S, 80), WHY_OUT },
	{ "TCP in", WAN, TCP(ACK, S, 80, EXT, 25000), LAN, TCP(ACK, S, 80, A, 25000), WHY_IN },
	{ "ping out", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT },
	{ "reply in", WAN, QUERY(ECHO_REPLY, S, EXT, 25000), LAN, QUERY(ECHO_REPLY, S, A, 25000), WHY_IN },
};

static void set_extensions(struct packet *packet, const uint8_t *types, uint8_t count)
{
	packet->extensions = count;
	memcpy(packet->extension, types, count);
}

/* The same headers before an error, and before the packet that it quotes. */
static void errors_run(struct router *router, const uint8_t *types, uint8_t count)
{
	struct packet quoted[] = { sent, had_sent, received, had_received };
	struct step steps[] = {
		{ .sentence = "error in",
		  .from = WAN,
		  .to = LAN,
		  .packet = { .protocol = 1, .type = UNREACHABLE, .saddr = R, .daddr = EXT, .quoted = &quoted[0] },
		  .expected = { .protocol = 1, .type = UNREACHABLE, .saddr = R, .daddr = A, .quoted = &quoted[1] },
		  .why = WHY_IN_ERROR },
		{ .sentence = "error out",
		  .from = LAN,
		  .to = WAN,
		  .packet = { .protocol = 1, .type = UNREACHABLE, .saddr = A, .daddr = S, .quoted = &quoted[2] },
		  .expected = { .protocol = 1, .type = UNREACHABLE, .saddr = EXT, .daddr = S, .quoted = &quoted[3] },
		  .why = WHY_OUT_ERROR },
	};

	for (size_t i = 0; i < COUNT(quoted); i++)
		set_extensions(&quoted[i], types, count);
	for (size_t i = 0; i < COUNT(steps); i++) {
		set_extensions(&steps[i].packet, types, count);
		set_extensions(&steps[i].expected, types, count);
		step_run(router, &steps[i]);
	}
}

static void sequence_run(struct router *router, const uint8_t *types, uint8_t count)
{
	for (size_t i = 0; i < COUNT(each_way); i++) {
		struct step step = each_way[i];
		char sentence[80];

		snprintf(sentence, sizeof(sentence), "%s, headers %u of %u %u %u", step.sentence, count, types[0],
			 types[1], types[2]);
		step.sentence = sentence;
		set_extensions(&step.packet, types, count);
		set_extensions(&step.expected, types, count);
		step_run(router, &step);
	}
	errors_run(router, types, count);
}

/* Every sequence of up to LENGTH_MAX headers. */
static void any_order(struct router *router)
{
	static const uint8_t headers[] = { HOP, OPTIONS, ROUTING, FRAGMENT };

	steps_run(router, opening, COUNT(opening));
	for (uint8_t count = 0, sequences = 1; count <= LENGTH_MAX; count++, sequences *= COUNT(headers))
		for (uint8_t i = 0; i < sequences; i++) {
			uint8_t types[LENGTH_MAX];

			for (uint8_t place = 0, rest = i; place < LENGTH_MAX; place++, rest /= COUNT(headers))
				types[place] = headers[rest % COUNT(headers)];
			sequence_run(router, types, count);
		}
}

static const struct step many[] = {
	{ "seven out", LAN, UDP(A, 25000, S, 53, SEVEN), WAN, UDP(EXT, 25000, S, 53, SEVEN), WHY_OUT_NEW },
	{ "seven in", WAN, UDP(S, 53, EXT, 25000, SEVEN), LAN, UDP(S, 53, A, 25000, SEVEN), WHY_IN },
	{ "eight out", LAN, UDP(A, 25000, S, 53, EIGHT), DROPPED, WHY_MALFORMED },
	{ "eight in", WAN, UDP(S, 53, EXT, 25000, EIGHT), DROPPED, WHY_MALFORMED },
	{ "136 bytes of options", LAN, TCP(SYN, A, 25000, S, 80, .ip_options = 136), WAN,
	  TCP(SYN, EXT, 25000, S, 80, .ip_options = 136), WHY_OUT_NEW },
	{ "and in", WAN, TCP(SYN | ACK, S, 80, EXT, 25000, .ip_options = 136), LAN,
	  TCP(SYN | ACK, S, 80, A, 25000, .ip_options = 136), WHY_IN },
	{ "too many bytes", LAN, TCP(SYN, A, 25000, S, 80, .ip_options = 168), DROPPED, WHY_MALFORMED },
	{ "and in", WAN, TCP(ACK, S, 80, EXT, 25000, .ip_options = 168), DROPPED, WHY_MALFORMED },
};

/* AH authenticates the addresses, so there is nothing that we could do. */
static const struct step left_alone[] = {
	{ "A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "authenticated, out", LAN, UDP(A, 25000, S, 53, WITH(AH)), PASSED, WHY_OTHER_PROTOCOL },
	{ "authenticated, in", WAN, UDP(S, 53, EXT, 25000, WITH(AH)), PASSED, WHY_OTHER_PROTOCOL },
	{ "behind options", LAN, UDP(A, 25000, S, 53, WITH(HOP, OPTIONS, AH)), PASSED, WHY_OTHER_PROTOCOL },
	{ "no next header, out", LAN, UDP(A, 25000, S, 53, WITH(NOTHING)), PASSED, WHY_OTHER_PROTOCOL },
	{ "no next header, in", WAN, UDP(S, 53, EXT, 25000, WITH(OPTIONS, NOTHING)), PASSED, WHY_OTHER_PROTOCOL },
};

#define SEGMENTS(n, ...) .segments_left = (n), WITH(__VA_ARGS__)

/* The router is a segment's end, and the packet is for somebody else: inwards, whose checksum covers them. */
static const struct step segments[] = {
	{ "A opens a mapping", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "none left", WAN, UDP(S, 53, EXT, 25000, SEGMENTS(0, ROUTING)), LAN,
	  UDP(S, 53, A, 25000, SEGMENTS(0, ROUTING)), WHY_IN },
	{ "one left", WAN, UDP(S, 53, EXT, 25000, SEGMENTS(1, ROUTING)), PASSED, WHY_OTHER_PROTOCOL },
	{ "255 left", WAN, UDP(S, 53, EXT, 25000, SEGMENTS(255, ROUTING)), PASSED, WHY_OTHER_PROTOCOL },
	{ "between others", WAN, UDP(S, 53, EXT, 25000, SEGMENTS(1, HOP, OPTIONS, ROUTING, FRAGMENT, OPTIONS)), PASSED,
	  WHY_OTHER_PROTOCOL },
	{ "as the eighth", WAN,
	  UDP(S, 53, EXT, 25000, SEGMENTS(1, HOP, OPTIONS, OPTIONS, OPTIONS, OPTIONS, OPTIONS, OPTIONS, ROUTING)),
	  DROPPED, WHY_MALFORMED },
	{ "TCP", WAN, TCP(ACK, S, 80, EXT, 25000, SEGMENTS(1, ROUTING)), PASSED, WHY_OTHER_PROTOCOL },
	{ "ping", WAN, QUERY(ECHO, S, EXT, 25000, SEGMENTS(1, ROUTING)), PASSED, WHY_OTHER_PROTOCOL },
	{ "a fragment", WAN, UDP(S, 53, EXT, 25000, SEGMENTS(1, ROUTING), .more = true, .payload = 64, .length = 64),
	  PASSED, WHY_OTHER_PROTOCOL },
	{ "and its follower", WAN,
	  UDP(S, 53, EXT, 25000, SEGMENTS(1, ROUTING), .offset = 64, .payload = 64, .length = 8), PASSED,
	  WHY_OTHER_PROTOCOL },
	{ "outwards only the source changes", LAN, UDP(A, 25000, S, 53, SEGMENTS(1, ROUTING)), WAN,
	  UDP(EXT, 25000, S, 53, SEGMENTS(1, ROUTING)), WHY_OUT },
};

/* The types of RFC 4861 and RFC 3810, out and in; to all nodes and to one. */
static void discovery(struct router *router)
{
	static const uint8_t types[] = { 130, 131, 132, 133, 134, 135, 136, 137, 143 };

	for (size_t i = 0; i < COUNT(types); i++) {
		const struct step steps[] = {
			{ "to all nodes, out", LAN, QUERY(types[i], EXT, ALL_NODES, 0), PASSED, WHY_OTHER_ICMP },
			{ "to one, out", LAN, QUERY(types[i], EXT, R, 0), PASSED, WHY_OTHER_ICMP },
			{ "with a router alert", LAN, QUERY(types[i], EXT, ALL_NODES, 0, WITH(HOP)), PASSED,
			  WHY_OTHER_ICMP },
			{ "to all nodes, in", WAN, QUERY(types[i], R, ALL_NODES, 0), PASSED, WHY_OTHER_ICMP },
			{ "to one, in", WAN, QUERY(types[i], R, EXT, 0), PASSED, WHY_OTHER_ICMP },
		};

		steps_run(router, steps, COUNT(steps));
	}
}

/* To and from fe80::/10, which no description can say. */
static void link_local(struct router *router)
{
	static const struct packet packets[] = { UDP(A, 546, S, 547), QUERY(ECHO, A, S, 25000),
						 TCP(SYN, A, 25000, S, 179), UDP(A, 5353, ALL_NODES, 5353) };

	for (size_t i = 0; i < COUNT(packets); i++) {
		struct outcome outcome;
		struct frame frame;
		const char *wrong;
		char text[600];

		frame_build(&frame, &packets[i], true);
		memcpy(frame.bytes + 14 + 8, "\xfe\x80\0\0\0\0\0\0", 8);
		wrong = router_send(router, NAT_EGRESS, &frame, &outcome);
		if (wrong)
			fail_msg("packet %zu: %s", i, wrong);
		if (outcome.why != WHY_EXEMPT || frame_differs(&frame, &outcome.frame, text, sizeof(text)))
			fail_msg("packet %zu: reason %d, want EXEMPT", i, outcome.why);
	}
}

static const struct test tests[] = {
	CODE("rfc8200_4_any_order", any_order, .only_ipv4 = false, .only_ipv6 = true),
	STEPS("rfc8200_4_many_headers", many, .only_ipv6 = true),
	STEPS("rfc8200_4_authenticated_and_empty_pass", left_alone, .only_ipv6 = true),
	STEPS("rfc8200_8_1_segments_left", segments, .only_ipv6 = true),
	CODE("rfc4861_discovery_passes", discovery, .only_ipv4 = false, .only_ipv6 = true),
	CODE("rfc4861_link_local_passes", link_local, .only_ipv4 = false, .only_ipv6 = true),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
