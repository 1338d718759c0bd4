// SPDX-License-Identifier: GPL-2.0-or-later
/* See listener_warn.h. */
#include "listener_warn.h"

#include <stdlib.h>
#include <string.h>

#include "listeners.h"
#include "log.h"

struct search {
	struct netlink *nl;
	const struct interface_config *interface;
	size_t first;
	enum nat_protocol protocol;
};

static bool is_of_interface(const struct search *search, const struct listener *listener)
{
	struct interface_addresses list = { NULL, 0 };
	static const __be32 none[4];
	const __be32 *addr;
	struct link link;
	bool is = false;
	size_t i;

	if (netlink_get_link(search->nl, search->interface->name, 0, &link) ||
	    netlink_get_addresses(search->nl, listener->family, link.ifindex, &list))
		return false;
	for (i = 0; i < list.count && !is; i++) {
		addr = memcmp(list.addresses[i].local, none, sizeof(none)) ? list.addresses[i].local
									   : list.addresses[i].addr;
		is = !memcmp(addr, listener->addr, sizeof(listener->addr));
	}
	free(list.addresses);
	return is;
}

/* Would a packet from outside, of the static mapping's family, have come to it? */
static bool is_hidden(const struct search *search, const struct listener *listener, const struct forward *forward)
{
	if (!forward->protocols[search->protocol] || listener->port < forward->external.first ||
	    listener->port > forward->external.last)
		return false;
	if (!listener_is_any(listener))
		return listener->family == forward->family && is_of_interface(search, listener);
	if (listener->family == forward->family)
		return true;
	return listener->family == AF_INET6 && listener_has_ipv4(listener, search->protocol);
}

static void listener_seen(const struct listener *listener, void *arg)
{
	const struct search *search = arg;
	const struct interface_config *interface = search->interface;
	char text[FORWARD_TEXT];
	size_t i;

	for (i = search->first; i < interface->forwards_count; i++) {
		if (!is_hidden(search, listener, &interface->forwards[i]))
			continue;
		forward_format(&interface->forwards[i], text, sizeof(text));
		log_warning("%s: forward %s: the router itself listens on %s port %u, which is not reached from "
			    "outside any more",
			    interface->name, text, search->protocol == NAT_TCP ? "tcp" : "udp", listener->port);
	}
}

void listeners_warn(struct netlink *nl, const struct interface_config *interface, size_t first, const char *own)
{
	struct search search = { .nl = nl, .interface = interface, .first = first };
	struct listener ours;

	if (first >= interface->forwards_count)
		return;
	for (search.protocol = NAT_TCP; search.protocol <= NAT_UDP; search.protocol++)
		listeners_read(search.protocol, listener_seen, &search);
	search.protocol = NAT_TCP;
	if (!*own || address_port_parse(own, &ours.family, ours.addr, &ours.port))
		return;
	listener_seen(&ours, &search);
	if (ours.family == AF_INET6 && listener_is_any(&ours)) {
		ours.family = AF_INET; /* we do not say IPV6_V6ONLY */
		listener_seen(&ours, &search);
	}
}
