/* SPDX-License-Identifier: GPL-2.0-only */
/* A packet's way out of the external interface: its source, internal, becomes external. */
#ifndef EGRESS_BPF_H
#define EGRESS_BPF_H

/* A later fragment goes the way of its first. */
static __always_inline enum nat_reason fragment_out(struct __sk_buff *skb, struct packet *pkt, __u32 now)
{
	struct nat_addr external_addr, internal_addr;
	const struct fragment *first;
	struct mapping *map;
	__be16 id;
	__u32 slot;

	if (skb->mark == constants.turn_mark)
		return WHY_FRAGMENT_RETURNED;
	first = fragment_lookup(pkt, NAT_EGRESS, now);
	if (!first) {
		if (external_lookup(&pkt->local_addr) >= 0 || policy_exempts_source(&pkt->local_addr))
			return WHY_ROUTER;
		return fragment_without_first(skb, pkt, NAT_EGRESS);
	}
	slot = first->slot;
	id = first->id;
	if (slot == NAT_SLOT_NONE)
		return WHY_FRAGMENT_PASSED;
	if (has_designated() && slot == NAT_SLOT_DESIGNATED)
		return WHY_TO_DESIGNATED;
	map = slot_get(slot);
	internal_addr_of(skb, pkt, &internal_addr);
	if (!map || !mapping_is_live(map, now) || !addr_equal(&map->internal_addr, &internal_addr))
		return WHY_FRAGMENT_UNKNOWN;
	if (!mapping_source(map, &external_addr))
		return WHY_NO_ADDRESS;
	ip_set_id(pkt->ip, id);
	rewrite_addr(skb, pkt, NAT_EGRESS, &external_addr);
	return WHY_OUT_FRAGMENT;
}

/* The packet's mapping is known and live: keep it alive, and write the external endpoint. */
static __always_inline enum nat_reason rewrite_out(struct __sk_buff *skb, struct packet *pkt, __u32 slot,
						   struct mapping *map, __u32 now)
{
	struct nat_addr external_addr;

	if (!mapping_source(map, &external_addr))
		return WHY_NO_ADDRESS;
	if (pkt->protocol == NAT_TCP)
		tcp_track(pkt, NAT_EGRESS, slot, map, now);
	if (!(pkt->tcp_flags & TCP_RST)) /* RFC 7857 section 7.1: a refusal keeps nothing alive */
		mapping_refresh(map, now);
	remote_permit(pkt, slot, map, now);
	ip_renumber(pkt->ip, &pkt->remote_addr);
	fragment_record(pkt, NAT_EGRESS, slot, now);
	if (rewrite_endpoint(skb, pkt, NAT_EGRESS, &external_addr, map->external_port) || mss_clamp(skb, pkt))
		return WHY_REWRITE_FAILED;
	return WHY_OUT;
}

/*
 * From inside to our external address: does nobody claim it? Then the server gets it with its real source. Answers to ICMP
 * queries are the server's, too: what is mapped has sent its queries by this interface, and hears from outside.
 */
static __always_inline bool designated_gets_out(struct __sk_buff *skb, const struct packet *pkt, __u32 now)
{
	__u32 number, slot;
	struct mapping *map;

	if (!designated_concerns(skb, pkt))
		return false;
	number = blur(external_lookup(&pkt->remote_addr), now);
	if (pkt->icmp_kind == ICMP_KIND_ERROR)
		return error_is_unclaimed(skb, pkt, number, now);
	if (pkt->protocol != NAT_ICMP) {
		slot = port_slot(number, pkt->protocol, bpf_ntohs(pkt->remote_port));
		map = slot == NAT_SLOT_NONE ? NULL : slot_get(slot);
		if (map && mapping_is_live(map, now) && !addr_is_zero(&map->internal_addr))
			return false;
		if (endpoint_has_socket(skb, pkt->protocol, &pkt->local_addr, pkt->local_port, &pkt->remote_addr,
					pkt->remote_port))
			return false;
	}
	fragment_record(pkt, NAT_EGRESS, NAT_SLOT_DESIGNATED, now);
	return true;
}

static __always_inline enum nat_reason translate_out(struct __sk_buff *skb, struct packet *pkt)
{
	struct endpoint endpoint = { .port = pkt->local_port, .protocol = pkt->protocol, .addr = pkt->local_addr };
	__u32 now = blur(clock_ticks(), skb->len), made = 0, slot;
	enum nat_reason why;
	struct mapping *map;

	if (policy_exempts_destination(&pkt->remote_addr))
		return WHY_EXEMPT;
	if (pkt->follower)
		return fragment_out(skb, pkt, now);
	if (designated_gets_out(skb, pkt, now))
		return WHY_TO_DESIGNATED;
	if (pkt->icmp_kind == ICMP_KIND_ERROR)
		return error_out(skb, pkt, now);
	if (pkt->icmp_kind == ICMP_KIND_REPLY && designated_sends(skb, &pkt->local_addr))
		return WHY_ROUTER; /* it has been asked as it is, see designated_is_asked() */
	internal_addr_of(skb, pkt, &endpoint.addr);
	slot = endpoint_slot(&endpoint);
	map = slot == NAT_SLOT_NONE ? NULL : slot_get(slot);
	if (!map || !mapping_is_live(map, now) || !mapping_belongs_to(map, &endpoint)) {
		why = blur(mapping_get_or_create(skb, pkt, &endpoint, now, &slot), now);
		if (why != WHY_NONE) {
			if (!reason_is(why, VERDICT_DROP))
				fragment_record(pkt, NAT_EGRESS, NAT_SLOT_NONE, now);
			return why;
		}
		map = slot_get(slot);
		if (!map)
			return WHY_BUSY;
		made = 1;
	}
	made = blur(made, now);
	why = rewrite_out(skb, pkt, slot, map, now);
	return why == WHY_OUT && made ? WHY_OUT_NEW : why;
}

#endif
