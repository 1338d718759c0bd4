/* SPDX-License-Identifier: GPL-2.0-only */
/* From a frame to a struct packet. */
#ifndef PARSE_BPF_H
#define PARSE_BPF_H

#include <linux/tcp.h>
#include <linux/udp.h>

#define TRANSPORT_MIN  20 /* what is read of a transport header, at most: a TCP header without options */
#define ICMP_QUERY_MIN 8

static __always_inline enum nat_reason parse_tcp(struct packet *pkt, enum nat_direction direction, void *end)
{
	struct tcphdr *tcp = (void *)pkt->transport;

	if ((void *)(tcp + 1) > end)
		return WHY_MALFORMED;
	pkt->protocol = NAT_TCP;
	pkt->local_port = direction == NAT_EGRESS ? tcp->source : tcp->dest;
	pkt->remote_port = direction == NAT_EGRESS ? tcp->dest : tcp->source;
	pkt->tcp_flags = pkt->transport[13];
	return WHY_NONE;
}

static __always_inline enum nat_reason parse_udp(struct packet *pkt, enum nat_direction direction, void *end)
{
	struct udphdr *udp = (void *)pkt->transport;

	if ((void *)(udp + 1) > end)
		return WHY_MALFORMED;
	pkt->protocol = NAT_UDP;
	pkt->local_port = direction == NAT_EGRESS ? udp->source : udp->dest;
	pkt->remote_port = direction == NAT_EGRESS ? udp->dest : udp->source;
	return WHY_NONE;
}

static __always_inline enum nat_reason parse_icmp(struct packet *pkt, void *end)
{
	__u8 *icmp = pkt->transport;

	if (icmp + ICMP_QUERY_MIN > (__u8 *)end)
		return WHY_MALFORMED;
	pkt->protocol = NAT_ICMP;
	pkt->icmp_kind = icmp_classify(icmp[0]);
	if (pkt->icmp_kind == ICMP_KIND_NONE)
		return WHY_OTHER_ICMP;
	pkt->local_port = pkt->remote_port = *(__be16 *)(icmp + 4);
	return WHY_NONE;
}

/* The transport header of a whole packet or of a first fragment. */
static __always_inline enum nat_reason parse_transport(struct __sk_buff *skb, struct packet *pkt,
						       enum nat_direction direction, __u8 ip_protocol)
{
	void *end = (void *)(long)skb->data_end;

	switch (ip_protocol) {
	case IPPROTO_TCP:
		return parse_tcp(pkt, direction, end);
	case IPPROTO_UDP:
		return parse_udp(pkt, direction, end);
	case FAMILY_ICMP:
		return parse_icmp(pkt, end);
	}
	return WHY_OTHER_PROTOCOL;
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

/* Fills in pkt, or gives the reason why the packet is none of ours. */
static __always_inline enum nat_reason packet_parse(struct __sk_buff *skb, struct packet *pkt,
						    enum nat_direction direction)
{
	enum nat_reason why;
	__u8 ip_protocol;
	__u32 length;

	if (skb->protocol != bpf_htons(FAMILY_ETHERTYPE))
		return WHY_NOT_IP;
	if (skb->vlan_present && (skb->vlan_tci & 0xfff))
		return WHY_OTHER_VLAN;
	if (packet_pull(skb, constants.l2_length + IP_HEADER_MIN + TRANSPORT_MIN))
		return WHY_MALFORMED;
	length = ip_parse(skb, pkt, direction, &ip_protocol);
	if (length > IP_HEADER_MIN) { /* options: look again once all of it is in reach */
		if (packet_pull(skb, constants.l2_length + length + TRANSPORT_MIN))
			return WHY_MALFORMED;
		length = ip_parse(skb, pkt, direction, &ip_protocol);
	}
	if (!length)
		return WHY_MALFORMED;
	if (!protocol_is_ours(ip_protocol))
		return WHY_OTHER_PROTOCOL;
	length = blur(length, skb->len) & 0xfc;
	pkt->transport_offset = constants.l2_length + length;
	pkt->transport = (__u8 *)pkt->ip + length;
	if (pkt->follower)
		return WHY_NONE;
	if (ip_is_shorter(pkt, length + transport_length_min(ip_protocol)))
		return WHY_MALFORMED;
	why = parse_transport(skb, pkt, direction, ip_protocol);
	packet_blur(pkt, skb->len);
	return why;
}

#endif
