// SPDX-License-Identifier: GPL-2.0-or-later
/* Evaluates the configuration's externals. See external_plan.h. */
#include "external_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* An address as a prefix of full length, or a network without the bits behind its prefix. */
static struct ip_prefix prefix_of(const __be32 addr[4], unsigned int length)
{
	struct ip_prefix prefix = { .length = length };

	memcpy(prefix.addr, addr, sizeof(prefix.addr));
	ip_prefix_mask(&prefix);
	return prefix;
}

static bool addr_equal(const __be32 a[4], const __be32 b[4])
{
	return !memcmp(a, b, 4 * sizeof(*a));
}

static bool addr_is_set(const __be32 addr[4])
{
	return addr[0] | addr[1] | addr[2] | addr[3];
}

static unsigned int full_length(int family)
{
	return family == AF_INET ? 32 : 128;
}

/* Does an earlier rule say something of the same address or network? */
static bool is_shadowed(const struct interface_config *config, const struct external_rule *rule)
{
	struct ip_prefix prefix = prefix_of(rule->first, rule->length), other;
	const struct external_rule *earlier;

	if (rule->form == EXTERNAL_MATCH)
		return false;
	for (earlier = config->externals; earlier < rule; earlier++) {
		other = prefix_of(earlier->first, earlier->length);
		if (earlier->form != EXTERNAL_MATCH && earlier->family == rule->family &&
		    ip_prefix_equal(&other, &prefix))
			return true;
	}
	return false;
}

static bool rule_counts(const struct interface_config *config, const struct external_rule *rule, int family)
{
	return rule->family == family && !is_shadowed(config, rule);
}

int external_plan_init(struct external_plan *plan, const struct interface_config *config, int family)
{
	const struct external_rule *rule, *end = config->externals + config->externals_count;

	memset(plan, 0, sizeof(*plan));
	for (rule = config->externals; rule < end; rule++) {
		if (!rule_counts(config, rule, family) || rule->is_internal || rule->no_snat)
			continue;
		if (plan->count == NAT_EXTERNALS_MAX)
			return -E2BIG;
		plan->rules[plan->count++] = rule;
	}
	if (config->default_externals) {
		if (plan->count == NAT_EXTERNALS_MAX)
			return -E2BIG;
		plan->rules[plan->count++] = NULL;
	}
	return plan->count ? 0 : -ENOENT;
}

static void exempt_add(struct external_plan *plan, const struct ip_prefix *prefix)
{
	size_t i;

	for (i = 0; i < plan->exempt_count; i++)
		if (ip_prefix_equal(&plan->exempt[i], prefix))
			return;
	plan->exempt[plan->exempt_count++] = *prefix;
}

/* The addresses of the interface that are still to be given to somebody. */
struct candidates {
	struct interface_address *addresses;
	size_t count;
};

static const __be32 *own_address(const struct interface_address *address)
{
	return addr_is_set(address->local) ? address->local : address->addr;
}

static void candidate_remove(struct candidates *candidates, const __be32 addr[4])
{
	size_t i, kept = 0;

	for (i = 0; i < candidates->count; i++)
		if (!addr_equal(own_address(&candidates->addresses[i]), addr))
			candidates->addresses[kept++] = candidates->addresses[i];
	candidates->count = kept;
}

static bool rule_matches(const struct external_rule *rule, const __be32 addr[4])
{
	return !rule ||
	       (memcmp(rule->first, addr, 4 * sizeof(*addr)) <= 0 && memcmp(rule->last, addr, 4 * sizeof(*addr)) >= 0);
}

/* The matching candidates in front, in their order, so that external_choose() sees only these. Returns how many. */
static size_t candidates_match(struct candidates *candidates, const struct external_rule *rule, int family)
{
	struct interface_address address;
	size_t i, found = 0;

	for (i = 0; i < candidates->count; i++) {
		address = candidates->addresses[i];
		if (address.family != family || !rule_matches(rule, own_address(&address)))
			continue;
		memmove(&candidates->addresses[found + 1], &candidates->addresses[found],
			(i - found) * sizeof(*candidates->addresses));
		candidates->addresses[found++] = address;
	}
	return found;
}

/* What a rule means now. `source` is the address of its external, if it has one. */
static void rule_evaluate(struct external_plan *plan, const struct external_rule *rule, struct candidates *candidates,
			  int family, __be32 *source)
{
	struct ip_prefix prefix;
	size_t matching, i;

	if (rule && rule->form != EXTERNAL_MATCH) {
		prefix = prefix_of(rule->first, rule->length);
		if (rule->no_snat || rule->form == EXTERNAL_NETWORK)
			exempt_add(plan, &prefix);
		if (source)
			memcpy(source, rule->first, 4 * sizeof(*source));
		candidate_remove(candidates, rule->first);
		return;
	}
	matching = candidates_match(candidates, rule, family);
	if (source) {
		external_choose(candidates->addresses, matching, family, source);
		candidate_remove(candidates, source);
		return;
	}
	for (i = 0; i < matching; i++) {
		prefix = prefix_of(own_address(&candidates->addresses[i]), full_length(family));
		exempt_add(plan, &prefix);
	}
	for (; matching; matching--) {
		prefix = prefix_of(own_address(&candidates->addresses[0]), full_length(family));
		candidate_remove(candidates, prefix.addr);
	}
}

static void rules_evaluate(struct external_plan *plan, const struct interface_config *config, int family,
			   struct candidates *candidates)
{
	const struct external_rule *rule, *end = config->externals + config->externals_count;
	unsigned int number = 0;
	struct ip_prefix prefix;
	size_t i, others;

	plan->exempt_count = 0;
	for (rule = config->externals; rule < end; rule++) {
		if (!rule_counts(config, rule, family) || rule->is_internal)
			continue;
		rule_evaluate(plan, rule, candidates, family, rule->no_snat ? NULL : plan->sources[number++]);
	}
	if (!config->default_externals)
		return;
	rule_evaluate(plan, NULL, candidates, family, plan->sources[number]);
	/* All that the interface has left is external, too: the router's own. */
	others = candidates_match(candidates, NULL, family);
	for (i = 0; i < others; i++) {
		prefix = prefix_of(own_address(&candidates->addresses[i]), full_length(family));
		if (addr_is_set(prefix.addr))
			exempt_add(plan, &prefix);
	}
}

int external_plan_update(struct external_plan *plan, const struct interface_config *config, int family,
			 const struct interface_address *addresses, size_t count)
{
	struct candidates candidates = { calloc(count + 1, sizeof(*addresses)), count };
	struct ip_prefix *exempt = calloc(count + config->externals_count + 1, sizeof(*exempt));

	if (!candidates.addresses || !exempt) {
		free(candidates.addresses);
		free(exempt);
		return -ENOMEM;
	}
	if (count)
		memcpy(candidates.addresses, addresses, count * sizeof(*addresses));
	free(plan->exempt);
	plan->exempt = exempt;
	rules_evaluate(plan, config, family, &candidates);
	free(candidates.addresses);
	return 0;
}

int external_plan_internals(const struct interface_config *config, int family, struct ip_prefix **internals,
			    size_t *count)
{
	const struct external_rule *rule, *end = config->externals + config->externals_count;
	bool everything_is = !config->internals_count, any = !everything_is;
	struct ip_prefix *to;
	size_t i, used = 0;

	*internals = to = calloc(config->internals_count + config->externals_count + 1, sizeof(*to));
	*count = 0;
	if (!to)
		return -ENOMEM;
	for (i = 0; i < config->internals_count; i++)
		if (config->internals[i].family == family)
			to[used++] = config->internals[i].prefix;
	for (rule = config->externals; rule < end; rule++) {
		if (!rule_counts(config, rule, family) || rule->form == EXTERNAL_MATCH)
			continue;
		if (!rule->is_internal && rule->form == EXTERNAL_NETWORK && !rule->length)
			everything_is = false;
		if (rule->is_internal) {
			to[used++] = prefix_of(rule->first, rule->length);
			any = true;
		}
	}
	/* Where networks are named at all, every other source passes; so name all, or one that nobody is in: ::/128. */
	if (any && everything_is)
		to[used++] = (struct ip_prefix){ .length = 0 };
	else if (any && !used)
		to[used++] = (struct ip_prefix){ .length = full_length(family) };
	*count = used;
	return 0;
}

void external_plan_free(struct external_plan *plan)
{
	free(plan->exempt);
	plan->exempt = NULL;
	plan->exempt_count = 0;
}
