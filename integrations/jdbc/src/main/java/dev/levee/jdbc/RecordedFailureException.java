package dev.levee.jdbc;

/**
 * An operation failed in an earlier call with this key, perhaps in another process: only the message of its failure is
 * left.
 *
 * <p>A {@link ResultCodec} that knows the failure can return the same class instead.
 *
 * @since 0.1
 */
public final class RecordedFailureException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes a failure that was recorded.
     *
     * @param message the class of the failure and its message
     */
    public RecordedFailureException(String message) {
        super(message);
    }
}
