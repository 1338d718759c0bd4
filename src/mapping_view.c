// SPDX-License-Identifier: GPL-2.0-or-later
/* See mapping_view.h, and nat.h for what is in the maps. */
#include "mapping_view.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint32_t seconds_of(uint32_t ticks)
{
	return (uint32_t)(((uint64_t)ticks << NAT_TICK_SHIFT) / 1000000000);
}

int mapping_view_open(struct mapping_view *view, const struct datapath *dp, int family)
{
	const struct nat_config *config = datapath_shared(dp);
	unsigned int i;
	void *memory;

	memset(view, 0, sizeof(*view));
	view->family = family;
	view->address_size = family == AF_INET ? sizeof(__be32) : sizeof(struct nat_addr);
	view->slot_size = (offsetof(struct mapping, internal_addr) + view->address_size + 7) & ~(size_t)7;
	view->count = config->slots;
	view->now = datapath_ticks();
	view->hold = config->timeout[NAT_TIMEOUT_HOLD];
	for (i = 0; i < NAT_EXTERNALS_MAX; i++) {
		memcpy(view->externals[i].addr, config->external[i].addr, sizeof(view->externals[i].addr));
		view->externals[i].generation = config->external[i].generation;
	}
	memory = mmap(NULL, view->slot_size * (view->count + !view->count), PROT_READ | PROT_WRITE, MAP_SHARED,
		      datapath_map_fd(dp, "slots"), 0);
	if (memory == MAP_FAILED)
		return -errno;
	view->slots = memory;
	return 0;
}

void mapping_view_close(struct mapping_view *view)
{
	if (view->slots)
		munmap(view->slots, view->slot_size * (view->count + !view->count));
	view->slots = NULL;
}

static struct mapping *slot_at(const struct mapping_view *view, uint32_t slot)
{
	return (struct mapping *)(view->slots + slot * view->slot_size);
}

bool mapping_view_get(const struct mapping_view *view, uint32_t slot, struct entry *entry, uint16_t *epoch)
{
	const struct mapping *map = slot_at(view, slot);
	const unsigned int external = map->external % NAT_EXTERNALS_MAX;
	int32_t left = (int32_t)(map->expires - view->now);

	entry->family = view->family;
	entry->protocol = map->protocol % NAT_PROTOCOLS;
	memset(entry->internal, 0, sizeof(entry->internal));
	memcpy(entry->internal, &map->internal_addr, view->address_size);
	memcpy(entry->external, view->externals[external].addr, sizeof(entry->external));
	entry->internal_port = ntohs(map->internal_port);
	entry->external_port = ntohs(map->external_port);
	entry->sessions = map->state == MAPPING_STATIC ? 0 : map->sessions;
	entry->is_static = map->state == MAPPING_STATIC;
	if (epoch)
		*epoch = map->epoch;
	if (entry->is_static)
		left = 1;
	else if (map->state != MAPPING_LIVE || map->generation != view->externals[external].generation)
		left = -(int32_t)view->hold;
	entry->expires = left > 0 ? seconds_of((uint32_t)left) : 0;
	entry->state = entry->is_static ? "static" : left > 0 ? "live" : "held";
	entry->is_live = left > 0;
	return left > -(int32_t)view->hold;
}

void mapping_view_end(struct mapping_view *view, uint32_t slot)
{
	__atomic_store_n(&slot_at(view, slot)->expires, datapath_ticks() - 1, __ATOMIC_RELAXED);
}

/* Sessions */

static const char *const session_maps[] = { "tcp_sessions", "remotes" };

/*
 * The next batch. Keys and values are as long as the family's: they are read to the end of the arrays' memory and moved to
 * where an IPv6 one would be.
 */
static int batch_read(struct session_cursor *cursor, const struct datapath *dp, const struct mapping_view *view)
{
	const size_t key_size = offsetof(struct session_key, remote_addr) + view->address_size;
	const size_t value_size = cursor->map ? sizeof(struct remote) : sizeof(struct session);
	char *keys = (char *)cursor->keys, *values = (char *)cursor->values;
	uint32_t before = cursor->batch, i;

	cursor->at = 0;
	cursor->count = SESSION_BATCH;
	if (bpf_map_lookup_batch(datapath_map_fd(dp, session_maps[cursor->map]), cursor->is_begun ? &before : NULL,
				 &cursor->batch, keys, values, &cursor->count, NULL)) {
		if (errno != ENOENT)
			return -errno;
		cursor->is_last = true;
	}
	cursor->is_begun = true;
	for (i = cursor->count; i-- > 0;) {
		memmove(&cursor->keys[i], keys + i * key_size, key_size);
		memset((char *)&cursor->keys[i] + key_size, 0, sizeof(cursor->keys[i]) - key_size);
		memmove(&cursor->values[i], values + i * value_size, value_size);
	}
	return 0;
}

static const char *session_state(const struct session *session)
{
	if (session->flags & SESSION_RESET)
		return "reset";
	if (session->flags & (SESSION_FIN_OUT | SESSION_FIN_IN))
		return "closing";
	return session->flags & SESSION_COUNTED ? "open" : "opening";
}

/* One that was read; false: its mapping is another by now. */
static bool session_get(const struct session_cursor *cursor, const struct mapping_view *view, struct entry *entry)
{
	const struct session_key *key = &cursor->keys[cursor->at];
	const struct remote *remote = &cursor->values[cursor->at];
	struct session session;
	uint16_t epoch;

	memcpy(&session, remote, sizeof(session));
	if (key->slot >= view->count || !mapping_view_get(view, key->slot, entry, &epoch) || !entry->is_live)
		return false;
	if (epoch != (cursor->map ? remote->epoch : session.epoch))
		return false;
	if (cursor->map && (int32_t)(remote->expires - view->now) <= 0)
		return false;
	memcpy(entry->remote, &key->remote_addr, sizeof(entry->remote));
	entry->remote_port = ntohs(key->remote_port);
	entry->state = cursor->map ? "remote" : session_state(&session);
	return true;
}

int session_next(struct session_cursor *cursor, const struct datapath *dp, const struct mapping_view *view,
		 struct entry *entry)
{
	int err;

	for (;;) {
		for (; cursor->at < cursor->count; cursor->at++)
			if (session_get(cursor, view, entry)) {
				cursor->at++;
				return 1;
			}
		if (cursor->is_last) {
			cursor->is_last = cursor->is_begun = false;
			if (++cursor->map == sizeof(session_maps) / sizeof(*session_maps))
				return 0;
		}
		err = batch_read(cursor, dp, view);
		if (err)
			return err;
	}
}

/* Reports */

static uint32_t free_ports(const struct datapath *dp, const struct port_class *class)
{
	struct region region;
	uint32_t count = 0;
	size_t i;

	if (bpf_map_lookup_elem(datapath_map_fd(dp, "regions"), &class->region, &region))
		return 0;
	for (i = 0; i < sizeof(region.free) / sizeof(*region.free); i++)
		count += (uint32_t)__builtin_popcountll(region.free[i]);
	return count;
}

void plane_ports_read(const struct datapath *dp, uint32_t managed[NAT_PROTOCOLS], uint32_t used[NAT_PROTOCOLS])
{
	const struct nat_config *config = datapath_shared(dp);
	const struct port_class *class;
	unsigned int n, protocol;

	memset(managed, 0, NAT_PROTOCOLS * sizeof(*managed));
	memset(used, 0, NAT_PROTOCOLS * sizeof(*used));
	for (n = 0; n < NAT_EXTERNALS_MAX * NAT_PROTOCOLS * NAT_PORT_KINDS; n++) {
		protocol = n / NAT_PORT_KINDS % NAT_PROTOCOLS;
		class = &config->external[n / NAT_PORT_KINDS / NAT_PROTOCOLS].classes[protocol][n % NAT_PORT_KINDS];
		if (!class->count)
			continue;
		managed[protocol] += class->count;
		used[protocol] += class->count - free_ports(dp, class);
	}
}

/* What the kernel says that the map takes; 0 where it does not. */
static uint64_t map_memory(const struct datapath *dp, const char *name)
{
	unsigned long long memory = 0;
	char line[64];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", datapath_map_fd(dp, name));
	file = fopen(line, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "memlock:", 8))
			memory = strtoull(line + 8, NULL, 10);
	if (file)
		fclose(file);
	return memory;
}

int plane_report_read(struct plane_report *report, struct datapath *dp, int family)
{
	static const char *const maps[] = { "slots",	 "port_index",	"regions",     "endpoints", "tcp_sessions",
					    "fragments", "remotes",	"hosts",       "policy",    "counters",
					    "events",	 "held_egress", "held_ingress" };
	struct mapping_view view;
	struct entry entry;
	unsigned int n;
	uint32_t i;
	int err;

	report->family = family;
	plane_ports_read(dp, report->managed, report->used);
	for (n = 0; n < sizeof(maps) / sizeof(*maps); n++)
		report->memory += map_memory(dp, maps[n]);
	for (n = 0; n < NAT_DIRECTIONS * NAT_REASON_COUNT; n++)
		datapath_read_counter(dp, n / NAT_REASON_COUNT, n % NAT_REASON_COUNT,
				      &report->counters[n / NAT_REASON_COUNT][n % NAT_REASON_COUNT]);
	err = mapping_view_open(&view, dp, family);
	for (i = 0; !err && i < view.count; i++)
		if (mapping_view_get(&view, i, &entry, NULL) && entry.is_live)
			report->mappings[entry.protocol]++;
	mapping_view_close(&view);
	return err;
}
