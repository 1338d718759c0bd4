/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has how many mappings: internal hosts, counted one mapping at a time. Pure. */
#ifndef HOSTS_H
#define HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nat.h"

struct host_count {
	__be32 addr[4];
	uint32_t mappings[NAT_PROTOCOLS];
	uint32_t total; /* 0: an unused place */
	uint32_t plane; /* whose it is: the same address behind two interfaces is two hosts */
};

struct hosts {
	struct host_count *places;
	size_t size, count;
};

/* Returns 0 or -ENOMEM. The memory is bounded by the number of mappings. */
int hosts_add(struct hosts *hosts, uint32_t plane, const __be32 addr[4], unsigned int protocol);

/* Busiest first, and of equals the lower address: then places[0] to places[count - 1] are all there are. Add no more. */
void hosts_sort(struct hosts *hosts);

void hosts_free(struct hosts *hosts);

#endif
