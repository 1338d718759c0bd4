// SPDX-License-Identifier: GPL-2.0-or-later
/* What the maps hold before the first packet: ports, policy, timeouts. See datapath_private.h. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "datapath_private.h"
#include "forward.h"
#include "log.h"
#include "slot_plan.h"
#include "static_mapping.h"

static __u32 ticks_of_ms(uint64_t ms)
{
	return (ms * 1000000) >> NAT_TICK_SHIFT;
}

size_t datapath_value_size(const struct bpf_map *map)
{
	return (bpf_map__value_size(map) + 7) & ~7u;
}

size_t datapath_addr_size(const struct datapath *dp)
{
	return bpf_map__value_size(dp->maps.slots) - offsetof(struct mapping, internal_addr);
}

void *datapath_map_open(const struct datapath *dp, const struct bpf_map *map)
{
	size_t size = datapath_value_size(map) * bpf_map__max_entries(map);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	if (memory == MAP_FAILED) {
		log_error("%s: map %s into memory: %s", dp->ifname, bpf_map__name(map), strerror(errno));
		return NULL;
	}
	return memory;
}

void datapath_map_close(const struct bpf_map *map, void *memory)
{
	munmap(memory, datapath_value_size(map) * bpf_map__max_entries(map));
}

struct slot_fill {
	char *slots;
	size_t slot_size;
	struct port_block *blocks;
	__u32 first_slot;
	__u32 entry;
	__u8 protocol;
	__u8 external;
};

static void fill_slot(__u32 slot, __u16 port, void *arg)
{
	struct slot_fill *fill = arg;
	struct mapping *map = (struct mapping *)(fill->slots + slot * fill->slot_size);
	__u32 entry = fill->entry | port;

	map->external_port = htons(port);
	map->protocol = fill->protocol;
	map->external = fill->external;
	fill->blocks[entry / NAT_PORT_BLOCK].offset[entry % NAT_PORT_BLOCK] = slot - fill->first_slot + 1;
}

static int fill_statics(struct datapath *dp, const struct slot_fill *fill, const struct datapath_config *config)
{
	const struct static_maps maps = {
		.slots = fill->slots,
		.slot_size = fill->slot_size,
		.addr_size = datapath_addr_size(dp),
		.index = fill->blocks,
		.endpoints = bpf_map__fd(dp->maps.endpoints),
		.externals = dp->config->external,
	};
	int err = static_mappings_fill(&maps, config);

	if (err)
		log_error("%s: set up static mappings: %s", dp->ifname, strerror(-err));
	return err;
}

int datapath_fill_slots(struct datapath *dp, const struct slot_plan *plan)
{
	const struct bpf_map *slots = dp->maps.slots, *index = dp->maps.port_index;
	struct slot_fill fill = { .slot_size = datapath_value_size(slots) };
	int err;

	fill.slots = datapath_map_open(dp, slots);
	if (!fill.slots)
		return -ENOMEM;
	fill.blocks = datapath_map_open(dp, index);
	if (!fill.blocks) {
		datapath_map_close(slots, fill.slots);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < dp->externals * NAT_PROTOCOLS; i++) {
		fill.external = i / NAT_PROTOCOLS;
		fill.protocol = i % NAT_PROTOCOLS;
		fill.entry = i << 16;
		fill.first_slot = plan->externals[fill.external].first_slot[fill.protocol];
		slot_plan_visit(plan, fill.external, fill.protocol, fill_slot, &fill);
	}
	err = fill_statics(dp, &fill, plan->config);
	datapath_map_close(index, fill.blocks);
	datapath_map_close(slots, fill.slots);
	return err;
}

/* The bits of a class's region: which of its slots are FREE. */
static int fill_class(struct datapath *dp, const struct port_class *class, const char *slots)
{
	const size_t size = datapath_value_size(dp->maps.slots);
	const struct mapping *map;
	struct region *region;
	int err = 0;

	if (!class->count)
		return 0;
	region = calloc(1, sizeof(*region));
	if (!region)
		return -ENOMEM;
	for (__u32 i = 0; i < class->count; i++) {
		map = (const struct mapping *)(slots + (class->first_slot + i) * size);
		if (map->state != MAPPING_FREE)
			continue;
		region->free[i / 64] |= 1ULL << i % 64;
		region->summary[i / 4096] |= 1ULL << i / 64 % 64;
		region->top |= 1U << i / 4096;
	}
	if (bpf_map_update_elem(bpf_map__fd(dp->maps.regions), &class->region, region, BPF_ANY)) {
		err = -errno;
		log_error("%s: set up free ports: %s", dp->ifname, strerror(-err));
	}
	free(region);
	return err;
}

int datapath_fill_regions(struct datapath *dp, unsigned int externals)
{
	char *slots = datapath_map_open(dp, dp->maps.slots);
	int err = slots ? 0 : -ENOMEM;

	for (unsigned int i = 0; !err && i < externals * NAT_PROTOCOLS * NAT_PORT_KINDS; i++) {
		const struct external *external = &dp->config->external[i / NAT_PORT_KINDS / NAT_PROTOCOLS];

		err = fill_class(dp, &external->classes[i / NAT_PORT_KINDS % NAT_PROTOCOLS][i % NAT_PORT_KINDS], slots);
	}
	if (slots)
		datapath_map_close(dp->maps.slots, slots);
	return err;
}

int datapath_policy_add(struct datapath *dp, __u32 kind, const struct ip_prefix *prefix, __u32 action)
{
	struct policy_key key = { .prefixlen = 32 + prefix->length, .kind = htonl(kind) };

	memcpy(key.addr.word, prefix->addr, sizeof(key.addr.word));
	if (bpf_map_update_elem(bpf_map__fd(dp->maps.policy), &key, &action, BPF_ANY)) {
		log_error("%s: add a prefix to the policy: %s", dp->ifname, strerror(errno));
		return -errno;
	}
	return 0;
}

void datapath_policy_delete(struct datapath *dp, enum policy_kind kind, const struct ip_prefix *prefix)
{
	struct policy_key key = { .prefixlen = 32 + prefix->length, .kind = htonl(kind) };

	memcpy(key.addr.word, prefix->addr, sizeof(key.addr.word));
	bpf_map_delete_elem(bpf_map__fd(dp->maps.policy), &key);
}

int datapath_fill_policy(struct datapath *dp, const struct datapath_config *config)
{
	int err = 0;

	for (size_t i = 0; !err && i < config->internals_count; i++)
		err = datapath_policy_add(dp, POLICY_SOURCE, &config->internals[i], POLICY_TRANSLATE);
	for (size_t i = 0; !err && i < config->exempt_destinations_count; i++)
		err = datapath_policy_add(dp, POLICY_DESTINATION, &config->exempt_destinations[i], POLICY_EXEMPT);
	for (size_t i = 0; !err && i < config->forwards_count; i++) {
		const struct forward *forward = &config->forwards[i];
		__u32 kind = POLICY_REMOTES + forward_remote_set(forward, i);

		for (size_t n = 0; !err && n < forward->remotes_count && forward->family == config->family; n++)
			err = datapath_policy_add(dp, kind, &forward->remotes[n], POLICY_TRANSLATE);
	}
	return err;
}

static __u32 max_u32(__u32 a, __u32 b)
{
	return a > b ? a : b;
}

/*
 * Whole ticks, and what is lost by counting in them: the tick that has begun, and a refresh that was not worth writing.
 * The RFCs' times are the least that a mapping may last.
 */
void datapath_fill_timeouts(struct nat_config *to, const uint64_t timeout_ms[NAT_TIMEOUTS])
{
	__u32 shortest = UINT32_MAX, ticks[NAT_TIMEOUTS], refresh;

	for (int i = 0; i < NAT_TIMEOUTS; i++) {
		ticks[i] = timeout_ms[i] ? ticks_of_ms(timeout_ms[i]) + 2 : 0;
		if (i != NAT_TIMEOUT_HOLD && i != NAT_TIMEOUT_FRAGMENT && ticks[i] < shortest)
			shortest = ticks[i];
	}
	refresh = ticks_of_ms(1000) < shortest / 8 ? ticks_of_ms(1000) : shortest / 8;
	to->refresh = refresh;
	/* A single store each: packets may be flowing. */
	for (int i = 0; i < NAT_TIMEOUTS; i++)
		to->timeout[i] = ticks[i] + (i != NAT_TIMEOUT_HOLD && i != NAT_TIMEOUT_FRAGMENT ? refresh : 0);
	to->steady[NAT_TCP] = max_u32(ticks[NAT_TIMEOUT_TCP_ESTABLISHED],
				      to->timeout[NAT_TIMEOUT_TCP_TRANSITORY] + 1); /* one without sessions has less */
	to->steady[NAT_UDP] = max_u32(ticks[NAT_TIMEOUT_UDP_CONFIRMED], 1);
	to->steady_unconfirmed = max_u32(ticks[NAT_TIMEOUT_UDP], 1);
}

void datapath_count_hosts(struct datapath *dp)
{
	const size_t size = datapath_value_size(dp->maps.slots);
	char *slots = dp->is_limited ? datapath_map_open(dp, dp->maps.slots) : NULL;
	int fd = bpf_map__fd(dp->maps.hosts);
	const struct mapping *map;
	struct host host;

	for (__u32 i = 0; slots && i < dp->slots; i++) {
		map = (const struct mapping *)(slots + i * size);
		if (map->state == MAPPING_FREE || map->state == MAPPING_STATIC)
			continue;
		if (bpf_map_lookup_elem(fd, &map->internal_addr, &host))
			memset(&host, 0, sizeof(host));
		host.mappings[map->protocol % NAT_PROTOCOLS]++;
		bpf_map_update_elem(fd, &map->internal_addr, &host, BPF_ANY); /* a full map has the limit in force */
	}
	if (slots)
		datapath_map_close(dp->maps.slots, slots);
}
