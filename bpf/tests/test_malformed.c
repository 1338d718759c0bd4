// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets that are cut short, lie, or are noise. Whatever comes: one reason is counted, the verdict is that reason's, a
 * packet that passes is untouched, and one that is translated differs only in what NAT may change.
 */
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "steps.h"

#define ETHERNET 14
#define IP_MIN	 20

/* One packet of each kind and direction, on the mappings that open_mappings() makes; `whole` is what it takes at least. */
struct specimen {
	const char *name;
	enum nat_direction direction;
	struct packet packet, expected;
	size_t whole; /* bytes from the IP header on */
};

static const struct packet quoted_in = UDP(EXT, 25000, S, 53, .payload = 30);
static const struct packet quoted_in_expected = UDP(A, 25000, S, 53, .payload = 30);
static const struct packet quoted_out = TCP(ACK, S, 80, A, 25000, .payload = 30);
static const struct packet quoted_out_expected = TCP(ACK, S, 80, EXT, 25000, .payload = 30);

static const struct specimen specimens[] = {
	{ "UDP out", NAT_EGRESS, UDP(A, 25000, S, 53), UDP(EXT, 25000, S, 53), IP_MIN + 8 },
	{ "TCP out", NAT_EGRESS, TCP(ACK, A, 25000, S, 80, .tcp_options = 12, .payload = 9),
	  TCP(ACK, EXT, 25000, S, 80, .tcp_options = 12, .payload = 9), IP_MIN + 20 },
	{ "ping out", NAT_EGRESS, QUERY(ECHO, A, S, 25000), QUERY(ECHO, EXT, S, 25000), IP_MIN + 8 },
	{ "UDP with options out", NAT_EGRESS, UDP(A, 25000, S, 53, .ip_options = 40),
	  UDP(EXT, 25000, S, 53, .ip_options = 40), IP_MIN + 40 + 8 },
	{ "TCP with options out", NAT_EGRESS, TCP(ACK, A, 25000, S, 80, .ip_options = 12),
	  TCP(ACK, EXT, 25000, S, 80, .ip_options = 12), IP_MIN + 12 + 20 },
	{ "UDP in", NAT_INGRESS, UDP(S, 53, EXT, 25000), UDP(S, 53, A, 25000), IP_MIN + 8 },
	{ "TCP in", NAT_INGRESS, TCP(ACK, S, 80, EXT, 25000, .tcp_options = 12, .payload = 9),
	  TCP(ACK, S, 80, A, 25000, .tcp_options = 12, .payload = 9), IP_MIN + 20 },
	{ "reply in", NAT_INGRESS, QUERY(ECHO_REPLY, S, EXT, 25000), QUERY(ECHO_REPLY, S, A, 25000), IP_MIN + 8 },
	{ "UDP with options in", NAT_INGRESS, UDP(S, 53, EXT, 25000, .ip_options = 40),
	  UDP(S, 53, A, 25000, .ip_options = 40), IP_MIN + 40 + 8 },
};

static const struct specimen errors[] = {
	{ "error in",
	  NAT_INGRESS,
	  { .protocol = 1, .type = UNREACHABLE, .saddr = R, .daddr = EXT, .quoted = &quoted_in },
	  { .protocol = 1, .type = UNREACHABLE, .saddr = R, .daddr = A, .quoted = &quoted_in_expected },
	  0 },
	{ "error out",
	  NAT_EGRESS,
	  { .protocol = 1, .type = UNREACHABLE, .saddr = A, .daddr = S, .quoted = &quoted_out },
	  { .protocol = 1, .type = UNREACHABLE, .saddr = EXT, .daddr = S, .quoted = &quoted_out_expected },
	  0 },
};

static void open_mappings(struct router *router)
{
	static const struct step steps[] = {
		{ "UDP", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
		{ "TCP", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
		{ "ICMP", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT_NEW },
	};

	steps_run(router, steps, sizeof(steps) / sizeof(*steps));
}

/* Sends what may be too short for this kernel's test run: false, then. */
static bool send_any(struct router *router, const struct specimen *specimen, const struct frame *frame,
		     struct outcome *outcome)
{
	const char *wrong = router_send(router, specimen->direction, frame, outcome);

	if (wrong == router_refused)
		return false;
	if (wrong)
		fail_msg("%s, %zu bytes: %s", specimen->name, frame->size, wrong);
	return true;
}

static void cut_to(struct router *router, const struct specimen *specimen, size_t size)
{
	bool whole = size >= ETHERNET + specimen->whole;
	struct frame frame, want;
	struct outcome outcome;
	char text[400];

	frame_build(&frame, &specimen->packet, true);
	frame_build(&want, &specimen->expected, true);
	frame.size = want.size = size;
	if (!send_any(router, specimen, &frame, &outcome))
		return;
	if (!whole && outcome.why != WHY_MALFORMED)
		fail_msg("%s, cut to %zu bytes: reason %d, want MALFORMED", specimen->name, size, outcome.why);
	if (whole && outcome.why != (specimen->direction == NAT_EGRESS ? WHY_OUT : WHY_IN))
		fail_msg("%s, cut to %zu bytes: reason %d, want it translated", specimen->name, size, outcome.why);
	if (whole && frame_differs(&want, &outcome.frame, text, sizeof(text)))
		fail_msg("%s, cut to %zu bytes: %s", specimen->name, size, text);
}

static void cut_short(struct router *router)
{
	open_mappings(router);
	for (size_t i = 0; i < sizeof(specimens) / sizeof(*specimens); i++) {
		struct frame frame;

		frame_build(&frame, &specimens[i].packet, true);
		for (size_t size = ETHERNET; size <= frame.size; size++)
			cut_to(router, &specimens[i], size);
	}
}

/* What lies behind the packet in its frame is no part of it, even where a quoted header would have a checksum there. */
static void padding(struct router *router)
{
	open_mappings(router);
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		struct frame frame, want;
		struct outcome outcome;
		char text[400];

		frame_build(&frame, &errors[i].packet, true);
		frame_build(&want, &errors[i].expected, true);
		memset(frame.bytes + frame.size, 0x5a, 16);
		memset(want.bytes + want.size, 0x5a, 16);
		frame.size += 16;
		want.size += 16;
		send_any(router, &errors[i], &frame, &outcome);
		if (frame_differs(&want, &outcome.frame, text, sizeof(text)))
			fail_msg("%s: %s", errors[i].name, text);
	}
}

/* The same in the header alone: the frame is long enough, but the IP packet in it ends early. */
static void total_length_short(struct router *router)
{
	open_mappings(router);
	for (size_t i = 0; i < sizeof(specimens) / sizeof(*specimens); i++) {
		const struct specimen *specimen = &specimens[i];
		struct outcome outcome;
		struct frame frame;

		for (size_t total = 1; total < specimen->whole; total++) {
			frame_build(&frame, &specimen->packet, true);
			frame.bytes[ETHERNET + 2] = 0;
			frame.bytes[ETHERNET + 3] = total;
			if (send_any(router, specimen, &frame, &outcome) && outcome.why != WHY_MALFORMED)
				fail_msg("%s, total length %zu: reason %d, want MALFORMED", specimen->name, total,
					 outcome.why);
		}
	}
}

/* Errors that quote ever less: from the ports on they are translated, and right; below they are dropped. */
static void quoted_less_and_less(struct router *router)
{
	open_mappings(router);
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		for (int bytes = 60; bytes > 0; bytes--) {
			struct specimen error = errors[i];
			struct frame frame, want;
			struct outcome outcome;
			char text[400];

			error.packet.quoted_bytes = error.expected.quoted_bytes = bytes;
			frame_build(&frame, &error.packet, true);
			frame_build(&want, &error.expected, true);
			if (!send_any(router, &error, &frame, &outcome))
				continue;
			if (bytes >= 8 && bytes != 17 && frame_differs(&want, &outcome.frame, text, sizeof(text)))
				fail_msg("%s, %d bytes quoted: %s", error.name, bytes, text);
			if (bytes < (error.direction == NAT_EGRESS ? 4 : 2) && outcome.why != WHY_MALFORMED)
				fail_msg("%s, %d bytes quoted: reason %d, want MALFORMED", error.name, bytes,
					 outcome.why);
		}
}

/* Where NAT may change a byte: IP checksum, the local address, and behind the header (the transport is checked elsewhere). */
static bool may_change(const struct specimen *specimen, const struct frame *frame, size_t at)
{
	size_t ip = frame->l2, header = (frame->bytes[ip] & 15) * 4,
	       address = specimen->direction == NAT_EGRESS ? 12 : 16;

	bool atomic = (frame->bytes[ip + 6] & 0x7f) == 0x40 && !frame->bytes[ip + 7];

	if (at == ip + 10 || at == ip + 11)
		return true;
	if ((at == ip + 4 || at == ip + 5) && specimen->direction == NAT_EGRESS && !atomic)
		return true;
	if (at >= ip + address && at < ip + address + 4)
		return true;
	return at >= ip + header;
}

static void look_at(const struct specimen *specimen, const struct frame *frame, const struct outcome *outcome,
		    const char *what, size_t where)
{
	bool passed = outcome->verdict != TC_ACT_SHOT && outcome->why != WHY_OUT && outcome->why != WHY_OUT_NEW &&
		      outcome->why != WHY_OUT_ERROR && outcome->why != WHY_OUT_FRAGMENT && outcome->why != WHY_IN &&
		      outcome->why != WHY_IN_ERROR && outcome->why != WHY_IN_FRAGMENT && outcome->why != WHY_HAIRPIN;
	size_t changed = 0;

	if (outcome->frame.size != frame->size)
		fail_msg("%s, %s %zu: size changed from %zu to %zu", specimen->name, what, where, frame->size,
			 outcome->frame.size);
	if (outcome->verdict == TC_ACT_SHOT)
		return;
	for (size_t at = 0; at < frame->size; at++) {
		if (frame->bytes[at] == outcome->frame.bytes[at])
			continue;
		changed += at >= frame->l2 + IP_MIN;
		if (passed || !may_change(specimen, frame, at))
			fail_msg("%s, %s %zu, reason %d: byte %zu changed", specimen->name, what, where, outcome->why,
				 at);
	}
	/* ports, transport checksum; in errors the embedded ones, its addresses and its header's checksum */
	if (changed > 4 && outcome->why != WHY_IN_ERROR && outcome->why != WHY_OUT_ERROR && outcome->why != WHY_HAIRPIN)
		fail_msg("%s, %s %zu, reason %d: %zu bytes changed behind the IP header", specimen->name, what, where,
			 outcome->why, changed);
}

static void flip_bits(struct router *router, const struct specimen *specimen, bool has_l2)
{
	struct frame frame;
	size_t bits;

	frame_build(&frame, &specimen->packet, has_l2);
	bits = frame.size * 8;
	for (size_t bit = frame.l2 * 8; bit < bits && bit < (ETHERNET + IP_MIN + 40) * 8; bit++) {
		struct outcome outcome;

		frame.bytes[bit / 8] ^= 1 << bit % 8;
		if (send_any(router, specimen, &frame, &outcome))
			look_at(specimen, &frame, &outcome, "bit flipped:", bit);
		frame.bytes[bit / 8] ^= 1 << bit % 8;
	}
}

static void bits_flipped(struct router *router)
{
	open_mappings(router);
	for (size_t i = 0; i < sizeof(specimens) / sizeof(*specimens); i++)
		flip_bits(router, &specimens[i], true);
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		flip_bits(router, &errors[i], true);
}

/* Each header length that the first byte can claim, and each version. */
static void first_byte(struct router *router)
{
	open_mappings(router);
	for (size_t i = 0; i < sizeof(specimens) / sizeof(*specimens); i++) {
		const struct specimen *specimen = &specimens[i];
		struct outcome outcome;
		struct frame frame;

		frame_build(&frame, &specimen->packet, true);
		for (unsigned int byte = 0; byte < 256; byte++) {
			frame.bytes[ETHERNET] = byte;
			if (!send_any(router, specimen, &frame, &outcome))
				continue;
			look_at(specimen, &frame, &outcome, "first byte", byte);
			if ((byte >> 4 != 4 || (byte & 15) < 5) && outcome.why != WHY_MALFORMED)
				fail_msg("%s, first byte 0x%02x: reason %d, want MALFORMED", specimen->name, byte,
					 outcome.why);
		}
	}
}

static void noise(struct router *router)
{
	unsigned int seed = 1;

	open_mappings(router);
	for (size_t round = 0; round < 2000; round++) {
		const struct specimen *specimen = &specimens[round % (sizeof(specimens) / sizeof(*specimens))];
		size_t keep = ETHERNET + rand_r(&seed) % 30;
		struct outcome outcome;
		struct frame frame;

		frame_build(&frame, &specimen->packet, true);
		for (size_t at = keep; at < frame.size; at++)
			frame.bytes[at] = rand_r(&seed);
		if (send_any(router, specimen, &frame, &outcome))
			look_at(specimen, &frame, &outcome, "round", round);
	}
}

/* Errors whose frame ends before their header says: translated or dropped, but nothing else is touched. */
static void errors_cut_short(struct router *router)
{
	open_mappings(router);
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		struct frame frame;

		frame_build(&frame, &errors[i].packet, true);
		for (; frame.size >= ETHERNET; frame.size--) {
			struct outcome outcome;
			bool translated;

			if (!send_any(router, &errors[i], &frame, &outcome))
				continue;
			look_at(&errors[i], &frame, &outcome, "cut to", frame.size);
			translated = outcome.why == WHY_IN_ERROR || outcome.why == WHY_OUT_ERROR;
			if (!translated && outcome.why != WHY_MALFORMED)
				fail_msg("%s, cut to %zu bytes: reason %d", errors[i].name, frame.size, outcome.why);
			if (translated != (frame.size >= ETHERNET + IP_MIN + 8 + IP_MIN + (i ? 4 : 2)))
				fail_msg("%s, cut to %zu bytes: translated %d", errors[i].name, frame.size, translated);
		}
	}
}

/* Total length 0 is a GSO packet beyond 64 KB, total length beyond the frame is none of our business. */
static void total_length_long(struct router *router)
{
	static const uint16_t totals[] = { 0, 0xffff, 0x1000 };

	open_mappings(router);
	for (size_t i = 0; i < sizeof(totals) / sizeof(*totals); i++) {
		const struct specimen *specimen = &specimens[0];
		struct outcome outcome;
		struct frame frame;

		frame_build(&frame, &specimen->packet, true);
		frame.bytes[ETHERNET + 2] = totals[i] >> 8;
		frame.bytes[ETHERNET + 3] = totals[i];
		assert_true(send_any(router, specimen, &frame, &outcome));
		assert_int_equal(outcome.why, WHY_OUT);
		look_at(specimen, &frame, &outcome, "total length", totals[i]);
	}
}

static const struct test tests[] = {
	CODE("cut_short_at_every_length", cut_short),
	CODE("what_lies_behind_a_packet_is_left_alone", padding),
	CODE("total_length_short_of_the_headers", total_length_short),
	CODE("total_length_zero_or_too_long", total_length_long),
	CODE("errors_that_quote_less_and_less", quoted_less_and_less),
	CODE("errors_cut_short_at_every_length", errors_cut_short),
	CODE("every_first_byte", first_byte),
	CODE("every_bit_flipped", bits_flipped),
	CODE("noise", noise),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
