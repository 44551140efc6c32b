package dev.levee.cache;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Of keys that were read together some failed: thrown by {@link Cache#getAll}, and by a {@link BulkLoader} that can
 * tell its keys apart.
 *
 * <p>Its cause is the first failure. What was read is cached all the same.
 *
 * @since 0.1
 */
public final class PartialLoadException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Empty in a copy that was serialized, as the other one. */
    private final transient Map<Object, Object> values;

    private final transient Map<Object, Throwable> failures;

    /** What messages begin with: the cache, or the loader. */
    private final String subject;

    /**
     * Makes the answer of a loader of which a part failed.
     *
     * @param values what was read, by key
     * @param failures what went wrong, by key; at least one
     * @throws NullPointerException if an argument is null, or a key or value in it
     * @throws IllegalArgumentException if there is no failure
     */
    public PartialLoadException(Map<?, ?> values, Map<?, ? extends Throwable> failures) {
        this("", values, failures);
    }

    PartialLoadException(String subject, Map<?, ?> values, Map<?, ? extends Throwable> failures) {
        super(text(subject, Require.nonNull("values", values), Require.nonNull("failures", failures)), first(failures));
        this.subject = subject;
        this.values = copy("values", values);
        this.failures = copy("failures", failures);
    }

    private static String text(String subject, Map<?, ?> values, Map<?, ?> failures) {
        return subject + failures.size() + " of " + (values.size() + failures.size()) + " keys could not be loaded";
    }

    private static Throwable first(Map<?, ? extends Throwable> failures) {
        for (Throwable failure : failures.values()) {
            return failure;
        }
        throw new IllegalArgumentException("failures must not be empty");
    }

    private static <T> Map<Object, T> copy(String name, Map<?, ? extends T> map) {
        Map<Object, T> copy = new LinkedHashMap<>();
        map.forEach((key, value) -> {
            if (key == null || value == null) {
                throw new NullPointerException(
                        name + " must have no null, but has " + Text.printable(key + "=" + value));
            }
            copy.put(key, value);
        });
        return Collections.unmodifiableMap(copy);
    }

    /**
     * Returns the same failures beside other values. For caches that are made of several tiers, which hold values
     * inside of other objects.
     *
     * @param others what was read, by key
     * @return a new exception
     * @throws NullPointerException if the map is null, or a key or value in it
     */
    public PartialLoadException withValues(Map<?, ?> others) {
        return new PartialLoadException(subject, others, failures());
    }

    /**
     * Returns what was read.
     *
     * @param <K> the keys of the call that failed
     * @param <V> the values of the call that failed
     * @return the values by key; empty in a copy that was serialized
     */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // an exception cannot have type parameters
    public <K, V> Map<K, V> values() {
        return values == null ? Map.of() : (Map<K, V>) values;
    }

    /**
     * Returns what went wrong.
     *
     * @param <K> the keys of the call that failed
     * @return the failures by key: of {@code getAll} what {@code get} would have thrown, of a loader what it said;
     *     empty in a copy that was serialized
     */
    @SuppressWarnings("unchecked") // as above
    public <K> Map<K, Throwable> failures() {
        return failures == null ? Map.of() : (Map<K, Throwable>) (Map<?, Throwable>) failures;
    }

    /** Throws what went wrong with a key of the call that failed; nothing if it was read, or is absent. */
    void throwFailureOf(Object key) throws Exception {
        Map<Object, Throwable> failed = failures();
        Throwable why = failed.get(key);
        if (why instanceof Error error) {
            throw error;
        }
        if (why != null || failed.isEmpty()) { // a copy that was serialized has lost its keys
            throw why instanceof Exception exception ? exception : this;
        }
    }
}
