package dev.levee.redis.cache;

/** Redis did not answer a command of a cache, or answered with an error, or is not asked since it did so before. */
final class TierGoneException extends Exception {
    private static final long serialVersionUID = 1L;

    TierGoneException(String message, Throwable cause) {
        super(message, cause);
    }

    /** One for callers that do not ask at all: without a stack trace, since there may be many. */
    TierGoneException(String message) {
        super(message, null, false, false);
    }
}
