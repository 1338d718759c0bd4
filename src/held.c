// SPDX-License-Identifier: GPL-2.0-or-later
/* See held.h. */
#include "held.h"

#include <stdlib.h>
#include <string.h>

bool held_add(struct held_store *store, const struct held_fragment *fragment, uint64_t deadline_ms)
{
	uint32_t length = fragment->head.length;
	struct held_entry *entry;
	struct held_queue *queue;

	if (!length || length > NAT_HELD_FRAME_MAX || fragment->head.direction >= NAT_DIRECTIONS)
		return false;
	queue = &store->queues[fragment->head.direction];
	if (queue->count == HELD_MAX || queue->bytes + length > HELD_BYTES_MAX)
		return false;
	entry = &queue->entries[queue->count];
	entry->frame = malloc(length);
	if (!entry->frame)
		return false;
	memcpy(entry->frame, fragment->frame, length);
	memcpy(entry->key, fragment->head.key, sizeof(entry->key));
	entry->deadline_ms = deadline_ms;
	entry->length = length;
	queue->count++;
	queue->bytes += length;
	return true;
}

/* Closes the gap: the frame is the caller's from here on. */
static void entry_remove(struct held_queue *queue, size_t i)
{
	queue->bytes -= queue->entries[i].length;
	queue->count--;
	memmove(&queue->entries[i], &queue->entries[i + 1], (queue->count - i) * sizeof(queue->entries[0]));
	memset(&queue->entries[queue->count], 0, sizeof(queue->entries[0]));
}

bool held_take(struct held_store *store, enum nat_direction direction, const uint8_t key[NAT_HELD_KEY_MAX],
	       struct held_entry *entry)
{
	struct held_queue *queue = &store->queues[direction];

	for (size_t i = 0; i < queue->count; i++) {
		if (memcmp(queue->entries[i].key, key, NAT_HELD_KEY_MAX))
			continue;
		*entry = queue->entries[i];
		entry_remove(queue, i);
		return true;
	}
	return false;
}

bool held_has(const struct held_store *store, enum nat_direction direction)
{
	return store->queues[direction].count > 0;
}

static void queue_expire(struct held_queue *queue, uint64_t now_ms)
{
	size_t i = 0;

	while (i < queue->count) {
		if (queue->entries[i].deadline_ms > now_ms) {
			i++;
			continue;
		}
		free(queue->entries[i].frame);
		entry_remove(queue, i);
	}
}

void held_expire(struct held_store *store, uint64_t now_ms)
{
	for (int direction = 0; direction < NAT_DIRECTIONS; direction++)
		queue_expire(&store->queues[direction], now_ms);
}

void held_clear(struct held_store *store)
{
	held_expire(store, UINT64_MAX);
}
