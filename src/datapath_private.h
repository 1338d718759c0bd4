/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is behind datapath.h, for the files that it is made of: datapath.c, datapath_fill.c, succession.c. */
#ifndef DATAPATH_PRIVATE_H
#define DATAPATH_PRIVATE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attachment.h"
#include "datapath.h"
#include "fragments.h"
#include "inheritance.h"
#include "pins.h"

struct slot_plan;

/* What both families' skeletons have. */
struct datapath_maps {
	struct bpf_map *slots, *port_index, *regions, *endpoints, *tcp_sessions, *fragments, *remotes, *hosts, *policy,
		*counters, *events, *held_egress, *held_ingress, *bss;
};

struct datapath {
	void *skeleton; /* struct nat44_bpf or nat66_bpf */
	int (*load)(struct datapath *dp);
	void (*destroy)(struct datapath *dp);
	struct bpf_object *object;
	struct datapath_maps maps;
	struct attachment attachment;
	struct bpf_program *sweep;
	struct nat_constants *constants;   /* the object's .rodata, until it is loaded */
	struct nat_config *config;	   /* the object's .bss */
	void *inherited;		   /* the same of an earlier one, that was taken over; NULL: it was not */
	uint64_t timeout_ms[NAT_TIMEOUTS]; /* for `inherited`, once attached */
	struct layout layout;
	struct datapath
		*predecessor; /* what an earlier one has left and is not like ours: to copy mappings from, once */
	char pins[PINS_PATH]; /* of this interface and family; "": unknown */
	bool keep;	      /* pin maps and links there */
	struct ring_buffer *ring;
	struct fragments fragments;
	void (*handle_event)(const struct nat_event *event, void *arg);
	void *handle_arg;
	struct ip_prefix *own; /* what datapath_set_own() was told last */
	size_t own_count;
	char ifname[IF_NAMESIZE];
	int family;
	int ifindex;
	__u32 slots;
	unsigned int externals;
	bool prefer_tcx;
	bool is_attached;
	bool is_limited;     /* internal hosts are counted */
	bool has_taken_over; /* mappings of an earlier einat: it was at work before us */
	uint64_t serial;     /* see datapath_serial() */
};

/* Maps a whole array for reading and writing; NULL and a message if that fails. Unmap with datapath_map_close(). */
void *datapath_map_open(const struct datapath *dp, const struct bpf_map *map);
void datapath_map_close(const struct bpf_map *map, void *memory);

/* From one element of a mapped array to the next, in bytes. */
size_t datapath_value_size(const struct bpf_map *map);

/* The bytes of an internal address in a mapping and in an endpoint, where it comes last. */
size_t datapath_addr_size(const struct datapath *dp);

/* Which port has which slot, and the static mappings; which slots are free. 0, or -errno (logged). */
int datapath_fill_slots(struct datapath *dp, const struct slot_plan *plan);
int datapath_fill_regions(struct datapath *dp, unsigned int externals);

/* All prefixes of the configuration, or one; its address is in network byte order. 0, or -errno (logged). */
int datapath_fill_policy(struct datapath *dp, const struct datapath_config *config);
int datapath_policy_add(struct datapath *dp, __u32 kind, const struct ip_prefix *prefix, __u32 action);
void datapath_policy_delete(struct datapath *dp, enum policy_kind kind, const struct ip_prefix *prefix);

void datapath_fill_timeouts(struct nat_config *to, const uint64_t timeout_ms[NAT_TIMEOUTS]);

/* Counts the mappings of each internal host where nobody has done so yet: the limit of them is new. */
void datapath_count_hosts(struct datapath *dp);

/* `heir`, loaded and not attached, gets the mappings of `before`. 0, or -errno (logged). */
int datapath_inherit_mappings(struct datapath *before, struct datapath *heir);

#endif
