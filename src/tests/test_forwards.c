// SPDX-License-Identifier: GPL-2.0-or-later
/* forwards: static mappings that are added and ended at run time, and what of them a reload leaves. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config_file.h"
#include "forwards.h"

#define WAN "[[interfaces]]\nif_name = \"wan\"\nnat44 = true\n"

static char said[512];
static unsigned int said_count;

static void say(const char *line)
{
	snprintf(said, sizeof(said), "%s", line);
	said_count++;
}

static void read_good(struct config *config, const char *text)
{
	char error[512];

	if (config_file_parse(config, "f", text, strlen(text), error, sizeof(error)))
		fail_msg("%s", error);
}

static struct forward forward_of(const char *text)
{
	struct forward forward;
	const char *why;

	assert_int_equal(forward_parse(&forward, text, &why), 0);
	return forward;
}

typedef int change_list(const struct interface_config *interface, const struct forward *forward, const char *file,
			struct forwards *forwards, char *error, size_t size);

/* Does it, or is refused with this error. */
static void changes(struct config *config, change_list *change, const char *text, const char *wanted)
{
	const size_t before = config->interfaces->forwards_count;
	struct forward forward = forward_of(text);
	struct forwards forwards;
	char error[512];

	if (wanted) {
		assert_int_equal(change(config->interfaces, &forward, "f", &forwards, error, sizeof(error)), -EINVAL);
		assert_string_equal(error, wanted);
		assert_int_equal(config->interfaces->forwards_count, before);
		return;
	}
	assert_int_equal(change(config->interfaces, &forward, "f", &forwards, error, sizeof(error)), 0);
	forwards_swap(config->interfaces, &forwards);
	assert_int_equal(forwards.count, before);
	free(forwards.list);
}

static void test_change(void **state)
{
	struct config config;

	(void)state;
	read_good(&config, WAN "forwards = [\"tcp:80=10.0.0.1\"]");
	changes(&config, forwards_with, "tcp:81=10.0.0.1", NULL);
	changes(&config, forwards_with, "udp:90-99=10.0.0.1", NULL);
	changes(&config, forwards_with, "tcp:80=10.0.0.2",
		"tcp:80=10.0.0.2:80: its external port tcp 80 is that of tcp:80=10.0.0.1:80 (f:4), too");
	changes(&config, forwards_with, "tcp,udp:79-85=10.0.0.2",
		"tcp,udp:79-85=10.0.0.2:79: its external port tcp 80 is that of tcp:80=10.0.0.1:80 (f:4), too");
	changes(&config, forwards_with, "udp:7=10.0.0.1:95",
		"udp:7=10.0.0.1:95: its internal endpoint udp 10.0.0.1:95 is that of udp:90-99=10.0.0.1:90 (run time), "
		"too");
	changes(&config, forwards_with, "tcp:81=10.0.0.1", "tcp:81=10.0.0.1:81 (run time) is there already");
	changes(&config, forwards_with, "tcp:80=[fd00::1]",
		"tcp:80=[fd00::1]:80: an IPv6 address, but nat66 is not on");
	changes(&config, forwards_without, "tcp:80=10.0.0.1",
		"tcp:80=10.0.0.1:80 (f:4): was not added at run time: take it out there, then einat reload");
	changes(&config, forwards_without, "tcp:81=10.0.0.2", "tcp:81=10.0.0.2:81: there is no such static mapping");
	changes(&config, forwards_without, "tcp:81=10.0.0.1:81", NULL);
	changes(&config, forwards_without, "tcp:81=10.0.0.1", "tcp:81=10.0.0.1:81: there is no such static mapping");
	assert_int_equal(config.interfaces->forwards_count, 2);
	assert_int_equal(config.interfaces->forwards[1].external.first, 90);
	config.interfaces->forwards[0].line = 0;
	changes(&config, forwards_without, "tcp:80=10.0.0.1",
		"tcp:80=10.0.0.1:80 (command line): was not added at run time: ends with the daemon");
	config_free(&config);
}

static void test_bounded(void **state)
{
	struct config config;
	char text[64];
	int i;

	(void)state;
	read_good(&config, WAN);
	for (i = 1; i <= FORWARDS_MAX; i++) {
		snprintf(text, sizeof(text), "udp:%d=10.0.0.1", i);
		changes(&config, forwards_with, text, NULL);
	}
	changes(&config, forwards_with, "tcp:1=10.0.0.1", "tcp:1=10.0.0.1:1: there are 1024 already");
	config_free(&config);
}

static void test_configured(void **state)
{
	struct forwards forwards;
	struct config config;

	(void)state;
	read_good(&config, WAN "forwards = [\"tcp:80=10.0.0.1\", \"tcp:81=10.0.0.1\"]");
	changes(&config, forwards_with, "tcp:82=10.0.0.1", NULL);
	assert_int_equal(forwards_configured(config.interfaces, &forwards), 0);
	forwards_swap(config.interfaces, &forwards);
	free(forwards.list);
	assert_int_equal(config.interfaces->forwards_count, 2);
	assert_false(config.interfaces->forwards[1].is_added);
	config_free(&config);
}

/* A reload: what was added stays, where the file does not say otherwise. */
static void test_keep(void **state)
{
	static const struct {
		const char *file, *said; /* NULL: nothing */
		size_t count;
	} cases[] = {
		{ WAN, NULL, 2 },
		{ WAN "forwards = [\"tcp:70=10.0.0.1\"]", NULL, 3 },
		{ WAN "forwards = [\"tcp:81=10.0.0.1\"]", NULL, 2 }, /* the same: the file's from now on */
		{ WAN "forwards = [\"tcp:81=10.0.0.9\"]",
		  "wan: forward tcp:81=10.0.0.1:81: its external port tcp 81 is that of tcp:81=10.0.0.9:81 (f:4), too: "
		  "added at run time, is dropped",
		  2 },
		{ WAN "forwards = [{ protocol = \"tcp\", external_port = 81, internal_address = \"10.0.0.1\", "
		      "remotes = [\"192.0.2.0/24\"] }]",
		  "wan: forward tcp:81=10.0.0.1:81 (f:4) is there already: added at run time, is dropped", 2 },
	};
	struct config before, after;
	size_t i;

	(void)state;
	read_good(&before, WAN "forwards = [\"tcp:80=10.0.0.1\"]");
	changes(&before, forwards_with, "tcp:81=10.0.0.1", NULL);
	changes(&before, forwards_with, "tcp:82=10.0.0.1", NULL);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# %zu\n", i);
		read_good(&after, cases[i].file);
		said_count = 0;
		assert_int_equal(forwards_keep(after.interfaces, before.interfaces, "f", say), 0);
		assert_int_equal(said_count, !!cases[i].said);
		if (cases[i].said)
			assert_string_equal(said, cases[i].said);
		assert_int_equal(after.interfaces->forwards_count, cases[i].count);
		config_free(&after);
	}
	config_free(&before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_configured),
		cmocka_unit_test(test_keep),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("forwards", tests, NULL, NULL);
}
