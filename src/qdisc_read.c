// SPDX-License-Identifier: GPL-2.0-or-later
/* See qdisc_read.h. */
#include "qdisc_read.h"

#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netlink_read.h"

static const struct nlattr *attribute_find(const struct nlmsghdr *message, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(struct tcmsg))
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

static bool is_text(const struct nlattr *attr, const char *text)
{
	return attr && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 && !strcmp(mnl_attr_get_str(attr), text);
}

static const char *bpf_name(const struct nlmsghdr *message)
{
	const struct nlattr *options = attribute_find(message, TCA_OPTIONS), *attr;

	if (!options || !is_text(attribute_find(message, TCA_KIND), "bpf"))
		return "";
	mnl_attr_for_each_nested(attr, options)
		if (mnl_attr_get_type(attr) == TCA_BPF_NAME && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			return mnl_attr_get_str(attr);
	return "";
}

int filter_read(const struct nlmsghdr *message, void *data)
{
	const struct tcmsg *tc = message_body(message, sizeof(*tc));
	const struct filter_list *list = data;
	struct qdisc_filter filter = { .is_egress = list->is_egress };

	if (message->nlmsg_type != RTM_NEWTFILTER)
		return MNL_CB_OK;
	if (!tc)
		return MNL_CB_ERROR;
	/* Each chain and priority has a head without a handle: only filters themselves count. */
	if (!tc->tcm_handle)
		return MNL_CB_OK;
	filter.handle = tc->tcm_handle;
	filter.priority = TC_H_MAJ(tc->tcm_info) >> 16;
	filter.bpf_name = bpf_name(message);
	list->visit(&filter, list->arg);
	return MNL_CB_OK;
}

int ingress_read(const struct nlmsghdr *message, void *data)
{
	const struct tcmsg *tc = message_body(message, sizeof(*tc));
	struct ingress_search *search = data;

	if (message->nlmsg_type != RTM_NEWQDISC)
		return MNL_CB_OK;
	if (!tc)
		return MNL_CB_ERROR;
	if (tc->tcm_ifindex == search->ifindex && tc->tcm_parent == TC_H_INGRESS &&
	    is_text(attribute_find(message, TCA_KIND), "ingress"))
		search->found = 1;
	return MNL_CB_OK;
}
