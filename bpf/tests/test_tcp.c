// SPDX-License-Identifier: GPL-2.0-or-later
/* TCP: which segments make a mapping, how long it lasts, and what the router knows of its connections. */
#include "steps.h"

/* Both sides of a connection from A's 25000 to S's 80. */
#define A_SENDS(sentence, flags, why)                                                               \
	{                                                                                           \
		sentence, LAN, TCP(flags, A, 25000, S, 80), WAN, TCP(flags, EXT, 25000, S, 80), why \
	}
#define S_SENDS(sentence, flags)                                                                       \
	{                                                                                              \
		sentence, WAN, TCP(flags, S, 80, EXT, 25000), LAN, TCP(flags, S, 80, A, 25000), WHY_IN \
	}
#define LASTS(sentence, count, minutes)                                                                       \
	{                                                                                                     \
		sentence, MAPPED(NAT_TCP, 25000, A, 25000, .sessions = (count), .lasts_ms = MINUTES(minutes)) \
	}

#define OPENED                                                                    \
	A_SENDS("A connects", SYN, WHY_OUT_NEW), S_SENDS("S accepts", SYN | ACK), \
		A_SENDS("A acknowledges", ACK, WHY_OUT)

static const struct step only_syn_makes[] = {
	{ "an ACK does not", LAN, TCP(ACK, A, 25000, S, 80), DROPPED, WHY_TCP_NO_MAPPING },
	{ "SYN|ACK does not", LAN, TCP(SYN | ACK, A, 25000, S, 80), DROPPED, WHY_TCP_NO_MAPPING },
	{ "FIN does not", LAN, TCP(FIN | ACK, A, 25000, S, 80), DROPPED, WHY_TCP_NO_MAPPING },
	{ "RST does not", LAN, TCP(RST, A, 25000, S, 80), DROPPED, WHY_TCP_NO_MAPPING },
	{ "SYN|FIN does not", LAN, TCP(SYN | FIN, A, 25000, S, 80), DROPPED, WHY_TCP_NO_MAPPING },
	{ "SYN|RST does not", LAN, TCP(SYN | RST, A, 25000, S, 80), DROPPED, WHY_TCP_NO_MAPPING },
	{ "no flags do not", LAN, TCP(0, A, 25000, S, 80), DROPPED, WHY_TCP_NO_MAPPING },
	{ "nothing was made", UNMAPPED(NAT_TCP, 25000) },
	{ "a SYN from outside does not", WAN, TCP(SYN, S, 80, EXT, 25000), DROPPED, WHY_NO_MAPPING },
	{ "nothing was made", UNMAPPED(NAT_TCP, 25000) },
	{ "a SYN with ECN's flags does", LAN, TCP(SYN | 0xc0, A, 25000, S, 80), WAN, TCP(SYN | 0xc0, EXT, 25000, S, 80),
	  WHY_OUT_NEW },
	{ "a SYN with data does", LAN, TCP(SYN, A, 25002, S, 80, .payload = 7), WAN,
	  TCP(SYN, EXT, 25002, S, 80, .payload = 7), WHY_OUT_NEW },
};

static const struct step established[] = {
	A_SENDS("A connects", SYN, WHY_OUT_NEW),
	LASTS("transitory: four minutes", 0, 4),
	S_SENDS("S accepts", SYN | ACK),
	LASTS("established: two hours and four minutes", 1, 124),
	A_SENDS("A acknowledges", ACK, WHY_OUT),
	{ "two hours pass", LATER(MINUTES(120)) },
	S_SENDS("keep-alive from S", ACK),
	LASTS("refreshed by either side", 1, 124),
	{ "two hours pass", LATER(MINUTES(120)) },
	A_SENDS("keep-alive from A", ACK, WHY_OUT),
	LASTS("refreshed", 1, 124),
	{ "two hours and four minutes pass", OVER(MINUTES(124)) },
	{ "it has ended", WAN, TCP(ACK, S, 80, EXT, 25000), DROPPED, WHY_NO_MAPPING },
	{ "for A too", LAN, TCP(ACK, A, 25000, S, 80), DROPPED, WHY_TCP_NO_MAPPING },
};

/* One packet in two hours of whoever likes to would keep a port open for ever. */
static const struct step strangers_do_not_keep_it[] = {
	OPENED,
	{ "an hour passes", LATER(MINUTES(60)) },
	{ "a stranger's ACK", WAN, TCP(ACK, Z, 9, EXT, 25000), LAN, TCP(ACK, Z, 9, A, 25000), WHY_IN },
	{ "a stranger's SYN", WAN, TCP(SYN, Z, 9, EXT, 25000), LAN, TCP(SYN, Z, 9, A, 25000), WHY_IN },
	{ "once more", WAN, TCP(SYN, Z, 9, EXT, 25000), LAN, TCP(SYN, Z, 9, A, 25000), WHY_IN },
	{ "S's other port", WAN, TCP(ACK, S, 81, EXT, 25000), LAN, TCP(ACK, S, 81, A, 25000), WHY_IN },
	LASTS("an hour is gone", 1, 64),
	S_SENDS("S itself", ACK),
	LASTS("does", 1, 124),
};

/* Of a session to T the entry was lost, between its SYN and what answers it. */
static const struct step entry_lost[] = {
	A_SENDS("A connects", SYN, WHY_OUT_NEW),
	{ "T accepts", WAN, TCP(SYN | ACK, T, 80, EXT, 25000), LAN, TCP(SYN | ACK, T, 80, A, 25000), WHY_IN },
	LASTS("transitory", 0, 4),
	{ "A acknowledges", LAN, TCP(ACK, A, 25000, T, 80), WAN, TCP(ACK, EXT, 25000, T, 80), WHY_OUT },
	LASTS("established all the same", 1, 124),
};

static const struct step transitory[] = {
	A_SENDS("A connects", SYN, WHY_OUT_NEW),
	{ "three minutes pass", LATER(MINUTES(3)) },
	A_SENDS("A tries again", SYN, WHY_OUT),
	LASTS("four minutes from then", 0, 4),
	{ "three minutes pass", LATER(MINUTES(3)) },
	{ "outsiders do not keep it", WAN, TCP(ACK, Z, 9, EXT, 25000), LAN, TCP(ACK, Z, 9, A, 25000), WHY_IN },
	LASTS("one minute left", 0, 1),
	{ "it passes", OVER(MINUTES(1)) },
	{ "it has ended", WAN, TCP(SYN | ACK, S, 80, EXT, 25000), DROPPED, WHY_NO_MAPPING },
};

static const struct step closed_by_both[] = {
	OPENED,
	A_SENDS("A is done", FIN | ACK, WHY_OUT),
	LASTS("S may still send", 1, 124),
	S_SENDS("S sends", PSH | ACK),
	S_SENDS("S is done", FIN | ACK),
	LASTS("transitory now", 0, 4),
	A_SENDS("the last ACK passes", ACK, WHY_OUT),
	LASTS("still transitory", 0, 4),
	{ "four minutes pass", OVER(MINUTES(4)) },
	{ "it has ended", WAN, TCP(ACK, S, 80, EXT, 25000), DROPPED, WHY_NO_MAPPING },
};

static const struct step closed_from_outside_first[] = {
	OPENED,
	S_SENDS("S is done", FIN | ACK),
	S_SENDS("S says it again", FIN | ACK),
	LASTS("A may still send", 1, 124),
	A_SENDS("A is done", FIN | ACK, WHY_OUT),
	LASTS("transitory now", 0, 4),
};

/* RFC 7857 section 2.2: a RST may be forged, so the mapping lives on for four minutes. */
static const struct step reset_from_outside[] = {
	OPENED,
	S_SENDS("S resets", RST),
	LASTS("transitory, not ended", 0, 4),
	S_SENDS("another RST", RST | ACK),
	LASTS("still", 0, 4),
	{ "four minutes pass", OVER(MINUTES(4)) },
	{ "it has ended", WAN, TCP(ACK, S, 80, EXT, 25000), DROPPED, WHY_NO_MAPPING },
};

static const struct step reset_from_inside[] = {
	OPENED,
	A_SENDS("A resets", RST | ACK, WHY_OUT),
	LASTS("transitory", 0, 4),
};

static const struct step data_after_reset[] = {
	OPENED,
	S_SENDS("a forged RST", RST),
	LASTS("transitory", 0, 4),
	{ "a minute passes", LATER(MINUTES(1)) },
	A_SENDS("A sends on", PSH | ACK, WHY_OUT),
	LASTS("established again", 1, 124),
	S_SENDS("a forged RST", RST),
	S_SENDS("S sends on", PSH | ACK),
	LASTS("established again", 1, 124),
};

static const struct step syn_retransmitted[] = {
	A_SENDS("A connects", SYN, WHY_OUT_NEW), A_SENDS("A tries again", SYN, WHY_OUT),
	S_SENDS("S accepts", SYN | ACK),	 S_SENDS("S accepts again", SYN | ACK),
	A_SENDS("A acknowledges", ACK, WHY_OUT), LASTS("one session", 1, 124),
};

static const struct step port_used_again[] = {
	OPENED,
	A_SENDS("A resets", RST | ACK, WHY_OUT),
	LASTS("transitory", 0, 4),
	A_SENDS("A connects again", SYN, WHY_OUT),
	LASTS("transitory", 0, 4),
	S_SENDS("S accepts", SYN | ACK),
	LASTS("established", 1, 124),
	A_SENDS("A is done", FIN | ACK, WHY_OUT),
	S_SENDS("S is done", FIN | ACK),
	LASTS("transitory", 0, 4),
	A_SENDS("A connects again", SYN, WHY_OUT),
	S_SENDS("S accepts", SYN | ACK),
	LASTS("established", 1, 124),
};

/* RFC 5382 REQ-2: both connect; S's SYN comes before or behind A's. */
static const struct step simultaneous_open[] = {
	A_SENDS("A connects", SYN, WHY_OUT_NEW), S_SENDS("S connects", SYN),
	LASTS("both have: established", 1, 124), A_SENDS("A accepts", SYN | ACK, WHY_OUT),
	S_SENDS("S accepts", SYN | ACK),	 LASTS("one session", 1, 124),
};

static const struct step inbound_first[] = {
	{ "A's mapping is there for T", LAN, TCP(SYN, A, 25000, T, 80), WAN, TCP(SYN, EXT, 25000, T, 80), WHY_OUT_NEW },
	S_SENDS("S's SYN comes first", SYN),
	LASTS("half open", 0, 4),
	A_SENDS("A's own SYN crosses it", SYN, WHY_OUT),
	LASTS("established", 1, 124),
};

static const struct step sessions_are_counted[] = {
	OPENED,
	{ "A connects to T", LAN, TCP(SYN, A, 25000, T, 80), WAN, TCP(SYN, EXT, 25000, T, 80), WHY_OUT },
	{ "T accepts", WAN, TCP(SYN | ACK, T, 80, EXT, 25000), LAN, TCP(SYN | ACK, T, 80, A, 25000), WHY_IN },
	LASTS("two sessions", 2, 124),
	{ "Z connects", WAN, TCP(SYN, Z, 9, EXT, 25000), LAN, TCP(SYN, Z, 9, A, 25000), WHY_IN },
	{ "A accepts", LAN, TCP(SYN | ACK, A, 25000, Z, 9), WAN, TCP(SYN | ACK, EXT, 25000, Z, 9), WHY_OUT },
	LASTS("three sessions", 3, 124),
	S_SENDS("S resets", RST),
	LASTS("two sessions", 2, 124),
	{ "T resets", WAN, TCP(RST, T, 80, EXT, 25000), LAN, TCP(RST, T, 80, A, 25000), WHY_IN },
	LASTS("one session", 1, 124),
	{ "A resets Z", LAN, TCP(RST, A, 25000, Z, 9), WAN, TCP(RST, EXT, 25000, Z, 9), WHY_OUT },
	LASTS("none: transitory", 0, 4),
};

/* RFC 7857 section 2.2, where another session keeps the mapping meanwhile: S's counts again, and is there when T's ends. */
static const struct step data_after_reset_beside_another[] = {
	OPENED,
	{ "A connects to T", LAN, TCP(SYN, A, 25000, T, 80), WAN, TCP(SYN, EXT, 25000, T, 80), WHY_OUT },
	{ "T accepts", WAN, TCP(SYN | ACK, T, 80, EXT, 25000), LAN, TCP(SYN | ACK, T, 80, A, 25000), WHY_IN },
	LASTS("two sessions", 2, 124),
	S_SENDS("a RST that was not S's", RST),
	LASTS("one session", 1, 124),
	{ "it is time to write a refresh", LATER(SECONDS(2)) },
	A_SENDS("A goes on with S", ACK, WHY_OUT),
	LASTS("two sessions again", 2, 124),
	{ "T resets", WAN, TCP(RST, T, 80, EXT, 25000), LAN, TCP(RST, T, 80, A, 25000), WHY_IN },
	LASTS("S's is left", 1, 124),
};

static const struct step strangers_close_nothing[] = {
	OPENED,
	{ "a stranger resets", WAN, TCP(RST, Z, 80, EXT, 25000), LAN, TCP(RST, Z, 80, A, 25000), WHY_IN },
	{ "from another port too", WAN, TCP(RST, S, 81, EXT, 25000), LAN, TCP(RST, S, 81, A, 25000), WHY_IN },
	{ "or is done", WAN, TCP(FIN, Z, 80, EXT, 25000), LAN, TCP(FIN, Z, 80, A, 25000), WHY_IN },
	LASTS("nothing has happened", 1, 124),
};

/* A SYN flood from outside on a mapping makes no session and keeps nothing alive. */
static const struct step half_open_from_outside[] = {
	A_SENDS("A connects to nobody", SYN, WHY_OUT_NEW),
	{ "Z's SYN", WAN, TCP(SYN, Z, 1, EXT, 25000), LAN, TCP(SYN, Z, 1, A, 25000), WHY_IN },
	{ "A refuses", LAN, TCP(RST | ACK, A, 25000, Z, 1), WAN, TCP(RST | ACK, EXT, 25000, Z, 1), WHY_OUT },
	LASTS("transitory", 0, 4),
};

static const struct step sessions_of_before_are_forgotten[] = {
	OPENED,
	LASTS("established", 1, 124),
	{ "it expires", LATER(MINUTES(125)) },
	A_SENDS("A connects to S anew", SYN, WHY_OUT_NEW),
	LASTS("transitory", 0, 4),
	S_SENDS("a late FIN of before", FIN | ACK),
	LASTS("counts nothing", 0, 4),
	S_SENDS("S accepts", SYN | ACK),
	LASTS("established", 1, 124),
};

static const struct step options_stay[] = {
	{ "a SYN with options", LAN, TCP(SYN, A, 25000, S, 80, .tcp_options = 40, .ip_options = 40), WAN,
	  TCP(SYN, EXT, 25000, S, 80, .tcp_options = 40, .ip_options = 40), WHY_OUT_NEW },
	{ "a SYN from a port taken", LAN, TCP(SYN, B, 25000, S, 80, .tcp_options = 12), WAN,
	  TCP(SYN, EXT, PORT(0), S, 80, .tcp_options = 12), WHY_OUT_NEW },
	{ "the answer", WAN, TCP(SYN | ACK, S, 80, EXT, PORT(0), .tcp_options = 20), LAN,
	  TCP(SYN | ACK, S, 80, B, 25000, .tcp_options = 20), WHY_IN },
};

static const struct test tests[] = {
	STEPS("only_a_syn_from_inside_makes_a_mapping", only_syn_makes),
	STEPS("rfc7857_7_strangers_do_not_refresh_tcp", strangers_do_not_keep_it),
	STEPS("session_entry_lost_before_the_answer", entry_lost),
	STEPS("rfc5382_req5_established_lasts_124_minutes", established),
	STEPS("rfc5382_req5_transitory_lasts_4_minutes", transitory),
	STEPS("rfc7857_closed_by_both_sides", closed_by_both),
	STEPS("rfc7857_closed_from_outside_first", closed_from_outside_first),
	STEPS("rfc7857_reset_from_outside", reset_from_outside),
	STEPS("rfc7857_reset_from_inside", reset_from_inside),
	STEPS("rfc7857_data_after_reset", data_after_reset),
	STEPS("rfc7857_data_after_reset_beside_another", data_after_reset_beside_another),
	STEPS("syn_retransmitted_counts_once", syn_retransmitted),
	STEPS("port_used_again_for_the_same_remote", port_used_again),
	STEPS("rfc5382_req2_simultaneous_open", simultaneous_open),
	STEPS("rfc5382_req2_simultaneous_open_inbound_first", inbound_first),
	STEPS("sessions_are_counted", sessions_are_counted),
	STEPS("strangers_close_nothing", strangers_close_nothing),
	STEPS("half_open_from_outside", half_open_from_outside),
	STEPS("sessions_of_an_earlier_mapping_are_forgotten", sessions_of_before_are_forgotten),
	STEPS("options_stay_as_they_are", options_stay),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
