// SPDX-License-Identifier: GPL-2.0-or-later
/* What a service manager gets to hear, by a path and by an abstract name. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "notify.h"

static int manager;
static char name[64];
static char heard[512];

/* Binds to `name`, where @ stands for the zero byte of an abstract one. */
static void listen_at(const char *format)
{
	struct sockaddr_un here = { .sun_family = AF_UNIX };
	size_t length;

	length = (size_t)snprintf(name, sizeof(name), format, (int)getpid());
	memcpy(here.sun_path, name, length);
	if (name[0] == '@')
		here.sun_path[0] = '\0';
	else
		unlink(name);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(manager >= 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&here,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
}

/* The next datagram; "" if there is none. */
static const char *hear(void)
{
	ssize_t n = recv(manager, heard, sizeof(heard) - 1, 0);

	heard[n > 0 ? n : 0] = '\0';
	return heard;
}

static int stop_listening(void **state)
{
	(void)state;
	notify_close();
	close(manager);
	if (name[0] == '/')
		unlink(name);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static void hears_everything(void)
{
	notify_open();
	notify_status("waiting for wan");
	assert_string_equal(hear(), "STATUS=waiting for wan");
	notify_ready();
	assert_string_equal(hear(), "READY=1");
	notify_reloading();
	assert_memory_equal(hear(), "RELOADING=1\nMONOTONIC_USEC=", strlen("RELOADING=1\nMONOTONIC_USEC="));
	notify_stopping();
	assert_string_equal(hear(), "STOPPING=1");
	assert_string_equal(hear(), "");
}

static void by_a_path(void **state)
{
	(void)state;
	listen_at("/tmp/einat-notify-%d");
	hears_everything();
}

static void by_an_abstract_name(void **state)
{
	(void)state;
	listen_at("@einat-notify-%d");
	hears_everything();
}

static void a_status_is_sent_once(void **state)
{
	(void)state;
	listen_at("@einat-notify-%d");
	notify_open();
	notify_status("one");
	notify_status("one");
	notify_status("two");
	assert_string_equal(hear(), "STATUS=one");
	assert_string_equal(hear(), "STATUS=two");
	assert_string_equal(hear(), "");
}

static void alive_only_if_asked(void **state)
{
	char pid[16];

	(void)state;
	listen_at("@einat-notify-%d");
	notify_open();
	notify_alive();
	assert_string_equal(hear(), "");
	notify_close();
	setenv("WATCHDOG_USEC", "10000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify_open();
	notify_alive();
	assert_string_equal(hear(), "");
	notify_close();
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	notify_open();
	notify_alive();
	assert_string_equal(hear(), "WATCHDOG=1");
}

static void nobody_listens(void **state)
{
	int i;

	(void)state;
	listen_at("@einat-notify-%d");
	close(manager);
	notify_open();
	notify_ready();
	notify_close();
	unsetenv("NOTIFY_SOCKET");
	notify_open();
	notify_ready();
	notify_close();
	listen_at("@einat-notify-%d");
	notify_open();
	for (i = 0; i < 100000; i++) /* more than the socket holds: it must not wait */
		notify_ready();
	assert_string_equal(hear(), "READY=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(by_a_path, stop_listening),
		cmocka_unit_test_teardown(by_an_abstract_name, stop_listening),
		cmocka_unit_test_teardown(a_status_is_sent_once, stop_listening),
		cmocka_unit_test_teardown(alive_only_if_asked, stop_listening),
		cmocka_unit_test_teardown(nobody_listens, stop_listening),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
