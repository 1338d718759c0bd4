// SPDX-License-Identifier: GPL-2.0-only
/* The floor for NAT66. */
#define NAT_ADDR_WORDS 4

#include "nat.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/in.h>
#include <linux/ipv6.h>
#include <stddef.h>

#define floor_ip ipv6hdr

static __always_inline __u8 floor_ip_protocol(const struct ipv6hdr *ip)
{
	return ip->nexthdr;
}

/* The header has none. */
static __always_inline void floor_ip_checksum(struct ipv6hdr *ip, const struct nat_addr *from,
					      const struct nat_addr *to)
{
}

/* Inwards the helper takes the difference out of a complete sum, which is wrong for IPv6: no NAT can but put it back. */
static __always_inline void floor_checksum(struct __sk_buff *skb, __u32 check, enum nat_direction direction,
					   const struct nat_addr *from, const struct nat_addr *to, __u64 flags)
{
	__s64 difference = bpf_csum_diff((__be32 *)from->word, sizeof(*from), (__be32 *)to->word, sizeof(*to), 0);

	bpf_l4_csum_replace(skb, check, 0, difference, flags | BPF_F_PSEUDO_HDR);
	if (direction == NAT_INGRESS)
		bpf_csum_update(skb, difference);
}

#include "floor.bpf.h"
