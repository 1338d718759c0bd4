/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frames that the measurements send: Ethernet, IPv4 or IPv6, UDP or TCP, every checksum right. */
#ifndef FRAME_H
#define FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 128

enum { FRAME_FIN = 1, FRAME_SYN = 2, FRAME_RST = 4, FRAME_ACK = 16 };

/* An endpoint: the address as in struct ip_prefix, IPv4 in the first word; all in network byte order. */
struct frame_endpoint {
	uint32_t addr[4];
	uint16_t port;
};

struct frame {
	size_t size;
	uint8_t bytes[FRAME_MAX];
};

/* family: AF_INET or AF_INET6; protocol: IPPROTO_UDP or IPPROTO_TCP, tcp_flags for the latter. */
void frame_build(struct frame *frame, int family, int protocol, uint8_t tcp_flags, const struct frame_endpoint *from,
		 const struct frame_endpoint *to, size_t payload);

/* Of IPv4: it may be fragmented, unlike what frame_build() has made. */
void frame_clear_df(struct frame *frame);

/* From text and host-order port. Ends the program if the text is no address. */
struct frame_endpoint frame_endpoint_of(int family, const char *addr, uint16_t port);

#endif
