/* SPDX-License-Identifier: GPL-2.0-only */
/* Records for the daemon's log. With log_level 0 the verifier removes all of it. */
#ifndef EVENTS_BPF_H
#define EVENTS_BPF_H

enum event_level { EVENT_ERROR = 1, EVENT_WARNING, EVENT_INFO, EVENT_DEBUG, EVENT_TRACE };

static __always_inline void addr_widen(__be32 to[4], const struct nat_addr *addr)
{
	for (int i = 0; i < NAT_ADDR_WORDS; i++)
		to[i] = addr->word[i];
}

static __always_inline void event_mapping(enum nat_event_type type, const struct mapping *map)
{
	struct nat_event event = { .level = EVENT_INFO, .type = type };

	if (constants.log_level < EVENT_INFO)
		return;
	event.protocol = map->protocol;
	event.internal_port = map->internal_port;
	event.external_port = map->external_port;
	addr_widen(event.internal_addr, &map->internal_addr);
	bpf_ringbuf_output(&events, &event, sizeof(event), 0);
}

/* Drops at their levels, everything else at trace. The local endpoint is the internal one on egress only. */
static __always_inline void event_packet(const struct packet *pkt, enum nat_direction direction, enum nat_reason why)
{
	struct nat_event event = { .type = EVENT_PACKET, .level = EVENT_TRACE };

	if (!constants.log_level)
		return;
	if (why == WHY_NO_PORT || why == WHY_TABLE_FULL || why == WHY_REWRITE_FAILED)
		event.level = EVENT_ERROR;
	else if (why == WHY_NO_ADDRESS || why == WHY_BUSY)
		event.level = EVENT_WARNING;
	else if (reason_is(why, VERDICT_DROP))
		event.level = EVENT_DEBUG;
	if (constants.log_level < event.level)
		return;
	event.direction = direction;
	event.reason = why;
	event.protocol = pkt->protocol;
	if (direction == NAT_EGRESS)
		event.internal_port = pkt->local_port;
	else
		event.external_port = pkt->local_port;
	event.remote_port = pkt->remote_port;
	addr_widen(event.internal_addr, &pkt->local_addr);
	addr_widen(event.remote_addr, &pkt->remote_addr);
	bpf_ringbuf_output(&events, &event, sizeof(event), 0);
}

#endif
