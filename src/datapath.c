// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loads, attaches, feeds and reads the BPF programs of one interface and family. See datapath.h for the contract, and
 * nat.h for what is in the maps.
 */
#include "datapath_private.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "forward.h"
#include "log.h"
#include "nat44.skel.h"
#include "nat66.skel.h"
#include "slot_plan.h"

#define EVENTS_AT_ONCE 1000 /* of a flood that comes faster than its lines are printed */

/* The two skeletons differ in the names of their types alone. */
#define MAP_OF(name) .name = skel->maps.name
#define DATAPATH_FAMILY(family_name)                                                                    \
	static int load_##family_name(struct datapath *dp)                                              \
	{                                                                                               \
		return family_name##_bpf__load(dp->skeleton);                                           \
	}                                                                                               \
                                                                                                        \
	static void destroy_##family_name(struct datapath *dp)                                          \
	{                                                                                               \
		family_name##_bpf__destroy(dp->skeleton);                                               \
	}                                                                                               \
                                                                                                        \
	static int open_##family_name(struct datapath *dp)                                              \
	{                                                                                               \
		struct family_name##_bpf *skel = family_name##_bpf__open();                             \
                                                                                                        \
		if (!skel)                                                                              \
			return -errno;                                                                  \
		dp->skeleton = skel;                                                                    \
		dp->load = load_##family_name;                                                          \
		dp->destroy = destroy_##family_name;                                                    \
		dp->object = skel->obj;                                                                 \
		dp->maps = (struct datapath_maps){                                                      \
			MAP_OF(slots),	      MAP_OF(port_index), MAP_OF(regions), MAP_OF(endpoints),   \
			MAP_OF(tcp_sessions), MAP_OF(fragments),  MAP_OF(remotes), MAP_OF(hosts),       \
			MAP_OF(policy),	      MAP_OF(counters),	  MAP_OF(events),  MAP_OF(held_egress), \
			MAP_OF(held_ingress), MAP_OF(bss),                                              \
		};                                                                                      \
		dp->attachment.programs[NAT_EGRESS] = skel->progs.nat_egress;                           \
		dp->attachment.programs[NAT_INGRESS] = skel->progs.nat_ingress;                         \
		dp->sweep = skel->progs.nat_sweep;                                                      \
		dp->constants = &skel->rodata->constants;                                               \
		dp->config = &skel->bss->config;                                                        \
		dp->layout.config_at = (char *)&skel->bss->config - (char *)skel->bss;                  \
		return 0;                                                                               \
	}

DATAPATH_FAMILY(nat44)
DATAPATH_FAMILY(nat66)

void datapath_set_timeouts(struct datapath *dp, const uint64_t timeout_ms[NAT_TIMEOUTS])
{
	memcpy(dp->timeout_ms, timeout_ms, sizeof(dp->timeout_ms));
	datapath_fill_timeouts(dp->config, timeout_ms);
	dp->fragments.hold_ms = timeout_ms[NAT_TIMEOUT_FRAGMENT];
}

/* Loading */

/* Asks the kernel, rather than its version, for a helper. */
static bool kernel_has_helper(enum bpf_func_id helper)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, helper, NULL) == 1;
}

/*
 * Does bpf_fib_lookup() know how to give the route's source (6.7)? It refuses flags that it does not know, before it looks
 * at anything else, so a run of one call tells.
 */
static bool kernel_has_fib_source(void)
{
	enum { SIZE = sizeof(struct bpf_fib_lookup) };
	struct bpf_insn insns[SIZE / 8 + 7];
	static const char frame[64];
	LIBBPF_OPTS(bpf_prog_load_opts, load);
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame), .repeat = 1);
	int n = 0, fd, err;

	for (int offset = -SIZE; offset < 0; offset += 8)
		insns[n++] = (struct bpf_insn){ .code = BPF_ST | BPF_MEM | BPF_DW,
						.dst_reg = BPF_REG_10,
						.off = offset };
	insns[n++] = (struct bpf_insn){ BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0 };
	insns[n++] = (struct bpf_insn){ BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -SIZE };
	insns[n++] = (struct bpf_insn){ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, SIZE };
	insns[n++] = (struct bpf_insn){ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_4, 0, 0, BPF_FIB_LOOKUP_SRC };
	insns[n++] = (struct bpf_insn){ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_fib_lookup };
	insns[n++] = (struct bpf_insn){ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 };
	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "nat_probe", "GPL", insns, n, &load);
	if (fd < 0)
		return false;
	err = bpf_prog_test_run_opts(fd, &run);
	close(fd);
	return !err && (int)run.retval != -EINVAL;
}

static int at_least_one(unsigned int number)
{
	return number ? number : 1;
}

/* Nobody else's packets carry it, but for a chance of one in four thousand million. */
static __u32 random_mark(void)
{
	__u32 mark = 0;

	while (!mark)
		if (getrandom(&mark, sizeof(mark), 0) != sizeof(mark))
			mark = 0xe1a70001;
	return mark;
}

/* A power of two that is at least the number of CPUs, up to what the data plane tells apart. */
static __u32 id_step(void)
{
	int cpus = libbpf_num_possible_cpus();
	__u32 step = 1;

	while ((int)step < cpus && step < NAT_ID_CPUS)
		step *= 2;
	return step;
}

/* What the short way asks of each packet has no place there: more on its lifetime, a log, a filter, a policy. */
static __u32 short_way(const struct datapath_config *config)
{
	__u32 traits = SHORT_WAY | (config->has_l2 ? SHORT_ETHERNET : 0);

	if (config->log_level || config->filtering != FILTERING_ENDPOINT_INDEPENDENT ||
	    config->exempt_destinations_count)
		return 0;
	if (config->externals_count == 1)
		traits |= SHORT_SINGLE;
	if (config->refresh_inbound)
		traits |= SHORT_REFRESH_INBOUND;
	if (config->inbound_mark)
		traits |= SHORT_INBOUND_MARK;
	if (config->designated_mark)
		traits |= SHORT_DESIGNATED;
	return traits;
}

/* Sizes the maps and sets the constants of an opened object. */
static int prepare(struct datapath *dp, const struct datapath_config *config, const struct slot_plan *plan)
{
	const struct datapath_maps *maps = &dp->maps;
	size_t remotes = 0;
	int err = 0;

	for (size_t i = 0; i < config->forwards_count; i++)
		remotes += config->forwards[i].remotes_count;
	*dp->constants = (struct nat_constants){
		.l2_length = config->has_l2 ? 14 : 0,
		.short_way = short_way(config),
		.externals = config->externals_count,
		.policy_needs = (config->internals_count ? POLICY_NEED_SOURCE : 0) |
				(config->exempt_destinations_count ? POLICY_NEED_DESTINATION : 0),
		.designated_mark = config->designated_mark,
		.inbound_mark = config->inbound_mark,
		.mss_clamp = config->mss_clamp,
		.filtering = config->filtering,
		.refresh_inbound = config->refresh_inbound,
		.host_rate = config->host_rate,
		.host_limit = { config->host_limit[0], config->host_limit[1], config->host_limit[2] },
		.pooling = config->pooling,
		.fib_source = config->externals_count > 1 && config->fib_source && kernel_has_fib_source(),
		.id_step = id_step(),
		.has_coarse_clock = kernel_has_helper(BPF_FUNC_ktime_get_coarse_ns),
		.log_level = config->log_level,
	};

	err = err ?: bpf_map__set_max_entries(maps->slots, at_least_one(plan->slots));
	err = err ?: bpf_map__set_max_entries(maps->endpoints, at_least_one(plan->slots));
	err = err ?: bpf_map__set_max_entries(maps->regions, at_least_one(plan->regions));
	err = err
		      ?: bpf_map__set_max_entries(maps->port_index,
						  config->externals_count * NAT_PROTOCOLS * NAT_PORT_BLOCKS);
	err = err ?: bpf_map__set_max_entries(maps->tcp_sessions, at_least_one(config->max_sessions));
	err = err ?: bpf_map__set_max_entries(maps->policy, bpf_map__max_entries(maps->policy) + remotes);
	err = err ?: bpf_map__set_max_entries(maps->fragments, at_least_one(config->max_fragments));
	if (config->filtering)
		err = err ?: bpf_map__set_max_entries(maps->remotes, at_least_one(config->max_remotes));
	dp->is_limited = config->host_rate || config->host_limit[NAT_TCP] || config->host_limit[NAT_UDP] ||
			 config->host_limit[NAT_ICMP];
	dp->constants->hosts_are_limited = dp->is_limited;
	if (dp->is_limited)
		err = err ?: bpf_map__set_max_entries(maps->hosts, at_least_one(config->max_hosts));
	err = err ?: bpf_map__set_max_entries(maps->events, config->log_level ? 256 * 1024 : 4096);
	return err;
}

/* What a failed load means to a user. The programs are verified in tests: a refusal is the kernel's configuration. */
static int load_failed(const struct datapath *dp, int err)
{
	switch (err) {
	case -EPERM:
		log_error(
			"%s: load BPF programs: no permission (CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN, or root, are needed)",
			dp->ifname);
		return -EPERM;
	case -EACCES: /* libbpf's for what the verifier says */
		log_error(
			"%s: load BPF programs: the verifier refuses them: CAP_PERFMON is missing, or else please report this kernel's version",
			dp->ifname);
		return -EOPNOTSUPP;
	case -ENOSYS:
		log_error("%s: load BPF programs: this kernel has no bpf() system call (CONFIG_BPF_SYSCALL)",
			  dp->ifname);
		return -EOPNOTSUPP;
	case -EINVAL:
		log_error("%s: load BPF programs: this kernel refuses them; 5.10 or newer is needed", dp->ifname);
		return -EOPNOTSUPP;
	}
	log_error("%s: load BPF programs: %s", dp->ifname, strerror(-err));
	return err;
}

/* Events */

static int event_received(void *arg, void *data, size_t size)
{
	struct datapath *dp = arg;

	if (size >= sizeof(struct nat_event) && dp->handle_event)
		dp->handle_event(data, dp->handle_arg);
	return 0;
}

/* The programs' .bss is where the configuration is by now. */
static int open_fragments(struct datapath *dp)
{
	dp->fragments.turn_mark = dp->layout.turn_mark;
	dp->fragments.config = dp->config;
	dp->fragments.firsts = bpf_map__fd(dp->maps.fragments);
	return fragments_open(&dp->fragments, bpf_map__fd(dp->maps.held_egress), bpf_map__fd(dp->maps.held_ingress));
}

static int open_events(struct datapath *dp, const struct datapath_config *config)
{
	if (!config->log_level)
		return 0;
	dp->ring = ring_buffer__new(bpf_map__fd(dp->maps.events), event_received, dp, NULL);
	if (!dp->ring) {
		log_error("%s: open the event buffer: %s", dp->ifname, strerror(errno));
		return -errno;
	}
	return 0;
}

static void plan_layout(struct datapath *dp, const struct datapath_config *config)
{
	dp->layout.version = NAT_LAYOUT;
	dp->layout.family = config->family;
	dp->layout.turn_mark = random_mark();
	dp->layout.netns = inheritance_netns();
	dp->layout.ports = slot_plan_hash(config);
}

/* The maps of an earlier one are full already; its programs may be at work with them, and keep their timeouts until ours are. */
static int config_inherit(struct datapath *dp)
{
	dp->inherited = datapath_map_open(dp, dp->maps.bss);
	if (!dp->inherited)
		return -ENOMEM;
	dp->config = (struct nat_config *)((char *)dp->inherited + dp->layout.config_at);
	return 0;
}

static int config_fill(struct datapath *dp, const struct slot_plan *plan)
{
	memcpy(dp->config->external, plan->externals, sizeof(plan->externals));
	dp->config->slots = dp->slots;
	datapath_fill_timeouts(dp->config, plan->config->timeout_ms);
	return datapath_fill_slots(dp, plan) ?: datapath_fill_regions(dp, dp->externals);
}

/* `from`: where to take the maps from; NULL: they are new. -ESTALE with why[]: they do not fit. */
static int load_planned(struct datapath *dp, const struct slot_plan *plan, const struct inheritance *from,
			char why[INHERITANCE_WHY])
{
	const struct datapath_config *config = plan->config;
	bool is_heir, has_hosts;
	int err;

	dp->slots = plan->slots;
	dp->externals = config->externals_count;
	plan_layout(dp, config);
	err = prepare(dp, config, plan);
	if (!err && from)
		err = inheritance_take(dp->object, from, &dp->layout, why);
	if (err == -ESTALE)
		return err;
	is_heir = from && !err;
	has_hosts = inheritance_has(dp->maps.hosts);
	dp->constants->turn_mark = dp->layout.turn_mark;
	err = err == -ENOENT ? 0 : err;
	if (!err)
		err = dp->load(dp);
	if (err && is_heir) {
		snprintf(why, INHERITANCE_WHY, "the programs do not load with it");
		return -ESTALE;
	}
	if (err)
		return load_failed(dp, err);
	err = is_heir ? config_inherit(dp) : config_fill(dp, plan);
	if (!err && is_heir && !has_hosts)
		datapath_count_hosts(dp);
	err = err ?: datapath_fill_policy(dp, config);
	err = err ?: open_events(dp, config);
	err = err ?: open_fragments(dp);
	return err;
}

static int load(struct datapath *dp, const struct datapath_config *config, const struct inheritance *from,
		char why[INHERITANCE_WHY])
{
	struct slot_plan plan;
	int err;

	err = slot_plan_make(&plan, config) ?: load_planned(dp, &plan, from, why);
	slot_plan_free(&plan);
	return err;
}

static void open_pins(struct datapath *dp, const struct datapath_config *config)
{
	if (pins_directory(dp->pins, dp->ifname, dp->family))
		dp->pins[0] = '\0';
	else
		dp->attachment.pins = dp->pins;
	dp->keep = config->persist && dp->pins[0];
}

/* Nothing is attached, or is to stay so. */
static void datapath_free(struct datapath *dp)
{
	if (!dp)
		return;
	ring_buffer__free(dp->ring);
	fragments_close(&dp->fragments);
	if (dp->inherited)
		datapath_map_close(dp->maps.bss, dp->inherited);
	if (dp->skeleton)
		dp->destroy(dp);
	datapath_free(dp->predecessor);
	free(dp->own);
	free(dp);
}

/* Nothing is loaded yet. */
static int object_open(struct datapath **result, const struct datapath_config *config)
{
	static uint64_t serials;
	struct datapath *dp;
	int err;

	*result = NULL;
	dp = calloc(1, sizeof(*dp));
	if (!dp)
		return -ENOMEM;
	dp->serial = ++serials;
	dp->family = config->family;
	dp->ifindex = config->ifindex;
	dp->prefer_tcx = config->prefer_tcx;
	strncpy(dp->ifname, config->ifname, sizeof(dp->ifname) - 1);
	memcpy(dp->timeout_ms, config->timeout_ms, sizeof(dp->timeout_ms));
	dp->attachment = (struct attachment){ .ifname = dp->ifname, .ifindex = dp->ifindex, .family = dp->family };
	dp->fragments = (struct fragments){ .ifname = dp->ifname,
					    .ifindex = dp->ifindex,
					    .family = dp->family,
					    .hold_ms = config->timeout_ms[NAT_TIMEOUT_FRAGMENT],
					    .socket = -1 };
	err = config->family == AF_INET ? open_nat44(dp) : open_nat66(dp);
	if (err) {
		log_error("%s: open the BPF object: %s", dp->ifname, strerror(-err));
		datapath_free(dp);
		return err;
	}
	*result = dp;
	return 0;
}

static int open_with(struct datapath **result, const struct datapath_config *config, const struct inheritance *from,
		     char why[INHERITANCE_WHY])
{
	struct datapath *dp;
	int err;

	*result = NULL;
	err = object_open(&dp, config);
	if (err)
		return err;
	open_pins(dp, config);
	err = load(dp, config, from, why);
	if (err)
		datapath_free(dp);
	else
		*result = dp;
	return err;
}

/* The maps that are pinned, as if they were those of a data plane of ours. NULL: they are none that we know. */
static struct datapath *predecessor_open(const struct datapath_config *config, const char *pins)
{
	struct datapath *dp;

	if (object_open(&dp, config))
		return NULL;
	plan_layout(dp, config);
	if (!inheritance_open(dp->object, pins, &dp->layout))
		dp->inherited = datapath_map_open(dp, dp->maps.bss);
	if (!dp->inherited) {
		datapath_free(dp);
		return NULL;
	}
	dp->config = (struct nat_config *)((char *)dp->inherited + dp->layout.config_at);
	dp->slots = bpf_map__max_entries(dp->maps.slots);
	dp->externals = bpf_map__max_entries(dp->maps.port_index) / (NAT_PROTOCOLS * NAT_PORT_BLOCKS);
	return dp;
}

/* Maps of our own; with a predecessor its mark, which what is on its way has. */
static int open_anew(struct datapath **result, const struct datapath_config *config, struct datapath *predecessor)
{
	char why[INHERITANCE_WHY];
	struct inheritance from = { .layout = predecessor ? &predecessor->layout : NULL };
	int err = open_with(result, config, predecessor ? &from : NULL, why);

	if (err)
		datapath_free(predecessor);
	else
		(*result)->predecessor = predecessor;
	if (!err)
		(*result)->has_taken_over = predecessor;
	return err;
}

int datapath_open(struct datapath **result, const struct datapath_config *config)
{
	const char *family = config->family == AF_INET ? "IPv4" : "IPv6";
	char path[PINS_PATH], why[INHERITANCE_WHY];
	struct inheritance from = { .pins = path };
	struct datapath *predecessor;
	int err = -ESTALE;

	*result = NULL;
	if (!config->externals_count || config->externals_count > NAT_EXTERNALS_MAX) {
		log_error("%s: %u external addresses, 1 to %d are possible", config->ifname, config->externals_count,
			  NAT_EXTERNALS_MAX);
		return -EINVAL;
	}
	if (!config->persist || pins_directory(path, config->ifname, config->family))
		return open_with(result, config, NULL, why);
	err = open_with(result, config, &from, why);
	if (!err && datapath_is_heir(*result))
		log_info("%s: takes over the %s mappings of an earlier einat", config->ifname, family);
	if (err != -ESTALE)
		return err;
	predecessor = predecessor_open(config, path);
	if (predecessor)
		log_info("%s: takes over those %s mappings of an earlier einat whose external port it has, too: %s",
			 config->ifname, family, why);
	else
		log_warning("%s: what an earlier einat has left of %s is not taken over, mappings begin anew: %s",
			    config->ifname, family, why);
	return open_anew(result, config, predecessor);
}

/* Attaching */

/* Whether maps can be kept is no reason not to start: without, nothing survives the process. */
static bool maps_pin(const struct datapath *dp)
{
	int err = pins_prepare(dp->pins, dp->ifname);

	if (err)
		return false;
	err = inheritance_leave(dp->object, dp->pins, &dp->layout);
	if (err)
		log_error("%s: persist: pin the maps in %s: %s", dp->ifname, dp->pins, strerror(-err));
	return !err;
}

/* The maps first: a link that outlives us is of no use to the next one without them. */
int datapath_attach(struct datapath *dp)
{
	int err;

	if (dp->predecessor && datapath_inherit_mappings(dp->predecessor, dp))
		log_warning("%s: the mappings of an earlier einat are lost", dp->ifname);
	datapath_free(dp->predecessor);
	dp->predecessor = NULL;
	dp->keep = dp->keep && maps_pin(dp);
	dp->attachment.keep = dp->keep;
	err = attachment_make(&dp->attachment, dp->prefer_tcx);
	if (dp->pins[0] && (!dp->keep || (err && err != -ENODEV)))
		pins_remove(dp->pins);
	dp->is_attached = !err;
	if (dp->is_attached && dp->inherited)
		datapath_fill_timeouts(dp->config, dp->timeout_ms);
	return err;
}

/* Succession */

int datapath_open_heir(struct datapath **heir, const struct datapath *before, const struct datapath_config *config)
{
	struct inheritance from = { .object = before->object, .layout = &before->layout };
	char why[INHERITANCE_WHY];
	int err = open_with(heir, config, &from, why);

	if (err != -ESTALE)
		return err;
	from.object = NULL;
	return open_with(heir, config, &from, why);
}

/* A pass over the slots of `before`: which of the heir's have what. */
int datapath_succeed(struct datapath *before, struct datapath *heir)
{
	int err = heir->inherited ? 0 : datapath_inherit_mappings(before, heir);

	heir->attachment.keep = heir->keep = before->keep;
	err = err ?: attachment_bequeath(&before->attachment, &heir->attachment);
	if (err) {
		log_error("%s: exchange the programs: %s", heir->ifname, strerror(-err));
		return err;
	}
	heir->is_attached = true;
	before->is_attached = false;
	if (heir->inherited)
		datapath_fill_timeouts(heir->config, heir->timeout_ms);
	fragments_bequeath(&before->fragments, &heir->fragments);
	if (heir->keep && !maps_pin(heir)) {
		heir->attachment.keep = heir->keep = false;
		pins_remove(heir->pins);
	}
	datapath_free(before);
	return 0;
}

void datapath_detach(struct datapath *dp)
{
	if (!dp)
		return;
	attachment_remove(&dp->attachment);
	if (dp->keep && dp->is_attached)
		pins_remove(dp->pins);
	dp->is_attached = false;
}

bool datapath_is_kept(const struct datapath *dp)
{
	return dp->keep && dp->is_attached;
}

void datapath_leave(struct datapath *dp)
{
	if (!dp || !datapath_is_kept(dp)) {
		datapath_close(dp);
		return;
	}
	attachment_leave(&dp->attachment);
	datapath_free(dp);
}

void datapath_lose(struct datapath *dp)
{
	if (dp && dp->keep)
		attachment_remove(&dp->attachment);
	datapath_leave(dp);
}

bool datapath_is_heir(const struct datapath *dp)
{
	return dp->inherited;
}

bool datapath_has_taken_over(const struct datapath *dp)
{
	return dp->inherited || dp->has_taken_over;
}

uint64_t datapath_serial(const struct datapath *dp)
{
	return dp->serial;
}

int datapath_forget(const char *ifname, int family)
{
	char path[PINS_PATH];
	int err = pins_directory(path, ifname, family) ?: pins_remove(path);

	return err < 0 ? err : 0;
}

void datapath_close(struct datapath *dp)
{
	datapath_detach(dp);
	datapath_free(dp);
}

/* Running */

uint32_t datapath_ticks(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)(((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec) >> NAT_TICK_SHIFT);
}

/*
 * Waits for every run of a program that has begun: RCU's grace period, some 20 ms. Where the kernel has no such call (or no
 * ticks on some CPUs), only two changes within one packet's way can mix.
 */
static void await_programs(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

/*
 * The new address takes the place of the last but one, and is everybody's with the generation. A reader gets to it by the
 * generation that it has read, so that no CPU sees one without the other.
 */
int datapath_set_external_at(struct datapath *dp, unsigned int number, const __be32 addr[4])
{
	struct external *external;
	__u32 generation;

	if (number >= dp->externals)
		return -EINVAL;
	external = &dp->config->external[number];
	if (!memcmp(external->addr, addr, sizeof(external->addr)))
		return 0;
	generation = external->generation + 1;
	if (generation > 1)
		await_programs();
	for (int i = 0; i < 4; i++)
		__atomic_store_n(&external->source[generation & 1][i], addr[i], __ATOMIC_RELAXED);
	for (int i = 0; i < 4; i++)
		__atomic_store_n(&external->addr[i], addr[i], __ATOMIC_RELAXED);
	__atomic_store_n(&external->generation, generation, __ATOMIC_RELEASE);
	return 0;
}

void datapath_get_external_at(const struct datapath *dp, unsigned int number, __be32 addr[4])
{
	memcpy(addr, dp->config->external[number].addr, sizeof(dp->config->external[number].addr));
}

int datapath_set_external(struct datapath *dp, const __be32 addr[4])
{
	return datapath_set_external_at(dp, 0, addr);
}

void datapath_set_designated(struct datapath *dp, int ifindex)
{
	dp->config->designated_ifindex = (__u32)ifindex;
}

static bool prefix_is_among(const struct ip_prefix *prefix, const struct ip_prefix *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ip_prefix_equal(&list[i], prefix))
			return true;
	return false;
}

/* What stays is not touched: a packet that came while it is not there would make a mapping, and that would serve all others. */
int datapath_set_own(struct datapath *dp, const struct ip_prefix *addrs, size_t count)
{
	struct ip_prefix *own = calloc(count + dp->own_count + 1, sizeof(*own));
	size_t kept = 0;
	int err = 0;

	if (!own) {
		log_error("%s: out of memory", dp->ifname);
		return -ENOMEM;
	}
	for (size_t i = 0; !err && i < count; i++) {
		own[kept++] = addrs[i];
		if (!prefix_is_among(&addrs[i], dp->own, dp->own_count))
			err = datapath_policy_add(dp, POLICY_SOURCE, &addrs[i], POLICY_EXEMPT);
	}
	for (size_t i = 0; i < dp->own_count; i++) {
		if (prefix_is_among(&dp->own[i], addrs, count))
			continue;
		if (err)
			own[kept++] = dp->own[i];
		else
			datapath_policy_delete(dp, POLICY_SOURCE, &dp->own[i]);
	}
	free(dp->own);
	dp->own = own;
	dp->own_count = kept;
	return err;
}

int datapath_sweep(struct datapath *dp)
{
	static const char frame[64]; /* the kernel wants a packet to run a program on */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame));
	__u32 start = dp->config->swept, done;
	int err = 0;

	attachment_keep(&dp->attachment);
	fragments_expire(&dp->fragments);
	/* a run that frees a slot looks at fewer: again, until it has gone round */
	while (!err && (done = dp->config->swept - start) < dp->slots) {
		opts.repeat = (dp->slots - done + NAT_SWEEP_SLOTS - 1) / NAT_SWEEP_SLOTS;
		err = bpf_prog_test_run_opts(bpf_program__fd(dp->sweep), &opts);
	}
	if (err && err != -EINTR)
		log_error("%s: sweep expired mappings: %s", dp->ifname, strerror(-err));
	return err;
}

int datapath_program_fd(const struct datapath *dp, enum nat_direction direction)
{
	return bpf_program__fd(dp->attachment.programs[direction]);
}

int datapath_map_fd(const struct datapath *dp, const char *name)
{
	return bpf_object__find_map_fd_by_name(dp->object, name);
}

const struct nat_config *datapath_shared(const struct datapath *dp)
{
	return dp->config;
}

const char *datapath_hook(const struct datapath *dp)
{
	return attachment_hook(&dp->attachment);
}

int datapath_fragment_fd(const struct datapath *dp)
{
	return fragments_fd(&dp->fragments);
}

int datapath_read_fragments(struct datapath *dp)
{
	return fragments_read(&dp->fragments);
}

int datapath_event_fd(const struct datapath *dp)
{
	return dp->ring ? ring_buffer__epoll_fd(dp->ring) : -1;
}

int datapath_read_events(struct datapath *dp, void (*handle)(const struct nat_event *event, void *arg), void *arg)
{
	int err;

	if (!dp->ring)
		return 0;
	dp->handle_event = handle;
	dp->handle_arg = arg;
	err = ring_buffer__consume_n(dp->ring, EVENTS_AT_ONCE); /* what is left wakes the caller again */
	return err < 0 ? err : 0;
}

int datapath_read_counter(struct datapath *dp, enum nat_direction direction, enum nat_reason reason,
			  struct counter *counter)
{
	__u32 key = direction * NAT_REASON_COUNT + reason;
	int cpus = libbpf_num_possible_cpus();
	struct counter *each;
	int err = 0;

	*counter = (struct counter){ 0 };
	if (cpus < 0)
		return cpus;
	each = calloc(cpus, sizeof(*each));
	if (!each)
		return -ENOMEM;
	if (bpf_map_lookup_elem(bpf_map__fd(dp->maps.counters), &key, each))
		err = -errno;
	for (int i = 0; !err && i < cpus; i++) {
		counter->packets += each[i].packets;
		counter->bytes += each[i].bytes;
	}
	free(each);
	return err;
}
