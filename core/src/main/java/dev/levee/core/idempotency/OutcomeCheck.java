package dev.levee.core.idempotency;

import dev.levee.core.internal.Require;
import org.jspecify.annotations.Nullable;

/**
 * Finds out what became of an operation whose outcome is unknown: asks the other side whether it has done the work for this key.
 *
 * <p>It decides whether anything is run again, so it must only say {@link Finding#notDone} when the work is not done <em>and cannot
 * come later</em>. Where the other side knows keys itself that is a lookup by key. It may block, is called by one caller at a time
 * for each key, and outside of locks.
 *
 * @param <T> the type of the results
 * @since 0.1
 */
@FunctionalInterface
public interface OutcomeCheck<T extends @Nullable Object> {
    /**
     * Looks.
     *
     * @param key whose outcome is unknown
     * @return what it found
     * @throws Exception if it could not look; the outcome is still unknown then
     */
    Finding<T> check(String key) throws Exception;

    /**
     * What a check found.
     *
     * @param <T> the type of the results
     * @since 0.1
     */
    final class Finding<T extends @Nullable Object> {
        enum Answer {
            DONE,
            NOT_DONE,
            UNKNOWN
        }

        final Answer answer;
        final @Nullable T result;

        private Finding(Answer answer, @Nullable T result) {
            this.answer = Require.nonNull("answer", answer);
            this.result = result;
        }

        /**
         * The work is done: its result is recorded, and given to this caller and all that follow.
         *
         * @param result what it gave
         * @param <T> the type of the result
         * @return the finding
         */
        public static <T extends @Nullable Object> Finding<T> done(T result) {
            return new Finding<>(Answer.DONE, result);
        }

        /**
         * The work is not done and will not be: the operation runs now.
         *
         * @param <T> the type of the result
         * @return the finding
         */
        public static <T extends @Nullable Object> Finding<T> notDone() {
            return new Finding<>(Answer.NOT_DONE, null);
        }

        /**
         * It cannot be said yet: the call is refused, and the next one looks again.
         *
         * @param <T> the type of the result
         * @return the finding
         */
        public static <T extends @Nullable Object> Finding<T> unknown() {
            return new Finding<>(Answer.UNKNOWN, null);
        }

        @Override
        public String toString() {
            return answer == Answer.DONE ? "done: " + result : answer.toString();
        }
    }
}
