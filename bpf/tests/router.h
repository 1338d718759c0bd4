/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The router of the data-plane tests: the shipped programs, loaded by src/datapath.c in a network namespace of the test's
 * own, and run on one packet at a time (BPF_PROG_TEST_RUN). Nothing is attached, if a test does not ask for it, and no
 * packet leaves the namespace.
 *
 * Whatever cannot be done at all ends the test by a message; what is asked comes back.
 */
#ifndef ROUTER_H
#define ROUTER_H

#include "datapath.h"
#include "packet.h"

#define ROUTER_PORTS "20000-29999" /* managed by default, TCP and UDP; ICMP: 1000-65535 */

/* What nat.h says of each enum nat_reason. */
extern const char *const reason_names[], *const reason_verdicts[];

#define ROUTER_FORWARDS 6

/* A static mapping for a setup; `last` and remotes of length 0: one port, and anybody. */
struct forward_setup {
	enum nat_protocol protocol;
	unsigned int external_port, last;
	uint32_t addr;
	unsigned int internal_port;
	unsigned int external; /* 1: the second one's */
	struct ip_prefix remotes[2];
};

#define ROUTER_DMZ 7 /* index of the designated server's interface, which need not be there */

/* How the router is configured. What is zero has the default. */
struct setup {
	const char *
		ports[NAT_PROTOCOLS]; /* words separated by blanks, as users write them; "" switches the protocol off */
	uint64_t timeout_ms[NAT_TIMEOUTS];
	bool no_l2;		  /* a device without Ethernet header */
	bool no_address;	  /* no external address at first */
	bool two;		  /* two external addresses, EXT and EXT2, with the same ports each */
	unsigned int without_udp; /* of the two, the one without ports of UDP: 1 or 2 */
	bool no_hold;		  /* freed ports are not held */
	int log_level;
	uint32_t max_sessions, max_fragments;
	uint32_t host_limit[NAT_PROTOCOLS], host_rate;
	uint32_t inbound_mark;
	uint32_t designated_mark; /* there is a designated server, behind ROUTER_DMZ */
	uint16_t mss_clamp;
	enum nat_filtering filtering;
	enum nat_pooling pooling;
	bool refresh_inbound;
	struct ip_prefix internals[2], exempt_destinations[2]; /* length 0: none */
	struct ip_prefix own[2];			       /* for datapath_set_own() */
	struct forward_setup forwards[ROUTER_FORWARDS];	       /* external port 0: none */
};

/* A prefix for a setup, as IPv4 has it, from a host-order address. */
#define PREFIX(host, bits)                                            \
	{                                                             \
		.addr = { __builtin_bswap32(host) }, .length = (bits) \
	}

/* What became of a packet. */
struct outcome {
	int verdict; /* TC_ACT_* */
	enum nat_direction direction;
	enum nat_reason why;
	struct frame frame;
	uint32_t mark; /* of the packet when the program is done with it */
};

struct router;

/* A namespace of this process's own with a loopback that has EXT and EXT2. False if we may not. */
bool router_prepare(void);

/* Of the family that packet_use_family() has chosen. */
struct router *router_open(const struct setup *setup);
void router_close(struct router *router);

/*
 * Holds the maps against each other, then lets every mapping end and sweeps: afterwards no endpoint may be left and every
 * port must be free again. The router is then as it was when opened. NULL, or what is wrong.
 */
const char *router_reset(struct router *router);

struct datapath *router_datapath(struct router *router);
const struct setup *router_setup(const struct router *router);

/*
 * Runs the program of that direction on the frame. Checks that exactly one counter moved, by one packet and by its
 * bytes, and that the verdict is the one that its reason has in nat.h. NULL, or what is wrong.
 */
const char *router_send(struct router *router, enum nat_direction direction, const struct frame *frame,
			struct outcome *outcome);

/* What router_send() gives where the kernel refuses a run on an IP packet this short (6.18). */
extern const char router_refused[];

/* The same without a look at the counters: for many packets. Gives the verdict. */
int router_send_quickly(struct router *router, enum nat_direction direction, const struct frame *frame,
			struct frame *result);

/*
 * Until the reset, frames go through the attached programs with only so many bytes in one piece, see wire.h. Nothing but
 * packets that go on can be sent so.
 */
void router_set_linear(struct router *router, size_t bytes);

/* To be called where attached programs have counted packets, too. */
void router_forget_counters(struct router *router);

/* The mark of the packets to come; the reset makes it 0. */
uint32_t router_mark(const struct router *router);
void router_set_mark(struct router *router, uint32_t mark);

/* The interface that the packets to come have come in by, on their way out; 0: the router's own. The reset makes it 0. */
void router_set_from(struct router *router, unsigned int ifindex);

/* Can this kernel run a program on such a packet? */
bool router_knows_from(struct router *router);

/* What was set before loading. */
struct nat_constants router_constants(const struct router *router);

/* Makes no use of CHECKSUM_COMPLETE, which is otherwise on and checked where the kernel can (6.11). */
void router_set_checksum_none(struct router *router);

/* True if the port is managed. Host order. */
bool router_manages(const struct router *router, enum nat_protocol protocol, unsigned int port);

/* A copy of the slot of an external port, live or not. Of two external addresses, the first one's. */
struct mapping router_mapping(const struct router *router, enum nat_protocol protocol, unsigned int port);

/* Every slot, of all external addresses: how many, and a copy of one. */
size_t router_count_slots(const struct router *router);
struct mapping router_slot(const struct router *router, uint32_t slot);

/* True if packets from outside would find the mapping. */
bool router_mapping_is_live(const struct router *router, const struct mapping *mapping);

/* True if the internal address is this one. */
bool router_mapping_is_of(const struct mapping *mapping, uint32_t addr);

/* How much longer the mapping would live. */
int64_t router_mapping_lasts_ms(const struct mapping *mapping);

size_t router_count_endpoints(const struct router *router);
size_t router_count_sessions(const struct router *router);

/* Time passes: brings the end of every mapping and of every fragment's record nearer. */
void router_later(struct router *router, uint64_t ms);

/* The mapping of an external port ended longer ago than any hold-down. */
void router_expire(struct router *router, enum nat_protocol protocol, unsigned int port);

void router_set_external(struct router *router, uint32_t addr);

/* Ends every mapping at once, as a change of the address to another and back would, which takes 20 ms each time. */
void router_end_all(struct router *router);

/* Every host may be told again that its packets are refused. The reset does this, too. */
void router_forget_refusals(struct router *router);

/* Holds the maps against each other, while no packet is under way. NULL, or what is wrong. */
const char *router_check(struct router *router);

/* A socket of the router's own, open until the reset: a listening one for TCP. Port in host order. */
void router_listen(struct router *router, enum nat_protocol protocol, uint32_t addr, unsigned int port);

#endif
