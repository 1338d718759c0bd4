// SPDX-License-Identifier: GPL-2.0-or-later
/* log: what is said never waits for its reader, and what is lost is counted. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

#include "log.h"

enum { LINES = 3000, SECONDS = 20 };

static const char text[] = "wan: out: dropped: no free external port: udp 192.168.1.100:25000 to 198.51.100.1:53";

struct reader {
	int fd;
	char line[512];
	size_t size;
	unsigned long seen, lost;
};

static void line_read(struct reader *reader)
{
	unsigned long lost;

	if (sscanf(reader->line, "einat: warning: %lu lines were not written: the reader was too slow", &lost) == 1) {
		reader->lost += lost;
		return;
	}
	assert_memory_equal(reader->line, "einat: wan: out: ", 17);
	reader->seen++;
}

/* Takes what waits. */
static void drain(struct reader *reader)
{
	struct pollfd ready = { .fd = reader->fd, .events = POLLIN };
	char bytes[4096];
	ssize_t n;

	while (poll(&ready, 1, 10) == 1 && (n = read(reader->fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			reader->line[reader->size++] = bytes[i];
			assert_true(reader->size < sizeof(reader->line));
			if (bytes[i] != '\n')
				continue;
			reader->line[reader->size] = '\0';
			line_read(reader);
			reader->size = 0;
		}
	}
}

/* Says more than there is room for between `writer` and `reader`, then reads: nothing is missing that was not counted. */
static void overflow(int writer, int reader_fd)
{
	struct reader reader = { .fd = reader_fd };
	int kept = dup(STDERR_FILENO), flags = fcntl(writer, F_GETFL);
	unsigned long said = LINES;

	dup2(writer, STDERR_FILENO);
	log_open();
	alarm(SECONDS);
	for (int i = 0; i < LINES; i++)
		log_info("%s", text);
	assert_int_equal(fcntl(writer, F_GETFL), flags);
	while (!reader.lost || reader.seen + reader.lost != said) {
		drain(&reader);
		log_info("%s", text);
		said++;
		drain(&reader);
	}
	alarm(0);
	dup2(kept, STDERR_FILENO);
	close(kept);
	assert_true(reader.seen > 100);
	assert_true(reader.lost > 100);
}

static void test_pipe(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	overflow(fds[1], fds[0]);
}

static void test_socket(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	overflow(fds[1], fds[0]);
}

static void test_terminal(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), slave;
	struct termios settings;

	(void)state;
	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(tcgetattr(slave, &settings), 0);
	cfmakeraw(&settings); /* a line ends as it was written */
	assert_int_equal(tcsetattr(slave, TCSANOW, &settings), 0);
	overflow(slave, master);
}

/* Nothing that a terminal would obey is written, and a line has one end. */
static void test_escape(void **state)
{
	static const char expected[] = "einat: \"a\\x1b[31m\\x0a\\x7f\xc3\xa9\xc2\\x9b\"\n";
	int fds[2], kept = dup(STDERR_FILENO);
	char line[600];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	log_open();
	log_error("\"%s\"", "a\033[31m\n\177\xc3\xa9\xc2\x9b");
	n = read(fds[0], line, sizeof(line));
	assert_int_equal(n, strlen(expected));
	assert_memory_equal(line, expected, strlen(expected));
	memset(line, '\033', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	log_error("%s", line);
	dup2(kept, STDERR_FILENO);
	close(kept);
	n = read(fds[0], line, sizeof(line));
	assert_in_range(n, 500, 512);
	assert_memory_equal(line + n - 5, "\\x1b\n", 5);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_escape),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
