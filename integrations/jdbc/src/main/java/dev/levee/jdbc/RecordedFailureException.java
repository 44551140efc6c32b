package dev.levee.jdbc;

/**
 * An operation failed in an earlier call with this key, perhaps in another process: what is left of its failure is the message.
 *
 * <p>A {@link ResultCodec} that knows the failure can give back the same class instead.
 *
 * @since 0.1
 */
public final class RecordedFailureException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * A failure that was recorded.
     *
     * @param message the class of the failure and its message
     */
    public RecordedFailureException(String message) {
        super(message);
    }
}
