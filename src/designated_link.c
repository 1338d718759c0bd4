// SPDX-License-Identifier: GPL-2.0-or-later
/* See designated_link.h. */
#include "designated_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "designated.h"
#include "instance.h"
#include "log.h"
#include "netlink_read.h"

/* RFC 7600 section 4.8: what a node without an IPv4 address of its own shows as its source, and nobody answers to. */
static const uint8_t dummy_address[4] = { 192, 0, 0, 8 };

/* All of a pass that its steps share. */
struct pass {
	struct netlink *nl;
	unsigned long namespace;
	struct altname_search marks; /* what links have of ours, as it was when the pass began */
	unsigned int *removed;
};

/* What the link was, if that is known: a mark that it has brought from another namespace says nothing here. */
static bool before_get(const struct pass *pass, int ifindex, struct designated_before *before)
{
	size_t i;

	for (i = 0; i < pass->marks.count; i++)
		if (pass->marks.found[i].ifindex == ifindex &&
		    !designated_before_parse(before, pass->marks.found[i].name) && before->ifindex == ifindex &&
		    before->namespace == pass->namespace)
			return true;
	return false;
}

static int mark_change(const struct pass *pass, int ifindex, const char *name, bool add)
{
	struct ifinfomsg *info;
	struct nlattr *list;
	char buffer[512];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

	request->nlmsg_type = add ? RTM_NEWLINKPROP : RTM_DELLINKPROP;
	request->nlmsg_flags = add ? NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND : 0;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_index = ifindex;
	list = mnl_attr_nest_start(request, IFLA_PROP_LIST | NLA_F_NESTED);
	mnl_attr_put_strz(request, IFLA_ALT_IFNAME, name);
	mnl_attr_nest_end(request, list);
	return netlink_request(pass->nl, request, NULL, NULL);
}

static int settings_get(const struct pass *pass, int ifindex, uint32_t values[DESIGNATED_SETTINGS])
{
	struct link_settings settings = { .count = 0 };
	struct ifinfomsg *info;
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	size_t i;
	int err;

	request->nlmsg_type = RTM_GETLINK;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_index = ifindex;
	err = netlink_request(pass->nl, request, settings_read, &settings);
	for (i = 0; i < DESIGNATED_SETTINGS && !err; i++) {
		if ((size_t)designated_settings[i].number > settings.count)
			return -EAFNOSUPPORT; /* no IPv4 on this device */
		values[i] = settings.values[designated_settings[i].number - 1];
	}
	return err;
}

/* Those that are `from` become `to`. Without any, the kernel is not asked: it would send word of a change, and we come here again. */
static int settings_change(const struct pass *pass, int ifindex, const uint32_t from[DESIGNATED_SETTINGS],
			   const uint32_t to[DESIGNATED_SETTINGS])
{
	struct nlattr *specification, *family, *values;
	uint32_t present[DESIGNATED_SETTINGS] = { 0 };
	struct ifinfomsg *info;
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	bool is_needed = false;
	size_t i;
	int err;

	err = settings_get(pass, ifindex, present);
	for (i = 0; i < DESIGNATED_SETTINGS; i++)
		is_needed = is_needed || (present[i] == from[i] && from[i] != to[i]);
	if (err || !is_needed)
		return err;
	request->nlmsg_type = RTM_SETLINK;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_index = ifindex;
	specification = mnl_attr_nest_start(request, IFLA_AF_SPEC);
	family = mnl_attr_nest_start(request, AF_INET);
	values = mnl_attr_nest_start(request, IFLA_INET_CONF);
	for (i = 0; i < DESIGNATED_SETTINGS; i++)
		if (present[i] == from[i] && from[i] != to[i])
			mnl_attr_put_u32(request, (uint16_t)designated_settings[i].number, to[i]);
	mnl_attr_nest_end(request, values);
	mnl_attr_nest_end(request, family);
	mnl_attr_nest_end(request, specification);
	return netlink_request(pass->nl, request, NULL, NULL);
}

static int address_change(const struct pass *pass, int ifindex, bool add)
{
	struct ifaddrmsg *info;
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	int err;

	request->nlmsg_type = add ? RTM_NEWADDR : RTM_DELADDR;
	request->nlmsg_flags = add ? NLM_F_CREATE | NLM_F_EXCL : 0;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifa_family = AF_INET;
	info->ifa_prefixlen = 32;
	info->ifa_scope = RT_SCOPE_LINK;
	info->ifa_index = (unsigned int)ifindex;
	mnl_attr_put(request, IFA_LOCAL, sizeof(dummy_address), dummy_address);
	mnl_attr_put(request, IFA_ADDRESS, sizeof(dummy_address), dummy_address);
	err = netlink_request(pass->nl, request, NULL, NULL);
	return err == -EEXIST || err == -EADDRNOTAVAIL ? 0 : err;
}

static int has_no_address(const struct pass *pass, int ifindex, bool *has_none)
{
	struct interface_addresses list = { NULL, 0 };
	int err = netlink_get_addresses(pass->nl, AF_INET, ifindex, &list);

	*has_none = !list.count;
	free(list.addresses);
	return err;
}

static int before_note(const struct pass *pass, int ifindex, struct designated_before *before)
{
	char name[DESIGNATED_NAME];
	int err;

	memset(before, 0, sizeof(*before));
	before->namespace = pass->namespace;
	before->ifindex = ifindex;
	err = settings_get(pass, ifindex, before->values)
		      ?: has_no_address(pass, ifindex, &before->has_address_of_ours);
	designated_before_format(before, name);
	return err ?: mark_change(pass, ifindex, name, true);
}

static int link_prepare(const struct pass *pass, const char *ifname)
{
	uint32_t wanted[DESIGNATED_SETTINGS];
	struct designated_before before;
	struct link link;
	size_t i;
	int err;

	err = netlink_get_link(pass->nl, ifname, 0, &link);
	if (err)
		return err == -ENODEV ? 0 : err;
	for (i = 0; i < DESIGNATED_SETTINGS; i++)
		wanted[i] = designated_settings[i].value;
	if (!before_get(pass, link.ifindex, &before))
		err = before_note(pass, link.ifindex, &before);
	err = err ?: settings_change(pass, link.ifindex, before.values, wanted);
	if (!err && before.has_address_of_ours)
		err = address_change(pass, link.ifindex, true);
	if (err && err != -ENODEV) /* gone meanwhile: an event is on its way */
		log_error("%s: make it ready for the designated server: %s", ifname, netlink_why(pass->nl, err));
	return err == -ENODEV ? 0 : err;
}

static int settings_restore(const struct pass *pass, int ifindex)
{
	uint32_t ours[DESIGNATED_SETTINGS];
	struct designated_before before;
	int err = 0;
	size_t i;

	if (!before_get(pass, ifindex, &before))
		return 0;
	for (i = 0; i < DESIGNATED_SETTINGS; i++)
		ours[i] = designated_settings[i].value;
	if (before.has_address_of_ours)
		err = address_change(pass, ifindex, false);
	return err ?: settings_change(pass, ifindex, ours, before.values);
}

/* Whatever its name is now. */
static int link_restore(const struct pass *pass, const struct altname *mark, const char *ifname)
{
	int err = settings_restore(pass, mark->ifindex) ?: mark_change(pass, mark->ifindex, mark->name, false);

	if (err == -ENODEV)
		return 0;
	if (err) {
		log_error("%s: put its settings back: %s", ifname, netlink_why(pass->nl, err));
		return err;
	}
	if (pass->removed) {
		log_info("%s: put its settings back", ifname);
		++*pass->removed;
	}
	return 0;
}

static bool is_named(const char *ifname, const char (*names)[IFNAMSIZ], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(names[i], ifname))
			return true;
	return false;
}

static int links_restore(const struct pass *pass, const char (*names)[IFNAMSIZ], size_t count)
{
	const struct altname *mark = pass->marks.found;
	struct link link;
	int err = 0, failed;

	for (; mark < pass->marks.found + pass->marks.count; mark++) {
		failed = netlink_get_link(pass->nl, "", mark->ifindex, &link);
		if (!failed && !is_named(link.name, names, count))
			failed = link_restore(pass, mark, link.name);
		err = err ?: (failed == -ENODEV ? 0 : failed);
	}
	return err;
}

int designated_links_follow(struct netlink *nl, const char (*names)[IFNAMSIZ], size_t count, unsigned int *removed)
{
	struct pass pass = { .nl = nl, .marks.prefix = DESIGNATED_BEFORE, .removed = removed };
	int err, failed;
	size_t i;

	err = instance_namespace(&pass.namespace);
	if (err) {
		log_error("ask for the network namespace: %s", strerror(-err));
		return err;
	}
	err = netlink_get_altnames(nl, &pass.marks);
	if (err) {
		log_error("list the interfaces: %s", netlink_why(nl, err));
	} else {
		err = links_restore(&pass, names, count);
		for (i = 0; i < count; i++) {
			failed = link_prepare(&pass, names[i]);
			err = err ?: failed;
		}
	}
	free(pass.marks.found);
	return err;
}
