/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping a masquerade rule off what we translate: the nftables messages that say so. Pure: masquerade.c sends them.
 *
 *	table inet einat-wan {				flags owner: the kernel removes it with the socket that made it
 *		chain translated {
 *			ip daddr EXEMPT return		left alone by us, so left to the masquerade rule
 *			ip saddr INTERNAL snat ip to ip saddr
 *		}
 *		chain postrouting {
 *			type nat hook postrouting priority srcnat - 1
 *			oifname wan meta l4proto udp jump translated
 *		}
 *	}
 *
 * NAT rules are asked for a connection's first packet until one of them decides, and "keep your source" is a decision.
 */
#ifndef NFT_BATCH_H
#define NFT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

enum { NFT_NAME_SIZE = 64 };

/* What one interface translates, of both families. */
struct masquerade_config {
	const char *ifname;
	bool ipv4, ipv6;
	bool protocols[NAT_PROTOCOLS];
	const struct internal_network *internals; /* none: every source */
	size_t internals_count;
	const struct internal_network *exempt_destinations;
	size_t exempt_destinations_count;
};

/* "einat-wan": the interface's own table. What nft cannot read back of a name is written as its hexadecimal code. */
void nft_table_name(const char *ifname, char name[NFT_NAME_SIZE]);

struct nft_batch {
	void *buffer; /* to be freed with free() */
	size_t length;
	uint32_t messages; /* between the batch's begin (sequence 0) and end: sequence 1 to messages */
	uint32_t chain;	   /* sequence of the first that is not for the table: tells what the kernel did not like */
};

/* Makes the table, or makes it anew in the same transaction if it `exists`. Returns 0 or -ENOMEM. */
int nft_batch_build(struct nft_batch *batch, const struct masquerade_config *config, bool exists);

#endif
