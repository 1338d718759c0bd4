// SPDX-License-Identifier: GPL-2.0-or-later
/* The choice of the external address, among those that the kernel has at this moment. */
#include "external.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

/* What makes one address better than another, the weightiest first. */
enum { UNFIT = 0, FIT = 1, STABLE = 2, PREFERRED = 4, ROUTABLE = 8 };

static bool is_zero(const __be32 addr[4])
{
	return !(addr[0] | addr[1] | addr[2] | addr[3]);
}

static const __be32 *own_address(const struct interface_address *address)
{
	return is_zero(address->local) ? address->addr : address->local;
}

/* RFC 4193: routed within a site, nowhere else. */
static bool is_unique_local(int family, const __be32 addr[4])
{
	return family == AF_INET6 && ntohl(addr[0]) >> 25 == 0xfc >> 1;
}

static int address_rank(const struct interface_address *address, int family)
{
	static const uint32_t unfit = IFA_F_TENTATIVE | IFA_F_OPTIMISTIC | IFA_F_DADFAILED;
	const __be32 *own = own_address(address);

	/* PPP has 0.0.0.0 before it has negotiated. */
	if (address->family != family || address->scope != RT_SCOPE_UNIVERSE || address->flags & unfit || is_zero(own))
		return UNFIT;
	/* The flag SECONDARY is TEMPORARY in IPv6: a privacy address. */
	return FIT | (address->flags & IFA_F_SECONDARY ? 0 : STABLE) |
	       (address->flags & IFA_F_DEPRECATED ? 0 : PREFERRED) | (is_unique_local(family, own) ? 0 : ROUTABLE);
}

bool external_choose(const struct interface_address *addresses, size_t count, int family, __be32 chosen[4])
{
	const __be32 *own, *best = NULL;
	int rank, best_rank = UNFIT;
	bool is_chosen, best_is_chosen = false;
	size_t i;

	for (i = 0; i < count; i++) {
		own = own_address(&addresses[i]);
		rank = address_rank(&addresses[i], family);
		is_chosen = !memcmp(own, chosen, 4 * sizeof(*own));
		if (rank == UNFIT || rank < best_rank || (rank == best_rank && best_is_chosen))
			continue;
		/* The kernel lists what it got last at the end in IPv4, and in front in IPv6: the oldest is meant. */
		if (rank == best_rank && family == AF_INET && !is_chosen)
			continue;
		best = own;
		best_rank = rank;
		best_is_chosen = is_chosen;
	}
	if (best)
		memmove(chosen, best, 4 * sizeof(*chosen));
	else
		memset(chosen, 0, 4 * sizeof(*chosen));
	return best;
}

size_t external_others(const struct interface_address *addresses, size_t count, int family, const __be32 chosen[4],
		       struct ip_prefix *others)
{
	size_t i, found = 0;

	for (i = 0; i < count; i++) {
		const __be32 *own = own_address(&addresses[i]);

		if (addresses[i].family != family || is_zero(own) || !memcmp(own, chosen, 4 * sizeof(*own)))
			continue;
		memcpy(others[found].addr, own, sizeof(others[found].addr));
		others[found++].length = family == AF_INET ? 32 : 128;
	}
	return found;
}

enum link_layer external_link_layer(unsigned short type)
{
	switch (type) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		return LINK_ETHERNET;
	case ARPHRD_PPP:
	case ARPHRD_NONE:
	case ARPHRD_RAWIP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case ARPHRD_IP6GRE:
		return LINK_IP;
	default:
		return LINK_UNSUPPORTED;
	}
}

const char *address_trouble(int family, const __be32 addr[4])
{
	uint32_t first = ntohl(addr[0]);

	if (!(addr[0] | addr[1] | addr[2] | addr[3]))
		return "the address is unspecified";
	if (family == AF_INET)
		return first >> 24 == 127   ? "the address is a loopback address"
		       : first >> 28 == 0xe ? "the address is a multicast address"
		       : first >> 28 == 0xf ? "the address is a broadcast or reserved address"
		       : first >> 24 == 0   ? "the address is one of this network, 0.0.0.0/8"
					    : NULL;
	if (!(addr[0] | addr[1] | addr[2]) && addr[3] == htonl(1))
		return "the address is a loopback address";
	if (!(addr[0] | addr[1]) && (!addr[2] || addr[2] == htonl(0xffff)))
		return "the address is an IPv4 address in IPv6 clothes";
	return first >> 24 == 0xff    ? "the address is a multicast address"
	       : first >> 22 == 0x3fa ? "the address is link-local"
				      : NULL;
}
