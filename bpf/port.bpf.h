/* SPDX-License-Identifier: GPL-2.0-only */
/* Choosing an external port: the slow step of making a mapping, bounded whatever the number of ports in use. */
#ifndef PORT_BPF_H
#define PORT_BPF_H

/*
 * Slots tried before a packet is given up, each one's port being the router's own. (One that is lost to another CPU ends it at
 * once.) The verifier walks each by itself.
 */
#define PORT_ATTEMPTS 3

/* The lowest bit set of a word that is not zero. Arithmetic only: a chain of branches is 64 paths to the verifier. */
static __always_inline __u32 lowest_bit(__u64 word)
{
	__u64 below = (word & -word) - 1;

	below -= below >> 1 & 0x5555555555555555ULL;
	below = (below & 0x3333333333333333ULL) + (below >> 2 & 0x3333333333333333ULL);
	below = (below + (below >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return below * 0x0101010101010101ULL >> 56;
}

/* The first bit set of a word at or behind bit `start`, round the end. 0 for a word of zero. */
static __always_inline __u32 next_bit(__u64 word, __u32 start)
{
	start &= 63;
	return (lowest_bit(word >> start | word << (64 - start) % 64) + start) & 63;
}

/*
 * A FREE slot of a class that has one, from a random start at each of the three levels (RFC 6056, RFC 7857 section 9).
 * Read without the lock, so a hint; and without a branch, since each would double the states that the verifier follows.
 */
static __always_inline __u32 region_search(const struct region *region, __u32 random)
{
	__u32 group = next_bit((__u64)region->top * 0x0101010101010101ULL, random & 7) & 7;
	__u32 word = group * 64 + next_bit(region->summary[group], random >> 3);

	return word * 64 + next_bit(region->free[index_bounded(word, 511)], random >> 9);
}

/* A bit for each kind of port of which there is a FREE one, the internal port's own kind being bit 0. */
static __always_inline __u32 port_kinds_free(const struct external *external, __u32 protocol, __u32 kind)
{
	__u32 free = 0;

#pragma clang loop unroll(full)
	for (__u32 other = 0; other < NAT_PORT_KINDS; other++) {
		__u32 number = port_class_get(external, protocol, kind ^ other)->region;
		const struct region *region = bpf_map_lookup_elem(&regions, &number);

		if (!region)
			return 0;
		free |= (blur(-(__u64)region->top, number) >> 63) << other; /* 1 if top is not zero */
	}
	return free;
}

/*
 * Any FREE slot for an internal port, or NAT_SLOT_NONE: of its parity and its side of 1024 if there is one, then of its
 * side alone (RFC 4787 REQ-3a, REQ-4).
 */
static __always_inline __u32 port_search(const struct external *external, __u32 protocol, __u16 internal_port)
{
	__u32 random = bpf_get_prandom_u32(), kind = blur(port_kind(internal_port), random), offset, number;
	__u32 free = port_kinds_free(external, protocol, kind);
	const struct port_class *class;
	struct region *region;

	if (!free)
		return NAT_SLOT_NONE;
	kind ^= lowest_bit(free);
	class = port_class_get(external, protocol, kind);
	number = class->region;
	region = bpf_map_lookup_elem(&regions, &number);
	if (!region)
		return NAT_SLOT_NONE;
	offset = region_search(region, random);
	return offset < class->count ? class->first_slot + offset : NAT_SLOT_NONE;
}

/*
 * For when no slot is FREE: the daemon sweeps once a second, but should there be no daemon, expired mappings would keep
 * their ports. Looks at one of the protocol's slots, of any kind: enough where most have expired. Or NAT_SLOT_NONE.
 */
static __always_inline __u32 port_scavenge(const struct external *external, __u32 protocol, __u32 now)
{
	__u32 count = external->slot_count[protocol & NAT_PROTOCOLS], slot;
	struct mapping *map;

	if (!count)
		return NAT_SLOT_NONE;
	slot = external->first_slot[protocol & NAT_PROTOCOLS] + bpf_get_prandom_u32() % count;
	map = slot_get(slot);
	return map && mapping_reclaim(slot, map, now) ? slot : NAT_SLOT_NONE;
}

/*
 * The slot of the internal port's own number, if it is managed and can be had: FREE, or this endpoint's already without
 * an entry in `endpoints` (what port_reserve leaves), or one that nobody swept yet.
 */
static __always_inline __u32 port_preserve(__u32 external, const struct endpoint *endpoint, __u32 now)
{
	__u32 slot = port_slot(external, endpoint->protocol, bpf_ntohs(endpoint->port));
	struct mapping *map;

	if (slot == NAT_SLOT_NONE)
		return NAT_SLOT_NONE;
	map = slot_get(slot);
	if (!map)
		return NAT_SLOT_NONE;
	if (map->state == MAPPING_FREE || mapping_belongs_to(map, endpoint) || mapping_reclaim(slot, map, now))
		return slot;
	return NAT_SLOT_NONE;
}

/* Does the router itself have a socket that packets from the remote to this external endpoint would reach? */
static __always_inline bool endpoint_has_socket(struct __sk_buff *skb, __u32 protocol,
						const struct nat_addr *remote_addr, __be16 remote_port,
						const struct nat_addr *external_addr, __be16 external_port)
{
	FRESH(struct bpf_sock_tuple) tuple;
	struct bpf_sock *sk;
	__u32 size;

	protocol = blur(protocol, skb->len); /* or whatever follows is verified once for each */
	if (protocol == NAT_ICMP)
		return false;
	fresh_clear(&tuple);
	size = socket_tuple(&tuple.it, remote_addr, remote_port, external_addr, external_port);
	if (protocol == NAT_TCP)
		sk = bpf_skc_lookup_tcp(skb, &tuple.it, size, BPF_F_CURRENT_NETNS, 0);
	else
		sk = bpf_sk_lookup_udp(skb, &tuple.it, size, BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return false;
	bpf_sk_release(sk);
	return true;
}

/* The same of the packet's remote. */
static __always_inline bool port_has_socket(struct __sk_buff *skb, const struct packet *pkt,
					    const struct nat_addr *external_addr, __be16 external_port)
{
	return endpoint_has_socket(skb, pkt->protocol, &pkt->remote_addr, pkt->remote_port, external_addr,
				   external_port);
}

#endif
