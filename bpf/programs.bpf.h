/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs, the same for both families. Read from here: egress.bpf.h and ingress.bpf.h are a packet's ways, and what
 * they call stands in the headers above them. fast.bpf.h is a shorter way to the same end for most packets.
 */
#include "parse.bpf.h"
#include "counters.bpf.h"
#include "events.bpf.h"
#include "external.bpf.h"
#include "policy.bpf.h"
#include "designated.bpf.h"
#include "host.bpf.h"
#include "mapping.bpf.h"
#include "filter.bpf.h"
#include "port.bpf.h"
#include "create.bpf.h"
#include "tcp.bpf.h"
#include "rewrite.bpf.h"
#include "mss.bpf.h"
#include "fragment.bpf.h"
#include "icmp.bpf.h"
#include "refusal.bpf.h"
#include "egress.bpf.h"
#include "ingress.bpf.h"
#include "hairpin.bpf.h"
#include "fast.bpf.h"

/*
 * The long way has the context by another name: it would claim the registers, and leave the short one's values on the
 * stack. And the packet in memory: as values, clang would hand each field to each way out.
 */
#define LONG_WAY(skb, pkt)                                   \
	do {                                                 \
		asm volatile("%0 = %0" : "+r"(skb));         \
		asm volatile("" : : "r"(&(pkt)) : "memory"); \
		__builtin_memset(&(pkt), 0, sizeof(pkt));    \
	} while (0)

SEC("tcx/egress")
int nat_egress(struct __sk_buff *skb)
{
	struct packet pkt;
	enum nat_reason why;
	int verdict;

	if (likely(fast_translate(skb, NAT_EGRESS, &verdict)))
		return verdict;
	LONG_WAY(skb, pkt);
	why = packet_parse(skb, &pkt, NAT_EGRESS);

	why = designated_other_out(skb, &pkt, why);
	if (why == WHY_NONE)
		why = translate_out(skb, &pkt);
	why = blur(why, skb->len);
	why = hairpin(&pkt, why);
	event_packet(&pkt, NAT_EGRESS, why);
	if (has_designated() && why == WHY_TO_DESIGNATED)
		return designated_redirect(skb, &pkt);
	if (reason_is_refusal(why))
		return refuse(skb, why);
	return finish(skb, NAT_EGRESS, why);
}

SEC("tcx/ingress")
int nat_ingress(struct __sk_buff *skb)
{
	struct packet pkt;
	enum nat_reason why;
	__u64 turned;
	int verdict;

	if (likely(fast_translate(skb, NAT_INGRESS, &verdict)))
		return verdict;
	LONG_WAY(skb, pkt);
	turned = blur(hairpin_has_turned(skb), skb->len);
	why = packet_parse(skb, &pkt, NAT_INGRESS);

	why = spoof_check(&pkt, turned, why);
	why = designated_other_in(&pkt, why);
	if (why == WHY_NONE)
		why = translate_in(skb, &pkt, turned);
	why = blur(why, skb->len);
	event_packet(&pkt, NAT_INGRESS, why);
	return finish(skb, NAT_INGRESS, why);
}

/* Not attached anywhere: the daemon runs it by BPF_PROG_TEST_RUN, as many times as it takes to go round the table. */
SEC("tc")
int nat_sweep(struct __sk_buff *skb)
{
	mapping_sweep(blur(clock_ticks(), skb->len));
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "GPL";
