/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random packets: valid ones of the endpoints that a NAT with few ports has mappings for, most of them then broken in one
 * way or several. The same seed makes the same packets.
 */
#ifndef MUTANT_H
#define MUTANT_H

#include "nat.h"
#include "packet.h"

/* A sequence of random numbers (SplitMix64). */
struct random {
	uint64_t state;
};

uint64_t random_next(struct random *random);
unsigned int random_below(struct random *random, unsigned int bound);
bool random_one_in(struct random *random, unsigned int n);

/* Ports are out of these: for the tests' managed sets, with some left over that are not managed. */
#define MUTANT_PORTS "500-507 25000-25015"

/* A packet for that direction's program. True if it was broken. */
bool mutant_build(struct random *random, enum nat_direction direction, struct frame *frame);

#endif
