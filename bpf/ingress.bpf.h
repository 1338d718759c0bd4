/* SPDX-License-Identifier: GPL-2.0-only */
/* A packet's way in from the external interface: its destination, external, becomes internal. It never makes a mapping. */
#ifndef INGRESS_BPF_H
#define INGRESS_BPF_H

static __always_inline enum nat_reason fragment_in(struct __sk_buff *skb, struct packet *pkt, __u32 now)
{
	struct nat_addr internal_addr;
	const struct fragment *first = fragment_lookup(pkt, NAT_INGRESS, now);
	struct mapping *map;
	__u32 slot;

	if (!first)
		return fragment_without_first(skb, pkt, NAT_INGRESS);
	slot = first->slot;
	if (slot == NAT_SLOT_NONE)
		return WHY_FRAGMENT_PASSED;
	if (has_designated() && slot == NAT_SLOT_DESIGNATED)
		return WHY_DESIGNATED;
	map = slot_get(slot);
	if (!map || !mapping_is_live(map, now))
		return WHY_FRAGMENT_UNKNOWN;
	internal_addr = map->internal_addr;
	if (designated_owns(&internal_addr, pkt))
		return WHY_DESIGNATED;
	rewrite_addr(skb, pkt, NAT_INGRESS, &internal_addr);
	return WHY_IN_FRAGMENT;
}

/*
 * No mapping. It is the router's if it has a socket there, or if the port is not managed, and an echo request is its to
 * answer; but where there is a designated server, what no socket claims is that one's.
 */
static __always_inline enum nat_reason unmapped_in(struct __sk_buff *skb, const struct packet *pkt, bool is_managed)
{
	bool designated = designated_may_have(pkt);

	if (!is_managed && !designated)
		return WHY_UNMANAGED;
	if (pkt->protocol == NAT_ICMP && pkt->icmp_kind == ICMP_KIND_REQUEST && !designated)
		return WHY_ROUTER_ECHO;
	if (port_has_socket(skb, pkt, &pkt->local_addr, pkt->local_port))
		return WHY_ROUTER_SOCKET;
	return designated ? WHY_DESIGNATED : WHY_NO_MAPPING;
}

/* A packet from outside confirms a UDP mapping: its time counts from the last packet from inside, but is longer now. */
static __always_inline void mapping_confirm(struct mapping *map)
{
	if (map->confirmed || mapping_is_static(map))
		return;
	map->confirmed = 1;
	if (map->protocol == NAT_UDP)
		map->expires += config.timeout[NAT_TIMEOUT_UDP_CONFIRMED] - config.timeout[NAT_TIMEOUT_UDP];
}

static __always_inline enum nat_reason rewrite_in(struct __sk_buff *skb, struct packet *pkt, __u32 slot,
						  struct mapping *map, __u32 now)
{
	struct nat_addr internal_addr = map->internal_addr;
	__be16 internal_port = map->internal_port;
	bool designated = designated_owns(&internal_addr, pkt);

	enum nat_reason why = remote_refused(pkt, slot, map, now);

	if (why != WHY_NONE)
		return why;
	mapping_follow(map);
	if (pkt->protocol == NAT_TCP) {
		tcp_track(pkt, NAT_INGRESS, slot, map, now);
		if (map->sessions && tcp_is_established(pkt, slot, map))
			mapping_refresh(map, now);
	}
	mapping_confirm(map);
	if (constants.refresh_inbound || mapping_is_static(map))
		mapping_refresh(map, now);
	remote_extend(pkt, slot, map);
	fragment_record(pkt, NAT_INGRESS, slot, now);
	if (rewrite_endpoint(skb, pkt, NAT_INGRESS, &internal_addr, internal_port) || mss_clamp(skb, pkt))
		return WHY_REWRITE_FAILED;
	return designated ? WHY_DESIGNATED : WHY_IN;
}

/* What egress has turned round is for an external address, but for the errors that it makes itself. */
static __always_inline enum nat_reason translate_in(struct __sk_buff *skb, struct packet *pkt, bool turned)
{
	int number = blur(external_lookup(&pkt->local_addr), skb->len);
	__u32 now = blur(clock_ticks(), skb->len), slot;
	enum nat_reason why;
	struct mapping *map;

	if (number < 0)
		return turned && pkt->icmp_kind == ICMP_KIND_ERROR ? WHY_REFUSAL : WHY_NOT_EXTERNAL;
	if (pkt->follower)
		return fragment_in(skb, pkt, now);
	if (pkt->icmp_kind == ICMP_KIND_ERROR)
		return error_in(skb, pkt, number, now);
	slot = port_slot(number, pkt->protocol, bpf_ntohs(pkt->local_port));
	map = slot == NAT_SLOT_NONE ? NULL : slot_get(slot);
	if (map && mapping_is_live(map, now) && !designated_is_asked(pkt))
		return rewrite_in(skb, pkt, slot, map, now);
	why = unmapped_in(skb, pkt, map);
	if (!reason_is(why, VERDICT_DROP))
		fragment_record(pkt, NAT_INGRESS, why == WHY_DESIGNATED ? NAT_SLOT_DESIGNATED : NAT_SLOT_NONE, now);
	return why;
}

#endif
