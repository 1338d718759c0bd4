/* SPDX-License-Identifier: GPL-2.0-only */
/* What is particular to errors of ICMP for IPv6. Included in the midst of icmp.bpf.h, as icmpv4.bpf.h is. */
#ifndef ICMPV6_BPF_H
#define ICMPV6_BPF_H

/* Finds the local endpoint of the embedded packet. WHY_NONE, or what to do with an error whose packet is none of ours. */
static __always_inline enum nat_reason embedded_parse(struct __sk_buff *skb, const struct packet *pkt,
						      struct embedded *inner)
{
	struct ipv6_walk walk = {};
	struct ipv6hdr ip;

	inner->ip = pkt->transport_offset + ICMP_EMBEDDED;
	if (bpf_skb_load_bytes(skb, inner->ip, &ip, sizeof(ip)) || ip.version != 6)
		return WHY_MALFORMED;
	__builtin_memcpy(&inner->local_addr, inner->local_is_source ? &ip.saddr : &ip.daddr, sizeof(inner->local_addr));
	walk.next = ip.nexthdr;
	walk.offset = inner->ip + sizeof(ip);
	if (!ipv6_skip_extensions(skb, &walk))
		return WHY_MALFORMED;
	if (walk.fragment & IPV6_FRAGMENT_OFFSET)
		return WHY_FRAGMENT_UNKNOWN; /* no ports quoted */
	inner->transport = walk.offset;
	return embedded_parse_transport(skb, pkt, inner, walk.next);
}

static __always_inline int embedded_load_destination(struct __sk_buff *skb, const struct embedded *inner,
						     struct nat_addr *addr)
{
	return bpf_skb_load_bytes(skb, inner->ip + __builtin_offsetof(struct ipv6hdr, daddr), addr, sizeof(*addr));
}

static __always_inline bool embedded_covers_addr(__u8 protocol)
{
	return true;
}

/* The embedded IP header's address: it has no checksum of its own. */
static __always_inline int embedded_write_addr(struct __sk_buff *skb, const struct packet *pkt,
					       const struct embedded *inner, const struct nat_addr *addr)
{
	__u32 field = inner->ip + (inner->local_is_source ? __builtin_offsetof(struct ipv6hdr, saddr)
							  : __builtin_offsetof(struct ipv6hdr, daddr));

#pragma clang loop unroll(disable)
	for (int i = 0; i < NAT_ADDR_WORDS; i++)
		if (embedded_replace32(skb, pkt, field + 4 * i, inner->local_addr.word[i & 3], addr->word[i & 3]))
			return -1;
	return 0;
}

/*
 * The sum of the pseudo header. False where it is not known: outwards the last destination may stand in a routing header,
 * and no extension header is looked into for that.
 */
static __always_inline bool error_seed(const struct packet *pkt, enum nat_direction direction, __u32 length, __u32 *sum)
{
	if (direction == NAT_EGRESS && pkt->transport_offset > constants.l2_length + sizeof(struct ipv6hdr))
		return false;
	*sum = pseudo_sum(&pkt->local_addr, &pkt->remote_addr, length, IPPROTO_ICMPV6);
	return true;
}

/* The error's own pseudo header changes with its outer address. */
static __always_inline int error_replace_pseudo(struct __sk_buff *skb, const struct packet *pkt,
						enum nat_direction direction, const struct nat_addr *addr)
{
	return transport_replace_addr(skb, direction, pkt->transport_offset + 2, &pkt->local_addr, addr, 0);
}

/* Communication with destination administratively prohibited (RFC 4443 section 3.1), in a message of this length at most (2.4). */
#define REFUSAL_TYPE	   ICMPV6_DEST_UNREACH
#define REFUSAL_CODE	   1
#define REFUSAL_LENGTH_MAX 1280

/* The header of an error that we make, about a packet that has the header `quoted`. */
static __always_inline void refusal_fill_ip(struct ipv6hdr *ip, const struct ipv6hdr *quoted, __u32 length)
{
	ip->version = 6;
	ip->payload_len = bpf_htons(length - sizeof(*ip));
	ip->nexthdr = IPPROTO_ICMPV6;
	ip->hop_limit = 64;
	ip->saddr = quoted->daddr;
	ip->daddr = quoted->saddr;
}

/* What is in the sum of such a message beside itself. */
static __always_inline __u32 refusal_add_pseudo(const struct ipv6hdr *ip, __u32 length, __u32 sum)
{
	__u64 both = (__u64)sum +
		     pseudo_sum((const void *)&ip->saddr, (const void *)&ip->daddr, length, IPPROTO_ICMPV6);

	return (both & 0xffffffff) + (both >> 32);
}

#endif
