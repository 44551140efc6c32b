package dev.levee.cache.writebehind;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.cache.Store;
import dev.levee.cache.writebehind.PeerWriteBehind.PlantedAs;
import dev.levee.core.policy.Backoff;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sequences in which write-behinds of others have lost, reordered or resurrected values; see what finds them. */
class PeerFaultsTest {
    /** A write-behind, its store, and what lets it work. */
    private record Candidate(Store<String, String> writes, RowStore store, Runnable work) {}

    /** One sequence. */
    @FunctionalInterface
    private interface Sequence {
        void run(Candidate candidate) throws Exception;
    }

    private static Candidate ours() {
        ManualTime time = new ManualTime();
        RowStore store = new RowStore();
        WriteBehind<String, String> writes = WriteBehind.of(
                "rows", store, c -> c.workers(1).backoff(Backoff.fixed(Duration.ofSeconds(1))), time.environment());
        return new Candidate(writes, store, () -> time.advance(Duration.ofSeconds(1)));
    }

    private static Candidate peer(PlantedAs fault) {
        RowStore store = new RowStore();
        PeerWriteBehind writes = new PeerWriteBehind(store, fault);
        return new Candidate(writes, store, writes::work);
    }

    private static final List<Sequence> SEQUENCES = List.of(
            // a save and a delete in one window
            it -> {
                it.writes.save("a", "1");
                it.writes.delete("a");
                it.work.run();
                it.work.run();
                assertThat(it.store.rows).isEmpty();
            },
            // the same, of a row that is there
            it -> {
                it.store.rows.put("a", "old");
                it.writes.save("a", "1");
                it.writes.delete("a");
                it.work.run();
                assertThat(it.store.rows).isEmpty();
            },
            // a newer write is accepted while an older one is on its way; its value is read, before and after
            it -> {
                it.store.after = call -> {
                    if (call.equals("save a 1")) {
                        it.writes.save("a", "2");
                    }
                };
                it.writes.save("a", "1");
                it.work.run();
                assertThat(it.writes.load("a")).isEqualTo("2");
                it.work.run();
                assertThat(it.store.rows).containsEntry("a", "2");
            },
            // what is on its way is read
            it -> {
                it.store.rows.put("a", "old");
                String[] read = new String[1];
                it.store.before = call -> {
                    if (call.startsWith("save")) {
                        read[0] = it.writes.load("a");
                    }
                };
                it.writes.save("a", "1");
                it.work.run();
                assertThat(read[0]).isEqualTo("1");
            },
            // a batch that fails once
            it -> {
                it.store.failAt("save");
                it.writes.save("a", "1");
                it.writes.save("b", "1");
                it.work.run();
                it.store.mend();
                it.work.run();
                assertThat(it.store.rows).containsOnlyKeys("a", "b");
            },
            // a write fails while a newer one is accepted
            it -> {
                boolean[] failed = new boolean[1];
                it.store.before = call -> {
                    if (call.equals("save a 1") && !failed[0]) {
                        failed[0] = true;
                        it.writes.save("a", "2");
                        throw new IOException("no");
                    }
                };
                it.writes.save("a", "1");
                it.work.run();
                it.work.run();
                it.work.run();
                assertThat(it.store.rows).containsEntry("a", "2");
            });

    @Test
    void this_write_behind_has_none_of_the_faults() throws Exception {
        for (Sequence each : SEQUENCES) {
            each.run(ours());
        }
    }

    @ParameterizedTest
    @EnumSource(PlantedAs.class)
    void each_fault_is_found(PlantedAs fault) {
        assertThat(SEQUENCES)
                .anySatisfy(each ->
                        assertThat(catchThrowable(() -> each.run(peer(fault)))).isInstanceOf(AssertionError.class));
    }
}
