// SPDX-License-Identifier: GPL-2.0-or-later
/* config_change: what may be another while packets flow, and what is said of the rest. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "config_change.h"
#include "config_file.h"

#define WAN "[[interfaces]]\nif_name = \"wan\"\nnat44 = true\n"

#define HEIR ""

#define FORWARD "forwards = [{ protocol = \"tcp\", external_port = 80, internal_address = \"10.0.0.1\""

static void read_good(struct config *config, const char *text)
{
	char error[512];

	if (config_file_parse(config, "f", text, strlen(text), error, sizeof(error)))
		fail_msg("%s", error);
}

static void test_changes(void **state)
{
	static const struct {
		const char *before, *after, *key; /* NULL: it may; HEIR: with an heir */
	} cases[] = {
		{ WAN, WAN, NULL },
		{ WAN, WAN "tcp_ranges = [\"20000-25000\", \"25001-29999\"] # the same", NULL },
		{ WAN, WAN "take_over_masquerade = true", NULL },
		{ WAN, WAN "timeout_udp_min = \"3m\"\ntimeout_fragment = \"1s\"", NULL },
		{ WAN, WAN "ipv4_hairpin_route.internal_if_names = [\"lo\", \"lan\"]", NULL },
		{ WAN "ipv4_hairpin_route.internal_if_names = [\"lo\", \"lan\"]", WAN, NULL },
		{ WAN, WAN "ipv6_hairpin_route.table_id = 99\nipv4_hairpin_route.ip_rule_pref = 7", NULL },
		{ WAN, WAN "[defaults]\nipv4_local_rule_pref = 250", NULL },
		{ WAN, WAN "nat66 = true", "[[interfaces]] \"wan\": nat66" },
		{ WAN, WAN "persist = true", "[[interfaces]] \"wan\": persist" },
		{ WAN, WAN "prefer_tcx = false", "[[interfaces]] \"wan\": prefer_tcx" },
		{ WAN, WAN "[[interfaces]]\nif_name = \"wan2\"", "[[interfaces]]" },
		{ WAN, "[[interfaces]]\nif_name = \"wan2\"", "[[interfaces]]" },
		{ WAN "[[interfaces]]\nif_name = \"wan2\"\n", WAN "[[interfaces]]\nif_name = \"wan2\"\nnat66 = true",
		  "[[interfaces]] \"wan2\": nat66" },
		{ WAN, WAN "tcp_ranges = []", HEIR },
		{ WAN, WAN "bpf_log_level = 1", HEIR },
		{ WAN, WAN "host_limit_udp = 5", HEIR },
		{ WAN, WAN "pooling = \"paired\"\ntimeout_fragment = 1", HEIR },
		{ WAN, WAN "no_snat_dests = [\"192.0.2.0/24\"]", HEIR },
		{ WAN, WAN "designated_server.if_name = \"dmz\"", HEIR },
		{ WAN "designated_server.if_name = \"dmz\"", WAN, HEIR },
		{ WAN, WAN "externals = [{ address = \"192.0.2.1\" }]", HEIR },
		{ WAN, WAN FORWARD "}]", HEIR },
		{ WAN FORWARD "}]", WAN, HEIR },
		{ WAN FORWARD "}]", WAN FORWARD ", remotes = [\"192.0.2.0/24\"] }]", HEIR },
		{ WAN FORWARD "}]", WAN FORWARD ", internal_port = 80 }]", NULL },
		{ WAN "externals = [{ address = \"192.0.2.1\" }]", WAN, HEIR },
		{ WAN "externals = [{ address = \"192.0.2.1\" }]", WAN "externals = [{ address = \"192.0.2.2\" }]",
		  HEIR },
		{ WAN "externals = [{ address = \"192.0.2.1\" }]",
		  WAN "externals = [{ address = \"192.0.2.1\", tcp_ranges = [] }]", HEIR },
	};
	struct config before, after;
	char text[96];
	bool is_refused;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# %zu\n", i);
		read_good(&before, cases[i].before);
		read_good(&after, cases[i].after);
		is_refused = cases[i].key && *cases[i].key;
		assert_int_equal(config_change_check(&before, &after, text, sizeof(text)), is_refused ? -EINVAL : 0);
		if (is_refused)
			assert_string_equal(text, cases[i].key);
		else
			assert_int_equal(config_change_needs_heir(before.interfaces, after.interfaces), !!cases[i].key);
		config_free(&before);
		config_free(&after);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_changes) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("config_change", tests, NULL, NULL);
}
