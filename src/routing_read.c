// SPDX-License-Identifier: GPL-2.0-or-later
/* See routing_read.h. */
#include "routing_read.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "netlink_read.h"

enum { DPORT_MASK = 29, ALL_BITS = 0xffff }; /* FRA_DPORT_MASK of linux/fib_rules.h, since 6.15 */

static int reader_add(const struct items_reader *reader, const struct hairpin_item *item)
{
	if (item->family != reader->family || !hairpin_items_add(reader->items, item))
		return MNL_CB_OK;
	errno = ENOMEM;
	return MNL_CB_ERROR;
}

/* Copies an attribute of at most `size` bytes to a zeroed `to`. */
static void attr_copy(const struct nlattr *attr, void *to, size_t size)
{
	if (mnl_attr_get_payload_len(attr) <= size)
		memcpy(to, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
}

static uint32_t attr_u32(const struct nlattr *attr)
{
	uint32_t value = 0;

	attr_copy(attr, &value, sizeof(value));
	return value;
}

static void rule_read_attr(struct hairpin_item *rule, const struct nlattr *attr)
{
	struct fib_rule_port_range ports = { 0, 0 };

	switch (mnl_attr_get_type(attr)) {
	case FRA_PRIORITY:
		rule->preference = attr_u32(attr);
		break;
	case FRA_TABLE:
		rule->table = attr_u32(attr);
		break;
	case FRA_GOTO:
		rule->target = attr_u32(attr);
		break;
	case FRA_PROTOCOL:
		attr_copy(attr, &rule->owner, sizeof(rule->owner));
		break;
	case FRA_IP_PROTO:
		attr_copy(attr, &rule->ip_protocol, sizeof(rule->ip_protocol));
		break;
	case FRA_IIFNAME:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			snprintf(rule->iif, sizeof(rule->iif), "%s", mnl_attr_get_str(attr));
		break;
	case FRA_SRC:
		attr_copy(attr, rule->addr, sizeof(rule->addr));
		break;
	case FRA_FWMARK:
		rule->mark = attr_u32(attr);
		break;
	case FRA_FWMASK: /* there with a mark; ours are of all bits */
		rule->is_foreign = rule->is_foreign || attr_u32(attr) != UINT32_MAX;
		break;
	case FRA_DPORT_RANGE:
		attr_copy(attr, &ports, sizeof(ports));
		rule->to_ports = (struct port_range){ ports.start, ports.end };
		break;
	case DPORT_MASK: /* always there with a single port */
		rule->is_foreign = rule->is_foreign || attr_u32(attr) != ALL_BITS;
		break;
	case FRA_UNSPEC:
	case FRA_PAD:
		break;
	case FRA_SUPPRESS_PREFIXLEN: /* always there; -1: nothing is suppressed */
		rule->is_foreign = rule->is_foreign || attr_u32(attr) != UINT32_MAX;
		break;
	default:
		rule->is_foreign = true;
	}
}

int rule_read(const struct nlmsghdr *message, void *data)
{
	const struct fib_rule_hdr *header = message_body(message, sizeof(*header));
	struct hairpin_item rule = { .kind = HAIRPIN_RULE };
	const struct nlattr *attr;

	if (message->nlmsg_type != RTM_NEWRULE)
		return MNL_CB_OK;
	if (!header)
		return MNL_CB_ERROR;
	rule.family = header->family;
	rule.table = header->table;
	rule.action = header->action == FR_ACT_GOTO	   ? HAIRPIN_GOTO
		      : header->action == FR_ACT_BLACKHOLE ? HAIRPIN_BLACKHOLE
							   : HAIRPIN_LOOKUP;
	rule.is_foreign = (rule.action == HAIRPIN_LOOKUP && header->action != FR_ACT_TO_TBL) || header->tos ||
			  header->dst_len || header->flags & FIB_RULE_INVERT;
	rule.has_from = header->src_len;
	rule.from_length = header->src_len;
	mnl_attr_for_each(attr, message, sizeof(*header))
		rule_read_attr(&rule, attr);
	return reader_add(data, &rule);
}

int route_read(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *header = message_body(message, sizeof(*header));
	struct hairpin_item route = { .kind = HAIRPIN_ROUTE };
	const struct nlattr *attr;

	if (message->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	if (!header)
		return MNL_CB_ERROR;
	if (header->rtm_protocol != HAIRPIN_OWNER)
		return MNL_CB_OK;
	route.family = header->rtm_family;
	route.table = header->rtm_table;
	route.owner = header->rtm_protocol;
	mnl_attr_for_each(attr, message, sizeof(*header)) {
		if (mnl_attr_get_type(attr) == RTA_TABLE)
			route.table = attr_u32(attr);
		if (mnl_attr_get_type(attr) == RTA_DST)
			attr_copy(attr, route.addr, sizeof(route.addr));
		if (mnl_attr_get_type(attr) == RTA_OIF)
			route.ifindex = (int)attr_u32(attr);
	}
	return reader_add(data, &route);
}

int neighbour_read(const struct nlmsghdr *message, void *data)
{
	const struct ndmsg *header = message_body(message, sizeof(*header));
	struct hairpin_item neighbour = { .kind = HAIRPIN_NEIGHBOUR };
	const struct nlattr *attr;

	if (message->nlmsg_type != RTM_NEWNEIGH)
		return MNL_CB_OK;
	if (!header)
		return MNL_CB_ERROR;
	if (!(header->ndm_state & NUD_PERMANENT))
		return MNL_CB_OK;
	neighbour.family = header->ndm_family;
	neighbour.ifindex = header->ndm_ifindex;
	mnl_attr_for_each(attr, message, sizeof(*header)) {
		if (mnl_attr_get_type(attr) == NDA_DST)
			attr_copy(attr, neighbour.addr, sizeof(neighbour.addr));
		if (mnl_attr_get_type(attr) == NDA_LLADDR)
			attr_copy(attr, neighbour.mac, sizeof(neighbour.mac));
		if (mnl_attr_get_type(attr) == NDA_PROTOCOL)
			attr_copy(attr, &neighbour.owner, sizeof(neighbour.owner));
	}
	return reader_add(data, &neighbour);
}

int table_read(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *header = message_body(message, sizeof(*header));
	struct table_search *search = data;
	const struct nlattr *attr;
	uint32_t table;

	if (message->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	if (!header)
		return MNL_CB_ERROR;
	if (header->rtm_family != search->family || header->rtm_protocol == HAIRPIN_OWNER)
		return MNL_CB_OK;
	table = header->rtm_table;
	mnl_attr_for_each(attr, message, sizeof(*header))
		if (mnl_attr_get_type(attr) == RTA_TABLE)
			table = attr_u32(attr);
	search->is_foreign = search->is_foreign || table == search->table;
	return MNL_CB_OK;
}
