/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's messages on routes and rules say to the doctor. Pure: facts.c asks. The functions are called as
 * mnl_cb_run() does it, and believe nothing: see netlink_read.h.
 */
#ifndef FACTS_READ_H
#define FACTS_READ_H

#include <libmnl/libmnl.h>

#include "doctor.h"

struct default_search {
	struct family_facts *facts;
	int ifindex;
	int other; /* the index of another interface that has a default route; 0: none */
};

/* data: struct default_search */
int default_route_read(const struct nlmsghdr *message, void *data);
/* data: struct family_facts */
int left_rule_read(const struct nlmsghdr *message, void *data);

#endif
