/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a machine's nftables rules matters to a NAT: source NAT, flow offload, MSS clamps. Read from the messages of a dump,
 * judged for one interface. Pure. Rules that iptables-nft made are among them.
 */
#ifndef NFT_RULES_H
#define NFT_RULES_H

#include <libmnl/libmnl.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NFT_RULES_NAME = 64 };

struct nft_place {
	uint8_t family; /* NFPROTO_* */
	char table[NFT_RULES_NAME], name[NFT_RULES_NAME];
};

struct nft_chain {
	struct nft_place place;
	bool is_base;
	bool is_source_nat; /* type nat, hook postrouting */
	bool is_jumped_to;  /* a rule names it */
	bool is_reached;    /* packets that leave by the interface come here for source NAT */
};

enum nft_action { NFT_ACTION_OTHER, NFT_ACTION_SOURCE_NAT, NFT_ACTION_JUMP, NFT_ACTION_OFFLOAD, NFT_ACTION_CLAMP };

struct nft_rule {
	struct nft_place chain;
	uint64_t handle;
	enum nft_action action;
	char target[NFT_RULES_NAME];  /* chain or flow table */
	uint8_t only_family;	      /* NFPROTO_IPV4, NFPROTO_IPV6; 0: both */
	bool is_elsewhere;	      /* not for packets that leave by the interface */
	bool is_narrow;		      /* for some of them: it asks for more than the interface and the family */
	bool is_in_the_way;	      /* source NAT for what leaves by the interface */
	bool is_offload, is_hardware; /* of the interface's flows */
};

struct nft_flowtable {
	struct nft_place place;
	bool has_interface, is_hardware;
};

struct nft_ruleset {
	char ifname[IFNAMSIZ]; /* the interface that it is judged for */
	uint32_t ifindex;
	struct nft_chain *chains;
	size_t chains_count;
	struct nft_rule *rules;
	size_t rules_count;
	struct nft_flowtable *flowtables;
	size_t flowtables_count;
	bool has_clamp; /* some rule sets the MSS */
};

/* A callback for mnl_cb_run() with the ruleset for data: takes what the dumps of chains, rules and flow tables hold. */
int nft_ruleset_read(const struct nlmsghdr *message, void *ruleset);

/* When all is read: which rules matter. */
void nft_ruleset_judge(struct nft_ruleset *ruleset);

void nft_ruleset_free(struct nft_ruleset *ruleset);

#endif
