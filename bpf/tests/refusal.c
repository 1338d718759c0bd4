// SPDX-License-Identifier: GPL-2.0-or-later
/* See refusal.h. */
#include "refusal.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* RFC 1812 section 4.3.2.3, RFC 4443 section 2.4 (c). */
#define IPV4_ERROR_MAX 576
#define IPV6_ERROR_MAX 1280

bool refusal_is_told(enum nat_reason why)
{
	return why == WHY_NO_PORT || why == WHY_HOST_LIMIT || why == WHY_TABLE_FULL;
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

/* The IPv4 header, and the ICMP message behind it, of which `quoted` bytes are filled in. */
static void ipv4_fill(uint8_t *ip, const uint8_t *about, size_t quoted)
{
	uint8_t *icmp = ip + 20;

	ip[0] = 0x45;
	ip[1] = (about[1] & 0x1e) | 0xc0;
	put16(ip + 2, 28 + quoted);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = IPPROTO_ICMP;
	memcpy(ip + 12, about + 16, 4);
	memcpy(ip + 16, about + 12, 4);
	put16(ip + 10, ~checksum_add(0, ip, 20));
	icmp[0] = 3;
	icmp[1] = 13;
	put16(icmp + 2, ~checksum_add(0, icmp, 8 + quoted));
}

static void ipv6_fill(uint8_t *ip, const uint8_t *about, size_t quoted)
{
	const uint8_t tail[4] = { 0, IPPROTO_ICMPV6, (8 + quoted) >> 8, (8 + quoted) & 0xff };
	uint8_t *icmp = ip + 40;

	ip[0] = 0x60;
	put16(ip + 4, 8 + quoted);
	ip[6] = IPPROTO_ICMPV6;
	ip[7] = 64;
	memcpy(ip + 8, about + 24, 16);
	memcpy(ip + 24, about + 8, 16);
	icmp[0] = 1;
	icmp[1] = 1;
	put16(icmp + 2, ~checksum_add(checksum_add(checksum_add(0, ip + 8, 32), tail, 4), icmp, 8 + quoted));
}

bool refusal_cuts(const struct frame *refused)
{
	struct frame error;

	refusal_build(&error, refused);
	return error.size < refused->size + (packet_family() == AF_INET6 ? 48 : 28);
}

void refusal_build(struct frame *error, const struct frame *refused)
{
	bool ipv6 = packet_family() == AF_INET6;
	size_t room = ipv6 ? 48 : 28, most = (ipv6 ? IPV6_ERROR_MAX : IPV4_ERROR_MAX) - room;
	const uint8_t *about = refused->bytes + refused->l2;
	size_t quoted = ipv6 ? 40 + (about[4] << 8 | about[5]) : about[2] << 8 | about[3];
	uint8_t *ip = error->bytes + refused->l2;

	if (quoted > most)
		quoted = most;
	memset(error, 0, sizeof(*error));
	error->l2 = refused->l2;
	error->size = refused->l2 + room + quoted;
	if (refused->l2) {
		memcpy(error->bytes, refused->bytes + 6, 6);
		memcpy(error->bytes + 6, refused->bytes, 6);
		memcpy(error->bytes + 12, refused->bytes + 12, 2);
	}
	memcpy(ip + room, about, quoted);
	if (ipv6)
		ipv6_fill(ip, about, quoted);
	else
		ipv4_fill(ip, about, quoted);
}
