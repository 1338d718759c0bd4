// SPDX-License-Identifier: GPL-2.0-or-later
/* See facts_read.h. */
#include "facts_read.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "hairpin.h"
#include "netlink_read.h"

static void default_seen(struct default_search *search, int ifindex, uint8_t protocol)
{
	if (ifindex != search->ifindex) {
		search->other = ifindex;
		return;
	}
	search->facts->has_default = true;
	search->facts->has_static_default = search->facts->has_static_default || protocol != RTPROT_RA;
}

/* RTNH_OK() of linux/rtnetlink.h would look at a length that is not there any more. */
static void hops_seen(struct default_search *search, const struct nlattr *attr, uint8_t protocol)
{
	const char *at = mnl_attr_get_payload(attr), *end = at + mnl_attr_get_payload_len(attr);
	const struct rtnexthop *hop;

	while (end - at >= (ptrdiff_t)sizeof(*hop)) {
		hop = (const void *)at;
		if (hop->rtnh_len < sizeof(*hop) || hop->rtnh_len > end - at)
			return;
		default_seen(search, hop->rtnh_ifindex, protocol);
		at += RTNH_ALIGN(hop->rtnh_len);
	}
}

int default_route_read(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *route = message_body(message, sizeof(*route));
	struct default_search *search = data;
	const struct nlattr *attr;

	if (message->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	if (!route)
		return MNL_CB_ERROR;
	if (route->rtm_dst_len || route->rtm_type != RTN_UNICAST || route->rtm_flags & RTM_F_CLONED)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, message, sizeof(*route)) {
		if (mnl_attr_get_type(attr) == RTA_OIF && mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
			default_seen(search, (int)mnl_attr_get_u32(attr), route->rtm_protocol);
		if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
			hops_seen(search, attr, route->rtm_protocol);
	}
	return MNL_CB_OK;
}

int left_rule_read(const struct nlmsghdr *message, void *data)
{
	const struct fib_rule_hdr *rule = message_body(message, sizeof(*rule));
	struct family_facts *facts = data;
	const struct nlattr *attr;

	if (message->nlmsg_type != RTM_NEWRULE)
		return MNL_CB_OK;
	if (!rule)
		return MNL_CB_ERROR;
	mnl_attr_for_each(attr, message, sizeof(*rule))
		if (mnl_attr_get_type(attr) == FRA_PROTOCOL && mnl_attr_get_payload_len(attr) == sizeof(uint8_t))
			facts->left_rules += mnl_attr_get_u8(attr) == HAIRPIN_OWNER;
	return MNL_CB_OK;
}
