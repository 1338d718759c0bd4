/* SPDX-License-Identifier: GPL-2.0-only */
/* The IPv4 family: its header, its ICMP, and how its addresses are written. ipv6.bpf.h is the other one. */
#ifndef IPV4_BPF_H
#define IPV4_BPF_H

#include <linux/if_ether.h>
#include <linux/ip.h>

#define ip_header	   iphdr
#define FAMILY_ETHERTYPE   ETH_P_IP
#define FAMILY_ICMP	   IPPROTO_ICMP
#define FAMILY_AF	   2 /* AF_INET */
#define FAMILY_ICMP_HEADER "icmpv4.bpf.h"
#define IP_HEADER_MIN	   sizeof(struct iphdr)
#define IP_HEADERS_MASK	   0x3c /* the bits that a length of IP headers may have */

/* RFC 792, RFC 950. (linux/icmp.h wants a C library.) */
enum icmpv4_type {
	ICMP_ECHOREPLY = 0,
	ICMP_DEST_UNREACH = 3,
	ICMP_SOURCE_QUENCH = 4,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETERPROB = 12,
	ICMP_TIMESTAMP = 13,
	ICMP_TIMESTAMPREPLY = 14,
	ICMP_INFO_REQUEST = 15,
	ICMP_INFO_REPLY = 16,
	ICMP_ADDRESS = 17,
	ICMP_ADDRESSREPLY = 18,
};

#define IPV4_DONT_FRAGMENT   0x4000
#define IPV4_MORE_FRAGMENTS  0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff

/* Redirects and router discovery are between neighbours, and not for us. */
static __always_inline enum icmp_kind icmp_classify(__u8 type)
{
	switch (type) {
	case ICMP_ECHO:
	case ICMP_TIMESTAMP:
	case ICMP_INFO_REQUEST:
	case ICMP_ADDRESS:
		return ICMP_KIND_REQUEST;
	case ICMP_ECHOREPLY:
	case ICMP_TIMESTAMPREPLY:
	case ICMP_INFO_REPLY:
	case ICMP_ADDRESSREPLY:
		return ICMP_KIND_REPLY;
	case ICMP_DEST_UNREACH:
	case ICMP_SOURCE_QUENCH:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		return ICMP_KIND_ERROR;
	}
	return ICMP_KIND_NONE;
}

/* Nothing of these belongs to one host: DHCP before it has an address, broadcast, multicast. */
static __always_inline bool addr_is_special(const struct nat_addr *addr)
{
	__u32 host = bpf_ntohl(addr->word[0]);

	return host == 0 || host >= 0xe0000000;
}

/* The IP header's length in bytes, or 0 if it is malformed. What follows it, and fragments, are then known. */
static __always_inline __u32 ip_measure(struct __sk_buff *skb, struct packet *pkt, enum nat_direction direction,
					__u8 *ip_protocol)
{
	struct iphdr ip;
	__u32 fragment;

	if (bpf_skb_load_bytes(skb, constants.l2_length, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5)
		return 0;
	fragment = bpf_ntohs(ip.frag_off);
	pkt->follower = is_any(fragment & IPV4_FRAGMENT_OFFSET);
	pkt->first = is_any(fragment & IPV4_MORE_FRAGMENTS) & ~pkt->follower;
	pkt->fragment_id = ip.id;
	*ip_protocol = ip.protocol;
	return ip.ihl * 4;
}

/* What tells fragments of different datagrams apart, beside addresses and identification (RFC 791). */
static __always_inline __u8 ip_fragment_protocol(const struct packet *pkt)
{
	const struct iphdr *ip = pkt->ip;

	return ip->protocol;
}

/* The packet's length by its own header, or 0 where that does not tell. */
static __always_inline __u32 ip_length(const struct iphdr *ip)
{
	return bpf_ntohs(ip->tot_len);
}

static __always_inline __u32 ip_end(const struct packet *pkt)
{
	return ip_length(pkt->ip);
}

/* True if the packet ends, by its own header, before `length` bytes. (0 is a GSO packet beyond 64 KB.) */
static __always_inline bool ip_is_shorter(const struct packet *pkt, __u32 length)
{
	__u32 total = ip_end(pkt);

	return total && total < length;
}

/* Writes the local address, which is `from`, and sets the header's checksum right. */
static __always_inline void ip_write(struct iphdr *ip, __u32 l2_length, enum nat_direction direction,
				     const struct nat_addr *from, const struct nat_addr *to)
{
	ip->check = checksum_replace(ip->check, from->word[0], to->word[0]);
	addr_store(direction == NAT_EGRESS ? &ip->saddr : &ip->daddr, to, l2_length);
}

/*
 * May the packet neither be fragmented nor be a fragment? Then nobody looks at its identification (RFC 6864 section 4.1). All
 * others that leave from one address to one remote must differ in it, whichever host sent them (RFC 7857 section 10).
 */
static __always_inline bool ip_is_atomic(const struct iphdr *ip)
{
	return (ip->frag_off & bpf_htons(IPV4_DONT_FRAGMENT | IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET)) ==
	       bpf_htons(IPV4_DONT_FRAGMENT);
}

/*
 * The next identification: a CPU has every id_step-th, so that no two give the same, and one repeats its own after 65536 /
 * id_step. Only those to one remote must differ: each of 16 hashes has a sequence. Scrambled, one to one: a remote that reads
 * the sequence would know how much others send.
 */
static __always_inline __be16 ip_next_id(const struct nat_addr *remote)
{
	__u32 share = bpf_get_smp_processor_id() & (constants.id_step - 1), key = constants.turn_mark;
	struct id_sequence *sequence = &config.ids[index_bounded(share, NAT_ID_CPUS - 1)];
	__u32 *given = &sequence->given[index_bounded(remote->word[0] * 0x9e3779b1 >> 28, NAT_ID_REMOTES - 1)];
	__u32 id = *given + share;

	*given += constants.id_step;
	id = (id * (key | 1)) & 0xffff;
	id ^= id >> 8;
	return id * (key >> 15 | 1) ^ key;
}

static __always_inline __be16 ip_id(const struct iphdr *ip)
{
	return ip->id;
}

static __always_inline void ip_set_id(struct iphdr *ip, __be16 id)
{
	ip->check = checksum_replace(ip->check, ip->id, id);
	ip->id = id;
}

/* Outwards: another identification, if it matters. */
static __always_inline void ip_renumber(struct iphdr *ip, const struct nat_addr *remote)
{
	if (unlikely(!ip_is_atomic(ip)))
		ip_set_id(ip, ip_next_id(remote));
}

/* What a sum over the whole packet sees of a changed address alone: nothing, the header's checksum makes up for it. */
static __always_inline void ip_account_addr(struct __sk_buff *skb, enum nat_direction direction,
					    const struct nat_addr *from, const struct nat_addr *to)
{
}

/* Is there a pseudo header in the transport checksum? ICMP has none (RFC 792). */
static __always_inline bool transport_covers_addr(const struct packet *pkt)
{
	return pkt->protocol != NAT_ICMP;
}

/* The pseudo header's part of a TCP or UDP checksum. */
static __always_inline long transport_replace_addr(struct __sk_buff *skb, enum nat_direction direction,
						   __u32 check_offset, const struct nat_addr *from,
						   const struct nat_addr *to, __u64 flags)
{
	return bpf_l4_csum_replace(skb, check_offset, from->word[0], to->word[0], flags | BPF_F_PSEUDO_HDR | 4);
}

/* Fills in a tuple as a packet from the remote to the external endpoint has it. Gives the size for this family. */
static __always_inline __u32 socket_tuple(struct bpf_sock_tuple *tuple, const struct nat_addr *remote_addr,
					  __be16 remote_port, const struct nat_addr *external_addr,
					  __be16 external_port)
{
	tuple->ipv4.saddr = remote_addr->word[0];
	tuple->ipv4.daddr = external_addr->word[0];
	tuple->ipv4.sport = remote_port;
	tuple->ipv4.dport = external_port;
	return sizeof(tuple->ipv4);
}

static __always_inline void fib_set_destination(struct bpf_fib_lookup *route, const struct nat_addr *addr)
{
	route->ipv4_dst = addr->word[0];
}

static __always_inline void fib_get_source(const struct bpf_fib_lookup *route, struct nat_addr *addr)
{
	addr->word[0] = route->ipv4_src;
}

static __always_inline __u32 ip_header_length(const struct iphdr *ip)
{
	return *(const __u8 *)ip % 16 * 4;
}

/* For the short way: no options, no fragment. */
static __always_inline bool ip_is_plain(const struct iphdr *ip)
{
	return *(__u8 *)ip == 0x45 && !(ip->frag_off & bpf_htons(IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET));
}

static __always_inline __u8 ip_next(const struct iphdr *ip)
{
	return ip->protocol;
}

static __always_inline __s32 ip_payload(const struct iphdr *ip)
{
	return bpf_ntohs(ip->tot_len) - (__s32)sizeof(*ip);
}

#endif
