/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must be true of any packet that a program has seen, however broken it is, from nothing but its bytes before and
 * after. Reads packets by itself: shares no code with the data plane, nor with what builds the tests' packets.
 *
 * A checksum is held to the difference: what is off by something stays off by as much, so what is right stays right, and
 * that can be told of broken packets and of fragments, too.
 */
#ifndef INVARIANT_H
#define INVARIANT_H

#include "nat.h"
#include "packet.h"

/* The endpoint of a packet that NAT changes, before and after. Ports in host order, -1 where there is none. */
struct local_change {
	uint8_t addr[2][16];
	int port[2];
	enum nat_protocol protocol;
};

struct translation {
	struct local_change outer, embedded;
	bool is_error;	  /* there is an embedded packet */
	bool is_follower; /* a later fragment: it has no ports */
};

/* NULL, or what has changed that must not in a packet that was dropped or passed on untouched. */
const char *untouched_check(const struct frame *before, const struct frame *after);

/*
 * NULL, or what is wrong with the translation of a packet; what was translated into what goes to *translation.
 * mss_clamp: the largest MSS that may remain, 0 if none is changed.
 */
const char *translation_check(const struct frame *before, const struct frame *after, enum nat_direction direction,
			      uint16_t mss_clamp, struct translation *translation);

#endif
