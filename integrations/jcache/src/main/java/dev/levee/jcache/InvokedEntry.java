package dev.levee.jcache;

import dev.levee.cache.CachedValue;
import dev.levee.jcache.KeyedChanges.KeyStep;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import javax.cache.processor.MutableEntry;
import org.jspecify.annotations.Nullable;

/**
 * What an entry processor is given: it notes what the processor wants, which is done when that has ended. Confined to
 * the thread that has the turn of the key.
 */
final class InvokedEntry<K, V> implements MutableEntry<K, V> {
    private final K key;
    private final Copies copies;

    /** Checks and copies what comes in. */
    private final UnaryOperator<V> accept;

    /** Loads a value into the cache; null if the cache does not read through. */
    private final @Nullable Function<K, @Nullable V> load;

    /** What the cache had at the beginning, or null. */
    final @Nullable CachedValue<V> found;

    /** The value in the cache that the processor knows of, or null. */
    private @Nullable V seen;

    /** Whether the processor has looked, so that what it does depends on what there was. */
    private boolean looked;

    private boolean asked;
    private @Nullable V value;
    private KeyStep<V> step = KeyStep.keep();

    InvokedEntry(
            K key,
            @Nullable CachedValue<V> found,
            @Nullable Function<K, @Nullable V> load,
            Copies copies,
            UnaryOperator<V> accept) {
        this.key = key;
        this.found = found;
        this.load = load;
        this.copies = copies;
        this.accept = accept;
        this.seen = found == null ? null : found.value();
    }

    @Override
    public K getKey() {
        return copies.of(key);
    }

    @Override
    public boolean exists() {
        looked = true;
        return step.keeps() ? seen != null : step.next() != null;
    }

    @Override
    public @Nullable V getValue() {
        looked = true;
        if (!step.keeps()) {
            V next = step.next();
            return next == null ? null : copies.of(next);
        }
        if (seen == null && load != null && !asked) {
            asked = true;
            seen = load.apply(key);
        }
        if (value == null && seen != null) {
            value = copies.of(seen);
        }
        return value;
    }

    @Override
    public void setValue(V next) {
        step = KeyStep.put(accept.apply(next));
    }

    @Override
    public void remove() {
        boolean isNew = seen == null && step.next() != null;
        step = isNew ? KeyStep.keep() : KeyStep.drop();
    }

    @Override
    public <T> T unwrap(Class<T> type) {
        if (type.isInstance(this)) {
            return type.cast(this);
        }
        throw new IllegalArgumentException("an entry of Levee is no " + type.getName());
    }

    KeyStep<V> step() {
        return step;
    }

    @Nullable V seen() {
        return seen;
    }

    boolean hasLooked() {
        return looked;
    }

    /** Neither key nor value, which may be secret. */
    @Override
    public String toString() {
        return "entry";
    }
}
