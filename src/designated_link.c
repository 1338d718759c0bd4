// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See designated_link.h.
 *
 *	/run/einat/designated.4026531840.dmz	its index, whether it has an address of ours, and the settings before
 */
#include "designated_link.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "designated.h"
#include "instance.h"
#include "log.h"
#include "netlink_read.h"

enum { FILE_NAME_SIZE = 64, LINE_SIZE = 128 };

/* RFC 7600 section 4.8: what a node without an IPv4 address of its own shows as its source, and nobody answers to. */
static const uint8_t dummy_address[4] = { 192, 0, 0, 8 };

/* All of a pass that its steps share. */
struct pass {
	struct netlink *nl;
	int directory;
	char prefix[FILE_NAME_SIZE]; /* of the files' names: "designated.4026531840." */
	unsigned int *removed;
};

static void file_name(const struct pass *pass, const char *ifname, char name[FILE_NAME_SIZE])
{
	snprintf(name, FILE_NAME_SIZE, "%.44s%.15s", pass->prefix, ifname);
}

/* False: there is none, or none that can be read. */
static bool file_read(const struct pass *pass, const char *ifname, struct designated_before *before)
{
	char name[FILE_NAME_SIZE], text[LINE_SIZE] = "";
	ssize_t length;
	int fd;

	file_name(pass, ifname, name);
	fd = openat(pass->directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	return length > 0 && !designated_before_parse(before, text);
}

static int file_write(const struct pass *pass, const char *ifname, const struct designated_before *before)
{
	char name[FILE_NAME_SIZE], text[LINE_SIZE];
	ssize_t length;
	int fd;

	file_name(pass, ifname, name);
	designated_before_format(before, text, sizeof(text));
	fd = openat(pass->directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	length = fd < 0 ? -1 : write(fd, text, strlen(text));
	if (fd >= 0)
		close(fd);
	if (length == (ssize_t)strlen(text))
		return 0;
	log_error("%s: write down what it was: %s", ifname, strerror(errno));
	return -EIO;
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

/* Makes it ready. A file of an earlier device with the name says nothing of this one. */
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
	if (!file_read(pass, ifname, &before) || before.ifindex != link.ifindex) {
		memset(&before, 0, sizeof(before));
		before.ifindex = link.ifindex;
		err = settings_get(pass, link.ifindex, before.values)
			      ?: has_no_address(pass, link.ifindex, &before.has_address_of_ours);
		err = err ?: file_write(pass, ifname, &before);
	}
	err = err ?: settings_change(pass, link.ifindex, before.values, wanted);
	if (!err && before.has_address_of_ours)
		err = address_change(pass, link.ifindex, true);
	if (err && err != -ENODEV) /* gone meanwhile: an event is on its way */
		log_error("%s: make it ready for the designated server: %s", ifname, netlink_why(pass->nl, err));
	return err == -ENODEV ? 0 : err;
}

static int link_restore(const struct pass *pass, const char *ifname)
{
	uint32_t ours[DESIGNATED_SETTINGS];
	struct designated_before before;
	char name[FILE_NAME_SIZE];
	struct link link;
	int err = 0;
	size_t i;

	for (i = 0; i < DESIGNATED_SETTINGS; i++)
		ours[i] = designated_settings[i].value;
	if (file_read(pass, ifname, &before) && !netlink_get_link(pass->nl, ifname, 0, &link) &&
	    link.ifindex == before.ifindex) {
		if (before.has_address_of_ours)
			err = address_change(pass, link.ifindex, false);
		err = err ?: settings_change(pass, link.ifindex, ours, before.values);
		if (err && err != -ENODEV) {
			log_error("%s: put its settings back: %s", ifname, netlink_why(pass->nl, err));
			return err;
		}
		if (pass->removed) {
			log_info("%s: put its settings back", ifname);
			++*pass->removed;
		}
	}
	file_name(pass, ifname, name);
	unlinkat(pass->directory, name, 0);
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
	const size_t length = strlen(pass->prefix);
	int listed = dup(pass->directory), err = 0, failed;
	DIR *dir = listed < 0 ? NULL : fdopendir(listed);
	struct dirent *entry;

	if (dir)
		rewinddir(dir); /* the descriptor shares its place with the one that it is a copy of */
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, pass->prefix, length) != 0 ||
		    !interface_name_is_valid(entry->d_name + length) || is_named(entry->d_name + length, names, count))
			continue;
		failed = link_restore(pass, entry->d_name + length);
		err = err ?: failed;
	}
	if (dir)
		closedir(dir);
	else if (listed >= 0)
		close(listed);
	return err;
}

int designated_links_follow(struct netlink *nl, const char (*names)[IFNAMSIZ], size_t count, unsigned int *removed)
{
	struct pass pass = { .nl = nl, .removed = removed };
	unsigned long namespace;
	int err, failed;
	size_t i;

	err = instance_namespace(&namespace);
	if (err) {
		log_error("ask for the network namespace: %s", strerror(-err));
		return err;
	}
	snprintf(pass.prefix, sizeof(pass.prefix), "designated.%lu.", namespace);
	pass.directory = instance_directory();
	if (pass.directory < 0)
		return pass.directory;
	err = links_restore(&pass, names, count);
	for (i = 0; i < count; i++) {
		failed = link_prepare(&pass, names[i]);
		err = err ?: failed;
	}
	close(pass.directory);
	return err;
}
