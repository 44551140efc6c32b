package dev.levee.simulator;

/** Why a call failed. Without a stack trace, which would be that of the simulator. */
public final class CallFailed extends Exception {
    private static final long serialVersionUID = 1L;

    /** A call that failed, and why. */
    public CallFailed(String message) {
        super(message, null, false, false);
    }
}
