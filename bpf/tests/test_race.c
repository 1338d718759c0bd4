// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several CPUs at once: threads, each bound to one, run the programs while another sweeps, lets mappings end and changes the
 * external address. With one CPU the threads interrupt each other, which shows less.
 *
 * What is between two steps of a program lasts for less than a microsecond, so each test does what it is about again and
 * again for TEST_MS, and looks at the maps whenever all threads rest.
 */
#include <linux/pkt_cls.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "mutant.h"
#include "steps.h"

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define THREADS_MAX 4
#define THREADS_MIN 2
#define TEST_MS	    1500
#define BURST	    400 /* packets of each thread between two looks at the maps */
#define HOSTS	    4
#define HOST(n)	    (IPV4(192, 168, 1, 10) + (n))
#define HOST_PORTS  6
#define LIMIT	    8
#define SLOTS_MAX   256

static const struct setup few_ports = {
	.ports = { "25000-25015", "25000-25015", "25000-25015" },
	.max_sessions = 65536,
	.no_hold = true,
};
static const struct setup limited = {
	.ports = { "25000-25015", "25000-25015", "25000-25015" },
	.max_sessions = 65536,
	.no_hold = true,
	.host_limit = { LIMIT, LIMIT, LIMIT },
};

/* Threads that all do the same thing at once, then rest while the main thread looks. */
struct crew {
	struct router *router;
	void (*work)(struct crew *crew, unsigned int number, struct random *random);
	unsigned int threads;
	pthread_t thread[THREADS_MAX];
	pthread_barrier_t start, rest;
	atomic_bool over;
	atomic_uint working;
	atomic_ulong packets;
	uint64_t round;
	bool renumbered;
	int port[THREADS_MAX]; /* what each was given, -1: none */
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* Threads */

struct member {
	struct crew *crew;
	unsigned int number;
};

static struct member members[THREADS_MAX];

static void bind_to_cpu(unsigned int number)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(number % sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *member_run(void *arg)
{
	struct member *member = arg;
	struct crew *crew = member->crew;
	struct random random = { member->number };

	bind_to_cpu(member->number);
	for (;;) {
		pthread_barrier_wait(&crew->start);
		if (crew->over)
			return NULL;
		crew->work(crew, member->number, &random);
		crew->working--;
		pthread_barrier_wait(&crew->rest);
	}
}

static void crew_open(struct crew *crew, struct router *router,
		      void (*work)(struct crew *crew, unsigned int number, struct random *random))
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	memset(crew, 0, sizeof(*crew));
	crew->router = router;
	crew->work = work;
	crew->threads = cpus < THREADS_MIN ? THREADS_MIN : cpus > THREADS_MAX ? THREADS_MAX : cpus;
	router_set_checksum_none(router);
	pthread_barrier_init(&crew->start, NULL, crew->threads + 1);
	pthread_barrier_init(&crew->rest, NULL, crew->threads + 1);
	for (unsigned int i = 0; i < crew->threads; i++) {
		members[i] = (struct member){ crew, i };
		if (pthread_create(&crew->thread[i], NULL, member_run, &members[i]))
			fail_msg("pthread_create");
	}
}

/* All work once; meanwhile, in this thread, `meanwhile` is done again and again. */
static void crew_work(struct crew *crew, void (*meanwhile)(struct crew *crew, struct random *random))
{
	struct random random = { ++crew->round };

	crew->working = crew->threads;
	pthread_barrier_wait(&crew->start);
	while (meanwhile && crew->working)
		meanwhile(crew, &random);
	pthread_barrier_wait(&crew->rest);
}

static void crew_close(struct crew *crew)
{
	crew->over = true;
	pthread_barrier_wait(&crew->start);
	for (unsigned int i = 0; i < crew->threads; i++)
		pthread_join(crew->thread[i], NULL);
	pthread_barrier_destroy(&crew->start);
	pthread_barrier_destroy(&crew->rest);
}

/* Packets */

/* Runs the program; gives the packet that came out in *got, and the verdict. */
static int packet_send(struct crew *crew, enum nat_direction direction, const struct packet *packet, struct frame *got)
{
	struct frame frame;

	frame_build(&frame, packet, true);
	crew->packets++;
	return router_send_quickly(crew->router, direction, &frame, got);
}

/* The external port that a packet from inside leaves by; -1 if it is dropped, or refused by an error. */
static int port_given(struct crew *crew, const struct packet *packet)
{
	struct frame got;

	return packet_send(crew, NAT_EGRESS, packet, &got) != TC_ACT_UNSPEC ? -1 : frame_sport(&got);
}

/* The same, and why. No other thread may be at work. */
static enum nat_reason reason_alone(struct crew *crew, enum nat_direction direction, const struct packet *packet,
				    struct frame *result)
{
	struct outcome outcome;
	struct frame frame;
	const char *wrong;

	frame_build(&frame, packet, true);
	crew->packets++;
	wrong = router_send(crew->router, direction, &frame, &outcome);
	if (wrong)
		fail_msg("round %llu: %s", (unsigned long long)crew->round, wrong);
	*result = outcome.frame;
	return outcome.why;
}

/* Looking */

static uint64_t packets_counted(struct router *router)
{
	struct counter counter;
	uint64_t packets = 0;

	for (int direction = 0; direction < NAT_DIRECTIONS; direction++)
		for (int why = 0; why < NAT_REASON_COUNT; why++) {
			assert_int_equal(datapath_read_counter(router_datapath(router), direction, why, &counter), 0);
			packets += counter.packets;
		}
	return packets;
}

/* Every live slot is what `endpoints` has for its owner: so no endpoint has two. */
static void slots_are_known(struct crew *crew)
{
	int fd = datapath_map_fd(router_datapath(crew->router), "endpoints");

	for (uint32_t slot = 0; slot < router_count_slots(crew->router); slot++) {
		struct mapping mapping = router_slot(crew->router, slot);
		struct endpoint endpoint = { .port = mapping.internal_port,
					     .protocol = mapping.protocol,
					     .addr = mapping.internal_addr };
		uint32_t known;

		if (mapping.state == MAPPING_FREE)
			continue;
		if (bpf_map_lookup_elem(fd, &endpoint, &known))
			fail_msg("round %llu: port %u is nobody's, and not free", (unsigned long long)crew->round,
				 ntohs(mapping.external_port));
		if (known != slot)
			fail_msg("round %llu: the owner of port %u has another one, too",
				 (unsigned long long)crew->round, ntohs(mapping.external_port));
	}
}

/* What is counted of each host is what it has. */
static void limits_are_right(struct crew *crew)
{
	int fd = datapath_map_fd(router_datapath(crew->router), "hosts");

	for (uint32_t n = 0; n < HOSTS; n++) {
		uint32_t have[NAT_PROTOCOLS] = { 0 };
		struct host host = { 0 };
		uint8_t addr[16];

		for (uint32_t slot = 0; slot < router_count_slots(crew->router); slot++) {
			struct mapping mapping = router_slot(crew->router, slot);

			if (mapping.state != MAPPING_FREE && router_mapping_is_of(&mapping, HOST(n)))
				have[mapping.protocol]++;
		}
		address_write(HOST(n), addr);
		bpf_map_lookup_elem(fd, addr, &host);
		for (int i = 0; i < NAT_PROTOCOLS; i++)
			if (host.mappings[i] != have[i] || have[i] > LIMIT)
				fail_msg("round %llu: host %u has %u mappings, and %u are counted",
					 (unsigned long long)crew->round, n, have[i], host.mappings[i]);
	}
}

/* A mapping's number of sessions is that of its sessions. */
static void sessions_are_counted(struct crew *crew)
{
	int fd = datapath_map_fd(router_datapath(crew->router), "tcp_sessions");
	uint32_t open[SLOTS_MAX] = { 0 };
	struct session_key key, *last = NULL;
	struct session session;

	while (!bpf_map_get_next_key(fd, last, &key)) {
		last = &key;
		if (!bpf_map_lookup_elem(fd, &key, &session) && (session.flags & SESSION_COUNTED) &&
		    session.epoch == router_slot(crew->router, key.slot).epoch)
			open[key.slot]++;
	}
	for (uint32_t slot = 0; slot < router_count_slots(crew->router); slot++) {
		struct mapping mapping = router_slot(crew->router, slot);

		if (mapping.state == MAPPING_LIVE && mapping.sessions != open[slot])
			fail_msg("round %llu: port %u has %u sessions open, and counts %u",
				 (unsigned long long)crew->round, ntohs(mapping.external_port), open[slot],
				 mapping.sessions);
	}
}

static void maps_are_right(struct crew *crew)
{
	const char *wrong = router_check(crew->router);

	if (wrong)
		fail_msg("round %llu: %s", (unsigned long long)crew->round, wrong);
	slots_are_known(crew);
	sessions_are_counted(crew);
	if (router_setup(crew->router)->host_limit[NAT_UDP])
		limits_are_right(crew);
}

/* Everything ends. */
static void all_ends(struct crew *crew)
{
	const char *wrong = router_reset(crew->router);
	uint8_t host[16];

	if (wrong)
		fail_msg("round %llu: %s", (unsigned long long)crew->round, wrong);
	if (!bpf_map_get_next_key(datapath_map_fd(router_datapath(crew->router), "hosts"), NULL, host))
		fail_msg("round %llu: a host without mappings is still counted", (unsigned long long)crew->round);
}

/* An endpoint that sends alone is served, and reached by the port that it is given. */
static void host_is_served(struct crew *crew, uint32_t host, unsigned int port)
{
	struct packet out = UDP(host, port, S, 53), in = UDP(Z, 99, EXT, 0);
	struct packet expected = UDP(Z, 99, host, port);
	struct frame got, want;
	enum nat_reason why = reason_alone(crew, NAT_EGRESS, &out, &got);
	char text[600];

	if (why == WHY_NO_PORT || why == WHY_HOST_LIMIT)
		return;
	if (why != WHY_OUT && why != WHY_OUT_NEW)
		fail_msg("round %llu: a packet alone is dropped, reason %d", (unsigned long long)crew->round, why);
	in.dport = frame_sport(&got);
	why = reason_alone(crew, NAT_INGRESS, &in, &got);
	frame_build(&want, &expected, true);
	if (why != WHY_IN || frame_differs(&want, &got, text, sizeof(text)))
		fail_msg("round %llu: port %u does not lead to its owner: reason %d, %s",
			 (unsigned long long)crew->round, in.dport, why, text);
}

/* Tests */

static void send_from_one_endpoint(struct crew *crew, unsigned int number, struct random *random)
{
	struct packet packet = UDP(HOST(0), 25000 + crew->round % 2, S, 53 + number);

	(void)random;
	crew->port[number] = port_given(crew, &packet);
}

/* All make the mapping of one endpoint: they get one port. Every other time the internal port is taken. */
static void the_same_mapping(struct router *router)
{
	static const struct packet other = UDP(HOST(1), 25001, S, 53);
	double end = now_ms() + TEST_MS;
	struct crew crew;

	crew_open(&crew, router, send_from_one_endpoint);
	while (now_ms() < end) {
		port_given(&crew, &other);
		crew_work(&crew, NULL);
		for (unsigned int i = 1; i < crew.threads; i++)
			if (crew.port[i] != crew.port[0])
				fail_msg("round %llu: one endpoint has port %d and port %d",
					 (unsigned long long)crew.round, crew.port[0], crew.port[i]);
		if (router_count_endpoints(router) != 2)
			fail_msg("round %llu: want 2 endpoints, got %zu", (unsigned long long)crew.round,
				 router_count_endpoints(router));
		maps_are_right(&crew);
		all_ends(&crew);
	}
	crew_close(&crew);
}

static void send_from_own_endpoint(struct crew *crew, unsigned int number, struct random *random)
{
	struct packet packet = UDP(HOST(number), 30000, S, 53);

	(void)random;
	crew->port[number] = port_given(crew, &packet);
}

/* One port is left: one of them gets it, and no other gets any. */
static void the_last_port(struct router *router)
{
	double end = now_ms() + TEST_MS;
	struct crew crew;

	crew_open(&crew, router, send_from_own_endpoint);
	while (now_ms() < end) {
		int given = 0;

		for (unsigned int port = 25000; port < 25015; port++) {
			struct packet packet = UDP(A, port, S, 53);

			assert_int_equal(port_given(&crew, &packet), port);
		}
		crew_work(&crew, NULL);
		for (unsigned int i = 0; i < crew.threads; i++)
			given += crew.port[i] == 25015;
		if (given != 1)
			fail_msg("round %llu: the last port was given to %d", (unsigned long long)crew.round, given);
		maps_are_right(&crew);
		all_ends(&crew);
	}
	crew_close(&crew);
}

#define CONNECTIONS 200 /* of each thread in a round; every other one is closed again */

/* One connection after another, to remotes of this thread's own, all on one mapping. */
static void connect_from_one_endpoint(struct crew *crew, unsigned int number, struct random *random)
{
	(void)random;
	for (unsigned int i = 0; i < CONNECTIONS; i++) {
		unsigned int remote = 1000 + number * CONNECTIONS + i;
		struct packet packets[] = {
			TCP(SYN, A, 25000, S, remote),
			TCP(SYN | ACK, S, remote, EXT, 25000),
			TCP(FIN | ACK, A, 25000, S, remote),
			TCP(FIN | ACK, S, remote, EXT, 25000),
		};
		struct frame got;

		for (unsigned int step = 0; step < (i % 2 ? 4 : 2); step++)
			packet_send(crew, step % 2 ? NAT_INGRESS : NAT_EGRESS, &packets[step], &got);
	}
}

static void sessions_add_up(struct router *router)
{
	double end = now_ms() + TEST_MS;
	struct crew crew;

	crew_open(&crew, router, connect_from_one_endpoint);
	while (now_ms() < end) {
		unsigned int want = crew.threads * CONNECTIONS / 2, got;

		crew_work(&crew, NULL);
		got = router_mapping(router, NAT_TCP, 25000).sessions;
		if (got != want)
			fail_msg("round %llu: want %u sessions, got %u", (unsigned long long)crew.round, want, got);
		maps_are_right(&crew);
		all_ends(&crew);
	}
	crew_close(&crew);
}

/* Whatever may come, from a few hosts with more endpoints than there are ports. */
static void send_anything(struct crew *crew, unsigned int number, struct random *random)
{
	static const uint8_t flags[] = { SYN, SYN | ACK, ACK, FIN | ACK, RST | ACK, SYN };

	(void)number;
	for (int i = 0; i < BURST; i++) {
		uint32_t host = HOST(random_below(random, HOSTS)), remote = random_one_in(random, 2) ? S : T;
		uint32_t external = random_one_in(random, 2) ? EXT : EXT2;
		unsigned int port = 25000 + random_below(random, HOST_PORTS);
		uint8_t bits = flags[random_below(random, COUNT(flags))];
		struct packet out[] = { UDP(host, port, remote, 53), TCP(bits, host, port, remote, 80),
					QUERY(ECHO, host, remote, port), TCP(bits, host, port, external, port) };
		struct packet in[] = { UDP(remote, 53, external, port), TCP(bits, remote, 80, external, port),
				       QUERY(ECHO_REPLY, remote, external, port),
				       TCP(SYN | ACK, remote, 80, external, port) };
		bool outwards = random_below(random, 3);
		struct frame got;

		packet_send(crew, outwards ? NAT_EGRESS : NAT_INGRESS,
			    &(outwards ? out : in)[random_below(random, COUNT(in))], &got);
	}
}

static void end_some(struct crew *crew, struct random *random)
{
	for (int i = 0; i < 4; i++)
		router_expire(crew->router, random_below(random, NAT_PROTOCOLS), 25000 + random_below(random, 16));
	datapath_sweep(router_datapath(crew->router));
}

/* Every mapping dies at once, again and again, and is swept. */
static void renumber(struct crew *crew, struct random *random)
{
	router_end_all(crew->router);
	if (random_one_in(random, 64)) {
		crew->renumbered = !crew->renumbered;
		router_set_external(crew->router, crew->renumbered ? EXT2 : EXT);
	}
	datapath_sweep(router_datapath(crew->router));
}

static void churn(struct router *router, void (*meanwhile)(struct crew *crew, struct random *random))
{
	uint64_t counted = packets_counted(router);
	double end = now_ms() + TEST_MS;
	struct crew crew;

	crew_open(&crew, router, send_anything);
	while (now_ms() < end) {
		crew_work(&crew, meanwhile);
		maps_are_right(&crew);
		router_set_external(router, EXT);
		for (uint32_t host = HOST(0); host < HOST(HOSTS); host++)
			for (unsigned int port = 25000; port < 25000 + HOST_PORTS; port++)
				host_is_served(&crew, host, port);
		maps_are_right(&crew);
		if (random_one_in(&(struct random){ crew.round }, 4))
			all_ends(&crew);
	}
	all_ends(&crew);
	crew_close(&crew);
	assert_int_equal(packets_counted(router) - counted, crew.packets);
}

static void slots_change_hands(struct router *router)
{
	churn(router, end_some);
}

static void the_address_changes(struct router *router)
{
	churn(router, renumber);
}

static const struct test tests[] = {
	CODE("one_endpoint_gets_one_port", the_same_mapping, .setup = &few_ports, .only_ipv4 = false),
	CODE("the_last_port_is_given_once", the_last_port, .setup = &few_ports, .only_ipv4 = false),
	CODE("tcp_sessions_add_up", sessions_add_up, .setup = &few_ports, .only_ipv4 = false),
	CODE("slots_change_hands", slots_change_hands, .setup = &few_ports, .only_ipv4 = false),
	CODE("the_address_changes", the_address_changes, .setup = &few_ports, .only_ipv4 = false),
	CODE("slots_change_hands_within_limits", slots_change_hands, .setup = &limited, .only_ipv4 = false),
	CODE("the_address_changes_within_limits", the_address_changes, .setup = &limited),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
