/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of one external interface: absent -> present, its data plane loaded and attached -> with an external address;
 * and back at any moment. One function asks the kernel how things are and makes the data plane follow.
 */
#ifndef INTERFACE_H
#define INTERFACE_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "datapath.h"
#include "external.h"
#include "hairpin.h"
#include "netlink.h"

struct interface {
	const struct interface_config *config;
	int claim_fd;	    /* -1: none */
	int epoll_fd;	    /* where the data plane says that it has something ... */
	uint32_t epoll_tag; /* ... under this data.u32 */
	bool is_present;
	bool is_checked; /* the kernel has been found able */
	bool is_attached;
	bool has_news; /* to be announced */
	struct masquerade *masquerade;
	struct link link; /* valid while present */
	enum link_layer layer;
	struct datapath *datapath; /* IPv4's; NULL: not loaded */
	int datapath_ifindex;
	__be32 external[4]; /* all zero: none */
};

/* Claims the interface. Nothing is loaded yet. */
int interface_init(struct interface *interface, const struct interface_config *config, int epoll_fd,
		   uint32_t epoll_tag);

/*
 * Looks and follows: loads, attaches, sets the external address, or lets go of what is gone. An interface that is not there
 * is no error. Returns 0 or -errno, and has then said why; what had been set up stays consistent, and the next call
 * tries again.
 */
int interface_update(struct interface *interface, struct netlink *nl);

/* Once a second. */
void interface_sweep(struct interface *interface);

/* Takes what the data plane has for the daemon: fragments to hold or to send on, events to print. */
void interface_serve(struct interface *interface);

/* Says in one line how things are, if that has changed since it was said last. */
void interface_announce(struct interface *interface);

/* As hairpin_plan() wants to know it. */
void interface_describe(const struct interface *interface, struct hairpin_external *external);

/* Detaches, and gives up the claim. */
void interface_close(struct interface *interface);

#endif
