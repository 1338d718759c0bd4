/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules, routes and neighbours in the kernel: reads them, and carries out the steps of a hairpin plan. */
#ifndef ROUTING_H
#define ROUTING_H

#include "hairpin.h"
#include "netlink.h"

/*
 * Makes the kernel's rules, routes and neighbours of one family as wanted: an empty plan takes everything of ours back.
 * displaced is what hairpin_changes() remembers between calls. If a step fails the rest is still tried when taking back,
 * and not when setting up. Returns 0 or -errno, and has then said why.
 */
int routing_reconcile(struct netlink *nl, int family, const struct hairpin_items *wanted,
		      struct hairpin_items *displaced);

/* Has a table routes that are not ours? A question that fails is no. */
bool routing_table_is_foreign(struct netlink *nl, int family, uint32_t table);

/* Takes away what a killed daemon has left of one family, says what, and adds how much to *removed. 0 or -errno. */
int routing_clean(struct netlink *nl, int family, unsigned int *removed);

#endif
