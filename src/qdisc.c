// SPDX-License-Identifier: GPL-2.0-or-later
/* See qdisc.h. */
#include "qdisc.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

struct filter_list {
	bool is_egress;
	void (*visit)(const struct qdisc_filter *filter, void *arg);
	void *arg;
};

static const struct nlattr *attribute_find(const struct nlmsghdr *message, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(struct tcmsg))
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

static const char *bpf_name(const struct nlmsghdr *message)
{
	const struct nlattr *kind = attribute_find(message, TCA_KIND), *options = attribute_find(message, TCA_OPTIONS);
	const struct nlattr *attr;

	if (!kind || !options || strcmp(mnl_attr_get_str(kind), "bpf"))
		return "";
	mnl_attr_for_each_nested(attr, options)
		if (mnl_attr_get_type(attr) == TCA_BPF_NAME)
			return mnl_attr_get_str(attr);
	return "";
}

static int filter_received(const struct nlmsghdr *message, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	const struct filter_list *list = arg;
	struct qdisc_filter filter = {
		.is_egress = list->is_egress,
		.handle = tc->tcm_handle,
		.priority = TC_H_MAJ(tc->tcm_info) >> 16,
	};

	/* Each chain and priority has a head without a handle: only filters themselves count. */
	if (message->nlmsg_type != RTM_NEWTFILTER || !tc->tcm_handle)
		return MNL_CB_OK;
	filter.bpf_name = bpf_name(message);
	list->visit(&filter, list->arg);
	return MNL_CB_OK;
}

struct qdisc_search {
	int ifindex;
	int found;
};

static int find_ingress(const struct nlmsghdr *message, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	struct qdisc_search *search = arg;
	const struct nlattr *attr;

	if (message->nlmsg_type != RTM_NEWQDISC || tc->tcm_ifindex != search->ifindex || tc->tcm_parent != TC_H_INGRESS)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, message, sizeof(*tc))
		if (mnl_attr_get_type(attr) == TCA_KIND && !strcmp(mnl_attr_get_str(attr), "ingress"))
			search->found = 1;
	return MNL_CB_OK;
}

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
	struct qdisc_search search = { .ifindex = ifindex };
	int err;

	if (!socket)
		return -errno;
	err = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) ? -errno : 0;
	err = err ? err : dump(socket, RTM_GETQDISC, ifindex, 0, find_ingress, &search);
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
		      ?: dump(socket, RTM_GETTFILTER, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
			      filter_received, &ingress);
	err = err
		      ?: dump(socket, RTM_GETTFILTER, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS), filter_received,
			      &egress);
	mnl_socket_close(socket);
	return err;
}
