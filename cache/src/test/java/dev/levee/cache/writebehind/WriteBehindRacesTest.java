package dev.levee.cache.writebehind;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.policy.Backoff;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Writers, flushes, replays and a close at the same time, on real threads (virtual where the JVM has them). */
class WriteBehindRacesTest {
    private static final int WRITERS = 6;
    private static final int ROUNDS = 15;
    private static final String POISON = "poison";

    private enum Setting {
        MEMORY,
        JOURNAL,
        REFUSE,
        WRITE_THROUGH
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void what_was_accepted_is_written_dead_or_left_and_in_order(Setting setting) throws Exception {
        try (Environment environment = Environment.closeable("races")) {
            for (int round = 0; round < ROUNDS; round++) {
                race(setting, environment);
            }
        }
    }

    private static void race(Setting setting, Environment environment) throws Exception {
        FlakyRows rows = new FlakyRows();
        MemoryJournal<String, Integer> journal = new MemoryJournal<>();
        WriteBehind<String, Integer> writes = WriteBehind.batching(
                "rows",
                rows,
                c -> {
                    c.workers(3)
                            .batchSize(4)
                            .maxPending(8)
                            .maxTries(3)
                            .delay(Duration.ofNanos(200_000))
                            .maxWait(Deadline.FOREVER);
                    c.backoff(Backoff.exponential(Duration.ofNanos(10_000), Duration.ofNanos(200_000)));
                    switch (setting) {
                        case JOURNAL -> c.journal(journal);
                        case REFUSE -> c.whenFull(WriteOverflow.REFUSE);
                        case WRITE_THROUGH -> c.whenFull(WriteOverflow.WRITE_THROUGH);
                        default -> {}
                    }
                },
                environment);
        Map<String, Integer> acknowledged = new ConcurrentHashMap<>();
        List<FutureTask<Integer>> writers = new ArrayList<>();
        for (int i = 0; i < WRITERS; i++) {
            String key = "k" + i % 4 + "." + i; // each writer has a key of its own, some share a worker
            writers.add(start(() -> write(writes, key, acknowledged)));
        }
        writes.save(POISON, 1);
        acknowledged.put(POISON, 1);
        FutureTask<Integer> others = start(() -> {
            for (int i = 0; i < 20; i++) {
                writes.flush(Duration.ofMillis(1));
                for (DeadWrite<String, Integer> letter : writes.deadWrites()) {
                    if (letter.write().key().equals(POISON)) { // of the others a newer value may be there
                        writes.replay(letter);
                    }
                }
                WriteBehindTest.assertAddsUp(writes.counts());
            }
            return 0;
        });
        while (acknowledged.values().stream().mapToInt(Integer::intValue).sum() < WRITERS * 60) {
            Thread.onSpinWait();
        }
        WriteBehindReport<String, Integer> report = writes.close(Duration.ofSeconds(5));
        for (FutureTask<Integer> writer : writers) {
            writer.get(20, TimeUnit.SECONDS);
        }
        others.get(20, TimeUnit.SECONDS);

        WriteBehindTest.assertAddsUp(writes.counts());
        assertThat(report.counts()).isEqualTo(writes.counts());
        assertThat(rows.outOfOrder).hasValue(0);
        Map<String, Integer> newest = new HashMap<>(rows.rows);
        report.dead()
                .forEach(dead -> newest.merge(dead.write().key(), dead.write().value(), Math::max));
        report.left().forEach(left -> newest.merge(left.key(), left.value(), Math::max));
        acknowledged.forEach(
                (key, value) -> assertThat(newest.getOrDefault(key, -1)).as(key).isGreaterThanOrEqualTo(value));
        if (setting == Setting.JOURNAL) {
            assertThat(journal.pending())
                    .extracting(PendingWrite::key)
                    .containsExactlyInAnyOrderElementsOf(
                            report.left().stream().map(PendingWrite::key).toList());
        }
    }

    /** Writes growing numbers until the write-behind is closed; each that was acknowledged is read at once. */
    private static int write(WriteBehind<String, Integer> writes, String key, Map<String, Integer> acknowledged)
            throws Exception {
        for (int i = 1; ; i++) {
            try {
                writes.save(key, i);
                acknowledged.put(key, i);
            } catch (WriteRefusedException refused) {
                if (refused.reason() == WriteRefusedException.Reason.CLOSED) {
                    return i;
                }
            } catch (IOException ofTheStore) {
                // written through by this thread, and failed
            }
        }
    }

    private static FutureTask<Integer> start(Callable<Integer> work) {
        FutureTask<Integer> task = new FutureTask<>(work);
        Thread thread = new Thread(task, "race");
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    /** Fails about every fifth time, before or after the effect, and sees whether a number comes after a larger one. */
    private static final class FlakyRows implements BatchStore<String, Integer> {
        final Map<String, Integer> rows = new ConcurrentHashMap<>();
        final Map<String, Long> sequences = new ConcurrentHashMap<>();
        final AtomicInteger outOfOrder = new AtomicInteger();

        @Override
        public Integer load(String key) {
            return rows.get(key);
        }

        @Override
        public Map<String, ? extends Throwable> write(List<PendingWrite<String, Integer>> batch) throws Exception {
            if (batch.stream().anyMatch(it -> it.key().equals(POISON))) {
                throw new IllegalArgumentException(POISON);
            }
            int luck = ThreadLocalRandom.current().nextInt(10);
            if (luck == 0) {
                throw new IOException("before");
            }
            for (PendingWrite<String, Integer> write : batch) {
                Long before = sequences.put(write.key(), write.sequence());
                if (before != null && before > write.sequence()) {
                    outOfOrder.incrementAndGet();
                }
                rows.put(write.key(), write.value());
            }
            if (luck == 1) {
                throw new IOException("after");
            }
            return Map.of();
        }
    }
}
