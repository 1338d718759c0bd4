// SPDX-License-Identifier: GPL-2.0-or-later
/* slot_plan: every port with a slot has one of its own, by kind, and what is not managed behind the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "forward.h"
#include "slot_plan.h"

#define SLOTS_MAX 64

struct seen {
	unsigned int count;
	__u16 port[SLOTS_MAX]; /* by slot */
};

static void see(__u32 slot, __u16 port, void *arg)
{
	struct seen *seen = arg;

	assert_true(slot < SLOTS_MAX);
	assert_int_equal(seen->port[slot], 0);
	seen->port[slot] = port;
	seen->count++;
}

static void forward_get(struct forward *forward, const char *text)
{
	const char *why;

	assert_int_equal(forward_parse(forward, text, &why), 0);
}

/* Two externals with the same ports: 1000-1003 and 2000-2001. */
static void config_get(struct datapath_config *config, struct external_config externals[2])
{
	memset(externals, 0, 2 * sizeof(*externals));
	datapath_config_init(config);
	config->externals_count = 2;
	config->externals = externals;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(port_set_add(&externals[i].ports[NAT_UDP], 1000, 1003), 0);
		assert_int_equal(port_set_add(&externals[i].ports[NAT_UDP], 2000, 2001), 0);
	}
}

static void config_release(struct external_config externals[2])
{
	for (int i = 0; i < 2; i++)
		port_set_free(&externals[i].ports[NAT_UDP]);
}

static void test_slots(void **state)
{
	/* even and odd below 1024, even and odd above; then what is not managed; the second external has none of those */
	static const __u16 expected[] = { 1000, 1002, 1001, 1003, 2000, 2001, 53,  54,
					  1004, 1000, 1002, 1001, 1003, 2000, 2001 };
	struct external_config externals[2];
	struct seen seen = { .count = 0 };
	struct datapath_config config;
	struct forward forwards[3];
	struct slot_plan plan;

	(void)state;
	config_get(&config, externals);
	forward_get(&forwards[0], "udp:1001-1004=10.0.0.1:80");
	forward_get(&forwards[1], "udp:53-54=10.0.0.1");
	forward_get(&forwards[2], "udp:55=[fd00::1]");
	config.forwards = forwards;
	config.forwards_count = 3;
	assert_int_equal(slot_plan_make(&plan, &config), 0);
	for (unsigned int i = 0; i < 2; i++)
		for (enum nat_protocol protocol = NAT_TCP; protocol < NAT_PROTOCOLS; protocol++)
			slot_plan_visit(&plan, i, protocol, see, &seen);
	assert_int_equal(plan.slots, sizeof(expected) / sizeof(*expected));
	assert_int_equal(seen.count, plan.slots);
	assert_memory_equal(seen.port, expected, sizeof(expected));
	assert_int_equal(plan.externals[0].slot_count[NAT_UDP], 6); /* that are given away */
	assert_int_equal(plan.externals[1].first_slot[NAT_UDP], 9);
	assert_int_equal(plan.regions, 2 * NAT_PROTOCOLS * NAT_PORT_KINDS);
	slot_plan_free(&plan);
	config_release(externals);
}

static __u64 hash_with(const struct datapath_config *base, const char *text, size_t remotes)
{
	struct datapath_config config = *base;
	struct forward forward;

	forward_get(&forward, text);
	forward.remotes_count = remotes;
	config.forwards = &forward;
	config.forwards_count = 1;
	return slot_plan_hash(&config);
}

static void test_hash(void **state)
{
	struct external_config externals[2];
	struct datapath_config config;
	__u64 without, with;

	(void)state;
	config_get(&config, externals);
	without = slot_plan_hash(&config);
	with = hash_with(&config, "udp:53=10.0.0.1", 0);
	assert_true(with != without);
	assert_true(hash_with(&config, "udp:53=10.0.0.1", 0) == with);
	assert_true(hash_with(&config, "tcp:53=10.0.0.1", 0) != with);
	assert_true(hash_with(&config, "udp:53=10.0.0.2", 0) != with);
	assert_true(hash_with(&config, "udp:53=10.0.0.1:54", 0) != with);
	assert_true(hash_with(&config, "udp:53=10.0.0.1", 1) != with);
	assert_true(hash_with(&config, "udp:53=10.0.0.1", 1) == hash_with(&config, "udp:53=10.0.0.1", 2));
	assert_true(hash_with(&config, "udp:53=[fd00::1]", 0) == without); /* of the other family */
	externals[0].first[0] = 1;
	with = slot_plan_hash(&config);
	assert_true(with != without);
	externals[0].first[0] = 0;
	externals[1].first[0] = 1;
	assert_true(slot_plan_hash(&config) != with);
	config_release(externals);
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_slots), cmocka_unit_test(test_hash) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("slot_plan", tests, NULL, NULL);
}
