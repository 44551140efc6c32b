package dev.levee.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class StripedSequenceTest {
    @Property(tries = 50)
    void threads_that_come_one_after_the_other_get_one_row(@ForAll long first, @ForAll @IntRange(max = 40) int threads)
            throws InterruptedException {
        StripedSequence turns = new StripedSequence(first);
        for (int i = 0; i < 100; i++) {
            assertThat(turns.next()).isEqualTo(first + i);
        }
        for (int i = 0; i < threads; i++) {
            List<Long> got = new ArrayList<>();
            Thread thread = new Thread(() -> got.add(turns.next()));
            thread.start();
            thread.join();
            assertThat(got).containsExactly(first + 100 + i);
        }
    }

    @Test
    void the_row_continues_where_a_long_ends() {
        StripedSequence turns = new StripedSequence(Long.MAX_VALUE);
        assertThat(turns.next()).isEqualTo(Long.MAX_VALUE);
        assertThat(turns.next()).isEqualTo(Long.MIN_VALUE);
    }

    @Test
    void threads_that_meet_take_each_number_of_the_shared_row_once_and_count_on_in_rows_of_their_own()
            throws Exception {
        int each = 200_000;
        long first = 1L << 40;
        StripedSequence turns = new StripedSequence(first, 2);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        List<Future<long[]>> running = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            Callable<long[]> count = () -> {
                long[] got = new long[each];
                Arrays.setAll(got, k -> turns.next());
                return got;
            };
            running.add(threads.submit(count));
        }
        Set<Long> shared = new HashSet<>();
        for (Future<long[]> run : running) {
            long own = -1;
            int ownCount = 0;
            for (long number : run.get()) {
                if (number >= first && number < first + 2L * each) {
                    assertThat(shared.add(number)).isTrue();
                } else {
                    assertThat(ownCount == 0 || number == own + 1).isTrue();
                    own = number;
                    ownCount++;
                }
            }
        }
        threads.shutdown();
        assertThat(turns.next()).isEqualTo(first + shared.size());
    }
}
