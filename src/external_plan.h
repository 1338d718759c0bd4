/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what the configuration calls external, and the addresses that an interface has now, to what the data plane is told:
 * the address of each of its externals, and whose packets pass. Pure decisions.
 *
 * Each [[interfaces.externals]] stands for at most one address; the first of them that has one is the default source. Of two
 * that name the same address or network the earlier counts; of two that overlap, the more specific, which the data plane's
 * trie of prefixes sees to.
 */
#ifndef EXTERNAL_PLAN_H
#define EXTERNAL_PLAN_H

#include "config.h"
#include "external.h"

struct external_plan {
	unsigned int count;				      /* externals; never changes for a configuration */
	const struct external_rule *rules[NAT_EXTERNALS_MAX]; /* whose each is; NULL: default_externals' */
	__be32 sources[NAT_EXTERNALS_MAX][4];		      /* all zero: none at present */
	struct ip_prefix *exempt;			      /* what leaves from these passes */
	size_t exempt_count;
};

/* Who may be a source, and no address yet. -E2BIG: more than NAT_EXTERNALS_MAX; -ENOENT: nobody. */
int external_plan_init(struct external_plan *plan, const struct interface_config *config, int family);

/* Chooses the addresses; where several would do, the last choice stays. Returns 0 or -ENOMEM. */
int external_plan_update(struct external_plan *plan, const struct interface_config *config, int family,
			 const struct interface_address *addresses, size_t count);

/*
 * The networks that the configuration calls internal, for datapath_config.internals; it lets every other source pass,
 * unless there is none. *internals is to be freed. Returns 0 or -ENOMEM.
 */
int external_plan_internals(const struct interface_config *config, int family, struct ip_prefix **internals,
			    size_t *count);

void external_plan_free(struct external_plan *plan);

#endif
