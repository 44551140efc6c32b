package dev.levee.examples.shortlink.smoke;

import dev.levee.examples.shortlink.UsageException;
import dev.levee.examples.shortlink.node.ClickTable;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Every click that an answer called counted is in the database, whatever died meanwhile. More than that may be: of an
 * answer that did not arrive, or of a hedge.
 *
 * @param counted how many answers said that the click was counted
 * @param lost how many of them the database does not have
 * @param statements how many statements wrote them
 */
record LostClicks(long counted, long lost, long statements) {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(15);
    private static final long PAUSE_MILLIS = 200;

    /** Waits until the nodes have sent what they have counted. */
    static LostClicks search(List<Outcome> outcomes, String database) throws UsageException {
        Map<String, Long> counted = new HashMap<>();
        for (Outcome outcome : outcomes) {
            if (outcome.counted()) {
                counted.merge(outcome.request().code(), 1L, Long::sum);
            }
        }
        long start = System.nanoTime();
        try {
            while (true) {
                LostClicks found = compare(counted, ClickTable.totals(database));
                if (found.lost == 0 || System.nanoTime() - start > PATIENCE_NANOS) {
                    return found;
                }
                Thread.sleep(PAUSE_MILLIS);
            }
        } catch (SQLException e) {
            throw new UsageException("cannot read the clicks: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UsageException("interrupted");
        }
    }

    static LostClicks compare(Map<String, Long> counted, Map<String, Long> stored) {
        long all = 0;
        long lost = 0;
        for (Map.Entry<String, Long> code : counted.entrySet()) {
            all += code.getValue();
            lost += Math.max(0, code.getValue() - stored.getOrDefault(code.getKey(), 0L));
        }
        return new LostClicks(all, lost, stored.getOrDefault("", 0L));
    }
}
