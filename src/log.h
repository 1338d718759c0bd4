/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line an event, on standard error, "einat: wan: attach egress: Operation not permitted", or to syslog. Never waits for its
 * reader.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

/* Once standard error is what it is going to be. Without it lines are written all the same, but may wait. */
void log_open(void);

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO };

/*
 * From now on lines go to syslog, by datagrams to this socket, and to standard error only those that it does not take; socket
 * NULL: to standard error alone. Those above the level go nowhere. `both`: to standard error as well.
 */
void log_configure(const char *socket, enum log_level level, bool both);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What somebody wants to know whatever the level. */
void log_record(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Who hears every warning from now on, too, as it is written but for what is in front of it; NULL: nobody. */
void log_hear(void (*hear)(const char *line, void *arg), void *arg);

/* What log_error() has said last, without the program's name. */
const char *log_last_error(void);

/* Says how many lines were lost, if that can be said by now. */
void log_close(void);

#endif
