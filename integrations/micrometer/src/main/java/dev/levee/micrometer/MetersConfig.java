package dev.levee.micrometer;

import dev.levee.core.internal.Require;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import java.util.Set;

/**
 * The settings of {@link LeveeMeters}. Immutable.
 *
 * @since 0.1
 */
public final class MetersConfig {
    /** The highest bound on the series of one name. */
    public static final int MAX_SERIES = 100_000;

    /** The tags that the meters have by themselves. */
    private static final Set<String> TAKEN = Set.of(SeriesFamily.NAME_TAG, SeriesFamily.STATE_TAG);

    private final int maxSeries;
    private final Tags commonTags;

    private MetersConfig(Builder builder) {
        maxSeries = builder.maxSeries;
        commonTags = builder.commonTags;
    }

    /**
     * Returns a builder with the defaults.
     *
     * @return the builder; not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns a builder with these settings.
     *
     * @return the builder; not thread-safe
     */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.maxSeries = maxSeries;
        builder.commonTags = commonTags;
        return builder;
    }

    /**
     * Returns how many series of one name have a meter of their own.
     *
     * @return from 1 to {@link #MAX_SERIES}
     */
    public int maxSeries() {
        return maxSeries;
    }

    /**
     * Returns the tags that every meter has besides its own.
     *
     * @return the tags, mostly none; immutable
     */
    public Tags commonTags() {
        return commonTags;
    }

    /**
     * Builds the settings of {@link LeveeMeters}. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private int maxSeries = 1_000;
        private Tags commonTags = Tags.empty();

        Builder() {}

        /**
         * Sets how many series of one name have a meter of their own. What comes beyond them is one series whose tags
         * are all {@code _other}. Default: 1000.
         *
         * @param value from 1 to {@link MetersConfig#MAX_SERIES}
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder maxSeries(int value) {
            maxSeries = Require.range("maxSeries", value, 1, MAX_SERIES);
            return this;
        }

        /**
         * Sets tags that every meter has besides its own, such as the team. Tags of the whole process belong to the
         * registry. Default: none.
         *
         * @param tags the tags
         * @return this
         * @throws NullPointerException if {@code tags} is null
         * @throws IllegalArgumentException if the key of a tag is {@code name} or {@code state}
         */
        public Builder commonTags(Iterable<Tag> tags) {
            Tags all = Tags.of(Require.nonNull("commonTags", tags));
            for (Tag tag : all) {
                if (TAKEN.contains(tag.getKey())) {
                    throw new IllegalArgumentException(
                            "commonTags must not have the key \"" + tag.getKey() + "\", which the meters have already");
                }
            }
            commonTags = all;
            return this;
        }

        /**
         * Returns the settings.
         *
         * @return the settings; later changes of this builder do not change them
         */
        public MetersConfig build() {
            return new MetersConfig(this);
        }
    }
}
