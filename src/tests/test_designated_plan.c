// SPDX-License-Identifier: GPL-2.0-or-later
/* designated: what routing a designated server needs, beside hairpinning, and the name that tells what an interface was before. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "designated.h"

enum { WAN = 3, DMZ = 7 };

struct fixture {
	struct config config;
	struct hairpin_external external;
};

static void fixture_init(struct fixture *fixture)
{
	struct interface_config *wan;

	memset(fixture, 0, sizeof(*fixture));
	config_init(&fixture->config);
	wan = config_add_interface(&fixture->config);
	strcpy(wan->name, "wan");
	wan->nat44 = true;
	strcpy(wan->designated.name, "dmz");
	assert_int_equal(interface_config_default_ports(wan), 0);
	fixture->external = (struct hairpin_external){ .config = wan,
						       .name = "wan",
						       .ifindex = WAN,
						       .is_up = true,
						       .is_ethernet = true,
						       .designated_ifindex = DMZ };
	memset(fixture->external.mac, 0xaa, sizeof(fixture->external.mac));
	assert_int_equal(inet_pton(AF_INET, "203.0.113.2", fixture->external.addr), 1);
}

static void plan_print(const struct fixture *fixture, char *text, size_t size)
{
	struct hairpin_items wanted = { NULL, 0 };
	size_t i, used = 0;

	assert_int_equal(designated_plan(&wanted, &fixture->external, 1), 0);
	assert_int_equal(hairpin_plan(&wanted, CONFIG_IPV4, 200, &fixture->external, 1), 0);
	text[0] = '\0';
	for (i = 0; i < wanted.count; i++) {
		assert_int_equal(wanted.items[i].owner, HAIRPIN_OWNER);
		hairpin_item_format(&wanted.items[i], NULL, text + used, size - used);
		used += strlen(text + used);
		used += (size_t)snprintf(text + used, size - used, "\n");
	}
	hairpin_items_free(&wanted);
}

#define NEIGHBOUR "neighbour 203.0.113.2 dev 3 aa:aa:aa:aa:aa:aa\n"
#define ROUTES                                 \
	"route 203.0.113.2 dev 7 table 4788\n" \
	"route 203.0.113.2 dev 3 table 4789\n"
#define MARK "rule pref 112 fwmark 0x12b4 lookup 4788\n"
#define MANAGED                                                             \
	"rule pref 112 iif lo ipproto tcp dport 20000-29999 lookup 4789\n"  \
	"rule pref 112 iif lo ipproto udp dport 20000-29999 lookup 4789\n"  \
	"rule pref 112 iif dmz ipproto tcp dport 20000-29999 lookup 4789\n" \
	"rule pref 112 iif dmz ipproto udp dport 20000-29999 lookup 4789\n"
#define OTHERS                                                 \
	"rule pref 113 iif wan lookup local\n"                 \
	"rule pref 113 from 203.0.113.2 iif lo lookup local\n" \
	"rule pref 113 from 0.0.0.0 iif lo lookup local\n"     \
	"rule pref 114 iif lo lookup 4788\n"                   \
	"rule pref 114 iif dmz lookup 4788\n"                  \
	"rule pref 115 lookup 4789\n"
#define LOCAL  "rule pref 200 lookup local\n"
#define SOURCE "rule pref 110 from 203.0.113.2 iif dmz goto 112\n"
#define REST   "rule pref 111 iif dmz blackhole\n"

static void expect(const struct fixture *fixture, const char *expected)
{
	char text[2048];

	plan_print(fixture, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void test_plans(void **state)
{
	struct interface_config *wan;
	struct fixture fixture;

	(void)state;
	fixture_init(&fixture);
	wan = &fixture.config.interfaces[0];
	struct ip_prefix network = { .length = 24 };

	assert_int_equal(inet_pton(AF_INET, "192.168.7.0", network.addr), 1);
	expect(&fixture, NEIGHBOUR ROUTES MARK MANAGED OTHERS SOURCE REST LOCAL);
	fixture.external.designated_networks = &network;
	fixture.external.designated_networks_count = 1;
	expect(&fixture, NEIGHBOUR ROUTES MARK MANAGED OTHERS SOURCE
	       "rule pref 110 from 192.168.7.0/24 iif dmz goto 112\n" REST LOCAL);
	fixture.external.designated_networks_count = 0;
	fixture.external.is_ethernet = false;
	expect(&fixture, ROUTES MARK MANAGED OTHERS SOURCE REST LOCAL);
	port_set_free(&wan->ports[NAT_TCP]);
	port_set_free(&wan->ports[NAT_UDP]);
	expect(&fixture, ROUTES MARK OTHERS SOURCE REST LOCAL);
	wan->designated.mark = 5;
	wan->designated.rule_pref = 50;
	wan->designated.table_id = 60;
	expect(&fixture, "route 203.0.113.2 dev 7 table 60\n"
			 "route 203.0.113.2 dev 3 table 61\n"
			 "rule pref 52 fwmark 0x5 lookup 60\n"
			 "rule pref 53 iif wan lookup local\n"
			 "rule pref 53 from 203.0.113.2 iif lo lookup local\n"
			 "rule pref 53 from 0.0.0.0 iif lo lookup local\n"
			 "rule pref 54 iif lo lookup 60\n"
			 "rule pref 54 iif dmz lookup 60\n"
			 "rule pref 55 lookup 61\n"
			 "rule pref 50 from 203.0.113.2 iif dmz goto 52\n"
			 "rule pref 51 iif dmz blackhole\n" LOCAL);
	config_free(&fixture.config);
}

/* Each thing that is missing, alone. */
static void test_nothing(void **state)
{
	struct fixture fixture;
	int missing;

	(void)state;
	for (missing = 0; missing < 5; missing++) {
		fixture_init(&fixture);
		if (missing == 0)
			fixture.external.designated_ifindex = 0;
		if (missing == 1)
			fixture.external.is_up = false;
		if (missing == 2)
			memset(fixture.external.addr, 0, sizeof(fixture.external.addr));
		if (missing == 3)
			fixture.config.interfaces[0].nat44 = false;
		if (missing == 4)
			fixture.config.interfaces[0].designated.name[0] = '\0';
		print_message("# without %d\n", missing);
		expect(&fixture, "");
		config_free(&fixture.config);
	}
}

static void test_before(void **state)
{
	static const char *const bad[] = {
		"",
		"einat-before-",
		"einat-before-9-7-1-1-2-3",
		"einat-before-9-7-1-1-2-3-4-5",
		"einat-before-9-7-1-1-2-3-4x",
		"einat-before-9-7-2-1-2-3-4",
		"einat-before-9-0-1-1-2-3-4",
		"einat-before-9-x-1-1-2-3-4",
		"einat-before-9-7-1-1-2-3--4",
		"einat-before-9-7-1-1-2-3- 4",
		"einat-before-9-7-1-1-2-3-4294967296",
		"einat-before-99999999999999999999-7-1-1-2-3-4",
		"wan",
	};
	const struct designated_before before = { 4026531840, 7, true, { 1, 2, 3, UINT32_MAX } };
	struct designated_before read;
	char name[DESIGNATED_NAME];
	size_t i;

	(void)state;
	designated_before_format(&before, name);
	assert_string_equal(name, "einat-before-4026531840-7-1-1-2-3-4294967295");
	assert_int_equal(designated_before_parse(&read, name), 0);
	assert_int_equal(read.namespace, before.namespace);
	assert_int_equal(read.ifindex, 7);
	assert_true(read.has_address_of_ours);
	assert_memory_equal(read.values, before.values, sizeof(read.values));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(designated_before_parse(&read, bad[i]), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_before),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("designated_plan", tests, NULL, NULL);
}
