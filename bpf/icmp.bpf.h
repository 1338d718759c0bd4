/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICMP errors (RFC 5508 section 4): the packet embedded in them is one that we translated, so both change together.
 *
 *   inward   outer  remote or any router -> external		embedded  external -> remote
 *            becomes		       -> internal			  internal -> remote
 *   outward  outer  internal or any router -> remote		embedded  remote -> internal
 *            becomes external				 -> remote		  remote -> external
 *
 * Errors are rare, so this is written for clearness: every field of the embedded packet is read, replaced and accounted
 * for in the outer checksum by itself.
 */
#ifndef ICMP_BPF_H
#define ICMP_BPF_H

#define ICMP_EMBEDDED	 8 /* the embedded packet begins behind the ICMP header */
#define ERROR_CHUNK	 128
#define ERROR_LENGTH_MAX 1280 /* RFC 1812 section 4.3.2.3: 576; RFC 4443 section 2.4: 1280, with all headers */

/* The packet in an ICMP error, its local endpoint being the one that NAT changes. Offsets are from the frame's start. */
struct embedded {
	struct nat_addr local_addr;
	__u32 ip;	 /* offset of its IP header */
	__u32 transport; /* offset of its transport header */
	__be16 local_port;
	__u8 protocol; /* enum nat_protocol */
	__u8 local_is_source;
	__u8 header_is_wrong; /* by its own checksum: IPv4 */
};

/* Replaces a 16-bit field inside the ICMP message, and its share of the message's checksum. */
static __always_inline int embedded_replace16(struct __sk_buff *skb, const struct packet *pkt, __u32 offset, __u16 from,
					      __u16 to)
{
	if (from == to)
		return 0;
	if (bpf_skb_store_bytes(skb, offset, &to, sizeof(to), 0))
		return -1;
	return bpf_l4_csum_replace(skb, pkt->transport_offset + 2, from, to, sizeof(to));
}

static __always_inline int embedded_replace32(struct __sk_buff *skb, const struct packet *pkt, __u32 offset,
					      __be32 from, __be32 to)
{
	if (bpf_skb_store_bytes(skb, offset, &to, sizeof(to), 0))
		return -1;
	return bpf_l4_csum_replace(skb, pkt->transport_offset + 2, from, to, sizeof(to));
}

/* RFC 1624 for one 16-bit word and the words of an address. */
static __always_inline __u16 checksum_replace_endpoint(__u16 check, const struct nat_addr *from_addr,
						       const struct nat_addr *to_addr, __be16 from_port, __be16 to_port)
{
	for (int i = 0; i < NAT_ADDR_WORDS; i++)
		check = checksum_replace(check, from_addr->word[i], to_addr->word[i]);
	return checksum_replace(check, from_port, to_port);
}

/* Is a field of two bytes part of the packet? What lies behind its end (padding) is in no checksum. */
static __always_inline bool error_holds(const struct packet *pkt, __u32 offset)
{
	return !ip_is_shorter(pkt, offset + 2 - constants.l2_length);
}

/* Where the embedded transport header has its checksum. */
static __always_inline __u32 embedded_check_offset(const struct embedded *inner)
{
	if (inner->protocol == NAT_TCP)
		return inner->transport + __builtin_offsetof(struct tcphdr, check);
	if (inner->protocol == NAT_UDP)
		return inner->transport + __builtin_offsetof(struct udphdr, check);
	return inner->transport + 2;
}

static __always_inline bool embedded_covers_addr(__u8 protocol);

/* The embedded transport checksum, which RFC 5508 REQ-4 and REQ-5 want right as far as it is there. */
static __always_inline int embedded_replace_check(struct __sk_buff *skb, const struct packet *pkt,
						  const struct embedded *inner, const struct nat_addr *addr,
						  __be16 port)
{
	__u32 offset = embedded_check_offset(inner);
	__u16 from, to;

	if (!error_holds(pkt, offset) || bpf_skb_load_bytes(skb, offset, &from, sizeof(from)))
		return 0; /* eight bytes of TCP only: not quoted */
	if (inner->protocol == NAT_UDP && !from)
		return 0;
	if (embedded_covers_addr(inner->protocol))
		to = checksum_replace_endpoint(from, &inner->local_addr, addr, inner->local_port, port);
	else
		to = checksum_replace(from, inner->local_port, port);
	if (inner->protocol == NAT_UDP && !to)
		to = 0xffff;
	return embedded_replace16(skb, pkt, offset, from, to);
}

static __always_inline __u32 embedded_port_offset(const struct embedded *inner)
{
	if (inner->protocol == NAT_ICMP)
		return inner->transport + 4;
	return inner->transport + (inner->local_is_source ? 0 : 2);
}

/* Reads the embedded transport header as far as eight bytes, which every error quotes (RFC 792). */
static __always_inline enum nat_reason embedded_parse_transport(struct __sk_buff *skb, const struct packet *pkt,
								struct embedded *inner, __u8 ip_protocol)
{
	switch (ip_protocol) {
	case IPPROTO_TCP:
		inner->protocol = NAT_TCP;
		break;
	case IPPROTO_UDP:
		inner->protocol = NAT_UDP;
		break;
	case FAMILY_ICMP: {
		__u8 type;

		inner->protocol = NAT_ICMP;
		if (bpf_skb_load_bytes(skb, inner->transport, &type, sizeof(type)))
			return WHY_MALFORMED;
		if (icmp_classify(type) != ICMP_KIND_REQUEST && icmp_classify(type) != ICMP_KIND_REPLY)
			return WHY_OTHER_ICMP; /* RFC 1122: no errors about errors */
		break;
	}
	default:
		return WHY_OTHER_PROTOCOL;
	}
	if (!error_holds(pkt, embedded_port_offset(inner)) ||
	    bpf_skb_load_bytes(skb, embedded_port_offset(inner), &inner->local_port, sizeof(inner->local_port)))
		return WHY_MALFORMED;
	return WHY_NONE;
}

/*
 * Adds up `length` bytes, at least one and at most `max`, from `start` on. False if they are not all there. What is more
 * than whole chunks comes first, while there are zeros behind it.
 */
static __always_inline bool frame_sum(struct __sk_buff *skb, __u32 start, __u32 length, __u32 max, __u32 *sum)
{
	__u32 rest = (blur(length - 1, *sum) & (ERROR_CHUNK - 1)) + 1, offset = start + length - rest;
	__be32 chunk[ERROR_CHUNK / 4] = {};

	if (bpf_skb_load_bytes(skb, offset, chunk, rest))
		return false;
	*sum = bpf_csum_diff(NULL, 0, chunk, sizeof(chunk), *sum);
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < max / ERROR_CHUNK && offset > start; i++) {
		offset -= ERROR_CHUNK;
		if (bpf_skb_load_bytes(skb, offset, chunk, sizeof(chunk)))
			return false;
		*sum = bpf_csum_diff(NULL, 0, chunk, sizeof(chunk), *sum);
	}
	return true;
}

/* The sum of a pseudo header: IPv4's and IPv6's differ in nothing but the length of an address. */
static __always_inline __u32 pseudo_sum(const struct nat_addr *a, const struct nat_addr *b, __u32 length,
					__u8 ip_protocol)
{
	__be32 rest[2] = { bpf_htonl(length), bpf_htonl(ip_protocol) };
	__u32 sum;

	sum = bpf_csum_diff(NULL, 0, rest, sizeof(rest), 0);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)a->word, sizeof(*a), sum);
	return bpf_csum_diff(NULL, 0, (__be32 *)b->word, sizeof(*b), sum);
}

#include FAMILY_ICMP_HEADER

/* Makes (addr, port) the embedded packet's local endpoint. Voids packet pointers. */
static __always_inline int embedded_rewrite(struct __sk_buff *skb, const struct packet *pkt, struct embedded *inner,
					    const struct nat_addr *addr, __be16 port)
{
	if (embedded_replace_check(skb, pkt, inner, addr, port))
		return -1;
	if (embedded_replace16(skb, pkt, embedded_port_offset(inner), inner->local_port, port))
		return -1;
	return embedded_write_addr(skb, pkt, inner, addr);
}

/*
 * RFC 5508 REQ-3: is the message's own checksum right, as far as that can be told? It cannot of a fragment, of more than
 * hosts send, and of what is not all there; then whoever receives it is to judge.
 */
static __always_inline bool error_sum_is_right(struct __sk_buff *skb, const struct packet *pkt,
					       enum nat_direction direction)
{
	__u32 length = ip_end(pkt) - (pkt->transport_offset - constants.l2_length), sum;

	if (pkt->first || length - 1 >= ERROR_LENGTH_MAX || !error_seed(pkt, direction, length, &sum))
		return true;
	if (!frame_sum(skb, pkt->transport_offset, length, ERROR_LENGTH_MAX, &sum))
		return true;
	return checksum_is_right(sum);
}

/* The outer header, once the embedded packet is done: packet pointers have to be found again. */
static __always_inline int error_rewrite_outer(struct __sk_buff *skb, struct packet *pkt, enum nat_direction direction,
					       const struct nat_addr *addr)
{
	if (packet_pull(skb, constants.l2_length + IP_HEADER_MIN) || !ip_find(skb, pkt))
		return -1;
	if (direction == NAT_EGRESS)
		ip_renumber(pkt->ip, &pkt->remote_addr);
	ip_write(pkt->ip, constants.l2_length, direction, &pkt->local_addr, addr);
	return error_replace_pseudo(skb, pkt, direction, addr);
}

/*
 * Whose is the packet that an error is about, and that has left from our external address: nobody's here, so the designated
 * server's? `why` is what embedded_parse() said of it.
 */
static __always_inline bool embedded_is_unclaimed(struct __sk_buff *skb, const struct embedded *inner,
						  enum nat_reason why)
{
	struct nat_addr remote_addr;
	__be16 remote_port;

	if (why != WHY_NONE)
		return why != WHY_MALFORMED;
	if (inner->protocol == NAT_ICMP)
		return true;
	if (embedded_load_destination(skb, inner, &remote_addr) ||
	    bpf_skb_load_bytes(skb, inner->transport + 2, &remote_port, sizeof(remote_port)))
		return false;
	return !endpoint_has_socket(skb, inner->protocol, &remote_addr, remote_port, &inner->local_addr,
				    inner->local_port);
}

/* An error from inside to our external address `addr`: about something that the server has sent to a host inside? */
static __always_inline bool error_is_unclaimed(struct __sk_buff *skb, const struct packet *pkt, __u32 number, __u32 now)
{
	struct embedded inner = {};
	struct mapping *map;
	enum nat_reason why;
	__u32 slot;

	inner.local_is_source = 1;
	why = embedded_parse(skb, pkt, &inner);
	if (!addr_equal(&inner.local_addr, &pkt->remote_addr))
		return false;
	slot = why == WHY_NONE ? port_slot(number, inner.protocol, bpf_ntohs(inner.local_port)) : NAT_SLOT_NONE;
	map = slot == NAT_SLOT_NONE ? NULL : slot_get(slot);
	if (map && mapping_is_live(map, now) && !addr_is_zero(&map->internal_addr))
		return false;
	return embedded_is_unclaimed(skb, &inner, why);
}

/* An error from outside about a packet that we sent: to the internal host. */
static __always_inline enum nat_reason error_in(struct __sk_buff *skb, struct packet *pkt, __u32 number, __u32 now)
{
	struct embedded inner = {}; /* clang would keep 16 bytes of constants, which are a map of their own */
	struct nat_addr internal_addr;
	enum nat_reason why;
	struct mapping *map;
	__be16 internal_port;
	bool designated;
	__u32 slot;

	inner.local_is_source = 1;
	why = embedded_parse(skb, pkt, &inner);
	if (!addr_equal(&inner.local_addr, &pkt->local_addr))
		return why != WHY_NONE ? why : WHY_ROUTER; /* not from our external address: the stack's business */
	slot = why == WHY_NONE ? port_slot(number, inner.protocol, bpf_ntohs(inner.local_port)) : NAT_SLOT_NONE;
	map = slot == NAT_SLOT_NONE ? NULL : slot_get(slot);
	if (!map || !mapping_is_live(map, now)) {
		if (designated_may_have(pkt) && embedded_is_unclaimed(skb, &inner, why))
			return WHY_DESIGNATED;
		if (why != WHY_NONE)
			return why;
		if (map && !embedded_is_unclaimed(skb, &inner, why))
			return WHY_ROUTER_SOCKET; /* its own connection from a managed port, which has no mapping */
		return map ? WHY_ICMP_NO_MAPPING : WHY_UNMANAGED; /* RFC 5508 REQ-4a: silently */
	}
	if (inner.header_is_wrong || !error_sum_is_right(skb, pkt, NAT_INGRESS))
		return WHY_ICMP_CHECKSUM;
	internal_addr = map->internal_addr;
	internal_port = map->internal_port;
	designated = designated_owns(&internal_addr, pkt);
	if (embedded_rewrite(skb, pkt, &inner, &internal_addr, internal_port) ||
	    error_rewrite_outer(skb, pkt, NAT_INGRESS, &internal_addr))
		return WHY_REWRITE_FAILED;
	return designated ? WHY_DESIGNATED : WHY_IN_ERROR;
}

/*
 * The mapping of the packet that an error from inside is about. The designated server's has no address; whether the router's
 * own error is about a packet for that one or for itself cannot be told.
 */
static __always_inline struct mapping *embedded_mapping(struct __sk_buff *skb, const struct embedded *inner, __u32 now)
{
	struct endpoint endpoint = { .port = inner->local_port,
				     .protocol = inner->protocol,
				     .addr = inner->local_addr };
	struct mapping *map;
	__u32 slot;

	if (designated_sends(skb, &endpoint.addr))
		endpoint.addr.word[0] = 0;
	else if (designated_is_there() && external_lookup(&endpoint.addr) >= 0)
		return NULL;
	slot = endpoint_slot(&endpoint);
	if (slot == NAT_SLOT_NONE)
		return NULL;
	map = slot_get(slot);
	return map && mapping_is_live(map, now) && mapping_belongs_to(map, &endpoint) ? map : NULL;
}

/*
 * Is it an error of our own making (see refusal.bpf.h) that comes back, since its host is not routed inside? Its source is
 * the remote's. By code 13 alone, or where inside and outside are one interface no other error would come in.
 */
static __always_inline bool error_has_come_back(struct __sk_buff *skb, const struct packet *pkt)
{
	__u8 head[2];

	if (skb->ingress_ifindex != skb->ifindex ||
	    bpf_skb_load_bytes(skb, pkt->transport_offset, head, sizeof(head)) || head[0] != REFUSAL_TYPE ||
	    head[1] != REFUSAL_CODE)
		return false;
	return !policy_exempts_source(&pkt->remote_addr);
}

/*
 * An error from inside about what has no mapping. What is left alone passes with the errors about it, whoever makes them: the
 * sender's path MTU hangs on that (RFC 1191, RFC 8201).
 */
static __always_inline enum nat_reason error_out_unmapped(struct __sk_buff *skb, const struct packet *pkt,
							  const struct embedded *inner, enum nat_reason why)
{
	bool is_ours = external_lookup(&pkt->local_addr) >= 0;

	if (is_ours && external_lookup(&inner->local_addr) >= 0)
		return WHY_ROUTER;
	if (why == WHY_MALFORMED)
		return why;
	if (error_has_come_back(skb, pkt))
		return WHY_ICMP_NO_MAPPING;
	if (policy_exempts_source(&inner->local_addr) && (is_ours || policy_exempts_source(&pkt->local_addr)))
		return WHY_EXEMPT; /* whom it was for, and not who says it: a translated host's address stays inside */
	if (why == WHY_NONE && constants.externals <= 1 && !external_manages(external_get(0), inner->protocol))
		return WHY_PROTOCOL_OFF;
	return WHY_ICMP_NO_MAPPING;
}

/* An error from inside about a packet that we let in: to the remote. Its source may be any router on the inside. */
static __always_inline enum nat_reason error_out(struct __sk_buff *skb, struct packet *pkt, __u32 now)
{
	struct embedded inner = { .local_is_source = 0 };
	enum nat_reason why = embedded_parse(skb, pkt, &inner);
	struct nat_addr external_addr;
	struct mapping *map;
	__be16 external_port;

	map = why == WHY_NONE ? embedded_mapping(skb, &inner, now) : NULL;
	if (!map)
		return error_out_unmapped(skb, pkt, &inner, why);
	if (inner.header_is_wrong || !error_sum_is_right(skb, pkt, NAT_EGRESS))
		return WHY_ICMP_CHECKSUM;
	external_port = map->external_port;
	if (!mapping_source(map, &external_addr))
		return WHY_NO_ADDRESS;
	if (embedded_rewrite(skb, pkt, &inner, &external_addr, external_port) ||
	    error_rewrite_outer(skb, pkt, NAT_EGRESS, &external_addr))
		return WHY_REWRITE_FAILED;
	return WHY_OUT_ERROR;
}

#endif
