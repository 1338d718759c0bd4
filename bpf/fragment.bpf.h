/* SPDX-License-Identifier: GPL-2.0-only */
/* Fragments: the first one has the ports, and leaves word for its followers of what became of it. */
#ifndef FRAGMENT_BPF_H
#define FRAGMENT_BPF_H

static __always_inline struct fragment_key fragment_key_of(const struct packet *pkt, enum nat_direction direction)
{
	struct fragment_key key = {
		.local_addr = pkt->local_addr,
		.remote_addr = pkt->remote_addr,
		.id = pkt->fragment_id,
		.protocol = ip_fragment_protocol(pkt),
		.direction = direction,
	};

	return key;
}

/* Called for every packet before it is rewritten; only first fragments cost anything. */
static __always_inline void fragment_record(const struct packet *pkt, enum nat_direction direction, __u32 slot,
					    __u32 now)
{
	struct fragment fragment = { .expires = now + config.timeout[NAT_TIMEOUT_FRAGMENT], .slot = slot };
	struct fragment_key key;

	if (!pkt->first)
		return;
	key = fragment_key_of(pkt, direction);
	bpf_map_update_elem(&fragments, &key, &fragment, BPF_ANY);
}

/* What the first fragment left: a slot, or NAT_SLOT_NONE for "pass". False if there is no (fresh) word of it. */
static __always_inline bool fragment_lookup(const struct packet *pkt, enum nat_direction direction, __u32 now,
					    __u32 *slot)
{
	struct fragment_key key = fragment_key_of(pkt, direction);
	struct fragment *fragment = bpf_map_lookup_elem(&fragments, &key);

	if (!fragment || clock_passed(fragment->expires, now))
		return false;
	*slot = fragment->slot;
	return true;
}

#endif
