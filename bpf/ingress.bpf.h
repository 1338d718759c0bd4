/* SPDX-License-Identifier: GPL-2.0-only */
/* A packet's way in from the external interface: its destination, external, becomes internal. It never makes a mapping. */
#ifndef INGRESS_BPF_H
#define INGRESS_BPF_H

static __always_inline enum nat_reason fragment_in(struct __sk_buff *skb, struct packet *pkt, __u32 now)
{
	struct nat_addr internal_addr;
	struct mapping *map;
	__u32 slot;

	if (!fragment_lookup(pkt, NAT_INGRESS, now, &slot))
		return fragment_without_first(skb, pkt, NAT_INGRESS);
	if (slot == NAT_SLOT_NONE)
		return WHY_FRAGMENT_PASSED;
	map = slot_get(slot);
	if (!map || !mapping_is_live(map, now))
		return WHY_FRAGMENT_UNKNOWN;
	internal_addr = map->internal_addr;
	rewrite_addr(skb, pkt, NAT_INGRESS, &internal_addr);
	return WHY_IN_FRAGMENT;
}

/* A managed port without a mapping: the router's if it has a socket there, an echo request is its to answer. */
static __always_inline enum nat_reason unmapped_in(struct __sk_buff *skb, const struct packet *pkt)
{
	if (pkt->protocol == NAT_ICMP && pkt->icmp_kind == ICMP_KIND_REQUEST)
		return WHY_ROUTER_ECHO;
	if (port_has_socket(skb, pkt, &pkt->local_addr, pkt->local_port))
		return WHY_ROUTER_SOCKET;
	return WHY_NO_MAPPING;
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

	enum nat_reason why = remote_refused(pkt, slot, map, now);

	if (why != WHY_NONE)
		return why;
	mapping_follow(map);
	if (pkt->protocol == NAT_TCP) {
		tcp_track(pkt, NAT_INGRESS, slot, map, now);
		if (map->sessions)
			mapping_refresh(map, now);
	}
	mapping_confirm(map);
	if (constants.refresh_inbound || mapping_is_static(map))
		mapping_refresh(map, now);
	fragment_record(pkt, NAT_INGRESS, slot, now);
	if (rewrite_endpoint(skb, pkt, NAT_INGRESS, &internal_addr, internal_port) || mss_clamp(skb, pkt))
		return WHY_REWRITE_FAILED;
	return WHY_IN;
}

static __always_inline enum nat_reason translate_in(struct __sk_buff *skb, struct packet *pkt)
{
	int number = blur(external_lookup(&pkt->local_addr), skb->len);
	__u32 now = blur(clock_ticks(), skb->len), slot;
	enum nat_reason why;
	struct mapping *map;

	if (number < 0)
		return WHY_NOT_EXTERNAL;
	if (pkt->follower)
		return fragment_in(skb, pkt, now);
	if (pkt->icmp_kind == ICMP_KIND_ERROR)
		return error_in(skb, pkt, number, now);
	slot = port_slot(number, pkt->protocol, bpf_ntohs(pkt->local_port));
	map = slot == NAT_SLOT_NONE ? NULL : slot_get(slot);
	if (map && mapping_is_live(map, now))
		return rewrite_in(skb, pkt, slot, map, now);
	why = map ? unmapped_in(skb, pkt) : WHY_UNMANAGED;
	if (!reason_is(why, VERDICT_DROP))
		fragment_record(pkt, NAT_INGRESS, NAT_SLOT_NONE, now);
	return why;
}

#endif
