/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a service manager wants to hear: sd_notify(3), on the socket that NOTIFY_SOCKET names, absolute path or
 * @abstract. Without the variable nothing happens.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

void notify_open(void);
void notify_close(void);

/* READY=1, for the first time or after a reload. */
void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

/* One line on how things are; sent if it is another than before. */
void notify_status(const char *text);

/* "I am alive", if WATCHDOG_USEC asks for it. To be called once a second. */
void notify_alive(void);

#endif
