// SPDX-License-Identifier: GPL-2.0-or-later
/* See held.h. The entries in use are the first `count`, in the order of their arrival. */
#include "held.h"

#include <stdlib.h>
#include <string.h>

bool held_add(struct held_store *store, const struct held_fragment *fragment, uint64_t deadline_ms)
{
	uint32_t length = fragment->head.length;
	struct held_entry *entry;

	if (!length || length > NAT_HELD_FRAME_MAX)
		return false;
	if (store->count == HELD_MAX || store->bytes + length > HELD_BYTES_MAX)
		return false;
	entry = &store->entries[store->count];
	entry->frame = malloc(length);
	if (!entry->frame)
		return false;
	memcpy(entry->frame, fragment->frame, length);
	memcpy(entry->key, fragment->head.key, sizeof(entry->key));
	entry->direction = fragment->head.direction == NAT_EGRESS ? NAT_EGRESS : NAT_INGRESS;
	entry->deadline_ms = deadline_ms;
	entry->length = length;
	store->count++;
	store->bytes += length;
	return true;
}

/* Closes the gap: the frame is the caller's from here on. */
static void entry_remove(struct held_store *store, size_t i)
{
	store->bytes -= store->entries[i].length;
	store->count--;
	memmove(&store->entries[i], &store->entries[i + 1], (store->count - i) * sizeof(store->entries[0]));
	memset(&store->entries[store->count], 0, sizeof(store->entries[0]));
}

bool held_take(struct held_store *store, const uint8_t key[NAT_HELD_KEY_MAX], struct held_entry *entry)
{
	for (size_t i = 0; i < store->count; i++) {
		if (memcmp(store->entries[i].key, key, NAT_HELD_KEY_MAX))
			continue;
		*entry = store->entries[i];
		entry_remove(store, i);
		return true;
	}
	return false;
}

void held_expire(struct held_store *store, uint64_t now_ms)
{
	size_t i = 0;

	while (i < store->count) {
		if (store->entries[i].deadline_ms > now_ms) {
			i++;
			continue;
		}
		free(store->entries[i].frame);
		entry_remove(store, i);
	}
}

void held_clear(struct held_store *store)
{
	held_expire(store, UINT64_MAX);
}
