// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads a packet before and after, and says what must not have changed. See invariant.h. */
#include "invariant.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define BEFORE 0
#define AFTER  1

/* An IP packet, possibly one that an ICMP error quotes. Offsets are from the frame's start. */
struct view {
	size_t ip, size,
		end; /* size: where all there is ends; end: where the packet does by its own word, within that */
	size_t source, destination, addr_size;
	size_t transport;
	uint8_t protocol;
	bool is_ipv6, is_fragment, is_follower;
};

static char wrong[256];

static uint16_t word_at(const struct frame *frame, size_t offset)
{
	return frame->bytes[offset] << 8 | frame->bytes[offset + 1];
}

/* Modulo 65535: a difference to the sum that shows in no checksum shows here neither. */
static uint32_t sum(const struct frame *frame, size_t from, size_t to)
{
	uint32_t total = 0;

	for (size_t i = from; i < to && i < frame->size; i++)
		total += (i - from) % 2 ? frame->bytes[i] : frame->bytes[i] << 8;
	return total % 65535;
}

static bool view_ipv6(const struct frame *frame, struct view *view)
{
	size_t at = view->ip + 40;
	uint8_t next;

	if (at > view->size)
		return false;
	view->source = view->ip + 8;
	view->destination = view->ip + 24;
	view->addr_size = 16;
	if (word_at(frame, view->ip + 4) && at + word_at(frame, view->ip + 4) < view->end)
		view->end = at + word_at(frame, view->ip + 4);
	next = frame->bytes[view->ip + 6];
	while (!view->is_follower && (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
				      next == IPPROTO_DSTOPTS)) {
		if (at + 8 > view->size)
			return false;
		if (next == IPPROTO_FRAGMENT) {
			view->is_fragment |= word_at(frame, at + 2) & 0xfff9;
			view->is_follower |= word_at(frame, at + 2) & 0xfff8;
		}
		size_t length = next == IPPROTO_FRAGMENT ? 8 : 8 + 8 * frame->bytes[at + 1];

		next = frame->bytes[at];
		at += length;
	}
	view->protocol = next;
	view->transport = at;
	return true;
}

static bool view_ipv4(const struct frame *frame, struct view *view)
{
	if (view->ip + 20 > view->size)
		return false;
	view->source = view->ip + 12;
	view->destination = view->ip + 16;
	view->addr_size = 4;
	view->transport = view->ip + (frame->bytes[view->ip] & 15) * 4;
	view->protocol = frame->bytes[view->ip + 9];
	view->is_fragment = word_at(frame, view->ip + 6) & 0x3fff;
	view->is_follower = word_at(frame, view->ip + 6) & 0x1fff;
	if (word_at(frame, view->ip + 2) && view->ip + word_at(frame, view->ip + 2) < view->end)
		view->end = view->ip + word_at(frame, view->ip + 2);
	return view->transport >= view->ip + 20;
}

/* The packet that begins at `ip` and ends before `size`. False if it has no complete header. */
static bool view_open(const struct frame *frame, size_t ip, size_t size, struct view *view)
{
	*view = (struct view){ .ip = ip, .size = size, .end = size };
	if (ip >= size)
		return false;
	view->is_ipv6 = packet_family() == AF_INET6;
	if (frame->bytes[ip] >> 4 != (view->is_ipv6 ? 6 : 4))
		return false;
	return view->is_ipv6 ? view_ipv6(frame, view) : view_ipv4(frame, view);
}

static bool is_icmp(const struct view *view)
{
	return view->protocol == (view->is_ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

static bool is_error(const struct frame *frame, const struct view *view)
{
	uint8_t type = view->transport < view->size ? frame->bytes[view->transport] : 0;

	if (!is_icmp(view) || view->is_follower)
		return false;
	return view->is_ipv6 ? type >= 1 && type <= 4 : type == 3 || type == 4 || type == 11 || type == 12;
}

/* Where the transport's checksum is, or 0 where the frame does not hold it. */
static size_t check_at(const struct view *view)
{
	size_t at = view->transport;

	if (view->is_follower)
		return 0;
	if (is_icmp(view))
		at += 2;
	else if (view->protocol == IPPROTO_TCP)
		at += 16;
	else if (view->protocol == IPPROTO_UDP)
		at += 6;
	else
		return 0;
	return at + 2 <= view->size ? at : 0;
}

/* Where the port is that belongs to the source or the destination, or 0. */
static size_t port_at(const struct frame *frame, const struct view *view, bool of_source)
{
	size_t at = view->transport + (is_icmp(view) ? 4 : of_source ? 0 : 2);

	if (view->is_follower || is_error(frame, view) || at + 2 > view->size)
		return 0;
	return at;
}

/*
 * What a transport checksum covers, itself included, as far as the frame has it; of a packet that is all there and right,
 * 0. The protocol and the length of the pseudo header are left out: they are no part of any difference.
 */
static uint32_t covered_sum(const struct frame *frame, const struct view *view, size_t end)
{
	uint32_t total = sum(frame, view->transport, end);

	if (view->is_ipv6 || !is_icmp(view))
		total += sum(frame, view->source, view->source + 2 * view->addr_size);
	return total % 65535;
}

/* A UDP checksum of zero stays; another one never becomes zero. */
static const char *udp_zero_check(const struct frame *before, const struct frame *after, size_t check)
{
	if (!word_at(before, check) && word_at(after, check))
		return "a UDP packet without a checksum got one";
	if (word_at(before, check) && !word_at(after, check))
		return "a UDP checksum became zero, which is none";
	return NULL;
}

/* Both checksums of a packet are as right, or as wrong, as they were. `end` is where what the transport's covers ends. */
static const char *sums_check(const struct frame *before, const struct frame *after, const struct view *view,
			      size_t end)
{
	size_t check = check_at(view);
	const char *what = NULL;

	if (!view->is_ipv6 && sum(before, view->ip, view->transport) != sum(after, view->ip, view->transport))
		return "IP checksum";
	if (!check)
		return NULL;
	if (view->protocol == IPPROTO_UDP) {
		what = udp_zero_check(before, after, check);
		if (what || !word_at(before, check))
			return what;
	}
	return covered_sum(before, view, end) == covered_sum(after, view, end) ? NULL : "transport checksum";
}

static void allow(bool *allowed, size_t at, size_t size)
{
	if (at)
		memset(allowed + at, true, size);
}

/* What NAT may change of a packet, and what it was and is. */
static void local_find(const struct frame *before, const struct frame *after, const struct view *view, bool is_source,
		       bool *allowed, struct local_change *local)
{
	size_t addr = is_source ? view->source : view->destination, port = port_at(before, view, is_source);

	allow(allowed, addr, view->addr_size);
	allow(allowed, port, 2);
	allow(allowed, check_at(view), 2);
	if (!view->is_ipv6)
		allow(allowed, view->ip + 10, 2);
	memset(local, 0, sizeof(*local));
	memcpy(local->addr[BEFORE], before->bytes + addr, view->addr_size);
	memcpy(local->addr[AFTER], after->bytes + addr, view->addr_size);
	local->port[BEFORE] = port ? word_at(before, port) : -1;
	local->port[AFTER] = port ? word_at(after, port) : -1;
	local->protocol = view->protocol == IPPROTO_TCP ? NAT_TCP : view->protocol == IPPROTO_UDP ? NAT_UDP : NAT_ICMP;
}

/* A SYN's MSS, if it was larger than it may be. NULL, or what is wrong with it. */
static const char *mss_find(const struct frame *before, const struct frame *after, const struct view *view,
			    uint16_t clamp, bool *allowed)
{
	size_t tcp = view->transport, at = tcp + 20, end;

	if (!clamp || view->protocol != IPPROTO_TCP || view->is_follower || at > before->size ||
	    !(before->bytes[tcp + 13] & 2))
		return NULL;
	end = tcp + (before->bytes[tcp + 12] >> 4) * 4;
	while (at + 4 <= end && at + 4 <= before->size && before->bytes[at]) {
		if (before->bytes[at] == 2) {
			if (before->bytes[at + 1] != 4 || word_at(before, at + 2) <= clamp)
				return NULL;
			allow(allowed, at + 2, 2);
			return word_at(after, at + 2) == clamp || word_at(after, at + 2) == word_at(before, at + 2)
				       ? NULL
				       : "the MSS is neither what it was nor the clamp";
		}
		at += before->bytes[at] == 1 ? 1 : before->bytes[at + 1] < 2 ? 2 : before->bytes[at + 1];
	}
	return NULL;
}

static const char *changes_check(const struct frame *before, const struct frame *after, const bool *allowed)
{
	if (before->size != after->size) {
		snprintf(wrong, sizeof(wrong), "the length was %zu and is %zu", before->size, after->size);
		return wrong;
	}
	for (size_t i = 0; i < before->size; i++)
		if (before->bytes[i] != after->bytes[i] && !(allowed && allowed[i])) {
			snprintf(wrong, sizeof(wrong), "byte %zu was 0x%02x and is 0x%02x", i, before->bytes[i],
				 after->bytes[i]);
			return wrong;
		}
	return NULL;
}

const char *untouched_check(const struct frame *before, const struct frame *after)
{
	return changes_check(before, after, NULL);
}

const char *translation_check(const struct frame *before, const struct frame *after, enum nat_direction direction,
			      uint16_t mss_clamp, struct translation *translation)
{
	bool allowed[PACKET_MAX] = { false };
	struct view outer, embedded;
	const char *what;

	if (before->size != after->size || !view_open(before, before->l2, before->size, &outer))
		return before->size != after->size ? changes_check(before, after, NULL) : "it has no IP header";
	local_find(before, after, &outer, direction == NAT_EGRESS, allowed, &translation->outer);
	if (direction == NAT_EGRESS && !outer.is_ipv6 && (word_at(before, outer.ip + 6) & 0x7fff) != 0x4000)
		allow(allowed, outer.ip + 4, 2); /* not atomic: RFC 6864 */
	translation->is_follower = outer.is_follower;
	translation->is_error = is_error(before, &outer);
	if (translation->is_error) {
		if (!view_open(before, outer.transport + 8, outer.end, &embedded))
			return "an error that quotes no packet";
		local_find(before, after, &embedded, direction == NAT_INGRESS, allowed, &translation->embedded);
		what = sums_check(before, after, &embedded, embedded.size);
		if (what) {
			snprintf(wrong, sizeof(wrong), "embedded: %s", what);
			return wrong;
		}
	}
	what = mss_find(before, after, &outer, mss_clamp, allowed);
	if (!what)
		what = changes_check(before, after, allowed);
	return what ? what : sums_check(before, after, &outer, outer.end);
}
