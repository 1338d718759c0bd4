// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See nft_rules.h. A rule is a list of expressions that load registers and compare them. Whatever is not understood narrows the
 * rule down: it is then said to matter to some packets, not to all.
 */
#include "nft_rules.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

enum { OWN_TABLE_LENGTH = 6, ATTRS_MAX = 32 }; /* "einat-" */

/* The attributes of a nest or a message by number; NULL: not there. */
struct attrs {
	const struct nlattr *at[ATTRS_MAX];
};

static int attr_take(const struct nlattr *attr, void *data)
{
	struct attrs *attrs = data;

	if (mnl_attr_get_type(attr) < ATTRS_MAX)
		attrs->at[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static void nest_read(const struct nlattr *nest, struct attrs *attrs)
{
	memset(attrs, 0, sizeof(*attrs));
	if (nest)
		mnl_attr_parse_nested(nest, attr_take, attrs);
}

static uint32_t number(const struct nlattr *attr)
{
	return attr && mnl_attr_get_payload_len(attr) == sizeof(uint32_t) ? ntohl(mnl_attr_get_u32(attr)) : 0;
}

static void name_copy(char name[NFT_RULES_NAME], const struct nlattr *attr)
{
	size_t length;

	memset(name, 0, NFT_RULES_NAME);
	if (!attr)
		return;
	length = mnl_attr_get_payload_len(attr);
	memcpy(name, mnl_attr_get_payload(attr), length < NFT_RULES_NAME ? length : NFT_RULES_NAME - 1);
}

static bool name_is(const struct nlattr *attr, const char *name)
{
	char text[NFT_RULES_NAME];

	name_copy(text, attr);
	return attr && !strcmp(text, name);
}

static bool place_equal(const struct nft_place *place, uint8_t family, const char *table, const char *name)
{
	return place->family == family && !strcmp(place->table, table) && !strcmp(place->name, name);
}

static void place_read(struct nft_place *place, uint8_t family, const struct nlattr *table, const struct nlattr *name)
{
	place->family = family;
	name_copy(place->table, table);
	name_copy(place->name, name);
}

/* A zeroed element more, or NULL. */
static void *array_grow(void **array, size_t *count, size_t size)
{
	char *grown = realloc(*array, (*count + 1) * size);

	if (!grown) {
		errno = ENOMEM;
		return NULL;
	}
	*array = grown;
	return memset(grown + (*count)++ * size, 0, size);
}

static int chain_read(struct nft_ruleset *ruleset, uint8_t family, const struct attrs *attrs)
{
	struct nft_chain *chain = array_grow((void **)&ruleset->chains, &ruleset->chains_count,
					     sizeof(*ruleset->chains));
	struct attrs hook;

	if (!chain)
		return MNL_CB_ERROR;
	place_read(&chain->place, family, attrs->at[NFTA_CHAIN_TABLE], attrs->at[NFTA_CHAIN_NAME]);
	nest_read(attrs->at[NFTA_CHAIN_HOOK], &hook);
	chain->is_base = attrs->at[NFTA_CHAIN_HOOK];
	chain->is_source_nat = chain->is_base && name_is(attrs->at[NFTA_CHAIN_TYPE], "nat") &&
			       number(hook.at[NFTA_HOOK_HOOKNUM]) == NF_INET_POST_ROUTING;
	return MNL_CB_OK;
}

static int flowtable_read(struct nft_ruleset *ruleset, uint8_t family, const struct attrs *attrs)
{
	struct nft_flowtable *table = array_grow((void **)&ruleset->flowtables, &ruleset->flowtables_count,
						 sizeof(*ruleset->flowtables));
	const struct nlattr *device;
	struct attrs hook;

	if (!table)
		return MNL_CB_ERROR;
	place_read(&table->place, family, attrs->at[NFTA_FLOWTABLE_TABLE], attrs->at[NFTA_FLOWTABLE_NAME]);
	table->is_hardware = number(attrs->at[NFTA_FLOWTABLE_FLAGS]) & NFT_FLOWTABLE_HW_OFFLOAD;
	nest_read(attrs->at[NFTA_FLOWTABLE_HOOK], &hook);
	if (hook.at[NFTA_FLOWTABLE_HOOK_DEVS])
		mnl_attr_for_each_nested(device, hook.at[NFTA_FLOWTABLE_HOOK_DEVS])
			table->has_interface = table->has_interface || name_is(device, ruleset->ifname);
	return MNL_CB_OK;
}

/* What the register that was loaded last holds. */
enum loaded { LOADED_OTHER, LOADED_OIF, LOADED_OIFNAME, LOADED_NFPROTO };

static enum loaded meta_read(const struct attrs *meta)
{
	switch (number(meta->at[NFTA_META_KEY])) {
	case NFT_META_OIF:
		return LOADED_OIF;
	case NFT_META_OIFNAME:
		return LOADED_OIFNAME;
	case NFT_META_NFPROTO:
		return LOADED_NFPROTO;
	default:
		return LOADED_OTHER;
	}
}

static void compare_read(struct nft_rule *rule, const struct nft_ruleset *ruleset, const struct attrs *compare,
			 enum loaded loaded)
{
	const bool is_not = number(compare->at[NFTA_CMP_OP]) == NFT_CMP_NEQ;
	const void *mine = loaded == LOADED_OIF ? (const void *)&ruleset->ifindex : ruleset->ifname;
	const size_t size = loaded == LOADED_OIF ? sizeof(ruleset->ifindex) : sizeof(ruleset->ifname);
	struct attrs data;
	const uint8_t *value;
	size_t length;

	nest_read(compare->at[NFTA_CMP_DATA], &data);
	if (loaded == LOADED_OTHER || !data.at[NFTA_DATA_VALUE]) {
		rule->is_narrow = true;
		return;
	}
	value = mnl_attr_get_payload(data.at[NFTA_DATA_VALUE]);
	length = mnl_attr_get_payload_len(data.at[NFTA_DATA_VALUE]);
	if (loaded == LOADED_NFPROTO) {
		rule->only_family = length ? (is_not ? value[0] ^ (NFPROTO_IPV4 ^ NFPROTO_IPV6) : value[0]) : 0;
		return;
	}
	/* "wan*" is compared without the NUL, so its length says where to stop. */
	if (length > size || !memcmp(mine, value, length) == is_not)
		rule->is_elsewhere = true;
}

static void verdict_read(struct nft_rule *rule, const struct attrs *immediate)
{
	struct attrs data, verdict;
	int code;

	nest_read(immediate->at[NFTA_IMMEDIATE_DATA], &data);
	nest_read(data.at[NFTA_DATA_VERDICT], &verdict);
	code = (int)number(verdict.at[NFTA_VERDICT_CODE]);
	if (code != NFT_JUMP && code != NFT_GOTO)
		return;
	rule->action = NFT_ACTION_JUMP;
	name_copy(rule->target, verdict.at[NFTA_VERDICT_CHAIN]);
}

/* Expressions that do something, and extensions of iptables. */
static void action_read(struct nft_rule *rule, const struct nlattr *name, const struct attrs *data)
{
	if (name_is(name, "masq"))
		rule->action = NFT_ACTION_SOURCE_NAT;
	else if (name_is(name, "nat") && number(data->at[NFTA_NAT_TYPE]) == NFT_NAT_SNAT)
		rule->action = NFT_ACTION_SOURCE_NAT;
	else if (name_is(name, "immediate"))
		verdict_read(rule, data);
	else if (name_is(name, "flow_offload")) {
		rule->action = NFT_ACTION_OFFLOAD;
		name_copy(rule->target, data->at[NFTA_FLOW_TABLE_NAME]);
	} else if (name_is(name, "exthdr") && data->at[NFTA_EXTHDR_SREG] && data->at[NFTA_EXTHDR_TYPE] &&
		   mnl_attr_get_payload_len(data->at[NFTA_EXTHDR_TYPE]) == 1 &&
		   mnl_attr_get_u8(data->at[NFTA_EXTHDR_TYPE]) == 2) /* TCP option 2: MSS */
		rule->action = NFT_ACTION_CLAMP;
	else if (name_is(name, "target") && name_is(data->at[NFTA_TARGET_NAME], "TCPMSS"))
		rule->action = NFT_ACTION_CLAMP;
	else if (name_is(name, "target") &&
		 (name_is(data->at[NFTA_TARGET_NAME], "MASQUERADE") || name_is(data->at[NFTA_TARGET_NAME], "SNAT")))
		rule->action = NFT_ACTION_SOURCE_NAT;
}

static void expressions_read(struct nft_rule *rule, const struct nft_ruleset *ruleset, const struct nlattr *list)
{
	enum loaded loaded = LOADED_OTHER;
	const struct nlattr *element;
	struct attrs expression, data;

	mnl_attr_for_each_nested(element, list) {
		nest_read(element, &expression);
		nest_read(expression.at[NFTA_EXPR_DATA], &data);
		if (name_is(expression.at[NFTA_EXPR_NAME], "meta"))
			loaded = meta_read(&data);
		else if (name_is(expression.at[NFTA_EXPR_NAME], "cmp"))
			compare_read(rule, ruleset, &data, loaded);
		else if (name_is(expression.at[NFTA_EXPR_NAME], "match") ||
			 (name_is(expression.at[NFTA_EXPR_NAME], "lookup") && loaded == LOADED_OTHER))
			rule->is_narrow = true;
		else if (name_is(expression.at[NFTA_EXPR_NAME], "payload") ||
			 name_is(expression.at[NFTA_EXPR_NAME], "ct"))
			loaded = LOADED_OTHER;
		else
			action_read(rule, expression.at[NFTA_EXPR_NAME], &data);
	}
}

static int rule_read(struct nft_ruleset *ruleset, uint8_t family, const struct attrs *attrs)
{
	struct nft_rule *rule = array_grow((void **)&ruleset->rules, &ruleset->rules_count, sizeof(*ruleset->rules));
	uint64_t handle = 0;

	if (!rule)
		return MNL_CB_ERROR;
	place_read(&rule->chain, family, attrs->at[NFTA_RULE_TABLE], attrs->at[NFTA_RULE_CHAIN]);
	if (attrs->at[NFTA_RULE_HANDLE] && mnl_attr_get_payload_len(attrs->at[NFTA_RULE_HANDLE]) == sizeof(handle))
		handle = be64toh(mnl_attr_get_u64(attrs->at[NFTA_RULE_HANDLE]));
	rule->handle = handle;
	if (attrs->at[NFTA_RULE_EXPRESSIONS])
		expressions_read(rule, ruleset, attrs->at[NFTA_RULE_EXPRESSIONS]);
	if (family == NFPROTO_IPV4 || family == NFPROTO_IPV6)
		rule->only_family = family;
	ruleset->has_clamp = ruleset->has_clamp || rule->action == NFT_ACTION_CLAMP;
	return MNL_CB_OK;
}

int nft_ruleset_read(const struct nlmsghdr *message, void *data)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	struct attrs attrs = { { NULL } };

	if (message->nlmsg_len < mnl_nlmsg_size(sizeof(*header)))
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*header), attr_take, &attrs);
	switch (message->nlmsg_type) {
	case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN:
		return chain_read(data, header->nfgen_family, &attrs);
	case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE:
		return rule_read(data, header->nfgen_family, &attrs);
	case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWFLOWTABLE:
		return flowtable_read(data, header->nfgen_family, &attrs);
	default:
		return MNL_CB_OK;
	}
}

static struct nft_chain *chain_find(struct nft_ruleset *ruleset, const struct nft_place *in, const char *name)
{
	size_t i;

	for (i = 0; i < ruleset->chains_count; i++)
		if (place_equal(&ruleset->chains[i].place, in->family, in->table, name))
			return &ruleset->chains[i];
	return NULL;
}

/* Marks the chains that jumps lead to, until there are no more. A chain that only a map names counts as reached. */
static void chains_reach(struct nft_ruleset *ruleset)
{
	struct nft_chain *from, *to;
	bool again = true;
	size_t i;

	for (i = 0; i < ruleset->rules_count; i++) {
		to = ruleset->rules[i].action == NFT_ACTION_JUMP
			     ? chain_find(ruleset, &ruleset->rules[i].chain, ruleset->rules[i].target)
			     : NULL;
		if (to)
			to->is_jumped_to = true;
	}
	for (i = 0; i < ruleset->chains_count; i++)
		ruleset->chains[i].is_reached = ruleset->chains[i].is_source_nat ||
						(!ruleset->chains[i].is_base && !ruleset->chains[i].is_jumped_to);
	while (again) {
		again = false;
		for (i = 0; i < ruleset->rules_count; i++) {
			const struct nft_rule *rule = &ruleset->rules[i];

			if (rule->action != NFT_ACTION_JUMP || rule->is_elsewhere)
				continue;
			from = chain_find(ruleset, &rule->chain, rule->chain.name);
			to = chain_find(ruleset, &rule->chain, rule->target);
			if (from && to && from->is_reached && !to->is_reached)
				again = to->is_reached = true;
		}
	}
}

void nft_ruleset_judge(struct nft_ruleset *ruleset)
{
	const struct nft_chain *chain;
	struct nft_rule *rule;
	size_t i, k;

	chains_reach(ruleset);
	for (i = 0; i < ruleset->rules_count; i++) {
		rule = &ruleset->rules[i];
		chain = chain_find(ruleset, &rule->chain, rule->chain.name);
		rule->is_in_the_way = rule->action == NFT_ACTION_SOURCE_NAT && !rule->is_elsewhere && chain &&
				      chain->is_reached && strncmp(rule->chain.table, "einat-", OWN_TABLE_LENGTH) != 0;
		for (k = 0; k < ruleset->flowtables_count && rule->action == NFT_ACTION_OFFLOAD; k++) {
			const struct nft_flowtable *table = &ruleset->flowtables[k];

			if (!place_equal(&table->place, rule->chain.family, rule->chain.table, rule->target))
				continue;
			rule->is_offload = table->has_interface;
			rule->is_hardware = table->is_hardware;
		}
	}
}

void nft_ruleset_free(struct nft_ruleset *ruleset)
{
	free(ruleset->chains);
	free(ruleset->rules);
	free(ruleset->flowtables);
	memset(ruleset, 0, sizeof(*ruleset));
}
