package dev.levee.spring;

import dev.levee.core.Measured;
import dev.levee.core.Metric;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What policies that were exchanged have counted, so that counters never go back. The last one that was exchanged is
 * still asked, because calls that it has begun go on; of those before it the counts at their end are kept. Immutable.
 */
final class RetiredCounters {
    static final RetiredCounters NONE = new RetiredCounters(Map.of(), null, Set.of());

    private final Map<Key, Double> ended;

    /** The policy before the current one. */
    private final @Nullable Measured last;

    /** What it measures of something that is still in use, and counts there. */
    private final Set<Key> shared;

    private RetiredCounters(Map<Key, Double> ended, @Nullable Measured last, Set<Key> shared) {
        this.ended = ended;
        this.last = last;
        this.shared = shared;
    }

    private record Key(String policy, String metric, List<String> tags) {}

    /**
     * Returns these counters and those of a policy that is no longer used.
     *
     * @param policy what was used until now
     * @param kept what it measures and is still in use; null if there is nothing
     */
    RetiredCounters and(Measured policy, @Nullable Measured kept) {
        Set<Key> names = new HashSet<>();
        if (kept != null) {
            collect(kept, (key, value) -> names.add(key));
        }
        return new RetiredCounters(sum(), policy, names);
    }

    private Map<Key, Double> sum() {
        Map<Key, Double> sum = new HashMap<>(ended);
        if (last != null) {
            collect(last, (key, value) -> {
                if (!shared.contains(key)) {
                    sum.merge(key, value, Double::sum);
                }
            });
        }
        return sum;
    }

    private interface RetiredCount {
        void accept(Key key, double value);
    }

    private static void collect(Measured from, RetiredCount to) {
        from.measure(new Measured.Sink() {
            @Override
            public void value(String policy, String metric, double value) {}

            @Override
            public void value(String policy, Metric metric, List<String> tags, double value) {
                if (metric.kind() == Metric.Kind.COUNTER) {
                    to.accept(new Key(policy, metric.name(), tags), value);
                }
            }
        });
    }

    /** Measures the current policy, with what those before it have counted. */
    void measure(Measured current, Measured.Sink sink) {
        Map<Key, Double> before = sum();
        if (before.isEmpty()) {
            current.measure(sink);
            return;
        }
        current.measure(new Measured.ForwardingSink(sink) {
            @Override
            public void value(String policy, Metric metric, List<String> tags, double value) {
                Double more = before.get(new Key(policy, metric.name(), tags));
                super.value(policy, metric, tags, more == null ? value : value + more);
            }
        });
    }
}
