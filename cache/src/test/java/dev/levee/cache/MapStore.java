package dev.levee.cache;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A store in a map that records its calls, and can be set to run something before or after each of them. */
final class MapStore implements Store<String, String> {
    final Map<String, String> rows = new ConcurrentHashMap<>();
    final List<String> log = Collections.synchronizedList(new ArrayList<>());
    volatile Step before = operation -> {};
    volatile Step after = operation -> {};

    /** What happens around an operation such as {@code load a}. */
    @FunctionalInterface
    interface Step {
        void at(String operation) throws Exception;
    }

    static MapStore of(String... keysAndValues) {
        MapStore store = new MapStore();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            store.rows.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return store;
    }

    @Override
    public @Nullable String load(String key) throws Exception {
        String operation = "load " + key;
        log.add(operation);
        before.at(operation);
        String value = rows.get(key);
        after.at(operation);
        return value;
    }

    @Override
    public void save(String key, String value) throws Exception {
        String operation = "save " + key + " " + value;
        log.add(operation);
        before.at(operation);
        rows.put(key, value);
        after.at(operation);
    }

    @Override
    public void delete(String key) throws Exception {
        String operation = "delete " + key;
        log.add(operation);
        before.at(operation);
        rows.remove(key);
        after.at(operation);
    }

    @Override
    public String toString() {
        return "map store";
    }
}
