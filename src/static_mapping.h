/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts the configuration's static mappings into maps that no program uses yet. */
#ifndef STATIC_MAPPING_H
#define STATIC_MAPPING_H

#include <stddef.h>

#include "datapath.h"

/* The maps: two of them in memory, one by its descriptor. */
struct static_maps {
	char *slots;
	size_t slot_size, addr_size; /* the distance of two slots; bytes of the family's address */
	const struct port_block *index;
	int endpoints;
	const struct external *externals;
};

/* Every port has its slot already. Returns 0 or -errno. */
int static_mappings_fill(const struct static_maps *maps, const struct datapath_config *config);

#endif
