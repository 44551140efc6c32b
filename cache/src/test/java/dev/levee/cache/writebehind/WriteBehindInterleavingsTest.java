package dev.levee.cache.writebehind;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.Store;
import dev.levee.core.policy.Backoff;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** Every interleaving of a few writes, reads and steps of the worker on one key: together they are one variable. */
class WriteBehindInterleavingsTest {
    @Test
    void a_write_behind_and_its_store_are_one_variable() {
        options(8).check(Ours.class);
    }

    @Test
    void a_marker_that_is_removed_by_its_key_is_caught() {
        assertThatThrownBy(() -> options(40).check(Marker.class)).satisfies(PlantedFault::isCaught);
    }

    private static ModelCheckingOptions options(int scenarios) {
        return ModelChecking.optionsThatTrust(ConcurrentHashMap.class, ConcurrentLinkedQueue.class)
                .threads(2)
                .actorsPerThread(3)
                .actorsBefore(1)
                .actorsAfter(1)
                .iterations(LongForm.iterations(scenarios))
                .invocationsPerIteration(LongForm.invocations(200))
                .sequentialSpecification(Register.class);
    }

    /** What it must be equivalent to. */
    public static class Register {
        private String value = "0";

        public String get() {
            return value;
        }

        public void set(int to) {
            value = "" + to;
        }

        public void work() {}

        public void fail() {}
    }

    /** One row. */
    private static final class Row implements Store<String, String> {
        final AtomicReference<String> value = new AtomicReference<>("0");
        volatile boolean fails;

        @Override
        public String load(String key) {
            return value.get();
        }

        @Override
        public void save(String key, String to) {
            value.set(to);
            if (fails) {
                fails = false;
                throw new IllegalStateException("after the effect");
            }
        }

        @Override
        public void delete(String key) {
            throw new UnsupportedOperationException();
        }
    }

    /** The operations. */
    @Param(name = "value", gen = IntGen.class, conf = "1:9")
    abstract static class WriterOperations {
        final Row row = new Row();

        abstract Store<String, String> writes();

        @Operation
        public String get() throws Exception {
            return String.valueOf(writes().load("a"));
        }

        @Operation
        public void set(@Param(name = "value") int to) throws Exception {
            writes().save("a", "" + to);
        }

        @Operation(nonParallelGroup = "worker")
        public abstract void work();

        @Operation
        public void fail() {
            row.fails = true;
        }
    }

    /** The write-behind, whose worker runs when a thread says so. */
    public static class Ours extends WriterOperations {
        private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
        private final WriteBehind<String, String> writes;

        public Ours() {
            writes = WriteBehind.of(
                    "one",
                    row,
                    c -> c.workers(1).delay(Duration.ZERO).backoff(Backoff.fixed(Duration.ZERO)),
                    ModelChecking.timeless().toBuilder()
                            .wallClock(() -> Instant.EPOCH)
                            .executor(tasks::add)
                            .build());
        }

        @Override
        Store<String, String> writes() {
            return writes;
        }

        @Override
        public void work() {
            Runnable task = tasks.poll();
            if (task != null) {
                task.run();
            }
        }
    }

    /** The fault of a peer. */
    public static class Marker extends WriterOperations {
        private final PeerWriteBehind writes = new PeerWriteBehind(row, PeerWriteBehind.PlantedAs.MARKER_BY_KEY);

        @Override
        Store<String, String> writes() {
            return writes;
        }

        @Override
        public void work() {
            writes.work();
        }
    }
}
