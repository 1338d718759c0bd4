/* SPDX-License-Identifier: GPL-2.0-only */
/* Making a mapping for an internal endpoint that has none (RFC 4787 REQ-1: the remote is in no key). */
#ifndef CREATE_BPF_H
#define CREATE_BPF_H

/* TCP: only a SYN; ICMP: only a request. Nothing else may make a mapping, and nothing from outside ever. */
static __always_inline bool packet_may_create(const struct packet *pkt)
{
	switch (pkt->protocol) {
	case NAT_TCP:
		return (pkt->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
	case NAT_ICMP:
		return pkt->icmp_kind == ICMP_KIND_REQUEST;
	}
	return true;
}

/* The slot that `endpoints` has for the endpoint after somebody else was faster, or NAT_SLOT_NONE. */
static __always_inline __u32 endpoint_slot(const struct endpoint *endpoint)
{
	__u32 *slot = bpf_map_lookup_elem(&endpoints, endpoint);

	return slot ? *slot : NAT_SLOT_NONE;
}

/*
 * Claims the slot for the endpoint and makes it known. *slot becomes another CPU's choice where that one was faster, and
 * *made says whether the mapping counts as made by us: who reclaims it has that taken back. WHY_NONE: done; WHY_BUSY and
 * not made: try another slot; else final.
 *
 * A new external address lets others reclaim the slot before it is known. Nobody would remove the endpoint then, so we look
 * at the slot once more afterwards, under the lock: either we see that it is gone, or who reclaims it sees the endpoint.
 */
static __always_inline enum nat_reason mapping_publish(__u32 *slot, struct mapping *map,
						       const struct endpoint *endpoint, __u32 now, bool *made)
{
	__u16 epoch = 0;
	__u32 known;

	*made = mapping_claim(*slot, map, endpoint, now, &epoch);
	if (!*made && !mapping_revive(*slot, map, endpoint, now))
		return WHY_BUSY;
	if (!bpf_map_update_elem(&endpoints, endpoint, slot, BPF_NOEXIST)) {
		event_mapping(EVENT_MAPPING_NEW, map);
		if (mapping_revive(*slot, map, endpoint, now))
			return WHY_NONE;
		endpoint_forget(endpoint, *slot);
		return WHY_BUSY;
	}
	known = endpoint_slot(endpoint);
	if (known == *slot)
		return WHY_NONE;
	if (*made)
		*made = !mapping_release(*slot, map, MAPPING_LIVE, epoch);
	*slot = known;
	return known == NAT_SLOT_NONE ? WHY_TABLE_FULL : WHY_NONE;
}

/* The slot to try first: the internal port's own, or where none at all is free one that nobody swept yet; or none. */
static __always_inline __u32 port_choose(__u32 number, const struct endpoint *endpoint, __u32 now)
{
	const struct external *external = external_get(number);
	__u32 slot = port_preserve(number, endpoint, now);

	if (slot == NAT_SLOT_NONE && !port_kinds_free(external, endpoint->protocol, 0))
		slot = port_scavenge(external, endpoint->protocol, now);
	return slot;
}

/* A port of the router's own must not be given away; but a socket of its own may well use its own port. */
static __always_inline bool port_is_routers(struct __sk_buff *skb, const struct packet *pkt, const struct mapping *map,
					    const struct nat_addr *external_addr)
{
	if (pkt->local_port == map->external_port && addr_equal(&pkt->local_addr, external_addr) &&
	    !designated_sends(skb, &pkt->local_addr))
		return false;
	return port_has_socket(skb, pkt, external_addr, map->external_port);
}

static __always_inline enum nat_reason mapping_create(struct __sk_buff *skb, const struct packet *pkt,
						      const struct endpoint *endpoint, __u32 number, __u32 now,
						      __u32 *slot, bool *made)
{
	const struct external *external = external_get(number);
	enum nat_reason why = WHY_BUSY;
	struct nat_addr external_addr;

	for (int i = 0; i < NAT_ADDR_WORDS; i++)
		external_addr.word[i] = external->addr[i];
	*slot = port_choose(number, endpoint, now);
#pragma clang loop unroll(disable)
	for (int attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
		struct mapping *map;

		*slot = blur(*slot, now);
		if (*slot == NAT_SLOT_NONE)
			*slot = port_search(external, endpoint->protocol, bpf_ntohs(endpoint->port));
		map = slot_get(*slot);
		if (!map)
			return WHY_NO_PORT;
		if (port_is_routers(skb, pkt, map, &external_addr))
			port_reserve(*slot, map, &external_addr, now);
		else
			why = mapping_publish(slot, map, endpoint, now, made);
		if (likely(why != WHY_BUSY ||
			   *made)) /* or clang lays the loop out in a way that 5.10 takes for endless */
			break;
		*slot = NAT_SLOT_NONE;
	}
	return why;
}

/* The same within the limit of the internal host. */
static __always_inline enum nat_reason mapping_create_limited(struct __sk_buff *skb, const struct packet *pkt,
							      const struct endpoint *endpoint, __u32 number, __u32 now,
							      __u32 *slot)
{
	enum nat_reason why = host_take(&endpoint->addr, endpoint->protocol, now);
	bool made = false;

	if (why != WHY_NONE)
		return why;
	why = mapping_create(skb, pkt, endpoint, number, now, slot, &made);
	if (host_is_limited() && !made)
		host_give_back(&endpoint->addr, endpoint->protocol);
	return why;
}

/* Why a packet that no mapping serves is not to get one, or WHY_NONE if it is. */
static __always_inline enum nat_reason creation_refused(const struct packet *pkt, __u32 number, int own)
{
	const struct external *external = external_get(number);

	if (addr_is_special(&pkt->local_addr) || addr_is_special(&pkt->remote_addr))
		return WHY_EXEMPT;
	if (!external_manages(external, pkt->protocol))
		return WHY_PROTOCOL_OFF;
	if (own >= 0) {
		if (port_slot(own, pkt->protocol, bpf_ntohs(pkt->local_port)) == NAT_SLOT_NONE)
			return WHY_UNMANAGED;
		return packet_may_create(pkt) ? WHY_NONE : WHY_ROUTER;
	}
	if (policy_exempts_source(&pkt->local_addr))
		return WHY_EXEMPT;
	if (!external_is_set(external))
		return WHY_NO_ADDRESS;
	if (packet_may_create(pkt))
		return WHY_NONE;
	return pkt->protocol == NAT_TCP ? WHY_TCP_NO_MAPPING : WHY_ICMP_NO_MAPPING;
}

/*
 * The endpoint's mapping was not found live: takes up an expired one of its own again, or makes one. *slot is what
 * `endpoints` said (NAT_SLOT_NONE: nothing), and becomes the slot to use.
 */
static __always_inline enum nat_reason mapping_get_or_create(struct __sk_buff *skb, struct packet *pkt,
							     struct endpoint *endpoint, __u32 now, __u32 *slot)
{
	int own = blur(external_lookup(&pkt->local_addr), now);
	__u32 number = blur(external_choose(skb, pkt, own), now);
	enum nat_reason why = creation_refused(pkt, number, own);
	struct mapping *map;

	if (why != WHY_NONE)
		return why;
	packet_blur(pkt, now); /* again: each test above told the verifier something */
	endpoint->protocol = pkt->protocol;
	if (*slot == NAT_SLOT_NONE)
		return mapping_create_limited(skb, pkt, endpoint, number, now, slot);
	map = slot_get(*slot);
	if (map && !external_is_set(external_get(map->external)))
		return WHY_NO_ADDRESS; /* the sweep frees it, and the endpoint may have another */
	if (map && mapping_revive(*slot, map, endpoint, now))
		return WHY_NONE;
	return WHY_BUSY; /* just being reclaimed on another CPU, which removes this entry */
}

#endif
