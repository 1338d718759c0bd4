// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes the data plane of an external interface follow what the kernel says of it. */
#include "interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "event.h"
#include "instance.h"
#include "log.h"

enum { LOOPBACK_IFINDEX = 1 }; /* in every network namespace */

enum { INTERFACE_CLAIM = 32 };

static void claim_name(char what[INTERFACE_CLAIM], const struct interface_config *config)
{
	snprintf(what, INTERFACE_CLAIM, "interface %s", config->name);
}

int interface_init(struct interface *interface, const struct interface_config *config, int epoll_fd, uint32_t epoll_tag)
{
	char what[INTERFACE_CLAIM];

	memset(interface, 0, sizeof(*interface));
	interface->config = config;
	interface->epoll_fd = epoll_fd;
	interface->epoll_tag = epoll_tag;
	interface->has_news = true;
	claim_name(what, config);
	interface->claim_fd = instance_claim(what);
	return interface->claim_fd < 0 ? interface->claim_fd : 0;
}

static void datapath_unload(struct interface *interface)
{
	datapath_close(interface->datapath); /* its descriptors leave the epoll set with it */
	interface->datapath = NULL;
	interface->is_attached = false;
	memset(interface->external, 0, sizeof(interface->external));
}

void interface_close(struct interface *interface)
{
	char what[INTERFACE_CLAIM];

	datapath_unload(interface);
	claim_name(what, interface->config);
	instance_release(what, interface->claim_fd);
	interface->claim_fd = -1;
}

static int fd_watch(const struct interface *interface, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = interface->epoll_tag };

	if (fd < 0 || !epoll_ctl(interface->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return 0;
	log_error("%s: watch the data plane: %s", interface->config->name, strerror(errno));
	return -errno;
}

/* The networks of a family among several; to be freed. NULL: out of memory. */
static struct ip_prefix *networks_of_family(const struct internal_network *networks, size_t count, int family,
					    size_t *found)
{
	struct ip_prefix *prefixes = calloc(count + 1, sizeof(*prefixes));
	size_t i;

	*found = 0;
	for (i = 0; i < count && prefixes; i++)
		if (networks[i].family == family)
			prefixes[(*found)++] = networks[i].prefix;
	return prefixes;
}

/* What the configuration says, as the data plane wants to hear it; what it points to stays with the configuration. */
static void datapath_configure(struct datapath_config *dp, const struct interface_config *config)
{
	datapath_config_init(dp);
	dp->ifname = config->name;
	dp->prefer_tcx = config->prefer_tcx;
	dp->fib_source = config->bpf_fib_lookup_external;
	dp->log_level = (int)config->bpf_log_level;
	memcpy(dp->ports, config->ports, sizeof(dp->ports));
	memcpy(dp->timeout_ms, config->timeout_ms, sizeof(dp->timeout_ms));
	memcpy(dp->host_limit, config->host_limit, sizeof(dp->host_limit));
	dp->max_sessions = config->max_sessions;
	dp->max_fragments = config->max_fragments;
	dp->max_remotes = config->max_remotes;
	dp->max_hosts = config->max_hosts;
	dp->inbound_mark = config->inbound_mark;
	dp->mss_clamp = (uint16_t)config->mss_clamp;
	dp->filtering = (enum nat_filtering)config->filtering;
	dp->pooling = (enum nat_pooling)config->pooling;
	dp->refresh_inbound = config->refresh_inbound;
}

/* Loads for a device with this index and header. */
static int datapath_load(struct datapath **datapath, const struct interface_config *config, int ifindex,
			 enum link_layer layer)
{
	struct ip_prefix *internals, *exempt;
	struct datapath_config dp;
	int err = -ENOMEM;

	datapath_configure(&dp, config);
	dp.family = AF_INET;
	dp.ifindex = ifindex;
	dp.has_l2 = layer == LINK_ETHERNET;
	internals = networks_of_family(config->internals, config->internals_count, dp.family, &dp.internals_count);
	exempt = networks_of_family(config->exempt_destinations, config->exempt_destinations_count, dp.family,
				    &dp.exempt_destinations_count);
	dp.internals = internals;
	dp.exempt_destinations = exempt;
	if (internals && exempt)
		err = datapath_open(datapath, &dp);
	else
		log_error("%s: out of memory", config->name);
	free(exempt);
	free(internals);
	return err;
}

static int interface_load(struct interface *interface)
{
	int err;

	interface->layer = external_link_layer(interface->link.type);
	if (interface->layer == LINK_UNSUPPORTED) {
		log_error("%s: its link type %u is not supported", interface->config->name, interface->link.type);
		return -EOPNOTSUPP;
	}
	err = datapath_load(&interface->datapath, interface->config, interface->link.ifindex, interface->layer);
	if (err) {
		interface->datapath = NULL;
		return err;
	}
	interface->datapath_ifindex = interface->link.ifindex;
	interface->is_checked = true;
	interface->has_news = true;
	err = fd_watch(interface, datapath_event_fd(interface->datapath));
	return err ? err : fd_watch(interface, datapath_fragment_fd(interface->datapath));
}

/* What there is to know before the interface is there: whether this kernel would do. Loads, and lets go. */
static int kernel_check(struct interface *interface)
{
	struct datapath *datapath = NULL;
	int err;

	if (interface->is_checked)
		return 0;
	err = datapath_load(&datapath, interface->config, LOOPBACK_IFINDEX, LINK_ETHERNET);
	if (err)
		return err;
	datapath_close(datapath);
	interface->is_checked = true;
	return 0;
}

/* Tells the data plane which addresses there are; the external one only if it is another than before. */
static int addresses_set(struct interface *interface, const struct interface_addresses *list)
{
	struct ip_prefix *others;
	__be32 chosen[4];
	int err = 0;

	external_choose(list->addresses, list->count, AF_INET, chosen);
	others = calloc(list->count + 1, sizeof(*others));
	if (!others) {
		log_error("%s: out of memory", interface->config->name);
		return -ENOMEM;
	}
	if (memcmp(chosen, interface->external, sizeof(chosen))) {
		err = datapath_set_external(interface->datapath, chosen);
		if (!err) {
			memcpy(interface->external, chosen, sizeof(chosen));
			interface->has_news = true;
		}
	}
	err = err
		      ?: datapath_set_own(interface->datapath, others,
					  external_others(list->addresses, list->count, AF_INET, chosen, others));
	free(others);
	return err;
}

static int addresses_update(struct interface *interface, struct netlink *nl)
{
	struct interface_addresses list = { NULL, 0 };
	int err;

	err = netlink_get_addresses(nl, AF_INET, interface->link.ifindex, &list);
	if (err == -ENODEV)
		err = 0; /* gone again: no address, and an event is on its way */
	err = err ?: addresses_set(interface, &list);
	free(list.addresses);
	return err;
}

int interface_update(struct interface *interface, struct netlink *nl)
{
	struct link link;
	int err;

	err = netlink_get_link(nl, interface->config->name, 0, &link);
	if (err && err != -ENODEV)
		return err;
	interface->has_news = interface->has_news || interface->is_present == !!err;
	interface->is_present = !err;
	if (err) {
		datapath_unload(interface);
		return kernel_check(interface);
	}
	interface->link = link;
	/* A redial makes another device of the same name; a tunnel may come back with another kind of header. */
	if (interface->datapath &&
	    (link.ifindex != interface->datapath_ifindex || external_link_layer(link.type) != interface->layer))
		datapath_unload(interface);
	if (!interface->datapath)
		err = interface_load(interface);
	/* The address comes first: attached without one, the programs would drop what is on its way. */
	err = err ?: addresses_update(interface, nl);
	if (!err && !interface->is_attached) {
		err = datapath_attach(interface->datapath);
		interface->is_attached = !err;
	}
	if (err == -ENODEV) { /* gone since we looked: an event is on its way */
		interface->is_present = false;
		interface->has_news = true;
		datapath_unload(interface);
		return 0;
	}
	return err;
}

void interface_sweep(struct interface *interface)
{
	if (interface->is_attached)
		datapath_sweep(interface->datapath);
}

static void event_print(const struct nat_event *event, void *arg)
{
	const struct interface *interface = arg;
	char text[256];

	event_format(event, AF_INET, text, sizeof(text));
	log_info("%s: %s", interface->config->name, text);
}

void interface_serve(struct interface *interface)
{
	if (!interface->datapath)
		return;
	datapath_read_fragments(interface->datapath);
	datapath_read_events(interface->datapath, event_print, interface);
}

void interface_announce(struct interface *interface)
{
	const struct interface_config *config = interface->config;
	char address[INET6_ADDRSTRLEN], settings[256];

	if (!interface->has_news)
		return;
	interface->has_news = false;
	if (!interface->is_present) {
		log_info("%s: not there, waiting for it", config->name);
		return;
	}
	if (!interface->external[0]) {
		log_info("%s: no external IPv4 address, waiting for one", config->name);
		return;
	}
	interface_config_describe(config, settings, sizeof(settings));
	log_info("%s: %s (%s), %s", config->name, inet_ntop(AF_INET, interface->external, address, sizeof(address)),
		 datapath_hook(interface->datapath), settings);
}

void interface_describe(const struct interface *interface, struct hairpin_external *external)
{
	memset(external, 0, sizeof(*external));
	external->config = interface->config;
	external->name = interface->config->name;
	external->ifindex = interface->link.ifindex;
	external->is_up = interface->is_attached && interface->link.flags & IFF_UP;
	external->is_ethernet = interface->layer == LINK_ETHERNET;
	memcpy(external->mac, interface->link.mac, sizeof(external->mac));
	memcpy(external->addr, interface->external, sizeof(external->addr));
}
