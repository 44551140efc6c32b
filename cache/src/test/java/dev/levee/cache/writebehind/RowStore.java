package dev.levee.cache.writebehind;

import dev.levee.cache.Store;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Rows that are written one by one, with a log, and a hook before and after each call. */
final class RowStore implements Store<String, String> {
    /** What happens around a call such as {@code save a 1}. */
    @FunctionalInterface
    interface Hook {
        void at(String call) throws Exception;
    }

    final Map<String, String> rows = new ConcurrentHashMap<>();
    final List<String> log = Collections.synchronizedList(new ArrayList<>());
    volatile Hook before = call -> {};
    volatile Hook after = call -> {};

    @Override
    public @Nullable String load(String key) throws Exception {
        before.at("load " + key);
        log.add("load " + key);
        return rows.get(key);
    }

    @Override
    public void save(String key, String value) throws Exception {
        String call = "save " + key + " " + value;
        before.at(call);
        log.add(call);
        rows.put(key, value);
        after.at(call);
    }

    @Override
    public void delete(String key) throws Exception {
        String call = "delete " + key;
        before.at(call);
        log.add(call);
        rows.remove(key);
        after.at(call);
    }

    /** Fails each call that the text is a part of. */
    void failAt(String part) {
        before = call -> {
            if (call.contains(part)) {
                throw new java.io.IOException("no " + call);
            }
        };
    }

    void mend() {
        before = call -> {};
        after = call -> {};
    }
}
