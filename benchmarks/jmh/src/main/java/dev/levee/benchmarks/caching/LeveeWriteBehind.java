package dev.levee.benchmarks.caching;

import dev.levee.cache.Cache;
import dev.levee.cache.Codec;
import dev.levee.cache.Store;
import dev.levee.cache.writebehind.WriteBehind;
import dev.levee.cache.writebehind.WriteJournal.Durability;
import dev.levee.journal.FileJournal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** A cache of Levee whose store gets writes later. */
final class LeveeWriteBehind {
    final Cache<Integer, String> cache;
    private final WriteBehind<Integer, String> behind;

    private LeveeWriteBehind(WriteBehind<Integer, String> behind) {
        this.behind = behind;
        this.cache = Cache.over(
                "put",
                behind,
                c -> c.maxSize(Given.MAX_SIZE).expireAfter(Given.LIFE).writeThrough());
    }

    /** One that a crash loses. */
    static LeveeWriteBehind inMemory(LongAdder written) {
        return new LeveeWriteBehind(WriteBehind.of(
                "put",
                new CountingStore<Integer>(written),
                c -> c.workers(1).batchSize(CacheWritebehindPut.BATCH).maxPending(CacheWritebehindPut.QUEUE)));
    }

    void close() {
        behind.close(Duration.ofSeconds(10));
    }

    /** A store that takes no time. */
    private record CountingStore<K>(LongAdder written) implements Store<K, String> {
        @Override
        public @Nullable String load(K key) {
            return null;
        }

        @Override
        public void save(K key, String value) {
            written.increment();
        }

        @Override
        public void delete(K key) {
            written.increment();
        }
    }

    /** One whose writes survive. */
    static final class Durable {
        private final Path folder = DurableWriters.folder("journal");
        private final WriteBehind<String, String> behind;
        final Cache<String, String> cache;

        Durable(Durability durability) {
            behind = WriteBehind.of(
                    "durable",
                    new CountingStore<String>(new LongAdder()),
                    c -> c.batchSize(1_000)
                            .maxPending(100_000)
                            .journal(FileJournal.of(
                                    "durable",
                                    folder,
                                    Codec.strings(),
                                    Codec.strings(),
                                    j -> j.durability(durability))));
            cache = Cache.over("durable", behind, c -> c.maxSize(Given.MAX_SIZE).writeThrough());
        }

        void close() {
            behind.close(Duration.ofSeconds(10));
            DurableWriters.delete(folder);
        }
    }
}
