// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The plan for a designated server.
 *
 * The kernel checks the source of the server's packets (fib_validate_source): it looks the address up as a destination, with
 * the interface that they leave by as iif, or lo if they are for the router. Leaving by wan they are, by all that a rule can
 * see, the same as packets from outside for the router. So the local table answers, and accept_local is what makes that no
 * martian; the answer names another interface, so rp_filter must be loose.
 *
 * Both let it have any source at all, the router's own included. So the first rules look at that. `goto`, and no tables of our
 * own, because what may pass is to meet the administrator's rules. For a packet that leaves by dmz the kernel checks the source
 * with source and destination exchanged, and dmz as iif: so the same rules answer.
 */
#include "designated.h"

#include <errno.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

const struct designated_setting designated_settings[DESIGNATED_SETTINGS] = {
	{ "accept_local", IPV4_DEVCONF_ACCEPT_LOCAL, 1 },
	{ "rp_filter", IPV4_DEVCONF_RP_FILTER, 2 },   /* the larger one of `all` and this counts: 2, loose */
	{ "proxy_arp", IPV4_DEVCONF_PROXY_ARP, 1 },   /* it asks for its gateway as if it were outside */
	{ "arp_ignore", IPV4_DEVCONF_ARP_IGNORE, 1 }, /* on its link the address is its alone */
};

static bool has_server(const struct hairpin_external *external)
{
	return interface_config_designates(external->config, CONFIG_IPV4) && external->designated_ifindex &&
	       external->is_up && external->addr[0];
}

static int plan_rule(struct hairpin_items *wanted, uint32_t preference, const char *iif, uint32_t table)
{
	struct hairpin_item rule = hairpin_rule_make(AF_INET, preference, iif, 0, table);

	return hairpin_items_add_once(wanted, &rule);
}

/*
 * What has been hairpinned, and the answers: the other end is a managed port. See hairpin.c about lo. With a rule for lo alone
 * the kernel does not look at ports at all when it checks a source (fib_rule_requires_fldissect).
 */
static int plan_managed(struct hairpin_items *wanted, const struct hairpin_external *external, const char *iif,
			uint8_t ip_protocol)
{
	const struct designated_config *designated = &external->config->designated;
	struct hairpin_item rule = hairpin_rule_make(AF_INET, designated->rule_pref + 2, iif, ip_protocol,
						     designated->table_id + 1);

	rule.to_ports = hairpin_managed_span(external->config, ip_protocol);
	return rule.to_ports.last ? hairpin_items_add_once(wanted, &rule) : 0;
}

/* The router's own connections to its external address stay with it. */
static int plan_own(struct hairpin_items *wanted, uint32_t preference, __be32 from)
{
	struct hairpin_item rule = hairpin_rule_make(AF_INET, preference, "lo", 0, RT_TABLE_LOCAL);

	rule.has_from = true;
	rule.from_length = 32;
	rule.addr[0] = from;
	return hairpin_items_add_once(wanted, &rule);
}

static int plan_source(struct hairpin_items *wanted, const struct designated_config *designated, __be32 from,
		       unsigned int length)
{
	struct hairpin_item rule = hairpin_rule_make(AF_INET, designated->rule_pref, designated->name, 0, 0);

	rule.action = HAIRPIN_GOTO;
	rule.target = designated->rule_pref + 2;
	rule.has_from = true;
	rule.from_length = (uint8_t)length;
	rule.addr[0] = from;
	return hairpin_items_add_once(wanted, &rule);
}

/* Who may send from its interface. Behind the rules that it goes to. */
static int plan_sources(struct hairpin_items *wanted, const struct hairpin_external *external)
{
	const struct designated_config *designated = &external->config->designated;
	struct hairpin_item rest = hairpin_rule_make(AF_INET, designated->rule_pref + 1, designated->name, 0, 0);
	const struct ip_prefix *network = external->designated_networks;
	size_t i;
	int err;

	err = plan_source(wanted, designated, external->addr[0], 32);
	for (i = 0; i < external->designated_networks_count && !err; i++)
		err = plan_source(wanted, designated, network[i].addr[0], network[i].length);
	rest.action = HAIRPIN_BLACKHOLE;
	return err ?: hairpin_items_add_once(wanted, &rest);
}

static int plan_rules(struct hairpin_items *wanted, const struct hairpin_external *external)
{
	const struct designated_config *designated = &external->config->designated;
	const uint32_t preference = designated->rule_pref + 2, table = designated->table_id;
	struct hairpin_item marked = hairpin_rule_make(AF_INET, preference, "", 0, table);
	int err;

	marked.mark = designated->mark;
	err = hairpin_items_add_once(wanted, &marked);
	err = err ?: plan_managed(wanted, external, "lo", IPPROTO_TCP);
	err = err ?: plan_managed(wanted, external, "lo", IPPROTO_UDP);
	err = err ?: plan_managed(wanted, external, designated->name, IPPROTO_TCP);
	err = err ?: plan_managed(wanted, external, designated->name, IPPROTO_UDP);
	err = err ?: plan_rule(wanted, preference + 1, external->name, RT_TABLE_LOCAL);
	err = err ?: plan_own(wanted, preference + 1, external->addr[0]);
	err = err ?: plan_own(wanted, preference + 1, 0);
	err = err ?: plan_rule(wanted, preference + 2, "lo", table);
	err = err ?: plan_rule(wanted, preference + 2, designated->name, table);
	err = err ?: plan_rule(wanted, preference + 3, "", table + 1);
	return err ?: plan_sources(wanted, external);
}

static int plan_route(struct hairpin_items *wanted, const struct hairpin_external *external, uint32_t table,
		      int ifindex)
{
	struct hairpin_item route = {
		.kind = HAIRPIN_ROUTE,
		.family = AF_INET,
		.owner = HAIRPIN_OWNER,
		.table = table,
		.ifindex = ifindex,
		.addr = { external->addr[0] },
	};

	return hairpin_items_add_once(wanted, &route);
}

static int plan_neighbour(struct hairpin_items *wanted, const struct hairpin_external *external)
{
	struct hairpin_item neighbour = {
		.kind = HAIRPIN_NEIGHBOUR,
		.family = AF_INET,
		.owner = HAIRPIN_OWNER,
		.ifindex = external->ifindex,
		.addr = { external->addr[0] },
	};

	memcpy(neighbour.mac, external->mac, sizeof(neighbour.mac));
	return external->is_ethernet ? hairpin_items_add_once(wanted, &neighbour) : 0;
}

int designated_plan(struct hairpin_items *wanted, const struct hairpin_external *externals, size_t count)
{
	const struct hairpin_external *external;
	int err = 0;

	for (external = externals; external < externals + count && !err; external++) {
		const uint32_t table = external->config->designated.table_id;

		if (!has_server(external))
			continue;
		err = plan_neighbour(wanted, external);
		err = err ?: plan_route(wanted, external, table, external->designated_ifindex);
		err = err ?: plan_route(wanted, external, table + 1, external->ifindex);
		err = err ?: plan_rules(wanted, external);
	}
	return err;
}

void designated_before_format(const struct designated_before *before, char name[DESIGNATED_NAME])
{
	size_t used, i;

	snprintf(name, DESIGNATED_NAME, DESIGNATED_BEFORE "%lu-%d-%d", before->namespace, before->ifindex,
		 before->has_address_of_ours);
	for (i = 0; i < DESIGNATED_SETTINGS; i++) {
		used = strlen(name);
		snprintf(name + used, DESIGNATED_NAME - used, "-%u", before->values[i]);
	}
}

int designated_before_parse(struct designated_before *before, const char *name)
{
	char again[DESIGNATED_NAME];
	unsigned int address;
	int n;

	memset(before, 0, sizeof(*before));
	n = sscanf(name, DESIGNATED_BEFORE "%lu-%d-%u-%u-%u-%u-%u", &before->namespace, &before->ifindex, &address,
		   &before->values[0], &before->values[1], &before->values[2], &before->values[3]);
	if (n != 7 || before->ifindex <= 0 || address > 1)
		return -EINVAL;
	before->has_address_of_ours = address;
	designated_before_format(before, again);
	return strcmp(again, name) ? -EINVAL : 0;
}
