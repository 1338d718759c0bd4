// SPDX-License-Identifier: GPL-2.0-or-later
/* See reason.h. */
#include "reason.h"

#include <ctype.h>
#include <stddef.h>

const char *const reason_verdict_names[REASON_VERDICTS] = { "pass", "translate", "turn", "drop" };

static const struct {
	const char *name, *text;
	enum reason_verdict verdict;
} reasons[] = {
#define X(name, verdict, text) [WHY_##name] = { #name, text, REASON_##verdict },
	NAT_REASONS(X)
#undef X
};

enum reason_verdict reason_verdict(unsigned int reason)
{
	return reasons[reason].verdict;
}

void reason_name(unsigned int reason, char name[REASON_NAME])
{
	const char *from = reasons[reason].name;
	size_t i;

	for (i = 0; from[i] && i < REASON_NAME - 1; i++)
		name[i] = (char)tolower((unsigned char)from[i]);
	name[i] = '\0';
}

const char *reason_text(unsigned int reason)
{
	return reasons[reason].text;
}
