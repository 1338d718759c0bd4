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

bool external_choose(const struct interface_address *addresses, size_t count, int family, __be32 chosen[4])
{
	const __be32 *own;
	size_t i;

	memset(chosen, 0, 4 * sizeof(*chosen));
	for (i = 0; i < count; i++) {
		if (!is_external(&addresses[i], family))
			continue;
		own = is_zero(addresses[i].local) ? addresses[i].addr : addresses[i].local;
		if (is_zero(own)) /* PPP before negotiation: 0.0.0.0 */
			continue;
		memcpy(chosen, own, 4 * sizeof(*chosen));
		return true;
	}
	return false;
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
