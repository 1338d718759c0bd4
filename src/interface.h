/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of one external interface: absent -> present, its data planes loaded and attached -> with an external address;
 * and back at any moment. There is a data plane for each IP family that is to be translated, and none for one that is not.
 * One function asks the kernel how things are and makes the data planes follow.
 */
#ifndef INTERFACE_H
#define INTERFACE_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "datapath.h"
#include "external.h"
#include "external_plan.h"
#include "hairpin.h"
#include "netlink.h"

/* One family's part of an interface. */
struct plane {
	struct datapath *datapath; /* NULL: not loaded */
	bool is_checked;	   /* the kernel has been found able */
	bool is_attached;
	bool is_stale;		   /* its configuration is another now: an heir is to take its place */
	bool has_news;		   /* to be announced */
	struct external_plan plan; /* what the data plane has been told ... */
	bool is_told;		   /* ... if all went well */
};

struct interface {
	const struct interface_config *config;
	int claim_fd;	    /* -1: none */
	int epoll_fd;	    /* where the data plane says that it has something ... */
	uint32_t epoll_tag; /* ... under this data.u32 */
	bool is_present;
	bool has_news; /* it has come or gone: to be announced */
	struct masquerade *masquerade;
	struct link link;		       /* valid while present */
	int designated_ifindex;		       /* the designated server's interface; 0: it is not there, or not up */
	struct ip_prefix *designated_networks; /* of the addresses that it has */
	size_t designated_networks_count;
	bool designated_is_missing; /* and that has been said */
	int loaded_ifindex;	    /* what the planes were loaded for ... */
	enum link_layer layer;	    /* ... and with */
	bool is_other_name;	    /* an alternative name of another's: it has been said */
	bool is_clean;		    /* nothing is left on it of a killed daemon */
	struct plane planes[CONFIG_FAMILIES];
};

/* Claims the interface. Nothing is loaded yet. */
int interface_init(struct interface *interface, const struct interface_config *config, int epoll_fd,
		   uint32_t epoll_tag);

/*
 * Once, before anything is changed, of this interface or another: whatever the kernel has to verify. Returns 0 or -errno,
 * and has then said why.
 */
int interface_load(struct interface *interface, struct netlink *nl);

/*
 * Looks and follows: loads, attaches, sets the external address, or lets go of what is gone. An interface that is not there
 * is no error. Returns 0 or -errno, and has then said why; what had been set up stays consistent, and the next call
 * tries again. A family that fails does not keep the other one from following.
 */
int interface_update(struct interface *interface, struct netlink *nl);

/* Is every family at work that is to be translated? */
bool interface_is_attached(const struct interface *interface);

/* Goes on with another configuration, which differs from the one before in what config_change.h allows. */
void interface_reconfigure(struct interface *interface, const struct interface_config *config);

/*
 * The same where the configuration in force has got other static mappings of a family; the next interface_update() makes them
 * serve. Do they, or would they if the interface were there?
 */
void interface_change_forwards(struct interface *interface, enum config_family family);
bool interface_has_forwards(const struct interface *interface, enum config_family family);

/* Once a second. */
void interface_sweep(struct interface *interface);

/* Takes what the data plane has for the daemon: fragments to hold or to send on, events to print. */
void interface_serve(struct interface *interface);

/* Says in one line for each family how things are, if that has changed since it was said last. */
void interface_announce(struct interface *interface);

/* The same for a service manager: "wan: 203.0.113.2", "waiting for wan". */
void interface_status(const struct interface *interface, char *text, size_t size);

/* Does it translate, is it up, and has it an external address? */
bool interface_has_external(const struct interface *interface, enum config_family family);

/*
 * As hairpin_plan() wants to know it: its externals that are reached from inside. There is room for NAT_EXTERNALS_MAX.
 * Returns how many there are.
 */
size_t interface_describe(const struct interface *interface, enum config_family family,
			  struct hairpin_external *externals);

/*
 * Is a family of it to go on when the daemon ends? What is configured to persist does, where it could be pinned. After a start
 * that failed, only what was at work before it.
 */
bool interface_stays(const struct interface *interface, enum config_family family, bool has_failed);

/* Gives up the claim, and detaches; but what interface_stays() goes on translating, and a later start takes it over. */
void interface_close(struct interface *interface, bool has_failed);

#endif
