// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The plan for hairpin routing and the difference between a plan and what the kernel has.
 *
 * A packet that the egress program has turned round comes in from wan with the external address as its source. The
 * kernel checks that source (fib_validate_source): it looks it up as a destination, with the interface that the packet
 * is going to as iif, or lo if it is for the router itself, and calls it a martian if the local table answers. For
 * internal hosts the rules of their own interface make it pass; so lo alone among the internal interfaces is no use.
 *
 * For packets to the router, and for its answers, it takes a rule for lo. If lo is not among the internal interfaces
 * (the router's own connections to its external address are to stay inside), that rule is narrowed to what hairpinning
 * has brought: the other end is then a managed port. As source and destination ports are swapped for the check, one
 * `dport` fits both:
 *	iif lo ipproto tcp dport MANAGED lookup TABLE
 * Without it a host of the LAN could not reach the router's own services by the external address, which it could before
 * we came. The alternative, net.ipv4.conf.wan.accept_local=1, mends the check but not the answers, and would stay behind
 * after a crash without anybody being able to tell whose it is. MANAGED is one range that spans all managed ports:
 * what it takes in too much arrives all the same, through wan. Static mappings outside it have rules of their own.
 */
#include "hairpin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_address(const struct hairpin_external *external)
{
	return external->addr[0] | external->addr[1] | external->addr[2] | external->addr[3];
}

bool hairpin_item_equal(const struct hairpin_item *a, const struct hairpin_item *b)
{
	/* Field by field: a struct assignment need not copy the padding. */
	return a->kind == b->kind && a->family == b->family && a->owner == b->owner && a->is_foreign == b->is_foreign &&
	       a->preference == b->preference && a->action == b->action && a->target == b->target &&
	       a->table == b->table && !strcmp(a->iif, b->iif) && a->ip_protocol == b->ip_protocol &&
	       a->to_ports.first == b->to_ports.first && a->to_ports.last == b->to_ports.last && a->mark == b->mark &&
	       a->has_from == b->has_from && a->from_length == b->from_length &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr)) && a->ifindex == b->ifindex &&
	       !memcmp(a->mac, b->mac, sizeof(a->mac));
}

static bool items_contain(const struct hairpin_items *items, const struct hairpin_item *item)
{
	size_t i;

	for (i = 0; i < items->count; i++)
		if (hairpin_item_equal(&items->items[i], item))
			return true;
	return false;
}

int hairpin_items_add(struct hairpin_items *items, const struct hairpin_item *item)
{
	struct hairpin_item *grown;

	grown = realloc(items->items, (items->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	items->items = grown;
	grown[items->count++] = *item;
	return 0;
}

int hairpin_items_add_once(struct hairpin_items *items, const struct hairpin_item *item)
{
	return items_contain(items, item) ? 0 : hairpin_items_add(items, item);
}

void hairpin_items_free(struct hairpin_items *items)
{
	free(items->items);
	items->items = NULL;
	items->count = 0;
}

void hairpin_steps_free(struct hairpin_steps *steps)
{
	free(steps->steps);
	steps->steps = NULL;
	steps->count = 0;
}

bool hairpin_is_local_rule(const struct hairpin_item *item)
{
	return item->kind == HAIRPIN_RULE && !item->is_foreign && item->table == RT_TABLE_LOCAL && !item->iif[0] &&
	       !item->ip_protocol && !item->to_ports.last && !item->mark && !item->has_from;
}

struct hairpin_item hairpin_rule_make(int family, uint32_t preference, const char *iif, uint8_t ip_protocol,
				      uint32_t table)
{
	struct hairpin_item rule = {
		.kind = HAIRPIN_RULE,
		.family = family,
		.owner = HAIRPIN_OWNER,
		.preference = preference,
		.ip_protocol = ip_protocol,
		.table = table,
	};

	snprintf(rule.iif, sizeof(rule.iif), "%s", iif);
	return rule;
}

static void span_extend(struct port_range *span, const struct port_set *ports)
{
	if (!ports->count)
		return;
	if (!span->last || ports->ranges[0].first < span->first)
		span->first = ports->ranges[0].first;
	if (ports->ranges[ports->count - 1].last > span->last)
		span->last = ports->ranges[ports->count - 1].last;
}

struct port_range hairpin_managed_span(const struct interface_config *interface, uint8_t ip_protocol)
{
	enum nat_protocol protocol = ip_protocol == IPPROTO_TCP ? NAT_TCP : NAT_UDP;
	struct port_range span = { 0, 0 };
	size_t i;

	if (ip_protocol != IPPROTO_TCP && ip_protocol != IPPROTO_UDP)
		return span;
	span_extend(&span, &interface->ports[protocol]);
	for (i = 0; i < interface->externals_count; i++)
		span_extend(&span, &interface->externals[i].ports[protocol]);
	return span;
}

/* The same rule for each range of ports of static mappings that `managed` leaves out. */
static int plan_forwards(struct hairpin_items *wanted, const struct interface_config *config, struct hairpin_item rule)
{
	enum nat_protocol protocol = rule.ip_protocol == IPPROTO_TCP ? NAT_TCP : NAT_UDP;
	const struct port_range managed = rule.to_ports;
	struct port_set ports = { NULL, 0 };
	int err = 0;
	size_t i;

	if (!managed.last) /* it has no ports: it is for all of them */
		return 0;
	for (i = 0; i < config->forwards_count; i++)
		if (config->forwards[i].family == rule.family)
			err = err ?: forward_add_ports(&config->forwards[i], protocol, &ports);
	for (i = 0; i < ports.count && !err; i++) {
		rule.to_ports = ports.ranges[i];
		if (rule.to_ports.first < managed.first || rule.to_ports.last > managed.last)
			err = hairpin_items_add_once(wanted, &rule);
	}
	port_set_free(&ports);
	return err;
}

static int plan_rules(struct hairpin_items *wanted, int family, const struct hairpin_external *external,
		      const struct hairpin_config *hairpin)
{
	bool has_lo = hairpin_config_has_interface(hairpin, "lo");
	struct hairpin_item rule;
	uint8_t ip_protocol;
	int i, err = 0;
	size_t n;

	for (i = 0; i < NAT_PROTOCOLS && hairpin->ip_protocols[i]; i++) {
		ip_protocol = hairpin->ip_protocols[i];
		for (n = 0; n < hairpin->internal_ifs_count; n++) {
			rule = hairpin_rule_make(family, hairpin->rule_pref, hairpin->internal_ifs[n], ip_protocol,
						 hairpin->table_id);
			err = err ?: hairpin_items_add_once(wanted, &rule);
		}
		if (has_lo)
			continue;
		rule = hairpin_rule_make(family, hairpin->rule_pref, "lo", ip_protocol, hairpin->table_id);
		rule.to_ports = hairpin_managed_span(external->config, ip_protocol);
		err = err ?: hairpin_items_add_once(wanted, &rule);
		err = err ?: plan_forwards(wanted, external->config, rule);
	}
	return err;
}

static int plan_external(struct hairpin_items *wanted, int family, const struct hairpin_external *external,
			 const struct hairpin_config *hairpin)
{
	struct hairpin_item item = { .family = family, .owner = HAIRPIN_OWNER, .ifindex = external->ifindex };
	int err = 0;

	memcpy(item.addr, external->addr, sizeof(item.addr));
	if (external->is_ethernet) {
		item.kind = HAIRPIN_NEIGHBOUR;
		memcpy(item.mac, external->mac, sizeof(item.mac));
		err = hairpin_items_add_once(wanted, &item);
		memset(item.mac, 0, sizeof(item.mac));
	}
	item.kind = HAIRPIN_ROUTE;
	item.table = hairpin->table_id;
	err = err ?: hairpin_items_add_once(wanted, &item);
	return err ?: plan_rules(wanted, family, external, hairpin);
}

int hairpin_plan(struct hairpin_items *wanted, enum config_family family, uint32_t local_rule_pref,
		 const struct hairpin_external *externals, size_t count)
{
	const struct hairpin_config *hairpin;
	struct hairpin_item local;
	int err = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		hairpin = &externals[i].config->hairpin[family];
		if (hairpin->internal_ifs_count && hairpin->ip_protocols[0] && externals[i].is_up &&
		    has_address(&externals[i]))
			err = err ?: plan_external(wanted, config_address_family(family), &externals[i], hairpin);
	}
	if (err || !wanted->count)
		return err;
	local = hairpin_rule_make(config_address_family(family), local_rule_pref, "", 0, RT_TABLE_LOCAL);
	return hairpin_items_add_once(wanted, &local);
}

static int steps_add(struct hairpin_steps *steps, bool add, const struct hairpin_item *item)
{
	struct hairpin_step *grown;

	grown = realloc(steps->steps, (steps->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	steps->steps = grown;
	grown[steps->count].add = add;
	grown[steps->count++].item = *item;
	return 0;
}

/* There is one neighbour for an address on a device: adding replaces it, deleting asks for nothing else. */
static const struct hairpin_item *neighbour_lookup(const struct hairpin_items *items, const struct hairpin_item *wanted)
{
	const struct hairpin_item *item;

	for (item = items->items; item < items->items + items->count; item++)
		if (item->kind == HAIRPIN_NEIGHBOUR && item->ifindex == wanted->ifindex &&
		    item->family == wanted->family && !memcmp(item->addr, wanted->addr, sizeof(item->addr)))
			return item;
	return NULL;
}

static int steps_add_missing(struct hairpin_steps *steps, enum hairpin_kind kind, const struct hairpin_items *wanted,
			     const struct hairpin_items *present, const struct hairpin_item **conflict)
{
	const struct hairpin_item *item, *there;
	int err;

	for (item = wanted->items; item < wanted->items + wanted->count; item++) {
		if (item->kind != kind || hairpin_is_local_rule(item) || items_contain(present, item))
			continue;
		there = kind == HAIRPIN_NEIGHBOUR ? neighbour_lookup(present, item) : NULL;
		if (there && there->owner != HAIRPIN_OWNER) {
			if (!memcmp(there->mac, item->mac, sizeof(item->mac)))
				continue; /* it serves, and stays when we go */
			*conflict = item;
			return -EEXIST;
		}
		err = steps_add(steps, true, item);
		if (err)
			return err;
	}
	return 0;
}

static int steps_delete_unwanted(struct hairpin_steps *steps, enum hairpin_kind kind,
				 const struct hairpin_items *wanted, const struct hairpin_items *present)
{
	const struct hairpin_item *item;
	int err;

	for (item = present->items; item < present->items + present->count; item++) {
		if (item->kind != kind || item->owner != HAIRPIN_OWNER || item->is_foreign ||
		    hairpin_is_local_rule(item) || items_contain(wanted, item))
			continue;
		if (kind == HAIRPIN_NEIGHBOUR && neighbour_lookup(wanted, item))
			continue; /* has been replaced */
		err = steps_add(steps, false, item);
		if (err)
			return err;
	}
	return 0;
}

/* The rule of the local table that we want, NULL if hairpinning is off. */
static const struct hairpin_item *local_rule_wanted(const struct hairpin_items *wanted)
{
	size_t i;

	for (i = 0; i < wanted->count; i++)
		if (hairpin_is_local_rule(&wanted->items[i]))
			return &wanted->items[i];
	return NULL;
}

/* Is a rule in front of (or level with) the first rule that must come before the local table's? */
static bool stands_in_front(const struct hairpin_item *local, const struct hairpin_items *wanted)
{
	const struct hairpin_item *item;

	for (item = wanted->items; item < wanted->items + wanted->count; item++)
		if (item->kind == HAIRPIN_RULE && !hairpin_is_local_rule(item) && local->preference <= item->preference)
			return true;
	return false;
}

/* Makes the foreign rules of the local table give way to ours, which is added first. */
static int steps_move_local(struct hairpin_steps *steps, const struct hairpin_item *ours,
			    const struct hairpin_items *wanted, const struct hairpin_items *present,
			    struct hairpin_items *displaced)
{
	size_t i, in_front = 0, behind = 0;
	int err = 0;

	for (i = 0; i < present->count; i++) {
		if (!hairpin_is_local_rule(&present->items[i]) || present->items[i].owner == HAIRPIN_OWNER)
			continue;
		if (stands_in_front(&present->items[i], wanted))
			in_front++;
		else
			behind++;
	}
	/* The administrator has put it behind already: nothing of ours is needed. */
	if (behind && !in_front && !displaced->count && !items_contain(present, ours))
		return 0;
	if (!items_contain(present, ours))
		err = steps_add(steps, true, ours);
	for (i = 0; i < present->count && !err; i++) {
		if (!hairpin_is_local_rule(&present->items[i]) || present->items[i].owner == HAIRPIN_OWNER ||
		    !stands_in_front(&present->items[i], wanted))
			continue;
		err = hairpin_items_add_once(displaced, &present->items[i])
			      ?: steps_add(steps, false, &present->items[i]);
	}
	return err;
}

/*
 * Has somebody put a rule for the local table in front of ours again? Ours is there only because one gave way, or because
 * there was none: so one that stands behind says nothing of that.
 */
static bool is_local_rule_restored(const struct hairpin_items *present)
{
	const struct hairpin_item *item, *end = present->items + present->count;
	uint32_t front = 0;

	for (item = present->items; item < end; item++)
		if (item->kind == HAIRPIN_RULE && item->owner == HAIRPIN_OWNER && !hairpin_is_local_rule(item) &&
		    item->preference > front)
			front = item->preference;
	for (item = present->items; item < end && !front; item++)
		if (hairpin_is_local_rule(item) && item->owner == HAIRPIN_OWNER)
			front = item->preference;
	for (item = present->items; item < end; item++)
		if (hairpin_is_local_rule(item) && item->owner != HAIRPIN_OWNER && item->preference <= front)
			return true;
	return false;
}

/* Puts back what gave way, then takes ours out: those that are not *keep (NULL: every one). */
static int steps_restore_local(struct hairpin_steps *steps, const struct hairpin_item *keep,
			       const struct hairpin_items *present, struct hairpin_items *displaced)
{
	/* Left behind by a killed daemon, so that nobody remembers: the kernel's own, as every machine boots with. */
	struct hairpin_item boot = { .kind = HAIRPIN_RULE, .owner = RTPROT_KERNEL, .table = RT_TABLE_LOCAL };
	bool others = is_local_rule_restored(present);
	const struct hairpin_item *item;
	int err = 0;

	for (item = displaced->items; !keep && item < displaced->items + displaced->count; item++)
		if (!items_contain(present, item))
			err = err ?: steps_add(steps, true, item);
	for (item = present->items; item < present->items + present->count; item++) {
		if (!hairpin_is_local_rule(item) || item->owner != HAIRPIN_OWNER ||
		    (keep && hairpin_item_equal(item, keep)))
			continue;
		boot.family = item->family;
		if (!keep && !others && !displaced->count) {
			err = err ?: steps_add(steps, true, &boot);
			others = true;
		}
		err = err ?: steps_add(steps, false, item);
	}
	return err;
}

int hairpin_changes(struct hairpin_steps *steps, const struct hairpin_items *wanted,
		    const struct hairpin_items *present, struct hairpin_items *displaced,
		    const struct hairpin_item **conflict)
{
	const struct hairpin_item *local = local_rule_wanted(wanted);
	int err;

	err = steps_add_missing(steps, HAIRPIN_NEIGHBOUR, wanted, present, conflict);
	err = err ?: steps_add_missing(steps, HAIRPIN_ROUTE, wanted, present, conflict);
	err = err ?: steps_add_missing(steps, HAIRPIN_RULE, wanted, present, conflict);
	if (local)
		err = err ?: steps_move_local(steps, local, wanted, present, displaced);
	err = err ?: steps_restore_local(steps, local, present, displaced);
	err = err ?: steps_delete_unwanted(steps, HAIRPIN_RULE, wanted, present);
	err = err ?: steps_delete_unwanted(steps, HAIRPIN_ROUTE, wanted, present);
	return err ?: steps_delete_unwanted(steps, HAIRPIN_NEIGHBOUR, wanted, present);
}

static const char *address_format(int family, const __be32 addr[4], char text[INET6_ADDRSTRLEN])
{
	return inet_ntop(family, addr, text, INET6_ADDRSTRLEN) ?: "?";
}

static void rule_format(const struct hairpin_item *rule, char *text, size_t size)
{
	static const char *const protocols[256] = {
		[IPPROTO_ICMP] = "icmp", [IPPROTO_TCP] = "tcp", [IPPROTO_UDP] = "udp", [IPPROTO_ICMPV6] = "ipv6-icmp"
	};
	char what[24], ports[32] = "", mark[32] = "", from[INET6_ADDRSTRLEN] = "", length[8] = "";

	if (rule->action == HAIRPIN_GOTO)
		snprintf(what, sizeof(what), "goto %u", rule->target);
	else if (rule->action == HAIRPIN_BLACKHOLE)
		snprintf(what, sizeof(what), "blackhole");
	else if (rule->table == RT_TABLE_LOCAL)
		snprintf(what, sizeof(what), "lookup local");
	else
		snprintf(what, sizeof(what), "lookup %u", rule->table);
	if (rule->to_ports.last)
		snprintf(ports, sizeof(ports), " dport %u-%u", rule->to_ports.first, rule->to_ports.last);
	if (rule->mark)
		snprintf(mark, sizeof(mark), " fwmark 0x%x", rule->mark);
	if (rule->has_from)
		address_format(rule->family, rule->addr, from);
	if (rule->has_from && rule->from_length != (rule->family == AF_INET ? 32 : 128))
		snprintf(length, sizeof(length), "/%u", rule->from_length);
	snprintf(text, size, "rule pref %u%s%s%s%s%s%s%s%s%s %s", rule->preference, rule->has_from ? " from " : "",
		 from, length, mark, rule->iif[0] ? " iif " : "", rule->iif, rule->ip_protocol ? " ipproto " : "",
		 rule->ip_protocol ? protocols[rule->ip_protocol] ?: "?" : "", ports, what);
}

void hairpin_item_format(const struct hairpin_item *item, const char *ifname, char *text, size_t size)
{
	char number[16];
	char addr[INET6_ADDRSTRLEN];

	if (item->kind == HAIRPIN_RULE) {
		rule_format(item, text, size);
		return;
	}
	address_format(item->family, item->addr, addr);
	snprintf(number, sizeof(number), "%d", item->ifindex);
	ifname = ifname ? ifname : number;
	if (item->kind == HAIRPIN_ROUTE)
		snprintf(text, size, "route %s dev %s table %u", addr, ifname, item->table);
	else
		snprintf(text, size, "neighbour %s dev %s %02x:%02x:%02x:%02x:%02x:%02x", addr, ifname, item->mac[0],
			 item->mac[1], item->mac[2], item->mac[3], item->mac[4], item->mac[5]);
}
