/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line an event, on standard error: "einat: wan: attach egress: Operation not permitted". Never waits for its reader. */
#ifndef LOG_H
#define LOG_H

/* Once standard error is what it is going to be. Without it lines are written all the same, but may wait. */
void log_open(void);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Who hears every warning from now on, too, as it is written but for what is in front of it; NULL: nobody. */
void log_hear(void (*hear)(const char *line, void *arg), void *arg);

/* What log_error() has said last, without the program's name. */
const char *log_last_error(void);

/* Says how many lines were lost, if that can be said by now. */
void log_close(void);

#endif
