/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For the tests that feed random input: EINAT_FUZZ_SEED (1) says which, EINAT_FUZZ_SECONDS (2) for how long. The same seed
 * means the same everywhere.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static uint64_t random_state;

static inline uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % limit;
}

static inline long random_variable(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 10) : otherwise;
}

/* Begins, and says when to end. */
static inline time_t random_begin(void)
{
	random_state = (uint64_t)random_variable("EINAT_FUZZ_SEED", 1) * 0x9e3779b97f4a7c15u + 1;
	return time(NULL) + random_variable("EINAT_FUZZ_SECONDS", 2);
}

#endif
