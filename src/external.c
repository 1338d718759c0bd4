// SPDX-License-Identifier: GPL-2.0-or-later
/* The choice of the external address. Nothing here remembers: the same addresses always give the same answer. */
#include "external.h"

#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static bool is_zero(const __be32 addr[4])
{
	return !(addr[0] | addr[1] | addr[2] | addr[3]);
}

static bool is_external(const struct interface_address *address, int family)
{
	/* SECONDARY is TEMPORARY in IPv6: privacy addresses, which go away by themselves. */
	static const uint32_t unfit = IFA_F_SECONDARY | IFA_F_DEPRECATED | IFA_F_TENTATIVE | IFA_F_OPTIMISTIC |
				      IFA_F_DADFAILED;

	return address->family == family && address->scope == RT_SCOPE_UNIVERSE && !(address->flags & unfit);
}

static const __be32 *own_address(const struct interface_address *address)
{
	return is_zero(address->local) ? address->addr : address->local;
}

bool external_choose(const struct interface_address *addresses, size_t count, int family, __be32 chosen[4])
{
	const __be32 *own;
	size_t i;

	memset(chosen, 0, 4 * sizeof(*chosen));
	for (i = 0; i < count; i++) {
		if (!is_external(&addresses[i], family))
			continue;
		own = own_address(&addresses[i]);
		if (is_zero(own)) /* PPP before negotiation: 0.0.0.0 */
			continue;
		memcpy(chosen, own, 4 * sizeof(*chosen));
		return true;
	}
	return false;
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
