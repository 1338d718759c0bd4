// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets per second through a router, outwards and inwards, by the number of flows; and what becomes of a burst of new
 * flows. One CPU sends and forwards, so what a packet costs shows in full, together with what sending it costs.
 */
#include "bench.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generator.h"
#include "report.h"
#include "samples.h"

#define ROUNDS	     41
#define VOLLEY	     50000
#define BURST	     10000
#define BURST_ROUNDS 5

static const unsigned int flow_counts[] = { 1, 1000, 9000 };

/* The testbeds of the contest, one of each kind. */
struct roads {
	struct testbed testbeds[ROUTER_KINDS];
	struct generator generator;
};

static void roads_close(struct roads *roads)
{
	for (int kind = 0; kind < ROUTER_KINDS; kind++)
		testbed_close(&roads->testbeds[kind]);
	generator_close(&roads->generator);
}

/* Opens the testbeds that are wanted. NULL, or why not. */
static const char *roads_open(struct roads *roads, const char *einat, const char *ports, bool with_plain)
{
	int err = generator_open(&roads->generator);

	for (int kind = 0; kind < ROUTER_KINDS; kind++)
		roads->testbeds[kind] = (struct testbed){ .ns = { -1, -1, -1 } };
	if (err)
		return strerror(-err);
	for (int kind = with_plain ? ROUTER_PLAIN : ROUTER_MASQUERADE; kind < ROUTER_KINDS; kind++) {
		struct testbed *testbed = &roads->testbeds[kind];

		if (testbed_open(testbed, kind, einat, ports))
			return testbed->why;
		err = generator_attach(&roads->generator, testbed);
		if (err)
			return strerror(-err);
	}
	return NULL;
}

/* All flows from one host, their ports within those that einat manages: each keeps its own, whoever translates. */
static void steady_endpoint(unsigned int flow, uint32_t *addr, uint16_t *port)
{
	*addr = 192U << 24 | 168 << 16 | 1 << 8 | 100;
	*port = 20000 + flow;
}

/* Each flow passes once, outwards: from then on its mapping lives. */
static const char *roads_prime(struct roads *roads, unsigned int flows)
{
	for (int kind = 0; kind < ROUTER_KINDS; kind++) {
		unsigned long before = generator_settle(&roads->generator), after;
		struct volley volley;
		int err;

		generator_aim(&roads->generator, &roads->testbeds[kind], flows, steady_endpoint, false);
		err = generator_fire(&roads->generator, &roads->testbeds[kind], flows, &volley);
		if (err)
			return strerror(-err);
		after = generator_settle(&roads->generator);
		if (after - before != flows)
			return "a flow's first packet was lost";
	}
	return NULL;
}

struct rates {
	struct samples rate[ROUTER_KINDS];
	struct samples to_plain, to_masquerade, lost; /* lost: by einat's router, in percent */
};

static const char *rates_measure(struct roads *roads, struct rates *rates, unsigned int flows, bool inwards)
{
	for (int round = 0; round <= ROUNDS; round++) {
		double rate[ROUTER_KINDS];
		struct volley volley;

		for (int i = 0; i < ROUTER_KINDS; i++) {
			int kind = round % 2 ? ROUTER_KINDS - 1 - i : i, err;

			generator_aim(&roads->generator, &roads->testbeds[kind], flows, steady_endpoint, inwards);
			err = generator_fire(&roads->generator, &roads->testbeds[kind], VOLLEY, &volley);
			if (err)
				return strerror(-err);
			if (volley.received < VOLLEY / 2)
				return "most packets were lost";
			rate[kind] = volley.received / volley.seconds;
			if (round && kind == ROUTER_EINAT)
				samples_add(&rates->lost, 100. * (VOLLEY - volley.received) / VOLLEY);
		}
		if (!round)
			continue; /* for warming up */
		for (int kind = 0; kind < ROUTER_KINDS; kind++)
			samples_add(&rates->rate[kind], rate[kind]);
		samples_add(&rates->to_plain, rate[ROUTER_EINAT] / rate[ROUTER_PLAIN]);
		samples_add(&rates->to_masquerade, rate[ROUTER_EINAT] / rate[ROUTER_MASQUERADE]);
	}
	return NULL;
}

static void rates_report(struct rates *rates, unsigned int flows, const char *direction)
{
	char what[64];

	snprintf(what, sizeof(what), "%u flow%s %s: to plain", flows, flows > 1 ? "s" : "", direction);
	report_row(what, "x", &rates->to_plain, (struct target){ AT_LEAST, 0.95 },
		   (struct beside[]){ { "einat Mpps", samples_median(&rates->rate[ROUTER_EINAT]) / 1e6 },
				      { "plain Mpps", samples_median(&rates->rate[ROUTER_PLAIN]) / 1e6 },
				      { "lost %", samples_median(&rates->lost) },
				      { NULL, 0 } });
	snprintf(what, sizeof(what), "%u flow%s %s: to masquerade", flows, flows > 1 ? "s" : "", direction);
	report_row(what, "x", &rates->to_masquerade, (struct target){ AT_LEAST, 1.35 },
		   (struct beside[]){ { "masquerade Mpps", samples_median(&rates->rate[ROUTER_MASQUERADE]) / 1e6 },
				      { NULL, 0 } });
}

static void flows_run(struct roads *roads, unsigned int flows, bool inwards)
{
	const char *direction = inwards ? "in" : "out", *why;
	struct rates rates = { 0 };
	char what[64];

	why = roads_prime(roads, flows);
	why = why ?: rates_measure(roads, &rates, flows, inwards);
	if (why) {
		snprintf(what, sizeof(what), "%u flows %s", flows, direction);
		report_missing(what, "%s", why);
	} else {
		rates_report(&rates, flows, direction);
	}
	for (int kind = 0; kind < ROUTER_KINDS; kind++)
		samples_free(&rates.rate[kind]);
	samples_free(&rates.to_plain);
	samples_free(&rates.to_masquerade);
	samples_free(&rates.lost);
}

void bench_forwarding(const struct bench *bench)
{
	static struct roads roads;
	const char *why;

	report_area("Packets per second through a router, one CPU", "plain forwarding and nftables masquerade");
	why = roads_open(&roads, bench->einat, NULL, true);
	if (why)
		report_missing("packets per second", "%s", why);
	for (size_t i = 0; !why && i < sizeof(flow_counts) / sizeof(flow_counts[0]); i++) {
		flows_run(&roads, flow_counts[i], false);
		flows_run(&roads, flow_counts[i], true);
	}
	roads_close(&roads);
}

/* Hosts and ports as they come: some ports are managed and some not, and many hosts have the same one. */
static void burst_endpoint(unsigned int flow, uint32_t *addr, uint16_t *port)
{
	*addr = 192U << 24 | 168 << 16 | (2 + flow / 100) << 8 | flow % 100;
	*port = 1024 + flow * 40503U % 64512;
}

/* One burst through fresh routers: what the masquerading one and einat's lost of what reached them. NULL, or why not. */
static const char *burst(const char *einat, struct samples lost[ROUTER_KINDS])
{
	static struct roads roads; /* the text of a failure is in it */
	const char *why;

	why = roads_open(&roads, einat, "20000-29999", false);
	for (int kind = ROUTER_MASQUERADE; !why && kind < ROUTER_KINDS; kind++) {
		struct testbed *testbed = &roads.testbeds[kind];
		unsigned long before = generator_settle(&roads.generator), arrived = testbed_received(testbed);
		struct volley volley;

		generator_aim(&roads.generator, testbed, BURST, burst_endpoint, false);
		if (generator_fire(&roads.generator, testbed, BURST, &volley)) {
			why = "the generator does not run";
			break;
		}
		before = generator_settle(&roads.generator) - before;
		arrived = testbed_received(testbed) - arrived;
		if (arrived < BURST * 9 / 10)
			why = "the packets do not reach the router";
		samples_add(&lost[kind], (double)arrived - before);
	}
	roads_close(&roads);
	return why;
}

void bench_burst(const struct bench *bench)
{
	struct samples lost[ROUTER_KINDS] = { 0 };
	const char *why = NULL;

	report_area("A burst of 10,000 new flows on 10,000 ports", "");
	for (int i = 0; !why && i < BURST_ROUNDS; i++)
		why = burst(bench->einat, lost);
	if (why) {
		report_missing("packets lost", "%s", why);
		return;
	}
	report_row("packets lost", "", &lost[ROUTER_EINAT], (struct target){ AT_MOST, 0 },
		   (struct beside[]){ { "most", samples_quantile(&lost[ROUTER_EINAT], 1) },
				      { "masquerade", samples_median(&lost[ROUTER_MASQUERADE]) },
				      { NULL, 0 } });
}
