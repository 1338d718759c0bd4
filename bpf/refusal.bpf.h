/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Telling an internal host that its packet gets no mapping, for want of ports or by a limit: RFC 5508 REQ-8, RFC 6888
 * REQ-11b. A TC program cannot make the kernel send an error, so the packet itself becomes one: its end is cut off, an IP and
 * an ICMP header are put in front of it, and it is turned round to ingress, as what is hairpinned is. The router forwards it
 * from there, like any error from outside.
 *
 *	outer  remote -> internal	embedded  internal -> remote, as it was sent
 *
 * The remote is the one source that is no martian where it comes in. Told of are only packets that would have made a
 * mapping: whole ones or first fragments, no errors, between two hosts (RFC 1812 section 4.3.2.7, RFC 4443 section 2.4).
 * How often is bounded, see NAT_REFUSALS.
 */
#ifndef REFUSAL_BPF_H
#define REFUSAL_BPF_H

/* What the packet begins with when it has become an error. It is written as a whole. */
struct refusal {
	struct ip_header ip;
	struct {
		__u8 type, code;
		__u16 check;
		__be32 unused;
	} icmp;
	struct ip_header quoted;
};

#define REFUSAL_ROOM offsetof(struct refusal, quoted)

/*
 * Is this a reason to tell the sender? Not that it is too fast, which is over within 2^NAT_RATE_SHIFT ticks: connecting would
 * fail at once that succeeds by the next SYN.
 */
static __always_inline bool reason_is_refusal(enum nat_reason why)
{
	return (1ULL << WHY_NO_PORT | 1ULL << WHY_HOST_LIMIT | 1ULL << WHY_TABLE_FULL) >> why & 1;
}

/*
 * May the sender be told, by the rate (RFC 5508 REQ-10f)? The hosts of one hash share: one that floods keeps the errors of
 * 1 in NAT_REFUSAL_HOSTS others away. As with the fragments that are held, the counts are not exact between CPUs.
 */
static __always_inline bool refusal_is_due(const struct nat_addr *addr)
{
	__u32 *sent = &config.refusals[index_bounded(addr_hash(addr), NAT_REFUSAL_HOSTS - 1)];
	__u32 period = clock_ticks() >> NAT_RATE_SHIFT << 8, count = *sent;

	if ((count ^ period) >> 8)
		count = period;
	if ((count & 0xff) >= NAT_REFUSALS)
		return false;
	*sent = count + 1;
	return true;
}

/*
 * Is the transport header right behind the IP header? Where it is not (IPv6's extension headers), it could not be told whether
 * its checksum is complete: see below.
 */
static __always_inline bool refusal_finds_transport(const struct ip_header *ip)
{
	__u8 protocol = ip_next(ip);

	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == FAMILY_ICMP;
}

/*
 * The sum over the first `length` bytes of the IP packet, as they will be on the link. A checksum that a device is still to
 * compute (CHECKSUM_PARTIAL) has the sum of the pseudo header in its place, and the device will make up for all behind it:
 * the transport part will then sum up to the complement of that. False if it cannot be told.
 */
static __always_inline bool refusal_sum(struct __sk_buff *skb, const struct ip_header *ip, __u32 length, __u32 *sum)
{
	__u32 header = ip_header_length(ip), offset = constants.l2_length + header;
	__u8 protocol = ip_next(ip);
	__u16 check;

	*sum = 0;
	if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) {
		offset += protocol == IPPROTO_TCP ? offsetof(struct tcphdr, check) : offsetof(struct udphdr, check);
		if (bpf_skb_load_bytes(skb, offset, &check, sizeof(check)))
			return false;
		if (check == checksum_fold(pseudo_sum((const void *)&ip->saddr, (const void *)&ip->daddr,
						      ip_length(ip) - header, protocol))) {
			length = header;
			*sum = (__u16)~check;
		}
	}
	return frame_sum(skb, constants.l2_length, blur(length, *sum), REFUSAL_LENGTH_MAX, sum);
}

/* The gateway's link-layer address is none that the interface takes in: the two change places. */
static __always_inline int refusal_turn_ethernet(struct __sk_buff *skb)
{
	__u8 from[ETH_ALEN], to[ETH_ALEN];

	if (bpf_skb_load_bytes(skb, 0, to, ETH_ALEN) || bpf_skb_load_bytes(skb, ETH_ALEN, from, ETH_ALEN))
		return -1;
	return bpf_skb_store_bytes(skb, 0, from, ETH_ALEN, 0) || bpf_skb_store_bytes(skb, ETH_ALEN, to, ETH_ALEN, 0);
}

/* Makes the packet an error about itself. 0, or -1 if that cannot be done. */
static __always_inline int refusal_write(struct __sk_buff *skb, struct refusal *error)
{
	__u32 length = ip_length(&error->quoted), sum;

	if (length > REFUSAL_LENGTH_MAX - REFUSAL_ROOM)
		length = REFUSAL_LENGTH_MAX - REFUSAL_ROOM;
	length = blur(length, skb->len);
	if (!length || constants.l2_length + length > skb->len ||
	    bpf_skb_change_tail(skb, constants.l2_length + length, 0) ||
	    !refusal_sum(skb, &error->quoted, length, &sum))
		return -1;
	refusal_fill_ip(&error->ip, &error->quoted, length + REFUSAL_ROOM);
	error->icmp.type = REFUSAL_TYPE;
	error->icmp.code = REFUSAL_CODE;
	sum = refusal_add_pseudo(&error->ip, length + sizeof(error->icmp), sum);
	error->icmp.check = ~checksum_fold(bpf_csum_diff(NULL, 0, (__be32 *)&error->icmp, sizeof(error->icmp), sum));
	if (bpf_skb_adjust_room(skb, REFUSAL_ROOM, BPF_ADJ_ROOM_MAC, 0) ||
	    bpf_skb_store_bytes(skb, constants.l2_length, error, sizeof(*error), BPF_F_RECOMPUTE_CSUM))
		return -1;
	return constants.l2_length ? refusal_turn_ethernet(skb) : 0;
}

/*
 * Counts the packet, and gives the program's verdict on it. It is read anew: were struct packet looked at here, the verifier
 * would tell all the ways to here apart. The router's own senders, and the designated server, have the address that the
 * error would be translated to; a GSO packet is many, and the next may come alone.
 */
static __always_inline int refuse(struct __sk_buff *skb, enum nat_reason why)
{
	FRESH(struct refusal) error;
	struct nat_addr host;

	counter_add(skb, NAT_EGRESS, blur(why, skb->len)); /* a known key would make it tell them apart, too */
	fresh_clear(&error);
	if (skb->gso_size || bpf_skb_load_bytes(skb, constants.l2_length, &error.it.quoted, sizeof(error.it.quoted)))
		return TC_ACT_SHOT;
	__builtin_memcpy(&host, &error.it.quoted.saddr, sizeof(host));
	if (!refusal_finds_transport(&error.it.quoted) || external_lookup(&host) >= 0 || !refusal_is_due(&host) ||
	    refusal_write(skb, &error.it))
		return TC_ACT_SHOT;
	skb->mark = constants.turn_mark;
	return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
}

#endif
