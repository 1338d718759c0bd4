/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hangs on an interface's clsact qdisc: so that ours is removed and nobody else's. */
#ifndef QDISC_H
#define QDISC_H

#include <stdbool.h>
#include <stdint.h>

struct qdisc_filter {
	bool is_egress;
	uint32_t handle;
	uint16_t priority;
	const char *bpf_name; /* "nat_egress:[23]"; "" for a filter that is no BPF program */
};

/*
 * Calls visit() for each filter on the interface's clsact qdisc, both directions. No such qdisc: none. Returns 0 or -errno.
 */
int qdisc_list_filters(int ifindex, void (*visit)(const struct qdisc_filter *filter, void *arg), void *arg);

/*
 * 1 if the interface has the older `ingress` qdisc, which takes clsact's place but has no egress: a filter for egress
 * would land on ingress (net/sched/sch_ingress.c). 0 if not, or -errno.
 */
int qdisc_is_ingress_only(int ifindex);

#endif
