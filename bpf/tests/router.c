// SPDX-License-Identifier: GPL-2.0-or-later
/* The data plane on a test bench. See router.h. */
#include "router.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "forward.h"
#include "refusal.h"
#include "wire.h"

#define ETHERNET    14
#define SOCKETS	    8
#define NO_SLOT	    UINT32_MAX
#define VERDICT_MAX 32
#define LONG_AGO    1000 /* ticks, beyond the hold-down */

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif

/* CHECKSUM_COMPLETE: linux/bpf.h, since 6.11 */
#define TEST_CHECKSUM_COMPLETE (1U << 2)

struct router {
	const struct setup *setup;
	int family;
	struct ip_prefix internals[2], exempt_destinations[2], own[2]; /* as the family has them */
	struct external_config externals[2];
	struct forward forwards[ROUTER_FORWARDS];
	struct ip_prefix remotes[ROUTER_FORWARDS][2];
	struct datapath *dp;
	struct port_set ports[NAT_PROTOCOLS];
	uint32_t *slot_of[NAT_PROTOCOLS]; /* by port, 65536 each */
	char *slots;			  /* the map, in memory */
	size_t slots_size, slot_size, mapping_size;
	uint32_t slot_count;
	char *regions; /* as they were at first */
	size_t region_size;
	uint32_t region_count;
	struct counter counters[NAT_DIRECTIONS][NAT_REASON_COUNT];
	bool counters_are_current; /* as they were after the last run */
	int sockets[SOCKETS];
	size_t socket_count;
	struct wire *wire; /* through attached programs, in place of test runs */
	uint32_t from_ifindex;
	uint32_t mark, mark_after; /* of the packets to come, of the last one when it had run */
	uint32_t flags;
	char wrong[512];
};

const char *const reason_names[] = {
#define X(name, verdict, text) #name,
	NAT_REASONS(X)
#undef X
};

const char *const reason_verdicts[] = {
#define X(name, verdict, text) #verdict,
	NAT_REASONS(X)
#undef X
};

/* Preparing */

static bool lo_add_address(int fd, const char *label, uint32_t addr)
{
	struct ifreq request = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;

	strcpy(request.ifr_name, label);
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(addr);
	return !ioctl(fd, SIOCSIFADDR, &request);
}

bool router_prepare(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	bool ready;
	int fd;

	if (geteuid() || unshare(CLONE_NEWNET))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	ready = !ioctl(fd, SIOCSIFFLAGS, &request) && lo_add_address(fd, "lo:1", EXT) &&
		lo_add_address(fd, "lo:2", EXT2);
	close(fd);
	return ready;
}

/* Opening */

static void ports_parse(struct port_set *set, const char *words)
{
	char copy[256], *rest = copy, *word;
	const char *why = "";

	snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strsep(&rest, " ")))
		if (*word && port_set_parse(set, word, &why))
			fail_msg("ports %s: %s", word, why);
}

static void addr_words(uint32_t addr, __be32 words[4])
{
	memset(words, 0, 16);
	address_write(addr, (uint8_t *)words);
}

/* Prefixes as the family that is built has them. Gives their number. */
static size_t prefixes_fill(struct ip_prefix to[2], const struct ip_prefix from[2])
{
	size_t count = 0;

	for (; count < 2 && from[count].length; count++) {
		to[count] = from[count];
		if (packet_family() == AF_INET)
			continue;
		addr_words(ntohl(from[count].addr[0]), to[count].addr);
		to[count].length = (from[count].length == 32  ? 96
				    : from[count].length > 24 ? 56
							      : 32) +
				   from[count].length;
	}
	return count;
}

static size_t forwards_fill(struct router *router)
{
	size_t count = 0;

	for (; count < ROUTER_FORWARDS && router->setup->forwards[count].external_port; count++) {
		const struct forward_setup *setup = &router->setup->forwards[count];
		struct forward *forward = &router->forwards[count];

		forward->protocols[setup->protocol] = true;
		forward->external.first = setup->external_port;
		forward->external.last = setup->last ? setup->last : setup->external_port;
		forward->internal_port = setup->internal_port;
		forward->external_number = setup->external;
		forward->family = router->family;
		addr_words(setup->addr, forward->internal_addr);
		forward->remotes = router->remotes[count];
		forward->remotes_count = prefixes_fill(forward->remotes, setup->remotes);
	}
	return count;
}

static void config_fill(struct router *router, struct datapath_config *config)
{
	static const char *const defaults[] = { ROUTER_PORTS, ROUTER_PORTS, "1000-65535" };
	const struct setup *setup = router->setup;

	datapath_config_init(config);
	config->family = router->family;
	config->ifname = "lo";
	config->ifindex = 1;
	config->has_l2 = !setup->no_l2;
	config->log_level = setup->log_level;
	for (int i = 0; i < NAT_PROTOCOLS; i++) {
		ports_parse(&router->ports[i], setup->ports[i] ? setup->ports[i] : defaults[i]);
		config->ports[i] = router->ports[i];
	}
	for (int i = 0; i < NAT_TIMEOUTS; i++)
		if (setup->timeout_ms[i])
			config->timeout_ms[i] = setup->timeout_ms[i];
	if (setup->no_hold)
		config->timeout_ms[NAT_TIMEOUT_HOLD] = 0;
	if (setup->max_sessions)
		config->max_sessions = setup->max_sessions;
	if (setup->max_fragments)
		config->max_fragments = setup->max_fragments;
	memcpy(config->host_limit, setup->host_limit, sizeof(config->host_limit));
	config->host_rate = setup->host_rate;
	config->inbound_mark = setup->inbound_mark;
	config->designated_mark = setup->designated_mark;
	config->mss_clamp = setup->mss_clamp;
	config->filtering = setup->filtering;
	config->pooling = setup->pooling;
	config->externals_count = setup->two ? 2 : 1;
	if (setup->without_udp) {
		for (int i = 0; i < NAT_PROTOCOLS; i++)
			router->externals[0].ports[i] = router->externals[1].ports[i] = router->ports[i];
		router->externals[setup->without_udp - 1].ports[NAT_UDP] = (struct port_set){ 0 };
		config->externals = router->externals;
	}
	config->refresh_inbound = setup->refresh_inbound;
	config->forwards = router->forwards;
	config->forwards_count = forwards_fill(router);
	config->internals = router->internals;
	config->internals_count = prefixes_fill(router->internals, setup->internals);
	config->exempt_destinations = router->exempt_destinations;
	config->exempt_destinations_count = prefixes_fill(router->exempt_destinations, setup->exempt_destinations);
}

static int map_fd(const struct router *router, const char *name)
{
	int fd = datapath_map_fd(router->dp, name);

	if (fd < 0)
		fail_msg("no map %s", name);
	return fd;
}

static struct bpf_map_info map_info(const struct router *router, const char *name)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(map_fd(router, name), &info, &size))
		fail_msg("map %s: %s", name, strerror(errno));
	return info;
}

static struct mapping *slot_at(const struct router *router, uint32_t slot)
{
	return (struct mapping *)(router->slots + slot * router->slot_size);
}

/* Which port has which slot, from the slots themselves: port_index is what the test is about. */
static void slots_open(struct router *router)
{
	struct bpf_map_info info = map_info(router, "slots");

	router->slot_count = info.max_entries;
	router->mapping_size = info.value_size;
	router->slot_size = (info.value_size + 7) & ~7u;
	router->slots_size = router->slot_count * router->slot_size;
	router->slots = mmap(NULL, router->slots_size, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd(router, "slots"), 0);
	if (router->slots == MAP_FAILED)
		fail_msg("slots: %s", strerror(errno));
	for (int i = 0; i < NAT_PROTOCOLS; i++) {
		router->slot_of[i] = malloc(65536 * sizeof(uint32_t));
		memset(router->slot_of[i], 0xff, 65536 * sizeof(uint32_t));
	}
	for (uint32_t slot = 0; slot < router->slot_count; slot++) {
		const struct mapping *mapping = slot_at(router, slot);

		if (mapping->external_port && !mapping->external)
			router->slot_of[mapping->protocol][ntohs(mapping->external_port)] = slot;
	}
}

static void regions_read(const struct router *router, char *regions)
{
	for (uint32_t i = 0; i < router->region_count; i++)
		if (bpf_map_lookup_elem(map_fd(router, "regions"), &i, regions + i * router->region_size))
			fail_msg("region %u: %s", i, strerror(errno));
}

static void regions_open(struct router *router)
{
	struct bpf_map_info info = map_info(router, "regions");

	router->region_count = info.max_entries;
	router->region_size = info.value_size;
	router->regions = malloc(router->region_count * router->region_size);
	regions_read(router, router->regions);
}

static void router_set_second(struct router *router)
{
	__be32 words[4];

	addr_words(EXT2, words);
	if (datapath_set_external_at(router->dp, 1, words))
		fail_msg("datapath_set_external_at");
}

struct router *router_open(const struct setup *setup)
{
	struct router *router = calloc(1, sizeof(*router));
	struct datapath_config config;
	int err;

	router->setup = setup;
	router->family = packet_family();
	config_fill(router, &config);
	err = datapath_open(&router->dp, &config);
	if (err) {
		free(router);
		fail_msg("datapath_open: %s", strerror(-err));
	}
	slots_open(router);
	regions_open(router);
	/* of a packet without Ethernet header the test run would leave 14 bytes out of the sum */
	router->flags = setup->no_l2 ? 0 : TEST_CHECKSUM_COMPLETE;
	router_set_external(router, setup->no_address ? 0 : EXT);
	if (setup->two)
		router_set_second(router);
	datapath_set_designated(router->dp, setup->designated_mark ? ROUTER_DMZ : 0);
	err = datapath_set_own(router->dp, router->own, prefixes_fill(router->own, setup->own));
	if (err)
		fail_msg("datapath_set_own: %s", strerror(-err));
	return router;
}

void router_close(struct router *router)
{
	if (!router)
		return;
	while (router->socket_count)
		close(router->sockets[--router->socket_count]);
	wire_close(router->wire);
	munmap(router->slots, router->slots_size);
	free(router->regions);
	for (int i = 0; i < NAT_PROTOCOLS; i++) {
		free(router->slot_of[i]);
		port_set_free(&router->ports[i]);
	}
	datapath_close(router->dp);
	free(router);
}

struct datapath *router_datapath(struct router *router)
{
	return router->dp;
}

const struct setup *router_setup(const struct router *router)
{
	return router->setup;
}

/* Sending */

/*
 * What a test run is to check. A forwarded packet has no CHECKSUM_COMPLETE any more (skb_forward_csum() in the kernel), and
 * IPv6's egress program saves the work for it; IPv4's has none, but who cuts a packet's end off loses it.
 */
static uint32_t run_flags(const struct router *router, enum nat_direction direction, const struct frame *frame)
{
	if (direction == NAT_EGRESS && (router->family == AF_INET6 || refusal_cuts(frame)))
		return 0;
	return router->flags;
}

/* 0 or -errno. */
static int run(struct router *router, enum nat_direction direction, const struct frame *in, struct frame *out,
	       int *verdict)
{
	struct __sk_buff context = { .mark = router->mark, .ingress_ifindex = router->from_ifindex };
	struct __sk_buff after = { 0 };
	struct frame copy = *in;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = copy.bytes, .data_size_in = copy.size, .data_out = out->bytes,
		    .data_size_out = sizeof(out->bytes), .flags = run_flags(router, direction, in), .repeat = 1);
	int err;

	router->counters_are_current = false;
	if (router->wire) {
		*verdict = TC_ACT_UNSPEC;
		router->mark_after = 0;
		return wire_send(router->wire, direction, in, out);
	}
	if (router->mark || router->from_ifindex) {
		opts.ctx_in = &context;
		opts.ctx_size_in = sizeof(context);
	}
	opts.ctx_out = &after;
	opts.ctx_size_out = sizeof(after);
	out->l2 = in->l2;
	err = bpf_prog_test_run_opts(datapath_program_fd(router->dp, direction), &opts);
	if (err == -EINVAL && opts.flags) { /* not known to this kernel? */
		opts.flags = 0;
		opts.data_size_out = sizeof(out->bytes);
		opts.ctx_size_out = sizeof(after);
		err = bpf_prog_test_run_opts(datapath_program_fd(router->dp, direction), &opts);
		if (!err)
			router->flags = 0;
	}
	out->size = opts.data_size_out;
	*verdict = opts.retval;
	router->mark_after = after.mark;
	return err;
}

int router_send_quickly(struct router *router, enum nat_direction direction, const struct frame *frame,
			struct frame *result)
{
	int verdict, err = run(router, direction, frame, result, &verdict);

	if (err)
		fail_msg("run on %zu bytes: %s", frame->size, strerror(-err));
	return verdict;
}

void router_set_linear(struct router *router, size_t bytes)
{
	if (!router->wire)
		router->wire = wire_open(router->dp);
	wire_set_linear(router->wire, bytes);
	router->counters_are_current = false;
}

void router_forget_counters(struct router *router)
{
	router->counters_are_current = false;
}

void router_set_from(struct router *router, unsigned int ifindex)
{
	router->from_ifindex = ifindex;
}

bool router_knows_from(struct router *router)
{
	struct frame frame, out;
	int verdict, err;

	frame_build(&frame, &(const struct packet)OTHER(47, S, T), !router->setup->no_l2);
	router->from_ifindex = ROUTER_DMZ;
	err = run(router, NAT_EGRESS, &frame, &out, &verdict);
	router->from_ifindex = 0;
	return !err;
}

uint32_t router_mark(const struct router *router)
{
	return router->mark;
}

void router_set_mark(struct router *router, uint32_t mark)
{
	router->mark = mark;
}

void router_set_checksum_none(struct router *router)
{
	router->flags = 0;
}

static void counters_read(struct router *router, struct counter counters[NAT_DIRECTIONS][NAT_REASON_COUNT])
{
	for (int direction = 0; direction < NAT_DIRECTIONS; direction++)
		for (int why = 0; why < NAT_REASON_COUNT; why++)
			if (datapath_read_counter(router->dp, direction, why, &counters[direction][why]))
				fail_msg("counter %s: cannot read it", reason_names[why]);
}

static const char *verdict_name(int verdict)
{
	static char number[VERDICT_MAX];

	switch (verdict) {
	case TC_ACT_UNSPEC:
		return "go on";
	case TC_ACT_SHOT:
		return "drop";
	case TC_ACT_REDIRECT:
		return "turn round";
	}
	snprintf(number, sizeof(number), "%d", verdict);
	return number;
}

static const char *wrong(struct router *router, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(router->wrong, sizeof(router->wrong), format, args);
	va_end(args);
	return router->wrong;
}

static bool verdict_fits(int verdict, enum nat_reason why, enum nat_direction direction)
{
	const char *wanted = reason_verdicts[why];

	if (!strcmp(wanted, "DROP"))
		return verdict == TC_ACT_SHOT || (verdict == TC_ACT_REDIRECT && refusal_is_told(why));
	if (!strcmp(wanted, "TURN"))
		return verdict == TC_ACT_REDIRECT && direction == NAT_EGRESS;
	return verdict == TC_ACT_UNSPEC;
}

/* 6.18 refuses a run on less than an IP header. */
static bool is_too_short(const struct frame *frame)
{
	return frame->size < ETHERNET + (frame->bytes[12] == 0x86 && frame->bytes[13] == 0xdd ? 40u : 20u);
}

const char router_refused[] = "the kernel does not run a program on so short a packet";

const char *router_send(struct router *router, enum nat_direction direction, const struct frame *frame,
			struct outcome *outcome)
{
	const size_t size = router->wire ? wire_size(router->wire) : frame->size;
	struct counter before[NAT_DIRECTIONS][NAT_REASON_COUNT];
	size_t moved = 0;
	int err;

	if (!router->counters_are_current)
		counters_read(router, router->counters);
	memcpy(before, router->counters, sizeof(before));
	err = run(router, direction, frame, &outcome->frame, &outcome->verdict);
	if (err == -EBADMSG)
		return "CHECKSUM_COMPLETE: the packet's sum is wrong after the program";
	if (err == -EINVAL && is_too_short(frame))
		return router_refused;
	if (err)
		return wrong(router, "run on %zu bytes: %s", frame->size, strerror(-err));
	outcome->mark = router->mark_after;
	counters_read(router, router->counters);
	router->counters_are_current = true;
	for (int d = 0; d < NAT_DIRECTIONS; d++)
		for (int why = 0; why < NAT_REASON_COUNT; why++) {
			uint64_t packets = router->counters[d][why].packets - before[d][why].packets;
			uint64_t bytes = router->counters[d][why].bytes - before[d][why].bytes;

			if (!packets && !bytes)
				continue;
			moved++;
			outcome->direction = d;
			outcome->why = why;
			if (packets != 1 || bytes != size)
				return wrong(router, "counter %s moved by %llu packets, %llu bytes: want 1, %zu",
					     reason_names[why], packets, bytes, size);
		}
	if (moved != 1)
		return wrong(router, "counters moved: want 1, got %zu", moved);
	if (outcome->direction != direction)
		return "the counter of the other direction moved";
	if (!verdict_fits(outcome->verdict, outcome->why, direction))
		return wrong(router, "verdict %s does not fit the reason %s", verdict_name(outcome->verdict),
			     reason_names[outcome->why]);
	return NULL;
}

/* State */

bool router_manages(const struct router *router, enum nat_protocol protocol, unsigned int port)
{
	return port && port_set_contains(&router->ports[protocol], port);
}

struct mapping router_mapping(const struct router *router, enum nat_protocol protocol, unsigned int port)
{
	uint32_t slot = router->slot_of[protocol][port & 0xffff];
	struct mapping mapping = { 0 };

	if (slot == NO_SLOT)
		fail_msg("port %u has no slot", port);
	memcpy(&mapping, slot_at(router, slot), router->mapping_size);
	return mapping;
}

size_t router_count_slots(const struct router *router)
{
	return router->slot_count;
}

struct mapping router_slot(const struct router *router, uint32_t slot)
{
	struct mapping mapping = { 0 };

	memcpy(&mapping, slot_at(router, slot), router->mapping_size);
	return mapping;
}

static uint32_t ticks_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec * 1000000000ull + now.tv_nsec) >> NAT_TICK_SHIFT;
}

/* Rounded up: what is to have expired has. */
static uint32_t ticks_of_ms(uint64_t ms)
{
	return (ms * 1000000 + (1 << NAT_TICK_SHIFT) - 1) >> NAT_TICK_SHIFT;
}

/* A variable that is the first one of its section. */
static void variable_read(const struct router *router, const char *section, void *variable, size_t size)
{
	struct bpf_map_info info = map_info(router, section);
	char *value = malloc(info.value_size);
	__u32 key = 0;

	if (bpf_map_lookup_elem(map_fd(router, section), &key, value))
		fail_msg("%s: %s", section, strerror(errno));
	memcpy(variable, value, size);
	free(value);
}

static struct nat_config config_read(const struct router *router)
{
	struct nat_config config;

	variable_read(router, ".bss", &config, sizeof(config));
	return config;
}

struct nat_constants router_constants(const struct router *router)
{
	struct nat_constants constants;

	variable_read(router, ".rodata", &constants, sizeof(constants));
	return constants;
}

bool router_mapping_is_live(const struct router *router, const struct mapping *mapping)
{
	struct nat_config config = config_read(router);

	if (mapping->state == MAPPING_STATIC)
		return true;
	return mapping->state == MAPPING_LIVE && mapping->generation == config.external[mapping->external].generation &&
	       (int32_t)(mapping->expires - ticks_now()) > 0;
}

bool router_mapping_is_of(const struct mapping *mapping, uint32_t addr)
{
	uint8_t bytes[16];
	size_t size = address_write(addr, bytes);

	return !memcmp(&mapping->internal_addr, bytes, size);
}

int64_t router_mapping_lasts_ms(const struct mapping *mapping)
{
	return ((int64_t)(int32_t)(mapping->expires - ticks_now()) << NAT_TICK_SHIFT) / 1000000;
}

static size_t map_count(const struct router *router, const char *name,
			void (*visit)(int fd, const void *key, void *arg), void *arg)
{
	int fd = map_fd(router, name);
	char key[64], next[64];
	size_t count = 0;
	int err = bpf_map_get_next_key(fd, NULL, key);

	while (!err) {
		count++;
		err = bpf_map_get_next_key(fd, key, next);
		if (visit)
			visit(fd, key, arg);
		memcpy(key, next, sizeof(key));
	}
	return count;
}

size_t router_count_endpoints(const struct router *router)
{
	return map_count(router, "endpoints", NULL, NULL);
}

size_t router_count_sessions(const struct router *router)
{
	return map_count(router, "tcp_sessions", NULL, NULL);
}

static void age_fragment(int fd, const void *key, void *arg)
{
	struct fragment fragment;

	if (bpf_map_lookup_elem(fd, key, &fragment))
		return;
	fragment.expires -= *(uint32_t *)arg;
	bpf_map_update_elem(fd, key, &fragment, BPF_EXIST);
}

void router_later(struct router *router, uint64_t ms)
{
	uint32_t ticks = ticks_of_ms(ms);

	for (uint32_t slot = 0; slot < router->slot_count; slot++) {
		struct mapping *mapping = slot_at(router, slot);

		if (mapping->state != MAPPING_FREE)
			mapping->expires -= ticks;
	}
	map_count(router, "fragments", age_fragment, &ticks);
}

static uint32_t ticks_long_ago(const struct router *router)
{
	return ticks_now() - LONG_AGO - config_read(router).timeout[NAT_TIMEOUT_HOLD];
}

void router_expire(struct router *router, enum nat_protocol protocol, unsigned int port)
{
	slot_at(router, router->slot_of[protocol][port])->expires = ticks_long_ago(router);
}

void router_set_external(struct router *router, uint32_t addr)
{
	__be32 words[4];

	addr_words(addr, words);
	if (datapath_set_external(router->dp, words))
		fail_msg("datapath_set_external");
}

static size_t config_size(const struct router *router)
{
	return (map_info(router, ".bss").value_size + 4095) & ~4095u;
}

/* To be unmapped. */
static struct nat_config *config_map(const struct router *router)
{
	struct nat_config *config = mmap(NULL, config_size(router), PROT_READ | PROT_WRITE, MAP_SHARED,
					 map_fd(router, ".bss"), 0);

	if (config == MAP_FAILED)
		fail_msg(".bss: %s", strerror(errno));
	return config;
}

void router_end_all(struct router *router)
{
	struct nat_config *config = config_map(router);

	__atomic_fetch_add(&config->external[0].generation, 2, __ATOMIC_RELEASE);
	munmap(config, config_size(router));
}

void router_forget_refusals(struct router *router)
{
	struct nat_config *config = config_map(router);

	memset(config->refusals, 0, sizeof(config->refusals));
	munmap(config, config_size(router));
}

void router_listen(struct router *router, enum nat_protocol protocol, uint32_t addr, unsigned int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(addr) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	bool ipv6 = router->family == AF_INET6;
	int fd = socket(router->family, (protocol == NAT_TCP ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || router->socket_count == SOCKETS)
		fail_msg("socket: %s", strerror(errno));
	router->sockets[router->socket_count++] = fd;
	if (ipv6) {
		address_write(addr, in6.sin6_addr.s6_addr);
		if (setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on))) /* lo has no such address */
			fail_msg("IPV6_FREEBIND: %s", strerror(errno));
	}
	if (bind(fd, ipv6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in, ipv6 ? sizeof(in6) : sizeof(in)) ||
	    (protocol == NAT_TCP && listen(fd, 1)))
		fail_msg("listen on port %u: %s", port, strerror(errno));
}

/* Holding the maps against each other */

struct endpoint_check {
	struct router *router;
	const char *wrong;
};

static void check_endpoint(int fd, const void *key, void *arg)
{
	struct endpoint_check *check = arg;
	struct endpoint endpoint = { 0 };
	size_t addr_size = check->router->family == AF_INET6 ? 16 : 4;
	struct mapping *mapping;
	uint32_t slot;

	memcpy(&endpoint, key, offsetof(struct endpoint, addr) + addr_size);
	if (bpf_map_lookup_elem(fd, key, &slot))
		return;
	if (slot >= check->router->slot_count) {
		check->wrong = wrong(check->router, "an endpoint points to slot %u of %u", slot,
				     check->router->slot_count);
		return;
	}
	mapping = slot_at(check->router, slot);
	if (!(mapping->state & MAPPING_LIVE) || mapping->internal_port != endpoint.port ||
	    mapping->protocol != endpoint.protocol || memcmp(&mapping->internal_addr, &endpoint.addr, addr_size))
		check->wrong = wrong(check->router, "port %u is another's than the endpoint %08x:%u says",
				     ntohs(mapping->external_port), ntohl(endpoint.addr.word[0]), ntohs(endpoint.port));
}

/* Is the bit of a slot set? The classes are the daemon's plan. */
static bool slot_is_marked_free(const struct router *router, const struct nat_config *config, const char *regions,
				uint32_t slot)
{
	const struct mapping *mapping = slot_at(router, slot);
	unsigned int kind = NAT_PORT_KIND(ntohs(mapping->external_port));
	const struct port_class *class = &config->external[mapping->external].classes[mapping->protocol][kind];
	const struct region *region = (const struct region *)(regions + class->region * router->region_size);
	uint32_t bit = slot - class->first_slot;

	return bit < class->count && region->free[bit / 64] >> bit % 64 & 1;
}

static const char *check_slots(struct router *router, const struct nat_config *config, const char *regions)
{
	for (uint32_t slot = 0; slot < router->slot_count; slot++) {
		const struct mapping *mapping = slot_at(router, slot);

		if (!mapping->external_port)
			continue; /* the one element that the map must have where there is no port at all */
		if (mapping->state == MAPPING_RECLAIMING)
			return wrong(router, "port %u: left in RECLAIMING", ntohs(mapping->external_port));
		if ((mapping->state == MAPPING_FREE) != slot_is_marked_free(router, config, regions, slot))
			return wrong(router, "port %u: state %u, but marked otherwise in its region",
				     ntohs(mapping->external_port), mapping->state);
	}
	return NULL;
}

static const char *check_regions(struct router *router, const char *regions)
{
	for (uint32_t i = 0; i < router->region_count; i++) {
		const struct region *region = (const struct region *)(regions + i * router->region_size);

		for (int word = 0; word < 512; word++)
			if (!region->free[word] != !(region->summary[word / 64] >> word % 64 & 1))
				return wrong(router, "region %u: the summary of word %d is wrong", i, word);
		for (int group = 0; group < 8; group++)
			if (!region->summary[group] != !(region->top >> group & 1))
				return wrong(router, "region %u: the top of group %d is wrong", i, group);
	}
	return NULL;
}

const char *router_check(struct router *router)
{
	struct endpoint_check endpoints = { .router = router };
	struct nat_config config = config_read(router);
	char *regions = malloc(router->region_count * router->region_size);
	const char *what;

	regions_read(router, regions);
	what = check_slots(router, &config, regions);
	if (!what)
		what = check_regions(router, regions);
	free(regions);
	if (what)
		return what;
	map_count(router, "endpoints", check_endpoint, &endpoints);
	return endpoints.wrong;
}

/* Resetting */

static void delete_entry(int fd, const void *key, void *arg)
{
	(void)arg;
	bpf_map_delete_elem(fd, key);
}

static const char *check_all_free(struct router *router)
{
	size_t size = router->region_count * router->region_size, endpoints = router_count_endpoints(router);
	char *regions;
	bool equal;

	for (uint32_t slot = 0; slot < router->slot_count; slot++)
		if (slot_at(router, slot)->state == MAPPING_STATIC)
			endpoints--;
		else if (slot_at(router, slot)->state != MAPPING_FREE)
			return wrong(router, "port %u is not free after everything expired and was swept",
				     ntohs(slot_at(router, slot)->external_port));
	if (endpoints)
		return wrong(router, "%zu endpoints left after everything expired and was swept", endpoints);
	regions = malloc(size);
	regions_read(router, regions);
	equal = !memcmp(regions, router->regions, size);
	free(regions);
	return equal ? NULL : "the free ports are not marked as they were at first";
}

const char *router_reset(struct router *router)
{
	uint32_t long_ago = ticks_long_ago(router);
	const char *what;

	while (router->socket_count)
		close(router->sockets[--router->socket_count]);
	wire_close(router->wire);
	router->wire = NULL;
	router->mark = router->from_ifindex = 0;
	router_forget_refusals(router);
	map_count(router, "fragments", delete_entry, NULL); /* first: what is held is then not sent on */
	if (datapath_read_fragments(router->dp))
		return "datapath_read_fragments failed";
	what = router_check(router);
	if (what)
		return what;
	for (uint32_t slot = 0; slot < router->slot_count; slot++)
		if (slot_at(router, slot)->state == MAPPING_LIVE)
			slot_at(router, slot)->expires = long_ago;
	if (datapath_sweep(router->dp))
		return "datapath_sweep failed";
	what = check_all_free(router);
	if (what)
		return what;
	map_count(router, "tcp_sessions", delete_entry, NULL);
	router_set_external(router, router->setup->no_address ? 0 : EXT);
	return NULL;
}
