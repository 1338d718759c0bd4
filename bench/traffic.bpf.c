// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traffic: an XDP program that BPF_PROG_TEST_RUN runs on live frames, and a TC program at the far end that counts them and
 * takes them away. And the empty program, which tells what a measurement by itself costs.
 */
#include "traffic.h"
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct traffic traffic;
__u64 received;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TRAFFIC_FLOWS_MAX);
	__type(key, __u32);
	__type(value, struct traffic_flow);
} flows SEC(".maps");

SEC("tc")
int empty(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

/* The kernel uses the pages again as the packet left them: the whole frame is written each time. */
SEC("xdp")
int generate(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	struct udphdr *udp = (void *)(ip + 1);
	__u32 number = traffic.next;
	struct traffic_flow *flow;

	flow = bpf_map_lookup_elem(&flows, &number);
	if (!flow || data + TRAFFIC_FRAME > (void *)(long)ctx->data_end)
		return XDP_DROP;
	traffic.next = number + 1 < traffic.flows ? number + 1 : 0;
	__builtin_memcpy(data, traffic.frame, TRAFFIC_FRAME);
	if (traffic.inwards) {
		ip->daddr = flow->addr;
		udp->dest = flow->port;
	} else {
		ip->saddr = flow->addr;
		udp->source = flow->port;
	}
	ip->check = flow->ip_check;
	udp->check = flow->udp_check;
	return bpf_redirect(traffic.ifindex, 0);
}

SEC("tc")
int sink(struct __sk_buff *skb)
{
	struct iphdr *ip = (void *)(long)skb->data + sizeof(struct ethhdr);

	if ((void *)(ip + 1) > (void *)(long)skb->data_end || ip->protocol != IPPROTO_UDP)
		return TC_ACT_UNSPEC;
	__sync_fetch_and_add(&received, 1);
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "GPL";
