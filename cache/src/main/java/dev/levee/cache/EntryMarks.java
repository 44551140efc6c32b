package dev.levee.cache;

import com.github.benmanes.caffeine.cache.Caffeine;
import dev.levee.core.internal.Text;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.function.ToIntBiFunction;
import org.jspecify.annotations.Nullable;

/**
 * What an entry has besides its value and its times: tags and a weight, as the functions of the user say. Called when
 * an entry is made, never under a lock.
 */
final class EntryMarks<K, V> {
    private final String cache;
    private final @Nullable BiFunction<? super K, ? super V, ? extends Collection<String>> tagsOf;
    private final @Nullable ToIntBiFunction<? super K, ? super V> weigher;
    private final Predicate<? super V> absence;
    private final Tags tags;

    EntryMarks(String cache, CacheConfig<K, V> config, Tags tags) {
        this.cache = cache;
        this.tagsOf = config.choices().tags();
        this.weigher = config.choices().weigher();
        this.absence = config.choices().absence();
        this.tags = tags;
    }

    /** Returns whether entries may have tags. */
    boolean haveTags() {
        return tagsOf != null;
    }

    /** Returns the reading of {@link Tags#now}. */
    long epoch() {
        return tagsOf == null ? 0 : tags.now();
    }

    void invalidate(String tag) {
        if (tagsOf == null) {
            throw new IllegalStateException("cache \"" + cache + "\" has no tags: set them in its settings");
        }
        tags.invalidate(tag);
    }

    int tags() {
        return tags.size();
    }

    /** What an entry is given. */
    record Marks(Tags.@Nullable Stamp tags, int weight) {
        static final Marks PLAIN = new Marks(null, 1);

        <V> @Nullable CacheEntry<V> set(@Nullable CacheEntry<V> entry) {
            if (entry != null) {
                entry.tags = tags;
                entry.weight = weight;
            }
            return entry;
        }

        boolean isOutdated() {
            return tags != null && tags.isOutdated();
        }
    }

    /** Returns a bound for entries that know their weight. */
    @SuppressWarnings("unchecked") // a builder has no entries yet
    static <V> Caffeine<Object, CacheEntry<V>> bound(CacheConfig<?, ?> config) {
        Caffeine<Object, CacheEntry<V>> bound =
                (Caffeine<Object, CacheEntry<V>>) (Caffeine<?, ?>) Caffeine.newBuilder();
        return config.maxWeight() == 0
                ? bound.maximumSize(config.maxSize())
                : bound.maximumWeight(config.maxWeight()).weigher((key, entry) -> entry.weight);
    }

    /** Returns the marks of a value that is about to be put or written. */
    Marks ofPut(K key, V value) {
        return of(key, value, epoch());
    }

    /**
     * Returns the marks of what a load has brought.
     *
     * @param value null for the entry of an absent value
     * @param epoch the reading of {@link #epoch} before the value was read or written
     */
    Marks of(K key, @Nullable V value, long epoch) {
        return tagsOf == null && weigher == null ? Marks.PLAIN : new Marks(tags(key, value, epoch), weight(key, value));
    }

    private Tags.@Nullable Stamp tags(K key, @Nullable V value, long epoch) {
        if (tagsOf == null) {
            return null;
        }
        return value == null || absence.test(value)
                ? tags.ofAbsence(epoch)
                : tags.of(names(key, tagsOf.apply(key, value)), epoch);
    }

    private Set<String> names(K key, @Nullable Collection<String> given) {
        if (given == null) {
            throw new NullPointerException(subject("tags", key) + " must not be null");
        }
        Set<String> names = new LinkedHashSet<>();
        for (String name : given) {
            if (name == null) {
                throw new NullPointerException(subject("tags", key) + " must have no null");
            }
            names.add(name);
        }
        return names;
    }

    private int weight(K key, @Nullable V value) {
        if (weigher == null || value == null) {
            return 1;
        }
        int weight = weigher.applyAsInt(key, value);
        if (weight < 1) {
            throw new IllegalArgumentException(subject("weight", key) + " must be at least 1, but was " + weight);
        }
        return weight;
    }

    private String subject(String what, K key) {
        return "cache \"" + cache + "\": " + what + " of key " + Text.printable(key);
    }
}
