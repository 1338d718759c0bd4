/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP sessions, RFC 7857 section 2: a mapping lives as long as an established session on it may be idle, and for the
 * transitory time once none is left. Most data takes the short way (fast.bpf.h) and is not seen here; what is, once a second
 * or so, puts its session right.
 *
 * flags		event
 * -			SYN either way: that SYN flag. Both: established, COUNTED in the mapping
 * SYN_OUT|SYN_IN	FIN either way: that FIN flag. Both: not COUNTED any more
 * SYN_IN		other packets outwards: SYN_OUT
 * any			RST either way: not COUNTED, RESET
 * RESET		data either way: COUNTED again (the RST was not the peer's, RFC 7857 section 2.2)
 * RESET or both FIN	SYN: a new session
 *
 * The flags and the mapping's count change under the lock of the slot's region. An entry that LRU took away while it was
 * counted leaves the count too high, so the mapping lives longer, never shorter.
 */
#ifndef TCP_BPF_H
#define TCP_BPF_H

_Static_assert(SESSION_SYN_IN == SESSION_SYN_OUT << 1 && SESSION_FIN_IN == SESSION_FIN_OUT << 1, "see session_both()");

/* What was seen both ways: SESSION_SYN_OUT and SESSION_FIN_OUT; and SESSION_RESET. In one word, for a single branch. */
static __always_inline __u8 session_both(__u8 flags)
{
	return (flags & flags >> 1 & (SESSION_SYN_OUT | SESSION_FIN_OUT)) | (flags & SESSION_RESET);
}

static __always_inline bool session_is_closed(__u8 flags)
{
	return session_both(flags) & (SESSION_FIN_OUT | SESSION_RESET);
}

static __always_inline bool session_is_open(__u8 flags)
{
	return session_both(flags) == SESSION_SYN_OUT;
}

/* What becomes of the flags when a packet with these TCP flags is seen. */
static __always_inline __u8 session_advance(__u8 flags, __u8 tcp_flags, enum nat_direction direction)
{
	if (tcp_flags & TCP_RST)
		return flags | SESSION_RESET;
	if (tcp_flags & TCP_SYN) {
		if (session_is_closed(flags))
			flags &= SESSION_COUNTED;
		flags |= direction == NAT_EGRESS ? SESSION_SYN_OUT : SESSION_SYN_IN;
	} else {
		flags &= ~SESSION_RESET;
		if (direction == NAT_EGRESS) /* what answers a SYN vouches for ours: its entry may have been lost */
			flags |= (flags & SESSION_SYN_IN) >> 1;
	}
	if (tcp_flags & TCP_FIN)
		flags |= direction == NAT_EGRESS ? SESSION_FIN_OUT : SESSION_FIN_IN;
	return flags;
}

/* With the region's lock held. */
static __always_inline void session_update(struct session *session, struct mapping *map, __u8 tcp_flags,
					   enum nat_direction direction, __u32 now)
{
	__u8 flags = session->epoch == map->epoch ? session->flags : 0;

	flags = blur(session_advance(flags, tcp_flags, direction), now);
	if (session_is_open(flags) && !(flags & SESSION_COUNTED) && map->sessions < 0xffff) {
		flags |= SESSION_COUNTED;
		map->sessions++;
	} else if (!session_is_open(flags) && (flags & SESSION_COUNTED)) {
		flags &= ~SESSION_COUNTED;
		if (map->sessions)
			map->sessions--;
		if (!map->sessions)
			map->expires = now + mapping_timeout(map);
	}
	session->epoch = map->epoch;
	session->flags = flags;
}

/* The session's entry; a SYN, and only a SYN, makes one. */
static __always_inline struct session *session_get(struct session_key *key, const struct mapping *map, __u8 tcp_flags)
{
	struct session *session = bpf_map_lookup_elem(&tcp_sessions, key);
	struct session fresh = { .epoch = map->epoch };

	if (session || !(tcp_flags & TCP_SYN))
		return session;
	bpf_map_update_elem(&tcp_sessions, key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tcp_sessions, key);
}

/* Is the packet one of an established session? Nobody else's from outside keeps the mapping (RFC 7857 section 7). */
static __always_inline bool tcp_is_established(const struct packet *pkt, __u32 slot, const struct mapping *map)
{
	struct session_key key = { .slot = slot, .remote_port = pkt->remote_port, .remote_addr = pkt->remote_addr };
	const struct session *session = bpf_map_lookup_elem(&tcp_sessions, &key);

	return session && session->epoch == map->epoch && session->flags & SESSION_COUNTED;
}

/* Follows the connection of a TCP packet that a live mapping serves. */
static __always_inline void tcp_track(const struct packet *pkt, enum nat_direction direction, __u32 slot,
				      struct mapping *map, __u32 now)
{
	struct session_key key = { .slot = slot, .remote_port = pkt->remote_port, .remote_addr = pkt->remote_addr };
	struct slot_place place;
	struct session *session;

	if (mapping_is_static(map)) /* lives without them */
		return;
	session = session_get(&key, map, pkt->tcp_flags);
	if (!session)
		return;
	if (map->sessions && session->epoch == map->epoch &&
	    session_advance(session->flags, pkt->tcp_flags, direction) == session->flags)
		return;
	if (!slot_locate(map, slot, &place))
		return;
	bpf_spin_lock(&place.region->lock);
	session_update(session, map, pkt->tcp_flags, direction, now);
	bpf_spin_unlock(&place.region->lock);
}

#endif
