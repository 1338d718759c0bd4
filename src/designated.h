/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The designated server's routing: which rules, routes and neighbours bring to it what the programs have found to be nobody
 * else's, and its own packets through the router. Pure: they are part of the hairpin plan, see hairpin.h. IPv4 alone.
 *
 *	preference	rule						why
 *	rule_pref	from EXTERNAL iif dmz goto rule_pref + 2	the server has this source, ...
 *	rule_pref	from NETWORK iif dmz goto rule_pref + 2		... hosts on its link, if there are any, one of dmz's network
 *	rule_pref + 1	iif dmz blackhole				and nobody else
 *	rule_pref + 2	fwmark MARK lookup TABLE			from outside: ingress has set the mark
 *	rule_pref + 2	iif lo ipproto tcp dport MANAGED lookup TABLE+1	what the router hears and answers of hairpinning
 *	rule_pref + 2	the same with iif dmz				hosts on the server's link
 *	rule_pref + 3	iif wan lookup local				from outside: the router's
 *	rule_pref + 3	from EXTERNAL iif lo lookup local		the router's own connections to itself ...
 *	rule_pref + 3	from 0.0.0.0 iif lo lookup local		... before they have a source
 *	rule_pref + 4	iif lo lookup TABLE				the router's answers, from another address
 *	rule_pref + 4	iif dmz lookup TABLE				its own link: no ARP for its address from us
 *	rule_pref + 5	lookup TABLE+1					from inside: out by wan, where egress decides
 *	TABLE		EXTERNAL dev dmz scope link
 *	TABLE+1		EXTERNAL dev wan scope link
 *	neighbour	EXTERNAL dev wan, wan's own MAC			nobody answers ARP for our own address
 */
#ifndef DESIGNATED_H
#define DESIGNATED_H

#include "hairpin.h"

enum { DESIGNATED_RULES = 6 }; /* preferences in a row */

/* Adds to what is wanted, before hairpin_plan() does, for each external with a server that is there. 0 or -ENOMEM. */
int designated_plan(struct hairpin_items *wanted, const struct hairpin_external *externals, size_t count);

/* The interface's settings that a designated server needs, in the order of designated_settings. */
enum { DESIGNATED_SETTINGS = 4 };

struct designated_setting {
	const char *name; /* of net.ipv4.conf.IF.NAME */
	int number;	  /* IPV4_DEVCONF_* */
	uint32_t value;
};

extern const struct designated_setting designated_settings[DESIGNATED_SETTINGS];

/*
 * What an interface was before. It outlives us as another name of the interface itself (altname, Linux 5.5), which goes where
 * the interface goes and ends with it, as the settings do:
 *
 *	einat-before-4026531840-5-1-0-1-0-0
 */
#define DESIGNATED_BEFORE "einat-before-"

enum { DESIGNATED_NAME = 128 }; /* with its NUL; another name may have as many */

struct designated_before {
	unsigned long namespace; /* and index; others since: its settings have begun anew */
	int ifindex;
	bool has_address_of_ours;
	uint32_t values[DESIGNATED_SETTINGS];
};

void designated_before_format(const struct designated_before *before, char name[DESIGNATED_NAME]);

/* 0, or -EINVAL: the name is none that designated_before_format() has written. */
int designated_before_parse(struct designated_before *before, const char *name);

#endif
