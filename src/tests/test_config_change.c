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

static void read_good(struct config *config, const char *text)
{
	char error[512];

	if (config_file_parse(config, "f", text, strlen(text), error, sizeof(error)))
		fail_msg("%s", error);
}

static void test_changes(void **state)
{
	static const struct {
		const char *before, *after, *key; /* NULL: it may */
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
		{ WAN, WAN "tcp_ranges = []", "[[interfaces]] \"wan\": tcp_ranges" },
		{ WAN, WAN "bpf_log_level = 1", "[[interfaces]] \"wan\": bpf_log_level" },
		{ WAN, WAN "host_limit_udp = 5", "[[interfaces]] \"wan\": host_limit_udp" },
		{ WAN, WAN "pooling = \"paired\"\ntimeout_fragment = 1", "[[interfaces]] \"wan\": pooling" },
		{ WAN, WAN "no_snat_dests = [\"192.0.2.0/24\"]", "[[interfaces]] \"wan\": no_snat_dests" },
		{ WAN, WAN "externals = [{ address = \"192.0.2.1\" }]", "[[interfaces]] \"wan\": externals" },
		{ WAN "externals = [{ address = \"192.0.2.1\" }]", WAN, "[[interfaces]] \"wan\": externals" },
		{ WAN "externals = [{ address = \"192.0.2.1\" }]", WAN "externals = [{ address = \"192.0.2.2\" }]",
		  "[[interfaces]] \"wan\": address" },
		{ WAN "externals = [{ address = \"192.0.2.1\" }]",
		  WAN "externals = [{ address = \"192.0.2.1\", tcp_ranges = [] }]",
		  "[[interfaces]] \"wan\": tcp_ranges" },
		{ WAN, WAN "[[interfaces]]\nif_name = \"wan2\"", "[[interfaces]]" },
		{ WAN, "[[interfaces]]\nif_name = \"wan2\"", "[[interfaces]]" },
		{ WAN "[[interfaces]]\nif_name = \"wan2\"\n", WAN "[[interfaces]]\nif_name = \"wan2\"\nnat66 = true",
		  "[[interfaces]] \"wan2\": nat66" },
	};
	struct config before, after;
	char text[96];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# %zu\n", i);
		read_good(&before, cases[i].before);
		read_good(&after, cases[i].after);
		assert_int_equal(config_change_check(&before, &after, text, sizeof(text)), cases[i].key ? -EINVAL : 0);
		if (cases[i].key)
			assert_string_equal(text, cases[i].key);
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
