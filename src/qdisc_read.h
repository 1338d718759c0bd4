/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's messages on qdiscs and filters say. Pure: qdisc.c asks. The functions are called as mnl_cb_run() does
 * it, and believe nothing: see netlink_read.h.
 */
#ifndef QDISC_READ_H
#define QDISC_READ_H

#include <libmnl/libmnl.h>

#include "qdisc.h"

struct filter_list {
	bool is_egress;
	void (*visit)(const struct qdisc_filter *filter, void *arg);
	void *arg;
};

struct ingress_search {
	int ifindex;
	int found; /* 1: it has the `ingress` qdisc */
};

/* data: struct filter_list */
int filter_read(const struct nlmsghdr *message, void *data);
/* data: struct ingress_search */
int ingress_read(const struct nlmsghdr *message, void *data);

#endif
