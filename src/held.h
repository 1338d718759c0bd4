/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fragments that came before the first of their packet (RFC 4787 REQ-14), held until it is known. Bounded in number, in
 * bytes and in time, so that a flood of fragments costs this much memory and no more (REQ-14a); and for each direction by
 * itself, so that a flood from outside takes no place from what is on its way out. Pure: no system call.
 */
#ifndef HELD_H
#define HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nat.h"

/* Of each direction: */
#define HELD_MAX       64    /* fragments */
#define HELD_BYTES_MAX 98304 /* of all their frames together */

struct held_entry {
	uint8_t key[NAT_HELD_KEY_MAX];
	uint64_t deadline_ms;
	uint32_t length;
	uint8_t *frame; /* NULL: the entry is free */
};

/* The entries in use are the first `count`, in the order of their arrival. */
struct held_queue {
	struct held_entry entries[HELD_MAX];
	size_t count;
	size_t bytes;
};

struct held_store {
	struct held_queue queues[NAT_DIRECTIONS];
};

/* Takes a copy of a fragment until deadline_ms. False where that would be too many or too much, or memory is out. */
bool held_add(struct held_store *store, const struct held_fragment *fragment, uint64_t deadline_ms);

/* Takes one fragment of this key out of the store, in the order of their arrival. The caller frees its frame. */
bool held_take(struct held_store *store, enum nat_direction direction, const uint8_t key[NAT_HELD_KEY_MAX],
	       struct held_entry *entry);

/* Is there any of this direction? */
bool held_has(const struct held_store *store, enum nat_direction direction);

/* Drops what is past its deadline. */
void held_expire(struct held_store *store, uint64_t now_ms);

/* Drops everything. */
void held_clear(struct held_store *store);

#endif
