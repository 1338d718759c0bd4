// SPDX-License-Identifier: GPL-2.0-or-later
/* Netlink through libmnl: one socket asks, one listens, so that an answer is never taken for an event. */
#include "netlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "log.h"
#include "netlink_read.h"

enum {
	DUMP_TRIES = 10,     /* a dump that is disturbed that often is taken as it is */
	EVENT_READS = 10000, /* per call: then the other descriptors have their turn */
};

struct netlink {
	struct mnl_socket *requests;
	struct mnl_socket *events;
	unsigned int sequence;
	char why[128]; /* the kernel's words about the last failure */
};

/* What the callbacks of one request share. */
struct exchange {
	struct netlink *nl;
	mnl_cb_t cb;
	void *data;
};

static int socket_open(struct mnl_socket **sock, int flags)
{
	struct timeval limit = { .tv_sec = 10 }; /* the kernel answers at once; should it not, fail rather than hang */
	int one = 1;

	*sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | flags);
	if (!*sock || mnl_socket_bind(*sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	/* All four make answers shorter or clearer, and none is needed for a right one. */
	mnl_socket_setsockopt(*sock, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	mnl_socket_setsockopt(*sock, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(*sock, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(mnl_socket_get_fd(*sock), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return 0;
}

int netlink_open(struct netlink **out)
{
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_RULE,
				      RTNLGRP_IPV6_RULE };
	struct netlink *nl;
	size_t i;
	int err;

	nl = calloc(1, sizeof(*nl));
	if (!nl)
		return -ENOMEM;
	err = socket_open(&nl->requests, 0);
	err = err ?: socket_open(&nl->events, SOCK_NONBLOCK);
	for (i = 0; i < sizeof(groups) / sizeof(*groups) && !err; i++)
		if (mnl_socket_setsockopt(nl->events, NETLINK_ADD_MEMBERSHIP, (void *)&groups[i], sizeof(int)) < 0)
			err = -errno;
	if (err) {
		log_error("open netlink: %s", strerror(-err));
		netlink_close(nl);
		return err;
	}
	*out = nl;
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (!nl)
		return;
	if (nl->requests)
		mnl_socket_close(nl->requests);
	if (nl->events)
		mnl_socket_close(nl->events);
	free(nl);
}

int netlink_event_fd(const struct netlink *nl)
{
	return mnl_socket_get_fd(nl->events);
}

const char *netlink_why(const struct netlink *nl, int err)
{
	return nl->why[0] ? nl->why : strerror(-err);
}

static int exchange_answer(const struct nlmsghdr *message, void *data)
{
	struct exchange *exchange = data;

	return exchange->cb ? exchange->cb(message, exchange->data) : MNL_CB_OK;
}

static int exchange_error(const struct nlmsghdr *message, void *data)
{
	const struct exchange *exchange = data;

	return error_read(message, exchange->nl->why, sizeof(exchange->nl->why));
}

static int exchange_done(const struct nlmsghdr *message, void *data)
{
	(void)data;
	return done_read(message);
}

/* The kernel refuses the next dump as long as one has not been read to its end. */
static bool exchange_has_ended(const void *buffer, ssize_t length, unsigned int sequence)
{
	const struct nlmsghdr *message = buffer;
	int left = (int)length;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		if (message->nlmsg_seq == sequence &&
		    (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR))
			return true;
	return false;
}

int netlink_request(struct netlink *nl, struct nlmsghdr *request, mnl_cb_t cb, void *data)
{
	static mnl_cb_t control[] = { [NLMSG_ERROR] = exchange_error, [NLMSG_DONE] = exchange_done };
	struct exchange exchange = { nl, cb, data };
	int run = MNL_CB_OK, err = 0;
	char buffer[NETLINK_BUFFER];
	ssize_t length;

	nl->why[0] = '\0';
	if ((request->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP) /* two bits, each with another meaning of its own */
		request->nlmsg_flags |= NLM_F_ACK;
	request->nlmsg_flags |= NLM_F_REQUEST;
	request->nlmsg_seq = ++nl->sequence;
	if (mnl_socket_sendto(nl->requests, request, request->nlmsg_len) < 0)
		return -errno;
	do {
		length = mnl_socket_recvfrom(nl->requests, buffer, sizeof(buffer));
		if (length < 0)
			return -errno;
		if (length < (ssize_t)sizeof(struct nlmsghdr))
			continue;
		if (err || ((struct nlmsghdr *)(void *)buffer)->nlmsg_seq != nl->sequence)
			continue; /* the rest of a dump that failed, or an answer that came too late */
		run = mnl_cb_run2(buffer, (size_t)length, nl->sequence, mnl_socket_get_portid(nl->requests),
				  exchange_answer, &exchange, control, sizeof(control) / sizeof(*control));
		if (run < 0)
			err = -errno;
	} while (err ? !exchange_has_ended(buffer, length, nl->sequence) : run > MNL_CB_STOP);
	return err;
}

int netlink_get_link(struct netlink *nl, const char *name, int ifindex, struct link *link)
{
	char buffer[256];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;
	int err;

	request->nlmsg_type = RTM_GETLINK;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	if (name[0])
		mnl_attr_put_strz(request, IFLA_IFNAME, name);
	else
		info->ifi_index = ifindex;
	err = netlink_request(nl, request, link_read, link);
	if (err && err != -ENODEV)
		log_error("%s: look up the interface: %s", name, netlink_why(nl, err));
	return err;
}

int netlink_get_altnames(struct netlink *nl, struct altname_search *list)
{
	int err = -EINTR, tries;
	struct nlmsghdr *request;
	char buffer[256];

	for (tries = 0; err == -EINTR && tries < DUMP_TRIES; tries++) {
		list->count = 0;
		request = mnl_nlmsg_put_header(buffer);
		request->nlmsg_type = RTM_GETLINK;
		request->nlmsg_flags = NLM_F_DUMP;
		mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
		err = netlink_request(nl, request, altname_read, list);
	}
	return err;
}

int netlink_get_addresses(struct netlink *nl, int family, int ifindex, struct interface_addresses *list)
{
	struct address_search search = { list, ifindex };
	int err = -EINTR, tries;
	struct nlmsghdr *request;
	struct ifaddrmsg *info;
	char buffer[256];

	for (tries = 0; err == -EINTR && tries < DUMP_TRIES; tries++) {
		list->count = 0;
		request = mnl_nlmsg_put_header(buffer);
		request->nlmsg_type = RTM_GETADDR;
		request->nlmsg_flags = NLM_F_DUMP;
		info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
		info->ifa_family = (unsigned char)family;
		info->ifa_index = (unsigned int)ifindex;
		err = netlink_request(nl, request, address_read, &search);
	}
	if (!err)
		return 0;
	free(list->addresses);
	*list = (struct interface_addresses){ NULL, 0 };
	if (err != -ENODEV) /* gone between two questions */
		log_error("read the addresses of interface %d: %s", ifindex, netlink_why(nl, err));
	return err;
}

unsigned int netlink_read_events(struct netlink *nl, bool (*is_ours)(int ifindex, const char *name, void *arg),
				 void *arg)
{
	struct event_reader reader = { is_ours, arg, 0 };
	char buffer[NETLINK_BUFFER];
	ssize_t length;
	int reads;

	for (reads = 0; reads < EVENT_READS; reads++) {
		length = mnl_socket_recvfrom(nl->events, buffer, sizeof(buffer));
		if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		/* ENOBUFS: events were lost; ENOSPC: one did not fit. Whatever it was, ask for everything again. */
		if (length < 0 || mnl_cb_run(buffer, (size_t)length, 0, 0, event_read, &reader) < 0)
			reader.changes |= NETLINK_LINKS_CHANGED | NETLINK_RULES_CHANGED;
	}
	return reader.changes;
}
