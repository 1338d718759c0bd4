/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short way: a whole TCP or UDP packet of a live mapping that changes no state, which nearly all packets are. Whatever
 * is not plainly one of those takes the long way, which decides everything; this one does only what that would have done.
 * Outwards IPv4 without DF needs another identification: UDP gets one here, TCP takes the long way.
 * Nothing is written before all is known, so that the long way finds the packet as it came.
 */
#ifndef FAST_BPF_H
#define FAST_BPF_H

/*
 * One packet's way. `protocol` and the direction are constants wherever they are passed: each combination is compiled by
 * itself, and asks nothing about them. `traits` are known to the verifier: it removes what they rule out.
 */
struct fast {
	__u32 traits; /* enum short_way */
	__u32 l2_length;
	struct ip_header *ip;
	struct udphdr *ports; /* TCP has them in the same place */
};

static __always_inline bool fast_parse_ip(struct __sk_buff *skb, struct fast *fast)
{
	struct ip_header *ip = (void *)(long)skb->data + fast->l2_length;

	fast->ip = ip;
	fast->ports = (void *)(ip + 1);
	if (unlikely(skb->protocol != bpf_htons(FAMILY_ETHERTYPE) || skb->vlan_tci))
		return false;
	return likely((void *)(fast->ports + 1) <= (void *)(long)skb->data_end && ip_is_plain(ip));
}

static __always_inline bool fast_parse_transport(struct __sk_buff *skb, const struct fast *fast,
						 enum nat_protocol protocol, enum nat_direction direction)
{
	const struct tcphdr *tcp = (void *)fast->ports;

	if (protocol == NAT_UDP) /* no checksum: see rewrite.bpf.h */
		return likely(fast->ports->check && ip_payload(fast->ip) >= (__s32)sizeof(*fast->ports));
	if (unlikely((void *)(tcp + 1) > (void *)(long)skb->data_end || ip_payload(fast->ip) < (__s32)sizeof(*tcp)))
		return false;
	if (direction == NAT_EGRESS && unlikely(!ip_is_atomic(fast->ip)))
		return false;
	return likely(!(((const __u8 *)tcp)[13] & (TCP_SYN | TCP_FIN | TCP_RST)));
}

/* The number of the external that has the address in the header, or -1. Where there is one, it is not looked for. */
static __always_inline int fast_external_lookup(const struct fast *fast, const void *field)
{
	struct nat_addr addr;

	addr_load(&addr, field, fast->l2_length);
	return external_lookup(&addr);
}

static __always_inline const struct external *fast_external(const struct fast *fast, const void *field)
{
	const struct external *external = external_get(0);
	int number;

	if (likely(fast->traits & SHORT_SINGLE))
		return likely(addr_is(field, external->addr, fast->l2_length)) ? external : NULL;
	number = fast_external_lookup(fast, field);
	return number < 0 ? NULL : external_get(number);
}

static __always_inline bool fast_is_external(const struct fast *fast, const void *field)
{
	if (likely(fast->traits & SHORT_SINGLE))
		return unlikely(addr_is(field, external_get(0)->addr, fast->l2_length));
	return fast_external_lookup(fast, field) >= 0;
}

_Static_assert(offsetof(struct mapping, state) % 2 == 0 &&
		       offsetof(struct mapping, confirmed) == offsetof(struct mapping, state) + 1,
	       "one load of both");

/* Is the mapping live, and may its state stay as it is? */
static __always_inline bool fast_is_steady(const struct fast *fast, const struct mapping *map,
					   const struct external *external, enum nat_protocol protocol,
					   enum nat_direction direction)
{
	const __u16 life = *(const __u16 *)&map->state;
	const struct nat_config *known = &config;
	bool is_confirmed = true;
	__u64 jiffies, clock;
	__s32 left;

	if (unlikely((life & (MAPPING_LIVE | 1 << 8)) != (MAPPING_LIVE | 1 << 8))) {
		/* What comes in confirms it. What goes out of UDP may never be answered; a static mapping has asked for the long way. */
		if (direction == NAT_INGRESS || protocol != NAT_UDP || life != MAPPING_LIVE)
			return false;
		is_confirmed = false;
	}
	if (unlikely(map->generation != external->generation))
		return false;
	jiffies = bpf_jiffies64();
	asm volatile("" : "+r"(known)); /* its address once */
	clock = *(const volatile __u64 *)&known->clock;
	if (unlikely(!clock_is_read(clock, jiffies)))
		return false; /* once a jiffy */
	left = map->expires - (__u32)(clock >> 32);
	if (direction == NAT_INGRESS && protocol == NAT_UDP && !(fast->traits & SHORT_REFRESH_INBOUND))
		left -= 1;
	else if (unlikely(!is_confirmed))
		left -= known->steady_unconfirmed;
	else
		left -= known->steady[protocol]; /* TCP: without sessions less would be left */
	return likely(left >= 0);
}

/* Writes the local endpoint, counts, and gives the program's verdict. */
static __always_inline int fast_rewrite(struct __sk_buff *skb, struct fast *fast, enum nat_protocol protocol,
					enum nat_direction direction, const struct nat_addr *addr, __be16 port)
{
	__u32 check = fast->l2_length + sizeof(*fast->ip) +
		      (protocol == NAT_UDP ? __builtin_offsetof(struct udphdr, check)
					   : __builtin_offsetof(struct tcphdr, check));
	__u64 flags = protocol == NAT_UDP ? BPF_F_MARK_MANGLED_0 : 0;
	__be16 from_port = direction == NAT_EGRESS ? fast->ports->source : fast->ports->dest;
	struct nat_addr from, remote;
	long err;

	if (direction == NAT_EGRESS && protocol == NAT_UDP) {
		addr_load(&remote, &fast->ip->daddr, fast->l2_length);
		ip_renumber(fast->ip, &remote);
	}
	addr_load(&from, direction == NAT_EGRESS ? &fast->ip->saddr : &fast->ip->daddr, fast->l2_length);
	ip_write(fast->ip, fast->l2_length, direction, &from, addr);
	if (direction == NAT_EGRESS)
		fast->ports->source = port;
	else
		fast->ports->dest = port;
	err = transport_replace_addr(skb, direction, check, &from, addr, flags);
	if (from_port != port && likely(!err))
		err = bpf_l4_csum_replace(skb, check, from_port, port, flags | sizeof(port));
	if (unlikely(err))
		return finish(skb, direction, WHY_REWRITE_FAILED);
	counter_add(skb, direction, direction == NAT_EGRESS ? WHY_OUT : WHY_IN);
	if (direction == NAT_INGRESS && fast->traits & SHORT_INBOUND_MARK)
		skb->mark |= constants.inbound_mark;
	return TC_ACT_UNSPEC;
}

static __always_inline bool fast_out(struct __sk_buff *skb, struct fast *fast, enum nat_protocol protocol, int *verdict)
{
	struct endpoint endpoint = { .port = fast->ports->source, .protocol = protocol };
	const struct external *external;
	struct nat_addr external_addr;
	struct mapping *map;
	__u32 *slot;

	if (unlikely(fast_is_external(fast, &fast->ip->daddr)))
		return false; /* to be hairpinned */
	addr_load(&endpoint.addr, &fast->ip->saddr, fast->l2_length);
	if (unlikely(fast->traits & SHORT_DESIGNATED && designated_sends(skb, &endpoint.addr)))
		return false; /* it has another endpoint than the router */
	slot = bpf_map_lookup_elem(&endpoints, &endpoint);
	if (unlikely(!slot))
		return false;
	map = bpf_map_lookup_elem(&slots, slot);
	if (unlikely(!map || !mapping_belongs_to(map, &endpoint)))
		return false;
	external = external_get(likely(fast->traits & SHORT_SINGLE) ? 0 : map->external);
	if (unlikely(!fast_is_steady(fast, map, external, protocol, NAT_EGRESS)))
		return false;
	if (unlikely(!external_source(external, map->generation, &external_addr)))
		return false;
	*verdict = fast_rewrite(skb, fast, protocol, NAT_EGRESS, &external_addr, map->external_port);
	return true;
}

static __always_inline bool fast_in(struct __sk_buff *skb, struct fast *fast, enum nat_protocol protocol, int *verdict)
{
	const struct external *external = fast_external(fast, &fast->ip->daddr);
	struct nat_addr internal_addr;
	struct mapping *map;
	__u32 slot;

	if (unlikely(!external || fast_is_external(fast, &fast->ip->saddr)))
		return false; /* the latter is turned round, or spoofed */
	if (unlikely(!external_slot(external, protocol, bpf_ntohs(fast->ports->dest), &slot)))
		return false;
	map = slot_get(slot);
	if (unlikely(!map || !fast_is_steady(fast, map, external, protocol, NAT_INGRESS)))
		return false;
	internal_addr = map->internal_addr;
	if (unlikely(fast->traits & SHORT_DESIGNATED && addr_is_zero(&internal_addr)))
		return false;
	*verdict = fast_rewrite(skb, fast, protocol, NAT_INGRESS, &internal_addr, map->internal_port);
	return true;
}

static __always_inline bool fast_transport(struct __sk_buff *skb, struct fast *fast, enum nat_protocol protocol,
					   enum nat_direction direction, int *verdict)
{
	if (unlikely(!fast_parse_transport(skb, fast, protocol, direction)))
		return false;
	if (direction == NAT_EGRESS)
		return likely(fast_out(skb, fast, protocol, verdict));
	return likely(fast_in(skb, fast, protocol, verdict));
}

/* On a link whose header has this constant length. */
static __always_inline bool fast_link(struct __sk_buff *skb, __u32 traits, __u32 l2_length,
				      enum nat_direction direction, int *verdict)
{
	struct fast fast = { .traits = traits, .l2_length = l2_length };
	__u8 ip_protocol;

	if (unlikely(!fast_parse_ip(skb, &fast)))
		return false;
	ip_protocol = ip_next(fast.ip);
	if (likely(ip_protocol == IPPROTO_TCP))
		return fast_transport(skb, &fast, NAT_TCP, direction, verdict);
	if (likely(ip_protocol == IPPROTO_UDP))
		return fast_transport(skb, &fast, NAT_UDP, direction, verdict);
	return false;
}

/* True if the packet was one for the short way; *verdict is then the program's. */
static __always_inline bool fast_translate(struct __sk_buff *skb, enum nat_direction direction, int *verdict)
{
	const volatile struct nat_constants *known = &constants;
	__u32 traits;

	asm volatile("" : "+r"(known)); /* its address once */
	traits = known->short_way;
	if (unlikely(!traits || (direction == NAT_INGRESS && skb->mark == known->turn_mark)))
		return false;
	if (likely(traits & SHORT_ETHERNET))
		return likely(fast_link(skb, traits, ETH_HLEN, direction, verdict));
	return likely(fast_link(skb, traits, 0, direction, verdict));
}

#endif
