// SPDX-License-Identifier: GPL-2.0-or-later
/* Every option of an interface reaches the data plane. */
#include <setjmp.h>
#include <arpa/inet.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "config_plane.h"

/* Each number another one, so that none is taken for its neighbour. */
static void test_every_option(void **state)
{
	static struct forward forwards[2];
	struct interface_config config = {
		.name = "wan7",
		.bpf_fib_lookup_external = false,
		.bpf_log_level = 3,
		.max_sessions = 101,
		.max_fragments = 102,
		.max_remotes = 103,
		.max_hosts = 104,
		.host_limit = { 201, 202, 203 },
		.host_rate = 204,
		.inbound_mark = 301,
		.mss_clamp = 1302,
		.filtering = FILTERING_ADDRESS_AND_PORT,
		.pooling = POOLING_PAIRED,
		.refresh_inbound = true,
		.forwards = forwards,
		.forwards_count = 2,
		.designated = { .name = "dmz", .mark = 401 },
	};
	struct datapath_config dp;
	const char *why;

	(void)state;
	for (int i = 0; i < NAT_TIMEOUTS; i++)
		config.timeout_ms[i] = 1000 + (uint64_t)i;
	for (int i = 0; i < NAT_PROTOCOLS; i++)
		assert_int_equal(port_set_parse(&config.ports[i], i == 0 ? "501" : i == 1 ? "502" : "503", &why), 0);
	config_plane(&config, &dp);
	assert_string_equal(dp.ifname, "wan7");
	assert_false(dp.prefer_tcx);
	assert_false(dp.fib_source);
	assert_int_equal(dp.log_level, 3);
	for (int i = 0; i < NAT_TIMEOUTS; i++)
		assert_int_equal(dp.timeout_ms[i], 1000 + i);
	for (int i = 0; i < NAT_PROTOCOLS; i++) {
		assert_memory_equal(&dp.ports[i], &config.ports[i], sizeof(dp.ports[i]));
		assert_int_equal(dp.host_limit[i], 201 + i);
	}
	assert_int_equal(dp.host_rate, 204);
	assert_int_equal(dp.max_sessions, 101);
	assert_int_equal(dp.max_fragments, 102);
	assert_int_equal(dp.max_remotes, 103);
	assert_int_equal(dp.max_hosts, 104);
	assert_int_equal(dp.inbound_mark, 301);
	assert_int_equal(dp.designated_mark, 401);
	assert_int_equal(dp.mss_clamp, 1302);
	assert_int_equal(dp.filtering, FILTERING_ADDRESS_AND_PORT);
	assert_int_equal(dp.pooling, POOLING_PAIRED);
	assert_true(dp.refresh_inbound);
	assert_ptr_equal(dp.forwards, forwards);
	assert_int_equal(dp.forwards_count, 2);
	config.prefer_tcx = config.bpf_fib_lookup_external = true;
	config.designated.name[0] = '\0';
	config_plane(&config, &dp);
	assert_true(dp.prefer_tcx);
	assert_true(dp.fib_source);
	assert_int_equal(dp.designated_mark, 0);
	for (int i = 0; i < NAT_PROTOCOLS; i++)
		port_set_free(&config.ports[i]);
}

/* One of the file's, with ports and an address of its own, and behind it whatever the interface has. */
static void test_externals(void **state)
{
	struct config all = { .interfaces = NULL };
	struct interface_config *config = config_add_interface(&all);
	struct external_config *externals;
	struct external_plan plan = { 0 };
	struct external_rule *rule;
	const char *why;

	(void)state;
	assert_int_equal(port_set_parse(&config->ports[NAT_UDP], "20000-20009", &why), 0);
	config->nat44 = config->default_externals = true;
	rule = interface_config_add_external(config);
	rule->family = AF_INET;
	assert_int_equal(port_set_parse(&rule->ports[NAT_UDP], "30000-30009", &why), 0);
	rule->first[0] = htonl(0xcb007102);
	rule->last[0] = htonl(0xcb007103);
	assert_int_equal(external_plan_init(&plan, config, AF_INET), 0);
	assert_int_equal(plan.count, 2);
	externals = config_plane_externals(config, &plan);
	assert_non_null(externals);
	assert_true(port_set_contains(&externals[0].ports[NAT_UDP], 30009));
	assert_false(port_set_contains(&externals[0].ports[NAT_UDP], 20009));
	assert_int_equal(externals[0].first[0], htonl(0xcb007102));
	assert_int_equal(externals[0].last[0], htonl(0xcb007103));
	assert_true(port_set_contains(&externals[1].ports[NAT_UDP], 20009));
	assert_false(port_set_contains(&externals[1].ports[NAT_UDP], 30009));
	assert_int_equal(externals[1].first[0], 0);
	free(externals);
	external_plan_free(&plan);
	config_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_option),
		cmocka_unit_test(test_externals),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("config_plane", tests, NULL, NULL);
}
