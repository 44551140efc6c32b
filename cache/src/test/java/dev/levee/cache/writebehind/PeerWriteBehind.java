package dev.levee.cache.writebehind;

import dev.levee.cache.Store;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * A small write-behind with the faults of others planted in it, to see that the tests find them. Its worker is the
 * thread that calls {@link #work}.
 */
class PeerWriteBehind implements Store<String, String> {
    /** What is wrong with it. */
    enum PlantedAs {
        /** Saves and deletes wait in two collections, and all deletes go first. */
        TWO_COLLECTIONS,
        /** What says that a write is pending is removed by its key, whatever is pending by then. */
        MARKER_BY_KEY,
        /** A batch that fails is logged, and gone. */
        FAILED_BATCH_DROPPED,
        /** Reads do not look at what is on its way. */
        NO_READ_OF_WHAT_FLIES,
        /** A failed write goes back, also over a newer one. */
        RETRY_OVER_NEWER,
        /** A save and then a delete before the flush is nothing. */
        SAVE_AND_DELETE_IS_NOTHING
    }

    private record Waiting(String key, @Nullable String value) {}

    private final Store<String, String> store;
    private final PlantedAs fault;
    private final Queue<Waiting> queue = new ConcurrentLinkedQueue<>();
    private final Map<String, Waiting> markers = new ConcurrentHashMap<>();

    PeerWriteBehind(Store<String, String> store, PlantedAs fault) {
        this.store = store;
        this.fault = fault;
    }

    @Override
    public @Nullable String load(String key) throws Exception {
        Waiting waiting = markers.get(key);
        return waiting != null ? waiting.value : store.load(key);
    }

    @Override
    public void save(String key, String value) {
        add(new Waiting(key, value));
    }

    @Override
    public void delete(String key) {
        if (fault == PlantedAs.SAVE_AND_DELETE_IS_NOTHING && markers.remove(key) != null) {
            queue.removeIf(it -> it.key.equals(key));
        } else {
            add(new Waiting(key, null));
        }
    }

    private void add(Waiting waiting) {
        markers.put(waiting.key, waiting);
        queue.add(waiting);
    }

    /** Brings everything that waits to the store. */
    void work() {
        List<Waiting> batch = new ArrayList<>();
        for (Waiting next = queue.poll(); next != null; next = queue.poll()) {
            batch.add(next);
        }
        if (fault == PlantedAs.TWO_COLLECTIONS) {
            batch = deletesFirst(batch);
        }
        if (fault == PlantedAs.NO_READ_OF_WHAT_FLIES) {
            batch.forEach(it -> markers.remove(it.key, it));
        }
        Queue<Waiting> rest = new ArrayDeque<>(batch);
        try {
            for (Waiting next = rest.peek(); next != null; next = rest.peek()) {
                write(next);
                rest.poll();
                if (fault == PlantedAs.MARKER_BY_KEY) {
                    markers.remove(next.key);
                } else {
                    markers.remove(next.key, next);
                }
            }
        } catch (Exception failed) {
            if (fault == PlantedAs.FAILED_BATCH_DROPPED) {
                rest.forEach(it -> markers.remove(it.key, it));
            } else {
                queue.addAll(rest);
            }
        }
    }

    private static List<Waiting> deletesFirst(List<Waiting> batch) {
        Map<String, Waiting> saves = new LinkedHashMap<>();
        Set<Waiting> ordered = new LinkedHashSet<>();
        for (Waiting each : batch) {
            if (each.value == null) {
                ordered.add(each);
            } else {
                saves.put(each.key, each);
            }
        }
        ordered.addAll(saves.values());
        return new ArrayList<>(ordered);
    }

    private void write(Waiting waiting) throws Exception {
        if (waiting.value == null) {
            store.delete(waiting.key);
        } else {
            store.save(waiting.key, waiting.value);
        }
    }
}
