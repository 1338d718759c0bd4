/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points in time that nothing waits beyond, on the monotonic clock, in
 * milliseconds.
 */
#ifndef PEERS_DEADLINE_H
#define PEERS_DEADLINE_H

#include <stdint.h>
#include <time.h>

static inline int64_t deadline_after(int ms)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + ms;
}

/* What is left of it, as poll() wants it: 0 once it has passed. */
static inline int deadline_left_ms(int64_t deadline)
{
	int64_t left = deadline - deadline_after(0);

	return left > 0 ? (int)left : 0;
}

static inline int64_t deadline_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

#endif
