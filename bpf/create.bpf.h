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

/* What a mapping that is being made goes through the steps with. */
struct creation {
	struct nat_addr external_addr;
	__u32 slot;
	struct mapping *map;
	struct slot_place place;
	struct acquisition acquisition;
};

/*
 * A free slot whose port turned out to be the router's own: the router gets it as a mapping of its own for a while, so
 * that it is not tried again and again. Nothing in `endpoints` points to it.
 */
static __always_inline void port_reserve(const struct creation *creation, __u32 now)
{
	struct endpoint router = { .port = creation->map->external_port,
				   .protocol = creation->map->protocol,
				   .addr = creation->external_addr };
	struct acquisition acquisition;

	if (host_take(&router.addr, router.protocol, now) != WHY_NONE)
		return;
	mapping_acquire(&creation->place, creation->map, &router, now, &acquisition);
	if (host_is_limited() && !acquisition.made)
		host_give_back(&router.addr, router.protocol);
}

/*
 * The slot that was chosen (or NAT_SLOT_NONE), or else one that is free, whose port is not the router's own. All that is in
 * the loop the verifier follows once for each attempt: no more than this is. WHY_NONE, or why there is none.
 */
static __always_inline enum nat_reason slot_find(struct __sk_buff *skb, const struct packet *pkt,
						 const struct endpoint *endpoint, const struct external *external,
						 __u32 now, struct creation *creation)
{
#pragma clang loop unroll(disable)
	for (int attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
		if (creation->slot == NAT_SLOT_NONE)
			creation->slot = port_search(external, endpoint->protocol, bpf_ntohs(endpoint->port));
		creation->slot = blur_number(creation->slot, now);
		creation->map = slot_get(creation->slot);
		if (!creation->map || !slot_locate(creation->map, creation->slot, &creation->place))
			return WHY_NO_PORT;
		if (likely(!port_is_routers(skb, pkt, creation->map, &creation->external_addr)))
			return WHY_NONE;
		port_reserve(creation, now);
		creation->slot = NAT_SLOT_NONE;
	}
	return WHY_BUSY;
}

/*
 * Makes it known. *slot becomes another CPU's choice where that one was faster, and *made says whether the mapping counts as
 * made by us: who reclaims it has that taken back.
 *
 * A new external address lets others reclaim the slot before it is known. Nobody would remove the endpoint then, so we look
 * at the slot once more afterwards, under the lock: either we see that it is gone, or who reclaims it sees the endpoint.
 */
static __always_inline enum nat_reason mapping_publish(const struct creation *creation, const struct endpoint *endpoint,
						       __u32 now, __u32 *slot, bool *made)
{
	__u32 known;

	*made = creation->acquisition.made;
	*slot = creation->slot;
	if (!bpf_map_update_elem(&endpoints, endpoint, slot, BPF_NOEXIST)) {
		event_mapping(EVENT_MAPPING_NEW, creation->map);
		if (mapping_revive(&creation->place, creation->map, endpoint, now))
			return WHY_NONE;
		endpoint_forget(endpoint, *slot);
		return WHY_BUSY;
	}
	known = endpoint_slot(endpoint);
	if (known == *slot)
		return WHY_NONE;
	if (*made)
		*made = !mapping_give_back(&creation->place, creation->map, creation->acquisition.epoch);
	*slot = known;
	return known == NAT_SLOT_NONE ? WHY_TABLE_FULL : WHY_NONE;
}

static __always_inline enum nat_reason mapping_create(struct __sk_buff *skb, const struct packet *pkt,
						      const struct endpoint *endpoint, __u32 number, __u32 now,
						      __u32 *slot, bool *made)
{
	const struct external *external = external_get(number);
	struct creation creation = { .slot = blur_number(port_choose(number, endpoint, now), now) };
	enum nat_reason why;

	for (int i = 0; i < NAT_ADDR_WORDS; i++)
		creation.external_addr.word[i] = external->addr[i];
	why = slot_find(skb, pkt, endpoint, external, now, &creation);
	if (why != WHY_NONE)
		return why;
	if (!mapping_acquire(&creation.place, creation.map, endpoint, now, &creation.acquisition))
		return WHY_BUSY;
	return mapping_publish(&creation, endpoint, now, slot, made);
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
 * Removes an entry to a slot that is not the endpoint's, and that nobody reclaims who would: every packet of the endpoint would
 * be lost. It may stay where a slot is given back that another CPU has just made known, or in maps that were copied while
 * packets went on. The entry is looked up first: who makes a mapping has the slot before there is an entry, so that a new one
 * is the endpoint's own by then.
 */
static __always_inline void endpoint_mend(const struct endpoint *endpoint, const struct mapping *map, __u32 slot)
{
	__u32 *known = bpf_map_lookup_elem(&endpoints, endpoint);

	if (known && *known == slot && map->state != MAPPING_RECLAIMING && !mapping_is_own(map, endpoint))
		bpf_map_delete_elem(&endpoints, endpoint);
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
	struct slot_place place;
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
	if (map && slot_locate(map, *slot, &place) && mapping_revive(&place, map, endpoint, now))
		return WHY_NONE;
	if (map)
		endpoint_mend(endpoint, map, *slot);
	return WHY_BUSY; /* just being reclaimed on another CPU, which removes this entry; or it was a wrong one */
}

#endif
