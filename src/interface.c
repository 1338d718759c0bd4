// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes the data plane of an external interface follow what the kernel says of it. */
#include "interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "attachment.h"
#include "config_change.h"
#include "config_plane.h"
#include "event.h"
#include "instance.h"
#include "log.h"

enum { LOOPBACK_IFINDEX = 1 }; /* in every network namespace */

int interface_init(struct interface *interface, const struct interface_config *config, int epoll_fd, uint32_t epoll_tag)
{
	char what[INSTANCE_INTERFACE];

	memset(interface, 0, sizeof(*interface));
	interface->config = config;
	interface->epoll_fd = epoll_fd;
	interface->epoll_tag = epoll_tag;
	interface->has_news = true;
	instance_interface(what, config->name);
	interface->claim_fd = instance_claim(what);
	return interface->claim_fd < 0 ? interface->claim_fd : 0;
}

static void plane_unload(struct plane *plane, void (*unload)(struct datapath *dp))
{
	unload(plane->datapath); /* its descriptors leave the epoll set with it */
	plane->datapath = NULL;
	plane->is_attached = false;
	plane->is_stale = false;
	external_plan_free(&plane->plan);
}

/* In the other order than they were attached: the first one may have made the qdisc that both hang on. */
static void planes_unload(struct interface *interface, void (*unload)(struct datapath *dp))
{
	struct plane *plane;

	for (plane = interface->planes + CONFIG_FAMILIES; plane-- > interface->planes;)
		plane_unload(plane, unload);
}

bool interface_stays(const struct interface *interface, enum config_family family, bool has_failed)
{
	const struct plane *plane = &interface->planes[family];

	if (!interface->config->persist || (plane->is_attached && !datapath_is_kept(plane->datapath)))
		return false;
	for (plane = interface->planes; plane < interface->planes + CONFIG_FAMILIES; plane++)
		if (plane->datapath && datapath_has_taken_over(plane->datapath))
			return true;
	return !has_failed;
}

void interface_close(struct interface *interface, bool has_failed)
{
	bool stays[CONFIG_FAMILIES];
	char what[INSTANCE_INTERFACE];
	enum config_family family;

	for (family = 0; family < CONFIG_FAMILIES; family++)
		stays[family] = interface_stays(interface, family, has_failed);
	for (family = CONFIG_FAMILIES; family-- > 0;) /* see planes_unload() */
		plane_unload(&interface->planes[family], stays[family] ? datapath_leave : datapath_close);
	free(interface->designated_networks);
	interface->designated_networks = NULL;
	interface->designated_networks_count = 0;
	instance_interface(what, interface->config->name);
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

/*
 * Loads for a device with this index and header; without an index, only to see whether the kernel would do. `before` is what
 * it is to take the place of, or NULL.
 */
static int datapath_load(struct datapath **datapath, const struct interface_config *config, enum config_family family,
			 int ifindex, enum link_layer layer, const struct datapath *before)
{
	struct ip_prefix *internals = NULL, *exempt;
	struct external_config *externals;
	struct external_plan plan;
	struct datapath_config dp;
	int err;

	config_plane(config, &dp);
	dp.family = config_address_family(family);
	dp.ifindex = ifindex ? ifindex : LOOPBACK_IFINDEX;
	dp.persist = ifindex && config->persist;
	dp.has_l2 = layer == LINK_ETHERNET;
	err = external_plan_init(&plan, config, dp.family);
	externals = err ? NULL : config_plane_externals(config, &plan);
	exempt = networks_of_family(config->exempt_destinations, config->exempt_destinations_count, dp.family,
				    &dp.exempt_destinations_count);
	if (!externals || !exempt || external_plan_internals(config, dp.family, &internals, &dp.internals_count)) {
		err = err ? err : -ENOMEM;
		log_error("%s: %s", config->name, strerror(-err));
	} else {
		dp.externals = externals;
		dp.externals_count = plan.count;
		dp.internals = internals;
		dp.exempt_destinations = exempt;
		err = before ? datapath_open_heir(datapath, before, &dp) : datapath_open(datapath, &dp);
	}
	free(externals);
	free(exempt);
	free(internals);
	return err;
}

static int plane_load(struct interface *interface, enum config_family family, const struct datapath *before)
{
	struct plane *plane = &interface->planes[family];
	unsigned int i;
	int err;

	err = datapath_load(&plane->datapath, interface->config, family, interface->link.ifindex, interface->layer,
			    before);
	if (err) {
		plane->datapath = NULL;
		return err;
	}
	external_plan_init(&plane->plan, interface->config, config_address_family(family));
	plane->is_told = datapath_is_heir(plane->datapath);
	for (i = 0; i < plane->plan.count && plane->is_told; i++)
		datapath_get_external_at(plane->datapath, i, plane->plan.sources[i]);
	plane->is_checked = true;
	plane->has_news = true;
	err = fd_watch(interface, datapath_event_fd(plane->datapath));
	err = err ?: fd_watch(interface, datapath_fragment_fd(plane->datapath));
	if (err) {
		datapath_close(plane->datapath);
		external_plan_free(&plane->plan);
		plane->datapath = NULL;
	}
	return err;
}

/* What there is to know before the interface is there: whether this kernel would do. Loads, and lets go. */
static int plane_check(struct interface *interface, enum config_family family)
{
	struct datapath *datapath = NULL;
	int err;

	if (interface->planes[family].is_checked)
		return 0;
	err = datapath_load(&datapath, interface->config, family, 0, LINK_ETHERNET, NULL);
	if (err)
		return err;
	datapath_close(datapath);
	interface->planes[family].is_checked = true;
	return 0;
}

static bool addr_is_set(const __be32 addr[4])
{
	return addr[0] | addr[1] | addr[2] | addr[3];
}

/*
 * Tells the data plane which addresses there are; an external one only if it is another than before. Those that go come
 * first: an address may move from one external to another.
 */
static int addresses_set(struct interface *interface, enum config_family family, const struct interface_addresses *list)
{
	static const __be32 none[4];
	struct plane *plane = &interface->planes[family];
	struct external_plan *plan = &plane->plan;
	__be32 before[NAT_EXTERNALS_MAX][4];
	unsigned int i;
	int err;

	memcpy(before, plan->sources, sizeof(before));
	err = external_plan_update(plan, interface->config, config_address_family(family), list->addresses,
				   list->count);
	if (err)
		log_error("%s: out of memory", interface->config->name);
	for (i = 0; i < plan->count && !err; i++)
		if (plane->is_told && addr_is_set(before[i]) &&
		    memcmp(before[i], plan->sources[i], sizeof(before[i])) != 0)
			err = datapath_set_external_at(plane->datapath, i, none);
	for (i = 0; i < plan->count && !err; i++) {
		if (plane->is_told && !memcmp(before[i], plan->sources[i], sizeof(before[i])))
			continue;
		err = datapath_set_external_at(plane->datapath, i, plan->sources[i]);
		plane->has_news = true;
	}
	err = err ?: datapath_set_own(plane->datapath, plan->exempt, plan->exempt_count);
	plane->is_told = !err;
	return err;
}

static int addresses_update(struct interface *interface, enum config_family family, struct netlink *nl)
{
	struct interface_addresses list = { NULL, 0 };
	int err;

	err = netlink_get_addresses(nl, config_address_family(family), interface->link.ifindex, &list);
	if (err == -ENODEV)
		err = 0; /* gone again: no address, and an event is on its way */
	err = err ?: addresses_set(interface, family, &list);
	free(list.addresses);
	return err;
}

/* Has what is at work as many externals as the configuration? Then it can be told their addresses. */
static bool is_alike(const struct plane *plane, const struct interface_config *config, enum config_family family)
{
	struct external_plan plan;

	return !external_plan_init(&plan, config, config_address_family(family)) && plan.count == plane->plan.count;
}

/* Another configuration: an heir with the same mappings. What fails leaves the present one at work, to be tried again. */
static int plane_renew(struct interface *interface, enum config_family family, struct netlink *nl)
{
	struct plane *plane = &interface->planes[family], before = *plane;
	int err;

	memset(&plane->plan, 0, sizeof(plane->plan));
	plane->datapath = NULL;
	err = plane_load(interface, family, before.datapath);
	err = err ?: addresses_update(interface, family, nl);
	err = err ?: datapath_succeed(before.datapath, plane->datapath);
	if (err) {
		datapath_close(plane->datapath);
		external_plan_free(&plane->plan);
		*plane = before;
		if (is_alike(plane, interface->config, family))
			addresses_update(interface, family, nl); /* which may have changed meanwhile */
		return err;
	}
	external_plan_free(&before.plan);
	plane->is_stale = false;
	return 0;
}

static int plane_update(struct interface *interface, enum config_family family, struct netlink *nl)
{
	struct plane *plane = &interface->planes[family];
	int err = 0;

	if (!interface->is_present)
		return plane_check(interface, family);
	if (plane->is_stale && plane->is_attached)
		return plane_renew(interface, family, nl);
	if (plane->is_stale) { /* loaded for another configuration, and at work nowhere */
		datapath_close(plane->datapath);
		external_plan_free(&plane->plan);
		plane->datapath = NULL;
		plane->is_stale = false;
	}
	if (!plane->datapath)
		err = plane_load(interface, family, NULL);
	/* The address comes first: attached without one, the programs would drop what is on its way. */
	err = err ?: addresses_update(interface, family, nl);
	if (!err && !plane->is_attached) {
		err = datapath_attach(plane->datapath);
		plane->is_attached = !err;
	}
	return err;
}

/* `load`: no more than that. */
static int planes_update(struct interface *interface, struct netlink *nl, bool load)
{
	const struct interface_config *config = interface->config;
	enum config_family family;
	int err = 0, failed;

	for (family = 0; family < CONFIG_FAMILIES; family++) {
		if (!interface_config_translates(config, family))
			continue;
		if (!load)
			failed = plane_update(interface, family, nl);
		else if (interface->is_present)
			failed = plane_load(interface, family, NULL);
		else
			failed = plane_check(interface, family);
		if (failed == -ENODEV)
			return failed;
		if (failed && config->nat44 && config->nat66)
			log_info("%s: NAT%d failed", config->name, family == CONFIG_IPV4 ? 44 : 66);
		err = err ?: failed;
	}
	return err;
}

/* What a killed daemon has left of a family that is not translated any more goes on translating. Once for each device. */
static int leavings_clean(struct interface *interface)
{
	enum config_family family;
	int err = 0;

	for (family = 0; family < CONFIG_FAMILIES && !err && !interface->is_clean; family++)
		if (!interface_config_translates(interface->config, family))
			err = attachment_clean(interface->link.ifindex, config_address_family(family), NULL)
				      ?: datapath_forget(interface->config->name, config_address_family(family));
	if (err && err != -ENODEV)
		log_error("%s: take off the filters of a killed einat: %s", interface->config->name, strerror(-err));
	interface->is_clean = !err;
	return err;
}

/* The dummy address that it may have of us (designated_link.h) is no network, nor is any other address that stands alone. */
static int designated_networks_read(struct interface *interface, struct netlink *nl)
{
	struct interface_addresses list = { NULL, 0 };
	struct ip_prefix *networks;
	size_t i, count = 0;
	int err;

	err = netlink_get_addresses(nl, AF_INET, interface->designated_ifindex, &list);
	if (err && err != -ENODEV)
		return err;
	networks = calloc(list.count + 1, sizeof(*networks));
	if (!networks) {
		log_error("%s: out of memory", interface->config->name);
		free(list.addresses);
		return -ENOMEM;
	}
	for (i = 0; i < list.count; i++) {
		if (list.addresses[i].prefix_length == 32)
			continue;
		memcpy(networks[count].addr, list.addresses[i].addr, sizeof(networks[count].addr));
		networks[count].length = list.addresses[i].prefix_length;
		ip_prefix_mask(&networks[count++]);
	}
	free(list.addresses);
	free(interface->designated_networks);
	interface->designated_networks = networks;
	interface->designated_networks_count = count;
	return 0;
}

/* The designated server's interface may come and go. */
static int designated_update(struct interface *interface, struct netlink *nl)
{
	struct datapath *datapath = interface->planes[CONFIG_IPV4].datapath;
	struct link link;
	int err;

	interface->designated_ifindex = 0;
	if (!interface_config_designates(interface->config, CONFIG_IPV4))
		return 0;
	if (!netlink_get_link(nl, interface->config->designated.name, 0, &link) && link.flags & IFF_UP)
		interface->designated_ifindex = link.ifindex;
	if (!interface->designated_ifindex && !interface->designated_is_missing)
		log_warning("%s: the designated server's interface %s is not there, or down: waiting for it",
			    interface->config->name, interface->config->designated.name);
	interface->designated_is_missing = !interface->designated_ifindex;
	err = designated_networks_read(interface, nl);
	if (datapath)
		datapath_set_designated(datapath, interface->designated_ifindex);
	return err;
}

/* Is it there, and what is it? What was loaded for another is let go of. */
static int link_look(struct interface *interface, struct netlink *nl)
{
	bool is_other_name;
	struct link link;
	int err;

	err = netlink_get_link(nl, interface->config->name, 0, &link);
	if (err && err != -ENODEV)
		return err;
	is_other_name = !err && strcmp(link.name, interface->config->name); /* two could be one interface's, then */
	if (is_other_name && !interface->is_other_name)
		log_warning("%s: that is another name of %s: say that one", interface->config->name, link.name);
	interface->is_other_name = is_other_name;
	err = is_other_name ? -ENODEV : err;
	interface->has_news = interface->has_news || interface->is_present == !!err;
	interface->is_present = !err;
	if (err) {
		planes_unload(interface, datapath_lose);
		return 0;
	}
	interface->link = link;
	/* A redial makes another device of the same name; a tunnel may come back with another kind of header. */
	if (link.ifindex != interface->loaded_ifindex || external_link_layer(link.type) != interface->layer) {
		planes_unload(interface, datapath_lose);
		interface->is_clean = false;
	}
	interface->loaded_ifindex = link.ifindex;
	interface->layer = external_link_layer(link.type);
	if (interface->layer == LINK_UNSUPPORTED) {
		log_error("%s: its link type %u is not supported", interface->config->name, link.type);
		return -EOPNOTSUPP;
	}
	return 0;
}

int interface_load(struct interface *interface, struct netlink *nl)
{
	return link_look(interface, nl) ?: planes_update(interface, nl, true);
}

int interface_update(struct interface *interface, struct netlink *nl)
{
	int err, failed;

	err = link_look(interface, nl);
	if (err)
		return err;
	err = planes_update(interface, nl, false);
	if (!interface->is_present)
		return err;
	failed = designated_update(interface, nl);
	err = err ?: failed;
	err = err ?: leavings_clean(interface);
	if (err == -ENODEV) { /* gone since we looked: an event is on its way */
		interface->is_present = false;
		interface->has_news = true;
		planes_unload(interface, datapath_lose);
		return 0;
	}
	return err;
}

bool interface_is_attached(const struct interface *interface)
{
	enum config_family family;

	for (family = 0; family < CONFIG_FAMILIES; family++)
		if (interface_config_translates(interface->config, family) && !interface->planes[family].is_attached)
			return false;
	return true;
}

void interface_reconfigure(struct interface *interface, const struct interface_config *config)
{
	const bool needs_heir = config_change_needs_heir(interface->config, config);
	struct external_plan plan;
	enum config_family family;
	struct plane *plane;
	unsigned int i;

	interface->config = config;
	interface->has_news = true;
	for (family = 0; family < CONFIG_FAMILIES; family++) {
		plane = &interface->planes[family];
		plane->is_checked = plane->is_checked && !needs_heir;
		if (!plane->datapath)
			continue;
		plane->is_stale = plane->is_stale || needs_heir;
		/* The externals are the same ones, but elsewhere in memory; until there is an heir, if one is needed. */
		external_plan_init(&plan, config, config_address_family(family));
		for (i = 0; i < NAT_EXTERNALS_MAX; i++)
			plane->plan.rules[i] = i < plan.count ? plan.rules[i] : NULL;
		datapath_set_timeouts(plane->datapath, config->timeout_ms);
	}
}

void interface_change_forwards(struct interface *interface, enum config_family family)
{
	struct plane *plane = &interface->planes[family];

	plane->is_checked = false;
	plane->is_stale = plane->datapath;
}

bool interface_has_forwards(const struct interface *interface, enum config_family family)
{
	return interface->planes[family].is_checked && !interface->planes[family].is_stale;
}

void interface_sweep(struct interface *interface)
{
	struct plane *plane;

	for (plane = interface->planes; plane < interface->planes + CONFIG_FAMILIES; plane++)
		if (plane->is_attached)
			datapath_sweep(plane->datapath);
}

/* What an event is printed with. */
struct event_source {
	const char *name;
	int family;
};

static void event_print(const struct nat_event *event, void *arg)
{
	const struct event_source *source = arg;
	char text[256];

	event_format(event, source->family, text, sizeof(text));
	log_info("%s: %s", source->name, text);
}

void interface_serve(struct interface *interface)
{
	struct event_source source = { .name = interface->config->name };
	enum config_family family;
	struct datapath *datapath;

	for (family = 0; family < CONFIG_FAMILIES; family++) {
		datapath = interface->planes[family].datapath;
		if (!datapath)
			continue;
		source.family = config_address_family(family);
		datapath_read_fragments(datapath);
		datapath_read_events(datapath, event_print, &source);
	}
}

/* "203.0.113.2 203.0.113.3", or nothing. */
static void sources_format(const struct external_plan *plan, int family, char *text, size_t size)
{
	char address[INET6_ADDRSTRLEN];
	size_t used = 0;
	unsigned int i;

	text[0] = '\0';
	for (i = 0; i < plan->count && used < size; i++) {
		if (!addr_is_set(plan->sources[i]))
			continue;
		inet_ntop(family, plan->sources[i], address, sizeof(address));
		used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "", address);
	}
}

static void plane_announce(const struct interface *interface, enum config_family family)
{
	const struct plane *plane = &interface->planes[family];
	const char *name = interface->config->name;
	char addresses[256], settings[256];

	sources_format(&plane->plan, config_address_family(family), addresses, sizeof(addresses));
	if (!*addresses) {
		log_info("%s: no external %s address, waiting for one", name, family == CONFIG_IPV4 ? "IPv4" : "IPv6");
		return;
	}
	interface_config_describe(interface->config, family, settings, sizeof(settings));
	log_info("%s: %s (%s), %s", name, addresses, datapath_hook(plane->datapath), settings);
}

void interface_announce(struct interface *interface)
{
	enum config_family family;

	if (!interface->is_present && interface->has_news)
		log_info("%s: not there, waiting for it", interface->config->name);
	for (family = 0; interface->is_present && family < CONFIG_FAMILIES; family++) {
		if (!interface->planes[family].datapath)
			continue;
		if (interface->has_news || interface->planes[family].has_news)
			plane_announce(interface, family);
		interface->planes[family].has_news = false;
	}
	interface->has_news = false;
}

void interface_status(const struct interface *interface, char *text, size_t size)
{
	const char *separator = "";
	enum config_family family;
	char addresses[256];
	int n;

	n = snprintf(text, size, interface->is_present ? "%s: " : "waiting for %s", interface->config->name);
	for (family = 0; interface->is_present && family < CONFIG_FAMILIES; family++) {
		if (!interface->planes[family].datapath || n < 0 || (size_t)n >= size)
			continue;
		sources_format(&interface->planes[family].plan, config_address_family(family), addresses,
			       sizeof(addresses));
		n += snprintf(text + n, size - (size_t)n, "%s%s%s", separator,
			      *addresses ? "" : "waiting for an address of ",
			      *addresses ? addresses : (family == CONFIG_IPV4 ? "IPv4" : "IPv6"));
		separator = ", ";
	}
}

bool interface_has_external(const struct interface *interface, enum config_family family)
{
	const struct plane *plane = &interface->planes[family];
	bool has_any = false;
	unsigned int i;

	for (i = 0; i < plane->plan.count; i++)
		has_any = has_any || addr_is_set(plane->plan.sources[i]);
	return has_any && plane->is_attached && interface->link.flags & IFF_UP;
}

size_t interface_describe(const struct interface *interface, enum config_family family,
			  struct hairpin_external *externals)
{
	const struct plane *plane = &interface->planes[family];
	const struct external_plan *plan = &plane->plan;
	struct hairpin_external *external;
	size_t count = 0;
	unsigned int i;

	for (i = 0; i < plan->count && plane->datapath; i++) {
		if (plan->rules[i] && plan->rules[i]->no_hairpin)
			continue;
		external = &externals[count++];
		memset(external, 0, sizeof(*external));
		external->config = interface->config;
		external->name = interface->config->name;
		external->ifindex = interface->link.ifindex;
		external->is_up = plane->is_attached && interface->link.flags & IFF_UP;
		external->is_ethernet = interface->layer == LINK_ETHERNET;
		memcpy(external->mac, interface->link.mac, sizeof(external->mac));
		memcpy(external->addr, plan->sources[i], sizeof(external->addr));
		external->designated_ifindex = interface->designated_ifindex;
		external->designated_networks = interface->designated_networks;
		external->designated_networks_count = interface->designated_networks_count;
	}
	return count;
}
