// SPDX-License-Identifier: GPL-2.0-or-later
/* See nft_batch.h. Attributes are in network byte order; what a register holds is as it is in the packet. */
#include "nft_batch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MESSAGE_SIZE = 1024, /* more than any of ours needs */
	PRIORITY = NF_IP_PRI_NAT_SRC - 1,
};

static const char chain_base[] = "postrouting", chain_translated[] = "translated";

struct builder {
	struct nft_batch *batch;
	char table[NFT_NAME_SIZE];
	struct nlmsghdr *message; /* the one that is being written */
	struct nlattr *list, *element, *data;
};

void nft_table_name(const char *ifname, char name[NFT_NAME_SIZE])
{
	int used = snprintf(name, NFT_NAME_SIZE, "einat-");

	for (; *ifname && used < NFT_NAME_SIZE - 4; ifname++) {
		bool plain = (*ifname >= 'a' && *ifname <= 'z') || (*ifname >= 'A' && *ifname <= 'Z') ||
			     (*ifname >= '0' && *ifname <= '9') || strchr("-./", *ifname);

		used += snprintf(name + used, (size_t)(NFT_NAME_SIZE - used), plain ? "%c" : "_%02x",
				 (unsigned char)*ifname);
	}
}

static void message_begin(struct builder *b, uint16_t type, uint16_t flags, uint8_t family, uint16_t resource,
			  uint32_t sequence)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header((char *)b->batch->buffer + b->batch->length);
	struct nfgenmsg *header;

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = sequence;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->nfgen_family = family;
	header->version = NFNETLINK_V0;
	header->res_id = htons(resource);
	b->message = message;
}

static void message_end(struct builder *b)
{
	b->batch->length += MNL_ALIGN(b->message->nlmsg_len);
}

static void object_begin(struct builder *b, int type, uint16_t flags)
{
	message_begin(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), NLM_F_ACK | flags, NFPROTO_INET, 0,
		      ++b->batch->messages);
}

static void expression_begin(struct builder *b, const char *name)
{
	b->element = mnl_attr_nest_start(b->message, NFTA_LIST_ELEM);
	mnl_attr_put_strz(b->message, NFTA_EXPR_NAME, name);
	b->data = mnl_attr_nest_start(b->message, NFTA_EXPR_DATA);
}

static void expression_end(struct builder *b)
{
	mnl_attr_nest_end(b->message, b->data);
	mnl_attr_nest_end(b->message, b->element);
}

static void put_number(struct builder *b, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(b->message, type, htonl(value));
}

static void put_value(struct builder *b, uint16_t type, const void *value, size_t length)
{
	struct nlattr *nest = mnl_attr_nest_start(b->message, type);

	mnl_attr_put(b->message, NFTA_DATA_VALUE, length, value);
	mnl_attr_nest_end(b->message, nest);
}

static void compare(struct builder *b, const void *value, size_t length)
{
	expression_begin(b, "cmp");
	put_number(b, NFTA_CMP_SREG, NFT_REG_1);
	put_number(b, NFTA_CMP_OP, NFT_CMP_EQ);
	put_value(b, NFTA_CMP_DATA, value, length);
	expression_end(b);
}

static void match_meta(struct builder *b, uint32_t key, const void *value, size_t length)
{
	expression_begin(b, "meta");
	put_number(b, NFTA_META_KEY, key);
	put_number(b, NFTA_META_DREG, NFT_REG_1);
	expression_end(b);
	compare(b, value, length);
}

static void load_address(struct builder *b, bool is_ipv6, bool is_source)
{
	expression_begin(b, "payload");
	put_number(b, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_number(b, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_number(b, NFTA_PAYLOAD_OFFSET, is_ipv6 ? (is_source ? 8 : 24) : (is_source ? 12 : 16));
	put_number(b, NFTA_PAYLOAD_LEN, is_ipv6 ? 16 : 4);
	expression_end(b);
}

static void match_prefix(struct builder *b, bool is_ipv6, bool is_source, const struct ip_prefix *prefix)
{
	const unsigned int length = is_ipv6 ? 16 : 4;
	uint8_t mask[16] = { 0 }, none[16] = { 0 }, address[16];
	unsigned int i;

	if (!prefix->length)
		return;
	memcpy(address, prefix->addr, sizeof(address));
	for (i = 0; i < prefix->length; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
	for (i = 0; i < sizeof(mask); i++)
		address[i] &= mask[i];
	load_address(b, is_ipv6, is_source);
	expression_begin(b, "bitwise");
	put_number(b, NFTA_BITWISE_SREG, NFT_REG_1);
	put_number(b, NFTA_BITWISE_DREG, NFT_REG_1);
	put_number(b, NFTA_BITWISE_LEN, length);
	put_value(b, NFTA_BITWISE_MASK, mask, length);
	put_value(b, NFTA_BITWISE_XOR, none, length);
	expression_end(b);
	compare(b, address, length);
}

static void verdict(struct builder *b, int code, const char *chain)
{
	struct nlattr *data, *nest;

	expression_begin(b, "immediate");
	put_number(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = mnl_attr_nest_start(b->message, NFTA_IMMEDIATE_DATA);
	nest = mnl_attr_nest_start(b->message, NFTA_DATA_VERDICT);
	put_number(b, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		mnl_attr_put_strz(b->message, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(b->message, nest);
	mnl_attr_nest_end(b->message, data);
	expression_end(b);
}

/* snat to the source that it has. */
static void keep_source(struct builder *b, bool is_ipv6)
{
	load_address(b, is_ipv6, true);
	expression_begin(b, "nat");
	put_number(b, NFTA_NAT_TYPE, NFT_NAT_SNAT);
	put_number(b, NFTA_NAT_FAMILY, is_ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
	put_number(b, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
	expression_end(b);
}

static void put_table(struct builder *b, bool exists)
{
	if (exists) {
		object_begin(b, NFT_MSG_DELTABLE, 0);
		mnl_attr_put_strz(b->message, NFTA_TABLE_NAME, b->table);
		message_end(b);
	}
	object_begin(b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL);
	mnl_attr_put_strz(b->message, NFTA_TABLE_NAME, b->table);
	put_number(b, NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
	message_end(b);
}

static void put_chains(struct builder *b)
{
	struct nlattr *hook;

	b->batch->chain = b->batch->messages + 1;
	object_begin(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	mnl_attr_put_strz(b->message, NFTA_CHAIN_TABLE, b->table);
	mnl_attr_put_strz(b->message, NFTA_CHAIN_NAME, chain_translated);
	message_end(b);
	object_begin(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	mnl_attr_put_strz(b->message, NFTA_CHAIN_TABLE, b->table);
	mnl_attr_put_strz(b->message, NFTA_CHAIN_NAME, chain_base);
	hook = mnl_attr_nest_start(b->message, NFTA_CHAIN_HOOK);
	put_number(b, NFTA_HOOK_HOOKNUM, NF_INET_POST_ROUTING);
	put_number(b, NFTA_HOOK_PRIORITY, PRIORITY);
	mnl_attr_nest_end(b->message, hook);
	put_number(b, NFTA_CHAIN_POLICY, NF_ACCEPT);
	mnl_attr_put_strz(b->message, NFTA_CHAIN_TYPE, "nat");
	message_end(b);
}

static void rule_begin(struct builder *b, const char *chain)
{
	object_begin(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	mnl_attr_put_strz(b->message, NFTA_RULE_TABLE, b->table);
	mnl_attr_put_strz(b->message, NFTA_RULE_CHAIN, chain);
	b->list = mnl_attr_nest_start(b->message, NFTA_RULE_EXPRESSIONS);
}

static void rule_end(struct builder *b)
{
	mnl_attr_nest_end(b->message, b->list);
	message_end(b);
}

static void put_exempt(struct builder *b, const struct internal_network *network)
{
	const bool is_ipv6 = network->family == AF_INET6;
	const uint8_t family = is_ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4;

	rule_begin(b, chain_translated);
	match_meta(b, NFT_META_NFPROTO, &family, sizeof(family));
	match_prefix(b, is_ipv6, false, &network->prefix);
	verdict(b, NFT_RETURN, NULL);
	rule_end(b);
}

static void put_internal(struct builder *b, const struct internal_network *network)
{
	const bool is_ipv6 = network->family == AF_INET6;
	const uint8_t family = is_ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4;

	rule_begin(b, chain_translated);
	match_meta(b, NFT_META_NFPROTO, &family, sizeof(family));
	match_prefix(b, is_ipv6, true, &network->prefix);
	keep_source(b, is_ipv6);
	rule_end(b);
}

static void put_rules(struct builder *b, const struct masquerade_config *config)
{
	static const struct internal_network every[2] = { { .family = AF_INET }, { .family = AF_INET6 } };
	const struct internal_network *internals = config->internals_count ? config->internals : every;
	size_t i, count = config->internals_count ? config->internals_count : 2;

	for (i = 0; i < config->exempt_destinations_count; i++)
		put_exempt(b, &config->exempt_destinations[i]);
	for (i = 0; i < count; i++)
		if (internals[i].family == AF_INET6 ? config->ipv6 : config->ipv4)
			put_internal(b, &internals[i]);
}

/* The protocol's number in the IP header of either family. */
static uint8_t protocol_number(enum nat_protocol protocol, bool is_ipv6)
{
	static const uint8_t numbers[NAT_PROTOCOLS] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP };

	return protocol == NAT_ICMP && is_ipv6 ? IPPROTO_ICMPV6 : numbers[protocol];
}

static void put_jump(struct builder *b, const struct masquerade_config *config, uint8_t number)
{
	char name[IFNAMSIZ] = { 0 };

	snprintf(name, sizeof(name), "%s", config->ifname);
	rule_begin(b, chain_base);
	match_meta(b, NFT_META_OIFNAME, name, sizeof(name));
	match_meta(b, NFT_META_L4PROTO, &number, sizeof(number));
	verdict(b, NFT_JUMP, chain_translated);
	rule_end(b);
}

static void put_jumps(struct builder *b, const struct masquerade_config *config)
{
	enum nat_protocol protocol;

	for (protocol = 0; protocol < NAT_PROTOCOLS; protocol++) {
		if (!config->protocols[protocol])
			continue;
		if (config->ipv4 || protocol != NAT_ICMP)
			put_jump(b, config, protocol_number(protocol, false));
		if (config->ipv6 && protocol == NAT_ICMP)
			put_jump(b, config, protocol_number(protocol, true));
	}
}

int nft_batch_build(struct nft_batch *batch, const struct masquerade_config *config, bool exists)
{
	struct builder b = { .batch = batch };
	size_t messages = 2 + 4 + NAT_PROTOCOLS + 1 + 2; /* begin and end, table and chains, jumps, every source */

	memset(batch, 0, sizeof(*batch));
	messages += config->internals_count + config->exempt_destinations_count;
	batch->buffer = calloc(messages, MESSAGE_SIZE);
	if (!batch->buffer)
		return -ENOMEM;
	nft_table_name(config->ifname, b.table);
	message_begin(&b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, 0);
	message_end(&b);
	put_table(&b, exists);
	put_chains(&b);
	put_rules(&b, config);
	put_jumps(&b, config);
	message_begin(&b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, batch->messages + 1);
	message_end(&b);
	return 0;
}
