// SPDX-License-Identifier: GPL-2.0-or-later
/* Durations: a number and a unit. */
#include "duration.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 }, /* U+00B5, the micro sign */
	{ "\xce\xbcs", 1000 }, /* U+03BC, the Greek letter, which looks the same */
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "", 1000000000 },
	{ "m", 60 * 1000000000ULL },
	{ "h", 3600 * 1000000000ULL },
	{ "d", 86400 * 1000000000ULL },
	{ "w", 7 * 86400 * 1000000000ULL },
};

#define DURATION_NS_MAX (DURATION_WEEKS_MAX * 7 * 86400 * 1000000000ULL)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int duration_parse(const char *text, uint64_t *ms, const char **why)
{
	uint64_t whole = 0, ns;
	double fraction = 0, weight = 0.1;
	size_t i;

	*why = "not a time such as \"2s\" or \"5m\"";
	if (!is_digit(*text))
		return -EINVAL;
	for (; is_digit(*text); text++)
		if (whole <= DURATION_NS_MAX)
			whole = whole * 10 + (uint64_t)(*text - '0');
	if (*text == '.') {
		if (!is_digit(*++text))
			return -EINVAL;
		for (; is_digit(*text); text++, weight /= 10)
			fraction += weight * (*text - '0');
	}
	for (i = 0; i < sizeof(units) / sizeof(*units) && strcmp(units[i].name, text) != 0; i++)
		;
	if (i == sizeof(units) / sizeof(*units))
		return -EINVAL;
	if (__builtin_mul_overflow(whole, units[i].ns, &ns) || ns > DURATION_NS_MAX) {
		*why = "more than 52 weeks";
		return -EINVAL;
	}
	ns += (uint64_t)(fraction * (double)units[i].ns + 0.5);
	if (ns > DURATION_NS_MAX) {
		*why = "more than 52 weeks";
		return -EINVAL;
	}
	*ms = (ns + 999999) / 1000000;
	if (!*ms) {
		*why = "must be above zero";
		return -EINVAL;
	}
	return 0;
}

void duration_format(uint64_t ms, char *text, size_t size)
{
	if (ms % 1000)
		snprintf(text, size, "%" PRIu64 "ms", ms);
	else
		snprintf(text, size, "%" PRIu64 "s", ms / 1000);
}
