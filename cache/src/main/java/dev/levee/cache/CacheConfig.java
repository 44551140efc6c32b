package dev.levee.cache;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.Collection;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToIntBiFunction;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link Cache}. Immutable.
 *
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
public final class CacheConfig<K, V> extends ReadingSettings<K, V> {
    private static final Duration MAX_WINDOW_SECONDS = Duration.ofSeconds(1);

    private final Strategy strategy;
    private final long maxSize;
    private final boolean totals;
    private final Choices<K, V> choices;

    private CacheConfig(Builder<K, V> builder) {
        super(builder);
        strategy = builder.strategy;
        maxSize = builder.maxSize;
        totals = builder.totals;
        choices = builder.choices.checked(builder.maxSizeIsSet);
    }

    /**
     * Starts from the defaults.
     *
     * @param <K> the keys
     * @param <V> the values
     * @return a builder; not thread-safe
     */
    public static <K, V> Builder<K, V> builder() {
        return new Builder<>();
    }

    /**
     * Starts from these settings.
     *
     * @return a builder; not thread-safe
     */
    public Builder<K, V> toBuilder() {
        return new Builder<>(this);
    }

    /**
     * Returns a builder with these settings for a cache that holds each value inside of an object of another type, with
     * what else is known of it. For caches that are made of several tiers.
     *
     * @param value takes the value out; null if what is held says that there is none, which weighs 1
     * @param <W> what is held
     * @return a builder; not thread-safe
     * @throws NullPointerException if {@code value} is null
     */
    public <W> Builder<K, W> holding(Function<? super W, ? extends @Nullable V> value) {
        Require.nonNull("value", value);
        Builder<K, W> held = new Builder<>();
        copyTo(held, value);
        held.strategy = strategy;
        held.totals = totals;
        ToIntBiFunction<? super K, ? super V> weigher = choices.weigher();
        if (weigher == null) {
            held.maxSize(maxSize);
        } else {
            held.maxWeight(choices.maxWeight(), (key, each) -> {
                V inside = value.apply(each);
                return inside == null ? 1 : weigher.applyAsInt(key, inside);
            });
        }
        held.choices =
                held.choices.gathered(choices.window(), choices.maxKeys()).holding(each -> value.apply(each) == null);
        BiFunction<? super K, ? super V, ? extends Collection<String>> tags = choices.tags();
        if (tags != null) {
            held.tags((key, each) -> tags.apply(key, Require.nonNull("value", value.apply(each))));
        }
        return held;
    }

    /**
     * Returns whether the cache writes the store, set by {@link Builder#cacheAside}, {@link Builder#writeThrough} and
     * {@link Builder#writeAround}.
     *
     * @return the strategy
     */
    public Strategy strategy() {
        return strategy;
    }

    /**
     * Returns how many values are held at most.
     *
     * @return from 1
     */
    public long maxSize() {
        return maxSize;
    }

    /**
     * Returns whether hits, misses, loads and evictions are counted.
     *
     * @return true if they are
     */
    public boolean totals() {
        return totals;
    }

    /**
     * Returns how much all values weigh at most.
     *
     * @return from 1; 0 if their number is bounded and not their weight
     */
    public long maxWeight() {
        return choices.maxWeight();
    }

    /**
     * Returns what gives values their tags.
     *
     * @return the function; null if values have none
     */
    public @Nullable BiFunction<? super K, ? super V, ? extends Collection<String>> tagsOf() {
        return choices.tags();
    }

    /**
     * Returns how long a single load waits for others that are loaded by the same call.
     *
     * @return the time; zero if loads are not gathered
     */
    public Duration gatherWindow() {
        return choices.window();
    }

    /**
     * Returns how many single loads are gathered into one call at most.
     *
     * @return from 2; 1 if loads are not gathered
     */
    public int gatherMaxKeys() {
        return choices.maxKeys();
    }

    Choices<K, V> choices() {
        return choices;
    }

    /**
     * What is set, or not, besides times: the functions of tags and weights, how single loads are gathered, and which
     * of the objects that are held say that there is no value.
     */
    record Choices<K, V>(
            @Nullable BiFunction<? super K, ? super V, ? extends Collection<String>> tags,
            @Nullable ToIntBiFunction<? super K, ? super V> weigher,
            long maxWeight,
            Duration window,
            int maxKeys,
            Predicate<? super V> absence) {
        Choices() {
            this(null, null, 0, Duration.ZERO, 1, value -> false);
        }

        Choices<K, V> tagged(BiFunction<? super K, ? super V, ? extends Collection<String>> function) {
            return new Choices<>(function, weigher, maxWeight, window, maxKeys, absence);
        }

        Choices<K, V> weighed(long bound, ToIntBiFunction<? super K, ? super V> function) {
            return new Choices<>(tags, function, bound, window, maxKeys, absence);
        }

        Choices<K, V> gathered(Duration time, int most) {
            return new Choices<>(tags, weigher, maxWeight, time, most, absence);
        }

        Choices<K, V> holding(Predicate<? super V> isAbsent) {
            return new Choices<>(tags, weigher, maxWeight, window, maxKeys, isAbsent);
        }

        private Choices<K, V> checked(boolean maxSizeIsSet) {
            if (weigher != null && maxSizeIsSet) {
                throw new IllegalArgumentException("maxSize and maxWeight must not both be set");
            }
            return this;
        }
    }

    /**
     * The ways to keep a store and its cache in agreement.
     *
     * @since 0.1
     */
    public enum Strategy {
        /** The application writes its store and then invalidates the cache; the cache only reads. */
        CACHE_ASIDE,
        /** The cache writes the store first and itself after that, before the call returns. */
        WRITE_THROUGH,
        /** The cache writes the store and drops its value, before the call returns; the next reader loads. */
        WRITE_AROUND
    }

    /**
     * Sets up a {@link Cache}.
     *
     * @param <K> the keys
     * @param <V> the values
     * @since 0.1
     */
    public static final class Builder<K, V> extends ReadingBuilder<K, V, Builder<K, V>> {
        private Strategy strategy = Strategy.CACHE_ASIDE;
        private long maxSize = 10_000;
        private boolean totals;
        private boolean maxSizeIsSet;
        private Choices<K, V> choices = new Choices<>();

        Builder() {}

        private Builder(CacheConfig<K, V> config) {
            super(config);
            strategy = config.strategy;
            maxSize = config.maxSize;
            totals = config.totals;
            choices = config.choices;
        }

        @Override
        Builder<K, V> self() {
            return this;
        }

        /**
         * Leaves writing to the application. This is the default. {@link Cache#put} and {@link Cache#remove} change the
         * cache only.
         *
         * @return this
         */
        public Builder<K, V> cacheAside() {
            strategy = Strategy.CACHE_ASIDE;
            return this;
        }

        /**
         * Lets {@link Cache#put} and {@link Cache#remove} write the store before the cache. Needs a {@link Store}.
         *
         * @return this
         */
        public Builder<K, V> writeThrough() {
            strategy = Strategy.WRITE_THROUGH;
            return this;
        }

        /**
         * Lets {@link Cache#put} and {@link Cache#remove} write the store and drop the cached value. For values that
         * are written more often than they are read, which would push others out. Needs a {@link Store}.
         *
         * @return this
         */
        public Builder<K, V> writeAround() {
            strategy = Strategy.WRITE_AROUND;
            return this;
        }

        /**
         * How many values are held at most (the {@code maximumSize} of Caffeine). Default: 10,000. When there are more,
         * those that are least likely to be read again are evicted. The bound is enforced soon after each write, not at
         * every moment.
         *
         * @param value from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder<K, V> maxSize(long value) {
            maxSize = Require.range("maxSize", value, 1, Long.MAX_VALUE);
            maxSizeIsSet = true;
            return this;
        }

        /**
         * How much all values weigh at most, in place of their number. Default: their number is bounded, see
         * {@link #maxSize}. The weight is found once for each value, before it is put, and not under a lock. A value
         * that is heavier than all may be is given to its callers and not kept. An absent value that is remembered
         * weighs 1.
         *
         * @param value from 1, in the unit of the weights, such as bytes
         * @param weigher returns the weight of a value, from 1; less fails the load or the put, and so does what it
         *     throws
         * @return this
         * @throws NullPointerException if {@code weigher} is null
         * @throws IllegalArgumentException if the value is less than 1
         */
        public Builder<K, V> maxWeight(long value, ToIntBiFunction<? super K, ? super V> weigher) {
            long bound = Require.range("maxWeight", value, 1, Long.MAX_VALUE);
            Require.nonNull("weigher", weigher);
            choices = choices.weighed(bound, weigher);
            return this;
        }

        /**
         * Gives values tags, such as their tenant, by which {@link Cache#invalidateTag} drops them all at once.
         * Default: none. A hit then also compares a number for each tag of its value.
         *
         * @param function returns the tags of a value; called once for each, before it is put, and not under a lock. No
         *     tags are an empty collection; null, or null among them, fails the load or the put, and so does what it
         *     throws
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder<K, V> tags(BiFunction<? super K, ? super V, ? extends Collection<String>> function) {
            Require.nonNull("tags", function);
            choices = choices.tagged(function);
            return this;
        }

        /**
         * Gathers single loads into calls of a {@link BulkLoader}. Default: each is a call of its own. The first load
         * waits for others until the window is over or there are {@code maxKeys} of them; then they are one call, on a
         * thread of the environment's executor and in the context of no caller. All callers wait for it, each until its
         * own deadline or interrupt.
         *
         * <p>Use it where many callers miss different keys at a time, and the store takes one call for many keys much
         * more easily than many calls. It makes each load later by up to the window. Not gathered are {@code getAll},
         * loads by a loader of the call, loads in the background, and loads that another load of this cache waits for.
         *
         * @param window more than zero, at most a second; some milliseconds
         * @param maxKeys from 2
         * @return this
         * @throws NullPointerException if {@code window} is null
         * @throws IllegalArgumentException if a value is out of its range
         */
        public Builder<K, V> gather(Duration window, int maxKeys) {
            Require.positive("window", window);
            if (window.compareTo(MAX_WINDOW_SECONDS) > 0) {
                throw new IllegalArgumentException(
                        "window must be at most " + Nanos.text(MAX_WINDOW_SECONDS) + ", but was " + Nanos.text(window));
            }
            Require.range("maxKeys", maxKeys, 2, Integer.MAX_VALUE);
            choices = choices.gathered(window, maxKeys);
            return this;
        }

        /**
         * Whether hits, misses, loads and evictions are counted for the metrics. Default: false. It costs some
         * nanoseconds a call.
         *
         * @param value true to count
         * @return this
         */
        public Builder<K, V> totals(boolean value) {
            totals = value;
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         * @throws IllegalArgumentException if settings contradict each other: refreshing later than a value expires,
         *     serving what is stale where nothing expires, a soft timeout without an old value to serve
         */
        public CacheConfig<K, V> build() {
            return new CacheConfig<>(this);
        }
    }
}
