// SPDX-License-Identifier: GPL-2.0-or-later
/* See cleanup.h. */
#include "cleanup.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "attachment.h"
#include "designated_link.h"
#include "instance.h"
#include "log.h"
#include "netlink.h"
#include "pins.h"
#include "privileges.h"
#include "routing.h"

/* Takes away what is left on one interface; adds to *removed. Returns 0 or -errno, and has then said why. */
static int filters_clean(const char *name, int ifindex, unsigned int *removed)
{
	unsigned int filters = 0;
	enum config_family family;
	int err = 0;

	for (family = 0; family < CONFIG_FAMILIES && !err; family++)
		err = attachment_clean(ifindex, config_address_family(family), &filters);
	if (filters)
		log_info("%s: removed %u %s", name, filters, filters == 1 ? "filter" : "filters");
	if (err == -ENODEV)
		err = 0;
	if (err)
		log_error("%s: take off the filters: %s", name, strerror(-err));
	*removed += filters;
	return err;
}

/* What is pinned (pins.h), the interface may be there or not: the links are the programs' hold on it. */
static int pins_clean(const char *name, unsigned int *removed)
{
	enum config_family family;
	char path[PINS_PATH];
	int pins = 0, err = 0;

	for (family = 0; family < CONFIG_FAMILIES && err >= 0; family++) {
		err = pins_directory(path, name, config_address_family(family)) ?: pins_remove(path);
		pins += err > 0 ? err : 0;
	}
	if (pins)
		log_info("%s: removed %d pinned maps and links", name, pins);
	if (err < 0)
		log_error("%s: remove what is pinned: %s", name, strerror(-err));
	*removed += (unsigned int)pins;
	return err < 0 ? err : 0;
}

/* The same under a claim, so that no daemon starts there meanwhile. */
static int interface_clean(const char *name, unsigned int *removed)
{
	unsigned int ifindex = if_nametoindex(name);
	char what[INSTANCE_INTERFACE];
	int fd, err = 0;

	instance_interface(what, name);
	fd = instance_claim(what);
	if (fd < 0)
		return fd;
	if (ifindex)
		err = filters_clean(name, (int)ifindex, removed);
	err = err ?: pins_clean(name, removed);
	instance_release(what, fd);
	return err;
}

static int interfaces_clean(const struct config *config, unsigned int *removed)
{
	struct if_nameindex *all, *link;
	int err = 0, failed;
	size_t i;

	if (config->interfaces_count && config->interfaces[0].name[0]) {
		for (i = 0; i < config->interfaces_count; i++) {
			failed = interface_clean(config->interfaces[i].name, removed);
			err = err ?: failed;
		}
		return err;
	}
	all = if_nameindex();
	if (!all) {
		log_error("list the interfaces: %s", strerror(errno));
		return -errno;
	}
	for (link = all; link->if_index; link++) {
		failed = interface_clean(link->if_name, removed);
		err = err ?: failed;
	}
	if_freenameindex(all);
	return err ? err : pins_remove_all(removed); /* of interfaces that are gone */
}

/* Rules belong to a network namespace, and a daemon at work there minds all of them. */
static int routing_clean_all(unsigned int *removed)
{
	enum config_family family;
	struct netlink *nl;
	int err, failed;

	err = netlink_open(&nl);
	if (err)
		return err;
	for (family = 0; family < CONFIG_FAMILIES; family++) {
		failed = routing_clean(nl, config_address_family(family), removed);
		err = err ?: failed;
	}
	failed = designated_links_follow(nl, NULL, 0, removed);
	err = err ?: failed;
	netlink_close(nl);
	return err;
}

int cleanup_run(const struct config *config)
{
	const bool all = !config->interfaces_count || !config->interfaces[0].name[0];
	unsigned int removed = 0;
	int err, others;

	err = privileges_check();
	if (err)
		return 1;
	others = instance_clean(&removed);
	if (others && (all || others != -EADDRINUSE))
		return 1;
	err = interfaces_clean(config, &removed);
	/* Its rules go first when a daemon ends; here they go last, as a claim on the interface may fail. */
	if (!err && !others)
		err = routing_clean_all(&removed);
	else if (!err)
		log_info("rules, routes and neighbours are left to the einat that is at work");
	if (!err && !removed)
		log_info("nothing was left");
	return err ? 1 : 0;
}
