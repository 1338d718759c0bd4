/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fragments that came before the first of their packet (RFC 4787 REQ-14), held until it is known. Bounded in number, in
 * bytes and in time, so that a flood of fragments costs this much memory and no more (REQ-14a). Pure: no system call.
 */
#ifndef HELD_H
#define HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nat.h"

#define HELD_MAX       64     /* fragments */
#define HELD_BYTES_MAX 131072 /* of all frames together */

struct held_entry {
	uint8_t key[NAT_HELD_KEY_MAX];
	enum nat_direction direction;
	uint64_t deadline_ms;
	uint32_t length;
	uint8_t *frame; /* NULL: the entry is free */
};

struct held_store {
	struct held_entry entries[HELD_MAX];
	size_t count;
	size_t bytes;
};

/* Takes a copy of a fragment until deadline_ms. False where that would be too many or too much, or memory is out. */
bool held_add(struct held_store *store, const struct held_fragment *fragment, uint64_t deadline_ms);

/* Takes one fragment of this key out of the store, in the order of their arrival. The caller frees its frame. */
bool held_take(struct held_store *store, const uint8_t key[NAT_HELD_KEY_MAX], struct held_entry *entry);

/* Drops what is past its deadline. */
void held_expire(struct held_store *store, uint64_t now_ms);

/* Drops everything. */
void held_clear(struct held_store *store);

#endif
