/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of ports as users write them: "20000-29999", any number of ranges, kept sorted, disjoint and merged. */
#ifndef PORT_SET_H
#define PORT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct port_range {
	uint16_t first; /* host order, both inclusive */
	uint16_t last;
};

struct port_set {
	struct port_range *ranges;
	size_t count;
};

/* Adds a range; overlapping and adjacent ones are merged. Returns 0, -EINVAL (first above last) or -ENOMEM. */
int port_set_add(struct port_set *set, uint16_t first, uint16_t last);

/*
 * Adds what a "FIRST-LAST" (or a single port) says. Returns 0, or -EINVAL or -ENOMEM; *why is then a constant text
 * such as "begin is above end" or "port above 65535".
 */
int port_set_parse(struct port_set *set, const char *text, const char **why);

bool port_set_contains(const struct port_set *set, uint16_t port);

/* Are all ports of `part` in `set`? */
bool port_set_contains_set(const struct port_set *set, const struct port_set *part);

/* Makes `to` the same set as `from`. Returns 0 or -ENOMEM, and then `to` is as it was. */
int port_set_copy(struct port_set *to, const struct port_set *from);

/* The number of ports in it, 0 to 65536. */
size_t port_set_size(const struct port_set *set);

void port_set_free(struct port_set *set);

#endif
