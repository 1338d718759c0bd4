/* SPDX-License-Identifier: GPL-2.0-only */
/* The IPv6 family: its headers, its ICMP, and how its addresses are written. ipv4.bpf.h is the other one. */
#ifndef IPV6_BPF_H
#define IPV6_BPF_H

#include <linux/if_ether.h>
#include <linux/ipv6.h>

#define ip_header	   ipv6hdr
#define FAMILY_ETHERTYPE   ETH_P_IPV6
#define FAMILY_ICMP	   IPPROTO_ICMPV6
#define FAMILY_AF	   10 /* AF_INET6 */
#define FAMILY_ICMP_HEADER "icmpv6.bpf.h"
#define IP_HEADER_MIN	   sizeof(struct ipv6hdr)
#define IP_HEADERS_MASK	   0xf8 /* the bits that a length of IP headers may have */

/* RFC 8200 section 4.1 names six extension headers in their order, and one of them twice. */
#define IPV6_EXTENSIONS_MAX	8
#define IPV6_HEADERS_LENGTH_MAX 200 /* of all of them together: more is taken for malformed */
#define IPV6_FRAGMENT_OFFSET	0xfff8
#define IPV6_MORE_FRAGMENTS	0x0001
#define IPV6_SEGMENTS_LEFT	0x00ff
#define IPV6_NO_HEADER		0xff /* reserved: never a header's number */

/* RFC 4443. Neighbour and listener discovery is between neighbours, and not for us. */
enum icmpv6_type {
	ICMPV6_DEST_UNREACH = 1,
	ICMPV6_PACKET_TOO_BIG = 2,
	ICMPV6_TIME_EXCEEDED = 3,
	ICMPV6_PARAMETER_PROBLEM = 4,
	ICMPV6_ECHO_REQUEST = 128,
	ICMPV6_ECHO_REPLY = 129,
};

/* The first 8 bytes of the extension headers that are walked over; of a fragment header, all of it. */
struct ipv6_extension {
	__u8 next;
	__u8 length;	 /* in units of 8 bytes, beyond the first 8; reserved in a fragment header */
	__be16 fragment; /* in a routing header: its type, and how many segments are left */
	__be32 id;
};

static __always_inline enum icmp_kind icmp_classify(__u8 type)
{
	switch (type) {
	case ICMPV6_ECHO_REQUEST:
		return ICMP_KIND_REQUEST;
	case ICMPV6_ECHO_REPLY:
		return ICMP_KIND_REPLY;
	case ICMPV6_DEST_UNREACH:
	case ICMPV6_PACKET_TOO_BIG:
	case ICMPV6_TIME_EXCEEDED:
	case ICMPV6_PARAMETER_PROBLEM:
		return ICMP_KIND_ERROR;
	}
	return ICMP_KIND_NONE;
}

/* Nothing of these belongs to one host beyond its link: unspecified, link-local, multicast. */
static __always_inline bool addr_is_special(const struct nat_addr *addr)
{
	__u32 top = bpf_ntohl(addr->word[0]);

	return top >> 24 == 0xff || top >> 22 == 0xfe80 >> 6 || addr_is_zero(addr);
}

#define IPV6_EXTENSIONS \
	(1ULL << IPPROTO_HOPOPTS | 1ULL << IPPROTO_ROUTING | 1ULL << IPPROTO_FRAGMENT | 1ULL << IPPROTO_DSTOPTS)

static __always_inline bool ipv6_is_extension(__u8 next)
{
	return IPV6_EXTENSIONS >> (next & 63) & !is_any(next & 0xc0);
}

/* Where a walk over the extension headers has come to. */
struct ipv6_walk {
	__u32 offset;	/* of the next header, from the frame's start */
	__u8 next;	/* which that is */
	bool to_last;	/* a routing header that has segments left ends it: what follows is not for this destination */
	__u16 fragment; /* what a fragment header says, 0 without one */
	__be32 id;
};

static __always_inline __u32 ipv6_has_segments(__u8 type, const struct ipv6_extension *extension)
{
	return (is_any(type ^ IPPROTO_ROUTING) ^ 1) & is_any(bpf_ntohs(extension->fragment) & IPV6_SEGMENTS_LEFT);
}

/*
 * Walks over the extension headers that begin at walk->offset, in whatever order they come, to the first header that is
 * none of them. False if they do not end. Whatever it has read, the verifier sees the same: else it would follow each
 * sequence of headers by itself.
 */
static __always_inline bool ipv6_skip_extensions(struct __sk_buff *skb, struct ipv6_walk *walk)
{
#pragma clang loop unroll(disable)
	for (int i = 0; i < IPV6_EXTENSIONS_MAX; i++) {
		struct ipv6_extension extension;
		__u32 is_fragment;

		if (!ipv6_is_extension(walk->next) || walk->fragment & IPV6_FRAGMENT_OFFSET)
			return true; /* or what follows is the middle of something */
		if (bpf_skb_load_bytes(skb, walk->offset, &extension, sizeof(extension)))
			return false;
		is_fragment = !is_any(walk->next ^ IPPROTO_FRAGMENT);
		walk->fragment |= bpf_ntohs(extension.fragment) & -is_fragment;
		walk->id |= extension.id & -is_fragment;
		walk->offset += 8 + (extension.length * 8 & (is_fragment - 1));
		if (walk->to_last) /* known when this is compiled */
			extension.next |= ipv6_has_segments(walk->next, &extension) * IPV6_NO_HEADER;
		walk->next = extension.next;
	}
	return false;
}

/*
 * The length in bytes of the IP header and what extends it, or 0 if they are malformed. Inwards, a packet with segments
 * left is the router's: it is the next hop, the packet's own destination comes later, and its checksum is for that
 * (RFC 8200 section 8.1). Outwards nothing depends on the destination.
 */
static __always_inline __u32 ip_measure(struct __sk_buff *skb, struct packet *pkt, enum nat_direction direction,
					__u8 *ip_protocol)
{
	struct ipv6_walk walk = { .to_last = direction == NAT_INGRESS, .fragment = blur(0, skb->len) };
	struct ipv6hdr ip;

	if (bpf_skb_load_bytes(skb, constants.l2_length, &ip, sizeof(ip)) || ip.version != 6)
		return 0;
	walk.next = ip.nexthdr;
	walk.offset = blur(constants.l2_length + sizeof(ip), skb->len);
	if (!ipv6_skip_extensions(skb, &walk) || walk.offset > IPV6_HEADERS_LENGTH_MAX)
		return 0;
	*ip_protocol = walk.next;
	pkt->follower = is_any(walk.fragment & IPV6_FRAGMENT_OFFSET);
	pkt->first = walk.fragment & IPV6_MORE_FRAGMENTS & ~pkt->follower;
	pkt->fragment_id = walk.id;
	return walk.offset - constants.l2_length;
}

/* RFC 8200 section 4.5: addresses and identification alone tell fragments of different packets apart. */
static __always_inline __u8 ip_fragment_protocol(const struct packet *pkt)
{
	return 0;
}

/* The packet's length by its own header, or 0 where that does not tell. */
static __always_inline __u32 ip_length(const struct ipv6hdr *ip)
{
	__u32 payload = bpf_ntohs(ip->payload_len);

	return payload ? payload + sizeof(*ip) : 0;
}

static __always_inline __u32 ip_end(const struct packet *pkt)
{
	return ip_length(pkt->ip);
}

/* True if the packet ends, by its own header, before `length` bytes. (0 is a jumbogram, or GSO beyond 64 KB.) */
static __always_inline bool ip_is_shorter(const struct packet *pkt, __u32 length)
{
	__u32 total = ip_end(pkt);

	return total && total < length;
}

/* Writes the local address, which is `from`. */
static __always_inline void ip_write(struct ipv6hdr *ip, __u32 l2_length, enum nat_direction direction,
				     const struct nat_addr *from, const struct nat_addr *to)
{
	addr_store(direction == NAT_EGRESS ? &ip->saddr : &ip->daddr, to, l2_length);
}

/* IPv6 has identifications of 32 bits, in fragments alone: they stay as they are. */
static __always_inline __be16 ip_id(const struct ipv6hdr *ip)
{
	return 0;
}

static __always_inline void ip_set_id(struct ipv6hdr *ip, __be16 id)
{
}

static __always_inline bool ip_is_atomic(const struct ipv6hdr *ip)
{
	return true;
}

static __always_inline void ip_renumber(struct ipv6hdr *ip, const struct nat_addr *remote)
{
}

static __always_inline __s64 addr_difference(const struct nat_addr *from, const struct nat_addr *to)
{
	return bpf_csum_diff((__be32 *)from->word, sizeof(*from), (__be32 *)to->word, sizeof(*to), 0);
}

/* What a sum over the whole packet (CHECKSUM_COMPLETE, inwards only) sees of a changed address alone. */
static __always_inline void ip_account_addr(struct __sk_buff *skb, enum nat_direction direction,
					    const struct nat_addr *from, const struct nat_addr *to)
{
	if (direction == NAT_INGRESS)
		bpf_csum_update(skb, addr_difference(from, to)); /* refused unless the sum is complete */
}

/* RFC 8200 section 8.1: every transport checksum covers a pseudo header, ICMPv6's too. */
static __always_inline bool transport_covers_addr(const struct packet *pkt)
{
	return true;
}

/*
 * The pseudo header's part of a transport checksum. There is no header checksum to make up for the new address, so a sum
 * over the whole packet (CHECKSUM_COMPLETE, inwards only) stays as it was; the helper takes the difference out of it, as
 * is right for IPv4, and here it is put back (net/core/utils.c, inet_proto_csum_replace_by_diff).
 */
static __always_inline long transport_replace_addr(struct __sk_buff *skb, enum nat_direction direction,
						   __u32 check_offset, const struct nat_addr *from,
						   const struct nat_addr *to, __u64 flags)
{
	__s64 difference = addr_difference(from, to);

	if (bpf_l4_csum_replace(skb, check_offset, 0, difference, flags | BPF_F_PSEUDO_HDR))
		return -1;
	if (direction == NAT_INGRESS)
		bpf_csum_update(skb, difference); /* refused unless the sum is complete */
	return 0;
}

/* Fills in a tuple as a packet from the remote to the external endpoint has it. Gives the size for this family. */
static __always_inline __u32 socket_tuple(struct bpf_sock_tuple *tuple, const struct nat_addr *remote_addr,
					  __be16 remote_port, const struct nat_addr *external_addr,
					  __be16 external_port)
{
	__builtin_memcpy(tuple->ipv6.saddr, remote_addr, sizeof(*remote_addr));
	__builtin_memcpy(tuple->ipv6.daddr, external_addr, sizeof(*external_addr));
	tuple->ipv6.sport = remote_port;
	tuple->ipv6.dport = external_port;
	return sizeof(tuple->ipv6);
}

static __always_inline void fib_set_destination(struct bpf_fib_lookup *route, const struct nat_addr *addr)
{
	__builtin_memcpy(route->ipv6_dst, addr, sizeof(*addr));
}

static __always_inline void fib_get_source(const struct bpf_fib_lookup *route, struct nat_addr *addr)
{
	__builtin_memcpy(addr, route->ipv6_src, sizeof(*addr));
}

static __always_inline __u32 ip_header_length(const struct ipv6hdr *ip)
{
	return sizeof(*ip);
}

/* For the short way: no extension header. */
static __always_inline bool ip_is_plain(const struct ipv6hdr *ip)
{
	return (*(__u8 *)ip & 0xf0) == 0x60;
}

static __always_inline __u8 ip_next(const struct ipv6hdr *ip)
{
	return ip->nexthdr;
}

static __always_inline __s32 ip_payload(const struct ipv6hdr *ip)
{
	return bpf_ntohs(ip->payload_len);
}

#endif
