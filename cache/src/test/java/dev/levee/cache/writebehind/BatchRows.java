package dev.levee.cache.writebehind;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Rows that are written in batches; a batch can be made to do anything. */
final class BatchRows implements BatchStore<String, String> {
    /** What a batch does. */
    @FunctionalInterface
    interface Behaviour {
        @Nullable Map<String, Throwable> write(List<PendingWrite<String, String>> batch) throws Exception;
    }

    final Map<String, String> rows = new ConcurrentHashMap<>();
    final List<String> log = Collections.synchronizedList(new ArrayList<>());
    volatile Behaviour behaviour = this::all;

    @Override
    public @Nullable String load(String key) {
        log.add("load " + key);
        return rows.get(key);
    }

    @Override
    @SuppressWarnings("NullAway") // a batch store may return anything
    public Map<String, ? extends Throwable> write(List<PendingWrite<String, String>> batch) throws Exception {
        List<String> keys = new ArrayList<>();
        batch.forEach(write -> keys.add(write.key()));
        log.add(String.join("", keys));
        return behaviour.write(batch);
    }

    /** Takes everything. */
    Map<String, Throwable> all(List<PendingWrite<String, String>> batch) {
        batch.forEach(this::put);
        return Map.of();
    }

    void put(PendingWrite<String, String> write) {
        String value = write.value();
        if (value == null) {
            rows.remove(write.key());
        } else {
            rows.put(write.key(), value);
        }
    }

    /** Throws away a batch that has a key, and takes every other. */
    Behaviour poisonedBy(String... keys) {
        return batch -> {
            for (PendingWrite<String, String> write : batch) {
                if (List.of(keys).contains(write.key())) {
                    throw new IllegalArgumentException("poison " + write.key());
                }
            }
            return all(batch);
        };
    }

    /** Takes a batch but for some keys, which it reports. */
    Behaviour without(String... keys) {
        return batch -> {
            Map<String, Throwable> failures = new HashMap<>();
            for (PendingWrite<String, String> write : batch) {
                if (List.of(keys).contains(write.key())) {
                    failures.put(write.key(), new IllegalArgumentException("not " + write.key()));
                } else {
                    put(write);
                }
            }
            return failures;
        };
    }
}
