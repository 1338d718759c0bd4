/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of an interface's addresses is the external one, and which devices can be external at all. Pure decisions. */
#ifndef EXTERNAL_H
#define EXTERNAL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath.h"

/* An address as the kernel reports it. IPv4 is word 0. */
struct interface_address {
	int family; /* AF_INET or AF_INET6 */
	uint8_t prefix_length;
	uint8_t scope;	 /* RT_SCOPE_* */
	uint32_t flags;	 /* IFA_F_* */
	__be32 addr[4];	 /* IFA_ADDRESS: on a point-to-point link the peer's */
	__be32 local[4]; /* IFA_LOCAL: ours; all zero: the kernel gave none, and addr is ours */
};

/*
 * The address that packets leave from: of global scope (so never link-local), and not being checked for duplicates. Better
 * than others is, in this order: one that is routed beyond the site (IPv6: not fc00::/7); one that is not deprecated; a
 * primary one in IPv4, and no privacy address in IPv6. RFC 6724 rule 7 would take the privacy address; but that goes away
 * within a day, each time with every mapping, and it hides nothing here, where all hosts share one address.
 * Of equal ones *chosen, the last choice (all zero: none), stays: mappings die with their address. Else the oldest.
 * False: there is none, and *chosen is all zero.
 */
bool external_choose(const struct interface_address *addresses, size_t count, int family, __be32 chosen[4]);

/*
 * Every other address of the family, as full-length prefixes: the router's own traffic from them is left alone. others has
 * room for `count`. Returns how many there are; the chosen one is none of them.
 */
size_t external_others(const struct interface_address *addresses, size_t count, int family, const __be32 chosen[4],
		       struct ip_prefix *others);

/* Why no host can have this address, "the address is unspecified" or the like; NULL: one can. */
const char *address_trouble(int family, const __be32 addr[4]);

enum link_layer {
	LINK_ETHERNET,	  /* frames begin with an Ethernet header */
	LINK_IP,	  /* packets begin with the IP header: PPP, WireGuard, TUN, tunnels */
	LINK_UNSUPPORTED, /* another header */
};

/* From the device's ARPHRD_* type. */
enum link_layer external_link_layer(unsigned short type);

#endif
