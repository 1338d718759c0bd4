// SPDX-License-Identifier: GPL-2.0-or-later
/* See netlink_read.h. */
#include "netlink_read.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const void *message_body(const struct nlmsghdr *message, size_t size)
{
	if (message->nlmsg_len >= mnl_nlmsg_size(size))
		return mnl_nlmsg_get_payload(message);
	errno = EBADMSG;
	return NULL;
}

/* The attribute's text, or NULL if it has no end. */
static const char *attr_text(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0 ? NULL : mnl_attr_get_str(attr);
}

int link_read(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = message_body(message, sizeof(*info));
	const struct nlattr *attr;
	struct link *link = data;

	if (message->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	if (!info)
		return MNL_CB_ERROR;
	memset(link, 0, sizeof(*link));
	link->ifindex = info->ifi_index;
	link->flags = info->ifi_flags;
	link->type = info->ifi_type;
	mnl_attr_for_each(attr, message, sizeof(*info)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME && attr_text(attr))
			snprintf(link->name, sizeof(link->name), "%s", attr_text(attr));
		if (mnl_attr_get_type(attr) == IFLA_ADDRESS && mnl_attr_get_payload_len(attr) == sizeof(link->mac))
			memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
	}
	return MNL_CB_OK;
}

/* IFLA_AF_SPEC holds an attribute for each family, that of AF_INET one with all values in a row. */
int settings_read(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *attr, *family, *values;
	struct link_settings *settings = data;

	if (message->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	if (!message_body(message, sizeof(struct ifinfomsg)))
		return MNL_CB_ERROR;
	settings->count = 0;
	mnl_attr_for_each(attr, message, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) != IFLA_AF_SPEC)
			continue;
		mnl_attr_for_each_nested(family, attr) {
			if (mnl_attr_get_type(family) != AF_INET)
				continue;
			mnl_attr_for_each_nested(values, family) {
				if (mnl_attr_get_type(values) != IFLA_INET_CONF)
					continue;
				settings->count = mnl_attr_get_payload_len(values) / sizeof(uint32_t);
				if (settings->count > LINK_SETTINGS_MAX)
					settings->count = LINK_SETTINGS_MAX;
				memcpy(settings->values, mnl_attr_get_payload(values),
				       settings->count * sizeof(uint32_t));
			}
		}
	}
	return MNL_CB_OK;
}

static int altname_add(struct altname_search *search, int ifindex, const char *name)
{
	struct altname *grown = realloc(search->found, (search->count + 1) * sizeof(*grown));

	if (!grown) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	search->found = grown;
	grown[search->count].ifindex = ifindex;
	snprintf(grown[search->count++].name, sizeof(grown->name), "%s", name);
	return MNL_CB_OK;
}

int altname_read(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = message_body(message, sizeof(*info));
	const struct nlattr *attr, *property;
	struct altname_search *search = data;
	const char *name;

	if (message->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	if (!info)
		return MNL_CB_ERROR;
	mnl_attr_for_each(attr, message, sizeof(*info)) {
		if (mnl_attr_get_type(attr) != IFLA_PROP_LIST)
			continue;
		mnl_attr_for_each_nested(property, attr) {
			name = mnl_attr_get_type(property) == IFLA_ALT_IFNAME ? attr_text(property) : NULL;
			if (!name || strncmp(name, search->prefix, strlen(search->prefix)) != 0)
				continue;
			if (altname_add(search, info->ifi_index, name) != MNL_CB_OK)
				return MNL_CB_ERROR;
		}
	}
	return MNL_CB_OK;
}

int address_read(const struct nlmsghdr *message, void *data)
{
	const struct ifaddrmsg *info = message_body(message, sizeof(*info));
	struct interface_address *grown, address = { .family = AF_UNSPEC };
	struct address_search *search = data;
	const struct nlattr *attr;
	uint16_t length;

	if (message->nlmsg_type != RTM_NEWADDR)
		return MNL_CB_OK;
	if (!info)
		return MNL_CB_ERROR;
	/* A kernel without strict checking sends those of all interfaces. */
	if ((int)info->ifa_index != search->ifindex)
		return MNL_CB_OK;
	address.family = info->ifa_family;
	address.prefix_length = info->ifa_prefixlen;
	address.scope = info->ifa_scope;
	address.flags = info->ifa_flags;
	mnl_attr_for_each(attr, message, sizeof(*info)) {
		length = mnl_attr_get_payload_len(attr);
		if (mnl_attr_get_type(attr) == IFA_ADDRESS && length <= sizeof(address.addr))
			memcpy(address.addr, mnl_attr_get_payload(attr), length);
		if (mnl_attr_get_type(attr) == IFA_LOCAL && length <= sizeof(address.local))
			memcpy(address.local, mnl_attr_get_payload(attr), length);
		if (mnl_attr_get_type(attr) == IFA_FLAGS && length == sizeof(uint32_t))
			address.flags = mnl_attr_get_u32(attr);
	}
	grown = realloc(search->list->addresses, (search->list->count + 1) * sizeof(*grown));
	if (!grown) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	search->list->addresses = grown;
	grown[search->list->count++] = address;
	return MNL_CB_OK;
}

int event_read(const struct nlmsghdr *message, void *data)
{
	const struct ifaddrmsg *address = message_body(message, sizeof(*address));
	const struct ifinfomsg *link = message_body(message, sizeof(*link));
	struct event_reader *reader = data;
	const char *name = NULL;
	const struct nlattr *attr;

	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (!link)
			return MNL_CB_ERROR;
		mnl_attr_for_each(attr, message, sizeof(*link))
			if (mnl_attr_get_type(attr) == IFLA_IFNAME)
				name = attr_text(attr);
		if (reader->is_ours(link->ifi_index, name, reader->arg))
			reader->changes |= NETLINK_LINKS_CHANGED;
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		if (!address)
			return MNL_CB_ERROR;
		if (reader->is_ours((int)address->ifa_index, NULL, reader->arg))
			reader->changes |= NETLINK_LINKS_CHANGED;
		break;
	case RTM_NEWRULE:
	case RTM_DELRULE:
		reader->changes |= NETLINK_RULES_CHANGED;
		break;
	}
	return MNL_CB_OK;
}

/* The text that newer kernels add to an error. It follows the failed request's header (NETLINK_CAP_ACK). */
static void error_read_why(const struct nlmsghdr *message, char *why, size_t size)
{
	const struct nlattr *attr;

	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS) || !(message->nlmsg_flags & NLM_F_CAPPED))
		return;
	mnl_attr_for_each(attr, message, sizeof(struct nlmsgerr))
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG && attr_text(attr))
			snprintf(why, size, "%s", attr_text(attr));
}

int error_read(const struct nlmsghdr *message, char *why, size_t size)
{
	const struct nlmsgerr *error = message_body(message, sizeof(*error));

	if (!error)
		return MNL_CB_ERROR;
	if (!error->error)
		return MNL_CB_STOP;
	error_read_why(message, why, size);
	errno = error->error < 0 && error->error != INT32_MIN ? -error->error : EBADMSG;
	return MNL_CB_ERROR;
}

int done_read(const struct nlmsghdr *message)
{
	const int *error = message_body(message, sizeof(*error));

	if (!error || *error >= 0 || *error == INT32_MIN)
		return MNL_CB_STOP;
	errno = -*error;
	return MNL_CB_ERROR;
}
