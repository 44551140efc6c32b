package dev.levee.core;

/**
 * The deadline of a call had passed before the call began, so it did not run.
 *
 * <p>A refusal: it has no stack trace, outer breakers do not count it, and there is no point in trying again. Thrown by a
 * timeout, and by {@link Deadline#refuseIfExpired}. When the time is up while the call runs, that is a
 * {@code TimedOutException}.
 *
 * @since 0.1
 */
public final class DeadlineExpiredException extends RefusedException {
    private static final long serialVersionUID = 1L;

    /**
     * A refusal.
     *
     * @param policy the name of who refuses
     * @param shared whether many callers get this object
     */
    public DeadlineExpiredException(String policy, boolean shared) {
        super(policy, "\"" + policy + "\" refused a call whose deadline had passed", () -> UNKNOWN, shared);
    }

    @Override
    public RefusedException detached() {
        return new DeadlineExpiredException(policy(), false);
    }
}
