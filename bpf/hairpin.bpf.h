/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hairpinning (RFC 4787 REQ-9): what is on its way out to one of our own external addresses is turned round to come in
 * again by the same interface, as if from outside. Its source is external by then (REQ-9a), unless it was none of ours.
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

#endif
