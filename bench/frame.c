// SPDX-License-Identifier: GPL-2.0-or-later
/* See frame.h. */
#include "frame.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ETHERNET 14

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

/* RFC 1071, not yet folded. */
static uint32_t sum_add(uint32_t sum, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	if (size % 2)
		sum += bytes[size - 1] << 8;
	return sum;
}

static uint16_t sum_finish(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Gives the length of the IP header. */
static size_t ip_build(uint8_t *ip, int family, int protocol, const struct frame_endpoint *from,
		       const struct frame_endpoint *to, size_t length)
{
	if (family == AF_INET6) {
		ip[0] = 0x60;
		put16(ip + 4, length);
		ip[6] = protocol;
		ip[7] = 64;
		memcpy(ip + 8, from->addr, 16);
		memcpy(ip + 24, to->addr, 16);
		return 40;
	}
	ip[0] = 0x45;
	put16(ip + 2, 20 + length);
	ip[6] = 0x40; /* don't fragment, as on nearly all */
	ip[8] = 64;
	ip[9] = protocol;
	memcpy(ip + 12, from->addr, 4);
	memcpy(ip + 16, to->addr, 4);
	put16(ip + 10, sum_finish(sum_add(0, ip, 20)));
	return 20;
}

void frame_build(struct frame *frame, int family, int protocol, uint8_t tcp_flags, const struct frame_endpoint *from,
		 const struct frame_endpoint *to, size_t payload)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };
	size_t header = protocol == IPPROTO_TCP ? 20 : 8, length = header + payload;
	uint8_t *ip = frame->bytes + ETHERNET, *transport;
	uint32_t sum = protocol + length;

	memset(frame, 0, sizeof(*frame));
	memcpy(frame->bytes, macs, sizeof(macs));
	put16(frame->bytes + 12, family == AF_INET6 ? 0x86dd : 0x0800);
	transport = ip + ip_build(ip, family, protocol, from, to, length);
	memcpy(transport, &from->port, 2);
	memcpy(transport + 2, &to->port, 2);
	if (protocol == IPPROTO_TCP) {
		transport[12] = header / 4 << 4;
		transport[13] = tcp_flags;
		put16(transport + 14, 0xffff);
	} else {
		put16(transport + 4, length);
	}
	sum = sum_add(sum, from->addr, family == AF_INET6 ? 16 : 4);
	sum = sum_add(sum, to->addr, family == AF_INET6 ? 16 : 4);
	put16(transport + (protocol == IPPROTO_TCP ? 16 : 6), sum_finish(sum_add(sum, transport, length)));
	frame->size = transport + length - frame->bytes;
}

void frame_clear_df(struct frame *frame)
{
	uint8_t *ip = frame->bytes + ETHERNET;

	memset(ip + 10, 0, 2);
	ip[6] = 0;
	put16(ip + 10, sum_finish(sum_add(0, ip, 20)));
}

struct frame_endpoint frame_endpoint_of(int family, const char *addr, uint16_t port)
{
	struct frame_endpoint endpoint = { .port = htons(port) };

	if (inet_pton(family, addr, endpoint.addr) != 1) {
		fprintf(stderr, "%s: not an address\n", addr);
		exit(1);
	}
	return endpoint;
}
