package dev.levee.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ServerLeadTest {
    private static final long MILLI = 1_000_000;

    /** A server that is ahead by 7 s, asked by a process whose clock is about to wrap. */
    private static final long NOW = Math.subtractExact(Long.MAX_VALUE, 5 * MILLI);

    private static final long AHEAD = 7_000 * MILLI;

    private static ServerLead ask(ServerLead known, long sentAfter, long tookNanos) {
        long sent = NOW + sentAfter;
        return ServerLead.after(known, sent + tookNanos + AHEAD, sent);
    }

    @Test
    void the_first_answer_is_believed() {
        ServerLead lead = ask(null, 0, 3 * MILLI);

        assertThat(lead.nanos()).isEqualTo(AHEAD + 3 * MILLI);
        assertThat(lead.atNanos()).isEqualTo(NOW);
    }

    @Test
    void a_slower_answer_is_believed_at_once() {
        ServerLead lead = ask(ask(null, 0, 3 * MILLI), 10 * MILLI, 40 * MILLI);

        assertThat(lead.nanos()).isEqualTo(AHEAD + 40 * MILLI);
    }

    @Test
    void it_falls_by_a_part_of_the_time_however_often_is_asked() {
        ServerLead seldom = ask(ask(null, 0, 40 * MILLI), 256 * MILLI, MILLI);
        ServerLead often = ask(null, 0, 40 * MILLI);
        for (int i = 1; i <= 256; i++) {
            often = ask(often, i * MILLI, MILLI);
        }

        assertThat(seldom.nanos()).isEqualTo(AHEAD + 39 * MILLI);
        assertThat(often.nanos()).isBetween(AHEAD + 39 * MILLI, AHEAD + 39 * MILLI + 256);
    }

    @Test
    void it_does_not_fall_below_what_an_answer_says() {
        assertThat(ask(ask(null, 0, 40 * MILLI), 20_000 * MILLI, MILLI).nanos()).isEqualTo(AHEAD + MILLI);
    }

    @Test
    void it_is_never_far_more_than_an_answer_says() {
        ServerLead stoodStill = ask(ask(null, 0, MILLI), 2_000 * MILLI, -2_000 * MILLI);

        assertThat(stoodStill.nanos()).isEqualTo(AHEAD - 2_000 * MILLI + 100 * MILLI);
    }

    @Test
    void an_answer_to_an_earlier_question_that_comes_late_takes_nothing_back() {
        ServerLead later = ask(null, 50 * MILLI, 5 * MILLI);
        ServerLead both = ask(later, 0, 2 * MILLI);

        assertThat(both.atNanos()).isEqualTo(NOW + 50 * MILLI);
        assertThat(both.nanos()).isEqualTo(AHEAD + 5 * MILLI);
    }

    /** Many processes that ask one server, in the way of ADR 147: what its time loses by slow questions. */
    @Test
    void questions_of_any_slowness_lose_less_than_a_hundredth_of_the_time() {
        for (int seed = 0; seed < 8; seed++) {
            Random random = new Random(seed);
            int processes = 1 + random.nextInt(16);
            double hiccups = 0.05 * random.nextDouble();
            long longest = (1 + random.nextLong(90)) * MILLI;
            ServerLead[] leads = new ServerLead[processes];
            long start = 1_000 * MILLI;
            long time = start;
            long server = start;
            long clock = start;
            long end = start + 60_000 * MILLI;
            while (clock < end) {
                int asks = random.nextInt(processes);
                long took = 200_000L + random.nextInt(400_000);
                if (random.nextDouble() < hiccups) {
                    took += (long) (random.nextDouble() * longest);
                }
                long sent = clock - took;
                long there = time + clock - server;
                ServerLead known = leads[asks];
                time = Math.max(time, known == null ? there : Math.min(there, sent + known.nanos()));
                server = clock;
                leads[asks] = ServerLead.after(known, time, sent);
                clock += random.nextLong(1_000_000);
            }
            assertThat((double) (time - start) / (server - start))
                    .as("seed %s, %s processes", seed, processes)
                    .isBetween(0.99, 1.0);
        }
    }
}
