// SPDX-License-Identifier: GPL-2.0-or-later
/* How long it takes from nothing to a data plane that could be attached: probing, loading, verifying, filling the maps. */
#include "bench.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "plane.h"
#include "report.h"

#define TIMES 25

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* ms, or a negative number if that failed. */
static double open_timed(const int families[2])
{
	struct plane planes[2] = { { 0 }, { 0 } };
	double start = now_ms(), end;
	bool failed = false;

	for (int i = 0; i < 2 && families[i]; i++)
		failed |= plane_open(&planes[i], families[i], plane_default_ports) != 0;
	end = now_ms();
	for (int i = 0; i < 2; i++)
		plane_close(&planes[i]);
	return failed ? -1 : end - start;
}

static void instructions_report(int family)
{
	struct bpf_prog_info info[NAT_DIRECTIONS] = { { 0 } };
	struct plane plane;

	if (plane_open(&plane, family, plane_default_ports)) {
		report_missing("instructions", "load the programs");
		return;
	}
	for (int i = 0; i < NAT_DIRECTIONS; i++) {
		__u32 size = sizeof(info[i]);

		bpf_obj_get_info_by_fd(datapath_program_fd(plane.dp, i), &info[i], &size);
	}
	report_single(family == AF_INET6 ? "IPv6: verified instructions" : "IPv4: verified instructions", "",
		      info[NAT_EGRESS].verified_insns + info[NAT_INGRESS].verified_insns,
		      (struct target){ NO_TARGET, 0 },
		      (struct beside[]){ { "out", info[NAT_EGRESS].verified_insns },
					 { "in", info[NAT_INGRESS].verified_insns },
					 { "out: instructions", info[NAT_EGRESS].xlated_prog_len / 8. },
					 { "in: instructions", info[NAT_INGRESS].xlated_prog_len / 8. },
					 { "out: bytes of machine code", info[NAT_EGRESS].jited_prog_len },
					 { "in: bytes of machine code", info[NAT_INGRESS].jited_prog_len } });
	plane_close(&plane);
}

void bench_loading(const struct bench *bench)
{
	static const struct {
		const char *what;
		int families[2];
		struct target target;
	} cases[] = { { "IPv4", { AF_INET, 0 }, { AT_MOST, 15 } },
		      { "IPv4 and IPv6", { AF_INET, AF_INET6 }, { AT_MOST, 30 } } };
	struct samples times[2] = { { 0 }, { 0 } };

	(void)bench;
	report_area("Load and verify", "");
	for (int i = 0; i < 2 * TIMES; i++) {
		double ms = open_timed(cases[i % 2].families);

		if (ms < 0) {
			report_missing(cases[i % 2].what, "load the programs");
			return;
		}
		samples_add(&times[i % 2], ms);
	}
	for (int i = 0; i < 2; i++) {
		report_row(cases[i].what, "ms", &times[i], cases[i].target, NULL);
		samples_free(&times[i]);
	}
	instructions_report(AF_INET);
	instructions_report(AF_INET6);
}
