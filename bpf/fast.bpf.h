/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short way: a whole TCP or UDP packet of a live mapping that changes no state, which nearly all packets are. Whatever
 * is not plainly one of those takes the long way, which decides everything; this one does only what that would have done.
 * Nothing is written before all is known, so that the long way finds the packet as it came.
 */
#ifndef FAST_BPF_H
#define FAST_BPF_H

struct fast {
	struct ip_header *ip;
	struct udphdr *ports; /* TCP has them in the same place */
	__u32 protocol;
};

/* Where the configuration asks for more on each packet, there is no short way: the verifier removes it. */
static __always_inline bool fast_is_allowed(void)
{
	return !constants.log_level && constants.filtering == FILTERING_ENDPOINT_INDEPENDENT &&
	       !(constants.policy_needs & POLICY_NEED_DESTINATION);
}

static __always_inline bool fast_parse(struct __sk_buff *skb, struct fast *fast)
{
	struct ip_header *ip = (void *)(long)skb->data + constants.l2_length;
	struct tcphdr *tcp = (void *)(ip + 1);
	struct udphdr *udp = (void *)(ip + 1);
	void *end = (void *)(long)skb->data_end;

	if (unlikely(skb->protocol != bpf_htons(FAMILY_ETHERTYPE) || skb->vlan_present))
		return false;
	if (unlikely((void *)(udp + 1) > end || !ip_is_plain(ip)))
		return false;
	fast->ip = ip;
	fast->ports = udp;
	if (ip_next(ip) == IPPROTO_UDP) {
		fast->protocol = NAT_UDP;
		return likely(udp->check && ip_payload(ip) >= (__s32)sizeof(*udp)); /* no checksum: see rewrite.bpf.h */
	}
	fast->protocol = NAT_TCP;
	if (unlikely(ip_next(ip) != IPPROTO_TCP || (void *)(tcp + 1) > end || ip_payload(ip) < (__s32)sizeof(*tcp)))
		return false;
	return likely(!(((__u8 *)tcp)[13] & (TCP_SYN | TCP_FIN | TCP_RST)));
}

/* Is the mapping live, and may its state stay as it is? */
static __always_inline bool fast_is_steady(const struct mapping *map, const struct external *external, __u32 protocol,
					   enum nat_direction direction)
{
	enum nat_timeout kind = protocol == NAT_TCP ? NAT_TIMEOUT_TCP_ESTABLISHED : NAT_TIMEOUT_UDP_CONFIRMED;
	__u32 now;

	if (unlikely(map->state != MAPPING_LIVE || map->generation != external->generation || !map->confirmed))
		return false;
	if (protocol == NAT_TCP && unlikely(!map->sessions))
		return false;
	now = clock_ticks();
	if (unlikely(clock_passed(map->expires, now)))
		return false;
	if (direction == NAT_INGRESS && protocol == NAT_UDP && !constants.refresh_inbound)
		return true;
	return likely((__s32)(now + config.timeout[kind] - map->expires) <= (__s32)config.refresh);
}

static __always_inline int fast_rewrite(struct __sk_buff *skb, struct fast *fast, enum nat_direction direction,
					const struct nat_addr *from, __be16 from_port, const struct nat_addr *to,
					__be16 to_port)
{
	__u32 transport = constants.l2_length + sizeof(*fast->ip);
	__u32 check = transport + __builtin_offsetof(struct tcphdr, check);
	__u64 flags = 0;
	int err;

	if (fast->protocol == NAT_UDP) {
		check = transport + __builtin_offsetof(struct udphdr, check);
		flags = BPF_F_MARK_MANGLED_0;
	}
	ip_write(fast->ip, direction, from, to);
	if (direction == NAT_EGRESS)
		fast->ports->source = to_port;
	else
		fast->ports->dest = to_port;
	err = transport_replace_addr(skb, direction, check, from, to, flags);
	if (from_port != to_port)
		err |= bpf_l4_csum_replace(skb, check, from_port, to_port, flags | sizeof(to_port));
	return err;
}

/* True if the packet was one for the short way; *verdict is then the program's. */
static __always_inline bool fast_out(struct __sk_buff *skb, int *verdict)
{
	struct nat_addr external_addr, remote_addr;
	const struct external *external;
	struct endpoint endpoint = {};
	struct mapping *map;
	struct fast fast;
	__u32 *slot;

	if (!fast_is_allowed() || !fast_parse(skb, &fast))
		return false;
	ip_get(fast.ip, NAT_EGRESS, &endpoint.addr, &remote_addr);
	endpoint.port = fast.ports->source;
	endpoint.protocol = fast.protocol;
	if (unlikely(constants.externals <= 1 ? external_has_addr(external_get(0), &remote_addr)
					      : external_lookup(&remote_addr) >= 0))
		return false; /* to be hairpinned */
	slot = bpf_map_lookup_elem(&endpoints, &endpoint);
	if (unlikely(!slot))
		return false;
	map = bpf_map_lookup_elem(&slots, slot);
	if (unlikely(!map || !mapping_belongs_to(map, &endpoint)))
		return false;
	external = external_get(constants.externals <= 1 ? 0 : map->external);
	if (!fast_is_steady(map, external, fast.protocol, NAT_EGRESS))
		return false;
	for (int i = 0; i < NAT_ADDR_WORDS; i++)
		external_addr.word[i] = external->addr[i];
	if (unlikely(fast_rewrite(skb, &fast, NAT_EGRESS, &endpoint.addr, endpoint.port, &external_addr,
				  map->external_port)))
		*verdict = finish(skb, NAT_EGRESS, WHY_REWRITE_FAILED);
	else
		*verdict = finish(skb, NAT_EGRESS, WHY_OUT);
	return true;
}

static __always_inline bool fast_in(struct __sk_buff *skb, int *verdict)
{
	struct nat_addr external_addr, remote_addr, internal_addr;
	struct mapping *map;
	struct fast fast;
	int number = 0;
	__be16 port;
	__u32 slot;

	if (!fast_is_allowed() || !fast_parse(skb, &fast))
		return false;
	ip_get(fast.ip, NAT_INGRESS, &external_addr, &remote_addr);
	if (unlikely(constants.externals <= 1 ? external_has_addr(external_get(0), &remote_addr)
					      : external_lookup(&remote_addr) >= 0))
		return false; /* spoofed */
	if (constants.externals > 1)
		number = external_lookup(&external_addr);
	else if (unlikely(!external_has_addr(external_get(0), &external_addr)))
		return false;
	if (unlikely(number < 0))
		return false;
	port = fast.ports->dest;
	slot = port_slot(number, fast.protocol, bpf_ntohs(port));
	map = slot == NAT_SLOT_NONE ? NULL : slot_get(slot);
	if (unlikely(!map) || !fast_is_steady(map, external_get(number), fast.protocol, NAT_INGRESS))
		return false;
	internal_addr = map->internal_addr;
	if (unlikely(fast_rewrite(skb, &fast, NAT_INGRESS, &external_addr, port, &internal_addr, map->internal_port)))
		*verdict = finish(skb, NAT_INGRESS, WHY_REWRITE_FAILED);
	else
		*verdict = finish(skb, NAT_INGRESS, WHY_IN);
	return true;
}

#endif
