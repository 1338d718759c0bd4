/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interfaces behind which designated servers are: makes their settings (net.ipv4.conf.IF, through netlink) what such a
 * server needs, and gives one without an IPv4 address one to ask by ARP with. What was before is kept as another name of the
 * interface (designated.h), so that it is put back even after a daemon that was killed.
 */
#ifndef DESIGNATED_LINK_H
#define DESIGNATED_LINK_H

#include <net/if.h>
#include <stddef.h>

#include "netlink.h"

/*
 * Makes the interfaces that are named ready, as far as they are there, and all others that were as they had been before;
 * with `removed` it says so of each, and counts it there. What somebody has changed meanwhile stays. Returns 0 or the first
 * -errno, and has then said why; the rest is done.
 */
int designated_links_follow(struct netlink *nl, const char (*names)[IFNAMSIZ], size_t count, unsigned int *removed);

#endif
