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
	__u32 kind = NAT_PORT_KIND(bpf_ntohs(map->external_port));
	const struct port_class *class = port_class_get(external_get(map->external), map->protocol, kind);
	__u32 number = class->region;

	place->offset = slot - class->first_slot;
	place->region = bpf_map_lookup_elem(&regions, &number);
	return place->region;
}

/* Both with the region's lock held. */
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

	region->free[word] &= ~(1ULL << place->offset % 64);
	if (region->free[word])
		return;
	region->summary[group] &= ~(1ULL << word % 64);
	if (!region->summary[group])
		region->top &= ~(1U << group);
}

static __always_inline bool mapping_has_current_address(const struct mapping *map)
{
	return map->generation == external_get(map->external)->generation;
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

static __always_inline bool mapping_is_live(const struct mapping *map, __u32 now)
{
	if (mapping_is_static(map))
		return true;
	return map->state == MAPPING_LIVE && mapping_has_current_address(map) && !clock_passed(map->expires, now);
}

/* True if the slot, live or not, is this endpoint's: it may have come to another since it was looked up. */
static __always_inline bool mapping_belongs_to(const struct mapping *map, const struct endpoint *endpoint)
{
	return map->internal_port == endpoint->port && map->protocol == endpoint->protocol &&
	       addr_equal(&map->internal_addr, &endpoint->addr);
}

/* Expired for so long that another host may have the port (RFC 6888 REQ-8), or of an address that is gone. */
static __always_inline bool mapping_is_reclaimable(const struct mapping *map, __u32 now)
{
	return map->state == MAPPING_LIVE && (!mapping_has_current_address(map) ||
					      clock_passed(map->expires + config.timeout[NAT_TIMEOUT_HOLD], now));
}

static __always_inline __u32 mapping_timeout(const struct mapping *map)
{
	__u32 kind = NAT_TIMEOUT_ICMP;

	if (mapping_is_static(map))
		return NAT_STATIC_TICKS;
	if (map->protocol == NAT_TCP)
		kind = NAT_TIMEOUT_TCP_TRANSITORY + is_any(map->sessions);
	else if (map->protocol == NAT_UDP)
		kind = NAT_TIMEOUT_UDP + is_any(map->confirmed);
	return config.timeout[index_bounded(blur(kind, map->expires), NAT_TIMEOUTS)];
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

/* FREE -> LIVE for this endpoint, with an epoch of its own; false if somebody was faster. */
static __always_inline bool mapping_claim(__u32 slot, struct mapping *map, const struct endpoint *endpoint, __u32 now,
					  __u16 *epoch)
{
	struct slot_place place;
	bool claimed;

	if (!slot_locate(map, slot, &place))
		return false;
	bpf_spin_lock(&place.region->lock);
	claimed = map->state == MAPPING_FREE;
	if (claimed) {
		map->internal_port = endpoint->port;
		map->internal_addr = endpoint->addr;
		mapping_start(map, now);
		*epoch = map->epoch;
		slot_mark_taken(&place);
	}
	bpf_spin_unlock(&place.region->lock);
	return claimed;
}

/* An expired mapping of this very endpoint starts again, on the same port; false if it is not its own any more. */
static __always_inline bool mapping_revive(__u32 slot, struct mapping *map, const struct endpoint *endpoint, __u32 now)
{
	struct slot_place place;
	bool own;

	if (!slot_locate(map, slot, &place))
		return false;
	bpf_spin_lock(&place.region->lock);
	own = map->state == MAPPING_LIVE && mapping_belongs_to(map, endpoint);
	if (own && (!mapping_has_current_address(map) || clock_passed(map->expires, now)))
		mapping_start(map, now);
	bpf_spin_unlock(&place.region->lock);
	return own;
}

/*
 * state -> FREE, for who has claimed the slot, or is reclaiming it. False if it is somebody else's by now: a new external
 * address lets a mapping be reclaimed that has just been made.
 */
static __always_inline bool mapping_release(__u32 slot, struct mapping *map, enum mapping_state state, __u16 epoch)
{
	struct slot_place place;
	bool own;

	if (!slot_locate(map, slot, &place))
		return false;
	bpf_spin_lock(&place.region->lock);
	own = map->state == state && map->epoch == epoch;
	if (own) {
		map->state = MAPPING_FREE;
		slot_mark_free(&place);
	}
	bpf_spin_unlock(&place.region->lock);
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
	mapping_release(slot, map, MAPPING_RECLAIMING, map->epoch);
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
