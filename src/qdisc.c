// SPDX-License-Identifier: GPL-2.0-or-later
/* See qdisc.h. */
#include "qdisc.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

static int count_filter(const struct nlmsghdr *message, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	int *count = arg;

	/* Each chain and priority has a head without a handle: only filters themselves count. */
	if (message->nlmsg_type == RTM_NEWTFILTER && tc->tcm_handle)
		(*count)++;
	return MNL_CB_OK;
}

static int dump_filters(struct mnl_socket *socket, int ifindex, __u32 parent, int *count)
{
	char buffer[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct tcmsg *tc;
	int got = 1;

	request->nlmsg_type = RTM_GETTFILTER;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = parent;
	tc = mnl_nlmsg_put_extra_header(request, sizeof(*tc));
	tc->tcm_family = AF_UNSPEC;
	tc->tcm_ifindex = ifindex;
	tc->tcm_parent = parent;
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	while (got > 0) {
		ssize_t size = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		if (size < 0)
			return -errno;
		got = mnl_cb_run(buffer, size, parent, mnl_socket_get_portid(socket), count_filter, count);
	}
	return got < 0 ? -errno : 0;
}

int qdisc_count_filters(int ifindex)
{
	struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
	int count = 0, err;

	if (!socket)
		return -errno;
	err = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) ? -errno : 0;
	err = err ? err : dump_filters(socket, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), &count);
	err = err ? err : dump_filters(socket, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS), &count);
	mnl_socket_close(socket);
	return err ? err : count;
}
