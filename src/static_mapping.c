// SPDX-License-Identifier: GPL-2.0-or-later
/* See static_mapping.h, and nat.h for what the data plane makes of them. */
#include "static_mapping.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "forward.h"

/* What is open to all takes the short way at once: it looks as if somebody had answered, and a session were established. */
static int mapping_fill(const struct static_maps *maps, const struct forward *forward, enum nat_protocol protocol,
			unsigned int n, __u16 remote_set)
{
	const struct external *external = &maps->externals[forward->external_number];
	struct endpoint endpoint = { .port = htons(forward->internal_port + n), .protocol = protocol };
	__u32 entry = (forward->external_number * NAT_PROTOCOLS + protocol) << 16 | (forward->external.first + n);
	__u32 slot = external->first_slot[protocol] +
		     maps->index[entry / NAT_PORT_BLOCK].offset[entry % NAT_PORT_BLOCK] - 1;
	struct mapping *map = (struct mapping *)(maps->slots + slot * maps->slot_size);

	memcpy(endpoint.addr.word, forward->internal_addr, sizeof(endpoint.addr.word));
	if (bpf_map_update_elem(maps->endpoints, &endpoint, &slot, BPF_NOEXIST))
		return -errno;
	map->internal_port = endpoint.port;
	memcpy(&map->internal_addr, forward->internal_addr, maps->addr_size);
	map->expires = datapath_ticks() + NAT_STATIC_TICKS;
	map->generation = external->generation;
	map->epoch = remote_set;
	map->confirmed = map->sessions = !remote_set;
	map->state = MAPPING_STATIC;
	return 0;
}

int static_mappings_fill(const struct static_maps *maps, const struct datapath_config *config)
{
	int err = 0;

	for (size_t i = 0; i < config->forwards_count; i++) {
		const struct forward *forward = &config->forwards[i];
		const __u16 length = forward->external.last - forward->external.first;

		for (int protocol = 0; protocol < FORWARD_PROTOCOLS; protocol++) {
			if (forward->family != config->family || forward->external_number >= config->externals_count ||
			    !forward->protocols[protocol])
				continue;
			for (unsigned int n = 0; n <= length && !err; n++)
				err = mapping_fill(maps, forward, protocol, n, forward_remote_set(forward, i));
		}
	}
	return err;
}
