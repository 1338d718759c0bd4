// SPDX-License-Identifier: GPL-2.0-or-later
/* See facts_firewall.h. */
#include "facts_firewall.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { DUMP_BUFFER = 65536 };

/* One kind of object of every table. A failure leaves out what was not read: an older kernel has no flow tables. */
static void dump(struct mnl_socket *sock, int type, uint32_t sequence, struct nft_ruleset *ruleset)
{
	char *buffer = malloc(DUMP_BUFFER);
	struct nlmsghdr *request;
	struct nfgenmsg *header;
	ssize_t length;

	if (!buffer)
		return;
	request = mnl_nlmsg_put_header(buffer);
	request->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = sequence;
	header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	header->nfgen_family = NFPROTO_UNSPEC;
	if (mnl_socket_sendto(sock, request, request->nlmsg_len) >= 0)
		do
			length = mnl_socket_recvfrom(sock, buffer, DUMP_BUFFER);
		while (length > 0 &&
		       mnl_cb_run(buffer, (size_t)length, sequence, 0, nft_ruleset_read, ruleset) > MNL_CB_STOP);
	free(buffer);
}

static void nftables_read(struct nft_ruleset *ruleset)
{
	static const int types[] = { NFT_MSG_GETCHAIN, NFT_MSG_GETRULE, NFT_MSG_GETFLOWTABLE };
	struct timeval limit = { .tv_sec = 10 };
	struct mnl_socket *sock;
	uint32_t i;

	for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
		/* One for each: what an interrupted dump has left does not come between. */
		sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
		if (!sock)
			return;
		setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		if (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) >= 0)
			dump(sock, types[i], i + 1, ruleset);
		mnl_socket_close(sock);
	}
	nft_ruleset_judge(ruleset);
}

static bool is_source_nat(const struct ipt_entry *entry, size_t room)
{
	const struct xt_entry_target *target;

	if (entry->target_offset + sizeof(*target) > room)
		return false;
	target = (const void *)((const char *)entry + entry->target_offset);
	return !strncmp(target->u.user.name, "MASQUERADE", sizeof(target->u.user.name)) ||
	       !strncmp(target->u.user.name, "SNAT", sizeof(target->u.user.name));
}

/* Does the rule's -o fit the interface? The mask covers as much of the name as counts. */
static bool is_for_interface(const struct ipt_ip *ip, const char *ifname)
{
	char name[IFNAMSIZ] = { 0 };
	bool is_same = true;
	size_t i;

	snprintf(name, sizeof(name), "%s", ifname);
	for (i = 0; i < IFNAMSIZ; i++)
		is_same = is_same && !((name[i] ^ ip->outiface[i]) & ip->outiface_mask[i]);
	return is_same == !(ip->invflags & IPT_INV_VIA_OUT);
}

/* The rules of POSTROUTING, from its first to the one that is its policy. Chains that it jumps to are not followed. */
static void legacy_walk(struct facts *facts, const struct ipt_getinfo *info, const struct ipt_get_entries *entries)
{
	const unsigned int end = info->underflow[NF_INET_POST_ROUTING];
	unsigned int at = info->hook_entry[NF_INET_POST_ROUTING], number = 1;

	for (; at < end && end < entries->size; number++) {
		const struct ipt_entry *entry = (const void *)((const char *)entries->entrytable + at);
		struct legacy_rule *rule = &facts->legacy[facts->legacy_count];

		if (entry->next_offset < sizeof(*entry) || entry->next_offset > entries->size - at)
			return;
		if (is_source_nat(entry, entry->next_offset) && is_for_interface(&entry->ip, facts->config->name) &&
		    facts->legacy_count < FACTS_RULES) {
			rule->number = number;
			rule->is_narrow = entry->ip.smsk.s_addr || entry->ip.dmsk.s_addr || entry->ip.proto ||
					  entry->target_offset > sizeof(*entry);
			facts->legacy_count++;
		}
		at += entry->next_offset;
	}
}

/* Asks only where the table is in use: the question would load the module. */
static bool has_legacy_nat(void)
{
	FILE *file = fopen("/proc/net/ip_tables_names", "re");
	char line[64];
	bool has = false;

	while (file && fgets(line, sizeof(line), file))
		has = has || !strcmp(line, "nat\n");
	if (file)
		fclose(file);
	return has;
}

static void legacy_read(struct facts *facts)
{
	struct ipt_getinfo info = { .name = "nat" };
	struct ipt_get_entries *entries = NULL;
	socklen_t length = sizeof(info);
	int fd;

	if (!has_legacy_nat())
		return;
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0)
		return;
	if (!getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &length)) {
		length = (socklen_t)(sizeof(*entries) + info.size);
		entries = calloc(1, length);
		if (entries) {
			memcpy(entries->name, info.name, sizeof(entries->name));
			entries->size = info.size;
			if (!getsockopt(fd, IPPROTO_IP, IPT_SO_GET_ENTRIES, entries, &length))
				legacy_walk(facts, &info, entries);
		}
		free(entries);
	}
	close(fd);
}

void facts_read_firewall(struct facts *facts, int ifindex)
{
	snprintf(facts->firewall.ifname, sizeof(facts->firewall.ifname), "%s", facts->config->name);
	facts->firewall.ifindex = (uint32_t)ifindex;
	nftables_read(&facts->firewall);
	legacy_read(facts);
}
