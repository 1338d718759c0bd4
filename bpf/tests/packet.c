// SPDX-License-Identifier: GPL-2.0-or-later
/* Builds packets from descriptions, and says where two differ. See packet.h. */
#include "packet.h"

#include <stdio.h>
#include <string.h>

#define ETHERNET 14
#define IP_MIN	 20

enum ip_protocol { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static uint16_t get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

uint16_t checksum_add(uint16_t sum, const uint8_t *bytes, size_t size)
{
	uint32_t wide = sum;

	for (size_t i = 0; i + 1 < size; i += 2)
		wide += get16(bytes + i);
	if (size % 2)
		wide += bytes[size - 1] << 8;
	wide = (wide & 0xffff) + (wide >> 16);
	return (wide & 0xffff) + (wide >> 16);
}

/* Of the pseudo header: addresses from the IP header, protocol and length. */
static uint16_t pseudo_sum(const uint8_t *ip, uint8_t protocol, size_t size)
{
	uint8_t tail[4] = { 0, protocol, size >> 8, size & 0xff };

	if (protocol == PROTOCOL_ICMP)
		return 0;
	return checksum_add(checksum_add(0, ip + 12, 8), tail, sizeof(tail));
}

/* Where a transport header has its checksum, or -1. */
static int check_offset(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_ICMP:
		return 2;
	case PROTOCOL_TCP:
		return 16;
	case PROTOCOL_UDP:
		return 6;
	}
	return -1;
}

/* Writes everything of the transport header but its checksum; gives its length. */
static size_t transport_build(uint8_t *at, const struct packet *packet)
{
	static const uint8_t timestamps[] = { 1, 1, 8, 10, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0 };

	switch (packet->protocol) {
	case PROTOCOL_UDP:
		put16(at, packet->sport);
		put16(at + 2, packet->dport);
		put16(at + 4, 8 + packet->payload);
		return 8;
	case PROTOCOL_TCP:
		put16(at, packet->sport);
		put16(at + 2, packet->dport);
		put32(at + 4, 0x01020304);
		put32(at + 8, packet->flags & ACK ? 0x05060708 : 0);
		at[12] = (20 + packet->tcp_options) / 4 << 4;
		at[13] = packet->flags;
		put16(at + 14, 0x7210);
		for (int i = 0; i < packet->tcp_options; i++)
			at[20 + i] = packet->own_options ? packet->options[i] : timestamps[i % sizeof(timestamps)];
		return 20 + packet->tcp_options;
	case PROTOCOL_ICMP:
		at[0] = packet->type;
		at[1] = packet->code;
		if (packet->quoted)
			return 8;
		put16(at + 4, packet->sport);
		put16(at + 6, 7);
		return 8;
	}
	return 0;
}

/* The packet that an error is about, as much of it as is quoted. */
static size_t quote_build(uint8_t *at, const struct packet *packet)
{
	size_t size = IP_MIN + packet->quoted->ip_options + (packet->quoted_bytes ? packet->quoted_bytes : 8);
	struct frame quoted;

	frame_build(&quoted, packet->quoted, false);
	if (size > quoted.size)
		size = quoted.size;
	memcpy(at, quoted.bytes, size);
	return size;
}

static void ip_build(uint8_t *ip, const struct packet *packet, size_t size)
{
	size_t header = IP_MIN + packet->ip_options;
	uint16_t fragment = packet->offset / 8 | (packet->more ? 0x2000 : 0) | (packet->df ? 0x4000 : 0);

	memset(ip, 0, header);
	ip[0] = 0x40 | header / 4;
	ip[1] = packet->tos;
	put16(ip + 2, header + size);
	put16(ip + 4, packet->id ? packet->id : 0x1234);
	put16(ip + 6, fragment);
	ip[8] = packet->ttl ? packet->ttl : 64;
	ip[9] = packet->protocol;
	put32(ip + 12, packet->saddr);
	put32(ip + 16, packet->daddr);
	for (size_t i = IP_MIN; i < header; i += 4)
		memcpy(ip + i, "\x94\x04\x00\x00", 4); /* router alert, which changes nothing else */
	put16(ip + 10, (uint16_t)~checksum_add(0, ip, header));
}

/* The checksum of the whole transport segment, its field being zero. */
static void transport_finish(const uint8_t *ip, uint8_t *segment, size_t size, const struct packet *packet)
{
	int offset = check_offset(packet->protocol);
	uint16_t check;

	if (offset < 0 || packet->no_checksum)
		return;
	check = ~checksum_add(pseudo_sum(ip, packet->protocol, size), segment, size);
	if (packet->damage) {
		uint8_t damage[2] = { packet->damage >> 8, packet->damage & 0xff };

		check = checksum_add(check, damage, sizeof(damage));
	}
	if (packet->protocol == PROTOCOL_UDP && !check)
		check = 0xffff;
	put16(segment + offset, check);
}

void frame_build(struct frame *frame, const struct packet *packet, bool has_l2)
{
	uint8_t segment[PACKET_MAX] = { 0 };
	size_t size, first = packet->offset, length = packet->length;
	size_t header = IP_MIN + packet->ip_options;
	uint8_t *ip;

	memset(frame, 0, sizeof(*frame));
	frame->l2 = has_l2 ? ETHERNET : 0;
	if (has_l2) {
		memcpy(frame->bytes, "\x02\x00\x00\x00\x02\x01\x02\x00\x00\x00\x02\x02", 12);
		put16(frame->bytes + 12, packet->ethertype ? packet->ethertype : 0x0800);
	}
	ip = frame->bytes + frame->l2;
	size = transport_build(segment, packet);
	if (packet->quoted)
		size += quote_build(segment + size, packet);
	for (int i = 0; i < packet->payload; i++)
		segment[size++] = 0x61 + i % 26;
	if (packet->fill)
		put16(segment + size - 2, packet->fill);
	ip_build(ip, packet, size);
	transport_finish(ip, segment, size, packet);
	if (!length || first + length > size)
		length = size > first ? size - first : 0;
	ip_build(ip, packet, length);
	memcpy(ip + header, segment + first, length);
	frame->size = frame->l2 + header + length;
}

static const char *ip_check(const uint8_t *ip, size_t size, bool quoted)
{
	size_t header = (ip[0] & 15) * 4, total = get16(ip + 2);
	const uint8_t *segment = ip + header;
	int offset = check_offset(ip[9]);
	uint16_t sum;

	if (size < IP_MIN || header < IP_MIN || size < header)
		return NULL;
	if (checksum_add(0, ip, header) != 0xffff)
		return quoted ? "embedded IP checksum" : "IP checksum";
	if (total < header || total > size || get16(ip + 6) & 0x3fff || offset < 0 || total < header + offset + 2)
		return NULL;
	if (ip[9] == PROTOCOL_UDP && !get16(segment + offset))
		return NULL;
	sum = checksum_add(pseudo_sum(ip, ip[9], total - header), segment, total - header);
	if (sum != 0xffff)
		return quoted ? "embedded transport checksum" : "transport checksum";
	if (ip[9] != PROTOCOL_ICMP || quoted || total < header + 8 + IP_MIN)
		return NULL;
	if (segment[0] == UNREACHABLE || segment[0] == QUENCH || segment[0] == EXCEEDED || segment[0] == PARAMETER)
		return ip_check(segment + 8, total - header - 8, true);
	return NULL;
}

const char *frame_check(const struct frame *frame)
{
	return ip_check(frame->bytes + frame->l2, frame->size - frame->l2, false);
}

int frame_sport(const struct frame *frame)
{
	const uint8_t *ip = frame->bytes + frame->l2, *segment = ip + (ip[0] & 15) * 4;

	switch (ip[9]) {
	case PROTOCOL_ICMP:
		return get16(segment + 4);
	case PROTOCOL_TCP:
	case PROTOCOL_UDP:
		return get16(segment);
	}
	return -1;
}

/* Names of what lies where */

struct field {
	const char *name;
	uint8_t offset, size;
};

static const struct field ip_fields[] = {
	{ "version and header length", 0, 1 },
	{ "tos", 1, 1 },
	{ "total length", 2, 2 },
	{ "IP id", 4, 2 },
	{ "fragment offset", 6, 2 },
	{ "ttl", 8, 1 },
	{ "protocol", 9, 1 },
	{ "IP checksum", 10, 2 },
	{ "saddr", 12, 4 },
	{ "daddr", 16, 4 },
	{ NULL, 0, 0 },
};

static const struct field udp_fields[] = {
	{ "sport", 0, 2 }, { "dport", 2, 2 }, { "UDP length", 4, 2 }, { "UDP checksum", 6, 2 }, { NULL, 0, 0 },
};

static const struct field tcp_fields[] = {
	{ "sport", 0, 2 },	{ "dport", 2, 2 },   { "sequence", 4, 4 },	{ "acknowledgement", 8, 4 },
	{ "TCP flags", 12, 2 }, { "window", 14, 2 }, { "TCP checksum", 16, 2 }, { NULL, 0, 0 },
};

static const struct field icmp_fields[] = {
	{ "ICMP type", 0, 1 },	{ "ICMP code", 1, 1 }, { "ICMP checksum", 2, 2 },
	{ "identifier", 4, 2 }, { "sequence", 6, 2 },  { NULL, 0, 0 },
};

static const struct field *transport_fields(uint8_t protocol)
{
	static const struct field none[] = { { NULL, 0, 0 } };

	switch (protocol) {
	case PROTOCOL_ICMP:
		return icmp_fields;
	case PROTOCOL_TCP:
		return tcp_fields;
	case PROTOCOL_UDP:
		return udp_fields;
	}
	return none;
}

/* What the byte at `offset` of an IP packet belongs to. *start is where that begins; a size of 1 for what has no name. */
static struct field field_at(const uint8_t *ip, size_t offset, size_t *start, bool *embedded)
{
	size_t header = (ip[0] & 15) * 4;
	bool in_header = offset < header;
	const struct field *fields = in_header ? ip_fields : transport_fields(ip[9]);
	size_t base = in_header ? 0 : header;
	const uint8_t *segment = ip + header;

	if (!in_header && ip[9] == PROTOCOL_ICMP && !*embedded && offset >= header + 8 &&
	    (segment[0] == UNREACHABLE || segment[0] == QUENCH || segment[0] == EXCEEDED || segment[0] == PARAMETER)) {
		struct field field;

		*embedded = true;
		field = field_at(segment + 8, offset - header - 8, start, embedded);
		*start += header + 8;
		return field;
	}
	if (!(get16(ip + 6) & 0x1fff) || in_header)
		for (; fields->name; fields++)
			if (offset >= base + fields->offset && offset < base + fields->offset + fields->size) {
				*start = base + fields->offset;
				return *fields;
			}
	*start = offset;
	return (struct field){ in_header ? "IP option" : "payload", 0, 1 };
}

static void value_print(const uint8_t *at, const struct field *field, char *text, size_t size)
{
	if (field->size == 4 && strstr(field->name, "addr"))
		snprintf(text, size, "%u.%u.%u.%u", at[0], at[1], at[2], at[3]);
	else if (field->size == 2 && strstr(field->name, "port"))
		snprintf(text, size, "%u", get16(at));
	else if (field->size == 4)
		snprintf(text, size, "0x%04x%04x", get16(at), get16(at + 2));
	else if (field->size == 2)
		snprintf(text, size, "0x%04x", get16(at));
	else
		snprintf(text, size, "0x%02x", at[0]);
}

/* Appends a line about the field that holds the byte at `offset` of the frames; gives where the field ends. */
static size_t difference_print(const struct frame *want, const struct frame *got, size_t offset, char *text,
			       size_t size)
{
	char wanted[32], is[32];
	bool embedded = false;
	struct field field;
	size_t start;

	if (offset < want->l2) {
		snprintf(text, size, "Ethernet byte %zu: want 0x%02x, got 0x%02x\n", offset, want->bytes[offset],
			 got->bytes[offset]);
		return offset + 1;
	}
	field = field_at(want->bytes + want->l2, offset - want->l2, &start, &embedded);
	value_print(want->bytes + want->l2 + start, &field, wanted, sizeof(wanted));
	value_print(got->bytes + want->l2 + start, &field, is, sizeof(is));
	snprintf(text, size, "%s%s: want %s, got %s (byte %zu)\n", embedded ? "embedded " : "", field.name, wanted, is,
		 want->l2 + start);
	return want->l2 + start + field.size;
}

bool frame_differs(const struct frame *want, const struct frame *got, char *text, size_t size)
{
	size_t common = want->size < got->size ? want->size : got->size, used = 0, count = 0;

	text[0] = '\0';
	if (want->size != got->size)
		used += snprintf(text, size, "size: want %zu, got %zu\n", want->size, got->size);
	for (size_t i = 0; i < common;) {
		if (want->bytes[i] == got->bytes[i]) {
			i++;
			continue;
		}
		if (++count > 6 || used + 128 > size)
			break;
		i = difference_print(want, got, i, text + used, size - used);
		used += strlen(text + used);
	}
	return used > 0;
}

static size_t address_print(uint32_t addr, char *text, size_t size)
{
	return snprintf(text, size, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255, addr >> 8 & 255, addr & 255);
}

void packet_print(const struct packet *packet, char *text, size_t size)
{
	const char *name = packet->protocol == PROTOCOL_TCP ? "TCP" : packet->protocol == PROTOCOL_UDP ? "UDP" : "ICMP";
	char from[20], to[20];

	address_print(packet->saddr, from, sizeof(from));
	address_print(packet->daddr, to, sizeof(to));
	if (check_offset(packet->protocol) < 0)
		snprintf(text, size, "protocol %u %s -> %s", packet->protocol, from, to);
	else if (packet->quoted)
		snprintf(text, size, "ICMP %u/%u %s -> %s", packet->type, packet->code, from, to);
	else
		snprintf(text, size, "%s %s:%u -> %s:%u", name, from, packet->sport, to, packet->dport);
}
