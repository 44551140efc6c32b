package dev.levee.journal;

import dev.levee.cache.writebehind.WriteJournal.Durability;
import dev.levee.core.internal.Require;

/**
 * What a {@link FileJournal} promises, and how large its files become. Immutable.
 *
 * <p>Provisional: this module grows in later versions.
 *
 * @since 0.1
 */
public final class FileJournalConfig {
    private static final int MIN_SEGMENT_BYTES = 4 * 1024;
    private static final int MAX_SEGMENT_BYTES = 1024 * 1024 * 1024;

    private final Durability durability;
    private final int segmentBytes;

    private FileJournalConfig(Builder builder) {
        durability = builder.durability;
        segmentBytes = Require.range("segmentBytes", builder.segmentBytes, MIN_SEGMENT_BYTES, MAX_SEGMENT_BYTES);
    }

    /**
     * Returns a builder with the defaults.
     *
     * @return a builder; not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns what survives.
     *
     * @return the promise
     */
    public Durability durability() {
        return durability;
    }

    /**
     * Returns at how many bytes a file ends and the next one begins.
     *
     * @return the size of a segment
     */
    public int segmentBytes() {
        return segmentBytes;
    }

    @Override
    public String toString() {
        return "journal(" + durability + ", segments of " + segmentBytes + " bytes)";
    }

    /**
     * Sets what a {@link FileJournal} promises.
     *
     * @since 0.1
     */
    public static final class Builder {
        private Durability durability = Durability.PROCESS;
        private int segmentBytes = 16 * 1024 * 1024;

        private Builder() {}

        /**
         * Sets what survives. Default: {@link Durability#PROCESS}.
         *
         * @param value {@link Durability#PROCESS} costs a write to the operating system, {@link Durability#DISK} waits
         *     for the device; callers that wait at one time share that wait
         * @return this
         * @throws NullPointerException if {@code value} is null
         */
        public Builder durability(Durability value) {
            durability = Require.nonNull("durability", value);
            return this;
        }

        /**
         * Sets at how many bytes a file ends and the next one begins. The files together have at most about two and a
         * quarter times the bytes of what is pending, and six segments. Default: 16 MiB.
         *
         * @param value from 4 KiB to 1 GiB; a single larger write makes a larger segment
         * @return this
         */
        public Builder segmentBytes(int value) {
            segmentBytes = value;
            return this;
        }

        /**
         * Makes the configuration.
         *
         * @return the configuration
         * @throws IllegalArgumentException if a value is out of its range
         */
        public FileJournalConfig build() {
            return new FileJournalConfig(this);
        }
    }
}
