/* SPDX-License-Identifier: GPL-2.0-only */
/* Choosing an external port: the slow step of making a mapping, bounded whatever the number of ports in use. */
#ifndef PORT_BPF_H
#define PORT_BPF_H

#define PORT_ATTEMPTS 4 /* slots tried before a packet is given up: losing a race, or a port of the router's own */

/* The lowest bit set of a word that is not zero. Arithmetic only: a chain of branches is 64 paths to the verifier. */
static __always_inline __u32 lowest_bit(__u64 word)
{
	__u64 below = (word & -word) - 1;

	below -= below >> 1 & 0x5555555555555555ULL;
	below = (below & 0x3333333333333333ULL) + (below >> 2 & 0x3333333333333333ULL);
	below = (below + (below >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return below * 0x0101010101010101ULL >> 56;
}

/*
 * The first FREE slot at or behind `from`, round the end if need be; NAT_REGION_SLOTS if there is none. Read without
 * the lock: a hint.
 */
static __always_inline __u32 region_search(const struct region *region, __u32 from)
{
	__u32 word = from / 64 % 512, group = word / 64, tops;
	__u64 bits = region->free[word] & ~0ULL << from % 64;
	__u64 words = region->summary[group] & ~1ULL << word % 64;

	if (!bits) {
		if (!words) {
			tops = region->top & ~1U << group;
			group = lowest_bit(tops ?: region->top | 1U << 8) & 7;
			words = region->summary[group];
		}
		word = group * 64 + lowest_bit(words) % 64;
		bits = region->free[word];
	}
	return bits ? word * 64 + lowest_bit(bits) : NAT_REGION_SLOTS;
}

/*
 * Any FREE slot for an internal port, or NAT_SLOT_NONE: of its parity and its side of 1024 if there is one, then of its
 * side alone (RFC 4787 REQ-3a, REQ-4), from a random start (RFC 6056, RFC 7857 section 9).
 */
static __always_inline __u32 port_search(const struct external *external, __u32 protocol, __u16 internal_port)
{
	__u32 random = bpf_get_prandom_u32(), kind = blur(NAT_PORT_KIND(internal_port), random);
	const struct port_class *class = NULL;
	struct region *region = NULL;
	__u32 offset;

#pragma clang loop unroll(disable)
	for (__u32 other = 0; other < NAT_PORT_KINDS; other++) {
		__u32 number;

		class = port_class_get(external, protocol, kind ^ other);
		number = class->region;
		region = class->count ? bpf_map_lookup_elem(&regions, &number) : NULL;
		if (region && region->top)
			break;
	}
	if (!region || !class->count)
		return NAT_SLOT_NONE;
	offset = region_search(region, random % class->count);
	return blur(offset < class->count ? class->first_slot + offset : NAT_SLOT_NONE, random);
}

/*
 * For when no slot is FREE: the daemon sweeps once a second, but should there be no daemon, expired mappings would keep
 * their ports. Looks at one slot of each kind, which is enough where most have expired, or gives NAT_SLOT_NONE.
 */
static __always_inline __u32 port_scavenge(const struct external *external, __u32 protocol, __u16 internal_port,
					   __u32 now)
{
	__u32 random = bpf_get_prandom_u32(), kind = blur(NAT_PORT_KIND(internal_port), random);

#pragma clang loop unroll(disable)
	for (__u32 other = 0; other < NAT_PORT_KINDS; other++) {
		const struct port_class *class = port_class_get(external, protocol, kind ^ other);
		struct mapping *map;
		__u32 slot;

		if (!class->count)
			continue;
		slot = class->first_slot + random % class->count;
		map = slot_get(slot);
		if (map && mapping_reclaim(slot, map, now))
			return slot;
	}
	return NAT_SLOT_NONE;
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

/* Does the router itself have a socket that packets from the remote to this external port would reach? */
static __always_inline bool port_has_socket(struct __sk_buff *skb, const struct packet *pkt,
					    const struct nat_addr *external_addr, __be16 external_port)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	__u32 size;

	if (pkt->protocol == NAT_ICMP)
		return false;
	size = socket_tuple(&tuple, &pkt->remote_addr, pkt->remote_port, external_addr, external_port);
	if (pkt->protocol == NAT_TCP)
		sk = bpf_skc_lookup_tcp(skb, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	else
		sk = bpf_sk_lookup_udp(skb, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return false;
	bpf_sk_release(sk);
	return true;
}

/*
 * A free slot whose port turned out to be the router's own: the router gets it as a mapping of its own for a while, so
 * that it is not tried again and again. Nothing in `endpoints` points to it.
 */
static __always_inline void port_reserve(__u32 slot, struct mapping *map, const struct nat_addr *external_addr,
					 __u32 now)
{
	struct endpoint router = {.port = map->external_port, .protocol = map->protocol, .addr = *external_addr};

	mapping_claim(slot, map, &router, now);
}

#endif
