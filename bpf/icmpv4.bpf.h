/* SPDX-License-Identifier: GPL-2.0-only */
/* What is particular to errors of ICMP for IPv4. Included in the midst of icmp.bpf.h, as icmpv6.bpf.h is. */
#ifndef ICMPV4_BPF_H
#define ICMPV4_BPF_H

/* RFC 5508 REQ-3a. The options, where there are any, stand behind what has been read. */
static __always_inline bool embedded_header_is_wrong(struct __sk_buff *skb, const struct embedded *inner,
						     struct iphdr *ip, __u32 length)
{
	__be32 options[10] = {};
	__u32 more = length - sizeof(*ip), sum = bpf_csum_diff(NULL, 0, (__be32 *)ip, sizeof(*ip), 0);

	if (more) {
		more = (blur(more - 1, sum) & 63) + 1;
		if (more > sizeof(options) || bpf_skb_load_bytes(skb, inner->ip + sizeof(*ip), options, more))
			return true;
		sum = bpf_csum_diff(NULL, 0, options, sizeof(options), sum);
	}
	return !checksum_is_right(sum);
}

/* Finds the local endpoint of the embedded packet. WHY_NONE, or what to do with an error whose packet is none of ours. */
static __always_inline enum nat_reason embedded_parse(struct __sk_buff *skb, const struct packet *pkt,
						      struct embedded *inner)
{
	struct iphdr ip;
	__u32 length;

	inner->ip = pkt->transport_offset + ICMP_EMBEDDED;
	if (bpf_skb_load_bytes(skb, inner->ip, &ip, sizeof(ip)))
		return WHY_MALFORMED;
	length = ip.ihl * 4;
	if (ip.version != 4 || length < sizeof(ip))
		return WHY_MALFORMED;
	inner->local_addr.word[0] = inner->local_is_source ? ip.saddr : ip.daddr;
	inner->transport = inner->ip + length;
	inner->header_is_wrong = embedded_header_is_wrong(skb, inner, &ip, length);
	if (ip.frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET))
		return WHY_FRAGMENT_UNKNOWN; /* no ports quoted */
	return embedded_parse_transport(skb, pkt, inner, ip.protocol);
}

static __always_inline int embedded_load_destination(struct __sk_buff *skb, const struct embedded *inner,
						     struct nat_addr *addr)
{
	return bpf_skb_load_bytes(skb, inner->ip + __builtin_offsetof(struct iphdr, daddr), addr, sizeof(*addr));
}

/* ICMP for IPv4 has no pseudo header. */
static __always_inline bool embedded_covers_addr(__u8 protocol)
{
	return protocol != NAT_ICMP;
}

/* The embedded IP header's address and checksum. */
static __always_inline int embedded_write_addr(struct __sk_buff *skb, const struct packet *pkt,
					       const struct embedded *inner, const struct nat_addr *addr)
{
	__be32 from = inner->local_addr.word[0], to = addr->word[0];
	__u32 check = inner->ip + __builtin_offsetof(struct iphdr, check);
	__u32 field = inner->ip + (inner->local_is_source ? __builtin_offsetof(struct iphdr, saddr)
							  : __builtin_offsetof(struct iphdr, daddr));
	__u16 old;

	if (bpf_skb_load_bytes(skb, check, &old, sizeof(old)))
		return -1;
	if (embedded_replace16(skb, pkt, check, old, checksum_replace(old, from, to)))
		return -1;
	return embedded_replace32(skb, pkt, field, from, to);
}

/* ICMP for IPv4 is summed up alone. */
static __always_inline bool error_seed(const struct packet *pkt, enum nat_direction direction, __u32 length, __u32 *sum)
{
	*sum = 0;
	return true;
}

static __always_inline int error_replace_pseudo(struct __sk_buff *skb, const struct packet *pkt,
						enum nat_direction direction, const struct nat_addr *addr)
{
	return 0;
}

/* Communication administratively prohibited (RFC 1812 section 5.2.7.1), in a message of this length at most (4.3.2.3). */
#define REFUSAL_TYPE	   ICMP_DEST_UNREACH
#define REFUSAL_CODE	   13
#define REFUSAL_LENGTH_MAX 576

/* The header of an error that we make, about a packet that has the header `quoted`. */
static __always_inline void refusal_fill_ip(struct iphdr *ip, const struct iphdr *quoted, __u32 length)
{
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tos = (quoted->tos & 0x1e) | 0xc0; /* RFC 1812 section 4.3.2.5: its TOS, but the precedence of routers */
	ip->tot_len = bpf_htons(length);
	ip->frag_off = bpf_htons(IPV4_DONT_FRAGMENT);
	ip->ttl = 64;
	ip->protocol = IPPROTO_ICMP;
	ip->saddr = quoted->daddr;
	ip->daddr = quoted->saddr;
	ip->check = ~checksum_fold(bpf_csum_diff(NULL, 0, (__be32 *)ip, sizeof(*ip), 0));
}

/* What is in the sum of such a message beside itself: nothing. */
static __always_inline __u32 refusal_add_pseudo(const struct iphdr *ip, __u32 length, __u32 sum)
{
	return sum;
}

#endif
