/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's messages on links and addresses say. Pure: netlink.c receives them. The functions are called as
 * mnl_cb_run() does it, and believe nothing: a message that is too short for its kind is an error (EBADMSG), an attribute
 * of another length than it should have is passed over.
 */
#ifndef NETLINK_READ_H
#define NETLINK_READ_H

#include "netlink.h"

struct address_search {
	struct interface_addresses *list;
	int ifindex;
};

/* net.ipv4.conf of a link: values[IPV4_DEVCONF_... - 1]. */
enum { LINK_SETTINGS_MAX = 64 };

struct link_settings {
	uint32_t values[LINK_SETTINGS_MAX];
	size_t count;
};

/* Other names of links, those that begin with `prefix`. */
enum { ALTNAME_SIZE = 128 }; /* ALTIFNAMSIZ of linux/if.h, which is no friend of net/if.h */

struct altname {
	int ifindex;
	char name[ALTNAME_SIZE];
};

struct altname_search {
	const char *prefix;
	struct altname *found; /* to be freed with free() */
	size_t count;
};

struct event_reader {
	bool (*is_ours)(int ifindex, const char *name, void *arg);
	void *arg;
	unsigned int changes; /* NETLINK_*_CHANGED */
};

/* What follows the message's own header, of `size` bytes; NULL, with errno, if it has not that much. */
const void *message_body(const struct nlmsghdr *message, size_t size);

/* data: struct link */
int link_read(const struct nlmsghdr *message, void *data);
/* data: struct link_settings; count 0: the link has none */
int settings_read(const struct nlmsghdr *message, void *data);
/* data: struct altname_search; those that this link has, or ENOMEM */
int altname_read(const struct nlmsghdr *message, void *data);
/* data: struct address_search; one address more in its list, or ENOMEM */
int address_read(const struct nlmsghdr *message, void *data);
/* data: struct event_reader */
int event_read(const struct nlmsghdr *message, void *data);

/* NLMSG_ERROR: MNL_CB_STOP is an acknowledgement. `why` is left alone if the kernel has no words for it. */
int error_read(const struct nlmsghdr *message, char *why, size_t size);
/* NLMSG_DONE: the end of a dump carries an error too, of a table that does not exist, say. */
int done_read(const struct nlmsghdr *message);

#endif
