/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's messages on rules, routes and neighbours say, as struct hairpin_item. Pure: routing.c asks. The
 * functions are called as mnl_cb_run() does it, and believe nothing: see netlink_read.h.
 */
#ifndef ROUTING_READ_H
#define ROUTING_READ_H

#include <libmnl/libmnl.h>

#include "hairpin.h"

/* Where a dump's answers go. A kernel without IPv6 answers a question for its routes with those of IPv4. */
struct items_reader {
	struct hairpin_items *items;
	int family;
};

struct table_search {
	uint32_t table;
	int family;
	bool is_foreign; /* it has a route that is not ours */
};

/* data: struct items_reader; one item more, or ENOMEM */
int rule_read(const struct nlmsghdr *message, void *data);
int route_read(const struct nlmsghdr *message, void *data);	/* ours only: a router may have a million of others */
int neighbour_read(const struct nlmsghdr *message, void *data); /* permanent ones only */

/* data: struct table_search */
int table_read(const struct nlmsghdr *message, void *data);

#endif
