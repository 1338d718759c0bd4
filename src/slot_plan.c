// SPDX-License-Identifier: GPL-2.0-or-later
/* See slot_plan.h. */
#include "slot_plan.h"

#include <errno.h>
#include <string.h>

#include "forward.h"

/* Port 0 is nobody's in TCP and UDP; an offset of 16 bits in port_index leaves identifier 0 out for ICMP too. */
static bool port_is_usable(unsigned int port)
{
	return port != 0;
}

static const struct port_set *ports_of(const struct datapath_config *config, unsigned int external, int protocol)
{
	return config->externals ? &config->externals[external].ports[protocol] : &config->ports[protocol];
}

/* Counts the slots and regions that a protocol's ports need, and fills in the external's classes. */
static void plan_protocol(struct slot_plan *plan, struct external *external, enum nat_protocol protocol,
			  const struct port_set *ports)
{
	external->first_slot[protocol] = plan->slots;
	for (unsigned int kind = 0; kind < NAT_PORT_KINDS; kind++) {
		struct port_class *class = &external->classes[protocol][kind];

		class->first_slot = plan->slots;
		class->region = plan->regions;
		class->count = 0;
		for (size_t r = 0; r < ports->count; r++)
			for (unsigned int port = ports->ranges[r].first; port <= ports->ranges[r].last; port++)
				if (NAT_PORT_KIND(port) == kind && port_is_usable(port))
					class->count++;
		plan->slots += class->count;
		external->slot_count[protocol] += class->count;
		plan->regions++; /* an empty class has one too, with nothing in it */
	}
}

static bool forward_is_of(const struct forward *forward, const struct datapath_config *config, unsigned int external,
			  enum nat_protocol protocol)
{
	return forward->family == config->family && forward->external_number == external && protocol < NAT_ICMP &&
	       forward->protocols[protocol];
}

/* The ports of static mappings that no class has. */
static int plan_unmanaged(struct slot_plan *plan, unsigned int external, enum nat_protocol protocol)
{
	const struct port_set *managed = ports_of(plan->config, external, protocol);
	struct port_set *unmanaged = &plan->unmanaged[external][protocol];
	int err = 0;

	for (size_t i = 0; i < plan->config->forwards_count; i++) {
		const struct forward *forward = &plan->config->forwards[i];

		if (!forward_is_of(forward, plan->config, external, protocol))
			continue;
		for (unsigned int port = forward->external.first; !err && port <= forward->external.last; port++)
			if (!port_set_contains(managed, port))
				err = port_set_add(unmanaged, port, port);
	}
	plan->slots += port_set_size(unmanaged);
	return err;
}

int slot_plan_make(struct slot_plan *plan, const struct datapath_config *config)
{
	int err = 0;

	memset(plan, 0, sizeof(*plan));
	plan->config = config;
	for (unsigned int i = 0; i < config->externals_count; i++) {
		struct external *external = &plan->externals[i];

		external->first_block = i * NAT_PROTOCOLS * NAT_PORT_BLOCKS;
		for (int protocol = 0; protocol < NAT_PROTOCOLS; protocol++) {
			plan_protocol(plan, external, protocol, ports_of(config, i, protocol));
			err = err ?: plan_unmanaged(plan, i, protocol);
		}
	}
	return err;
}

void slot_plan_free(struct slot_plan *plan)
{
	for (unsigned int i = 0; i < NAT_EXTERNALS_MAX * NAT_PROTOCOLS; i++)
		port_set_free(&plan->unmanaged[i / NAT_PROTOCOLS][i % NAT_PROTOCOLS]);
}

static __u32 visit_ports(const struct port_set *ports, int kind, __u32 slot,
			 void (*visit)(__u32 slot, __u16 port, void *arg), void *arg)
{
	for (size_t r = 0; r < ports->count; r++)
		for (unsigned int port = ports->ranges[r].first; port <= ports->ranges[r].last; port++)
			if ((kind < 0 || (int)NAT_PORT_KIND(port) == kind) && port_is_usable(port))
				visit(slot++, port, arg);
	return slot;
}

void slot_plan_visit(const struct slot_plan *plan, unsigned int external, enum nat_protocol protocol,
		     void (*visit)(__u32 slot, __u16 port, void *arg), void *arg)
{
	const struct port_set *ports = ports_of(plan->config, external, protocol);
	__u32 slot = plan->externals[external].first_slot[protocol];

	for (int kind = 0; kind < NAT_PORT_KINDS; kind++)
		slot = visit_ports(ports, kind, slot, visit, arg);
	visit_ports(&plan->unmanaged[external][protocol], -1, slot, visit, arg);
}

/* FNV-1a. */
static __u64 hash_add(__u64 hash, __u64 value)
{
	for (int i = 0; i < 64; i += 8)
		hash = (hash ^ (value >> i & 0xff)) * 0x100000001b3ULL;
	return hash;
}

static __u64 hash_forward(__u64 hash, const struct forward *forward, size_t n)
{
	hash = hash_add(hash, (__u64)forward->external_number << 2 | (__u64)forward->protocols[NAT_TCP] << 1 |
				      forward->protocols[NAT_UDP]);
	hash = hash_add(hash, (__u64)forward->external.first << 16 | forward->external.last);
	hash = hash_add(hash, (__u64)forward->internal_port << 16 | forward_remote_set(forward, n));
	for (int i = 0; i < 4; i++)
		hash = hash_add(hash, forward->internal_addr[i]);
	return hash;
}

__u64 slot_plan_hash(const struct datapath_config *config)
{
	__u64 hash = hash_add(0xcbf29ce484222325ULL, config->externals_count);

	for (unsigned int i = 0; i < config->externals_count * NAT_PROTOCOLS; i++) {
		const struct port_set *ports = ports_of(config, i / NAT_PROTOCOLS, i % NAT_PROTOCOLS);

		hash = hash_add(hash, ports->count);
		for (size_t r = 0; r < ports->count; r++)
			hash = hash_add(hash, (__u64)ports->ranges[r].first << 16 | ports->ranges[r].last);
	}
	/* Where they stand for others, mappings have to be copied, each to its address. */
	for (unsigned int i = 0; i < config->externals_count * 4 && config->externals; i++)
		hash = hash_add(hash, (__u64)config->externals[i / 4].first[i % 4] << 32 |
					      config->externals[i / 4].last[i % 4]);
	for (size_t i = 0; i < config->forwards_count; i++)
		if (config->forwards[i].family == config->family)
			hash = hash_forward(hash, &config->forwards[i], i);
	return hash;
}
