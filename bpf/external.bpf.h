/* SPDX-License-Identifier: GPL-2.0-only */
/* External addresses and their ports: which are ours, and whose slot is whose. */
#ifndef EXTERNAL_BPF_H
#define EXTERNAL_BPF_H

/* The verifier wants to see the bound of an index. */
static __always_inline struct external *external_get(__u32 number)
{
	return &config.external[number & (NAT_EXTERNALS_MAX - 1)];
}

/* NAT_PORT_KIND(), of which clang would make a branch. */
static __always_inline __u32 port_kind(__u32 port)
{
	__s64 left = 1023 - (__s64)port;

	asm volatile("" : "+r"(left));
	return (port & 1) | (left >> 63 & 2);
}

static __always_inline const struct port_class *port_class_get(const struct external *external, __u32 protocol,
							       __u32 kind)
{
	return &external->classes[protocol & NAT_PROTOCOLS][index_bounded(kind, NAT_PORT_KINDS - 1)];
}

static __always_inline bool external_has_addr(const struct external *external, const struct nat_addr *addr)
{
	__u32 difference = 0;

	for (int i = 0; i < NAT_ADDR_WORDS; i++)
		difference |= external->addr[i] ^ addr->word[i];
	return !difference;
}

static __always_inline bool external_is_set(const struct external *external)
{
	__u32 bits = 0;

	for (int i = 0; i < NAT_ADDR_WORDS; i++)
		bits |= external->addr[i];
	return bits;
}

/* The address that a mapping of this generation has outside. False if there was none at the time. */
static __always_inline bool external_source(const struct external *external, __u32 generation, struct nat_addr *addr)
{
	const __be32 *source = external->source[generation & 1];

	for (int i = 0; i < NAT_ADDR_WORDS; i++)
		addr->word[i] = source[i];
	return !addr_is_zero(addr);
}

/* The number of the external with this address, or -1. The unset ones' zero is no packet's address. */
static __always_inline int external_lookup(const struct nat_addr *addr)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < NAT_EXTERNALS_MAX && i < constants.externals; i++)
		if (external_has_addr(external_get(i), addr))
			return addr_is_zero(addr) ? -1 : (int)i;
	return -1;
}

/* False where a protocol is switched off: not one of its ports is managed. */
static __always_inline bool external_manages(const struct external *external, __u32 protocol)
{
	return external->slot_count[protocol & NAT_PROTOCOLS];
}

/* The slot of a port (host order; the identifier for ICMP) of an external. False where it is not managed. */
static __always_inline bool external_slot(const struct external *external, __u32 protocol, __u16 port, __u32 *slot)
{
	__u32 key = external->first_block + protocol * NAT_PORT_BLOCKS + port / NAT_PORT_BLOCK;
	struct port_block *block;
	__u32 offset;

	block = bpf_map_lookup_elem(&port_index, &key);
	if (unlikely(!block))
		return false;
	offset = block->offset[port % NAT_PORT_BLOCK];
	if (unlikely(!offset))
		return false;
	*slot = external->first_slot[protocol & NAT_PROTOCOLS] + offset - 1;
	return true;
}

/* The same of an external by its number; or NAT_SLOT_NONE. */
static __always_inline __u32 port_slot(__u32 external, __u32 protocol, __u16 port)
{
	__u32 slot = NAT_SLOT_NONE;

	external_slot(external_get(external), protocol, port, &slot);
	return slot;
}

/* One without a port of the protocol leaves that to the others. */
static __always_inline bool external_is_source(const struct external *external, __u32 protocol)
{
	return external_is_set(external) && external_manages(external, protocol);
}

/*
 * The first external that may be a source of the protocol, from `start` on and round the end: the one that an internal host
 * is paired with, so that it is the same each time (RFC 4787 REQ-2, RFC 7857 section 4). Where there is none, one that has
 * ports of the protocol and no address; or number 0, where it is switched off.
 */
static __always_inline __u32 external_next_source(__u32 start, __u32 protocol)
{
	__u32 without = 0;

	for (__u32 i = 0; i < NAT_EXTERNALS_MAX && i < constants.externals; i++) {
		__u32 number = (start + i) % constants.externals;

		if (external_is_source(external_get(number), protocol))
			return number;
		if (external_manages(external_get(number), protocol))
			without = number;
	}
	return without;
}

/* What pairs an internal host with an external: any function of its address that spreads. */
static __always_inline __u32 addr_hash(const struct nat_addr *addr)
{
	__u32 hash = 0;

	for (int i = 0; i < NAT_ADDR_WORDS; i++)
		hash = (hash ^ bpf_ntohl(addr->word[i])) * 0x9e3779b1; /* Knuth's multiplicative hash */
	return hash >> 16;
}

/* The number of the external that the route to the remote prefers as its source, or -1. */
static __always_inline int external_of_route(struct __sk_buff *skb, const struct packet *pkt)
{
	struct bpf_fib_lookup route = { .ifindex = skb->ifindex, .family = FAMILY_AF };
	struct nat_addr source;

	if (!constants.fib_source)
		return -1;
	fib_set_destination(&route, &pkt->remote_addr);
	if (bpf_fib_lookup(skb, &route, sizeof(route), BPF_FIB_LOOKUP_OUTPUT | BPF_FIB_LOOKUP_SRC) < 0)
		return -1;
	fib_get_source(&route, &source);
	return external_lookup(&source);
}

/* The external for a new mapping of this packet's internal endpoint. An external address of ours stays itself. */
static __always_inline __u32 external_choose(struct __sk_buff *skb, const struct packet *pkt, int own)
{
	int routed;

	if (constants.externals <= 1)
		return 0;
	if (own >= 0)
		return own;
	routed = external_of_route(skb, pkt);
	if (routed >= 0 && external_is_source(external_get(routed), pkt->protocol))
		return routed;
	return external_next_source(constants.pooling == POOLING_PAIRED ? addr_hash(&pkt->local_addr) : 0,
				    pkt->protocol);
}

#endif
