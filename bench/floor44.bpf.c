// SPDX-License-Identifier: GPL-2.0-only
/* The floor for NAT44. */
#define NAT_ADDR_WORDS 1

#include "nat.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <stddef.h>

#include "checksum.bpf.h"

#define floor_ip iphdr

static __always_inline __u8 floor_ip_protocol(const struct iphdr *ip)
{
	return ip->protocol;
}

static __always_inline void floor_ip_checksum(struct iphdr *ip, const struct nat_addr *from, const struct nat_addr *to)
{
	ip->check = checksum_replace(ip->check, from->word[0], to->word[0]);
}

static __always_inline void floor_checksum(struct __sk_buff *skb, __u32 check, enum nat_direction direction,
					   const struct nat_addr *from, const struct nat_addr *to, __u64 flags)
{
	bpf_l4_csum_replace(skb, check, from->word[0], to->word[0], flags | BPF_F_PSEUDO_HDR | 4);
}

#include "floor.bpf.h"
