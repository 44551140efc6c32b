package dev.levee.examples.shortlink;

/** Something that the user can put right; the message is the one line that they see. */
public final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    /**
     * A mistake.
     *
     * @param message one line
     */
    public UsageException(String message) {
        super(message);
    }
}
