/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes the fragments that came before the first of their packet from the BPF programs of one interface and family, holds
 * them (held.h), and sends them on their way when the first is known (RFC 4787 REQ-14).
 */
#ifndef FRAGMENTS_H
#define FRAGMENTS_H

#include <stdint.h>

#include "held.h"
#include "nat.h"

struct fragments {
	const char *ifname;
	int ifindex;
	int family;
	__u32 turn_mark;  /* what a packet carries that egress is to turn round */
	uint64_t hold_ms; /* how long one waits for its first */
	struct nat_config
		*config; /* what the programs are told: whether any is held, and how many they may hand over */
	int firsts;	 /* descriptor of the map of first fragments */
	struct ring_buffer *ring;
	struct held_store store;
	int socket; /* sends them; -1 until the first is held */
};

/* Reads the two rings, given as descriptors of their maps, from now on; the other fields are set. 0, or -errno (logged). */
int fragments_open(struct fragments *fragments, int egress_ring, int ingress_ring);

/* Frees all. May be called on one that is zero but for .socket = -1. */
void fragments_close(struct fragments *fragments);

/* Becomes readable when the programs have handed over something, for fragments_read(), which returns 0 or -errno. */
int fragments_fd(const struct fragments *fragments);
int fragments_read(struct fragments *fragments);

/* What waited too long is dropped, and each direction may hand over as many as before. To be called once a second. */
void fragments_expire(struct fragments *fragments);

/* `heir` goes on with what `before` holds. */
void fragments_bequeath(struct fragments *before, struct fragments *heir);

#endif
