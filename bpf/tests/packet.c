// SPDX-License-Identifier: GPL-2.0-or-later
/* Builds packets from descriptions, and says where two differ. See packet.h. */
#include "packet.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define ETHERNET 14
#define IP_MIN	 20
#define IPV6_MIN 40

enum ip_protocol {
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ICMPV6 = 58,
	EXTENSION_HOP = 0,
	EXTENSION_ROUTING = 43,
	EXTENSION_FRAGMENT = 44,
	EXTENSION_DESTINATION = 60,
};

static int family = AF_INET;

void packet_use_family(int use)
{
	family = use;
}

int packet_family(void)
{
	return family;
}

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

size_t address_write(uint32_t addr, uint8_t bytes[16])
{
	if (family == AF_INET) {
		put32(bytes, addr);
		return 4;
	}
	memset(bytes, 0, 16);
	if (addr >= IPV4(224, 0, 0, 0)) {
		put16(bytes, 0xff02);
		put32(bytes + 12, addr);
	} else if (addr) {
		put32(bytes, 0x20010db8);
		put32(bytes + 4, addr & ~0xffu);
		put32(bytes + 8, (addr & 0xf8) << 8);
		put32(bytes + 12, 0x100 | (addr & 7));
	}
	return 16;
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

static bool is_ipv6(const uint8_t *ip)
{
	return ip[0] >> 4 == 6;
}

/* Of the pseudo header: addresses from the IP header, protocol and length. */
static uint16_t pseudo_sum(const uint8_t *ip, uint8_t protocol, size_t size)
{
	uint8_t tail[4] = { 0, protocol, size >> 8, size & 0xff };
	uint16_t sum;

	if (protocol == PROTOCOL_ICMP)
		return 0;
	sum = is_ipv6(ip) ? checksum_add(0, ip + 8, 32) : checksum_add(0, ip + 12, 8);
	return checksum_add(sum, tail, sizeof(tail));
}

/* Where a transport header has its checksum, or -1. */
static int check_offset(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		return 2;
	case PROTOCOL_TCP:
		return 16;
	case PROTOCOL_UDP:
		return 6;
	}
	return -1;
}

/* What protocol and ICMP type of a description are in the family that is built. */
static uint8_t protocol_in_family(uint8_t protocol)
{
	return family == AF_INET6 && protocol == PROTOCOL_ICMP ? PROTOCOL_ICMPV6 : protocol;
}

static uint8_t type_in_family(uint8_t type)
{
	static const uint8_t types[][2] = {
		{ ECHO, 128 },	 { ECHO_REPLY, 129 }, { UNREACHABLE, 1 }, { QUENCH, 2 /* packet too big */ },
		{ EXCEEDED, 3 }, { PARAMETER, 4 },    { REDIRECT, 137 },
	};

	for (size_t i = 0; family == AF_INET6 && i < sizeof(types) / sizeof(*types); i++)
		if (types[i][0] == type)
			return types[i][1];
	return type;
}

static bool is_error(uint8_t protocol, uint8_t type)
{
	if (protocol == PROTOCOL_ICMPV6)
		return type >= 1 && type <= 4;
	return protocol == PROTOCOL_ICMP &&
	       (type == UNREACHABLE || type == QUENCH || type == EXCEEDED || type == PARAMETER);
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
		at[0] = type_in_family(packet->type);
		at[1] = packet->code;
		if (packet->quoted)
			return 8;
		put16(at + 4, packet->sport);
		put16(at + 6, 7);
		return 8;
	}
	return 0;
}

static bool is_fragment(const struct packet *packet)
{
	return packet->offset || packet->more;
}

/* The length of the IP header and all that extends it. */
static size_t header_length(const struct packet *packet)
{
	if (family == AF_INET)
		return IP_MIN + packet->ip_options;
	return IPV6_MIN + 8 * packet->extensions + (packet->ip_options + 7) / 8 * 8 + (is_fragment(packet) ? 8 : 0);
}

/* The packet that an error is about, as much of it as is quoted. */
static size_t quote_build(uint8_t *at, const struct packet *packet)
{
	size_t size = header_length(packet->quoted) + (packet->quoted_bytes ? packet->quoted_bytes : 8);
	struct frame quoted;

	frame_build(&quoted, packet->quoted, false);
	if (size > quoted.size)
		size = quoted.size;
	memcpy(at, quoted.bytes, size);
	return size;
}

static void ipv4_build(uint8_t *ip, const struct packet *packet, size_t size)
{
	size_t header = header_length(packet);
	uint16_t fragment = packet->offset / 8 | (packet->more ? 0x2000 : 0);

	if (!fragment && !packet->no_df)
		fragment = 0x4000;
	memset(ip, 0, header);
	ip[0] = 0x40 | header / 4;
	ip[1] = packet->tos;
	put16(ip + 2, header + size);
	put16(ip + 4, packet->id ? packet->id : 0x1234);
	put16(ip + 6, fragment);
	ip[8] = packet->ttl ? packet->ttl : 64;
	ip[9] = packet->protocol;
	address_write(packet->saddr, ip + 12);
	address_write(packet->daddr, ip + 16);
	for (size_t i = IP_MIN; i < header; i += 4)
		memcpy(ip + i, "\x94\x04\x00\x00", 4); /* router alert, which changes nothing else */
	put16(ip + 10, (uint16_t)~checksum_add(0, ip, header) + packet->header_damage);
}

/* Appends an extension header. *next is where the one before it says what follows, and moves on. */
static uint8_t *extension_build(uint8_t *at, uint8_t **next, uint8_t type, size_t size, const struct packet *packet)
{
	**next = type;
	*next = at;
	if (type == EXTENSION_FRAGMENT) {
		if (is_fragment(packet))
			put16(at + 2, packet->offset | packet->more);
		put32(at + 4, packet->id ? packet->id : 0x1234);
	} else {
		at[1] = size / 8 - 1;
		at[2] = type == EXTENSION_ROUTING ? 4 : 1; /* a segment routing header; PadN */
		at[3] = type == EXTENSION_ROUTING ? packet->segments_left : size - 4;
	}
	return at + size;
}

static void ipv6_build(uint8_t *ip, const struct packet *packet, size_t size)
{
	size_t header = header_length(packet), options = (packet->ip_options + 7) / 8 * 8;
	uint8_t *next = ip + 6, *at = ip + IPV6_MIN;

	memset(ip, 0, header);
	put16(ip, 0x6000 | packet->tos << 4);
	put16(ip + 2, 0x1234); /* flow label */
	put16(ip + 4, header - IPV6_MIN + size);
	ip[7] = packet->ttl ? packet->ttl : 64;
	address_write(packet->saddr, ip + 8);
	address_write(packet->daddr, ip + 24);
	for (int i = 0; i < packet->extensions; i++)
		at = extension_build(at, &next, packet->extension[i], 8, packet);
	if (options)
		at = extension_build(at, &next, EXTENSION_DESTINATION, options, packet);
	if (is_fragment(packet))
		extension_build(at, &next, EXTENSION_FRAGMENT, 8, packet);
	*next = protocol_in_family(packet->protocol);
}

static void ip_build(uint8_t *ip, const struct packet *packet, size_t size)
{
	if (family == AF_INET6)
		ipv6_build(ip, packet, size);
	else
		ipv4_build(ip, packet, size);
}

/* The checksum of the whole transport segment, its field being zero. */
static void transport_finish(const uint8_t *ip, uint8_t *segment, size_t size, const struct packet *packet)
{
	uint8_t protocol = protocol_in_family(packet->protocol);
	int offset = check_offset(protocol);
	uint16_t check;

	if (offset < 0 || packet->no_checksum)
		return;
	check = ~checksum_add(pseudo_sum(ip, protocol, size), segment, size);
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
	size_t header = header_length(packet);
	uint8_t *ip;

	memset(frame, 0, sizeof(*frame));
	frame->l2 = has_l2 ? ETHERNET : 0;
	if (has_l2) {
		memcpy(frame->bytes, "\x02\x00\x00\x00\x02\x01\x02\x00\x00\x00\x02\x02", 12);
		put16(frame->bytes + 12, packet->ethertype ? packet->ethertype : family == AF_INET6 ? 0x86dd : 0x0800);
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

/* Where an IP packet has what. */
struct layout {
	size_t header; /* the length of the IP header and all that extends it */
	size_t total;  /* by its own word */
	uint8_t protocol;
	bool is_fragment, is_follower;
};

static bool is_extension(uint8_t type)
{
	return type == EXTENSION_HOP || type == EXTENSION_ROUTING || type == EXTENSION_FRAGMENT ||
	       type == EXTENSION_DESTINATION;
}

/* False if the packet is too short for its headers. */
static bool layout_find_ipv6(const uint8_t *ip, size_t size, struct layout *layout)
{
	*layout = (struct layout){ .header = IPV6_MIN, .total = IPV6_MIN };
	if (size < IPV6_MIN)
		return false;
	layout->total += get16(ip + 4);
	layout->protocol = ip[6];
	while (!layout->is_follower && is_extension(layout->protocol)) {
		const uint8_t *extension = ip + layout->header;

		if (layout->header + 8 > size)
			return false;
		if (layout->protocol == EXTENSION_FRAGMENT) {
			layout->is_fragment |= get16(extension + 2) & 0xfff9;
			layout->is_follower |= get16(extension + 2) & 0xfff8;
			layout->header += 8;
		} else {
			layout->header += 8 + extension[1] * 8;
		}
		layout->protocol = extension[0];
	}
	return layout->header <= size;
}

static bool layout_find(const uint8_t *ip, size_t size, struct layout *layout)
{
	if (is_ipv6(ip))
		return layout_find_ipv6(ip, size, layout);
	*layout = (struct layout){ .header = (ip[0] & 15) * 4, .total = get16(ip + 2), .protocol = ip[9] };
	layout->is_fragment = get16(ip + 6) & 0x3fff;
	layout->is_follower = get16(ip + 6) & 0x1fff;
	return size >= IP_MIN && layout->header >= IP_MIN && layout->header <= size;
}

static const char *ip_check(const uint8_t *ip, size_t size, bool quoted)
{
	const uint8_t *segment;
	struct layout layout;
	size_t length;
	int offset;

	if (!layout_find(ip, size, &layout))
		return NULL;
	if (!is_ipv6(ip) && checksum_add(0, ip, layout.header) != 0xffff)
		return quoted ? "embedded IP checksum" : "IP checksum";
	segment = ip + layout.header;
	length = layout.total - layout.header;
	offset = check_offset(layout.protocol);
	if (layout.total > size || layout.is_fragment || offset < 0 || layout.total < layout.header + offset + 2)
		return NULL;
	if (layout.protocol == PROTOCOL_UDP && !get16(segment + offset))
		return NULL;
	if (checksum_add(pseudo_sum(ip, layout.protocol, length), segment, length) != 0xffff)
		return quoted ? "embedded transport checksum" : "transport checksum";
	if (!quoted && is_error(layout.protocol, segment[0]) && length >= 8 + IP_MIN)
		return ip_check(segment + 8, length - 8, true);
	return NULL;
}

const char *frame_check(const struct frame *frame)
{
	return ip_check(frame->bytes + frame->l2, frame->size - frame->l2, false);
}

unsigned int frame_id(const struct frame *frame)
{
	return get16(frame->bytes + frame->l2 + 4);
}

void frame_take_id(struct frame *frame, const struct frame *from)
{
	uint8_t *ip = frame->bytes + frame->l2, change[4];

	if (is_ipv6(ip) || frame->size != from->size || frame->size < frame->l2 + IP_MIN ||
	    (get16(ip + 6) & 0x7fff) == 0x4000)
		return;
	put16(change, ~get16(ip + 4)); /* RFC 1624, equation 3 */
	put16(change + 2, frame_id(from));
	put16(ip + 10, ~checksum_add(~get16(ip + 10), change, sizeof(change)));
	put16(ip + 4, frame_id(from));
}

size_t frame_transport(const struct frame *frame)
{
	struct layout layout;

	layout_find(frame->bytes + frame->l2, frame->size - frame->l2, &layout);
	return frame->l2 + layout.header;
}

int frame_sport(const struct frame *frame)
{
	const uint8_t *ip = frame->bytes + frame->l2;
	struct layout layout;

	if (!layout_find(ip, frame->size - frame->l2, &layout))
		return -1;
	switch (layout.protocol) {
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		return get16(ip + layout.header + 4);
	case PROTOCOL_TCP:
	case PROTOCOL_UDP:
		return get16(ip + layout.header);
	}
	return -1;
}

bool frame_is_from(const struct frame *frame, uint32_t addr)
{
	const uint8_t *ip = frame->bytes + frame->l2;
	uint8_t bytes[16];
	size_t size = address_write(addr, bytes);

	return !memcmp(ip + (is_ipv6(ip) ? 8 : 12), bytes, size);
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

static const struct field ipv6_fields[] = {
	{ "version, class and flow", 0, 4 },
	{ "payload length", 4, 2 },
	{ "next header", 6, 1 },
	{ "hop limit", 7, 1 },
	{ "saddr", 8, 16 },
	{ "daddr", 24, 16 },
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
	case PROTOCOL_ICMPV6:
		return icmp_fields;
	case PROTOCOL_TCP:
		return tcp_fields;
	case PROTOCOL_UDP:
		return udp_fields;
	}
	return none;
}

/*
 * What the byte at `offset` of an IP packet of `size` bytes belongs to. *start is where that begins; a size of 1 for what
 * has no name.
 */
static struct field field_at(const uint8_t *ip, size_t size, size_t offset, size_t *start, bool *embedded)
{
	const struct field *fields = is_ipv6(ip) ? ipv6_fields : ip_fields;
	const uint8_t *segment;
	struct layout layout;
	size_t base = 0;

	layout_find(ip, size, &layout);
	segment = ip + layout.header;
	if (!*embedded && offset >= layout.header + 8 && is_error(layout.protocol, segment[0])) {
		struct field field;

		*embedded = true;
		field = field_at(segment + 8, size - layout.header - 8, offset - layout.header - 8, start, embedded);
		*start += layout.header + 8;
		return field;
	}
	if (offset >= layout.header) {
		base = layout.header;
		fields = transport_fields(layout.is_follower ? 0 : layout.protocol);
	}
	for (; fields->name; fields++)
		if (offset >= base + fields->offset && offset < base + fields->offset + fields->size) {
			*start = base + fields->offset;
			return *fields;
		}
	*start = offset;
	return (struct field){ base ? "payload" : "IP option", 0, 1 };
}

static void value_print(const uint8_t *at, const struct field *field, char *text, size_t size)
{
	if (field->size == 4 && strstr(field->name, "addr"))
		snprintf(text, size, "%u.%u.%u.%u", at[0], at[1], at[2], at[3]);
	else if (field->size == 16)
		inet_ntop(AF_INET6, at, text, size);
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
	char wanted[INET6_ADDRSTRLEN], is[INET6_ADDRSTRLEN];
	bool embedded = false;
	struct field field;
	size_t start;

	if (offset < want->l2) {
		snprintf(text, size, "Ethernet byte %zu: want 0x%02x, got 0x%02x\n", offset, want->bytes[offset],
			 got->bytes[offset]);
		return offset + 1;
	}
	field = field_at(want->bytes + want->l2, want->size - want->l2, offset - want->l2, &start, &embedded);
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
		if (++count > 6 || used + 160 > size)
			break;
		i = difference_print(want, got, i, text + used, size - used);
		used += strlen(text + used);
	}
	return used > 0;
}

static void address_print(uint32_t addr, char text[INET6_ADDRSTRLEN])
{
	uint8_t bytes[16];

	address_write(addr, bytes);
	inet_ntop(family, bytes, text, INET6_ADDRSTRLEN);
}

void packet_print(const struct packet *packet, char *text, size_t size)
{
	const char *name = packet->protocol == PROTOCOL_TCP ? "TCP" : packet->protocol == PROTOCOL_UDP ? "UDP" : "ICMP";
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	address_print(packet->saddr, from);
	address_print(packet->daddr, to);
	if (check_offset(packet->protocol) < 0)
		snprintf(text, size, "protocol %u %s -> %s", packet->protocol, from, to);
	else if (packet->quoted)
		snprintf(text, size, "ICMP %u/%u %s -> %s", packet->type, packet->code, from, to);
	else
		snprintf(text, size, "%s %s:%u -> %s:%u", name, from, packet->sport, to, packet->dport);
}
