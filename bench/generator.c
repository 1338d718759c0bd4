// SPDX-License-Identifier: GPL-2.0-or-later
/* See generator.h. */
#include "generator.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "frame.h"
#include "traffic.h"
#include "traffic.skel.h"

#define FLOWS_SIZE (TRAFFIC_FLOWS_MAX * sizeof(struct traffic_flow))
#define BATCH	   64 /* frames at a time: what NAPI takes, so that nothing piles up between sender and router */

enum { IP = 14, UDP = IP + 20 };

int generator_open(struct generator *generator)
{
	*generator = (struct generator){ .traffic = traffic_bpf__open_and_load() };
	if (!generator->traffic)
		return -errno;
	generator->flows = mmap(NULL, FLOWS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
				bpf_map__fd(generator->traffic->maps.flows), 0);
	if (generator->flows != MAP_FAILED)
		return 0;
	generator->flows = NULL;
	return -errno;
}

void generator_close(struct generator *generator)
{
	if (generator->flows)
		munmap(generator->flows, FLOWS_SIZE);
	traffic_bpf__destroy(generator->traffic);
}

int generator_attach(const struct generator *generator, const struct testbed *testbed)
{
	static const enum place ends[] = { HOST, SERVER };
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(ends) / sizeof(ends[0]); i++) {
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = testbed->ifindex[ends[i]], .attach_point = BPF_TC_INGRESS);
		LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(generator->traffic->progs.sink));

		testbed_enter(testbed, ends[i]);
		err = bpf_tc_hook_create(&hook);
		err = err ?: bpf_tc_attach(&hook, &opts);
		testbed_leave();
	}
	return err;
}

/* What is the same in every frame: addressed to the router's end of the cable. */
static void template_build(struct traffic *traffic, bool inwards)
{
	struct frame_endpoint remote = frame_endpoint_of(AF_INET, TESTBED_SERVER, 53);
	struct frame_endpoint local = frame_endpoint_of(AF_INET, "0.0.0.0", 0);
	struct frame frame;

	frame_build(&frame, AF_INET, IPPROTO_UDP, 0, inwards ? &remote : &local, inwards ? &local : &remote,
		    TRAFFIC_FRAME - UDP - 8);
	memcpy(traffic->frame, frame.bytes, TRAFFIC_FRAME);
	traffic->frame[5] = inwards ? 3 : 2;
	traffic->frame[11] = inwards ? 4 : 1;
}

void generator_aim(struct generator *generator, const struct testbed *testbed, unsigned int flows,
		   generator_endpoint endpoint, bool inwards)
{
	struct frame_endpoint remote = frame_endpoint_of(AF_INET, TESTBED_SERVER, 53);
	struct frame_endpoint external = frame_endpoint_of(AF_INET, TESTBED_EXTERNAL, 0);
	struct traffic *traffic = &generator->traffic->bss->traffic;

	template_build(traffic, inwards);
	traffic->ifindex = testbed->ifindex[inwards ? SERVER : HOST];
	traffic->flows = flows;
	traffic->next = 0;
	traffic->inwards = inwards;
	for (unsigned int i = 0; i < flows; i++) {
		struct traffic_flow *flow = &generator->flows[i];
		struct frame_endpoint local = { .port = 0 };
		struct frame frame;
		uint32_t addr;
		uint16_t port;

		endpoint(i, &addr, &port);
		local.addr[0] = inwards && testbed->kind != ROUTER_PLAIN ? external.addr[0] : htonl(addr);
		local.port = htons(port);
		frame_build(&frame, AF_INET, IPPROTO_UDP, 0, inwards ? &remote : &local, inwards ? &local : &remote,
			    TRAFFIC_FRAME - UDP - 8);
		flow->addr = local.addr[0];
		flow->port = local.port;
		memcpy(&flow->ip_check, frame.bytes + IP + 10, 2);
		memcpy(&flow->udp_check, frame.bytes + UDP + 6, 2);
	}
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static unsigned long received(const struct generator *generator)
{
	return __atomic_load_n(&generator->traffic->bss->received, __ATOMIC_RELAXED);
}

int generator_fire(struct generator *generator, const struct testbed *testbed, unsigned int count,
		   struct volley *volley)
{
	struct traffic *traffic = &generator->traffic->bss->traffic;
	struct xdp_md context = { .data_end = TRAFFIC_FRAME };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = traffic->frame, .data_size_in = TRAFFIC_FRAME,
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = (int)count, .batch_size = BATCH,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	unsigned long before = received(generator);
	double start;
	int err;

	testbed_enter(testbed, traffic->inwards ? SERVER : HOST);
	start = now();
	err = bpf_prog_test_run_opts(bpf_program__fd(generator->traffic->progs.generate), &opts);
	volley->seconds = now() - start;
	testbed_leave();
	volley->received = received(generator) - before;
	volley->sent = count;
	return err;
}

unsigned long generator_settle(const struct generator *generator)
{
	unsigned long last = received(generator), count;
	int quiet_ms = 0;

	while (quiet_ms < 50) {
		poll(NULL, 0, 1);
		count = received(generator);
		quiet_ms = count == last ? quiet_ms + 1 : 0;
		last = count;
	}
	return last;
}
