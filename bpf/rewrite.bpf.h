/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing the local endpoint of a packet. The headers are written in place; the transport checksum by the kernel's helper,
 * which alone knows whether it is whole, partial (offload) or already verified. The helper comes last, since packet
 * pointers are void behind it.
 */
#ifndef REWRITE_BPF_H
#define REWRITE_BPF_H

/* A UDP checksum of zero is none at all, and a computed zero is written as 0xffff (RFC 768): the helper's flag. */
static __always_inline __u64 transport_flags(const struct packet *pkt)
{
	return pkt->protocol == NAT_UDP ? BPF_F_MARK_MANGLED_0 : 0;
}

static __always_inline __u32 transport_check_offset(const struct packet *pkt)
{
	switch (pkt->protocol) {
	case NAT_TCP:
		return pkt->transport_offset + __builtin_offsetof(struct tcphdr, check);
	case NAT_UDP:
		return pkt->transport_offset + __builtin_offsetof(struct udphdr, check);
	}
	return pkt->transport_offset + 2;
}

/* The port field of the local endpoint, from the start of the transport header. */
static __always_inline __u32 transport_port_offset(const struct packet *pkt, enum nat_direction direction)
{
	if (pkt->protocol == NAT_ICMP)
		return 4;
	return direction == NAT_EGRESS ? 0 : 2;
}

/* The local address alone: fragments that carry no transport header, and the outer header of ICMP errors. */
static __always_inline void rewrite_addr(struct __sk_buff *skb, struct packet *pkt, enum nat_direction direction,
					 const struct nat_addr *addr)
{
	ip_write(pkt->ip, constants.l2_length, direction, &pkt->local_addr, addr);
	ip_account_addr(skb, direction, &pkt->local_addr, addr);
}

/*
 * In a UDP packet without a checksum nothing makes up for another port: what the device has summed up of the packet
 * (CHECKSUM_COMPLETE) must change by it. Without such a sum the helper does nothing.
 */
static __always_inline void transport_account_port(struct __sk_buff *skb, const struct packet *pkt, __be16 from,
						   __be16 to)
{
	const struct udphdr *udp = (void *)pkt->transport;

	if (pkt->protocol == NAT_UDP && !udp->check)
		bpf_csum_update(skb, (__u16)~from + to);
}

/* Makes (addr, port) the local endpoint. The packet's pointers are void afterwards. 0, or -1 if that failed. */
static __always_inline int rewrite_endpoint(struct __sk_buff *skb, struct packet *pkt, enum nat_direction direction,
					    const struct nat_addr *addr, __be16 port)
{
	__u32 check = transport_check_offset(pkt);
	__u64 flags = transport_flags(pkt);
	__be16 from = pkt->local_port;
	int err = 0;

	ip_write(pkt->ip, constants.l2_length, direction, &pkt->local_addr, addr);
	if (port != from) {
		*(__be16 *)(pkt->transport + transport_port_offset(pkt, direction)) = port;
		transport_account_port(skb, pkt, from, port);
	}
	if (transport_covers_addr(pkt))
		err = transport_replace_addr(skb, direction, check, &pkt->local_addr, addr, flags);
	if (port != from)
		err |= bpf_l4_csum_replace(skb, check, from, port, flags | sizeof(port));
	return err ? -1 : 0;
}

#endif
