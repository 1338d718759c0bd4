// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the firewalls of home routers do, made and taken away again: masquerading, and flow offload. As nft has them:
 *
 *	table inet nat { chain postrouting { type nat hook postrouting priority srcnat; oifname DEVICE masquerade; }; }
 *	table inet offload {
 *		flowtable flows { hook ingress priority filter; devices = { DEVICE }; }
 *		chain forward { type filter hook forward priority filter; flow add @flows; }
 *	}
 *
 *	firewall masquerade|offload DEVICE	firewall -d nat|offload
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_OK, EXIT_NO, EXIT_USAGE, MESSAGE_ROOM = 1024 };

static const char flows[] = "flows";

/* A table's only chain. */
struct chain {
	const char *table, *name, *type;
	uint32_t hook;
	int32_t priority;
};

static const struct chain masquerading = { "nat", "postrouting", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC };
static const struct chain offloading = { "offload", "forward", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER };

/* Several messages that count together or not at all; each in between is answered. */
struct batch {
	_Alignas(struct nlmsghdr) char buffer[8 * MESSAGE_ROOM];
	size_t length;
	uint32_t messages;
};

static struct nlmsghdr *message_start(struct batch *batch, uint16_t type, uint16_t flags, uint8_t family,
				      uint16_t resource)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(batch->buffer + batch->length);
	struct nfgenmsg *header;

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = batch->messages;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->nfgen_family = family;
	header->version = NFNETLINK_V0;
	header->res_id = htons(resource);
	return message;
}

static struct nlmsghdr *object_start(struct batch *batch, int type, uint16_t flags)
{
	batch->messages++;
	return message_start(batch, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), NLM_F_ACK | flags, NFPROTO_INET, 0);
}

static void message_end(struct batch *batch, const struct nlmsghdr *message)
{
	batch->length += MNL_ALIGN(message->nlmsg_len);
}

static void put_number(struct nlmsghdr *message, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(message, type, htonl(value));
}

static void put_chain(struct batch *batch, const struct chain *chain)
{
	struct nlmsghdr *message = object_start(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	struct nlattr *hook;

	mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, chain->table);
	mnl_attr_put_strz(message, NFTA_CHAIN_NAME, chain->name);
	hook = mnl_attr_nest_start(message, NFTA_CHAIN_HOOK);
	put_number(message, NFTA_HOOK_HOOKNUM, chain->hook);
	put_number(message, NFTA_HOOK_PRIORITY, (uint32_t)chain->priority);
	mnl_attr_nest_end(message, hook);
	mnl_attr_put_strz(message, NFTA_CHAIN_TYPE, chain->type);
	message_end(batch, message);
}

static struct nlattr *expression_start(struct nlmsghdr *message, const char *name, struct nlattr **data)
{
	struct nlattr *element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

	mnl_attr_put_strz(message, NFTA_EXPR_NAME, name);
	*data = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
	return element;
}

static void expression_end(struct nlmsghdr *message, struct nlattr *element, struct nlattr *data)
{
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, element);
}

static struct nlmsghdr *rule_start(struct batch *batch, const struct chain *chain, struct nlattr **list)
{
	struct nlmsghdr *message = object_start(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

	mnl_attr_put_strz(message, NFTA_RULE_TABLE, chain->table);
	mnl_attr_put_strz(message, NFTA_RULE_CHAIN, chain->name);
	*list = mnl_attr_nest_start(message, NFTA_RULE_EXPRESSIONS);
	return message;
}

static void put_masquerade(struct batch *batch, const char *device)
{
	struct nlattr *list, *element, *data, *value;
	struct nlmsghdr *message = rule_start(batch, &masquerading, &list);
	char name[IFNAMSIZ] = { 0 };

	snprintf(name, sizeof(name), "%s", device);
	element = expression_start(message, "meta", &data);
	put_number(message, NFTA_META_KEY, NFT_META_OIFNAME);
	put_number(message, NFTA_META_DREG, NFT_REG_1);
	expression_end(message, element, data);
	element = expression_start(message, "cmp", &data);
	put_number(message, NFTA_CMP_SREG, NFT_REG_1);
	put_number(message, NFTA_CMP_OP, NFT_CMP_EQ);
	value = mnl_attr_nest_start(message, NFTA_CMP_DATA);
	mnl_attr_put(message, NFTA_DATA_VALUE, sizeof(name), name);
	mnl_attr_nest_end(message, value);
	expression_end(message, element, data);
	element = expression_start(message, "masq", &data);
	expression_end(message, element, data);
	mnl_attr_nest_end(message, list);
	message_end(batch, message);
}

static void put_flow_table(struct batch *batch, const char *device)
{
	struct nlmsghdr *message = object_start(batch, NFT_MSG_NEWFLOWTABLE, NLM_F_CREATE);
	struct nlattr *hook, *devices;

	mnl_attr_put_strz(message, NFTA_FLOWTABLE_TABLE, offloading.table);
	mnl_attr_put_strz(message, NFTA_FLOWTABLE_NAME, flows);
	hook = mnl_attr_nest_start(message, NFTA_FLOWTABLE_HOOK);
	put_number(message, NFTA_FLOWTABLE_HOOK_NUM, NF_NETDEV_INGRESS);
	put_number(message, NFTA_FLOWTABLE_HOOK_PRIORITY, 0);
	devices = mnl_attr_nest_start(message, NFTA_FLOWTABLE_HOOK_DEVS);
	mnl_attr_put_strz(message, NFTA_DEVICE_NAME, device);
	mnl_attr_nest_end(message, devices);
	mnl_attr_nest_end(message, hook);
	message_end(batch, message);
}

static void put_offload(struct batch *batch)
{
	struct nlattr *list, *element, *data;
	struct nlmsghdr *message = rule_start(batch, &offloading, &list);

	element = expression_start(message, "flow_offload", &data);
	mnl_attr_put_strz(message, NFTA_FLOW_TABLE_NAME, flows);
	expression_end(message, element, data);
	mnl_attr_nest_end(message, list);
	message_end(batch, message);
}

static void put_table(struct batch *batch, const char *name, int type, uint16_t flags)
{
	struct nlmsghdr *message = object_start(batch, type, flags);

	mnl_attr_put_strz(message, NFTA_TABLE_NAME, name);
	message_end(batch, message);
}

static int batch_build(struct batch *batch, const char *what, const char *name)
{
	message_end(batch, message_start(batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
	if (!strcmp(what, "-d")) {
		put_table(batch, name, NFT_MSG_DELTABLE, 0);
	} else if (!strcmp(what, "masquerade")) {
		put_table(batch, masquerading.table, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
		put_chain(batch, &masquerading);
		put_masquerade(batch, name);
	} else if (!strcmp(what, "offload")) {
		put_table(batch, offloading.table, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
		put_chain(batch, &offloading);
		put_flow_table(batch, name);
		put_offload(batch);
	} else {
		return -EINVAL;
	}
	message_end(batch, message_start(batch, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
	return 0;
}

/* 0 or -errno of the first message that was refused. */
static int batch_send(struct mnl_socket *socket, const struct batch *batch)
{
	_Alignas(struct nlmsghdr) char answer[8 * MESSAGE_ROOM];
	uint32_t answers = 0;
	ssize_t size;

	if (mnl_socket_sendto(socket, batch->buffer, batch->length) < 0)
		return -errno;
	while (answers < batch->messages) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)answer;
		const struct nlmsgerr *error;
		int left;

		size = mnl_socket_recvfrom(socket, answer, sizeof(answer));
		if (size < 0)
			return -errno;
		for (left = (int)size; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
			error = mnl_nlmsg_get_payload(message);
			if (message->nlmsg_type == NLMSG_ERROR && error->error)
				return error->error;
			answers++;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct batch batch = { .length = 0 };
	struct mnl_socket *socket;
	int err;

	if (argc != 3 || batch_build(&batch, argv[1], argv[2])) {
		fprintf(stderr, "usage: firewall masquerade|offload DEVICE | -d TABLE\n");
		return EXIT_USAGE;
	}
	socket = mnl_socket_open(NETLINK_NETFILTER);
	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		err = -errno;
	else
		err = batch_send(socket, &batch);
	if (!err)
		return EXIT_OK;
	fprintf(stderr, "firewall: %s\n", strerror(-err));
	return EXIT_NO;
}
