/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hairpinning (RFC 4787 REQ-9): what is on its way out to one of our own external addresses is turned round to come in
 * again by the same interface, as if from outside. Its source is external by then (REQ-9a), unless it was none of ours.
 *
 * What is turned round carries a mark that was chosen at random before loading, and ingress takes it off: without it nothing
 * from outside can claim our address for its source. A mark that it had on its way out is lost, as it must be: it comes in
 * as if from outside, and a rule of the routing policy would send it out again.
 */
#ifndef HAIRPIN_BPF_H
#define HAIRPIN_BPF_H

static __always_inline enum nat_reason hairpin(const struct packet *pkt, enum nat_reason why)
{
	if (reason_is(why, VERDICT_DROP) || reason_is(why, VERDICT_TURN) || why == WHY_NOT_IP || why == WHY_OTHER_VLAN)
		return why;
	if (external_lookup(&pkt->remote_addr) < 0)
		return why;
	return reason_is(why, VERDICT_DONE) ? WHY_HAIRPIN : WHY_HAIRPIN_PASSED;
}

/* Was the packet turned round by egress? The mark has done its work then. */
static __always_inline bool hairpin_has_turned(struct __sk_buff *skb)
{
	if (likely(skb->mark != constants.turn_mark))
		return false;
	skb->mark = 0;
	return true;
}

/*
 * A packet that came from outside with one of our addresses as its source, whatever its protocol. ICMP that is neither query
 * nor error passes: that is how an IPv6 neighbour tells us that it has the address, too (RFC 4862 section 5.4).
 */
static __always_inline enum nat_reason spoof_check(const struct packet *pkt, bool turned, enum nat_reason why)
{
	if (turned || (why != WHY_NONE && why != WHY_OTHER_PROTOCOL))
		return why;
	return external_lookup(&pkt->remote_addr) < 0 ? why : WHY_SPOOFED;
}

#endif
