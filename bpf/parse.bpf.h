/* SPDX-License-Identifier: GPL-2.0-only */
/* From a frame to a struct packet. */
#ifndef PARSE_BPF_H
#define PARSE_BPF_H

#include <linux/tcp.h>
#include <linux/udp.h>

#define TRANSPORT_MIN 20 /* what is read of a transport header, at most: a TCP header without options */
#define PORTS_MIN     8	 /* the least that holds the ports of TCP and UDP, and the identifier of an ICMP query */

/* The addresses in an IP header: both families call them the same. */
static __always_inline void ip_get(const struct ip_header *ip, __u32 l2_length, enum nat_direction direction,
				   struct nat_addr *local, struct nat_addr *remote)
{
	addr_load(local, direction == NAT_EGRESS ? &ip->saddr : &ip->daddr, l2_length);
	addr_load(remote, direction == NAT_EGRESS ? &ip->daddr : &ip->saddr, l2_length);
}

/* Finds the IP header in a packet whose header is in reach; false if it is not. */
static __always_inline bool ip_find(struct __sk_buff *skb, struct packet *pkt)
{
	struct ip_header *ip = (void *)(long)skb->data + constants.l2_length;

	pkt->ip = ip;
	return (void *)(ip + 1) <= (void *)(long)skb->data_end;
}

/* The same, and reads the addresses. */
static __always_inline bool ip_read(struct __sk_buff *skb, struct packet *pkt, enum nat_direction direction)
{
	const struct ip_header *ip;

	if (!ip_find(skb, pkt))
		return false;
	ip = pkt->ip;
	ip_get(ip, constants.l2_length, direction, &pkt->local_addr, &pkt->remote_addr);
	return true;
}

/* The ports are in reach. The rest of a TCP header is read by the helper, so that the verifier need not tell it apart. */
static __always_inline enum nat_reason parse_ports(struct __sk_buff *skb, struct packet *pkt,
						   enum nat_direction direction, __u8 ip_protocol)
{
	const struct udphdr *ports = (void *)pkt->transport; /* TCP has them in the same place */
	__u8 rest[TRANSPORT_MIN - PORTS_MIN];

	pkt->local_port = direction == NAT_EGRESS ? ports->source : ports->dest;
	pkt->remote_port = direction == NAT_EGRESS ? ports->dest : ports->source;
	pkt->protocol = NAT_UDP;
	if (ip_protocol == IPPROTO_UDP)
		return WHY_NONE;
	if (bpf_skb_load_bytes(skb, pkt->transport_offset + PORTS_MIN, rest, sizeof(rest)))
		return WHY_MALFORMED;
	pkt->protocol = NAT_TCP;
	pkt->tcp_flags = rest[13 - PORTS_MIN];
	return WHY_NONE;
}

static __always_inline enum nat_reason parse_icmp(struct packet *pkt)
{
	pkt->protocol = NAT_ICMP;
	pkt->icmp_kind = icmp_classify(pkt->transport[0]);
	if (pkt->icmp_kind == ICMP_KIND_NONE)
		return WHY_OTHER_ICMP;
	pkt->local_port = pkt->remote_port = *(__be16 *)(pkt->transport + 4);
	return WHY_NONE;
}

/* The least that a packet must hold behind its IP header: less is malformed. */
static __always_inline __u32 transport_length_min(__u8 ip_protocol)
{
	return ip_protocol == IPPROTO_TCP ? sizeof(struct tcphdr) : sizeof(struct udphdr);
}

static __always_inline bool protocol_is_ours(__u8 ip_protocol)
{
	return ip_protocol == IPPROTO_TCP || ip_protocol == IPPROTO_UDP || ip_protocol == FAMILY_ICMP;
}

/* See blur(): from here on all packets look the same to the verifier. */
static __always_inline void packet_blur(struct packet *pkt, __u32 unknown)
{
	__u64 traits = pkt->protocol | pkt->icmp_kind << 8 | pkt->first << 16 | pkt->tcp_flags << 24;

	traits = blur(traits, unknown);
	pkt->protocol = traits & 3;
	pkt->icmp_kind = traits >> 8 & 3;
	pkt->first = traits >> 16 & 1;
	pkt->tcp_flags = traits >> 24;
}

/* The transport header of a whole packet or of a first fragment. */
static __always_inline enum nat_reason parse_transport(struct __sk_buff *skb, struct packet *pkt,
						       enum nat_direction direction, __u8 ip_protocol)
{
	enum nat_reason why;

	if (pkt->transport + PORTS_MIN > (__u8 *)(long)skb->data_end)
		return WHY_MALFORMED;
	if (ip_protocol == FAMILY_ICMP)
		why = parse_icmp(pkt);
	else
		why = parse_ports(skb, pkt, direction, ip_protocol);
	packet_blur(pkt, skb->len);
	return why;
}

/* Fills in pkt, or gives the reason why the packet is none of ours. */
static __always_inline enum nat_reason packet_parse(struct __sk_buff *skb, struct packet *pkt,
						    enum nat_direction direction)
{
	__u8 ip_protocol = 0;
	__u32 length;

	if (skb->protocol != bpf_htons(FAMILY_ETHERTYPE))
		return WHY_NOT_IP;
	if (skb->vlan_present && (skb->vlan_tci & 0xfff))
		return WHY_OTHER_VLAN;
	length = ip_measure(skb, pkt, direction, &ip_protocol);
	length = blur(length, skb->len) & IP_HEADERS_MASK;
	if (!length || packet_pull(skb, constants.l2_length + length + TRANSPORT_MIN) || !ip_read(skb, pkt, direction))
		return WHY_MALFORMED;
	if (!protocol_is_ours(ip_protocol))
		return WHY_OTHER_PROTOCOL;
	pkt->transport_offset = constants.l2_length + length;
	pkt->transport = pkt->ip; /* not read, but before 5.12 the verifier cannot tell: it forgets pkt->follower */
	if (pkt->follower)
		return WHY_NONE;
	pkt->transport = (__u8 *)pkt->ip + length;
	if (ip_is_shorter(pkt, length + transport_length_min(ip_protocol)))
		return WHY_MALFORMED;
	return parse_transport(skb, pkt, direction, ip_protocol);
}

#endif
