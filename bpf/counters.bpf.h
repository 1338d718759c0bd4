/* SPDX-License-Identifier: GPL-2.0-only */
/* The one way out: every verdict has a reason, and every reason is counted. */
#ifndef COUNTERS_BPF_H
#define COUNTERS_BPF_H

#include <linux/pkt_cls.h>

_Static_assert(NAT_REASON_COUNT < 64, "a reason is a bit of a 64-bit word");

enum verdict { VERDICT_PASS, VERDICT_DONE, VERDICT_TURN, VERDICT_DROP };

static __always_inline bool reason_is(enum nat_reason why, enum verdict wanted)
{
#define X(name, verdict, text) | ((__u64)(VERDICT_##verdict == wanted) << WHY_##name)
	return ((0 NAT_REASONS(X)) >> why) & 1;
#undef X
}

static __always_inline void counter_add(struct __sk_buff *skb, enum nat_direction direction, enum nat_reason why)
{
	__u32 key = direction * NAT_REASON_COUNT + why;
	struct counter *counter = bpf_map_lookup_elem(&counters, &key);

	if (!counter)
		return;
	counter->packets++;
	counter->bytes += skb->len;
}

/*
 * Counts, and turns the reason into what the hook understands. Packets that go on do so with TC_ACT_UNSPEC and not
 * TC_ACT_OK: the filters and programs behind ours get their turn, as if we were not there.
 */
static __always_inline int finish(struct __sk_buff *skb, enum nat_direction direction, enum nat_reason why)
{
	counter_add(skb, direction, why);
	if (direction == NAT_INGRESS && constants.inbound_mark && reason_is(why, VERDICT_DONE))
		skb->mark |= constants.inbound_mark;
	if (direction == NAT_INGRESS && constants.designated_mark && why == WHY_DESIGNATED)
		skb->mark = constants.designated_mark;
	if (reason_is(why, VERDICT_DROP))
		return TC_ACT_SHOT;
	if (direction == NAT_EGRESS && reason_is(why, VERDICT_TURN)) {
		skb->mark = constants.turn_mark; /* see hairpin.bpf.h */
		return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
	}
	return TC_ACT_UNSPEC;
}

#endif
