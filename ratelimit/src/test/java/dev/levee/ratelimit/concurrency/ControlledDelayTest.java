package dev.levee.ratelimit.concurrency;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** CoDel: the spacing of drops that RFC 8289 gives, and the same drops as its pseudocode on random queues. */
class ControlledDelayTest {
    private static final long MS = 1_000_000;
    private static final long TARGET = 5 * MS;
    private static final long INTERVAL = 100 * MS;

    private static List<Long> dropTimes(long origin, int drops) {
        ControlledDelay codel = new ControlledDelay(TARGET, INTERVAL);
        List<Long> times = new ArrayList<>();
        for (long at = 0; times.size() < drops; at += 1_000) {
            while (codel.drops(2 * TARGET, 1_000, origin + at)) {
                times.add(at);
            }
        }
        return times;
    }

    @Test
    void drops_come_after_an_interval_and_then_by_the_interval_over_the_square_root_of_their_number() {
        // 100 ms above the target; then +100/sqrt(1), +100/sqrt(2), +100/sqrt(3), ...
        assertThat(dropTimes(0, 7).stream().map(at -> (at + 500) / 1_000))
                .containsExactly(100_000L, 200_000L, 270_711L, 328_446L, 378_446L, 423_168L, 463_992L);
    }

    @Test
    void drops_are_the_same_where_the_clock_wraps_or_is_negative() {
        List<Long> expected = dropTimes(0, 7);
        assertThat(dropTimes(Long.MAX_VALUE - 250 * MS, 7)).isEqualTo(expected);
        assertThat(dropTimes(Long.MIN_VALUE, 7)).isEqualTo(expected);
        assertThat(dropTimes(-INTERVAL, 7))
                .as("an instant of 0 is no special value")
                .isEqualTo(expected);
    }

    @Test
    void one_wait_below_the_target_ends_it_and_it_resumes_near_the_rate_that_it_had() {
        ControlledDelay codel = new ControlledDelay(TARGET, INTERVAL);
        long now = 0;
        int drops = 0;
        for (; drops < 10; now += MS) {
            drops += codel.drops(2 * TARGET, 1_000, now) ? 1 : 0;
        }
        assertThat(codel.drops(TARGET - 1, 1_000, now)).isFalse();
        assertThat(codel.isDropping()).isFalse();
        List<Long> again = new ArrayList<>();
        for (long since = now; again.size() < 3; now += 1_000) {
            if (codel.drops(2 * TARGET, 1_000, now)) {
                again.add((now - since) / MS);
            }
        }
        assertThat(again).containsExactly(100L, 133L, 164L); // 9 more than the first: 100/sqrt(9), 100/sqrt(10)
    }

    @Test
    void the_last_two_in_a_queue_are_never_dropped() {
        ControlledDelay codel = new ControlledDelay(TARGET, INTERVAL);
        for (long now = 0; now < 1_000 * MS; now += MS) {
            assertThat(codel.drops(100 * TARGET, 1, now)).isFalse();
        }
    }

    @Test
    void a_clock_that_stands_still_drops_nothing() {
        ControlledDelay codel = new ControlledDelay(TARGET, INTERVAL);
        for (int round = 0; round < 1_000; round++) {
            assertThat(codel.drops(100 * TARGET, 1_000, 42)).isFalse();
        }
    }

    /** The pseudocode of RFC 8289, sections 5.3 to 5.6, line by line, with calls for packets. */
    private static final class Rfc {
        final Deque<Long> queue = new ArrayDeque<>();
        final List<Long> dropped = new ArrayList<>();
        private long firstAboveTime;
        private long dropNext;
        private int count;
        private int lastCount;
        private boolean dropping;
        private boolean okToDrop;

        private Long dodequeue(long now) {
            Long packet = queue.pollFirst();
            okToDrop = false;
            if (packet == null) {
                firstAboveTime = 0;
                return null;
            }
            long sojourn = now - packet;
            if (sojourn < TARGET || queue.size() <= 1) {
                firstAboveTime = 0;
            } else if (firstAboveTime == 0) {
                firstAboveTime = now + INTERVAL;
            } else if (now >= firstAboveTime) {
                okToDrop = true;
            }
            return packet;
        }

        private static long controlLaw(long from, int count) {
            return from + (long) (INTERVAL / Math.sqrt(count));
        }

        Long dequeue(long now) {
            Long packet = dodequeue(now);
            if (dropping) {
                if (!okToDrop) {
                    dropping = false;
                }
                while (now >= dropNext && dropping) {
                    dropped.add(packet);
                    count++;
                    packet = dodequeue(now);
                    if (!okToDrop) {
                        dropping = false;
                    } else {
                        dropNext = controlLaw(dropNext, count);
                    }
                }
            } else if (okToDrop) {
                dropped.add(packet);
                packet = dodequeue(now);
                dropping = true;
                int delta = count - lastCount;
                count = 1;
                if (delta > 1 && now - dropNext < 16 * INTERVAL) {
                    count = delta;
                }
                dropNext = controlLaw(now, count);
                lastCount = count;
            }
            return packet;
        }
    }

    @Property
    void it_drops_what_the_pseudocode_drops(@ForAll long seed) {
        Random random = new Random(seed);
        Rfc rfc = new Rfc();
        Deque<Long> queue = new ArrayDeque<>();
        ControlledDelay codel = new ControlledDelay(TARGET, INTERVAL);
        List<Long> dropped = new ArrayList<>();
        long now = 1;
        for (int step = 0; step < 3_000; step++) {
            now += (long) (random.nextDouble() * 4 * MS);
            boolean busy = (step / 500) % 2 == 0;
            if (random.nextInt(100) < (busy ? 60 : 42)) {
                rfc.queue.addLast(now);
                queue.addLast(now);
            } else {
                Long expected = rfc.dequeue(now);
                Long head;
                while ((head = queue.pollFirst()) != null && codel.drops(now - head, queue.size(), now)) {
                    dropped.add(head);
                }
                if (queue.isEmpty()) {
                    codel.emptied();
                }
                assertThat(head).isEqualTo(expected);
                assertThat(dropped).isEqualTo(rfc.dropped);
            }
        }
    }
}
