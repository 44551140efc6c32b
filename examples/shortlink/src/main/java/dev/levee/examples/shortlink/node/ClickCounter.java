package dev.levee.examples.shortlink.node;

import dev.levee.cache.Codec;
import dev.levee.cache.writebehind.WriteBehind;
import dev.levee.core.Environment;
import dev.levee.core.policy.Backoff;
import dev.levee.examples.shortlink.UsageException;
import dev.levee.journal.FileJournal;
import dev.levee.journal.JournalException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Counts how often each link is followed, without a statement for each: the counts go to the database behind the
 * answers, many in one statement, and stand in a journal until they are there. What was counted survives a SIGKILL of
 * the node, and of the database.
 */
final class ClickCounter implements AutoCloseable {
    /** What counts is forgotten when it has this many codes; the rows stay, and the next ones are added to them. */
    private static final int MAX_CODES = 50_000;

    /** As long as a count may be behind while the database is well. */
    private static final Duration DELAY = Duration.ofMillis(500);

    private static final int MAX_ROWS = 500;

    private final WriteBehind<String, Long> clicks;
    private final ClickTable table;
    private final String source;
    private volatile Round round;

    /** What has been counted since the start, or since there were too many codes. */
    private static final class Round {
        final ConcurrentHashMap<String, Count> counts = new ConcurrentHashMap<>();
        final int number;

        Round(int number) {
            this.number = number;
        }
    }

    private static final class Count {
        long clicks;
    }

    private ClickCounter(WriteBehind<String, Long> clicks, ClickTable table, String source) {
        this.clicks = clicks;
        this.table = table;
        this.source = source;
        this.round = new Round(1);
    }

    /**
     * Opens a counter, and sends what an earlier process had counted and the database has not got.
     *
     * @param databaseUrl where the database is
     * @param source what counts; no other process ever has the same
     * @param folder of the journal, for one process at a time
     * @param environment for the write-behind
     * @throws UsageException if the journal cannot be opened
     */
    static ClickCounter open(String databaseUrl, String source, Path folder, Environment environment)
            throws UsageException {
        ClickTable table = new ClickTable(databaseUrl, source);
        try {
            WriteBehind<String, Long> clicks = WriteBehind.batching(
                    "clicks",
                    table,
                    config -> config.delay(DELAY)
                            .workers(1)
                            .batchSize(MAX_ROWS)
                            .maxPending(2 * MAX_CODES)
                            // The database comes back, however long it takes: nothing is given up.
                            .maxTries(Integer.MAX_VALUE)
                            // What is left then is in the journal.
                            .closeWithin(Duration.ofSeconds(2))
                            .backoff(Backoff.exponential(Duration.ofMillis(100), Duration.ofSeconds(2)))
                            .journal(FileJournal.of("clicks", folder, Codec.strings(), new LongCodec())),
                    environment);
            return new ClickCounter(clicks, table, source);
        } catch (UncheckedIOException e) {
            table.close();
            throw new UsageException("cannot open the journal of clicks in " + folder + ": "
                    + (e.getCause() instanceof JournalException named ? named.getMessage() : e.getMessage()));
        }
    }

    /**
     * Counts a click.
     *
     * @return whether it is counted, whatever dies after that
     */
    boolean count(String code) {
        Round now = round;
        Count count = now.counts.computeIfAbsent(code, it -> new Count());
        synchronized (count) { // so that of two threads the one with the larger number comes last
            try {
                clicks.save(ClickTable.key(code, source + "." + now.number), count.clicks + 1);
                count.clicks++;
            } catch (Exception refused) { // a link is followed all the same
                return false;
            }
        }
        if (now.counts.size() > MAX_CODES) {
            synchronized (this) {
                if (round == now) {
                    round = new Round(now.number + 1);
                }
            }
        }
        return true;
    }

    @Override
    public void close() {
        clicks.close();
        table.close();
    }

    private static final class LongCodec implements Codec<Long> {
        @Override
        public byte[] encode(Long value) {
            return ByteBuffer.allocate(Long.BYTES).putLong(value).array();
        }

        @Override
        public Long decode(byte[] bytes) {
            if (bytes.length != Long.BYTES) {
                throw new IllegalArgumentException("a count has 8 bytes, but there are " + bytes.length);
            }
            return ByteBuffer.wrap(bytes).getLong();
        }
    }
}
