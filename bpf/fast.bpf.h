/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short way: a whole TCP or UDP packet of a live mapping that changes no state, which nearly all packets are. Whatever
 * is not plainly one of those takes the long way, which decides everything; this one does only what that would have done.
 * Nothing is written before all is known, so that the long way finds the packet as it came.
 */
#ifndef FAST_BPF_H
#define FAST_BPF_H

/*
 * One packet's way. `protocol`, `single` (there is one external address) and the direction are constants wherever they are
 * passed: each combination is compiled by itself, and asks nothing about them.
 */
struct fast {
	struct ip_header *ip;
	struct udphdr *ports; /* TCP has them in the same place */
	__u32 transport;      /* offset of them from the frame's start */
	struct nat_addr local_addr;
	struct nat_addr remote_addr;
};

/* Where the configuration asks for more on each packet, there is no short way: the verifier removes it. */
static __always_inline bool fast_is_allowed(void)
{
	return !constants.log_level && constants.filtering == FILTERING_ENDPOINT_INDEPENDENT &&
	       !(constants.policy_needs & POLICY_NEED_DESTINATION);
}

static __always_inline bool fast_parse_ip(struct __sk_buff *skb, struct fast *fast, enum nat_direction direction)
{
	__u32 l2_length = constants.l2_length;
	struct ip_header *ip = (void *)(long)skb->data + l2_length;

	fast->ip = ip;
	fast->ports = (void *)(ip + 1);
	fast->transport = l2_length + sizeof(*ip);
	if (unlikely(skb->protocol != bpf_htons(FAMILY_ETHERTYPE) || skb->vlan_present))
		return false;
	if (unlikely((void *)(fast->ports + 1) > (void *)(long)skb->data_end || !ip_is_plain(ip)))
		return false;
	ip_get(ip, direction, &fast->local_addr, &fast->remote_addr);
	return true;
}

static __always_inline bool fast_parse_transport(struct __sk_buff *skb, const struct fast *fast,
						 enum nat_protocol protocol)
{
	const struct tcphdr *tcp = (void *)fast->ports;

	if (protocol == NAT_UDP) /* no checksum: see rewrite.bpf.h */
		return fast->ports->check && ip_payload(fast->ip) >= (__s32)sizeof(*fast->ports);
	if ((void *)(tcp + 1) > (void *)(long)skb->data_end || ip_payload(fast->ip) < (__s32)sizeof(*tcp))
		return false;
	return !(((const __u8 *)tcp)[13] & (TCP_SYN | TCP_FIN | TCP_RST));
}

static __always_inline int fast_external(const struct nat_addr *addr, bool single)
{
	if (single)
		return external_has_addr(external_get(0), addr) ? 0 : -1;
	return external_lookup(addr);
}

/* Is the mapping live, and may its state stay as it is? */
static __always_inline bool fast_is_steady(const struct mapping *map, const struct external *external,
					   enum nat_protocol protocol, enum nat_direction direction)
{
	enum nat_timeout kind = protocol == NAT_TCP ? NAT_TIMEOUT_TCP_ESTABLISHED : NAT_TIMEOUT_UDP_CONFIRMED;
	__u32 now;

	if (unlikely(!(map->state & MAPPING_LIVE) || map->generation != external->generation || !map->confirmed))
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

/* Writes the local endpoint, counts, and gives the program's verdict. */
static __always_inline int fast_rewrite(struct __sk_buff *skb, struct fast *fast, enum nat_protocol protocol,
					enum nat_direction direction, const struct nat_addr *addr, __be16 port)
{
	__u32 check = fast->transport + (protocol == NAT_UDP ? __builtin_offsetof(struct udphdr, check)
							     : __builtin_offsetof(struct tcphdr, check));
	__u64 flags = protocol == NAT_UDP ? BPF_F_MARK_MANGLED_0 : 0;
	__be16 from = direction == NAT_EGRESS ? fast->ports->source : fast->ports->dest;
	int err;

	ip_write(fast->ip, direction, &fast->local_addr, addr);
	if (direction == NAT_EGRESS)
		fast->ports->source = port;
	else
		fast->ports->dest = port;
	err = transport_replace_addr(skb, direction, check, &fast->local_addr, addr, flags);
	if (from != port)
		err |= bpf_l4_csum_replace(skb, check, from, port, flags | sizeof(port));
	if (unlikely(err))
		return finish(skb, direction, WHY_REWRITE_FAILED);
	return finish(skb, direction, direction == NAT_EGRESS ? WHY_OUT : WHY_IN);
}

static __always_inline bool fast_out(struct __sk_buff *skb, struct fast *fast, enum nat_protocol protocol, bool single,
				     int *verdict)
{
	struct endpoint endpoint = { .port = fast->ports->source, .protocol = protocol, .addr = fast->local_addr };
	const struct external *external;
	struct nat_addr external_addr;
	struct mapping *map;
	__u32 *slot;

	if (unlikely(fast_external(&fast->remote_addr, single) >= 0))
		return false; /* to be hairpinned */
	slot = bpf_map_lookup_elem(&endpoints, &endpoint);
	if (unlikely(!slot))
		return false;
	map = bpf_map_lookup_elem(&slots, slot);
	if (unlikely(!map || !mapping_belongs_to(map, &endpoint)))
		return false;
	external = external_get(single ? 0 : map->external);
	if (!fast_is_steady(map, external, protocol, NAT_EGRESS))
		return false;
	if (unlikely(!external_source(external, map->generation, &external_addr)))
		return false;
	*verdict = fast_rewrite(skb, fast, protocol, NAT_EGRESS, &external_addr, map->external_port);
	return true;
}

static __always_inline bool fast_in(struct __sk_buff *skb, struct fast *fast, enum nat_protocol protocol, bool single,
				    int *verdict)
{
	int number = fast_external(&fast->local_addr, single);
	struct nat_addr internal_addr;
	struct mapping *map;
	__u32 slot;

	if (unlikely(number < 0))
		return false;
	if (unlikely(fast_external(&fast->remote_addr, single) >= 0))
		return false; /* turned round, or spoofed */
	slot = port_slot(single ? 0 : number, protocol, bpf_ntohs(fast->ports->dest));
	if (unlikely(slot == NAT_SLOT_NONE))
		return false;
	map = slot_get(slot);
	if (unlikely(!map) || !fast_is_steady(map, external_get(single ? 0 : number), protocol, NAT_INGRESS))
		return false;
	internal_addr = map->internal_addr;
	*verdict = fast_rewrite(skb, fast, protocol, NAT_INGRESS, &internal_addr, map->internal_port);
	return true;
}

static __always_inline bool fast_transport(struct __sk_buff *skb, struct fast *fast, enum nat_protocol protocol,
					   enum nat_direction direction, int *verdict)
{
	bool (*const way)(struct __sk_buff *, struct fast *, enum nat_protocol, bool,
			  int *) = direction == NAT_EGRESS ? fast_out : fast_in;

	if (unlikely(!fast_parse_transport(skb, fast, protocol)))
		return false;
	if (constants.externals <= 1)
		return way(skb, fast, protocol, true, verdict);
	return way(skb, fast, protocol, false, verdict);
}

/* True if the packet was one for the short way; *verdict is then the program's. */
static __always_inline bool fast_translate(struct __sk_buff *skb, enum nat_direction direction, int *verdict)
{
	struct fast fast;

	if (!fast_is_allowed() || !fast_parse_ip(skb, &fast, direction))
		return false;
	switch (ip_next(fast.ip)) {
	case IPPROTO_TCP:
		return fast_transport(skb, &fast, NAT_TCP, direction, verdict);
	case IPPROTO_UDP:
		return fast_transport(skb, &fast, NAT_UDP, direction, verdict);
	}
	return false;
}

#endif
