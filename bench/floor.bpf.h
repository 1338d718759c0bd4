/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The floor that the NAT's programs are measured against: what no NAT with one table outwards and two arrays inwards can
 * leave out, and not one instruction more than the verifier demands. It believes that every packet is a whole TCP or UDP
 * packet of a live mapping, counts nothing, reads no clock, follows no connection and never says no. Not for use.
 *
 * The maps are the NAT's own: bench/cost.c puts their descriptors in, so type, size and contents are the same.
 */
#ifndef FLOOR_BPF_H
#define FLOOR_BPF_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#define TRANSPORT (sizeof(struct ethhdr) + sizeof(struct floor_ip))

const volatile __be32 external_addr[NAT_ADDR_WORDS];
const volatile __u32 first_slot[NAT_PROTOCOLS];

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mapping);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct port_block);
} port_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct endpoint);
	__type(value, __u32);
} endpoints SEC(".maps");

static __always_inline __u32 floor_protocol(__u8 ip_protocol)
{
	return ip_protocol == IPPROTO_TCP ? NAT_TCP : NAT_UDP;
}

struct change {
	struct nat_addr from, to;
	__be16 from_port, to_port;
};

/*
 * The transport checksum. A UDP checksum of zero is none: no NAT may forget the flag (RFC 768). The port by a call of its
 * own, since a checksum that the network card is to complete holds the addresses alone.
 */
static __always_inline int floor_finish(struct __sk_buff *skb, __u32 protocol, enum nat_direction direction,
					const struct change *change)
{
	__u32 check = TRANSPORT + offsetof(struct tcphdr, check);
	__u64 flags = 0;

	if (protocol == NAT_UDP) {
		check = TRANSPORT + offsetof(struct udphdr, check);
		flags = BPF_F_MARK_MANGLED_0;
	}
	floor_checksum(skb, check, direction, &change->from, &change->to, flags);
	if (change->from_port != change->to_port)
		bpf_l4_csum_replace(skb, check, change->from_port, change->to_port, flags | sizeof(__be16));
	return TC_ACT_UNSPEC;
}

SEC("tc")
int floor_egress(struct __sk_buff *skb)
{
	struct floor_ip *ip = (void *)(long)skb->data + sizeof(struct ethhdr);
	struct udphdr *ports = (void *)(ip + 1);
	struct endpoint endpoint = {};
	struct change change;
	struct mapping *map;
	__u32 *slot;

	if ((void *)(ports + 1) > (void *)(long)skb->data_end)
		return TC_ACT_SHOT;
	endpoint.protocol = floor_protocol(floor_ip_protocol(ip));
	endpoint.port = ports->source;
	__builtin_memcpy(&endpoint.addr, &ip->saddr, sizeof(endpoint.addr));
	slot = bpf_map_lookup_elem(&endpoints, &endpoint);
	if (!slot)
		return TC_ACT_SHOT;
	map = bpf_map_lookup_elem(&slots, slot);
	if (!map)
		return TC_ACT_SHOT;
	change.from = endpoint.addr;
	for (int i = 0; i < NAT_ADDR_WORDS; i++)
		change.to.word[i] = external_addr[i];
	change.from_port = endpoint.port;
	change.to_port = map->external_port;
	floor_ip_checksum(ip, &change.from, &change.to);
	__builtin_memcpy(&ip->saddr, &change.to, sizeof(change.to));
	ports->source = change.to_port;
	return floor_finish(skb, endpoint.protocol, NAT_EGRESS, &change);
}

SEC("tc")
int floor_ingress(struct __sk_buff *skb)
{
	struct floor_ip *ip = (void *)(long)skb->data + sizeof(struct ethhdr);
	struct udphdr *ports = (void *)(ip + 1);
	struct port_block *block;
	struct change change;
	__u32 protocol, key, slot;
	struct mapping *map;
	__u16 port;

	if ((void *)(ports + 1) > (void *)(long)skb->data_end)
		return TC_ACT_SHOT;
	protocol = floor_protocol(floor_ip_protocol(ip));
	port = bpf_ntohs(ports->dest);
	key = (protocol << 16 | port) / NAT_PORT_BLOCK;
	block = bpf_map_lookup_elem(&port_index, &key);
	if (!block)
		return TC_ACT_SHOT;
	slot = first_slot[protocol] + block->offset[port % NAT_PORT_BLOCK] - 1;
	map = bpf_map_lookup_elem(&slots, &slot);
	if (!map)
		return TC_ACT_SHOT;
	change.to = map->internal_addr;
	__builtin_memcpy(&change.from, &ip->daddr, sizeof(change.from));
	change.from_port = ports->dest;
	change.to_port = map->internal_port;
	floor_ip_checksum(ip, &change.from, &change.to);
	__builtin_memcpy(&ip->daddr, &change.to, sizeof(change.to));
	ports->dest = change.to_port;
	return floor_finish(skb, protocol, NAT_INGRESS, &change);
}

char LICENSE[] SEC("license") = "GPL";

#endif
