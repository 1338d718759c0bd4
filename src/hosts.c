// SPDX-License-Identifier: GPL-2.0-or-later
/* See hosts.h: a hash table with open addressing, never more than half full. */
#include "hosts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_FIRST = 64 };

/* The place of this host, or the one that it would get. */
static struct host_count *place_find(const struct hosts *hosts, uint32_t plane, const __be32 addr[4])
{
	uint32_t hash = plane;
	size_t i;

	for (i = 0; i < 4; i++)
		hash = (hash ^ addr[i]) * 0x9e3779b1u, hash ^= hash >> 15;
	for (i = hash & (hosts->size - 1);; i = (i + 1) & (hosts->size - 1)) {
		struct host_count *place = &hosts->places[i];

		if (!place->total || (place->plane == plane && !memcmp(place->addr, addr, sizeof(place->addr))))
			return place;
	}
}

static int hosts_grow(struct hosts *hosts)
{
	struct hosts grown = { .size = hosts->size ? hosts->size * 2 : SIZE_FIRST, .count = hosts->count };
	size_t i;

	grown.places = calloc(grown.size, sizeof(*grown.places));
	if (!grown.places)
		return -ENOMEM;
	for (i = 0; i < hosts->size; i++)
		if (hosts->places[i].total)
			*place_find(&grown, hosts->places[i].plane, hosts->places[i].addr) = hosts->places[i];
	free(hosts->places);
	*hosts = grown;
	return 0;
}

int hosts_add(struct hosts *hosts, uint32_t plane, const __be32 addr[4], unsigned int protocol)
{
	struct host_count *place;

	if (hosts->count * 2 >= hosts->size && hosts_grow(hosts))
		return -ENOMEM;
	place = place_find(hosts, plane, addr);
	if (!place->total) {
		hosts->count++;
		place->plane = plane;
		memcpy(place->addr, addr, sizeof(place->addr));
	}
	place->mappings[protocol % NAT_PROTOCOLS]++;
	place->total++;
	return 0;
}

static int place_compare(const void *left, const void *right)
{
	const struct host_count *a = left, *b = right;

	if (a->total != b->total)
		return a->total < b->total ? 1 : -1; /* the unused ones come last */
	if (a->plane != b->plane)
		return a->plane < b->plane ? -1 : 1;
	return memcmp(a->addr, b->addr, sizeof(a->addr));
}

void hosts_sort(struct hosts *hosts)
{
	if (hosts->places)
		qsort(hosts->places, hosts->size, sizeof(*hosts->places), place_compare);
}

void hosts_free(struct hosts *hosts)
{
	free(hosts->places);
	memset(hosts, 0, sizeof(*hosts));
}
