/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a data plane takes over from an earlier one: its maps, so that no mapping is lost when the programs are exchanged.
 * The earlier one is in the same process, or has left its maps pinned (pins.h). Maps that hold what the configuration says
 * (the policy, .rodata) or what is on its way to the daemon's log are never taken over.
 *
 *	core	slots, port_index, regions, endpoints, .bss: all of them fit, or nothing is taken over
 *	soft	sessions, fragments, remotes, hosts, counters, held fragments: one that does not fit begins empty
 */
#ifndef INHERITANCE_H
#define INHERITANCE_H

#include <bpf/libbpf.h>
#include <stdbool.h>

/* What the content of the maps depends on, apart from their sizes. */
struct layout {
	__u32 version; /* NAT_LAYOUT */
	__u32 family;
	__u32 config_at; /* where struct nat_config is in .bss */
	__u32 turn_mark; /* taken over: what is on its way has it */
	__u64 netns;	 /* the namespace's cookie, as its number may come again; 0: this kernel has none */
	__u64 ports;	 /* a hash of which slot is whose */
};

enum { INHERITANCE_WHY = 96 };

/* Where the maps come from: what is pinned, or an object of this process, then with its layout. Neither: the mark alone. */
struct inheritance {
	const char *pins;
	const struct bpf_object *object;
	const struct layout *layout;
};

/*
 * Before loading, with all sizes set. *layout becomes that of the earlier one. Returns 0, -ENOENT: there is none; or
 * -ESTALE: it does not fit, and why[] says what differs. Then nothing has been taken.
 */
int inheritance_take(struct bpf_object *heir, const struct inheritance *from, struct layout *layout,
		     char why[INHERITANCE_WHY]);

/*
 * For an object that is never loaded: its maps become what is pinned, to read from, whatever their sizes are, if that is of
 * the same version, family and namespace as *like. Then *like is its layout. Returns 0 or -ENOENT.
 */
int inheritance_open(struct bpf_object *object, const char *pins, struct layout *like);

/* Has the heir this map from the earlier one? After inheritance_take(), before loading. */
bool inheritance_has(const struct bpf_map *map);

/* Pins all that may be taken over, unless it is there already. Returns 0 or -errno. */
int inheritance_leave(const struct bpf_object *object, const char *pins, const struct layout *layout);

/* The cookie for layout.netns. */
__u64 inheritance_netns(void);

#endif
