// SPDX-License-Identifier: GPL-2.0-or-later
/* What the daemon says, one line an event, each in a single write so that lines never mix. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static void log_line(const char *level, const char *format, va_list args)
{
	char line[512];
	size_t used;
	int n;

	used = (size_t)snprintf(line, sizeof(line), "einat: %s", level);
	n = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
	if (n > 0)
		used += (size_t)n;
	if (used > sizeof(line) - 2)
		used = sizeof(line) - 2;
	line[used++] = '\n';
	while (write(STDERR_FILENO, line, used) < 0 && errno == EINTR)
		;
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line("", format, args);
	va_end(args);
}

void log_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line("warning: ", format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line("", format, args);
	va_end(args);
}
