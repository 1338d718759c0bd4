/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel knows of links and addresses, and word of their changes. Nothing is remembered here: an event says that
 * something has changed, and whoever cares asks again. So lost events (ENOBUFS) cost another question and nothing else.
 */
#ifndef NETLINK_H
#define NETLINK_H

#include <libmnl/libmnl.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "external.h"

enum { NETLINK_BUFFER = 16384 }; /* holds every message of ours, and what the kernel puts into one part of a dump */

struct netlink;

struct link {
	int ifindex;
	char name[IFNAMSIZ];
	unsigned int flags;  /* IFF_* */
	unsigned short type; /* ARPHRD_* */
	uint8_t mac[6];	     /* all zero: it has none of that length */
};

struct interface_addresses {
	struct interface_address *addresses;
	size_t count;
};

enum netlink_change {
	NETLINK_LINKS_CHANGED = 1, /* links or addresses */
	NETLINK_RULES_CHANGED = 2,
};

/* Opens a socket for requests and one for events. Returns 0 or -errno, and has then said why. */
int netlink_open(struct netlink **nl);
void netlink_close(struct netlink *nl);

/* Readable when events wait. */
int netlink_event_fd(const struct netlink *nl);

/*
 * Reads all waiting events. is_ours(ifindex, name) tells which links matter; name is NULL where the event has none.
 * Returns NETLINK_*_CHANGED bits; both when events were lost.
 */
unsigned int netlink_read_events(struct netlink *nl, bool (*is_ours)(int ifindex, const char *name, void *arg),
				 void *arg);

/* By name, or by index where name is empty. Returns 0, -ENODEV (nothing is said), or -errno. */
int netlink_get_link(struct netlink *nl, const char *name, int ifindex, struct link *link);

/* The interface's addresses of one family (AF_INET, AF_INET6) in the kernel's order, to be freed with free(). */
int netlink_get_addresses(struct netlink *nl, int family, int ifindex, struct interface_addresses *list);

struct altname_search;

/* The other names of all links that begin with list->prefix. Returns 0 or -errno; nothing is said. */
int netlink_get_altnames(struct netlink *nl, struct altname_search *list);

/*
 * Sends a request (NLM_F_ACK is added, but for dumps) and hands each answer to cb, as mnl_cb_run() does. Returns 0 or
 * -errno; nothing is said. -EINTR: a dump was disturbed, start again.
 */
int netlink_request(struct netlink *nl, struct nlmsghdr *request, mnl_cb_t cb, void *data);

/* Why the last request failed: the kernel's own words if it had some, else strerror(-err). */
const char *netlink_why(const struct netlink *nl, int err);

#endif
