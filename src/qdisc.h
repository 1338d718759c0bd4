/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hangs on an interface's clsact qdisc: so that ours is removed and nobody else's. */
#ifndef QDISC_H
#define QDISC_H

/*
 * The number of filters on the interface's clsact qdisc, both directions together, or -errno. No such qdisc: 0.
 */
int qdisc_count_filters(int ifindex);

/*
 * 1 if the interface has the older `ingress` qdisc, which takes clsact's place but has no egress: a filter for egress
 * would land on ingress (net/sched/sch_ingress.c). 0 if not, or -errno.
 */
int qdisc_is_ingress_only(int ifindex);

#endif
