/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which external port gets which slot of the data plane. For each external and protocol the slots are consecutive:
 *
 *	a stretch for each kind of port (struct port_class), of all managed ports of this kind
 *	the ports that are not managed, but that a static mapping has: nobody chooses one of them
 *
 * Pure.
 */
#ifndef SLOT_PLAN_H
#define SLOT_PLAN_H

#include "datapath.h"
#include "nat.h"
#include "port_set.h"

struct slot_plan {
	struct external externals[NAT_EXTERNALS_MAX]; /* the flags, and where its slots are; no address */
	const struct datapath_config *config;
	struct port_set unmanaged[NAT_EXTERNALS_MAX][NAT_PROTOCOLS]; /* of the static mappings' */
	__u32 slots;
	__u32 regions;
};

/* config is kept. Returns 0 or -ENOMEM; slot_plan_free() in either case. */
int slot_plan_make(struct slot_plan *plan, const struct datapath_config *config);
void slot_plan_free(struct slot_plan *plan);

/* Calls visit() for each port that has a slot, in the order of the slots. */
void slot_plan_visit(const struct slot_plan *plan, unsigned int external, enum nat_protocol protocol,
		     void (*visit)(__u32 slot, __u16 port, void *arg), void *arg);

/* A hash of everything that decides which slot is whose: static mappings, too. */
__u64 slot_plan_hash(const struct datapath_config *config);

#endif
