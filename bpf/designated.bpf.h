/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The designated server: a host behind an internal interface that has our external address itself. It gets, as it is, what
 * comes to that address and nobody else claims: no mapping, and no socket of the router. IPv4 alone: with IPv6 a server has
 * an address of its own. Without one the verifier removes all of this.
 *
 *   from outside	ingress sets a mark, by which the router forwards the packet to the server's interface
 *   from inside	routed to the external interface like all that goes to our address; egress hands it to the server's
 *   the server's own	leaves as it is. From a managed port it has a mapping, like the router's, so that nobody else gets that
 *			port; the port is kept where it is free. The mapping's internal address is 0.0.0.0, which tells it
 *			from one of the router's own: the two share the real one.
 *
 * An ICMP query is the server's, an answer to one the mapping's, if there is one: identifiers are few, and everybody's.
 */
#ifndef DESIGNATED_BPF_H
#define DESIGNATED_BPF_H

/* In the place of a slot: what follows the first fragment goes to the server, too. */
#define NAT_SLOT_DESIGNATED 0xfffffffeU

static __always_inline bool has_designated(void)
{
	return NAT_ADDR_WORDS == 1 && constants.designated_mark;
}

/* Its interface may have gone: then nothing is the server's. */
static __always_inline bool designated_is_there(void)
{
	return has_designated() && config.designated_ifindex;
}

/* Is a packet on its way out the server's own? The router's own has come in nowhere. */
static __always_inline bool designated_sends(struct __sk_buff *skb, const struct nat_addr *local_addr)
{
	return designated_is_there() && skb->ingress_ifindex == config.designated_ifindex &&
	       external_lookup(local_addr) >= 0;
}

/* The address that a packet on its way out has as an internal endpoint. */
static __always_inline void internal_addr_of(struct __sk_buff *skb, const struct packet *pkt, struct nat_addr *addr)
{
	*addr = pkt->local_addr;
	if (designated_sends(skb, addr))
		addr->word[0] = 0;
}

/* Is a mapping with this internal address the server's? Then `addr` becomes the one that packets have. */
static __always_inline bool designated_owns(struct nat_addr *addr, const struct packet *pkt)
{
	if (!has_designated() || !addr_is_zero(addr))
		return false;
	*addr = pkt->local_addr;
	return true;
}

/* From outside, to an external address of ours: may it be the server's? What the router itself has sent is not. */
static __always_inline bool designated_may_have(const struct packet *pkt)
{
	return designated_is_there() && external_lookup(&pkt->remote_addr) < 0;
}

/* A query is the server's, even where its identifier is that of a mapping. */
static __always_inline bool designated_is_asked(const struct packet *pkt)
{
	return pkt->icmp_kind == ICMP_KIND_REQUEST && designated_may_have(pkt);
}

/* From outside, of a protocol that has no mappings. */
static __always_inline enum nat_reason designated_other_in(const struct packet *pkt, enum nat_reason why)
{
	if (why != WHY_OTHER_PROTOCOL || !designated_may_have(pkt) || external_lookup(&pkt->local_addr) < 0)
		return why;
	return WHY_DESIGNATED;
}

/* From inside to our external address, and not the router's own, nor the server's; what is held comes as if from outside. */
static __always_inline bool designated_concerns(struct __sk_buff *skb, const struct packet *pkt)
{
	return designated_is_there() && skb->mark != constants.turn_mark && external_lookup(&pkt->remote_addr) >= 0 &&
	       external_lookup(&pkt->local_addr) < 0;
}

static __always_inline enum nat_reason designated_other_out(struct __sk_buff *skb, const struct packet *pkt,
							    enum nat_reason why)
{
	return why == WHY_OTHER_PROTOCOL && designated_concerns(skb, pkt) ? WHY_TO_DESIGNATED : why;
}

/*
 * Hands the packet to the server's interface, past the turn by ingress: coming in there, from inside, it would be a martian
 * to a strict rp_filter. A link without Ethernet header gets one first, which the neighbour's then replaces. Where there is no
 * room for it (a large packet on such a link), it is turned round after all, and ingress finds out again.
 */
static __always_inline int designated_redirect(struct __sk_buff *skb, const struct packet *pkt)
{
	struct bpf_redir_neigh to;
	__be32 addr = pkt->remote_addr.word[0];

	counter_add(skb, NAT_EGRESS, WHY_TO_DESIGNATED);
	if (!constants.l2_length && bpf_skb_change_head(skb, 14, 0)) {
		skb->mark = constants.turn_mark;
		return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
	}
	__builtin_memset(&to, 0, sizeof(to));
	to.nh_family = FAMILY_AF;
	to.ipv4_nh = addr;
	return bpf_redirect_neigh(config.designated_ifindex, &to, sizeof(to), 0);
}

#endif
