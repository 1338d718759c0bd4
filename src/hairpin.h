/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hairpin routing: which policy rules, routes and neighbours send traffic for the external address out of the external
 * interface, where the egress program turns it round; and which steps lead from what the kernel has to what is wanted.
 * Pure: routing.c carries the steps out.
 *
 *	preference	rule						why
 *	rule_pref	iif NAME ipproto tcp lookup TABLE		NAME's traffic for the external address leaves by wan
 *	rule_pref	iif lo ipproto tcp dport MANAGED lookup TABLE	only if lo is not one of the names: hairpin.c
 *	local_rule_pref	lookup local					moved here from 0: behind all of them
 *	TABLE		EXTERNAL dev wan scope link
 *	neighbour	EXTERNAL dev wan, wan's own MAC			nobody answers ARP for our own address
 *
 * designated.h adds to the plan what a designated server needs.
 *
 * What is ours carries HAIRPIN_OWNER as its protocol, so that a later start recognises what a killed daemon left
 * behind. Nothing else is ever deleted, but for the local table's own rule, which is put back as it was.
 */
#ifndef HAIRPIN_H
#define HAIRPIN_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "port_set.h"

enum { HAIRPIN_OWNER = 78 }; /* rtm_protocol: none of iproute2's names, none of the routing daemons' numbers */

enum hairpin_kind { HAIRPIN_NEIGHBOUR, HAIRPIN_ROUTE, HAIRPIN_RULE };

enum hairpin_action { HAIRPIN_LOOKUP, HAIRPIN_GOTO, HAIRPIN_BLACKHOLE };

/* A permanent neighbour, a route to one address, or a rule. What does not apply is zero. */
struct hairpin_item {
	enum hairpin_kind kind;
	int family;
	uint8_t owner;		    /* RTPROT_* */
	bool is_foreign;	    /* says more than fits in here, so cannot be one of ours */
	uint32_t preference;	    /* rule */
	enum hairpin_action action; /* rule */
	uint32_t target;	    /* rule that goes to another: its preference */
	uint32_t table;		    /* rule that looks it up, route */
	char iif[IFNAMSIZ];	    /* rule; empty: any */
	uint8_t ip_protocol;	    /* rule; 0: any */
	struct port_range to_ports; /* rule; 0-0: any */
	uint32_t mark;		    /* rule; 0: any */
	bool has_from;		    /* rule; from addr, which may be 0.0.0.0: not chosen yet ... */
	uint8_t from_length;	    /* ... or from a network: its bits */
	__be32 addr[4];		    /* route, neighbour: destination */
	int ifindex;		    /* route, neighbour */
	uint8_t mac[6];		    /* neighbour */
};

struct hairpin_items {
	struct hairpin_item *items;
	size_t count;
};

/* One external interface as it is now. Without an address, or while it is down, it wants nothing. */
struct hairpin_external {
	const struct interface_config *config;
	const char *name;
	int ifindex;
	bool is_up;
	bool is_ethernet;
	uint8_t mac[6];
	__be32 addr[4];				     /* all zero: none */
	int designated_ifindex;			     /* of the designated server's interface; 0: there is none now */
	const struct ip_prefix *designated_networks; /* that the router has addresses in there */
	size_t designated_networks_count;
};

struct hairpin_step {
	bool add; /* else delete */
	struct hairpin_item item;
};

struct hairpin_steps {
	struct hairpin_step *steps;
	size_t count;
};

/* What is wanted, all of it owned by HAIRPIN_OWNER, duplicates removed. Returns 0 or -ENOMEM. */
int hairpin_plan(struct hairpin_items *wanted, enum config_family family, uint32_t local_rule_pref,
		 const struct hairpin_external *externals, size_t count);

/*
 * The steps from `present`, which is all rules of one family, our routes and all permanent neighbours, to `wanted`.
 * In an order that never leaves the machine without a rule for the local table, nor traffic with a rule that leads
 * nowhere. `displaced` are foreign rules for the local table that stood in front and give way; they are added to it,
 * and put back by the call whose plan no longer needs that. Returns 0, -ENOMEM, or -EEXIST: *conflict of `wanted`
 * contradicts a neighbour of somebody else.
 */
int hairpin_changes(struct hairpin_steps *steps, const struct hairpin_items *wanted,
		    const struct hairpin_items *present, struct hairpin_items *displaced,
		    const struct hairpin_item **conflict);

/* The smallest range with all managed ports of the protocol (IPPROTO_*); 0-0: there are none, or it is ICMP. */
struct port_range hairpin_managed_span(const struct interface_config *interface, uint8_t ip_protocol);

/* A rule of ours; iif "": any, ip_protocol 0: any. Ports, mark and source are left out. */
struct hairpin_item hairpin_rule_make(int family, uint32_t preference, const char *iif, uint8_t ip_protocol,
				      uint32_t table);

/* Is it a plain `lookup local`? */
bool hairpin_is_local_rule(const struct hairpin_item *item);

/* As ip(8) would say it: "rule pref 100 iif lan ipproto tcp lookup 4787". ifname is that of item->ifindex, NULL if unknown. */
void hairpin_item_format(const struct hairpin_item *item, const char *ifname, char *text, size_t size);

bool hairpin_item_equal(const struct hairpin_item *a, const struct hairpin_item *b);
int hairpin_items_add_once(struct hairpin_items *items, const struct hairpin_item *item);
int hairpin_items_add(struct hairpin_items *items, const struct hairpin_item *item);
void hairpin_items_free(struct hairpin_items *items);
void hairpin_steps_free(struct hairpin_steps *steps);

#endif
