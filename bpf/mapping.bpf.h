/* SPDX-License-Identifier: GPL-2.0-only */
/* Mappings: the life of a slot. The states, and who may change them, stand above struct mapping in nat.h. */
#ifndef MAPPING_BPF_H
#define MAPPING_BPF_H

static __always_inline struct mapping *slot_get(__u32 slot)
{
	return bpf_map_lookup_elem(&slots, &slot);
}

/* Where the FREE bit of a slot is: bit `offset` of its class. */
struct slot_place {
	struct region *region;
	__u32 offset;
};

static __always_inline bool slot_locate(const struct mapping *map, __u32 slot, struct slot_place *place)
{
	__u32 kind = port_kind(bpf_ntohs(map->external_port));
	const struct port_class *class = port_class_get(external_get(map->external), map->protocol, kind);
	__u32 number = class->region;

	place->offset = slot - class->first_slot;
	place->region = bpf_map_lookup_elem(&regions, &number);
	return place->region;
}

/* Both with the region's lock held, and without a branch: the verifier follows each way from every place that marks a slot. */
static __always_inline void slot_mark_free(const struct slot_place *place)
{
	struct region *region = place->region;
	__u32 word = index_bounded(place->offset / 64, 511), group = word / 64;

	region->free[word] |= 1ULL << place->offset % 64;
	region->summary[group] |= 1ULL << word % 64;
	region->top |= 1U << group;
}

static __always_inline void slot_mark_taken(const struct slot_place *place)
{
	struct region *region = place->region;
	__u32 word = index_bounded(place->offset / 64, 511), group = word / 64;
	__u64 free = region->free[word] & ~(1ULL << place->offset % 64);
	__u64 summary = region->summary[group] & ~((is_any(free) ^ 1ULL) << word % 64);

	region->free[word] = free;
	region->summary[group] = summary;
	region->top &= ~((is_any(summary) ^ 1) << group);
}

static __always_inline bool mapping_is_static(const struct mapping *map)
{
	return map->state == MAPPING_STATIC;
}

/* A static mapping goes on with another address: this is where it learns of it. */
static __always_inline void mapping_follow(struct mapping *map)
{
	if (mapping_is_static(map))
		map->generation = external_get(map->external)->generation;
}

/* See external_source(). */
static __always_inline bool mapping_source(struct mapping *map, struct nat_addr *addr)
{
	mapping_follow(map);
	return external_source(external_get(map->external), map->generation, addr);
}

/* A live one whose time is not over, and whose address is still there. A word of differences, since each && is a branch. */
static __always_inline bool mapping_is_current(const struct mapping *map, __u32 now)
{
	return !((map->state ^ MAPPING_LIVE) | (map->generation ^ external_get(map->external)->generation) |
		 clock_passed(map->expires, now));
}

static __always_inline bool mapping_is_live(const struct mapping *map, __u32 now)
{
	return mapping_is_static(map) || mapping_is_current(map, now);
}

/* True if the slot, live or not, is this endpoint's: it may have come to another since it was looked up. */
static __always_inline bool mapping_belongs_to(const struct mapping *map, const struct endpoint *endpoint)
{
	__u32 difference = (map->internal_port ^ endpoint->port) | (map->protocol ^ endpoint->protocol);

	for (int i = 0; i < NAT_ADDR_WORDS; i++)
		difference |= map->internal_addr.word[i] ^ endpoint->addr.word[i];
	return !difference;
}

/* Its own endpoint's, expired or not. */
static __always_inline bool mapping_is_own(const struct mapping *map, const struct endpoint *endpoint)
{
	return map->state == MAPPING_LIVE && mapping_belongs_to(map, endpoint);
}

/* Expired for so long that another host may have the port (RFC 6888 REQ-8), or of an address that is gone. */
static __always_inline bool mapping_is_reclaimable(const struct mapping *map, __u32 now)
{
	__u32 over = is_any(map->generation ^ external_get(map->external)->generation) |
		     clock_passed(map->expires + config.timeout[NAT_TIMEOUT_HOLD], now);

	return over & (is_any(map->state ^ MAPPING_LIVE) ^ 1);
}

_Static_assert(NAT_TIMEOUT_UDP == 0 && NAT_TIMEOUT_UDP_CONFIRMED == 1 && NAT_TIMEOUT_TCP_TRANSITORY == 2 &&
		       NAT_TIMEOUT_TCP_ESTABLISHED == 3 && NAT_TIMEOUT_ICMP == 4 && NAT_TCP == 0 && NAT_UDP == 1 &&
		       NAT_ICMP == 2,
	       "see mapping_timeout()");

/* Arithmetic, for the verifier's sake: of TCP the timeout depends on `sessions`, which others have not, of UDP on `confirmed`. */
static __always_inline __u32 mapping_timeout(const struct mapping *map)
{
	__u32 kind = 0x402 >> 4 * map->protocol & 7;

	if (mapping_is_static(map))
		return NAT_STATIC_TICKS;
	kind += is_any(map->sessions) | (map->confirmed & map->protocol);
	return config.timeout[index_bounded(kind, NAT_TIMEOUTS)];
}

/* RFC 4787 REQ-6: a packet from inside keeps the mapping. Written only when it makes a difference. */
static __always_inline void mapping_refresh(struct mapping *map, __u32 now)
{
	__u32 expires = now + mapping_timeout(map);

	if ((__s32)(expires - map->expires) > (__s32)config.refresh)
		map->expires = expires;
}

/* With the region's lock held: the beginning of a mapping's life, the endpoint already in place. */
static __always_inline void mapping_start(struct mapping *map, __u32 now)
{
	map->state = MAPPING_LIVE;
	map->generation = external_get(map->external)->generation;
	map->sessions = 0;
	map->confirmed = 0;
	map->epoch++;
	map->expires = now + mapping_timeout(map);
}

/* How mapping_acquire() came by a slot. */
struct acquisition {
	bool made;   /* it was FREE: nobody else's to give back */
	__u16 epoch; /* that it has had since */
};

/* FREE -> LIVE for this endpoint, with an epoch of its own; or its own mapping already. False: it is somebody else's. */
static __always_inline bool mapping_acquire(const struct slot_place *place, struct mapping *map,
					    const struct endpoint *endpoint, __u32 now, struct acquisition *result)
{
	bool own;

	result->made = false;
	bpf_spin_lock(&place->region->lock);
	own = mapping_is_own(map, endpoint);
	if (map->state == MAPPING_FREE) {
		map->internal_port = endpoint->port;
		map->internal_addr = endpoint->addr;
		slot_mark_taken(place);
		result->made = own = true;
	}
	if (own && !mapping_is_current(map, now))
		mapping_start(map, now);
	result->epoch = map->epoch;
	bpf_spin_unlock(&place->region->lock);
	return own;
}

/* An expired mapping of this very endpoint starts again, on the same port; false if it is not its own any more. */
static __always_inline bool mapping_revive(const struct slot_place *place, struct mapping *map,
					   const struct endpoint *endpoint, __u32 now)
{
	bool own;

	bpf_spin_lock(&place->region->lock);
	own = mapping_is_own(map, endpoint);
	if (own && !mapping_is_current(map, now))
		mapping_start(map, now);
	bpf_spin_unlock(&place->region->lock);
	return own;
}

/* LIVE -> FREE, for who has made it; false if it is somebody else's by now: a new external address lets others reclaim it. */
static __always_inline bool mapping_give_back(const struct slot_place *place, struct mapping *map, __u16 epoch)
{
	bool own;

	bpf_spin_lock(&place->region->lock);
	own = map->state == MAPPING_LIVE && map->epoch == epoch;
	if (own) {
		map->state = MAPPING_FREE;
		slot_mark_free(place);
	}
	bpf_spin_unlock(&place->region->lock);
	return own;
}

/* Removes the endpoint, if it is this slot that it points to. */
static __always_inline void endpoint_forget(const struct endpoint *endpoint, __u32 slot)
{
	__u32 *owned = bpf_map_lookup_elem(&endpoints, endpoint);

	if (owned && *owned == slot)
		bpf_map_delete_elem(&endpoints, endpoint);
}

/* Frees the slot of a mapping whose time, and hold-down, is over, together with the endpoint that points to it. */
static __always_inline bool mapping_reclaim(__u32 slot, struct mapping *map, __u32 now)
{
	FRESH(struct endpoint) endpoint;
	struct slot_place place;
	bool reclaimable;

	if (!mapping_is_reclaimable(map, now) || !slot_locate(map, slot, &place))
		return false;
	bpf_spin_lock(&place.region->lock);
	reclaimable = mapping_is_reclaimable(map, now);
	if (reclaimable)
		map->state = MAPPING_RECLAIMING;
	bpf_spin_unlock(&place.region->lock);
	if (!reclaimable)
		return false;
	fresh_clear(&endpoint);
	endpoint.it.port = map->internal_port;
	endpoint.it.protocol = map->protocol;
	endpoint.it.addr = map->internal_addr;
	endpoint_forget(&endpoint.it, slot);
	host_give_back(&endpoint.it.addr, endpoint.it.protocol);
	event_mapping(EVENT_MAPPING_END, map);
	bpf_spin_lock(&place.region->lock);
	map->state = MAPPING_FREE;
	slot_mark_free(&place);
	bpf_spin_unlock(&place.region->lock);
	return true;
}

/*
 * Looks at the next slots in turn, to the first whose time is over, and frees that one. The packet path does not depend on
 * it. (One at most: the verifier would follow the freeing once for each.)
 */
static __always_inline void mapping_sweep(__u32 now)
{
	__u32 start = blur(config.swept, now), slot = 0;
	struct mapping *map = NULL;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < NAT_SWEEP_SLOTS; i++) {
		slot = start++ % config.slots;
		map = slot_get(slot);
		if (map && mapping_is_reclaimable(map, now))
			break;
		map = NULL;
	}
	config.swept = start;
	if (map)
		mapping_reclaim(slot, map, now);
}

#endif
