// SPDX-License-Identifier: GPL-2.0-or-later
/* report, hosts, reason and json: what a person reads fits in 80 columns, what a program reads keeps its keys. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hosts.h"
#include "json.h"
#include "reason.h"
#include "report.h"

static char *text;
static size_t text_size;

static FILE *text_begin(void)
{
	FILE *to = open_memstream(&text, &text_size);

	assert_non_null(to);
	return to;
}

static void text_is(FILE *to, const char *wanted)
{
	fclose(to);
	assert_string_equal(text, wanted);
	free(text);
}

static void lines_fit(FILE *to)
{
	char *rest, *line;

	fclose(to);
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (strlen(line) > 80)
			print_message("%s\n", line);
		assert_true(strlen(line) <= 80);
	}
	free(text);
}

static void test_json_string(void **state)
{
	FILE *to = text_begin();

	(void)state;
	json_string(to, "");
	json_string(to, "a\"b\\c\nd\te\x7f");
	json_string(to, "f\xc3\xbcr \xff \xed\xa0\x80");
	text_is(to, "\"\"\"a\\\"b\\\\c\\nd\\u0009e\\u007f\"\"f\xc3\xbcr \\u00ff \\u00ed\\u00a0\\u0080\"");
}

static struct plane_report plane_of(int family)
{
	struct plane_report plane = { .interface = "wan", .family = family, .is_present = true, .hook = "tcx" };
	int i;

	plane.count = 1;
	assert_int_equal(inet_pton(family, family == AF_INET ? "203.0.113.2" : "2001:db8:1111:2222:3333:4444:5555:6666",
				   plane.externals[0]),
			 1);
	for (i = 0; i < NAT_PROTOCOLS; i++)
		plane.managed[i] = 10000;
	plane.mappings[NAT_UDP] = 3;
	plane.used[NAT_UDP] = 4;
	plane.peak[NAT_UDP] = 5;
	plane.memory = 1234567;
	return plane;
}

static void test_status(void **state)
{
	struct plane_report plane = plane_of(AF_INET);
	struct report report = { "0.1.0", 93784, 950000, NULL, &plane, 1 };
	FILE *to = text_begin();

	(void)state;
	report_status(to, &report, false);
	text_is(to, "einat 0.1.0, up 1d 02:03:04, 950.0kB of memory\n"
		    "nothing is wrong\n"
		    "wan, IPv4: tcx, 1.2MB of maps\n"
		    "  external 203.0.113.2\n"
		    "  PROTO   MAPPINGS   PORTS IN USE        MANAGED       PEAK   USE\n"
		    "  tcp            0              0          10000          0    0%\n"
		    "  udp            3              4          10000          5    0%\n"
		    "  icmp           0              0          10000          0    0%\n");
	plane.used[NAT_TCP] = 9000;
	plane.count = 0;
	report.complaint = "wan: a \"reason\"";
	to = text_begin();
	report_status(to, &report, true);
	text_is(to,
		"{\"version\":\"0.1.0\",\"uptime\":93784,\"memory\":950000,\"problems\":[\"wan: a \\\"reason\\\"\","
		"\"wan: no external IPv4 address\",\"wan: IPv4: 9000 of 10000 tcp ports are in use\"],\"interfaces\":["
		"{\"interface\":\"wan\",\"family\":\"ipv4\",\"present\":true,\"attached\":true,\"hook\":\"tcx\","
		"\"externals\":[],\"memory\":1234567,\"ports\":["
		"{\"protocol\":\"tcp\",\"mappings\":0,\"used\":9000,\"managed\":10000,\"peak\":0},"
		"{\"protocol\":\"udp\",\"mappings\":3,\"used\":4,\"managed\":10000,\"peak\":5},"
		"{\"protocol\":\"icmp\",\"mappings\":0,\"used\":0,\"managed\":10000,\"peak\":0}]}]}\n");
}

static void test_problems(void **state)
{
	struct plane_report plane = plane_of(AF_INET6);
	struct report report = { "0.1.0", 59, 0, NULL, &plane, 1 };
	FILE *to = text_begin();
	char *found;

	(void)state;
	plane.hook = NULL;
	report_status(to, &report, false);
	fflush(to);
	found = strstr(text, "up 0:59,");
	assert_non_null(found);
	assert_non_null(strstr(text, "problem: wan: IPv6 is not translated\n"));
	assert_non_null(strstr(text, "wan, IPv6: not attached"));
	plane.is_present = false;
	report_status(to, &report, false);
	fflush(to);
	assert_non_null(strstr(text, "problem: wan: is not there\n"));
	fclose(to);
	free(text);
}

static struct entry entry_of(int family)
{
	struct entry entry = { .interface = "wan", .family = family, .protocol = NAT_TCP, .state = "live" };

	inet_pton(family, family == AF_INET ? "192.168.100.100" : "2001:db8:1111:2222:3333:4444:5555:6666",
		  entry.internal);
	inet_pton(family, family == AF_INET ? "203.0.113.2" : "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", entry.external);
	inet_pton(family, family == AF_INET ? "198.51.100.1" : "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", entry.remote);
	entry.internal_port = 25000;
	entry.external_port = 65535;
	entry.remote_port = 53;
	entry.expires = 3723;
	entry.sessions = 65535;
	return entry;
}

static void test_mappings(void **state)
{
	struct list list = { .json = true };
	struct entry entry = entry_of(AF_INET);

	(void)state;
	list.to = text_begin();
	list_begin(&list, "mappings");
	list_mapping(&list, &entry);
	list_mapping(&list, &entry);
	list_end(&list, "none");
#define ROW                                                                                                         \
	"{\"interface\":\"wan\",\"family\":\"ipv4\",\"protocol\":\"tcp\",\"internal_address\":\"192.168.100.100\"," \
	"\"internal_port\":25000,\"external_address\":\"203.0.113.2\",\"external_port\":65535,\"expires\":3723,"    \
	"\"sessions\":65535,\"state\":\"live\"}"
	text_is(list.to, "{\"mappings\":[\n" ROW ",\n" ROW "\n]}\n");
	list.to = text_begin();
	list_begin(&list, "mappings");
	list_end(&list, "none");
	text_is(list.to, "{\"mappings\":[\n\n]}\n");
	list.json = false;
	list.to = text_begin();
	list_begin(&list, "mappings");
	list_mapping(&list, &entry);
	entry.external[0]++;
	entry.expires = 62;
	list_mapping(&list, &entry);
	entry.is_static = true;
	entry.state = "static";
	list_mapping(&list, &entry);
	list_end(&list, "none");
	text_is(list.to, "wan, external address 203.0.113.2\n"
			 "PROTO  PORT EXPIRES CONNS STATE  INTERNAL\n"
			 "tcp   65535 1:02:03 65535 live   192.168.100.100:25000\n"
			 "wan, external address 204.0.113.2\n"
			 "PROTO  PORT EXPIRES CONNS STATE  INTERNAL\n"
			 "tcp   65535    1:02 65535 live   192.168.100.100:25000\n"
			 "tcp   65535       - 65535 static 192.168.100.100:25000\n");
	entry.external[0]--;
	list.json = true;
	list.to = text_begin();
	list_begin(&list, "mappings");
	list_mapping(&list, &entry);
	fflush(list.to);
	assert_non_null(strstr(text, ",\"expires\":null,\"sessions\":65535,\"state\":\"static\"}"));
	fclose(list.to);
	free(text);
	list.json = false;
	list.to = text_begin();
	list_begin(&list, "mappings");
	list_end(&list, "none");
	text_is(list.to, "none\n");
}

static void test_sessions(void **state)
{
	struct list list = { .json = true };
	struct entry entry = entry_of(AF_INET);

	(void)state;
	entry.state = "opening";
	list.to = text_begin();
	list_begin(&list, "sessions");
	list_session(&list, &entry);
	list_end(&list, "none");
	text_is(list.to, "{\"sessions\":[\n"
			 "{\"interface\":\"wan\",\"family\":\"ipv4\",\"protocol\":\"tcp\","
			 "\"internal_address\":\"192.168.100.100\",\"internal_port\":25000,"
			 "\"external_address\":\"203.0.113.2\",\"external_port\":65535,"
			 "\"remote_address\":\"198.51.100.1\",\"remote_port\":53,\"state\":\"opening\"}\n]}\n");
	list.json = false;
	list.to = text_begin();
	list_begin(&list, "sessions");
	list_session(&list, &entry);
	text_is(list.to, "wan, external address 203.0.113.2\n"
			 "PROTO  PORT STATE   INTERNAL              REMOTE\n"
			 "tcp   65535 opening 192.168.100.100:25000 198.51.100.1:53\n");
}

/* The longest that there can be of everything. */
static void test_width(void **state)
{
	struct plane_report plane = plane_of(AF_INET6);
	struct report report = { "0.1.0", 93784, 950000, NULL, &plane, 1 };
	struct list list = { .json = false };
	struct entry entry = entry_of(AF_INET6);
	struct host_count host = { .total = 196608, .mappings = { 65536, 65536, 65536 } };
	FILE *to = list.to = text_begin();
	int i, n;

	(void)state;
	plane.interface = "fifteen-letters";
	entry.interface = plane.interface;
	list_begin(&list, "mappings");
	list_mapping(&list, &entry);
	entry.state = "closing";
	list_session(&list, &entry);
	memcpy(host.addr, entry.internal, sizeof(host.addr));
	for (i = 0; i < NAT_PROTOCOLS; i++)
		plane.host_limit[i] = 65535;
	list_host(&list, &plane, &host);
	for (i = 0; i < NAT_DIRECTIONS; i++)
		for (n = 0; n < NAT_REASON_COUNT; n++)
			plane.counters[i][n] = (struct counter){ 999999999999, 999999999999999 };
	report_counters(to, &report, false);
	plane.mappings[0] = plane.used[0] = plane.managed[0] = plane.peak[0] = 65535u * NAT_EXTERNALS_MAX;
	report_status(to, &report, false);
	lines_fit(to);
}

static void test_counters(void **state)
{
	struct plane_report plane = plane_of(AF_INET);
	struct report report = { "0.1.0", 0, 0, NULL, &plane, 1 };
	FILE *to = text_begin();

	(void)state;
	plane.counters[NAT_INGRESS][WHY_NO_MAPPING] = (struct counter){ 12, 12345678 };
	report_counters(to, &report, false);
	text_is(to, "wan, IPv4\n"
		    "DIR HOW       PACKETS   BYTES REASON\n"
		    "in  drop           12   12.3M no mapping for this external port\n");
	to = text_begin();
	report_counters(to, &report, true);
	fflush(to);
	assert_non_null(strstr(text,
			       "{\"interface\":\"wan\",\"family\":\"ipv4\",\"direction\":\"in\",\"verdict\":\"drop\","
			       "\"reason\":\"no_mapping\",\"packets\":12,\"bytes\":12345678,"
			       "\"text\":\"no mapping for this external port\"}"));
	fclose(to);
	free(text);
}

static void test_metrics(void **state)
{
	struct plane_report planes[] = { plane_of(AF_INET), plane_of(AF_INET6) };
	struct report report = { "0.1.0", 5, 7, "a reason", planes, 2 };
	FILE *to = text_begin();

	(void)state;
	planes[0].interface = "a\"b\\";
	planes[1].counters[NAT_INGRESS][WHY_NO_MAPPING] = (struct counter){ 12, 12345678 };
	report_metrics(to, &report);
	fflush(to);
	assert_memory_equal(
		text, "# HELP einat_info Its version.\n# TYPE einat_info gauge\neinat_info{version=\"0.1.0\"} 1\n", 80);
	assert_non_null(strstr(text, "\neinat_failing 1\n"));
	assert_non_null(
		strstr(text, "\neinat_mappings{interface=\"a\\\"b\\\\\",family=\"ipv4\",protocol=\"udp\"} 3\n"));
	assert_non_null(strstr(text, "\n# TYPE einat_bytes_total counter\n"));
	assert_non_null(strstr(text, "\neinat_bytes_total{interface=\"wan\",family=\"ipv6\",direction=\"in\","
				     "verdict=\"drop\",reason=\"no_mapping\"} 12345678\n"));
	fclose(to);
	free(text);
}

static void test_top(void **state)
{
	struct plane_report plane = plane_of(AF_INET);
	struct report report = { "0.1.0", 5, 7, NULL, &plane, 1 };
	struct hosts hosts = { 0 };
	__be32 addr[4] = { htonl(0xc0a80105) };
	FILE *to = text_begin();
	unsigned int rows, i;

	(void)state;
	plane.used[NAT_TCP] = 10000;
	hosts_add(&hosts, 0, addr, NAT_UDP);
	hosts_sort(&hosts);
	report_top(to, &report, &hosts, 24, 40);
	text_is(to, "einat 0.1.0: mappings by host\n"
		    "wan, IPv4: 203.0.113.2\n"
		    "  tcp   10000 of  10000 100% ##########\n"
		    "  udp       4 of  10000   0% #.........\n"
		    "  icmp      0 of  10000   0% ..........\n"
		    "\n"
		    "   PORTS      TCP      UDP     ICMP HOST\n"
		    "       1        0        1        0 192.168.1.5\n");
	for (i = 0; i < 100; i++) {
		addr[0]++;
		hosts_add(&hosts, 0, addr, NAT_UDP);
	}
	hosts_sort(&hosts);
	for (rows = 1; rows < 40; rows++) {
		size_t lines = 0;

		to = text_begin();
		report_top(to, &report, &hosts, rows, 1000);
		fclose(to);
		for (i = 0; text[i]; i++)
			lines += text[i] == '\n';
		assert_true(lines <= rows);
		free(text);
	}
	to = text_begin();
	report_top(to, &report, &hosts, 0, 0);
	lines_fit(to);
	hosts_free(&hosts);
}

static void test_watch(void **state)
{
	struct plane_report plane = plane_of(AF_INET);
	struct entry entry = entry_of(AF_INET);
	FILE *to = text_begin();

	(void)state;
	report_event(to, &entry, "made", false);
	report_drops(to, &plane, NAT_INGRESS, WHY_NO_MAPPING, 7, false);
	report_drops(to, &plane, NAT_EGRESS, WHY_NO_PORT, 7, true);
	text_is(to,
		"wan: mapping made: tcp 192.168.100.100:25000, external port 65535\n"
		"wan: in: 7 dropped: no mapping for this external port\n"
		"{\"interface\":\"wan\",\"family\":\"ipv4\",\"direction\":\"out\",\"reason\":\"no_port\",\"packets\":7,"
		"\"event\":\"dropped\"}\n");
	to = text_begin();
	report_event(to, &entry, "ended", true);
	text_is(to, "{\"interface\":\"wan\",\"family\":\"ipv4\",\"protocol\":\"tcp\","
		    "\"internal_address\":\"192.168.100.100\",\"internal_port\":25000,"
		    "\"external_address\":\"203.0.113.2\",\"external_port\":65535,\"event\":\"ended\"}\n");
}

static void test_reasons(void **state)
{
	char name[REASON_NAME];
	unsigned int i, n;

	(void)state;
	for (i = 0; i < NAT_REASON_COUNT; i++) {
		reason_name(i, name);
		assert_true(strlen(name) > 1 && strlen(name) < REASON_NAME - 1);
		for (n = 0; name[n]; n++)
			assert_true((name[n] >= 'a' && name[n] <= 'z') || name[n] == '_');
	}
	assert_int_equal(reason_verdict(WHY_HAIRPIN), REASON_TURN);
	assert_string_equal(reason_verdict_names[reason_verdict(WHY_OUT)], "translate");
}

/* As many as make the table grow, each with one more mapping than the one before. */
static void test_hosts(void **state)
{
	struct hosts hosts = { 0 };
	__be32 addr[4] = { 0 };
	unsigned int i, n;

	(void)state;
	hosts_sort(&hosts);
	for (i = 0; i < 300; i++)
		for (n = 0; n <= i; n++) {
			addr[0] = htonl(0x0a000000 + i);
			assert_int_equal(hosts_add(&hosts, 0, addr, n % NAT_PROTOCOLS), 0);
		}
	addr[0] = htonl(0x0a000000);
	assert_int_equal(hosts_add(&hosts, 1, addr, NAT_UDP), 0); /* behind another interface */
	hosts_sort(&hosts);
	assert_int_equal(hosts.count, 301);
	for (i = 0; i < 300; i++)
		assert_int_equal(hosts.places[i].total, 300 - i);
	assert_int_equal(hosts.places[0].addr[0], htonl(0x0a000000 + 299));
	assert_int_equal(hosts.places[0].mappings[NAT_UDP], 100);
	assert_int_equal(hosts.places[299].plane, 0);
	assert_int_equal(hosts.places[300].plane, 1);
	assert_int_equal(hosts.places[300].mappings[NAT_UDP], 1);
	hosts_free(&hosts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_string), cmocka_unit_test(test_status),   cmocka_unit_test(test_problems),
		cmocka_unit_test(test_mappings),    cmocka_unit_test(test_sessions), cmocka_unit_test(test_width),
		cmocka_unit_test(test_counters),    cmocka_unit_test(test_watch),    cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_hosts),	    cmocka_unit_test(test_metrics),  cmocka_unit_test(test_top),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
