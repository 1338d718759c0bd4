// SPDX-License-Identifier: GPL-2.0-or-later
/* See qdisc.h. */
#include "qdisc.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "qdisc_read.h"

/* Asks for all of a kind of traffic control object, and calls handle() for each. 0 or -errno. */
static int dump(struct mnl_socket *socket, int type, int ifindex, __u32 parent, mnl_cb_t handle, void *arg)
{
	char buffer[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct tcmsg *tc;
	int got = 1;

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = parent + 1;
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
		got = mnl_cb_run(buffer, size, parent + 1, mnl_socket_get_portid(socket), handle, arg);
	}
	return got < 0 ? -errno : 0;
}

int qdisc_is_ingress_only(int ifindex)
{
	struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
	struct ingress_search search = { .ifindex = ifindex };
	int err;

	if (!socket)
		return -errno;
	err = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) ? -errno : 0;
	err = err ? err : dump(socket, RTM_GETQDISC, ifindex, 0, ingress_read, &search);
	mnl_socket_close(socket);
	return err ? err : search.found;
}

int qdisc_list_filters(int ifindex, void (*visit)(const struct qdisc_filter *filter, void *arg), void *arg)
{
	struct filter_list ingress = { .visit = visit, .arg = arg };
	struct filter_list egress = { .is_egress = true, .visit = visit, .arg = arg };
	struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
	int err;

	if (!socket)
		return -errno;
	err = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) ? -errno : 0;
	err = err
		      ?: dump(socket, RTM_GETTFILTER, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), filter_read,
			      &ingress);
	err = err
		      ?: dump(socket, RTM_GETTFILTER, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS), filter_read,
			      &egress);
	mnl_socket_close(socket);
	return err;
}
