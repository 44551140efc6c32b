package dev.levee.core.idempotency;

import dev.levee.core.internal.Require;
import org.jspecify.annotations.Nullable;

/**
 * Finds out what became of an operation whose outcome is unknown: asks the other side whether it has done the work for
 * this key.
 *
 * <p>It decides whether anything is run again, so it must only return {@link Finding#notDone} when the work is not done
 * <em>and cannot come later</em>. Where the other side knows keys itself that is a lookup by key. It may block, and is
 * called by one caller at a time for each key, without a lock held: on the thread of a repeat, or in the background on
 * the executor of the environment. Guard it with a timeout.
 *
 * @param <T> the type of the results
 * @since 0.1
 */
@FunctionalInterface
public interface OutcomeCheck<T extends @Nullable Object> {
    /**
     * Finds out.
     *
     * @param key the key whose outcome is unknown
     * @return what it found
     * @throws Exception if it could not find out; the outcome is still unknown then
     */
    Finding<T> check(String key) throws Exception;

    /**
     * What a check found.
     *
     * @param <T> the type of the results
     * @since 0.1
     */
    final class Finding<T extends @Nullable Object> {
        enum FindingKind {
            DONE,
            NOT_DONE,
            UNKNOWN
        }

        final FindingKind kind;
        final @Nullable T result;

        private Finding(FindingKind kind, @Nullable T result) {
            this.kind = Require.nonNull("kind", kind);
            this.result = result;
        }

        /**
         * Returns that the work is done: its result is recorded, and returned to this caller and all that follow.
         *
         * @param result its result
         * @param <T> the type of the result
         * @return the finding
         */
        public static <T extends @Nullable Object> Finding<T> done(T result) {
            return new Finding<>(FindingKind.DONE, result);
        }

        /**
         * Returns that the work is not done and will not be: the operation runs now.
         *
         * @param <T> the type of the result
         * @return the finding
         */
        public static <T extends @Nullable Object> Finding<T> notDone() {
            return new Finding<>(FindingKind.NOT_DONE, null);
        }

        /**
         * Returns that it cannot be said yet: the call is refused, and the next one checks again.
         *
         * @param <T> the type of the result
         * @return the finding
         */
        public static <T extends @Nullable Object> Finding<T> unknown() {
            return new Finding<>(FindingKind.UNKNOWN, null);
        }

        @Override
        public String toString() {
            return kind == FindingKind.DONE ? "done: " + result : kind.toString();
        }
    }
}
