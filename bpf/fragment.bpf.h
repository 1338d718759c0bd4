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

_Static_assert(sizeof(struct fragment_key) <= NAT_HELD_KEY_MAX, "the key fits into a record");

static __always_inline void held_head_fill(struct held_head *head, enum held_type type, const struct fragment_key *key)
{
	__builtin_memset(head, 0, sizeof(*head));
	head->type = type;
	head->direction = key->direction;
	__builtin_memcpy(head->key, key, sizeof(*key));
}

/* A constant wherever it is called: the direction is. */
static __always_inline void *held_ring(enum nat_direction direction)
{
	return direction == NAT_EGRESS ? (void *)&held_egress : (void *)&held_ingress;
}

/*
 * Is there a share of the daemon's attention left for this source? The counts are not exact between CPUs, nor need they be:
 * the daemon's store has bounds of its own.
 */
static __always_inline bool hold_take_share(const struct nat_addr *source, enum nat_direction direction)
{
	__u32 *taken = &config.hold_sources[direction][index_bounded(addr_hash(source), NAT_HOLD_SOURCES - 1)];

	if (config.hold_budget[direction] <= 0 || *taken >= NAT_HOLD_BUDGET / 2)
		return false;
	config.hold_budget[direction]--;
	++*taken;
	return true;
}

/* Hands a fragment to the daemon. False if that is not possible: it is dropped, then. */
static __always_inline bool fragment_hold(struct __sk_buff *skb, const struct fragment_key *key,
					  enum nat_direction direction)
{
	const struct nat_addr *source = direction == NAT_EGRESS ? &key->local_addr : &key->remote_addr;
	struct held_fragment *record;
	__u32 length = skb->len;
	__u64 wanted;

	if (length < IP_HEADER_MIN || length > NAT_HELD_FRAME_MAX || !hold_take_share(source, direction))
		return false;
	record = bpf_ringbuf_reserve(held_ring(direction), sizeof(*record), 0);
	if (!record)
		return false;
	held_head_fill(&record->head, HELD_FRAGMENT, key);
	record->head.length = length;
	/*
	 * The bounds once more, next to the call, one at a time, of a whole register: before 6.10 the verifier has forgotten them
	 * by now, and does not understand the single comparison that clang makes of the two.
	 */
	wanted = length;
	asm volatile("" : "+r"(wanted));
	if (wanted > NAT_HELD_FRAME_MAX)
		goto discard;
	asm volatile("" : "+r"(wanted));
	if (wanted < IP_HEADER_MIN || bpf_skb_load_bytes(skb, 0, record->frame, wanted))
		goto discard;
	bpf_ringbuf_submit(record, 0);
	return true;
discard:
	bpf_ringbuf_discard(record, 0);
	return false;
}

/* Called for every packet before it is rewritten; only first fragments cost anything. */
static __always_inline void fragment_record(const struct packet *pkt, enum nat_direction direction, __u32 slot,
					    __u32 now)
{
	struct fragment fragment = { .expires = now + config.timeout[NAT_TIMEOUT_FRAGMENT], .slot = slot };
	struct fragment_key key;

	if (!pkt->first)
		return;
	fragment.id = ip_id(pkt->ip);
	key = fragment_key_of(pkt, direction);
	bpf_map_update_elem(&fragments, &key, &fragment, BPF_ANY);
	if (config.holding[direction]) {
		struct held_head head;

		held_head_fill(&head, HELD_FIRST_KNOWN, &key);
		bpf_ringbuf_output(held_ring(direction), &head, sizeof(head), 0);
	}
}

/* What the first fragment left: a slot, or NAT_SLOT_NONE for "pass", and its identification. NULL: no (fresh) word of it. */
static __always_inline const struct fragment *fragment_lookup(const struct packet *pkt, enum nat_direction direction,
							      __u32 now)
{
	struct fragment_key key = fragment_key_of(pkt, direction);
	struct fragment *fragment = bpf_map_lookup_elem(&fragments, &key);

	return fragment && !clock_passed(fragment->expires, now) ? fragment : NULL;
}

/* A follower whose first has not been seen: held if the daemon takes it. */
static __always_inline enum nat_reason fragment_without_first(struct __sk_buff *skb, const struct packet *pkt,
							      enum nat_direction direction)
{
	struct fragment_key key = fragment_key_of(pkt, direction);

	return fragment_hold(skb, &key, direction) ? WHY_FRAGMENT_HELD : WHY_FRAGMENT_UNKNOWN;
}

#endif
