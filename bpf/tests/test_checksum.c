// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checksums, where they are hard: sums that come out as zero or all ones, no UDP checksum, packets that were broken before
 * they came, and everything at random. What is expected is computed from nothing by packet.c (RFC 1071).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "steps.h"

/* RFC 1071 section 3, and what RFC 1624 section 2 gives for a header. */
static void our_own_sum(struct router *router)
{
	static const uint8_t rfc1071[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
	static const uint8_t odd[] = { 0x12, 0x34, 0x56 };

	(void)router;
	assert_int_equal(checksum_add(0, rfc1071, sizeof(rfc1071)), 0xddf2);
	assert_int_equal(checksum_add(0, odd, sizeof(odd)), 0x6834);
	assert_int_equal(checksum_add(0xffff, odd, sizeof(odd)), 0x6834);
}

/* Our own checks see a wrong sum, wherever it is. */
static void our_own_check(struct router *router)
{
	static const struct packet quoted = UDP(EXT, 25000, S, 53);
	static const struct packet packets[] = {
		UDP(A, 25000, S, 53),
		TCP(SYN, A, 25000, S, 80, .tcp_options = 12, .payload = 9),
		QUERY(ECHO, A, S, 25000),
		{ .protocol = 1, .type = UNREACHABLE, .saddr = R, .daddr = EXT, .quoted = &quoted, .quoted_bytes = 21 },
	};

	(void)router;
	for (size_t i = 0; i < sizeof(packets) / sizeof(*packets); i++) {
		struct frame frame;

		frame_build(&frame, &packets[i], true);
		assert_null(frame_check(&frame));
		for (size_t at = frame.l2; at < frame.size; at++) {
			frame.bytes[at] ^= 0x10;
			/* lengths, offset and protocol say what is to be checked at all */
			if (at - frame.l2 > 9 && !frame_check(&frame))
				fail_msg("packet %zu: byte %zu was changed, and no checksum is wrong", i, at);
			frame.bytes[at] ^= 0x10;
		}
	}
}

#define EDGE_PAYLOAD 24

/* Makes the transport checksum come out as `wanted`, by the payload's last two bytes. */
static void packet_aim(struct packet *packet, uint16_t wanted)
{
	static const size_t from_end[] = { [1] = 8 - 2, [6] = 20 - 16, [17] = 8 - 6 };
	uint8_t words[2][2] = { { 0 }, { 0 } };
	struct frame frame;
	const uint8_t *check;
	uint16_t sum;

	packet->fill = 1;
	frame_build(&frame, packet, false);
	check = frame.bytes + frame.size - EDGE_PAYLOAD - from_end[packet->protocol];
	/* fill = ~wanted - (~check - 1), in ones' complement: minus is plus the inverse */
	words[0][0] = check[0], words[0][1] = check[1];
	sum = checksum_add(1, words[0], 2);
	words[1][0] = (uint16_t)~wanted >> 8, words[1][1] = (uint16_t)~wanted & 0xff;
	packet->fill = checksum_add(sum, words[1], 2);
	if (!packet->fill)
		packet->fill = 0xffff;
}

static struct packet packet_of(uint8_t protocol, uint32_t saddr, uint32_t sport, uint32_t daddr, uint32_t dport)
{
	struct packet packet = { .protocol = protocol, .saddr = saddr, .sport = sport, .daddr = daddr, .dport = dport };

	packet.payload = EDGE_PAYLOAD;
	if (protocol == 6)
		packet.flags = SYN;
	if (protocol == 1) {
		packet.type = saddr == S ? ECHO_REPLY : ECHO;
		packet.sport = packet.dport = saddr == S ? dport : sport;
	}
	return packet;
}

/* One packet out and one in, aimed before or after the translation. Options keep it from the short way. */
static void edge_both_ways(struct router *router, uint8_t protocol, uint32_t host, uint32_t port, uint16_t wanted,
			   bool after, uint8_t ip_options)
{
	struct step out = { "a sum at the edge, outwards",	   LAN,	   packet_of(protocol, host, 25000, S, 80), WAN,
			    packet_of(protocol, EXT, port, S, 80), WHY_OUT };
	struct step in = { "a sum at the edge, inwards",
			   WAN,
			   packet_of(protocol, S, 80, EXT, port),
			   LAN,
			   packet_of(protocol, S, 80, host, 25000),
			   WHY_IN };

	out.packet.ip_options = out.expected.ip_options = in.packet.ip_options = in.expected.ip_options = ip_options;
	packet_aim(after ? &out.expected : &out.packet, wanted);
	packet_aim(after ? &in.expected : &in.packet, wanted);
	out.packet.fill = out.expected.fill = after ? out.expected.fill : out.packet.fill;
	in.packet.fill = in.expected.fill = after ? in.expected.fill : in.packet.fill;
	step_run(router, &out);
	step_run(router, &in);
}

static void edges(struct router *router)
{
	static const uint16_t sums[] = { 0x0000, 0xffff, 0x0001, 0xfffe, 0x0100, 0xfeff, 0x8000, 0x7fff };
	static const uint8_t protocols[] = { 6, 17, 1 };

	for (size_t i = 0; i < sizeof(protocols); i++) {
		struct step kept = { "A keeps its port",
				     LAN,
				     packet_of(protocols[i], A, 25000, S, 80),
				     WAN,
				     packet_of(protocols[i], EXT, 25000, S, 80),
				     WHY_OUT_NEW };
		struct step changed = { "B does not",
					LAN,
					packet_of(protocols[i], B, 25000, S, 80),
					WAN,
					packet_of(protocols[i], EXT, PORT(i), S, 80),
					WHY_OUT_NEW };

		if (protocols[i] == 1)
			changed.expected.dport = PORT(i);
		step_run(router, &kept);
		step_run(router, &changed);
		for (size_t j = 0; j < sizeof(sums) / sizeof(*sums); j++)
			for (int after = 0; after < 2; after++)
				for (int ip_options = 0; ip_options <= 8; ip_options += 8) {
					edge_both_ways(router, protocols[i], A, 25000, sums[j], after, ip_options);
					edge_both_ways(router, protocols[i], B, port_chosen(i), sums[j], after,
						       ip_options);
				}
	}
}

static const struct step udp_zero[] = {
	{ "A, port kept", LAN, UDP(A, 25000, S, 53, .no_checksum = true), WAN,
	  UDP(EXT, 25000, S, 53, .no_checksum = true), WHY_OUT_NEW },
	{ "its answer", WAN, UDP(S, 53, EXT, 25000, .no_checksum = true), LAN,
	  UDP(S, 53, A, 25000, .no_checksum = true), WHY_IN },
	{ "an answer with a checksum", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
	{ "B, port changed", LAN, UDP(B, 25000, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW },
	{ "B without checksum", LAN, UDP(B, 25000, S, 53, .no_checksum = true), WAN,
	  UDP(EXT, PORT(0), S, 53, .no_checksum = true), WHY_OUT },
	{ "its answer", WAN, UDP(S, 53, EXT, PORT(0), .no_checksum = true), LAN,
	  UDP(S, 53, B, 25000, .no_checksum = true), WHY_IN },
};

/* A packet that was broken on the way must be as broken behind us: a NAT that sets sums anew hides it. */
static const struct step broken_stays_broken[] = {
	{ "UDP", LAN, UDP(A, 25000, S, 53, .damage = 0x0101), WAN, UDP(EXT, 25000, S, 53, .damage = 0x0101),
	  WHY_OUT_NEW },
	{ "UDP, port changed", LAN, UDP(B, 25000, S, 53, .damage = 0x8000), WAN,
	  UDP(EXT, PORT(0), S, 53, .damage = 0x8000), WHY_OUT_NEW },
	{ "UDP inwards", WAN, UDP(S, 53, EXT, PORT(0), .damage = 0x0007), LAN, UDP(S, 53, B, 25000, .damage = 0x0007),
	  WHY_IN },
	{ "TCP", LAN, TCP(SYN, A, 25000, S, 80, .damage = 0x1234), WAN, TCP(SYN, EXT, 25000, S, 80, .damage = 0x1234),
	  WHY_OUT_NEW },
	{ "TCP, port changed", LAN, TCP(SYN, B, 25000, S, 80, .damage = 0x00ff), WAN,
	  TCP(SYN, EXT, PORT(1), S, 80, .damage = 0x00ff), WHY_OUT_NEW },
	{ "TCP inwards", WAN, TCP(ACK, S, 80, EXT, PORT(1), .damage = 0x4000), LAN,
	  TCP(ACK, S, 80, B, 25000, .damage = 0x4000), WHY_IN },
	{ "ICMP", LAN, QUERY(ECHO, A, S, 25000, .damage = 0x0001), WAN, QUERY(ECHO, EXT, S, 25000, .damage = 0x0001),
	  WHY_OUT_NEW },
	{ "ICMP, identifier changed", LAN, QUERY(ECHO, B, S, 25000, .damage = 0x0002), WAN,
	  QUERY(ECHO, EXT, S, PORT(2), .damage = 0x0002), WHY_OUT_NEW },
	{ "an error about a broken packet", WAN, ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, PORT(0), S, 53, .damage = 3)),
	  LAN, ERROR(UNREACHABLE, 3, S, B, UDP(B, 25000, S, 53, .damage = 3), .damage = 0), WHY_IN_ERROR },
};

static struct packet random_packet(unsigned int *seed)
{
	static const uint8_t protocols[] = { 6, 17, 1 };
	struct packet packet = packet_of(protocols[rand_r(seed) % 3], 0, 0, 0, 0);

	packet.payload = 2 + rand_r(seed) % 1200;
	packet.fill = rand_r(seed);
	packet.id = rand_r(seed);
	packet.tos = rand_r(seed);
	packet.ttl = 1 + rand_r(seed) % 255;
	packet.no_df = rand_r(seed) % 2;
	packet.ip_options = rand_r(seed) % 4 ? 0 : rand_r(seed) % 11 * 4;
	packet.tcp_options = packet.protocol == 6 ? rand_r(seed) % 11 * 4 : 0;
	packet.flags = packet.protocol == 6 ? SYN : 0;
	packet.no_checksum = packet.protocol == 17 && rand_r(seed) % 8 == 0;
	return packet;
}

/* Any host, any remote, any port, any size: out, and the answer in. */
static void at_random(struct router *router)
{
	unsigned int seed = 4787;

	for (unsigned int i = 0; i < 400; i++) {
		struct packet packet = random_packet(&seed);
		uint32_t host = IPV4(10, 0, 0, 0) + i, remote = IPV4(192, 0, 2, 1 + rand_r(&seed) % 254);
		uint32_t port = rand_r(&seed) % 65536, remote_port = rand_r(&seed) % 65536;
		struct step out = { "at random, outwards", LAN, packet, WAN, packet, WHY_OUT_NEW };
		struct step in = { "at random, inwards", WAN, packet, LAN, packet, WHY_IN };

		out.packet.saddr = in.expected.daddr = host;
		out.expected.saddr = in.packet.daddr = EXT;
		out.packet.daddr = out.expected.daddr = in.packet.saddr = in.expected.saddr = remote;
		out.packet.sport = in.expected.dport = port;
		out.expected.sport = in.packet.dport = PORT(0);
		out.packet.dport = out.expected.dport = in.packet.sport = in.expected.sport = remote_port;
		if (packet.protocol == 1) {
			out.packet.dport = in.expected.sport = port;
			out.expected.dport = in.packet.sport = PORT(0);
			in.packet.type = in.expected.type = ECHO_REPLY;
		}
		ports_forget();
		step_run(router, &out);
		step_run(router, &in);
	}
}

/* Everything once more without CHECKSUM_COMPLETE: what the driver says of a packet takes other ways in the kernel. */
static void without_complete(struct router *router)
{
	router_set_checksum_none(router);
	steps_run(router, broken_stays_broken, sizeof(broken_stays_broken) / sizeof(*broken_stays_broken));
	at_random(router);
}

static const struct test tests[] = {
	CODE("rfc1071_our_own_sum", our_own_sum),
	CODE("our_own_check_sees_each_byte", our_own_check),
	CODE("sums_of_zero_and_all_ones", edges, .only_ipv4 = false),
	STEPS("rfc768_no_udp_checksum", udp_zero),
	STEPS("what_is_broken_stays_broken", broken_stays_broken),
	CODE("at_random", at_random, .only_ipv4 = false),
	CODE("without_checksum_complete", without_complete, .only_ipv4 = false),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
