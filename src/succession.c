// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The mappings of a data plane are carried to the one that takes its place, slot by slot: those whose external endpoint the
 * new configuration still has. Packets go on meanwhile. See datapath_private.h.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "datapath_private.h"

struct succession {
	struct datapath *before, *heir;
	char *before_slots, *heir_slots;
	struct port_block *heir_index;
	__u32 *slot_of; /* before's slot -> the heir's, or NAT_SLOT_NONE */
};

static int external_find(const struct datapath *dp, const __be32 addr[4])
{
	static const __be32 none[4];

	for (unsigned int i = 0; i < dp->externals; i++)
		if (!memcmp(dp->config->external[i].addr, addr, sizeof(none)) && memcmp(addr, none, sizeof(none)) != 0)
			return (int)i;
	return -1;
}

static struct mapping *heir_slot(const struct succession *pass, __u32 slot)
{
	return (struct mapping *)(pass->heir_slots + slot * datapath_value_size(pass->heir->maps.slots));
}

/* What the configuration says comes first: a mapping that has the port, or the internal endpoint, of a static one ends. */
static bool is_static(const struct succession *pass, __u32 slot)
{
	return slot < pass->heir->slots && heir_slot(pass, slot)->state == MAPPING_STATIC;
}

/* The heir's slot for the external endpoint of this mapping, or NAT_SLOT_NONE. */
static __u32 slot_find(const struct succession *pass, const struct mapping *map)
{
	const struct external *external = &pass->before->config->external[map->external % NAT_EXTERNALS_MAX];
	int number = external_find(pass->heir, external->addr);
	__u32 entry, offset, slot;

	if (map->state != MAPPING_LIVE || map->generation != external->generation || number < 0)
		return NAT_SLOT_NONE;
	entry = ((__u32)number * NAT_PROTOCOLS + map->protocol) << 16 | ntohs(map->external_port);
	offset = pass->heir_index[entry / NAT_PORT_BLOCK].offset[entry % NAT_PORT_BLOCK];
	if (!offset)
		return NAT_SLOT_NONE;
	slot = pass->heir->config->external[number].first_slot[map->protocol] + offset - 1;
	return is_static(pass, slot) ? NAT_SLOT_NONE : slot;
}

/* Both slots know their port, protocol and external; the rest is copied. An endpoint that points elsewhere stays out. */
static void mapping_copy(const struct succession *pass, __u32 from, __u32 to)
{
	const size_t size = datapath_value_size(pass->heir->maps.slots);
	const struct mapping *map = (const struct mapping *)(pass->before_slots + from * size);
	struct mapping *copy = heir_slot(pass, to);
	struct endpoint endpoint = { .port = map->internal_port, .protocol = map->protocol };
	__u8 external = copy->external;
	__u32 owned;

	memcpy(&endpoint.addr, &map->internal_addr, datapath_addr_size(pass->heir));
	if (!bpf_map_lookup_elem(bpf_map__fd(pass->heir->maps.endpoints), &endpoint, &owned) && is_static(pass, owned))
		return;
	if (!bpf_map_lookup_elem(bpf_map__fd(pass->before->maps.endpoints), &endpoint, &owned)) {
		if (owned != from ||
		    bpf_map_update_elem(bpf_map__fd(pass->heir->maps.endpoints), &endpoint, &to, BPF_ANY))
			return;
	}
	memcpy(copy, map, size);
	copy->external = external;
	copy->generation = pass->heir->config->external[external].generation;
}

static void mappings_copy(const struct succession *pass)
{
	const size_t size = datapath_value_size(pass->before->maps.slots);

	for (__u32 i = 0; i < pass->before->slots; i++) {
		pass->slot_of[i] = slot_find(pass, (const struct mapping *)(pass->before_slots + i * size));
		if (pass->slot_of[i] != NAT_SLOT_NONE)
			mapping_copy(pass, i, pass->slot_of[i]);
	}
}

/* TCP sessions and remotes: their keys begin with the slot. One that is lost does the harm that nat.h tells of. */
static void sessions_copy(const struct succession *pass, const struct bpf_map *from, const struct bpf_map *to)
{
	union {
		__u32 slot;
		struct session_key session;
		struct remote_key remote;
	} key, next;
	union {
		struct session session;
		struct remote remote;
	} value;
	const void *previous = NULL;

	for (__u32 n = 0; n < bpf_map__max_entries(from); n++, previous = &key) {
		if (bpf_map_get_next_key(bpf_map__fd(from), previous, &next))
			return;
		key = next;
		if (next.slot >= pass->before->slots || pass->slot_of[next.slot] == NAT_SLOT_NONE ||
		    bpf_map_lookup_elem(bpf_map__fd(from), &next, &value))
			continue;
		next.slot = pass->slot_of[next.slot];
		bpf_map_update_elem(bpf_map__fd(to), &next, &value, BPF_ANY);
	}
}

/* Twice: the second pass is short, and sees what was made while the first one took its time. */
int datapath_inherit_mappings(struct datapath *before, struct datapath *heir)
{
	struct succession pass = {
		.before = before,
		.heir = heir,
		.before_slots = datapath_map_open(before, before->maps.slots),
		.heir_slots = datapath_map_open(heir, heir->maps.slots),
		.heir_index = datapath_map_open(heir, heir->maps.port_index),
		.slot_of = calloc(before->slots + 1, sizeof(__u32)),
	};
	int err = -ENOMEM;

	if (pass.before_slots && pass.heir_slots && pass.heir_index && pass.slot_of) {
		mappings_copy(&pass);
		sessions_copy(&pass, before->maps.tcp_sessions, heir->maps.tcp_sessions);
		sessions_copy(&pass, before->maps.remotes, heir->maps.remotes);
		mappings_copy(&pass);
		datapath_count_hosts(heir);
		err = datapath_fill_regions(heir, heir->externals);
	}
	if (pass.before_slots)
		datapath_map_close(before->maps.slots, pass.before_slots);
	if (pass.heir_slots)
		datapath_map_close(heir->maps.slots, pass.heir_slots);
	if (pass.heir_index)
		datapath_map_close(heir->maps.port_index, pass.heir_index);
	free(pass.slot_of);
	return err;
}
