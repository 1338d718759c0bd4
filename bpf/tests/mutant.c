// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes random packets. See mutant.h. */
#include "mutant.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define PICK(random, a) ((a)[random_below(random, COUNT(a))])

static const uint32_t internals[] = { A, B, G, IPV4(192, 168, 1, 3), A, B };
static const uint32_t remotes[] = { S, T, Z, R, S, EXT, EXT2 };
static const uint32_t externals[] = { EXT, EXT, EXT, EXT2, R };
static const uint16_t ports[] = { 500, 501, 25000, 25001, 25002, 25003, 25004, 25005, 25015, 25016, 80, 0 };
static const uint16_t remote_ports[] = { 53, 80, 53, 80, 9, 25000, 25001, 0 };

uint64_t random_next(struct random *random)
{
	uint64_t word = random->state += 0x9e3779b97f4a7c15;

	word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9;
	word = (word ^ word >> 27) * 0x94d049bb133111eb;
	return word ^ word >> 31;
}

unsigned int random_below(struct random *random, unsigned int bound)
{
	return random_next(random) % bound;
}

bool random_one_in(struct random *random, unsigned int n)
{
	return !random_below(random, n);
}

/* The fields of the transport header, for a packet from or to an internal endpoint. */
static void describe_transport(struct random *random, struct packet *packet)
{
	static const uint8_t flags[] = { SYN, SYN | ACK, ACK, ACK, ACK | PSH, FIN | ACK, RST, RST | ACK, FIN, 0 };
	static const uint8_t types[] = { ECHO, ECHO, ECHO_REPLY, ECHO_REPLY, REDIRECT, 13, 14, 17, 9 };
	static const uint8_t protocols[] = { 6, 6, 17, 17, 1, 1, 6, 17, 47 };

	packet->protocol = PICK(random, protocols);
	packet->payload = random_one_in(random, 8) ? random_below(random, 1400) : random_below(random, 60);
	packet->flags = PICK(random, flags);
	packet->type = PICK(random, types);
	packet->code = random_below(random, 4);
	packet->no_checksum = packet->protocol == 17 && random_one_in(random, 4);
	packet->damage = random_one_in(random, 8) ? random_next(random) : 0;
	if (packet->payload > 1 && random_one_in(random, 4))
		packet->fill = random_next(random);
	if (packet->protocol != 6 || !random_one_in(random, 2))
		return;
	packet->tcp_options = 4 * random_below(random, 11);
	packet->own_options = random_one_in(random, 2);
	for (size_t i = 0; i < sizeof(packet->options); i++)
		packet->options[i] = random_below(random, 6);
	if (random_one_in(random, 2)) {
		size_t at = random_below(random, 8);

		packet->own_options = true;
		memset(packet->options, 1, at);
		memcpy(packet->options + at, "\2\4\5\xb4", 4);
	}
}

/* What may stand between the addresses and the transport header. */
static void describe_ip(struct random *random, struct packet *packet)
{
	static const uint8_t extensions[] = { 0, 60, 43, 44, 60, 0, 43, 51, 59, 135 };

	packet->tos = random_one_in(random, 4) ? random_next(random) : 0;
	packet->ttl = random_one_in(random, 4) ? 1 + random_below(random, 255) : 0;
	packet->no_df = random_one_in(random, 2);
	packet->id = 1 + random_below(random, 4);
	if (random_one_in(random, 4))
		packet->ip_options = 4 * random_below(random, 11);
	if (random_one_in(random, 3))
		packet->extensions = random_below(random, random_one_in(random, 8) ? 11 : 4);
	for (int i = 0; i < packet->extensions; i++)
		packet->extension[i] =
			extensions[random_below(random, random_one_in(random, 4) ? COUNT(extensions) : 5)];
	if (packet->extensions && random_one_in(random, 8))
		packet->segments_left = random_below(random, 256);
	if (!random_one_in(random, 6))
		return;
	packet->offset = 8 * random_below(random, 8);
	packet->more = random_one_in(random, 2);
	packet->length = random_one_in(random, 2) ? 8 * random_below(random, 12) : 0;
}

/* A packet as it is on the side that the program of that direction is for. */
static void describe(struct random *random, enum nat_direction direction, struct packet *packet)
{
	uint32_t remote = PICK(random, remotes), local;
	uint16_t port = PICK(random, ports), remote_port = PICK(random, remote_ports);

	memset(packet, 0, sizeof(*packet));
	local = direction == NAT_EGRESS ? PICK(random, internals) : PICK(random, externals);
	if (random_one_in(random, 32))
		local = random_one_in(random, 2) ? EXT : random_next(random);
	if (random_one_in(random, 32))
		remote = random_one_in(random, 2) ? 0xe0000001 : random_next(random);
	describe_transport(random, packet);
	describe_ip(random, packet);
	packet->saddr = direction == NAT_EGRESS ? local : remote;
	packet->daddr = direction == NAT_EGRESS ? remote : local;
	packet->sport = direction == NAT_EGRESS ? port : remote_port;
	packet->dport = direction == NAT_EGRESS ? remote_port : port;
	if (packet->protocol == 1)
		packet->sport = packet->dport = port;
}

/* An error about a packet that went the other way. */
static void describe_error(struct random *random, enum nat_direction direction, struct packet *packet,
			   struct packet *quoted)
{
	static const uint8_t types[] = { UNREACHABLE, EXCEEDED, PARAMETER, QUENCH };
	uint32_t swapped;

	describe(random, direction, quoted);
	swapped = quoted->saddr;
	quoted->saddr = quoted->daddr;
	quoted->daddr = swapped;
	swapped = quoted->sport;
	quoted->sport = quoted->dport;
	quoted->dport = swapped;
	describe(random, direction, packet);
	packet->protocol = 1;
	packet->type = PICK(random, types);
	packet->payload = random_one_in(random, 4) ? packet->payload : 0;
	packet->fill = 0;
	packet->no_checksum = false;
	if (!random_one_in(random, 8))
		packet->daddr = quoted->saddr;
	packet->quoted = quoted;
	packet->quoted_bytes = random_one_in(random, 2) ? 1 + random_below(random, 100) : 0;
}

/* Mutations. Most of what is interesting lies in the first hundred bytes. */

static size_t somewhere(struct random *random, const struct frame *frame)
{
	size_t bound = random_one_in(random, 4) || frame->size < 100 ? frame->size : 100;

	return random_below(random, bound);
}

static void mutate_word(struct random *random, struct frame *frame)
{
	static const uint16_t values[] = { 0,	   1,	   8,	   20,	   28,	   40,	0x7fff,
					   0x8000, 0xffff, 0xfffe, 0x1fff, 0x2000, 500, 25000 };
	uint16_t value = random_one_in(random, 4) ? frame->size - frame->l2 - random_below(random, 80)
						  : PICK(random, values);
	size_t at = somewhere(random, frame) & ~(size_t)1;

	frame->bytes[at] = value >> 8;
	frame->bytes[at + 1] = value;
}

static void frame_grow(struct random *random, struct frame *frame, size_t size)
{
	while (frame->size < size && frame->size < PACKET_MAX - 16)
		frame->bytes[frame->size++] = random_next(random);
}

static void mutate_size(struct random *random, struct frame *frame)
{
	size_t size = somewhere(random, frame);

	if (random_one_in(random, 3))
		frame_grow(random, frame, frame->size + random_below(random, 64));
	else
		frame->size = size > frame->l2 ? size : frame->l2;
}

/* Shifts what is behind some point by up to 16 bytes, either way. */
static void mutate_shift(struct random *random, struct frame *frame)
{
	size_t at = frame->l2 + 4 * random_below(random, 20), by = 4 * (1 + random_below(random, 4));

	if (at + by >= frame->size || frame->size + by > PACKET_MAX - 16)
		return;
	if (random_one_in(random, 2)) {
		memmove(frame->bytes + at, frame->bytes + at + by, frame->size - at - by);
		frame->size -= by;
	} else {
		memmove(frame->bytes + at + by, frame->bytes + at, frame->size - at);
		frame->size += by;
	}
}

/* The beginning of one packet, and the end of another. */
static void mutate_splice(struct random *random, enum nat_direction direction, struct frame *frame)
{
	struct packet packet;
	struct frame other;
	size_t from, at;

	describe(random, direction, &packet);
	frame_build(&other, &packet, frame->l2);
	at = somewhere(random, frame);
	from = somewhere(random, &other);
	if (at + other.size - from > PACKET_MAX - 16)
		return;
	memcpy(frame->bytes + at, other.bytes + from, other.size - from);
	frame->size = at + other.size - from;
}

static void mutate(struct random *random, enum nat_direction direction, struct frame *frame)
{
	switch (random_below(random, 8)) {
	case 0:
		mutate_size(random, frame);
		break;
	case 1:
		mutate_shift(random, frame);
		break;
	case 2:
		mutate_splice(random, direction, frame);
		break;
	case 3:
	case 4:
		mutate_word(random, frame);
		break;
	default:
		frame->bytes[somewhere(random, frame)] ^= 1 << random_below(random, 8);
	}
}

bool mutant_build(struct random *random, enum nat_direction direction, struct frame *frame)
{
	struct packet packet, quoted;
	int mutations = random_one_in(random, 2) ? 0 : 1 + random_below(random, 4);

	if (random_one_in(random, 4))
		describe_error(random, direction, &packet, &quoted);
	else
		describe(random, direction, &packet);
	frame_build(frame, &packet, true);
	if (random_one_in(random, 8)) /* what lies behind a packet, as padding does, is no part of it */
		frame_grow(random, frame, frame->size + random_below(random, 64));
	for (int i = 0; i < mutations && frame->size > frame->l2; i++)
		mutate(random, direction, frame);
	return mutations;
}
