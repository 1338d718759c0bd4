// SPDX-License-Identifier: GPL-2.0-or-later
/* The netlink side of hairpin routing: struct hairpin_item to messages and back. */
#include "routing.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "log.h"
#include "routing_read.h"

enum { DUMP_TRIES = 10 };

static size_t address_length(int family)
{
	return family == AF_INET ? 4 : 16;
}

bool routing_table_is_foreign(struct netlink *nl, int family, uint32_t table)
{
	struct table_search search = { .table = table, .family = family };
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof(*route));

	request->nlmsg_type = RTM_GETROUTE;
	request->nlmsg_flags = NLM_F_DUMP;
	route->rtm_family = (unsigned char)family;
	mnl_attr_put_u32(request, RTA_TABLE, table); /* the kernel leaves out the others */
	return !netlink_request(nl, request, table_read, &search) && search.is_foreign;
}

/* One of the three dumps, appended to items. */
static int items_dump(struct netlink *nl, int family, enum hairpin_kind kind, struct hairpin_items *items)
{
	struct items_reader reader = { items, family };
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct fib_rule_hdr *rule;
	struct rtmsg *route;
	struct ndmsg *neighbour;

	request->nlmsg_flags = NLM_F_DUMP;
	switch (kind) {
	case HAIRPIN_RULE:
		request->nlmsg_type = RTM_GETRULE;
		rule = mnl_nlmsg_put_extra_header(request, sizeof(*rule));
		rule->family = (uint8_t)family;
		return netlink_request(nl, request, rule_read, &reader);
	case HAIRPIN_ROUTE:
		request->nlmsg_type = RTM_GETROUTE;
		route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
		route->rtm_family = (unsigned char)family;
		route->rtm_protocol = HAIRPIN_OWNER; /* the kernel leaves out the others */
		return netlink_request(nl, request, route_read, &reader);
	default:
		request->nlmsg_type = RTM_GETNEIGH;
		neighbour = mnl_nlmsg_put_extra_header(request, sizeof(*neighbour));
		neighbour->ndm_family = (unsigned char)family;
		return netlink_request(nl, request, neighbour_read, &reader);
	}
}

/* needs_rules: must the kernel know policy rules? One that does not (CONFIG_IP_MULTIPLE_TABLES) has none of ours. */
static int items_read(struct netlink *nl, int family, bool needs_rules, struct hairpin_items *items)
{
	static const char *const names[] = {
		[HAIRPIN_NEIGHBOUR] = "neighbours", [HAIRPIN_ROUTE] = "routes", [HAIRPIN_RULE] = "rules"
	};
	enum hairpin_kind kind;
	int err = 0, tries;
	size_t before;

	for (kind = HAIRPIN_NEIGHBOUR; kind <= HAIRPIN_RULE && !err; kind++) {
		before = items->count;
		err = -EINTR;
		for (tries = 0; err == -EINTR && tries < DUMP_TRIES; tries++) {
			items->count = before;
			err = items_dump(nl, family, kind, items);
		}
		if (kind == HAIRPIN_RULE && !needs_rules && (err == -EOPNOTSUPP || err == -EAFNOSUPPORT))
			err = 0;
		if (err)
			log_error("hairpin: read the %s: %s", names[kind], netlink_why(nl, err));
	}
	return err;
}

static void neighbour_write(struct nlmsghdr *request, bool add, const struct hairpin_item *neighbour)
{
	struct ndmsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));

	request->nlmsg_type = add ? RTM_NEWNEIGH : RTM_DELNEIGH;
	if (add) /* replaces what the kernel has learnt meanwhile; a permanent one of somebody else is a conflict */
		request->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	header->ndm_family = (unsigned char)neighbour->family;
	header->ndm_ifindex = neighbour->ifindex;
	header->ndm_state = NUD_PERMANENT;
	mnl_attr_put(request, NDA_DST, address_length(neighbour->family), neighbour->addr);
	if (add) {
		mnl_attr_put(request, NDA_LLADDR, sizeof(neighbour->mac), neighbour->mac);
		mnl_attr_put_u8(request, NDA_PROTOCOL, neighbour->owner);
	}
}

static void route_write(struct nlmsghdr *request, bool add, const struct hairpin_item *route, bool as_source)
{
	struct rtmsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	size_t length = address_length(route->family);

	request->nlmsg_type = add ? RTM_NEWROUTE : RTM_DELROUTE;
	if (add) /* neither EXCL nor APPEND: goes in front of a foreign one for the same address */
		request->nlmsg_flags = NLM_F_CREATE;
	header->rtm_family = (unsigned char)route->family;
	header->rtm_dst_len = (unsigned char)(8 * length);
	header->rtm_protocol = route->owner;
	header->rtm_scope = RT_SCOPE_LINK;
	header->rtm_type = RTN_UNICAST;
	mnl_attr_put(request, RTA_DST, length, route->addr);
	mnl_attr_put_u32(request, RTA_TABLE, route->table);
	mnl_attr_put_u32(request, RTA_OIF, (uint32_t)route->ifindex);
	if (route->family == AF_INET6) /* there it is the metric that decides which one is in front */
		mnl_attr_put_u32(request, RTA_PRIORITY, 1);
	/* The router's own connections to the address come from it too, even where wan has several. */
	if (as_source)
		mnl_attr_put(request, RTA_PREFSRC, length, route->addr);
}

static void rule_write(struct nlmsghdr *request, bool add, const struct hairpin_item *rule)
{
	struct fib_rule_hdr *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	struct fib_rule_port_range ports = { rule->to_ports.first, rule->to_ports.last };

	request->nlmsg_type = add ? RTM_NEWRULE : RTM_DELRULE;
	if (add)
		request->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	header->family = (uint8_t)rule->family;
	header->action = rule->action == HAIRPIN_GOTO	     ? FR_ACT_GOTO
			 : rule->action == HAIRPIN_BLACKHOLE ? FR_ACT_BLACKHOLE
							     : FR_ACT_TO_TBL;
	mnl_attr_put_u32(request, FRA_PRIORITY, rule->preference);
	if (rule->action == HAIRPIN_LOOKUP)
		mnl_attr_put_u32(request, FRA_TABLE, rule->table);
	if (rule->action == HAIRPIN_GOTO)
		mnl_attr_put_u32(request, FRA_GOTO, rule->target);
	mnl_attr_put_u8(request, FRA_PROTOCOL, rule->owner);
	if (rule->iif[0])
		mnl_attr_put_strz(request, FRA_IIFNAME, rule->iif);
	if (rule->has_from) {
		header->src_len = rule->from_length;
		mnl_attr_put(request, FRA_SRC, address_length(rule->family), rule->addr);
	}
	if (rule->mark) {
		mnl_attr_put_u32(request, FRA_FWMARK, rule->mark);
		mnl_attr_put_u32(request, FRA_FWMASK, UINT32_MAX);
	}
	if (rule->ip_protocol)
		mnl_attr_put_u8(request, FRA_IP_PROTO, rule->ip_protocol);
	if (ports.end)
		mnl_attr_put(request, FRA_DPORT_RANGE, sizeof(ports), &ports);
}

/* There already, or gone already: somebody else was faster, or it went with its device. */
static bool is_done_anyway(bool add, int err)
{
	if (add)
		return err == -EEXIST;
	return err == -ENOENT || err == -ESRCH || err == -ENODEV;
}

static void item_format(const struct hairpin_item *item, char *text, size_t size)
{
	char ifname[IF_NAMESIZE];

	hairpin_item_format(item, item->ifindex ? if_indextoname((unsigned int)item->ifindex, ifname) : NULL, text,
			    size);
}

/* `as_source`: of a route, see route_write(). */
static int step_request(struct netlink *nl, const struct hairpin_step *step, bool as_source)
{
	char buffer[512];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

	switch (step->item.kind) {
	case HAIRPIN_NEIGHBOUR:
		neighbour_write(request, step->add, &step->item);
		break;
	case HAIRPIN_ROUTE:
		route_write(request, step->add, &step->item, as_source);
		break;
	case HAIRPIN_RULE:
		rule_write(request, step->add, &step->item);
		break;
	}
	return netlink_request(nl, request, NULL, NULL);
}

static int step_do(struct netlink *nl, const struct hairpin_step *step)
{
	char text[128];
	int err = step_request(nl, step, true);

	/* An external address may be one that no interface has, or has not yet: nothing can come from it. */
	if (err == -EINVAL && step->add && step->item.kind == HAIRPIN_ROUTE)
		err = step_request(nl, step, false);
	if (!err || is_done_anyway(step->add, err))
		return 0;
	if (err == -ENODEV) /* the interface has gone since we looked: an event is on its way */
		return err;
	item_format(&step->item, text, sizeof(text));
	log_error("hairpin: %s %s: %s", step->add ? "add" : "delete", text, netlink_why(nl, err));
	return err;
}

/* Goes on after a failure if it takes things back. With `done` it says what it has done, and counts it there. */
static int steps_do(struct netlink *nl, const struct hairpin_steps *steps, bool takes_back, unsigned int *done)
{
	bool keep_local = false;
	int err = 0, failed;
	char text[128];
	size_t i;

	for (i = 0; i < steps->count && (!err || takes_back); i++) {
		const struct hairpin_step *step = &steps->steps[i];

		if (keep_local && hairpin_is_local_rule(&step->item))
			continue;
		failed = step_do(nl, step);
		/* If the local table's rule cannot be put back, ours must stay: without one nothing reaches the router. */
		keep_local = keep_local || (failed && hairpin_is_local_rule(&step->item));
		err = err ?: failed;
		if (!done || failed)
			continue;
		item_format(&step->item, text, sizeof(text));
		log_info("%s %s", step->add ? "put back" : "removed", text);
		++*done;
	}
	return err;
}

int routing_reconcile(struct netlink *nl, int family, const struct hairpin_items *wanted,
		      struct hairpin_items *displaced)
{
	struct hairpin_items present = { NULL, 0 };
	struct hairpin_steps steps = { NULL, 0 };
	const struct hairpin_item *conflict = NULL;
	char text[128];
	int err;

	err = items_read(nl, family, wanted->count > 0, &present);
	err = err ?: hairpin_changes(&steps, wanted, &present, displaced, &conflict);
	if (conflict) {
		item_format(conflict, text, sizeof(text));
		log_error("hairpin: a permanent neighbour that is not ours is in the way of: %s", text);
	} else if (err == -ENOMEM) {
		log_error("hairpin: out of memory");
	}
	if (!err || !wanted->count)
		err = steps_do(nl, &steps, !wanted->count, NULL) ?: err;
	if (!err && !wanted->count)
		hairpin_items_free(displaced);
	hairpin_steps_free(&steps);
	hairpin_items_free(&present);
	return err;
}

int routing_clean(struct netlink *nl, int family, unsigned int *removed)
{
	struct hairpin_items present = { NULL, 0 }, displaced = { NULL, 0 };
	const struct hairpin_items none = { NULL, 0 };
	struct hairpin_steps steps = { NULL, 0 };
	const struct hairpin_item *conflict = NULL;
	int err;

	err = items_read(nl, family, false, &present);
	if (!err) {
		err = hairpin_changes(&steps, &none, &present, &displaced, &conflict);
		if (err)
			log_error("hairpin: out of memory");
	}
	err = err ?: steps_do(nl, &steps, true, removed);
	hairpin_steps_free(&steps);
	hairpin_items_free(&displaced);
	hairpin_items_free(&present);
	return err;
}
