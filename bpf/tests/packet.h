/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of the data-plane tests: built from a description, every checksum computed from nothing (RFC 1071), and compared
 * with what a program made of them, field by field. Shares no code with the data plane.
 *
 * A description is of a whole datagram; `offset`, `length` and `more` cut a fragment out of it, so that a fragment's
 * checksum is the whole datagram's, as in life.
 *
 * Descriptions speak IPv4, and serve for IPv6 as well: packet_use_family() says what they become. Then 192.168.1.100 is
 * 2001:db8:c0a8:100:0:6000:0:104, so that neighbours are in one /64 and every word tells some apart; 0.0.0.0 is ::, 224.0.0.0
 * and above are multicast on the link; protocol 1 and its types are ICMPv6 and the corresponding types; IP options are a destination options header, fragments have a fragment header.
 */
#ifndef PACKET_H
#define PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IPV4(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

/*
 *   A 192.168.1.100        --+                                      +-- S 198.51.100.1, T 198.51.100.2: servers
 *   B 192.168.1.200        --+-- LAN  router  WAN  EXT 203.0.113.2 -+-- R 203.0.113.1: a router on the way
 *   G 192.168.1.2, a router--+                                      +-- Z 192.0.2.1: a stranger
 */
enum known_addr {
	A = IPV4(192, 168, 1, 100),
	B = IPV4(192, 168, 1, 200),
	G = IPV4(192, 168, 1, 2),
	EXT = IPV4(203, 0, 113, 2),
	EXT2 = IPV4(203, 0, 113, 3), /* the external address after a change */
	R = IPV4(203, 0, 113, 1),
	S = IPV4(198, 51, 100, 1),
	T = IPV4(198, 51, 100, 2),
	Z = IPV4(192, 0, 2, 1),
};

enum tcp_flag { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

enum icmp_type { ECHO_REPLY = 0, UNREACHABLE = 3, QUENCH = 4, REDIRECT = 5, ECHO = 8, EXCEEDED = 11, PARAMETER = 12 };

#define PACKET_MAX 3000

/* A port that the data plane chooses: PORT(0) to PORT(15) stand for whatever it was, see steps.h. */
#define PORT(n)	   (0x10000u + (n))
#define PORT_COUNT 16

struct packet {
	uint32_t saddr, daddr;	/* host order, as all here */
	uint32_t sport, dport;	/* ICMP: the identifier, in both */
	uint8_t protocol;	/* IPPROTO_* */
	uint8_t flags;		/* enum tcp_flag */
	uint8_t type, code;	/* ICMP */
	uint8_t tos, ttl;	/* ttl 0: 64 */
	uint8_t ip_options;	/* bytes, a multiple of 4 (IPv6: as many, in multiples of 8) */
	uint8_t extensions;	/* IPv6: extension headers of 8 bytes, before all others */
	uint8_t extension[10];	/* their types; 44, a fragment header, is of a whole packet */
	uint8_t segments_left;	/* in its routing headers */
	uint8_t tcp_options;	/* likewise */
	bool no_checksum;	/* UDP: zero, none was computed */
	bool more;		/* more fragments follow */
	bool no_df;		/* IPv4, whole: it may be fragmented, unlike most */
	uint16_t damage;	/* added to the transport checksum: the packet was broken on the way */
	uint16_t header_damage; /* likewise, IPv4 header */
	uint16_t id;		/* IP identification; 0: 0x1234 */
	uint16_t offset;	/* of the fragment, in bytes */
	uint16_t length;	/* bytes of IP payload in the fragment; 0: all that is left */
	uint16_t payload;	/* bytes behind the transport header */
	uint16_t fill;		/* the last two bytes of the payload, for wanted checksums */
	uint16_t ethertype;	/* 0: the family's */
	uint16_t quoted_bytes;	/* of the embedded IP payload; 0: 8 */
	bool own_options;	/* the TCP options are these */
	uint8_t options[40];
	const struct packet *quoted; /* ICMP errors: the packet that the error is about */
};

/* Descriptions. What follows the last argument named is further fields: UDP(A, 25000, S, 53, .no_checksum = true). */
#define UDP(from, from_port, to, to_port, ...)                                                            \
	{                                                                                                 \
		.protocol = 17, .saddr = (from), .sport = (from_port), .daddr = (to), .dport = (to_port), \
		.payload = 13, __VA_ARGS__                                                                \
	}
#define TCP(bits, from, from_port, to, to_port, ...)                                                  \
	{                                                                                             \
		.protocol = 6, .flags = (bits), .saddr = (from), .sport = (from_port), .daddr = (to), \
		.dport = (to_port), __VA_ARGS__                                                       \
	}
#define QUERY(kind, from, to, identifier, ...)                                                        \
	{                                                                                             \
		.protocol = 1, .type = (kind), .saddr = (from), .daddr = (to), .sport = (identifier), \
		.dport = (identifier), .payload = 32, __VA_ARGS__                                     \
	}
/* The embedded packet is a description in braces: ERROR(UNREACHABLE, 3, R, EXT, UDP(EXT, 25000, S, 53)). File scope only. */
#define ERROR(kind, number, from, to, ...)                                                       \
	{                                                                                        \
		.protocol = 1, .type = (kind), .code = (number), .saddr = (from), .daddr = (to), \
		.quoted = &(const struct packet)__VA_ARGS__                                      \
	}
#define OTHER(ip_protocol, from, to, ...)                                                             \
	{                                                                                             \
		.protocol = (ip_protocol), .saddr = (from), .daddr = (to), .payload = 40, __VA_ARGS__ \
	}

/* A frame as it lies in memory. */
struct frame {
	size_t size;
	size_t l2; /* bytes before the IP header: 14 or 0 */
	uint8_t bytes[PACKET_MAX];
};

/* AF_INET, as at first, or AF_INET6: what all the functions below build, and how they understand an address. */
void packet_use_family(int family);
int packet_family(void);

/* Writes an address as the family has it. Gives its length in bytes. */
size_t address_write(uint32_t addr, uint8_t bytes[16]);

/* The sum of RFC 1071 over the bytes, folded, not inverted; `sum` is what to add to. */
uint16_t checksum_add(uint16_t sum, const uint8_t *bytes, size_t size);

void frame_build(struct frame *frame, const struct packet *packet, bool has_l2);

/*
 * What a receiver checks: IP header checksum, the transport's if the packet is whole, and both of an embedded packet as
 * far as they are quoted. NULL, or the name of the checksum that is wrong.
 */
const char *frame_check(const struct frame *frame);

/*
 * Where two frames differ, as text of one or more lines "sport: want 25000, got 20001". False if they do not. Only the
 * first few differences are named.
 */
bool frame_differs(const struct frame *want, const struct frame *got, char *text, size_t size);

/*
 * The IPv4 identification of a packet that is, or may become, a fragment (RFC 6864: that is not atomic) is the data plane's
 * to choose on its way out: makes it that of `from`, and the header's checksum as right as it was.
 */
void frame_take_id(struct frame *frame, const struct frame *from);

/* The identification of an IPv4 packet. */
unsigned int frame_id(const struct frame *frame);

/* Where the transport header of a frame begins. */
size_t frame_transport(const struct frame *frame);

/* The source port or ICMP identifier that a frame has; -1 where it has none. */
int frame_sport(const struct frame *frame);

/* True if the frame's source is this address. */
bool frame_is_from(const struct frame *frame, uint32_t addr);

#define PACKET_TEXT_MAX 140

/* "UDP 192.168.1.100:25000 -> 198.51.100.1:53", for messages. */
void packet_print(const struct packet *packet, char *text, size_t size);

#endif
