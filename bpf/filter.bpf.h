/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filtering that is stricter than endpoint-independent (RFC 4787 REQ-8): a remote must have been sent to before it is let
 * in. Endpoint-independent filtering, the default, needs none of this, and the verifier removes it. A static mapping is not
 * subject to it: it may have remotes of its own, and nobody else gets in. Nor are the router's own endpoints, which its own
 * firewall sees to, nor a designated server's.
 */
#ifndef FILTER_BPF_H
#define FILTER_BPF_H

static __always_inline struct remote_key remote_key_of(const struct packet *pkt, __u32 slot)
{
	struct remote_key key = { .slot = slot, .addr = pkt->remote_addr };

	if (constants.filtering == FILTERING_ADDRESS_AND_PORT && pkt->protocol != NAT_ICMP)
		key.port = pkt->remote_port;
	return key;
}

/* Outwards: from now on this remote may answer, for as long as the mapping itself would live. */
static __always_inline void remote_permit(const struct packet *pkt, __u32 slot, const struct mapping *map, __u32 now)
{
	struct remote remote = { .expires = now + mapping_timeout(map), .epoch = map->epoch };
	struct remote_key key;
	struct remote *known;

	if (constants.filtering == FILTERING_ENDPOINT_INDEPENDENT || mapping_is_static(map))
		return;
	key = remote_key_of(pkt, slot);
	known = bpf_map_lookup_elem(&remotes, &key);
	if (!known)
		bpf_map_update_elem(&remotes, &key, &remote, BPF_ANY);
	else
		*known = remote;
}

static __always_inline bool remote_is_known(const struct packet *pkt, __u32 slot, const struct mapping *map, __u32 now)
{
	struct remote *known;
	struct remote_key key;

	if (constants.filtering == FILTERING_ENDPOINT_INDEPENDENT)
		return true;
	if (addr_equal(&map->internal_addr, &pkt->local_addr) ||
	    (has_designated() && addr_is_zero(&map->internal_addr)))
		return true;
	key = remote_key_of(pkt, slot);
	known = bpf_map_lookup_elem(&remotes, &key);
	return known && known->epoch == map->epoch && !clock_passed(known->expires, now);
}

/* Inwards: it may answer for as long as the mapping lives, which its own packet may have made longer. */
static __always_inline void remote_extend(const struct packet *pkt, __u32 slot, const struct mapping *map)
{
	struct remote *known;
	struct remote_key key;

	if (constants.filtering == FILTERING_ENDPOINT_INDEPENDENT || mapping_is_static(map))
		return;
	key = remote_key_of(pkt, slot);
	known = bpf_map_lookup_elem(&remotes, &key);
	if (known && known->epoch == map->epoch)
		known->expires = map->expires;
}

/* Inwards: WHY_NONE, or why this remote is kept out. */
static __always_inline enum nat_reason remote_refused(const struct packet *pkt, __u32 slot, const struct mapping *map,
						      __u32 now)
{
	if (!mapping_is_static(map))
		return remote_is_known(pkt, slot, map, now) ? WHY_NONE : WHY_FILTERED;
	if (!map->epoch || policy_lookup(POLICY_REMOTES + map->epoch, &pkt->remote_addr, 0))
		return WHY_NONE;
	return WHY_NOT_PERMITTED;
}

#endif
