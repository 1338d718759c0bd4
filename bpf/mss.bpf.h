/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP MSS clamping: on a link of less than 1500 bytes a SYN announces segments that would not fit, and ICMP that says so
 * is filtered too often. Off by default, and then the verifier removes it.
 */
#ifndef MSS_BPF_H
#define MSS_BPF_H

#define TCP_OPTIONS_MAX 20 /* of the 40 bytes; more are no-operations in a row */

enum tcp_option { TCP_OPTION_END = 0, TCP_OPTION_NOP = 1, TCP_OPTION_MSS = 2 };

/* The offset of the MSS value from the frame's start, or 0. */
static __always_inline __u32 mss_locate(struct __sk_buff *skb, __u32 tcp)
{
	__u32 offset = tcp + sizeof(struct tcphdr), end;
	__u8 data_offset;

	if (bpf_skb_load_bytes(skb, tcp + 12, &data_offset, 1))
		return 0;
	end = tcp + (data_offset >> 4) * 4;
#pragma clang loop unroll(disable)
	for (int i = 0; i < TCP_OPTIONS_MAX; i++) {
		__u8 option[2];

		if (offset + 4 > end || bpf_skb_load_bytes(skb, offset, option, sizeof(option)))
			return 0;
		if (option[0] == TCP_OPTION_MSS)
			return option[1] == 4 ? offset + 2 : 0;
		if (option[0] == TCP_OPTION_END)
			return 0;
		offset += option[0] == TCP_OPTION_NOP ? 1 : option[1] < 2 ? 2 : option[1];
		offset = blur(offset, skb->len) & 0xfff;
	}
	return 0;
}

/* Lowers the MSS that a SYN announces. Voids packet pointers. 0, or -1 if the packet could not be written. */
static __always_inline int mss_clamp(struct __sk_buff *skb, const struct packet *pkt)
{
	__u16 to = bpf_htons(constants.mss_clamp), from;
	__u32 offset;

	if (!constants.mss_clamp || pkt->protocol != NAT_TCP || !(pkt->tcp_flags & TCP_SYN))
		return 0;
	offset = mss_locate(skb, pkt->transport_offset);
	if (!offset || bpf_skb_load_bytes(skb, offset, &from, sizeof(from)))
		return 0;
	if (bpf_ntohs(from) <= constants.mss_clamp)
		return 0;
	if (bpf_skb_store_bytes(skb, offset, &to, sizeof(to), 0))
		return -1;
	if ((offset - pkt->transport_offset) & 1) { /* astride two words of the checksum */
		from = __builtin_bswap16(from);
		to = __builtin_bswap16(to);
	}
	return bpf_l4_csum_replace(skb, transport_check_offset(pkt), from, to, sizeof(to));
}

#endif
