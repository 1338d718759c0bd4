// SPDX-License-Identifier: GPL-2.0-or-later
/* See fragments.h. */
#include "fragments.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "datapath.h"
#include "log.h"

enum { RECORDS_AT_ONCE = 256 }; /* a flood of firsts has the rest of the daemon wait no longer */

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/*
 * Sends a held fragment out of the interface, where it passes egress as if for the first time. One that was on its way in
 * carries the mark of what is turned round, at which the egress program does so.
 */
static void send_on(struct fragments *fragments, enum nat_direction direction, const struct held_entry *entry)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = fragments->ifindex };
	__u32 mark = direction == NAT_INGRESS ? fragments->turn_mark : 0;

	to.sll_protocol = htons(fragments->family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	if (fragments->socket < 0)
		fragments->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fragments->socket < 0 || setsockopt(fragments->socket, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) ||
	    sendto(fragments->socket, entry->frame, entry->length, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		log_warning("%s: send on a held fragment: %s", fragments->ifname, strerror(errno));
}

static void send_all(struct fragments *fragments, enum nat_direction direction, const uint8_t key[NAT_HELD_KEY_MAX])
{
	struct held_entry entry;

	while (held_take(&fragments->store, direction, key, &entry)) {
		send_on(fragments, direction, &entry);
		free(entry.frame);
	}
	fragments->config->holding[direction] = held_has(&fragments->store, direction);
}

/* The first may have come while its follower was on its way here: then nobody tells of it any more. */
static bool first_is_known(const struct fragments *fragments, const uint8_t *key)
{
	struct fragment first;

	return !bpf_map_lookup_elem(fragments->firsts, key, &first) &&
	       (int32_t)(first.expires - datapath_ticks()) > 0; /* else the data plane ignores it */
}

/* What is held though its first has come: where the ring was full, the word of that is lost. */
static void send_overlooked(struct fragments *fragments, enum nat_direction direction)
{
	const struct held_queue *queue = &fragments->store.queues[direction];
	uint8_t key[NAT_HELD_KEY_MAX];
	size_t i = 0;

	while (i < queue->count) {
		memcpy(key, queue->entries[i].key, sizeof(key));
		if (first_is_known(fragments, key))
			send_all(fragments, direction, key);
		else
			i++;
	}
}

void fragments_expire(struct fragments *fragments)
{
	struct nat_config *config = fragments->config;

	for (int direction = 0; direction < NAT_DIRECTIONS; direction++)
		send_overlooked(fragments, direction);
	held_expire(&fragments->store, clock_ms());
	memset(config->hold_sources, 0, sizeof(config->hold_sources));
	for (int direction = 0; direction < NAT_DIRECTIONS; direction++) {
		config->holding[direction] = held_has(&fragments->store, direction);
		config->hold_budget[direction] = NAT_HOLD_BUDGET;
	}
}

static int received(void *arg, void *data, size_t size)
{
	const struct held_fragment *record = data;
	struct fragments *fragments = arg;

	if (size < sizeof(record->head) || record->head.direction >= NAT_DIRECTIONS)
		return 0;
	if (record->head.type == HELD_FRAGMENT && size >= sizeof(*record)) {
		if (!held_add(&fragments->store, record, clock_ms() + fragments->hold_ms))
			return 0;
		fragments->config->holding[record->head.direction] = 1;
		if (!first_is_known(fragments, record->head.key))
			return 0;
	}
	send_all(fragments, record->head.direction, record->head.key);
	return 0;
}

int fragments_open(struct fragments *fragments, int egress_ring, int ingress_ring)
{
	fragments->ring = ring_buffer__new(egress_ring, received, fragments, NULL);
	if (!fragments->ring || ring_buffer__add(fragments->ring, ingress_ring, received, fragments)) {
		log_error("%s: open the buffer of fragments: %s", fragments->ifname, strerror(errno));
		return -errno;
	}
	fragments_expire(fragments);
	return 0;
}

void fragments_close(struct fragments *fragments)
{
	ring_buffer__free(fragments->ring);
	held_clear(&fragments->store);
	if (fragments->socket >= 0)
		close(fragments->socket);
}

int fragments_fd(const struct fragments *fragments)
{
	return ring_buffer__epoll_fd(fragments->ring);
}

int fragments_read(struct fragments *fragments)
{
	int err = ring_buffer__consume_n(fragments->ring, RECORDS_AT_ONCE);

	return err < 0 ? err : 0;
}

void fragments_bequeath(struct fragments *before, struct fragments *heir)
{
	heir->store = before->store;
	memset(&before->store, 0, sizeof(before->store));
}
